"""The board object of the simulator (docs/architecture.md, "The board object").

The boot image carries it as `board`; the bootloader and, handed over by it, the firmware use it.
Pins: hw_sim/description.py.
"""

import time

import machine
import norflash

from bootloader.shared.compat import const
from bootloader.shared.console import StdioConsole
from bootloader.shared.display import SpiDisplay
from bootloader.shared.partitions import table

HARDWARE_CLASS = "duka-r1"
HARDWARE_REVISION = 1
BOOTLOADER_VERSION = 1

_ROW_PINS = (6, 7, 8, 9)
_COLUMN_PINS = (10, 11, 12, 13)
_UARTS = {"modem": 0, "printer": 1}
_DIVIDER = const(2)
_REFERENCE_MV = const(3300)

flash = norflash.Flash()
partitions = table(flash)
del table  # the release brings its own: what is held here would stay in memory beside it
unique_id = machine.unique_id
random = noise = machine.noise
rtc = machine.RTC()
modem_power_key = machine.Pin(15, machine.Pin.OUT, value=1)
# open drain: a row that is not scanned lets go, so two keys of one column never short two outputs
keypad_rows = [machine.Pin(pin, machine.Pin.OPEN_DRAIN, value=1) for pin in _ROW_PINS]
keypad_columns = [machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP) for pin in _COLUMN_PINS]
_charger = machine.Pin(19, machine.Pin.IN)
_battery = machine.ADC(0)
_causes = {
    machine.PWRON_RESET: "power-on",
    machine.WDT_RESET: "watchdog",
    machine.BROWNOUT_RESET: "brownout",
}


def reset_cause() -> str:
    """One of "power-on", "brownout", "watchdog" or "soft"."""
    return _causes.get(machine.reset_cause(), "soft")


def reset() -> None:
    """Start again; told as "soft". Does not return."""
    machine.reset()


def watchdog(timeout_ms: int) -> machine.WDT:
    """Start it; nothing stops it again."""
    return machine.WDT(timeout=timeout_ms)


def uart(name: str, baud: int) -> machine.UART:
    """The serial port of "modem" or "printer"; reading never waits."""
    return machine.UART(_UARTS[name], baudrate=baud, timeout=0)


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
    machine.SPI(0, baudrate=8_000_000).write,
    data_command=machine.Pin(17, machine.Pin.OUT, value=0),
    select=machine.Pin(18, machine.Pin.OUT, value=1),
    reset=machine.Pin(16, machine.Pin.OUT, value=0),
)
console = StdioConsole()
