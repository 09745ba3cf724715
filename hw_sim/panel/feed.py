"""What a panel has to say, to as many browsers as look: newest values, and lines that are kept.

A browser that comes late, or comes again, is first told what is so now.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Any, Final

KEPT_LINES: Final = 500
"""Of each kind of lines of each terminal."""
_BEHIND_LIMIT: Final = 5_000

Message = dict[str, Any]


class Listener:
    """One browser's place in the feed."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.gone = False
        """Whether it fell too far behind, or the feed ended: it gets nothing more."""

    def put(self, message: Message | None) -> None:
        """Let `message` wait for it; None ends it."""
        if message is None or self._waiting.qsize() > _BEHIND_LIMIT:
            self.gone, message = True, None
        self._waiting.put(message)

    def take(self, timeout_s: float) -> Message | None:
        """The next message. None when none came in that time, or it is `gone`."""
        try:
            return self._waiting.get(timeout=timeout_s)
        except queue.Empty:
            return None


class Feed:
    """Messages are dictionaries that JSON can carry. Every call is safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, int, Any], Message] = {}
        self._lines: dict[tuple[str, int], deque[Message]] = {}
        self._listeners: set[Listener] = set()

    def value(self, kind: str, at: int, of: Any = None, **content: Any) -> None:
        """`kind` of terminal `at` (-1: of all) is so now; told when it changed.

        `of` tells several values of one kind apart.
        """
        message = {"kind": kind, "at": at, "of": of, **content}
        with self._lock:
            if self._values.get((kind, at, of)) != message:
                self._values[kind, at, of] = message
                self._tell(message)

    def line(self, kind: str, at: int, **content: Any) -> None:
        """Something happened; the last `KEPT_LINES` of a kind are told to who comes later."""
        message = {"kind": kind, "at": at, **content}
        with self._lock:
            self._lines.setdefault((kind, at), deque(maxlen=KEPT_LINES)).append(message)
            self._tell(message)

    def flash(self, kind: str, at: int, **content: Any) -> None:
        """Something that matters only now: nobody is told later."""
        with self._lock:
            self._tell({"kind": kind, "at": at, **content})

    def forget(self, kind: str, at: int) -> None:
        """Values and lines of that kind are no more."""
        with self._lock:
            self._lines.pop((kind, at), None)
            for key in [key for key in self._values if key[:2] == (kind, at)]:
                del self._values[key]
            self._tell({"kind": "forget", "at": at, "what": kind})

    def listen(self) -> Listener:
        """A place for one more browser; what is so now waits in it."""
        listener = Listener()
        with self._lock:
            listener.put({"kind": "hello", "at": -1})
            for message in self._values.values():
                listener.put(message)
            for lines in self._lines.values():
                for message in lines:
                    listener.put(message)
            self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """It looks no more."""
        with self._lock:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Nobody is told anything any more."""
        with self._lock:
            for listener in self._listeners:
                listener.put(None)
            self._listeners.clear()

    def _tell(self, message: Message) -> None:
        for listener in self._listeners:
            if not listener.gone:
                listener.put(message)
