"""The console as a hosted program has it: `sys.stdin`, `sys.stdout`, and its exceptions' texts."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any


class Output:
    """`sys.stdout`: text; its `buffer` takes bytes."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put
        self.buffer = _Raw(put)

    def write(self, text: Any) -> int:
        """Print text (or bytes, as there)."""
        raw = text.encode() if isinstance(text, str) else bytes(text)
        self._put(raw)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


class _Raw:
    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put

    def write(self, data: Any) -> int:
        self._put(bytes(data))
        return len(data)


class Input:
    """`sys.stdin`: what came in on the serial port is `held`; `take(n)` gives at most so many bytes
    of it.
    """

    def __init__(self, take: Callable[[int], bytes], held: bytearray) -> None:
        self.held = held
        self._take = take
        self.buffer = self

    def read(self, size: int = -1) -> bytes:
        """What there is, at most `size` bytes: a program asks only when it was told of some."""
        return self._take(size)


def print_line(
    output: Output, *values: Any, sep: str = " ", end: str = "\n", file: Any = None
) -> None:
    """The built-in `print`."""
    (file or output).write(sep.join(map(str, values)) + end)


def exception_text(error: BaseException) -> str:
    """As MicroPython prints it, without the frames that are not the program's."""
    lines = ["Traceback (most recent call last):\n"]
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if frame.f_globals.get("__loader__") is None:
            lines.append(f'  File "{code.co_filename}", line {line}, in {code.co_name}\n')
    name = type(error).__name__
    text = str(error)
    return "".join(lines) + (f"{name}: {text}\n" if text else f"{name}: \n")
