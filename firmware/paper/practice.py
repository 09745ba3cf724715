"""The mark of a slip that is worth nothing: large, above it and below it. Pure; for training."""

from firmware.drivers.printer import COLUMNS
from firmware.paper import letters, receipt

_LARGE = b"\x1b@\x1bt\x10\x1ba\x01\x1d!\x11\x1bE\x01"
_AS_USUAL = b"\x1b@\x1bt\x10"
_FEED = b"\x1bd\x04"
_COLUMNS = COLUMNS // 2
_LETTER = "X"


def marked(slip: bytes, text: str) -> bytes:
    """`slip` between two lots of `text`: neither half of it, torn off, goes without."""
    mark = _LARGE
    for line in receipt.wrap_columns(text, _COLUMNS):
        mark += letters.encode(line) + b"\n"
    if slip.endswith(_FEED):
        slip = slip[: -len(_FEED)]  # it is torn off behind the mark, not before it
    return mark + _AS_USUAL + slip + mark + _AS_USUAL + _FEED


def code(count: int) -> str:
    """Stands where a PIN or a token stands on a real slip, and is none that a telephone or a meter
    takes.
    """
    return _LETTER * count
