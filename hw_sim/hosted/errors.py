"""What a hosted program's own modules raise, as MicroPython's do."""

from __future__ import annotations

import errno


class Gone(BaseException):
    """The supply of this CPU is gone, or it was reset. No program catches it for good: each request
    of its chip raises it again.
    """


class DeviceError(OSError):
    """An OSError with a number alone, whose text names it; the program knows it as OSError."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.errno = number

    def __str__(self) -> str:
        """`[Errno 2] ENOENT`."""
        number: int = self.args[0]
        return f"[Errno {number}] {errno.errorcode.get(number, '')}".rstrip()


DeviceError.__name__ = DeviceError.__qualname__ = "OSError"
