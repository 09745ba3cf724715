"""Trials, verdicts and what was done about them, in the database. Rows are only ever added, each
verdict and each kind of event once: two workers at once come to one book.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from updater_server.store.engine import new_id, one_at_a_time
from updater_server.store.tables import wave_event, wave_trial, wave_verdict
from updater_server.verdict.policy import Policy
from updater_server.verdict.records import Trial

HALTED, ENDED, CLOSED = "halted", "ended", "closed"
"""What may happen to a trial, each once: the brake's halt is in force; it is judged no more; a
person decided that its verdict no longer stands before the next channel.
"""
ONE_BOOK = "waves"


class Kept(NamedTuple):
    """A trial as it was kept when it began; times are Unix seconds."""

    id: int
    channel: str
    release: int
    wave: int
    began_s: int
    threshold: int
    within: int
    counting: int
    in_beta: int
    in_control: int

    @property
    def name(self) -> str:
        """For people."""
        return f"wave {self.wave} of release {self.release} on {self.channel}"


class Ruled(NamedTuple):
    """A verdict as it is kept: `content` is `Verdict.encode`."""

    number: int
    at_s: int
    ruling: str
    content: bytes


class Event(NamedTuple):
    """Something that was done about a trial; `verdict` is the number of the one it followed."""

    what: str
    at: int
    verdict: int | None
    by: str
    details: str


_KEPT = [getattr(wave_trial.c, name) for name in Kept._fields]
_RULED = [getattr(wave_verdict.c, name) for name in Ruled._fields]
_EVENT = [getattr(wave_event.c, name) for name in Event._fields]


def alone(connection: Connection) -> None:
    """Let nobody else write into the book until this transaction ends."""
    one_at_a_time(connection, ONE_BOOK)


def begin(
    connection: Connection, channel: str, trial: Trial, counting: int, policy: Policy
) -> Kept:
    """Keep a trial for ever; its population must be that of its arms."""
    arms = [trial.arm(one.id) for one in trial.population]
    kept = Kept(
        id=0,
        channel=channel,
        release=trial.release,
        wave=trial.wave,
        began_s=trial.began_s,
        threshold=trial.beta_below,
        within=trial.beta_within,
        counting=counting,
        in_beta=arms.count("beta"),
        in_control=arms.count("control"),
    )
    values = kept._asdict()
    del values["id"]
    frozen = zlib.compress(msgspec.json.encode(trial, order="sorted"), 9)
    text = msgspec.json.encode(policy, order="sorted").decode()
    made = connection.execute(insert(wave_trial).values(**values, frozen=frozen, policy=text))
    return kept._replace(id=new_id(made))


def newest(connection: Connection) -> dict[tuple[str, int], Kept]:
    """The newest trial of each release on each channel."""
    rows = connection.execute(select(*_KEPT).order_by(wave_trial.c.id))
    return {(kept.channel, kept.release): kept for kept in map(Kept._make, rows)}


def ended_at(
    connection: Connection, channel: str, release: int, salt: str, reach: tuple[int, int]
) -> tuple[int, int] | None:
    """How far the widest earlier wave of a release went that is narrower than `reach`, under the
    same salt; None if there was none.
    """
    of_it = (wave_trial.c.channel == channel, wave_trial.c.release == release)
    narrower = [
        kept
        for kept in map(Kept._make, connection.execute(select(*_KEPT).where(*of_it)))
        if (kept.threshold, kept.within) < reach and thaw(connection, kept.id)[0].salt == salt
    ]
    return max(((kept.threshold, kept.within) for kept in narrower), default=None)


def find(connection: Connection, trial_id: int) -> Kept | None:
    """The trial of this number."""
    row = connection.execute(select(*_KEPT).where(wave_trial.c.id == trial_id)).one_or_none()
    return None if row is None else Kept._make(row)


def thaw(connection: Connection, trial_id: int) -> tuple[Trial, Policy]:
    """A trial and its policy, as they were frozen."""
    asked = select(wave_trial.c.frozen, wave_trial.c.policy).where(wave_trial.c.id == trial_id)
    frozen, policy = connection.execute(asked).one()
    trial = msgspec.json.decode(zlib.decompress(frozen), type=Trial)
    return trial, Policy.parse(msgspec.json.decode(policy))


def verdicts(connection: Connection, trial_id: int) -> list[Ruled]:
    """All verdicts of a trial, the first one first."""
    asked = select(*_RULED).where(wave_verdict.c.trial_id == trial_id)
    rows = connection.execute(asked.order_by(wave_verdict.c.number))
    return [Ruled(number, at_s, ruling, bytes(content)) for number, at_s, ruling, content in rows]


def last(connection: Connection, trial_id: int) -> Ruled | None:
    """The newest verdict of a trial."""
    asked = select(*_RULED).where(wave_verdict.c.trial_id == trial_id)
    row = connection.execute(asked.order_by(wave_verdict.c.number.desc()).limit(1)).first()
    return None if row is None else Ruled(row[0], row[1], row[2], bytes(row[3]))


def rule(connection: Connection, trial_id: int, ruled: Ruled, now: int) -> bool:
    """Keep a verdict; False if one of its number is kept already. Inside `alone`."""
    before = last(connection, trial_id)
    if before is not None and before.number >= ruled.number:
        return False
    connection.execute(
        insert(wave_verdict).values(trial_id=trial_id, **ruled._asdict(), made_s=now)
    )
    return True


def events(connection: Connection, trial_id: int) -> dict[str, Event]:
    """What was done about a trial, by kind."""
    asked = select(*_EVENT).where(wave_event.c.trial_id == trial_id).order_by(wave_event.c.id)
    return {row[0]: Event._make(row) for row in connection.execute(asked)}


def note(connection: Connection, trial_id: int, event: Event) -> bool:
    """Keep what was done; False if that kind of event is kept already. Inside `alone`."""
    if event.what in events(connection, trial_id):
        return False
    details = event.details[:300]
    values = {**event._asdict(), "details": details, "trial_id": trial_id}
    connection.execute(insert(wave_event).values(**values))
    return True
