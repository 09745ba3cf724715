"""The board object of the emulated Cortex-M3 (docs/architecture.md, "The board object").

Frozen into the interpreter as `board`, with the bootloader; the C half is beside it, in `qemu/`.
Flash, console, modem, printer and watchdog are the chip's own. Pins, display, battery, clock and
randomness are behind UART 3, as requests of docs/formats/sim-bus.md: the emulated chip has none.
"""

import struct
import time
from gc import mem_free as heap_free  # noqa: F401  what a release may tell of

import machine
import norflash

from bootloader.shared.compat import const
from bootloader.shared.display import SpiDisplay
from bootloader.shared.partitions import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HARDWARE_CLASS = "duka-r1"
HARDWARE_REVISION = 1
BOOTLOADER_VERSION = 1

_UARTS = {"modem": 1, "printer": 2}
_ROW_PINS = (6, 7, 8, 9)
_COLUMN_PINS = (10, 11, 12, 13)
_DIVIDER = const(2)
_REFERENCE_MV = const(3300)
_ANSWER_MS = const(2000)
_ETIMEDOUT = const(110)

# CMSDK watchdog (Arm DDI 0479, section 4.4)
_WATCHDOG_LOAD = const(0x40008000)
_WATCHDOG_CONTROL = const(0x40008008)
_WATCHDOG_CLEAR = const(0x4000800C)
_WATCHDOG_LOCK = const(0x40008C00)
_WATCHDOG_KEY = const(0x1ACCE551)
_CLOCKS_PER_MS = const(25000)

_bus = machine.UART(3)
_request = bytearray(12)
_reply = bytearray(8)


def _fill(buf: bytearray) -> None:
    view = memoryview(buf)
    started = time.ticks_ms()
    got = 0
    while got < len(buf):
        n = _bus.readinto(view[got:])
        if n:
            got += n
        elif time.ticks_diff(time.ticks_ms(), started) > _ANSWER_MS:
            raise OSError(_ETIMEDOUT)
        else:
            machine.idle()


def _post(op: int, unit: int = 0, arg: int = 0, arg2: int = 0, payload: bytes = b"") -> None:
    struct.pack_into("<BBHII", _request, 0, op, unit, len(payload), arg, arg2)
    _bus.write(_request)
    if payload:
        _bus.write(payload)


def _ask(op: int, unit: int = 0, arg: int = 0, arg2: int = 0, payload: bytes = b"") -> "Any":
    # The value of the reply, or its payload if it has one.
    _post(op, unit, arg, arg2, payload)
    _fill(_reply)
    status, _, size, value = struct.unpack("<BBHI", _reply)
    data = bytearray(size)
    _fill(data)
    if status:
        raise ValueError(data.decode())
    return bytes(data) if size else value


_fill(_reply)  # the bus greets a CPU that starts

flash = norflash
partitions = table(flash)
del table  # the release brings its own: what is held here would stay in memory beside it
_causes = {1: "power-on", 3: "watchdog", 6: "brownout"}


class _Pin:
    """A pin as `machine.Pin`: mode 0 in, 1 out, 2 open drain; pull 1 is up."""

    def __init__(self, number: int, mode: int, pull: int = 0, level: int = 2) -> None:
        self._number = number
        _ask(0x10, number, mode | pull << 8 | level << 16)

    def value(self, level: int | None = None) -> int | None:
        """As `machine.Pin`: reads without a level, sets it with one."""
        if level is None:
            return int(_ask(0x12, self._number))
        _post(0x11, self._number, 1 if level else 0)
        return None


modem_power_key = _Pin(15, 1, 0, 1)
# open drain: a row that is not scanned lets go, so two keys of one column never short two outputs
keypad_rows = [_Pin(pin, 2, 0, 1) for pin in _ROW_PINS]
keypad_columns = [_Pin(pin, 0, 1) for pin in _COLUMN_PINS]
_charger = _Pin(19, 0)


def unique_id() -> bytes:
    """What tells this chip from every other."""
    who: bytes = _ask(0x04)
    return who


def random(n: int) -> bytes:
    """`n` bytes from the generator behind the bus."""
    drawn: bytes = _ask(0x58, 0, n)
    return drawn


noise = random


def reset_cause() -> str:
    """One of "power-on", "brownout", "watchdog" or "soft"."""
    return _causes.get(_ask(0x03), "soft")


def reset() -> None:
    """Start again; told as "soft". Does not return."""
    machine.reset()


class watchdog:
    """Called as `watchdog(timeout_ms)`; cannot be stopped. It warns when it runs out, and
    `chip.c` takes the warning for the bite."""

    def __init__(self, timeout_ms: int) -> None:
        machine.mem32[_WATCHDOG_LOCK] = _WATCHDOG_KEY
        machine.mem32[_WATCHDOG_LOAD] = timeout_ms * _CLOCKS_PER_MS
        machine.mem32[_WATCHDOG_CONTROL] = 3

    def feed(self) -> None:
        """Another `timeout_ms` from now."""
        machine.mem32[_WATCHDOG_CLEAR] = 1


def uart(name: str, baud: int) -> machine.UART:
    """The serial port of "modem" or "printer"; reading never waits."""
    return machine.UART(_UARTS[name], baud)


def battery_mv() -> int:
    """The battery's voltage."""
    return int(_ask(0x18)) * _REFERENCE_MV * _DIVIDER // 65535


def charging() -> bool:
    """Whether the charger feeds the battery."""
    return _charger.value() == 1


def buzzer(freq_hz: int, ms: int) -> None:
    """Sound for `ms`; the caller waits."""
    _ask(0x50, 20, freq_hz, 32768)
    time.sleep_ms(ms)
    _ask(0x50, 20)


def data_vfs(may_format: bool = False) -> None:
    """Mount the `data` partition at /data; a blank one is formatted first.

    Raises OSError if it cannot be mounted; with `may_format` it is made anew instead. It holds
    stock and trust, so only a caller who knows that nothing is lost may say so.
    """
    from bootloader.shared.partitions import mount_data

    mount_data(partitions["data"], may_format)


class _Rtc:
    def datetime(self, now: "tuple[int, ...] | None" = None) -> "tuple[int, ...] | None":
        """As `machine.RTC` gives and takes it."""
        if now is None:
            return struct.unpack("<HBBBBBB", _ask(0x48)) + (0,)
        _ask(0x49, payload=struct.pack("<HBBBBBBB", *now[:7], 0))
        return None


def _spi_write(data: bytes | bytearray | memoryview) -> None:
    _post(0x29, payload=data)


class _Console:
    """The technician's serial port: UART 0, which the interpreter's prompt would use as well."""

    def __init__(self) -> None:
        self._uart = machine.UART(0)

    def read(self, n: int) -> bytes:
        """At most `n` bytes that are there now; b"" if there are none."""
        return self._uart.read(n) or b""

    def write(self, data: bytes) -> None:
        """Send `data`."""
        self._uart.write(data)


_ask(0x28, 0, 8_000_000)
lcd = SpiDisplay(
    _spi_write,
    data_command=_Pin(17, 1, 0, 0),
    select=_Pin(18, 1, 0, 1),
    reset=_Pin(16, 1, 0, 0),
)
console = _Console()
rtc = _Rtc()
