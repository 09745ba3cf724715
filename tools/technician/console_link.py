"""Talk to a running release on its console: one command a line, answers as `= ` and JSON.

For the technician's jobs. Interface: docs/formats/serial.md, "A running release".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import serial

from tools.errors import LinkError

Answer = dict[str, Any]
_READ_S = 0.1
_LINE_LIMIT_BYTES = 16384


class ConsoleLink:
    """The console on `port`.

    Raises:
        LinkError: the port cannot be opened, was pulled, or nothing answers in time.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        try:
            self._serial = serial.Serial(port, 115200, timeout=_READ_S)
        except (serial.SerialException, OSError, ValueError) as error:
            raise LinkError(f"{port}: {plain(error)}. Is the cable in?") from error
        self._pending = bytearray()

    def __enter__(self) -> ConsoleLink:
        return self

    def __exit__(self, *_: object) -> None:
        self._serial.close()

    def command(
        self,
        line: str,
        timeout_s: float = 10,
        on_line: Callable[[Answer], str | None] | None = None,
    ) -> Answer:
        """Send a command; return its last answer. `on_line` gets each answer before the last one;
        what it returns is typed.

        Raises:
            LinkError: nothing within `timeout_s` since the last line, or the terminal refused.
        """
        self._write(f"\r\n{line}\r\n")
        word = line.split()[0]
        while True:
            answer = self._answer(timeout_s)
            if "error" in answer and answer.get("of", word) == word:
                raise LinkError(f"{self.port}: the terminal refused: {answer['error']}")
            if answer.get("done") == word:
                return answer
            mine = on_line is not None and "done" not in answer and "error" not in answer
            reply = on_line(answer) if on_line and mine else None
            if reply is not None:
                self._write(reply + "\r\n")

    def word(self, word: str) -> None:
        """Type a word that has no answer, such as `recovery`."""
        self._write(f"\r\n{word}\r\n")

    def heard(self, seconds: float) -> bytes:
        """Whatever is said within `seconds`."""
        said = bytearray(self._pending)
        self._pending.clear()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            said += self._read()
            if said.endswith(b"\n") and (b'"done"' in said or b'"error"' in said):
                break
            if said.endswith(b">>> "):
                break
        return bytes(said)

    def _answer(self, timeout_s: float) -> Answer:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            line = self._line()
            if line is None or not line.startswith(b"= "):
                continue
            try:
                answer = json.loads(line[2:])
            except ValueError:
                continue  # a log line may have come into the middle: the next try asks again
            if isinstance(answer, dict):
                return answer
        raise LinkError(f"{self.port}: no answer. Is the terminal on and the cable in?")

    def _line(self) -> bytes | None:
        end = self._pending.find(b"\n")
        if end < 0:
            self._pending += self._read()
            if len(self._pending) > _LINE_LIMIT_BYTES:
                self._pending.clear()
            return None
        line = bytes(self._pending[:end]).strip()
        del self._pending[: end + 1]
        return line

    def _read(self) -> bytes:
        try:
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except (serial.SerialException, OSError, TypeError) as error:
            raise LinkError(f"{self.port}: the cable was pulled ({plain(error)})") from error

    def _write(self, text: str) -> None:
        try:
            self._serial.write(text.encode())
            self._serial.flush()
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{self.port}: the cable was pulled ({plain(error)})") from error


def plain(error: BaseException) -> str:
    """An error's own words on one line."""
    return " ".join(str(error).split()) or type(error).__name__
