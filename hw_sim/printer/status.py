"""What the printer tells its host: the status bytes of DLE EOT, GS r and GS a."""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.printer.commands import NotDone
from hw_sim.printer.head import Head

_FIXED = 0x12
"""Bits that are set in every real-time status."""


class Status:
    """Reads the head's sensors. `send` takes each reply."""

    def __init__(self, head: Head, send: Callable[[bytes], None]) -> None:
        self._head = head
        self.reply = send
        self.reset()

    def reset(self) -> None:
        """As after power-on: nothing is told unasked."""
        self._by_itself = 0
        self._last = b""

    def answer(self, which: int) -> None:
        """DLE EOT: reply at once. Raises NotDone when there is no such status."""
        head = self._head
        bits = {
            1: 0x08 * (not head.online),
            2: 0x04 * head.cover_open | 0x20 * head.paper_out | 0x40 * head.overheated,
            3: 0x40 * head.overheated,
            4: 0x0C * head.paper_near_end | 0x60 * head.paper_out,
        }
        if which not in bits:
            raise NotDone(f"no real-time status {which}")
        self.reply(bytes((_FIXED | bits[which],)))

    @property
    def paper(self) -> bytes:
        """The paper sensor as GS r tells it."""
        return bytes((0x03 * self._head.paper_near_end | 0x0C * self._head.paper_out,))

    def tell_by_itself(self, what: int) -> None:
        """GS a: from now on tell each change unasked; 0 for silence."""
        self._by_itself = what
        self._last = b""
        self.may_have_changed()

    def may_have_changed(self) -> None:
        """Tell the host if it wants to know and something is different."""
        if not self._by_itself:
            return
        status = self._automatic()
        if status != self._last:
            self._last = status
            self.reply(status)

    def _automatic(self) -> bytes:
        head = self._head
        first = 0x10 | 0x08 * (not head.online) | 0x20 * head.cover_open
        return bytes((first, 0x40 * head.overheated)) + self.paper + b"\x00"
