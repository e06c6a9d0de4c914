// A Raspberry Pi Pico in rp2040js: boots what its flash holds, keeps the flash in a file and gives its USB
// serial port to whoever connects to a socket.
//
// usage: node emulator.mjs FLASH SOCKET [PICTURE]
//
// FLASH is a file of the flash's bytes, to which each erase and each programmed page goes at once. With a file of
// 162x122 grey pixels there is a camera, which sees that.
//
// It says `ready` when the port is up, `change` at each erase and page, and `pin N 0|1` when an output changes.
// It is told
//   pin N 0|1      an input changes
//   picture FILE   the camera sees something else
//   stall          the camera sends nothing any more
//   hang           the core waits for its bus for ever
//   cut N          the power fails in the midst of the Nth erase or page from now on: half of it is done
//   kill N         the power fails N microseconds of the board's time from now on
//   time           it says `time` and the microseconds of the board's time
import fs from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';
import { ConsoleLogger, GPIOPinState, LogLevel, Simulator, USBCDC } from 'rp2040js';
import { Sensor } from './sensor.mjs';

const [flashPath, socketPath, picturePath] = process.argv.slice(2);
const PAGE = 256;
const SECTOR = 4096;
const INSTRUCTIONS = 200_000;
const AVAILABLE = 1 << 10;
const TX_EMPTY = 1 << 4;

// Nanoseconds of an erase and of a page, as of the flash on the board.
const ERASE = 45e6;
const PROGRAM = 400e3;

const file = fs.openSync(flashPath, 'r+');
let picture = picturePath && fs.readFileSync(picturePath);
// How many erases and pages there are until the power fails, and when it does.
let cut = Infinity;
let end = Infinity;

// A boot ROM with a look-up of functions by two letters, each a trap that is carried out in `trapped`.
const TRAPS = { RE: 2, RP: 3, IF: 4, EX: 4, FC: 4, CX: 4, MS: 5, S4: 5, MC: 6, C4: 6, UB: 7 };
const rom = new DataView(new ArrayBuffer(16 * 1024));
const stubs = {};
for (const [index, [name, trap]] of Object.entries({ lookup: 1, ...TRAPS }).entries()) {
  const at = 0x200 + 4 * index;
  rom.setUint16(at, 0xbe00 | trap, true); // bkpt #trap
  rom.setUint16(at + 2, 0x4770, true); // bx lr
  stubs[name] = at | 1;
}
rom.setUint8(0x13, 2); // version
rom.setUint16(0x14, 0x100, true);
rom.setUint16(0x16, 0x180, true);
rom.setUint16(0x18, stubs.lookup, true);

// A NOR flash: erasing sets bits, programming clears them. All of it takes `nanos`.
function change(chip, at, bytes, nanos) {
  const left = end - chip.clock.nanos;
  const part = --cut ? Math.min(left / nanos, 1) : 0.5;
  const done = bytes.subarray(0, bytes.length * part);
  chip.flash.set(done, at);
  fs.writeSync(file, done, 0, done.length, at);
  console.log('change');
  if (part < 1) process.exit(0);
  chip.clock.tick(nanos);
}

function trapped(chip, trap) {
  const r = chip.core.registers;
  const from = (start) => Uint8Array.from({ length: PAGE }, (_, i) => chip.readUint8(start + i));
  switch (trap) {
    case 1:
      r[0] = stubs[String.fromCharCode(r[1] & 255, (r[1] >> 8) & 255)] ?? 0;
      break;
    case 2:
      for (let at = r[0]; at < r[0] + r[1]; at += SECTOR)
        change(chip, at, new Uint8Array(SECTOR).fill(0xff), ERASE);
      break;
    case 3:
      for (let i = 0; i < r[2]; i += PAGE)
        change(chip, r[0] + i, from(r[1] + i).map((byte, j) => byte & chip.flash[r[0] + i + j]), PROGRAM);
      break;
    case 5:
      for (let i = 0; i < r[2]; i++) chip.writeUint8(r[0] + i, r[1] & 255);
      break;
    case 6:
      for (let i = 0; i < r[2]; i++) chip.writeUint8(r[0] + i, chip.readUint8(r[1] + i));
      break;
    case 7:
      process.exit(0);
  }
}

let client = null;
let sent = Buffer.alloc(0);
let board;

