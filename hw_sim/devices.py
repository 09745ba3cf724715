"""What is soldered to the board besides the CPU, and which pin joins it to the chip.

The board makes one set; the requests of the CPU end here.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Final

from hw_sim.battery import Battery
from hw_sim.buzzer import Buzzer
from hw_sim.description import BoardDescription
from hw_sim.flash import NorFlash
from hw_sim.gpio import GpioBank
from hw_sim.keypad import Keypad
from hw_sim.lcd import Lcd
from hw_sim.pacing import Pace
from hw_sim.rtc import RealTimeClock
from hw_sim.serial_link import SerialLink
from hw_sim.uart import HasPowerKey, UartPeer

NOISE_LIMIT_BYTES: Final = 256


class NoiseSource:
    """The chip's noise source; `source` gives so many bytes, a test puts a broken one there."""

    def __init__(self) -> None:
        self.source: Callable[[int], bytes] = os.urandom
        self.bytes_taken = 0

    def take(self, count: int) -> bytes:
        """That many bytes. ValueError for more than the generator gives at a time, or none."""
        if not 1 <= count <= NOISE_LIMIT_BYTES:
            raise ValueError(f"the generator gives 1 to {NOISE_LIMIT_BYTES} bytes")
        self.bytes_taken += count
        return self.source(count)


class Devices:
    """The parts of one board, wired as `description` says.

    `chance` draws contact bounce and power-up noise.
    """

    def __init__(
        self,
        flash: NorFlash,
        description: BoardDescription,
        pace: Pace,
        chance: random.Random,
        bounce: bool,
        modem: UartPeer | None,
        printer: UartPeer | None,
    ) -> None:
        self.description = description
        self.flash = flash
        self.noise = NoiseSource()
        self.gpio = GpioBank()
        self.keypad = Keypad(
            self.gpio,
            row_pins=description.keypad_row_pins,
            column_pins=description.keypad_column_pins,
            layout=description.keypad_layout,
            rng=repeatable(chance.random()),
            clock=pace.now_s,
            bounce=bounce,
        )
        self.lcd = Lcd(repeatable(chance.random()))
        self.battery = Battery(
            divider=description.battery_divider, reference_mv=description.adc_reference_mv
        )
        self.buzzer = Buzzer(pace.now_s)
        self.rtc = RealTimeClock(pace.unix_s)
        self.modem = modem
        self.printer = printer
        wires = {
            description.modem_uart: (modem, None),  # the modem finds the rate itself
            description.printer_uart: (printer, description.printer_baud),
        }
        self.uarts = {
            number: SerialLink(
                peer,
                fifo_bytes=description.uart_fifo_bytes,
                line_baud=baud,
                rng=repeatable(chance.random()),
            )
            for number, (peer, baud) in wires.items()
        }
        self._tie_pins()

    def power_on(self) -> None:
        """Every device has its supply again."""
        self.rtc.power_on()
        self.lcd.power(True)
        for peer in self._peers():
            peer.on_power(True)

    def power_off(self) -> None:
        """Every device loses its supply."""
        for peer in self._peers():
            peer.on_power(False)
        self.lcd.power(False)
        self.flash.power_cycle()

    def reset_chip(self) -> None:
        """What is inside the CPU's chip is as after a reset; what is outside sees its lines go."""
        for uart in self.uarts.values():
            uart.reset()
        self.buzzer.drive(0, 0)
        self.gpio.reset()

    def uart(self, number: int) -> SerialLink:
        """The CPU's UART of that number. ValueError when there is none."""
        if number not in self.uarts:
            raise ValueError(f"no UART {number} on this board")
        return self.uarts[number]

    def write_spi(self, unit: int, data: bytes) -> None:
        """The CPU's SPI sends. The display listens only while selected and out of reset."""
        pins = self.description
        # undriven, both lines are pulled up
        if unit != pins.lcd_spi or self.gpio.driven(pins.lcd_select_pin) is not False:
            return
        if self.gpio.driven(pins.lcd_reset_pin) is False:
            return
        self.lcd.write(data, is_data=bool(self.gpio.driven(pins.lcd_data_command_pin)))

    def too_weak(self, limit_mv: int) -> bool:
        """Whether the supply is under `limit_mv`, with no charger that holds it up."""
        return self.battery.mv < limit_mv and not self.battery.charging

    def _peers(self) -> list[UartPeer]:
        return [uart.peer for uart in self.uarts.values() if uart.peer is not None]

    def _tie_pins(self) -> None:
        pins = self.description
        if isinstance(self.modem, HasPowerKey):
            key = self.modem
            self.gpio.tie_output(
                pins.modem_power_key_pin, lambda level: key.on_power_key(level is False)
            )
        self.gpio.tie_output(pins.lcd_reset_pin, self._lcd_reset_line)
        self.gpio.tie_input(pins.charger_detect_pin, lambda: self.battery.charging)

    def _lcd_reset_line(self, level: bool | None) -> None:
        if level is False:
            self.lcd.reset()


def repeatable(seed: float) -> random.Random:
    """A generator for physical noise, which must come again from the same seed; no secrets."""
    return random.Random(seed)  # noqa: S311
