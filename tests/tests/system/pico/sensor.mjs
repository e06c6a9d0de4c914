// An HM01B0 at the pins of an emulated Pico, wired as Arducam's Pico4ML is: its registers over I2C, and frames
// of a picture by FVLD, LVLD, pixel clock and one data line, timed by the clock that the chip gives it.
const [RESET, CLOCK, SDA, SCL, DATA, PIXEL, ROW, FRAME] = [2, 3, 4, 5, 6, 14, 15, 16];
const ADDRESS = 0x24;
// As the emulator numbers them: a pin's function, and what a machine of PIO waits for.
const PWM = 4;
const PIN = 1;
// Columns and rows of what is sent when it is binned and cut to QVGA, and what the registers must say for that.
const [WIDTH, HEIGHT] = [162, 122];
const QUARTER = { 0x0383: 3, 0x0387: 3, 0x0390: 3, 0x3010: 1, 0x3059: 0x22, 0x3060: 0x30 };

export class Sensor {
  constructor(chip, picture) {
    this.chip = chip;
    this.picture = picture;
    this.alarm = chip.clock.createAlarm(() => this.next());
    this.reset();
    for (const pin of [SDA, SCL]) chip.gpio[pin].setInputValue(true);
    chip.gpio[RESET].addListener(() => this.reset());

    // Registers: a number of 16 bits, then values of consecutive ones.
    const i2c = chip.i2c[0];
    let written = [];
    i2c.onConnect = (address, reading) => {
      if (!reading) written = [];
      i2c.completeConnect(address === ADDRESS && this.isOn());
    };
    i2c.onWriteByte = (byte) => {
      if (written.push(byte) === 2) this.register = (written[0] << 8) | written[1];
      if (written.length > 2) this.set(this.register++, byte);
      i2c.completeWrite(true);
    };
    i2c.onReadByte = () => i2c.completeRead(this.registers[this.register++] ?? 0);

    // The emulator steps PIO by a timer of the computer's. It runs here when a pin changes, for as many of the
    // chip's cycles as there are until the next change, and only what is enabled.
    const [pio] = chip.pio;
    pio.run = () => {};
    // A change of FJOIN_RX empties what is on the way, which the emulator leaves out.
    for (const machine of pio.machines) {
      const write = machine.writeUint32.bind(machine);
      machine.writeUint32 = (offset, value) => {
        if (offset === 8 && (machine.shiftCtrl ^ value) >>> 31) {
          machine.rxFIFO.reset();
          machine.txFIFO.reset();
          machine.updateDMARx();
          machine.updateDMATx();
        }
        write(offset, value);
      };
    }
  }

  // Not held in reset, and with a clock.
  isOn() {
    const { gpio } = this.chip;
    return gpio[RESET].outputValue && this.frequency() > 0;
  }

  // Of the clock that the chip gives.
  frequency() {
    const { gpio, pwm, clkSys } = this.chip;
    const { csr, top, div } = pwm.channels[1];
    return gpio[CLOCK].functionSelect === PWM && csr & 1 ? clkSys / (top + 1) / (div / 16) : 0;
  }

  reset() {
    this.alarm.cancel();
    this.registers = { 0x0000: 0x01, 0x0001: 0xb0, 0x0100: 0 };
    this.steps = null;
    for (const pin of [PIXEL, ROW, FRAME]) this.chip.gpio[pin].setInputValue(false);
  }

  set(register, value) {
    if (register === 0x0103) return this.reset();
    this.registers[register] = value;
    if (register !== 0x0100) return;
    const wrong = Object.entries(QUARTER).filter(([at, value]) => this.registers[at] !== value);
    if (value && wrong.length) console.log(`sensor: ${wrong.map(([at]) => Number(at).toString(16))} is not modelled`);
    this.steps = value && !wrong.length ? this.frames() : null;
    if (this.steps) this.alarm.schedule(0);
    else this.alarm.cancel();
  }

  next() {
    const nanos = this.isOn() ? this.steps?.next().value : undefined;
    if (nanos) this.alarm.schedule(nanos);
  }

  stall() {
    this.steps = null;
    this.alarm.cancel();
  }

  // Frames without end: each value is the nanoseconds until the pins change next.
  *frames() {
    const { chip, registers } = this;
    const { gpio } = chip;
    const [pio] = chip.pio;
    const bit = 1e9 / this.frequency();
    const cycles = Math.floor((bit / 2 / 1e9) * chip.clkSys);
    const line = 8 * ((registers[0x0342] << 8) | registers[0x0343]) * bit;
    const lines = (registers[0x0340] << 8) | registers[0x0341];
    const change = (pin, level) => {
      gpio[pin].setInputValue(level);
      for (const machine of pio.machines)
        for (let cycle = 0; machine.enabled && cycle < cycles; cycle++) {
          if (machine.waiting && machine.waitType === PIN) break;
          machine.step();
        }
    };
    const active = 8 * WIDTH * bit;
    for (;;) {
      const { picture } = this;
      change(FRAME, true);
      yield line;
      for (let row = 0; row < HEIGHT; row++) {
        change(ROW, true);
        // Nobody looks at the clock when no machine runs.
        if (pio.machines.some((machine) => machine.enabled))
          for (let column = 0; column < WIDTH; column++) {
            const level = picture[row * WIDTH + column];
            for (let mask = 0x80; mask; mask >>= 1) {
              gpio[DATA].rawInputValue = (level & mask) !== 0;
              change(PIXEL, true);
              yield bit / 2;
              change(PIXEL, false);
              yield bit / 2;
            }
          }
        else yield active;
        change(ROW, false);
        yield line - active;
      }
      change(FRAME, false);
      yield line * (lines - HEIGHT - 1);
    }
  }
}
