"""Short sounds that say how a thing went; for the screens and flows."""


class Buzzer:
    """`board.buzzer` with three words; a board without a sounder stays silent."""

    def __init__(self, board):
        self._sound = board.buzzer

    def key(self):
        """A key was taken."""
        self._sound(2000, 15)

    def good(self):
        """Something the merchant waited for went well."""
        self._sound(2600, 120)

    def bad(self):
        """Something was refused or failed: look at the screen."""
        self._sound(400, 300)
