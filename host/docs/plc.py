"""Reads the verdicts of `sudal serve --modbus 0.0.0.0:1502` and triggers the last device: python plc.py HOST PORT."""
import json
import sys
import time

from pymodbus.client import ModbusTcpClient

BLOCK = 32
VERDICTS = ["none", "OK", "NG", "unknown", "too close"]


def read(client, device):
    registers = client.read_input_registers(device * BLOCK, count=BLOCK).registers
    name = b"".join(register.to_bytes(2, "big") for register in registers[16:32])
    return {
        "heartbeat": registers[0],
        "up": registers[1],
        "parts": registers[2] << 16 | registers[3],
        "ok": registers[4] << 16 | registers[5],
        "ng": registers[6] << 16 | registers[7],
        "verdict": VERDICTS[registers[8]],
        "class": registers[9],
        "score": registers[10] / 1000,
        "limit": registers[11] / 1000,
        "name": name.rstrip(b"\0").decode(),
    }


def trigger(client, device):
    """Says that a part is in view, and waits until it is decided about."""
    before = read(client, device)["parts"]
    client.write_coil(device, True)
    while read(client, device)["parts"] == before:
        time.sleep(0.02)
    return read(client, device)


def main(host, port):
    client = ModbusTcpClient(host, port=int(port))
    assert client.connect()
    # Until five shots are taken for what they are.
    end = time.time() + 20
    while read(client, 1)["verdict"] != "OK" and time.time() < end:
        time.sleep(0.1)
    found = {"devices": [read(client, 0), read(client, 1)]}
    # The first trigger ends counting by what is seen.
    found["before"] = trigger(client, 1)["parts"]
    for _ in range(3):
        time.sleep(0.7)
        found["after"] = trigger(client, 1)["parts"]
    time.sleep(1.5)
    last = read(client, 1)
    found["later"], found["heartbeat"] = last["parts"], last["heartbeat"]
    found["past the end"] = client.read_input_registers(2 * BLOCK - 1, count=2).exception_code
    found["other function"] = client.read_discrete_inputs(0, count=1).exception_code
    print(json.dumps(found))


main(*sys.argv[1:])
