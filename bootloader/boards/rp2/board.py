"""The board object of the RP2350 terminal (docs/architecture.md, "The board object").

Wiring, interpreter and first power-on: docs/boards.md. On an RP2040 the same file works with the
two register addresses that `_RP2040` chooses (RP2040 and RP2350 datasheets: ROSC, watchdog).

What it does as the simulator's board (battery, charger, buzzer, `data_vfs`) stands in both on
purpose: a board file is the whole of a board, and what two shared would stay in memory beside the
release.
"""

import os
import time
from gc import mem_free as heap_free  # noqa: F401  what a release may tell of

import machine
import norflash

from bootloader.shared.compat import const
from bootloader.shared.console import StdioConsole
from bootloader.shared.display import SpiDisplay
from bootloader.shared.partitions import table

HARDWARE_CLASS = "duka-r1"
HARDWARE_REVISION = 2
BOOTLOADER_VERSION = 1

_ROW_PINS = (6, 7, 8, 9)
_COLUMN_PINS = (10, 11, 12, 13)
_UARTS = {"modem": (0, 0, 1), "printer": (1, 4, 5)}  # number, TX, RX
_FIFO_BYTES = const(1024)
_DIVIDER = const(2)
_REFERENCE_MV = const(3300)

# 3 MiB of a 4 MiB chip: the first belongs to the interpreter. Slots and data are smaller than in
# the map of the reference board; everything above works with the table it is given.
_LAYOUT = {
    "boot": (0x000000, 0x040000),
    "control": (0x040000, 0x002000),
    "identity": (0x042000, 0x002000),
    "journal": (0x050000, 0x080000),
    "slot_a": (0x0D0000, 0x080000),
    "slot_b": (0x150000, 0x080000),
    "download": (0x1D0000, 0x080000),
    "data": (0x250000, 0x0B0000),
}

_RP2040 = "RP2040" in os.uname()[4]
_WATCHDOG_SCRATCH0 = (0x40058000 if _RP2040 else 0x400D8000) + 0x0C
_ROSC_RANDOMBIT = 0x4006001C if _RP2040 else 0x400E8020
_SOFT = const(0x44554B41)

flash = norflash.Flash()
partitions = table(flash, _LAYOUT)
del table  # the release brings its own: what is held here would stay in memory beside it
unique_id = machine.unique_id
random = os.urandom
rtc = machine.RTC()
modem_power_key = machine.Pin(15, machine.Pin.OUT, value=1)
# open drain: a row that is not scanned lets go, so two keys of one column never short two outputs
keypad_rows = [machine.Pin(pin, machine.Pin.OPEN_DRAIN, value=1) for pin in _ROW_PINS]
keypad_columns = [machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP) for pin in _COLUMN_PINS]
_charger = machine.Pin(19, machine.Pin.IN)
_battery = machine.ADC(machine.Pin(26))

# `machine.reset()` is done by the watchdog on this chip and reported as its bite; the scratch
# register survives that, and neither power-off nor the reset pin.
_asked_for = machine.mem32[_WATCHDOG_SCRATCH0] == _SOFT
machine.mem32[_WATCHDOG_SCRATCH0] = 0


def noise(n: int) -> bytes:
    """`n` raw bytes of the ring oscillator, a bit at a time, far enough apart to differ."""
    out = bytearray(n)
    for at in range(n):
        byte = 0
        for _ in range(8):
            byte = byte << 1 | machine.mem32[_ROSC_RANDOMBIT] & 1
        out[at] = byte
    return bytes(out)


def reset_cause() -> str:
    """One of "power-on", "brownout", "watchdog" or "soft"."""
    if machine.reset_cause() != machine.WDT_RESET:
        return "power-on"  # the chip does not tell a brown-out from it
    return "soft" if _asked_for else "watchdog"


def reset() -> None:
    """Start again; told as "soft". Does not return."""
    machine.mem32[_WATCHDOG_SCRATCH0] = _SOFT
    machine.reset()


def watchdog(timeout_ms: int) -> machine.WDT:
    """Start it; nothing stops it again."""
    return machine.WDT(timeout=timeout_ms)  # at most 8388 ms


def uart(name: str, baud: int) -> machine.UART:
    """The serial port of "modem" or "printer"; reading never waits."""
    number, tx, rx = _UARTS[name]
    return machine.UART(
        number,
        baudrate=baud,
        tx=machine.Pin(tx),
        rx=machine.Pin(rx),
        rxbuf=_FIFO_BYTES,
        timeout=0,
    )


def battery_mv() -> int:
    """The battery's voltage."""
    return _battery.read_u16() * _REFERENCE_MV * _DIVIDER // 65535


def charging() -> bool:
    """Whether the charger feeds the battery."""
    return _charger.value() == 1


def buzzer(freq_hz: int, ms: int) -> None:
    """Sound for `ms`; the caller waits."""
    pwm = machine.PWM(machine.Pin(20), freq=freq_hz, duty_u16=32768)
    time.sleep_ms(ms)
    pwm.deinit()


def data_vfs(may_format: bool = False) -> None:
    """Mount the `data` partition at /data; a blank one is formatted first.

    Raises OSError if it cannot be mounted; with `may_format` it is made anew instead. It holds
    stock and trust, so only a caller who knows that nothing is lost may say so.
    """
    from bootloader.shared.partitions import mount_data

    mount_data(partitions["data"], may_format)


lcd = SpiDisplay(
    machine.SPI(0, baudrate=8_000_000, sck=machine.Pin(2), mosi=machine.Pin(3)).write,
    data_command=machine.Pin(17, machine.Pin.OUT, value=0),
    select=machine.Pin(18, machine.Pin.OUT, value=1),
    reset=machine.Pin(16, machine.Pin.OUT, value=0),
)
console = StdioConsole()
