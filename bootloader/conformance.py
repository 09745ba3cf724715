"""Does this board keep its promises? `main` of the self-test image; nothing else imports it.

Promises: docs/porting.md. `tech conform` types `checks`, then `check <name>` for each; answers are
lines `= ` and JSON. A check that resets the board is asked for its result by `after <name>`.
Flash is written in `download` only; `erase` spoils the image's head, which makes the board blank.
"""

import json
import time
from binascii import hexlify

import board

from bootloader.shared.partitions import PAGE_BYTES, SECTOR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Checks = tuple[Callable[[], str | None], ...]

_WATCHDOG_MS = 1000
_CAUSES = ("power-on", "watchdog", "soft", "brownout")


def _need(condition: object, text: str) -> None:
    if not condition:
        raise ValueError(text)


def names() -> None:
    """Class, revision and version of the bootloader are there."""
    _need(isinstance(board.HARDWARE_CLASS, str) and board.HARDWARE_CLASS, "HARDWARE_CLASS")
    _need(board.HARDWARE_REVISION >= 1, "HARDWARE_REVISION")
    _need(board.BOOTLOADER_VERSION >= 1, "BOOTLOADER_VERSION")


def partitions() -> None:
    """Every partition is there, whole sectors, in the flash; the slots are alike."""
    wanted = ("boot", "control", "identity", "journal", "slot_a", "slot_b", "download", "data")
    end = 0
    for name in sorted(wanted, key=lambda name: board.partitions[name].offset):
        part = board.partitions[name]
        _need(part.offset >= end and part.offset % SECTOR_BYTES == 0, name + " overlaps or is odd")
        _need(part.size_bytes % SECTOR_BYTES == 0, name + " is no whole number of sectors")
        end = part.offset + part.size_bytes
    _need(end <= board.flash.size_bytes, "the partitions do not fit the flash")
    _need(
        board.partitions["slot_a"].size_bytes == board.partitions["slot_b"].size_bytes,
        "the slots differ in size",
    )


def flash() -> None:
    """Erasing makes ones, programming clears bits only, a page is a bound."""
    part = board.partitions["download"]
    address = part.offset
    board.flash.erase(address)
    page = bytearray(PAGE_BYTES)
    board.flash.read_into(address, page)
    _need(page == b"\xff" * PAGE_BYTES, "erase leaves zeros")
    board.flash.program(address, b"\xf0" * PAGE_BYTES)
    board.flash.program(address, b"\x3c" * PAGE_BYTES)
    board.flash.read_into(address, page)
    _need(page == b"\x30" * PAGE_BYTES, "programming must only clear bits")
    board.flash.program(address + SECTOR_BYTES - 4, b"abcd")
    tail = bytearray(4)
    board.flash.read_into(address + SECTOR_BYTES - 4, tail)
    _need(tail == b"abcd", "an unaligned read or a short program fails")
    try:
        board.flash.program(address + 250, bytes(10))
    except (ValueError, OSError):
        pass
    else:
        raise ValueError("a program across a page is not refused")
    board.flash.erase(address)


def execute_in_place() -> None:
    """`mapped` shows what was programmed."""
    part = board.partitions["download"]
    board.flash.erase(part.offset)
    board.flash.program(part.offset, b"in place")
    view = board.flash.mapped(part.offset, SECTOR_BYTES)
    _need(bytes(view[:8]) == b"in place", "mapped() does not show the flash")
    board.flash.erase(part.offset)


def unique_id() -> None:
    """8 bytes that stay."""
    who = board.unique_id()
    _need(isinstance(who, bytes) and len(who) == 8, "unique_id() is not 8 bytes")
    _need(who not in (bytes(8), b"\xff" * 8), "unique_id() is no id")
    _need(board.unique_id() == who, "unique_id() changes")


def randomness() -> None:
    """The noise passes its test, and two keys differ."""
    from bootloader.recovery.entropy import make_key

    _need(make_key(board.noise, board.random) != make_key(board.noise, board.random), "one key")


def soft_reset() -> str:
    """A reset by software is told as one."""
    return "reset"


def after_soft_reset() -> None:
    """Asked after the reset."""
    cause = board.reset_cause()
    _need(cause == "soft", "a reset by software is told as " + str(cause))


def watchdog() -> str:
    """It bites who stops feeding, and that is told."""
    board.watchdog(_WATCHDOG_MS).feed()
    return "bite"


