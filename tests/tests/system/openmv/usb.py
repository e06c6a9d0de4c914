"""The USB core of the chip, a Synopsys OTG as a full-speed device, and the computer that it is plugged in at."""

import socket

RESET, ENUMERATED, RECEIVED, SENT, TAKEN = 1 << 12, 1 << 13, 1 << 4, 1 << 18, 1 << 19
ENABLED, NO_NAK, NAK, STALL, ACTIVE = 1 << 31, 1 << 26, 1 << 27, 1 << 21, 1 << 15
OUT_DATA, OUT_DONE, SETUP_DONE, SETUP_DATA = 2, 3, 4, 6
PACKET = 64


class Usb:
    """Addresses are offsets in the core."""

    def __init__(self):
        self.registers, self.flags = {}, 0
        self.received, self.words = [], []
        self.sent = {}
        self.refuses = set(range(1, 16))  # endpoints that take no packet now

    # What the program sees.

    def read(self, at):
        value = self.registers.get(at, 0)
        if at == 0x10:
            return 1 << 31  # idle, and what was asked to be flushed is
        if at == 0x14:
            return self.interrupts()
        if at == 0x20:
            return self.pop()
        if at == 0x3C:
            return 0x2300
        if at == 0x808:
            return 3 << 1  # full speed
        if at == 0x818:
            return self.endpoints()
        if at in (0x900, 0xB00):
            return value | ACTIVE
        if 0x900 <= at < 0xB00 and at & 0x1F == 0x18:
            return PACKET  # words of room
        if at >= 0x1000:
            return self.words.pop(0) if self.words else 0
        return value

    def write(self, at, value):
        old = self.registers.get(at, 0)
        if at == 0x14:
            self.flags &= ~value
        elif 0x900 <= at < 0xD00 and at & 0x1F == 8:
            self.registers[at] = old & ~value
        elif 0x900 <= at < 0xD00 and at & 0x1F == 0:
            if at >= 0xB00 and value & NO_NAK:
                self.refuses.discard(at - 0xB00 >> 5)
            elif at < 0xB00 and value & ENABLED and not old & ENABLED:
                self.sent[at - 0x900 >> 5] = b""
            self.registers[at] = value & ~(NO_NAK | NAK)
        elif at >= 0x1000:
            self.sent[(at >> 12) - 1] += value.to_bytes(4, "little")
        else:
            self.registers[at] = value

    def pop(self):
        endpoint, what, data = self.received.pop(0)
        padded = data + bytes(-len(data) % 4)
        self.words += [int.from_bytes(padded[i : i + 4], "little") for i in range(0, len(padded), 4)]
        if what == SETUP_DONE:
            self.registers[0xB08] = self.registers.get(0xB08, 0) | 1 << 3
        return endpoint | len(data) << 4 | what << 17

    def endpoints(self):
        """Those that have something to say, each way."""
        bits = 0
        for start, mask, shift in [(0x900, 0x810, 0), (0xB00, 0x814, 16)]:
            for endpoint in range(9):
                if self.registers.get(start + 8 + 0x20 * endpoint, 0) & self.registers.get(mask, 0):
                    bits |= 1 << endpoint + shift
        return bits

    def interrupts(self):
        said = self.endpoints() & self.registers.get(0x81C, 0)
        return self.flags | RECEIVED * bool(self.received) | SENT * bool(said & 0xFFFF) | TAKEN * bool(said >> 16)

    def line(self):
        return self.registers.get(8, 0) & 1 and self.interrupts() & self.registers.get(0x18, 0)

    # The computer: each of these yields while it waits.

    def take(self, endpoint):
        """A packet from the board."""
        control, size = 0x900 + 0x20 * endpoint, 0x910 + 0x20 * endpoint
        while not self.has(endpoint):
            if self.registers.get(control, 0) & STALL:
                raise ValueError(f"endpoint {endpoint} refuses the request")
            yield
        self.registers[control] &= ~ENABLED
        self.registers[control + 8] = self.registers.get(control + 8, 0) | 1
        return self.sent.pop(endpoint)[: self.registers[size] & 0x7FFFF]

    def has(self, endpoint):
        enabled = self.registers.get(0x900 + 0x20 * endpoint, 0) & ENABLED
        return enabled and len(self.sent[endpoint]) >= self.registers[0x910 + 0x20 * endpoint] & 0x7FFFF

    def give(self, endpoint, data):
        """A packet for the board."""
        while endpoint in self.refuses:
            yield
        if endpoint:
            self.refuses.add(endpoint)
        self.received += [(endpoint, OUT_DATA, data), (endpoint, OUT_DONE, b"")]
        while self.received:
            yield

    def ask(self, kind, request, value, index=0, length=0):
        """A control transfer without data to the board: what it answers."""
        setup = bytes([kind, request]) + b"".join(word.to_bytes(2, "little") for word in (value, index, length))
        self.received += [(0, SETUP_DATA, setup), (0, SETUP_DONE, b"")]
        while self.received:
            yield
        answer = b""
        while True:
            packet = yield from self.take(0)
            answer += packet
            if len(packet) < PACKET or len(answer) == length:
                break
        if length:
            yield from self.give(0, b"")
        return answer

    def plug_in(self):
        """Enumerates the board: its names, and the endpoints of its serial port, from the board and to it."""
        self.flags |= RESET | ENUMERATED
        while self.flags:
            yield
        device = yield from self.ask(0x80, 6, 0x100, length=18)
        yield from self.ask(0, 5, 7)
        names = []
        for number in device[14:17]:
            text = yield from self.ask(0x80, 6, 0x300 | number, 0x409, 255)
            names.append(text[2:].decode("utf-16-le"))
        whole = yield from self.ask(0x80, 6, 0x200, length=9)
        whole = yield from self.ask(0x80, 6, 0x200, length=int.from_bytes(whole[2:4], "little"))
        at, ends = 0, {}
        while at < len(whole):
            if whole[at + 1] == 5 and whole[at + 3] & 3 == 2:
                ends[whole[at + 2] >> 7] = whole[at + 2] & 15
            at += whole[at]
        yield from self.ask(0, 9, whole[5])
        yield from self.ask(0x21, 0x22, 3)
        return names, ends[1], ends[0]

    def serve(self, path, say):
        """Plugs it in and gives its port to whoever connects to the socket, until they leave."""
        names, source, sink = yield from self.plug_in()
        say(f"over USB it is the {names[1]} of {names[0]}, number {names[2]}")
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        say("its port is open")
        line, _ = server.accept()
        line.setblocking(False)
        waiting = b""
        while True:
            try:
                more = line.recv(4096)
                if not more:
                    return
                waiting += more
            except BlockingIOError:
                pass
            if self.has(source):
                line.sendall((yield from self.take(source)))
            if waiting and sink not in self.refuses:
                yield from self.give(sink, waiting[:PACKET])
                waiting = waiting[PACKET:]
            yield
