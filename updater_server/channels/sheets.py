"""What each newest verdict was made of, for people who look: `sheets.json` beside `verdicts.json`,
written by the worker and read by the board. Signed by nobody, and nothing is decided by it: a
verdict is replayed from the book.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from updater_server.atomic import write_atomically

_NAME = "sheets.json"


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one terminal of beta adds to a guard's score: what it counted, what was expected of it,
    and its weighted, bounded difference.
    """

    terminal: str
    region: int
    counted: int
    expected: float
    adds: float


class InRegion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One region's beta for one guard; 0 is the operator's own, others number its distributors."""

    region: int
    terminals: int
    counted: int
    expected: float


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One guard. `bound`: what its score must pass to halt the wave; null where nothing was spent.
    `most`: the terminals that add most, the first one most.
    """

    guard: str
    in_beta: int
    expected: float
    in_control: int
    score: float
    bound: float | None
    ratio: float | None
    lower: float | None
    upper: float | None
    lacks: str
    most: tuple[Share, ...]
    regions: tuple[InRegion, ...]


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One verdict. Times are Unix seconds."""

    trial: int
    wave: int
    number: int
    ruling: str
    reasons: tuple[str, ...]
    at_s: int
    hours: int
    in_beta: int
    in_control: int
    lines: tuple[Line, ...]
    set_aside: dict[str, int]


Sheets = dict[str, dict[str, Sheet]]
"""By channel, then by release number."""


def read(folder: Path) -> Sheets:
    """What was written last; nothing if that cannot be read."""
    try:
        return msgspec.json.decode((folder / _NAME).read_bytes(), type=Sheets)
    except (OSError, msgspec.MsgspecError):
        return {}


def put(folder: Path, channel: str, release: int, sheet: Sheet, kept: int) -> None:
    """Put it in the place of the release's last one; of each channel the newest `kept` stay.

    Raises:
        OSError: the folder cannot be written.
    """
    found = read(folder)
    there = {**found.get(channel, {}), str(release): sheet}
    newest = sorted(there, key=int)[-kept:]
    found[channel] = {name: there[name] for name in newest}
    write_atomically(folder / _NAME, msgspec.json.encode(found, order="sorted") + b"\n")
