"""What the merchant sees: status bar, title, lines, key hints; for `firmware.ui.dialogs`.

Rows from the top: status bar 0-8, title and up to four lines (or a big figure) 10-53, hints 55-63.
Row 54 is free: a marked last line stands apart from the hints.
Drawing is whole pictures; the display driver sends only what changed.
"""

from firmware.ui.canvas import WIDTH, Canvas, shorten, text_width, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.drivers.lcd import Lcd

    Hint = tuple[str, str]
    Line = str | tuple[str, str]

TOP = 10
PITCH = 9
LINES = 5
HINTS_TOP = 55
TITLE_PX = 112  # of a title, in bold, beside the arrows


class Screen:
    """One display. Every method shows its result at once.

    `mark`: words that stand on every page in place of the status bar, "" for none.
    """

    def __init__(self, lcd: "Lcd") -> None:
        self._lcd = lcd
        self._canvas = Canvas()
        self._state: tuple[int, str, int, int, str, str, int] | None = None
        self.mark = ""

    def status(
        self,
        signal: int,
        network: str,
        unsent: int,
        percent: int,
        beside: str = "",
        clock: str = "",
        unread: int = 0,
    ) -> None:
        """Draw the status bar: `signal` 0-31 or 99, `network` word, sales that the server lacks.

        `beside` the battery stands a sign of one letter; `clock` where there is room for it;
        `unread` messages.
        """
        state = (signal, network, unsent, percent, beside, clock, unread)
        if state != self._state:
            self._state = state
            self._bar()
            self._lcd.show(self._canvas.buffer)

    def _bar(self) -> None:
        canvas = self._canvas
        canvas.clear(0, 8)
        if self.mark:
            canvas.text((WIDTH - text_width(self.mark)) // 2, 0, self.mark)
            canvas.invert(0, 0, WIDTH, 8)
            return
        if self._state is None:
            return
        signal, network, unsent, percent, beside, clock, unread = self._state
        lit = 0 if signal > 31 else (signal + 7) // 8
        for bar in range(4):
            height = 1 + 2 * bar if bar < lit else 1
            canvas.fill(bar * 3, 7 - height, 2, height)
        left = canvas.text(15, 0, network) + 2
        x = WIDTH - 17
        canvas.fill(x, 0, 15, 7)
        canvas.invert(x + 1, 1, 13, 5)
        canvas.fill(x + 15, 2, 1, 3)
        canvas.fill(x + 2, 2, (percent * 11 + 50) // 100, 3)
        canvas.text(x - 6, 0, beside)
        x -= 9
        for sign, count in (("\x01", unsent), ("@", unread)):
            if count:
                text = sign + str(count)
                x -= text_width(text)
                canvas.text(x, 0, text)
                x -= 4
        x -= text_width(clock)
        if x >= left:
            canvas.text(x, 0, clock)

    def page(
        self,
        title: str,
        lines: "Sequence[Line]",
        hints: "Sequence[Hint]",
        big: str | None = None,
        marked: int | None = None,
        more: int = 0,
        bar: int = 0,
    ) -> None:
        """Show one page.

        `lines`: up to four strings under `title`, or two under a `big` figure; a line that is a
        pair is drawn with its second part at the right. `hints`: pairs (key, what it does).
        `marked`: index of the line shown reversed. `more`: 1 when lines follow, 2 before, 3 both.
        `bar`: how many thousandths of a wait are over, drawn above the hints; 0: no bar.
        A figure too wide for large letters is drawn smaller, then on two lines; it is never cut.
        """
        canvas = self._canvas
        canvas.clear(8)
        self._bar()
        canvas.fill(0, 8, WIDTH, 1)
        y = TOP
        if title:
            canvas.text(1, y, shorten(title, TITLE_PX, True), bold=True)
            y += PITCH
        if more & 2:
            canvas.text(115, TOP, "\x02")
        if more & 1:
            canvas.text(122, TOP, "\x03")
        if big:
            self._figure(y + 1, big)
            y += 18
        for n, line in enumerate(lines):
            if y + 8 > HINTS_TOP + 1:
                break
            if isinstance(line, tuple):
                right = WIDTH - 1 - text_width(line[1])
                canvas.text(1, y, shorten(line[0], right - 5))
                canvas.text(right, y, line[1])
            else:
                canvas.text(1, y, line)
            if n == marked:
                canvas.invert(0, y - 1, WIDTH, PITCH)
            y += PITCH
        if bar:
            canvas.fill(2, HINTS_TOP - 3, WIDTH - 4, 1)
            canvas.fill(2, HINTS_TOP - 6, (WIDTH - 4) * min(bar, 1000) // 1000, 3)
        self._hints(hints)
        self._lcd.show(canvas.buffer)

    def _figure(self, y: int, text: str) -> None:
        canvas = self._canvas
        width = text_width(text, True)
        if width <= WIDTH:
            canvas.text((WIDTH - width) // 2, y, text, big=True)
            return
        # the currency goes on a line of its own before an amount is broken
        at = 4 if text[3:4] == " " and text[:3].isalpha() else 0
        lines = [text]
        if text_width(text) > WIDTH - 2:
            lines = [text[:at], text[at:]] if at else wrap(text, WIDTH - 2)
        for n, line in enumerate(lines):
            width = text_width(line, False, True)
            bold = width <= WIDTH - 2
            x = (WIDTH - (width if bold else text_width(line))) // 2
            canvas.text(x, y + (PITCH * n if len(lines) > 1 else 4), line, bold=bold)

    def _hints(self, hints: "Sequence[Hint]") -> None:
        canvas = self._canvas
        widths = [text_width(key + " " + word) + 1 for key, word in hints]
        room = WIDTH - 4 - sum(widths)
        x = 2
        for n, (key, word) in enumerate(hints):
            if not key:  # no key but the seconds left, at the right
                x = WIDTH - 4 - text_width(word)
            after = canvas.text(x, HINTS_TOP + 1, key)
            canvas.text(after + 2, HINTS_TOP + 1, word)
            x += widths[n] + (room // (len(hints) - 1) if len(hints) > 1 else 0)
        if hints:
            canvas.invert(0, HINTS_TOP, WIDTH, 9)
