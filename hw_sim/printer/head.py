"""The print head and the paper under it: burns staged lines one after the other.

It knows lines, sensors and time; no command.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from hw_sim.pacing import Pace
from hw_sim.printer.line import DOTS_PER_MM, PaperLine

_VISIBLE_SHARE = 0.02
"""A line of which less was burnt when the power went cannot be seen."""


class Head:
    """Burns lines at `mm_per_s`; None burns in no time and needs no event loop.

    `paper` holds every line ever printed. `on_paper` is called with each line as it reaches the
    paper (a raster row's whole image so far), `on_free` when the head can burn the next.
    """

    def __init__(
        self,
        pace: Pace,
        *,
        mm_per_s: float | None,
        paper_mm: float,
        near_end_mm: float,
        on_paper: Callable[[PaperLine], None],
        on_free: Callable[[], None],
    ) -> None:
        self.paper: list[PaperLine] = []
        self.cover_open = False
        self.overheated = False
        self._pace = pace
        self._mm_per_s = mm_per_s
        self._near_end_dots = round(near_end_mm * DOTS_PER_MM)
        self._left_dots = round(paper_mm * DOTS_PER_MM)
        self._on_paper = on_paper
        self._on_free = on_free
        self._staged: deque[PaperLine] = deque()
        self._burning: PaperLine | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._burn_from_s = 0.0
        self._burn_s = 0.0

    # the roll and the sensors

    @property
    def left_mm(self) -> float:
        """What is left of the roll."""
        return self._left_dots / DOTS_PER_MM

    def set_left(self, mm: float) -> None:
        """So much is left of the roll that is in."""
        self._left_dots = round(mm * DOTS_PER_MM)

    def load(self, mm: float) -> None:
        """A new roll is in."""
        self.set_left(mm)
        if self.paper:
            self.paper.append(PaperLine("roll", 0))

    @property
    def paper_out(self) -> bool:
        """Whether the paper sensor sees no paper (or too little for the line that is to come)."""
        need = self._staged[0].dots if self._staged else 1
        return self._left_dots < max(1, need)

    @property
    def paper_near_end(self) -> bool:
        """Whether the roll is nearly used up."""
        return self._left_dots < self._near_end_dots

    @property
    def online(self) -> bool:
        """Whether nothing stops it from printing."""
        return not (self.cover_open or self.overheated or self.paper_out)

    # burning

    @property
    def burning(self) -> bool:
        """Whether a line is being burnt."""
        return self._burning is not None

    @property
    def busy(self) -> bool:
        """Whether a line is being burnt or waits to be."""
        return self.burning or bool(self._staged)

    def stage(self, line: PaperLine) -> None:
        """Let a line wait for its turn."""
        self._staged.append(line)

    def burn_next(self) -> bool:
        """Burn the next staged line; False when none waits."""
        if not self._staged:
            return False
        line = self._staged.popleft()
        self._left_dots -= line.dots
        if self._mm_per_s is None:
            self._put_on_paper(line)
            return True
        self._burning = line
        self._burn_s = line.dots / DOTS_PER_MM / self._mm_per_s
        self._burn_from_s = self._pace.now_s()
        self._timer = self._pace.call_later(self._burn_s, self._burnt)
        return True

    def stop(self) -> None:
        """The power went: what was burnt of the line stays, what was staged is forgotten."""
        line, self._burning = self._burning, None
        self._staged.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if line is None or self._burn_s <= 0:
            return
        share = min(1.0, (self._pace.now_s() - self._burn_from_s) / self._burn_s)
        self._left_dots += line.dots - round(line.dots * share)
        if line.kind != "cut" and share > _VISIBLE_SHARE:
            self._put_on_paper(replace(line, burnt=share))

    def _burnt(self) -> None:
        line, self._burning, self._timer = self._burning, None, None
        if line is not None:
            self._put_on_paper(line)
        self._on_free()

    def _put_on_paper(self, line: PaperLine) -> None:
        last = self.paper[-1] if self.paper else None
        if line.kind == "raster" and last is not None and last.image == line.image:
            last.rows.extend(line.rows)  # an image grows row by row
            last.dots += line.dots
            line = last
        else:
            self.paper.append(line)
        self._on_paper(line)
