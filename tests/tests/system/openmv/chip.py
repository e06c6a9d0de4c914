"""An STM32H743 as far as the OpenMV's program looks at it: the core by Unicorn, and of the devices the
registers that it waits for.

usage: chip.py PROGRAM.elf IMAGE FRAME OUT SOCKET

IMAGE is flashed to the first slot, FRAME is what the sensor sends, 320x240 pixels in YUYV. The program starts;
once it is ready the trigger is pulled. What was seen is printed line by line; OUT gets the frame's memory and
the arena as the answer left them. Then it is plugged in, and its serial port is at SOCKET until it is closed."""

import sys

from elftools.elf.elffile import ELFFile
from unicorn import UC_ARCH_ARM, UC_HOOK_INTR, UC_HOOK_MEM_WRITE, UC_MODE_MCLASS, UC_MODE_THUMB, Uc, UcError
from unicorn.arm_const import *

from usb import Usb

PROGRAM, IMAGE, FRAME, OUT, SOCKET = sys.argv[1:]
FLASH, BANK, SECTOR = 0x08000000, 1 << 20, 128 << 10
SLOT_A = FLASH + 2 * SECTOR
RCC, PWR, FLASH_IF, TIM2, I2C1 = 0x58024400, 0x58024800, 0x52002000, 0x40000000, 0x40005400
DCMI, DMA1, GPIOA, GPIOD, OTG, IWDG = 0x48020000, 0x40020000, 0x58020000, 0x58020C00, 0x40080000, 0x58004800
SENSOR, AIRCR = 0x21, 0xE000ED0C
TRIGGER, OK, NG = 12, 13, 14
IRQ = {"dma": 12, "tim2": 28, "dcmi": 78, "usb": 101}
# Instructions between two looks at the interrupts, and microseconds that they take.
SLICE, STEP = 20_000, 60
PATIENCE = 60_000_000


