"""What the board shows, read in one go: what the worker saw last, the alarms that are open, and the
pipeline. It counts nothing of the fleet itself. For `board`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from updater_server.channels import (
    CHANNELS,
    RepositoryError,
    flags,
    history,
    pipeline,
    sheets,
    verdicts,
)
from updater_server.channels.history import History, Step
from updater_server.channels.pipeline import Counted, Passage
from updater_server.channels.sheets import Line, Sheets
from updater_server.channels.verdicts import Standing, Standings
from updater_server.fleet import alarms, canaries
from updater_server.fleet.alarms import Kind
from updater_server.fleet.canaries import Canary
from updater_server.lookout import picture
from updater_server.lookout.picture import Books, Fleet, OnChannel, Probes
from updater_server.service import Service
from updater_server.store.engine import reading

ALARMS = 7
"""Shown by name."""
ACTS = 5
METRICS = 4
_DAY_S = 86_400


@dataclass(frozen=True)
class Lane:
    """One channel; what is None is not so yet."""

    channel: str
    passage: Passage | None
    counts: OnChannel | None
    state: str
    reach: str
    """How far it is let out, in words."""
    verdict: Standing | None
    """The newest verdict on it; None: it is not on trial there."""
    weight_bytes: int
    """Of the smallest payload of it; 0: nothing is listed."""


@dataclass(frozen=True)
class Metric:
    """One guard of the newest verdict on a channel's release."""

    channel: str
    release: int
    at_s: int
    line: Line


@dataclass(frozen=True)
class Shown:
    """One look. Times are Unix s."""

    now: int
    lanes: list[Lane]
    fleet: Fleet | None
    fleet_at: int
    books: Books | None
    books_at: int
    probes: Probes | None
    """What the robots came back with; None: there are none."""
    probes_at: int
    canaries: list[Canary]
    """The newest of each queue; none where the worker's job never ran."""
    kinds: list[Kind]
    alarms: list[dict[str, Any]]
    metrics: list[Metric]
    """Of all that is judged, where beta is furthest above control; the worst first."""
    counted: Counted
    marks: list[Step]
    """Halts and promotions in the time of the adoption, oldest first."""
    acts: list[Step]
    """What people did last, newest first."""
    flags: list[str]
    """Those that are on, and where."""
    forgotten: list[str]
    """Flags that nobody turned for 60 days."""
    trouble: str
    """What is wrong with the channels or their log; "" if nothing is."""


def look(service: Service, found: History) -> Shown:
    """The board's worth, now; `found` is followed here."""
    now = service.now()
    trouble = ""
    try:
        found.follow()
        trouble = "; ".join(found.doubts[:1])
    except RepositoryError as error:
        trouble = str(error)
    with reading(service.engine) as connection:
        fleet, fleet_at = picture.kept(connection, Fleet)
        books, books_at = picture.kept(connection, Books)
        probes, probes_at = picture.kept(connection, Probes)
        flown = canaries.listing(connection)
        kinds = alarms.kinds(connection)
        raised = _worst(connection, kinds)
    passages = pipeline.passages(found)
    standings = verdicts.read(service.folder.repository)
    lanes = [_lane(found, passages, fleet, standings, channel) for channel in CHANNELS]
    since = fleet.hours[0] - 3600 if fleet else now
    acts = [step for step in found.steps if step.what != history.UNLISTED]
    return Shown(
        now=now,
        lanes=lanes,
        fleet=fleet,
        fleet_at=fleet_at,
        books=books,
        books_at=books_at,
        probes=probes,
        probes_at=probes_at,
        canaries=flown,
        kinds=kinds,
        alarms=raised,
        metrics=_metrics(lanes, sheets.read(service.folder.repository), now),
        counted=pipeline.counted(passages, now),
        marks=[step for step in found.steps if step.at >= since and _is_marked(step)],
        acts=acts[: -ACTS - 1 : -1],
        flags=[f"{name} {flags.in_words(found, name)}" for name in flags.names_on(found)],
        forgotten=flags.forgotten(found, now),
        trouble=trouble,
    )


def _worst(connection: Connection, kinds: list[Kind]) -> list[dict[str, Any]]:
    """The first `ALARMS` of the open ones, kind by kind: in a storm nobody sorts all of them."""
    found: list[dict[str, Any]] = []
    for kind in kinds:
        if len(found) >= ALARMS:
            break
        found += alarms.open_alarms(connection, ALARMS - len(found), code=kind.code)
    return found


def _metrics(lanes: list[Lane], found: Sheets, now: int) -> list[Metric]:
    """The `METRICS` worst, by score, of what failed in verdicts that are not a day old."""
    judged = []
    for lane in lanes:
        release = lane.passage.release if lane.passage else 0
        sheet = found.get(lane.channel, {}).get(str(release))
        if sheet is not None and now - sheet.at_s <= _DAY_S:
            judged += [
                Metric(lane.channel, release, sheet.at_s, line)
                for line in sheet.lines
                if line.in_beta
            ]
    return sorted(judged, key=lambda one: -one.line.score)[:METRICS]


def _is_marked(step: Step) -> bool:
    is_promotion = step.what == history.LISTED and step.channel != CHANNELS[0]
    return is_promotion or step.what == history.HALTED


def _lane(
    found: History,
    passages: list[Passage],
    fleet: Fleet | None,
    standings: Standings,
    channel: str,
) -> Lane:
    listed = set(found.listed(channel))
    mine = [p for p in passages if (p.entry.hardware.hardware_class, p.release) in listed]
    counts = fleet.channels.get(channel) if fleet else None
    if not mine:
        return Lane(channel, None, counts, "nothing listed", "", None, 0)
    passage = mine[0]
    plan = found.plan(channel)
    if counts is not None and counts.release != passage.release:
        counts = None  # the worker has not seen this one yet
    halted = passage.stopped
    state = f"halted on {halted.channel}" if halted and halted.channel != channel else ""
    verdict = standings.get(channel, {}).get(str(passage.release))
    weights = [found.weights.get(one.path, 0) for one in passage.entry.payloads]
    least = min((size for size in weights if size), default=0)
    reach = plan.in_words(passage.release)
    return Lane(channel, passage, counts, state, reach, verdict, least)
