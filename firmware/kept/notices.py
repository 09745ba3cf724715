"""What the office told the merchant, a file each, kept until it was read; loaded by name.

A file's name is the notice's number and how far it was read, so that nothing has to be changed in a
file: a cut leaves one as it was or as it was to be. The number of the newest says what the office
need not tell again. Format: docs/formats/terminal-files.md, "/data/merchant.notices".
"""

import os

from bootloader.shared import cbor
from bootloader.shared.compat import const
from firmware.kept.files import put, remove
from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Place = tuple[int, int]

FOLDER = "/data/merchant.notices"
_MOST = const(16)
_UINT32 = const(0xFFFFFFFF)
_LETTERS = const(200)
_REFERENCE = const(48)
_AMOUNT = const(1_000_000_000_000)
_FLOAT = const(1_099_511_627_776)
_BYTES = const(1024)


def places(folder: str = FOLDER) -> "list[Place]":
    """(number, state) of each notice that is kept, the oldest first."""
    found = []
    try:
        for name in os.listdir(folder):
            number, _, state = name.partition("-")
            if number.isdigit() and state.isdigit():
                found.append((int(number), int(state)))
    except OSError:
        pass
    return sorted(found)


def standing(folder: str = FOLDER) -> tuple[int, int]:
    """(number of the newest, 0 if there is none; how many are unread)."""
    here = places(folder)
    return _standing(here)


def _standing(here: "list[Place]") -> tuple[int, int]:
    unread = len([state for _, state in here if not state])
    return (here[-1][0] if here else 0), unread


def read(place: "Place", folder: str = FOLDER) -> "list[Any] | None":
    """What a notice says: [number, text] or [number, amount, reference, float]; None if its file
    does not tell it any more.
    """
    try:
        with open(_path(place, folder), "rb") as file:
            said = cbor.loads(file.read(_BYTES))
        return said if _is_notice(said) else None
    except (OSError, ValueError):
        return None


def mark(place: "Place", folder: str = FOLDER) -> "Place":
    """A notice was read, or a slip of it is about to be printed; its place from now on.

    Raises:
        OSError: the disk does not take it; nothing changed.
    """
    number, state = place
    after = number, state + 1
    os.rename(_path(place, folder), _path(after, folder))
    return after


def take(told: "Any", folder: str = FOLDER) -> tuple[int, int, bool]:
    """Keep what is new of the notices of an answer; returns what `standing` does, and whether
    something of it is not here: it found no room, as all here is unread, or the disk took nothing,
    or it is none that this release knows. The office tells it again.
    """
    here = places(folder)
    items = told if isinstance(told, list) else ()
    try:
        for said in items:
            if not _is_notice(said) or (here and said[0] <= here[-1][0]):
                continue
            if len(here) >= _MOST and not _made_room(here, folder):
                break
            place = said[0], 0
            try:
                os.mkdir(folder)
            except OSError:
                pass  # it is there
            put(_path(place, folder), (cbor.dumps(said),))
            here.append(place)
    except OSError as error:
        log("memory", "a notice is not kept: " + str(error))
    newest, unread = _standing(here)
    left = [said for said in items if not _is_notice(said) or said[0] > newest]
    return newest, unread, bool(left)


def _made_room(here: "list[Place]", folder: str) -> bool:
    """The oldest that was read goes, but never the newest: its number is what the office knows."""
    for place in here[:-1]:
        if place[1]:
            remove(_path(place, folder))
            here.remove(place)
            return True
    return False


def _path(place: "Place", folder: str) -> str:
    return "{}/{}-{}".format(folder, *place)


def _is_notice(said: "Any") -> bool:
    if not isinstance(said, list) or len(said) not in (2, 4) or not _within(said[0], 1, _UINT32):
        return False
    if len(said) == 2:
        return isinstance(said[1], str) and 0 < len(said[1]) <= _LETTERS
    _, amount_minor, reference, float_minor = said
    return (
        _within(amount_minor, -_AMOUNT, _AMOUNT)
        and isinstance(reference, str)
        and 0 < len(reference) <= _REFERENCE
        and _within(float_minor, -_FLOAT, _FLOAT)
    )


def _within(value: "Any", low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
