"""Short sounds that say how a thing went; for the screens and flows."""

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board

_SILENT = const(0)
ALL = 2


class Buzzer:
    """`board.buzzer` with three words. `sound` is None where the board has no sounder.

    `level`: 0 silent, 1 without the click of the keys, `ALL`.
    """

    def __init__(self, board: "Board", level: int) -> None:
        """A `level` that is none of the three is `ALL`: a sound too many is noticed, one that is
        missing is not.
        """
        self.sound = getattr(board, "buzzer", None)
        self.level = level if _SILENT <= level < ALL else ALL
        if not self.sound:
            self.level = _SILENT

    def key(self) -> None:
        """A key was taken."""
        if self.level == ALL and self.sound:
            self.sound(2000, 15)

    def good(self) -> None:
        """Something the merchant waited for went well."""
        if self.level and self.sound:
            self.sound(2600, 120)

    def bad(self) -> None:
        """Something was refused or failed: look at the screen."""
        if self.level and self.sound:
            self.sound(400, 300)
