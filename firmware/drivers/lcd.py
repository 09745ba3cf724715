"""The 128x64 monochrome display (SSD1306 command set); for `firmware.ui.screen` only.

It keeps what the controller holds and sends only the pages (bands of eight rows) that differ.
Command bytes: Solomon Systech SSD1306 datasheet, section 9.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bootloader.shared.board import Lcd as Port

WIDTH = 128
HEIGHT = 64
PAGES = 8

_START = (
    b"\xae"  # off while it is set up
    b"\xd5\x80\xa8\x3f\xd3\x00\x40"  # clock, 64 rows, no offset, first line 0
    b"\x8d\x14"  # charge pump on
    b"\x20\x02"  # page addressing
    b"\xa1\xc8\xda\x12"  # upright: columns and rows mirrored, rows alternate
    b"\x81\xcf\xd9\xf1\xdb\x40"  # contrast, precharge, deselect level
    b"\xa4\xa6"  # show memory, lit is 1
)


class Lcd:
    """Shows 1024-byte pictures: page after page, a byte a column, bit 0 on top."""

    def __init__(self, port: "Port") -> None:
        """`port` is `board.lcd`: `.command(bytes)` and `.data(bytes)`."""
        self._port = port
        self._held = bytearray(WIDTH * PAGES)
        port.command(_START)
        self._send(range(PAGES))
        port.command(b"\xaf")

    def show(self, picture: bytearray) -> int:
        """Make the glass equal `picture`; returns how many pages had to be sent."""
        held = memoryview(self._held)
        new = memoryview(picture)
        changed = []
        for page in range(PAGES):
            at = page * WIDTH
            if held[at : at + WIDTH] != new[at : at + WIDTH]:
                held[at : at + WIDTH] = new[at : at + WIDTH]
                changed.append(page)
        self._send(changed)
        return len(changed)

    def _send(self, pages: "Iterable[int]") -> None:
        held = memoryview(self._held)
        for page in pages:
            self._port.command(bytes((0xB0 | page, 0x00, 0x10)))
            self._port.data(held[page * WIDTH : (page + 1) * WIDTH])
