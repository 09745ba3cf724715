"""The wires to an SSD1306 on four-wire SPI, for boards' `lcd` objects; nothing else uses it."""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.board import Pin

    Bytes = bytes | bytearray | memoryview


class SpiDisplay:
    """`command(bytes)` and `data(bytes)` (Solomon Systech SSD1306 rev 1.1, section 8.1.3)."""

    def __init__(
        self, write: "Callable[[Bytes], object]", data_command: "Pin", select: "Pin", reset: "Pin"
    ) -> None:
        """`write(bytes)` clocks them out; the rest are output pins. Resets the controller."""
        self._write = write
        self._data_command = data_command
        self._select = select
        time.sleep_ms(1)  # `reset` comes low; the datasheet asks for 3 us
        reset.value(1)

    def _send(self, data_command: int, data: "Bytes") -> None:
        self._data_command.value(data_command)
        self._select.value(0)
        self._write(data)
        self._select.value(1)

    def command(self, data: bytes) -> None:
        """Bytes of the command set."""
        self._send(0, data)

    def data(self, data: "Bytes") -> None:
        """Bytes of the picture."""
        self._send(1, data)