class Chip:
    def __init__(self):
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M7)
        for start, size in [(FLASH, 2 << 20), (0x20000000, 128 << 10), (0x24000000, 512 << 10), (0x30000000, 288 << 10), (0x1FF1E000, 4096)]:
            self.uc.mem_map(start, size)
        self.registers = {RCC: 0x25, PWR + 4: 1 << 13, PWR + 0xC: 6, FLASH_IF + 0xC: 1, FLASH_IF + 0x10C: 1}
        self.now, self.pending, self.handlers = 0, set(), 0
        self.keys, self.transfer, self.sensor, self.pointer = {}, None, {0x0A: 0x77, 0x0B: 0x21}, 0
        self.erased = self.programmed = 0
        self.inputs = {GPIOA: 0xFFFF, GPIOD: 0xFFFF}
        self.seen, self.said, self.tail, self.usb = [], set(), [], Usb()
        for start, size in [(0x40000000, 0x20000000), (0xE0000000, 0x100000)]:
            self.uc.mmio_map(start, size, self.read, start, self.write, start)
        self.uc.hook_add(UC_HOOK_MEM_WRITE, self.program, begin=FLASH, end=FLASH + 2 * BANK - 1)
        self.uc.hook_add(UC_HOOK_INTR, self.leave)

    def say(self, line):
        if line not in self.said:
            print(line, flush=True)
        self.said.add(line)

    # Registers.

    def read(self, _, offset, size, start):
        address = start + offset
        word = address & ~3
        self.tail = (self.tail + [(word, self.uc.reg_read(UC_ARM_REG_PC))])[-64:]
        return self.value(word) >> 8 * (address & 3)

    def value(self, at):
        value = self.registers.get(at, 0)
        if at == TIM2 + 0x24:
            self.pass_time(1)
            return self.now & 0xFFFF
        if at in (GPIOA + 0x10, GPIOD + 0x10):
            return self.inputs[at - 0x10]
        if at == I2C1 + 0x18:
            return self.bus_state()
        if at == I2C1 + 0x24:
            return self.bus_read()
        if OTG <= at < OTG + 0x20000:
            return self.usb.read(at - OTG)
        if at == AIRCR:
            return 0xFA050000
        return value

    def write(self, _, offset, size, value, start):
        address = start + offset
        at, shift = address & ~3, 8 * (address & 3)
        mask = ((1 << 8 * size) - 1) << shift
        old = self.registers.get(at, 0)
        value = old & ~mask | value << shift & mask
        self.registers[at] = value
        self.follow(at, value, old)

    def follow(self, at, value, old):
        """What the devices make of a register's new value."""
        keep = self.registers
        if at == RCC:
            ready = [(0, 2), (7, 8), (12, 13), (16, 17), (24, 25), (26, 27), (28, 29)]
            for on, bit in ready:
                value = value & ~(1 << bit) | (value >> on & 1) << bit
            keep[at] = value
        elif at == RCC + 0x28 and keep.get(RCC, 0) >> 24 & 1:
            # What the first PLL is fed with is locked while it runs.
            keep[at] = old & 0x3F3 | value & ~0x3F3
        elif at == RCC + 0x10:
            keep[at] = value & ~0x38 | (value & 7) << 3
            if value & 7 == 3:
                divider, ratio = keep[RCC + 0x28] >> 4 & 63, keep[RCC + 0x30]
                hertz = 12_000_000 // divider * ((ratio & 511) + 1) // ((ratio >> 9 & 127) + 1)
                self.say(f"the processor runs at {hertz} Hz")
        elif at == RCC + 0x74:
            keep[at] = value & ~2 | (value & 1) << 1
        elif at == PWR + 0x18:
            keep[at] = value | 1 << 13
        elif at == PWR + 0xC:
            keep[at] = value | 1 << 26
        elif at == IWDG and value & 0xFFFF == 0xCCCC:
            self.say("the watchdog runs")
        elif at == TIM2 + 0x10:
            keep[at] = old & value
        elif OTG <= at < OTG + 0x20000:
            self.usb.write(at - OTG, value)
        elif at == AIRCR and value & 4:
            self.end("it resets itself")
        elif FLASH_IF <= at < FLASH_IF + 0x200:
            self.flash(at & ~0x100, at & 0x100, value, old)
        elif I2C1 <= at < I2C1 + 0x400:
            self.bus_write(at - I2C1, value)
        elif at == DMA1 + 8:
            keep[DMA1] = keep.get(DMA1, 0) & ~value
        elif at == DCMI + 0x14:
            keep[DCMI + 8] = keep.get(DCMI + 8, 0) & ~value
        elif at == DCMI and value & 1 and not old & 1:
            self.frame()
        elif at == GPIOD + 0x18:
            for pin, name in [(OK, "OK"), (NG, "NG")]:
                if value >> pin & 1:
                    self.say(f"{name} is high")
                    self.seen.append(name)

    def flash(self, at, bank, value, old):
        control = FLASH_IF + 0xC + bank
        if at == FLASH_IF + 4:
            keys = self.keys.setdefault(bank, [])
            keys.append(value)
            if keys[-2:] == [0x45670123, 0xCDEF89AB]:
                self.registers[control] = self.registers.get(control, 0) & ~1
        elif at == FLASH_IF + 0xC:
            if old & 1:
                self.registers[control] = old  # locked
            elif value & 0x84 == 0x84:
                first = FLASH + (BANK if bank else 0) + (value >> 8 & 7) * SECTOR
                self.uc.mem_write(first, b"\xff" * SECTOR)
                self.registers[control] = value & ~0x80
                self.erased += 1
        elif at == FLASH_IF + 0x14:
            self.registers[at + bank] = 0

    def program(self, uc, _, address, size, value, __):
        control = FLASH_IF + 0xC + (0x100 if address >= FLASH + BANK else 0)
        if self.registers.get(control, 0) & 3 != 2:
            self.end(f"it writes to {address:#x}, which is locked")
        value &= (1 << 8 * size) - 1
        if int.from_bytes(uc.mem_read(address, size), "little") & value != value:
            self.end(f"it sets bits of {address:#x}, which only an erase does")
        self.programmed += size

    # The sensor's bus.

    def bus_write(self, at, value):
        if at == 4 and value >> 13 & 1:
            self.transfer = [value >> 1 & 0x7F, value >> 10 & 1, value >> 16 & 255, value >> 25 & 1, []]
            self.registers[I2C1 + 4] = value & ~(1 << 13)
        elif at == 4 and value >> 14 & 1:
            self.transfer = None
            self.registers[I2C1 + 4] = value & ~(1 << 14)
        elif at == 0x28 and self.transfer:
            data = self.transfer[4]
            data.append(value & 255)
            self.transfer[2] -= 1
            if self.transfer[2] == 0:
                self.pointer = data[0]
                if len(data) > 1:
                    self.sensor[data[0]] = data[1]

    def bus_read(self):
        if self.transfer:
            self.transfer[2] -= 1
        return self.sensor.get(self.pointer, 0)

    def bus_state(self):
        state = 1
        if self.transfer is None:
            return state | 1 << 5
        address, reads, left, stops, _ = self.transfer
        if address != SENSOR:
            return state | 1 << 4
        if left:
            return state | (1 << 2 if reads else 1 << 1)
        return state | (1 << 5 if stops else 1 << 6)

    # The camera.

    def frame(self):
        keep, stream = self.registers, DMA1 + 0x10 + 0x18
        words, to = keep.get(stream + 4, 0) & 0xFFFF, keep.get(stream + 0xC, 0)
        frame = open(FRAME, "rb").read()
        if not keep.get(stream, 0) & 1 or words * 4 != len(frame) or keep.get(stream + 8) != DCMI + 0x28:
            self.end(f"DMA is not set up for a frame: {words} words from {keep.get(stream + 8, 0):#x} to {to:#x}")
        self.uc.mem_write(to, frame)
        self.say(f"a frame of {len(frame)} bytes by DMA to {to:#x}, the sensor's registers {len(self.sensor)}")
        keep[stream + 4], keep[stream] = 0, keep[stream] & ~1
        keep[DMA1] = keep.get(DMA1, 0) | 1 << 11
        keep[DCMI], keep[DCMI + 8] = keep[DCMI] & ~1, 1
        self.pending |= {"dma", "dcmi"}

    # Time and interrupts.

    def pass_time(self, microseconds):
        for _ in range(microseconds):
            self.now += 1
            flag = {0: 1, 0x8000: 2}.get(self.now & 0xFFFF)
            if flag:
                self.registers[TIM2 + 0x10] = self.registers.get(TIM2 + 0x10, 0) | flag
                if self.registers.get(TIM2 + 0xC, 0) & flag:
                    self.pending.add("tim2")
                    self.uc.emu_stop()

    def enter(self):
        """Takes the first interrupt that waits."""
        uc = self.uc
        if self.usb.line():
            self.pending.add("usb")
        if not self.pending or self.handlers or uc.reg_read(UC_ARM_REG_PRIMASK) & 1:
            return
        number = IRQ[min(self.pending, key=IRQ.get)]
        self.pending.discard(min(self.pending, key=IRQ.get))
        names = [UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR, UC_ARM_REG_PC, UC_ARM_REG_XPSR]
        # All that the program could miss, also that of the floating point unit.
        floats = [UC_ARM_REG_S0 + i for i in range(32)] + [UC_ARM_REG_FPSCR]
        self.saved = [(name, uc.reg_read(name)) for name in [*names, UC_ARM_REG_SP, *floats]]
        uc.reg_write(UC_ARM_REG_SP, (uc.reg_read(UC_ARM_REG_SP) - 0x70) & ~7)
        uc.reg_write(UC_ARM_REG_LR, 0xFFFFFFF9)
        handler = int.from_bytes(uc.mem_read(FLASH + 4 * (16 + number), 4), "little")
        uc.reg_write(UC_ARM_REG_PC, handler)
        self.handlers = 1

    def leave(self, uc, number, _):
        # Where an interrupt's handler returns to is no address.
        if uc.reg_read(UC_ARM_REG_PC) & ~1 != 0xFFFFFFF8 or not self.handlers:
            self.end(f"exception {number} at {uc.reg_read(UC_ARM_REG_PC):#x}")
        uc.emu_stop()

    def end(self, why):
        self.why = why
        self.uc.emu_stop()

    def run(self, until):
        """Runs until something was seen: whether it was."""
        start, self.why = self.now, None
        while not until():
            if self.now - start > PATIENCE or self.why:
                places = sorted({f"{at:#x} from {pc:#x}" for at, pc in self.tail})
                print(f"it stops: {self.why or 'it waits'}; registers read last: {', '.join(places)}")
                return False
            self.enter()
            pc = self.uc.reg_read(UC_ARM_REG_PC)
            try:
                self.uc.emu_start(pc | 1, 0xFFFFFFFF, count=SLICE)
            except UcError as error:
                if not self.handlers:
                    self.why = f"{error} at {self.uc.reg_read(UC_ARM_REG_PC):#x}"
            if self.handlers and self.uc.reg_read(UC_ARM_REG_PC) & ~1 == 0xFFFFFFF8:
                for name, value in self.saved:
                    self.uc.reg_write(name, value)
                self.handlers = 0
            self.pass_time(STEP)
        return True


