"""The server's word, under its seal, of what is the newest timestamp: it spares the question, and
wakes who waits (docs/formats/messages.md). For `client`.
"""

import asyncio

from firmware.bell import wait_at_most

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Newest:
    """What was told last, and when. A word counts for `holds_s` seconds."""

    def __init__(self, time_s: "Callable[[], int]", holds_s: int) -> None:
        self._time_s = time_s
        self._holds_s = holds_s
        self.tag = ""
        self._told_s = 0
        self._news = asyncio.Event()

    def told(self, newest: bytes) -> None:
        """A sealed answer named the newest timestamp by its tag."""
        tag = newest.hex()
        if tag != self.tag:
            self._news.set()
        self.tag = tag
        self._told_s = self._time_s()

    def forget(self) -> None:
        """What was told before counts no more: the next word shows what is newest now."""
        self.tag = ""

    def has(self, tag: str) -> bool:
        """Whether the server said lately that this (a tag as HTTP has it) is the newest."""
        since_s = self._time_s() - self._told_s
        return self.tag != "" and tag[1:].startswith(self.tag) and 0 <= since_s < self._holds_s

    async def rest(self, ms: int) -> None:
        """Wait so long, or until the server has spoken of something new."""
        await wait_at_most(self._news.wait(), ms)
        self._news.clear()
