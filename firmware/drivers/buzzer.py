"""Short sounds that say how a thing went; for the screens and flows."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board


class Buzzer:
    """`board.buzzer` with three words; a board without a sounder stays silent."""

    def __init__(self, board: "Board") -> None:
        self._sound = board.buzzer

    def key(self) -> None:
        """A key was taken."""
        self._sound(2000, 15)

    def good(self) -> None:
        """Something the merchant waited for went well."""
        self._sound(2600, 120)

    def bad(self) -> None:
        """Something was refused or failed: look at the screen."""
        self._sound(400, 300)