chip = Chip()
with open(PROGRAM, "rb") as file:
    elf = ELFFile(file)
    chip.uc.mem_write(FLASH, b"\xff" * (2 << 20))
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
            chip.uc.mem_write(segment["p_paddr"], segment.data())
    symbols = {symbol.name: symbol for symbol in elf.get_section_by_name(".symtab").iter_symbols()}
chip.uc.mem_write(SLOT_A, open(IMAGE, "rb").read())
stack, reset = (int.from_bytes(chip.uc.mem_read(FLASH + at, 4), "little") for at in (0, 4))
chip.uc.reg_write(UC_ARM_REG_SP, stack)
chip.uc.reg_write(UC_ARM_REG_PC, reset)

# The device is ready once it looks at its trigger, again and again.
looks = []
ordinary = chip.value


def counting(at):
    if at == GPIOD + 0x10:
        looks.append(chip.now)
    return ordinary(at)


chip.value = counting
if not chip.run(lambda: len(looks) > 200):
    sys.exit(1)
print(f"ready after {chip.now // 1000} ms: {chip.erased} sectors erased, {chip.programmed} bytes of flash programmed")
chip.inputs[GPIOD] &= ~(1 << TRIGGER)
if not chip.run(lambda: chip.seen):
    sys.exit(1)
objects = [symbol for symbol in symbols.values() if symbol["st_info"]["type"] == "STT_OBJECT"]
with open(OUT, "wb") as out:
    # The arena is the largest of what start-up takes.
    for name in ("5FRAME", "3VAR"):
        named = [symbol for symbol in objects if name in symbol.name]
        largest = max(named, key=lambda symbol: symbol["st_size"])
        out.write(chip.uc.mem_read(largest["st_value"], largest["st_size"]))

# It answers whoever it is plugged in at.
host, left = chip.usb.serve(SOCKET, chip.say), []
if not chip.run(lambda: next(host, left) is left):
    sys.exit(1)
