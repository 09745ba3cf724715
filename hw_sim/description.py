"""The board's schematic in numbers: which pin goes where, how large each memory is.

The board model reads it, and whoever writes the CPU's side of the board. It knows hardware, not the
product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024


@dataclass(frozen=True)
class BoardDescription:
    """One board as its schematic shows it. Pins are GPIO numbers."""

    name: str = "reference terminal, RP2350 class"

    flash_size_bytes: int = 4 * KIB * KIB
    heap_bytes: int = 256 * KIB
    """What a program may use. Twice the 128 KiB of the real part, as pointers here have 64 bits."""
    romfs_bytes: int = 256 * KIB
    """From flash address 0: where the start-up ROM looks for a ROMFS to mount and run."""
    watchdog_max_ms: int = 8388
    """The RP2 watchdog's counter has 24 bits at 2 counts per microsecond (RP2040 datasheet 4.7)."""

    keypad_row_pins: tuple[int, ...] = (6, 7, 8, 9)
    """Driven by the CPU; a pressed key joins its row to its column."""
    keypad_column_pins: tuple[int, ...] = (10, 11, 12, 13)
    """Read by the CPU, which turns its pull-ups on."""
    keypad_layout: tuple[str, ...] = ("123A", "456B", "789C", "*0#D")
    """One string a row, one character a column."""

    modem_uart: int = 0
    modem_baud: int = 115200
    modem_power_key_pin: int = 15
    """Pulled up in the modem; low for a second or more toggles its power."""

    printer_uart: int = 1
    printer_baud: int = 9600

    uart_fifo_bytes: int = 1024
    """Receive FIFO of each UART (hardware FIFO and the driver's ring together)."""

    lcd_spi: int = 0
    lcd_width_px: int = 128
    lcd_height_px: int = 64
    lcd_data_command_pin: int = 17
    """Low: a command byte; high: display data."""
    lcd_reset_pin: int = 16
    """Low resets the controller."""
    lcd_select_pin: int = 18
    """Chip select, low active."""

    battery_adc: int = 0
    battery_adc_pin: int = 26
    battery_divider: float = 2.0
    adc_reference_mv: int = 3300
    brownout_mv: int = 2900
    """Under this, with no charger, the supervisor holds the CPU in reset."""
    brownout_release_mv: int = 3000
    """At or over this it lets the CPU start again."""
    charger_detect_pin: int = 19
    """High while a charger feeds the board."""

    buzzer_pin: int = 20
    """PWM."""


REFERENCE: Final = BoardDescription()
