"""The technician's log: the last lines, kept in memory and written to the console as they come.

Any firmware module may call `log`. A line says what happened, never a PIN, a key or a voucher.
"""

from bootloader.shared.compat import ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Console

LINES = 40
LINE_CHARS = 96

_kept: list[str] = []
_console: "Console | None" = None


def start(console: "Console") -> None:
    """Write lines to `console` (`.write(bytes)`) from now on."""
    global _console
    _console = console


def log(where: str, text: str) -> None:
    """Keep and write one line; longer text is cut, control characters become dots."""
    at = ticks_ms() // 100  # type: ignore[operator]  # the stubs' ticks are no int
    line = "{} {}: {}".format(at, where, text)[:LINE_CHARS]
    for char in "\r\n\x00\x1b":
        line = line.replace(char, ".")
    if len(_kept) >= LINES:
        _kept.pop(0)
    _kept.append(line)
    if _console:
        try:
            _console.write(line.encode() + b"\r\n")
        except OSError:
            pass


def lines() -> list[str]:
    """The lines kept, oldest first."""
    return list(_kept)
