"""What everything above may expect of a board, as types: docs/architecture.md, "The board object".

Only the type check reads this file; no image carries it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, overload

    from bootloader.shared.partitions import Partition

    class Flash(Protocol):
        """NOR flash: `program` clears bits within one 256-byte page, `erase` sets 4096 bytes."""

        size_bytes: int

        def read_into(self, address: int, buf: bytearray | memoryview) -> None: ...
        def program(self, address: int, data: bytes | bytearray | memoryview) -> None: ...
        def erase(self, address: int) -> None: ...
        def mapped(self, address: int, size: int) -> memoryview: ...
        def lock(self, end_address: int) -> None: ...

    class Pin(Protocol):
        """A digital pin, as `machine.Pin`."""

        @overload
        def value(self) -> int: ...
        @overload
        def value(self, x: int, /) -> object: ...

    class Uart(Protocol):
        """A serial port that never blocks, as `machine.UART` with `timeout=0`."""

        def any(self) -> int: ...
        def read(self, n: int, /) -> bytes | None: ...
        def readinto(self, buf: bytearray | memoryview, /) -> int | None: ...
        def write(self, data: bytes | bytearray | memoryview, /) -> int | None: ...

    class Watchdog(Protocol):
        """Runs until the next reset; `feed` it in time."""

        def feed(self) -> None: ...

    class Console(Protocol):
        """The technician's serial port; `read` gives at most `n` bytes that are there now.

        Newer boot images also have `stream`, which `select.poll` can wait for.
        """

        def read(self, n: int, /) -> bytes: ...
        def write(self, data: bytes, /) -> object: ...

    class Lcd(Protocol):
        """An SSD1306: its command set, page addressing, 128 x 64."""

        def command(self, data: bytes, /) -> None: ...
        def data(self, data: bytes | bytearray | memoryview, /) -> None: ...

    class Rtc(Protocol):
        """A clock as `machine.RTC`: year, month, day, weekday, hour, minute, second, us."""

        def datetime(self, to: tuple[int, ...] | None = None, /) -> tuple[int, ...]: ...

    class Board(Protocol):
        """One board; a module in the boot image that each board's folder brings."""

        HARDWARE_CLASS: str
        HARDWARE_REVISION: int
        BOOTLOADER_VERSION: int
        flash: Flash
        partitions: dict[str, Partition]
        modem_power_key: Pin
        keypad_rows: Sequence[Pin]
        keypad_columns: Sequence[Pin]
        lcd: Lcd
        rtc: Rtc
        console: Console
        unique_id: Callable[[], bytes]
        random: Callable[[int], bytes]
        noise: Callable[[int], bytes]

        def reset_cause(self) -> str: ...
        def reset(self) -> None: ...
        def watchdog(self, timeout_ms: int, /) -> Watchdog: ...
        def uart(self, name: str, baud: int, /) -> Uart: ...
        def battery_mv(self) -> int: ...
        def charging(self) -> bool: ...
        def buzzer(self, freq_hz: int, ms: int, /) -> None: ...
        def data_vfs(self, may_format: bool = False) -> None: ...
