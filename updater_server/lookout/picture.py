"""What the board shows of the fleet, as it is kept between two looks. For `counting`, which makes
it, and the board, which reads it.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from sqlalchemy import Connection, delete, insert, select

from updater_server.store.tables import fleet_picture

STATES = ("installed", "trial", "under_way", "waiting", "came_back", "not_back", "silent")
"""In which of these each terminal is that may take a release: it runs it; runs it on trial; is to
get it; has told what its update waits for; came back from it; started it and was not heard since;
was not heard for long. They sum to all who may.
"""
Kept = TypeVar("Kept", bound="Named")


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is kept under its class's name."""


class OnChannel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest release of a channel, and how far it has come among the terminals there."""

    release: int
    terminals: int
    """Of the channel, whether or not they may take it yet."""
    states: dict[str, int]
    wave: int
    waves: int


class Fleet(Named, frozen=True):
    """`counting.count`. Times are Unix s."""

    terminals: int
    running: dict[str, int]
    """By release; "" for those that told of none."""
    channels: dict[str, OnChannel]
    hours: list[int]
    """The ends of the hours of `adoption`, oldest first."""
    adoption: dict[str, list[int]]
    """By release: how many ran it at each of `hours`."""
    cpu_ms: int
    """What this took."""


class Books(Named, frozen=True):
    """`books.look`: whether the money adds up. `since`: from when on it was checked (Unix s)."""

    problems: list[str]
    since: int | None


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a robot's last round: the link that broke and why, "" if none did; the slip that
    it would have printed.
    """

    name: str
    link: str
    why: str
    took_ms: int
    at: int
    slip: str = ""


class Probes(Named, frozen=True):
    """`robots.worker`: every robot's last round."""

    robots: list[Probe]


def keep(connection: Connection, what: Named, now: int) -> None:
    """Put it in the place of what was seen before."""
    name = type(what).__name__.lower()
    content = msgspec.json.encode(what).decode()
    connection.execute(delete(fleet_picture).where(fleet_picture.c.name == name))
    connection.execute(insert(fleet_picture).values(name=name, at=now, content=content))


def kept(connection: Connection, kind: type[Kept]) -> tuple[Kept | None, int]:
    """(What was seen last, when); (None, 0) where nothing was, or by another version."""
    row = connection.execute(
        select(fleet_picture.c.at, fleet_picture.c.content).where(
            fleet_picture.c.name == kind.__name__.lower()
        )
    ).one_or_none()
    if row is None:
        return None, 0
    try:
        return msgspec.json.decode(row.content, type=kind), int(row.at)
    except msgspec.MsgspecError:
        return None, 0
