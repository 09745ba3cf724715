# mypy: ignore-errors
# Device code: MicroPython has no typing.
# The smallest release: says on the console what it was told, then does what the console says.
# It stands where firmware/main.py stands in a real release.
import gc
import io
import json
import time

from firmware.label import LABEL

from bootloader.shared.partitions import PartitionError


def run(board, info):
    gc.collect()
    control = info.control
    try:
        board.partitions["control"].read(8192, 1)
        catches_own_error = False
    except PartitionError:
        catches_own_error = True
    facts = {
        "label": LABEL,
        "slot": info.slot,
        "trial": info.trial,
        "release": info.release,
        "boot_count": info.boot_count,
        "cause": info.reset_cause,
        "last_failure": info.last_failure,
        "terminal": info.identity.terminal_id.hex(),
        "security_version": control.state.security_version,
        "catches_own_error": catches_own_error,
        "free_bytes": gc.mem_free(),
    }
    print("\nRUNNING " + json.dumps(facts))
    line = b""
    while True:
        info.watchdog.feed()
        byte = board.console.read(1)
        if byte == b"\n":
            if not act(board, info, line.decode()):
                return
            print("\nDONE " + line.decode())
            line = b""
        elif byte:
            line += byte
        else:
            time.sleep(0.002)


def patched(_, told):
    # by the machine code that is frozen into the interpreter
    from patch_1 import patch

    base, data, size = told.split(" ")
    base, made = bytes.fromhex(base), bytearray()

    def old(at, view):
        view[:] = base[at : at + len(view)]

    def of_image(at, view):
        view[:] = made[at : at + len(view)]

    read = io.BytesIO(bytes.fromhex(data)).readinto
    try:
        for _ in patch.apply(read, old, len(base), made.extend, of_image, int(size)):
            pass
    except patch.PatchError as error:
        return str(error)
    return made.hex()


def nor(board, _):
    area = board.partitions["download"]
    area.erase_sector(0)
    area.program(0, b"\xf0\x3c")
    area.program(0, b"\x0f\xff")
    refused = []
    for wrong in (
        lambda: board.flash.program(area.offset + 250, bytes(7)),
        lambda: board.flash.erase(area.offset + 1),
        lambda: board.flash.program(board.flash.size_bytes, b"\0"),
        lambda: board.flash.program(0, b"\0"),
    ):
        try:
            wrong()
        except OSError as error:
            refused.append(error.errno)
    area_reads = list(area.read(0, 3))
    return [area_reads, list(area.mapped(3)), refused]


FOUND_OUT = {"nor": nor, "patch": patched}


def act(board, info, command):
    word, _, rest = command.partition(" ")
    if word == "crash":
        raise OSError(5, rest)
    if word == "exit":
        raise SystemExit
    if word == "memory":
        kept = []
        while True:
            kept.append(bytearray(1024))
    if word == "hang":
        board.watchdog(500)
        while True:
            pass
    if word == "return":
        return False
    if word == "confirm":
        info.control.confirm()
    elif word == "well":
        info.control.running_well()
    elif word == "clear":
        info.control.clear_failure()
    elif word == "recovery":
        info.control.request_recovery()
    elif word == "trial":
        size, digest, release, version = rest.split(" ")
        policy = {"crashes_allowed": 2, "unconfirmed_boots_allowed": 4, "selftest_deadline_s": 300}
        slot = "b" if info.slot == "a" else "a"
        digest = bytes.fromhex(digest)
        info.control.start_trial(slot, int(size), digest, int(release), int(version), policy)
    elif word == "boot":
        board.flash.program(0, b"\0")
    elif word in FOUND_OUT:
        print("\nFACTS " + json.dumps(FOUND_OUT[word](board, rest)))
    elif word == "facts":
        board.keypad_rows[1].value(0)
        second_row = [pin.value() for pin in board.keypad_columns]
        board.keypad_rows[1].value(1)
        uarts = {name: board.uart(name, 9600) for name in ("modem", "printer")}
        board.buzzer(2000, 1)
        facts = {
            "battery_mv": board.battery_mv(),
            "charging": board.charging(),
            "columns": [pin.value() for pin in board.keypad_columns],
            "second_row": second_row,
            "random": [len(board.random(32)), board.random(32) != board.random(32)],
            "waiting": {name: uart.any() for name, uart in uarts.items()},
            "year": board.rtc.datetime()[0],
            "unique_id": board.unique_id().hex(),
        }
        print("\nFACTS " + json.dumps(facts))
    elif word == "modules":
        import sys

        print("\nMODULES " + " ".join(sorted(sys.modules)))
    return True
