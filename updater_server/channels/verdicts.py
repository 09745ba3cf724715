"""What the worker found of the releases on trial, and what robots found broken, for people who
promote: `verdicts.json` and `probes.json` in the folder. They are signed by nobody: they can only
hold a promotion back, which a person may end.

It goes stale when no worker runs; then what it said last stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from updater_server.atomic import write_atomically

EVERY_S, GRACE_S = 3600, 120
"""A verdict for each hour of a wave, so long after it: what was being written then is written."""
_NAME, _PROBES = "verdicts.json", "probes.json"


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest verdict on a release on one channel; `number` 0: there is none yet. `closed_by`
    is who decided that it no longer stands in the way.
    """

    wave: int
    number: int
    ruling: Literal["pass", "hold", "halt"]
    reasons: tuple[str, ...]
    at_s: int
    closed_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it stands before the next channel."""
        return self.ruling != "pass" and not self.closed_by


Standings = dict[str, dict[str, Standing]]
"""By channel, then by release number."""


def read(folder: Path) -> Standings:
    """What was written last; nothing if that cannot be read: then nothing was on trial."""
    try:
        return msgspec.json.decode((folder / _NAME).read_bytes(), type=Standings)
    except (OSError, msgspec.MsgspecError):
        return {}


def write(folder: Path, standings: Standings) -> bool:
    """Put it in the place of what was there; whether anything changed.

    Raises:
        OSError: the folder cannot be written.
    """
    if read(folder) == standings:
        return False
    write_atomically(folder / _NAME, msgspec.json.encode(standings, order="sorted") + b"\n")
    return True


def red_probes(folder: Path) -> list[str]:
    """What robots find broken, as it was written last; nothing if that cannot be read."""
    try:
        return msgspec.json.decode((folder / _PROBES).read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError):
        return []


def write_probes(folder: Path, red: Sequence[str]) -> bool:
    """As `write`, of what robots find broken. Raises OSError."""
    if red_probes(folder) == list(red):
        return False
    write_atomically(folder / _PROBES, msgspec.json.encode(list(red)) + b"\n")
    return True
