"""What a hosted program's own modules raise, as MicroPython's do."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    1: "EPERM",
    2: "ENOENT",
    5: "EIO",
    9: "EBADF",
    11: "EAGAIN",
    12: "ENOMEM",
    13: "EACCES",
    17: "EEXIST",
    19: "ENODEV",
    21: "EISDIR",
    22: "EINVAL",
    95: "EOPNOTSUPP",
    98: "EADDRINUSE",
    103: "ECONNABORTED",
    104: "ECONNRESET",
    105: "ENOBUFS",
    107: "ENOTCONN",
    110: "ETIMEDOUT",
    111: "ECONNREFUSED",
    113: "EHOSTUNREACH",
    114: "EALREADY",
    115: "EINPROGRESS",
}
"""Those that MicroPython has names for."""


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
        """`[Errno 2] ENOENT`, or the bare number."""
        number: int = self.args[0]
        name = _NAMES.get(number)
        return f"[Errno {number}] {name}" if name else str(number)


DeviceError.__name__ = DeviceError.__qualname__ = "OSError"
