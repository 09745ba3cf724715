"""The technician's serial port where it is the interpreter's own console; board files use it."""

import select
import sys


class StdioConsole:
    """Standard input and output, which the interpreter's prompt would use as well.

    `stream`: what `select.poll` waits for, so that a task sleeps until somebody says something.
    """

    def __init__(self) -> None:
        self.stream = sys.stdin
        self._poll = select.poll()
        self._poll.register(self.stream, select.POLLIN)

    def read(self, n: int) -> bytes:
        """At most `n` bytes that are there now; b"" if there are none."""
        out = bytearray()
        while len(out) < n and self._poll.poll(0):
            byte = sys.stdin.buffer.read(1)
            if not byte:
                break
            out += byte
        return bytes(out)

    def write(self, data: bytes) -> None:
        """Send `data`."""
        sys.stdout.buffer.write(data)