def after_watchdog() -> None:
    """Asked after the bite."""
    cause = board.reset_cause()
    _need(cause == "watchdog", "a reset by the watchdog is told as " + str(cause))


def keypad() -> None:
    """4 x 4, and no column low without a key."""
    _need(len(board.keypad_rows) == 4 and len(board.keypad_columns) == 4, "not 4 x 4")
    for row in board.keypad_rows:
        row.value(1)
    levels = [column.value() for column in board.keypad_columns]
    _need(levels == [1, 1, 1, 1], "a column is low without a key: is there a pull-up?")


def lcd() -> None:
    """It takes commands and a page."""
    board.lcd.command(b"\xae\xa4\xaf")
    board.lcd.data(bytes(128))


def battery() -> None:
    """A voltage that a cell can have; the charger's pin."""
    _need(2500 <= board.battery_mv() <= 4500, "battery_mv() is %d" % board.battery_mv())
    _need(board.charging() in (True, False), "charging()")


def clock() -> None:
    """It goes."""
    now = board.rtc.datetime()
    _need(len(now) == 8, "rtc.datetime() has not 8 fields")
    started = time.ticks_ms()
    while board.rtc.datetime()[6] == now[6]:
        _need(time.ticks_diff(time.ticks_ms(), started) < 2000, "the RTC stands still")


def uarts() -> None:
    """Both can be written and never wait."""
    for name, baud in (("modem", 115200), ("printer", 9600)):
        uart = board.uart(name, baud)
        _need(uart.write(b"\r") in (1, None), name + ": write")
        time.sleep_ms(50)
        while uart.any():
            _need(uart.read(64), name + ": any() without read()")


def buzzer() -> None:
    """It sounds."""
    board.buzzer(2000, 20)


def filesystem() -> None:
    """littlefs keeps a file."""
    import os

    from bootloader.shared.partitions import mount_data

    mount_data(board.partitions["download"], True)
    with open("/data/probe", "wb") as file:
        file.write(b"kept")
    with open("/data/probe", "rb") as file:
        _need(file.read() == b"kept", "littlefs does not keep a file")
    os.umount("/data")
    for sector in range(0, 4 * SECTOR_BYTES, SECTOR_BYTES):
        board.partitions["download"].erase_sector(sector)


CHECKS: "Checks" = (
    names,
    partitions,
    flash,
    execute_in_place,
    unique_id,
    randomness,
    keypad,
    lcd,
    battery,
    clock,
    uarts,
    buzzer,
    filesystem,
    soft_reset,
    watchdog,
)
AFTER = {"soft_reset": after_soft_reset, "watchdog": after_watchdog}


def say(answer: "dict[str, object]") -> None:
    """One answer on the console."""
    board.console.write(b"= " + json.dumps(answer).encode() + b"\r\n")


def judge(check: "Callable[[], str | None]") -> tuple[str, str | None]:
    """(result, how it goes on): "ok" or what is wrong; None, "reset" or "bite"."""
    try:
        return "ok", check()
    except Exception as fault:
        return type(fault).__name__ + ": " + str(fault), None


def obey(words: list[str]) -> None:
    """Carry out one command."""
    if words[0] == "checks":
        uid = hexlify(board.unique_id()).decode()
        names_of = [check.__name__ for check in CHECKS]
        say({"checks": names_of, "uid": uid, "cause": board.reset_cause(), "done": "checks"})
    elif words[0] == "check":
        check = {check.__name__: check for check in CHECKS}[words[1]]
        result, then = judge(check)
        if then is None:
            say({"result": result, "done": "check"})
            return
        say({"then": "reset", "done": "check"})
        time.sleep_ms(100)
        if then == "reset":
            board.reset()
        while True:  # the watchdog's turn
            pass
    elif words[0] == "after":
        say({"result": judge(AFTER[words[1]])[0], "done": "after"})
    elif words[0] == "erase":
        # This code runs in place, so only the mark at the head of the image goes.
        board.flash.program(0, bytes(4))
        say({"done": "erase"})
        time.sleep_ms(100)
        board.reset()


def main() -> None:
    """Read lines from the console and obey, for ever."""
    typed = bytearray()
    while True:
        for byte in board.console.read(64):
            if byte not in b"\r\n":
                typed.append(byte)
            elif typed:
                words = bytes(typed).decode().split()
                typed = bytearray()
                try:
                    obey(words)
                except (IndexError, KeyError):
                    say({"error": "no such check"})
        time.sleep_ms(2)


main()
