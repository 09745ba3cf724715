"""A few lines of text on the LCD, for when no release runs. The bootloader calls it.

SSD1306 command set, page addressing (Solomon Systech SSD1306 rev 1.1, section 10); 8x8 characters.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board

_START = (
    b"\xae\xd5\x80\xa8\x3f\xd3\x00\x40\x8d\x14\x20\x02"
    b"\xa1\xc8\xda\x12\x81\xcf\xd9\xf1\xdb\x40\xa4\xa6"
)
_ON = b"\xaf"


def wrap(text: str, columns: int = 16) -> list[str]:
    """`text` as lines of whole words; a word longer than a line is cut."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > columns:
            lines.append("")
        lines[-1] = (lines[-1] + " " + word if lines[-1] else word)[:columns]
    return lines


def show(board: "Board", text: str) -> None:
    """Fill the screen with `text`, 8 lines of 16 characters; what does not fit is not shown.

    A screen that fails must not keep a terminal from being mended: errors are swallowed.
    """
    try:
        import framebuf

        row = bytearray(128)
        frame = framebuf.FrameBuffer(row, 128, 8, framebuf.MONO_VLSB)
        board.lcd.command(_START)
        lines = wrap(text)
        for page in range(8):
            frame.fill(0)
            if page < len(lines):
                frame.text(lines[page], 0, 0, 1)
            board.lcd.command(bytes((0xB0 | page, 0x00, 0x10)))
            board.lcd.data(row)
        board.lcd.command(_ON)
    except (ImportError, OSError):
        pass