// Switches the chip on, or resets it: then RAM is as it was.
function boot(retained, reason) {
  const simulator = new Simulator();
  const chip = simulator.rp2040;
  chip.logger = new ConsoleLogger(LogLevel.Error, false);
  chip.loadBootrom(new Uint32Array(rom.buffer)); // erases the flash
  fs.readSync(file, chip.flash, 0, 2 << 20, 0);
  if (retained) chip.sram.set(retained);
  chip.onBreak = (trap) => trapped(chip, trap);

  // XIP control is not modelled: its counter of streamed words is at 0.
  const find = chip.findPeripheral.bind(chip);
  const xip = { readUint32: () => 0, writeUint32() {}, writeUint32Atomic() {} };
  chip.findPeripheral = (address) => (address >>> 24 === 0x14 ? xip : find(address));

  const watchdog = find(0x40058000);
  watchdog.reason = reason;
  watchdog.onWatchdogTrigger = () => {
    // At zero it would go off again and again, and no time pass.
    watchdog.timer.enable = false;
    board.off = true;
    setImmediate(() => boot(chip.sram, watchdog.reason));
  };

  // The sensor's clock: each of its edges would be an alarm.
  const [, slice] = chip.pwm.channels;
  for (const alarm of [slice.alarmA, slice.alarmB, slice.alarmBottom]) alarm.enable = false;

  // The bus, trigger and recovery pin have pull-ups, which the emulator has not.
  for (const pin of [4, 5, 20, 22]) chip.gpio[pin].setInputValue(true);
  for (const pin of [18, 19, 25])
    chip.gpio[pin].addListener((state, before) => {
      const is = (level) => state === level && before !== level;
      if (is(GPIOPinState.High)) console.log(`pin ${pin} 1`);
      else if (before === GPIOPinState.High) console.log(`pin ${pin} 0`);
    });

  // What is emptied as nobody answers says so on the chip.
  const [i2c] = chip.i2c;
  const abort = i2c.abort.bind(i2c);
  i2c.abort = (reason) => {
    abort(reason);
    i2c.setInterrupts(TX_EMPTY);
  };

  const usb = chip.usbCtrl;
  const cdc = new USBCDC(usb);
  const sensor = picture && new Sensor(chip, picture);
  board = { simulator, chip, room: 0, cdc, sensor };
  // The chip says that a buffer is available for data until there is some; the emulator does not.
  const available = (endpoint, set) => {
    const control = 0x84 + 8 * endpoint;
    const value = chip.usbDPRAMView.getUint32(control, true);
    chip.usbDPRAMView.setUint32(control, set ? value | AVAILABLE : value & ~AVAILABLE, true);
  };
  const { onEndpointRead } = usb;
  const finishRead = usb.finishRead.bind(usb);
  usb.onEndpointRead = (endpoint, size) => {
    if (endpoint !== cdc.outEndpoint) return onEndpointRead(endpoint, size);
    available(endpoint, true);
    board.room = size;
    pump();
  };
  usb.finishRead = (endpoint, bytes) => {
    available(endpoint, false);
    finishRead(endpoint, bytes);
  };
  cdc.onSerialData = (bytes) => client?.write(bytes);
  cdc.onDeviceConnected = () => console.log('ready');

  // As boot2 leaves it.
  const flash = new DataView(chip.flash.buffer, chip.flash.byteOffset);
  chip.core.VTOR = 0x10000100;
  chip.core.SP = flash.getUint32(0x100, true);
  chip.core.PC = flash.getUint32(0x104, true) & ~1;
}

// Hands over what the line holds when the board has room for a packet.
function pump() {
  if (!board.room || !sent.length) return;
  const packet = sent.subarray(0, board.room);
  sent = sent.subarray(packet.length);
  board.room = 0;
  board.chip.usbCtrl.endpointReadDone(board.cdc.outEndpoint, Uint8Array.from(packet));
}

function run() {
  const { chip, simulator } = board;
  const { clock } = simulator;
  for (let i = 0; i < INSTRUCTIONS && !board.off; i++) {
    const nanos =
      board.hangs || chip.core.waiting
        ? clock.nanosToNextAlarm
        : (chip.core.executeInstruction() * 1e9) / chip.clkSys;
    clock.tick(nanos);
    if (clock.nanos > end) process.exit(0);
  }
  // Nobody waits while nobody is connected.
  if (client || !board.cdc.initialized) setImmediate(run);
  else setTimeout(run, 20);
}

const server = net.createServer((socket) => {
  client?.destroy();
  client = socket;
  socket.on('data', (bytes) => {
    sent = Buffer.concat([sent, bytes]);
    pump();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (client === socket) client = null;
  });
});
const orders = {
  pin: (pin, level) => board.chip.gpio[pin].setInputValue(level === '1'),
  picture: (path) => (board.sensor.picture = picture = fs.readFileSync(path)),
  stall: () => board.sensor.stall(),
  hang: () => (board.hangs = true),
  cut: (count) => (cut = Number(count)),
  time: () => console.log(`time ${Math.floor(board.simulator.clock.micros)}`),
  kill: (micros) => (end = board.simulator.clock.nanos + 1000 * micros),
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [what, ...values] = line.split(' ');
  orders[what](...values);
});
boot(null, 0);
server.listen(socketPath, run);
