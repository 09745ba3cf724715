"""Once a minute: waves that begin are frozen, those whose hour is over are judged, and what does
harm is halted; what does none goes further, where its people signed that it may. For the worker.

Each step is one transaction or one publication, and each looks at what is there: a worker that is
killed between two of them, or runs twice, does no more and no less than one. Halts come first.
"""

from __future__ import annotations

import logging

from sqlalchemy import Connection, select

from updater_server.channels import open_published, sheets
from updater_server.channels import verdicts as shown
from updater_server.channels.sheets import Sheet
from updater_server.fleet.alarms import TEXT_LIMIT, raise_alarm, settle
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.store.tables import alarm, terminal
from updater_server.telemetry.store import CONTACT, Row, Told
from updater_server.verdict.policy import Policy
from updater_server.verdict.records import Trial
from updater_server.verdict.redraw import Bits
from updater_server.verdict.ruling import Verdict, draw, judge
from updater_server.verdict.sheet import sheet
from updater_server.verdict.week import HOUR_S, tidy
from updater_server.waves import book, brake, further
from updater_server.waves.book import CLOSED, ENDED, HALTED, Event, Kept, Ruled
from updater_server.waves.evidence import Evidence
from updater_server.waves.freezing import freeze
from updater_server.waves.plans import OnTrial, on_trial

CONTACTS_EVERY_S = 600
FOUND, STUCK, PASSES, WAITS = "verdict_halt", "brake_failed", "verdict_pass", "widening_waits"
"""Alarms: a verdict halts a wave; what is to be halted could not be; a wave may be widened by a
person; or by itself, and could not be."""
_ASKED = 400
SHEETS = 5
"""Of so many releases a channel's newest sheet is kept."""
log = logging.getLogger("duka.waves")


class Open:
    """A trial under way, with what is worked out once."""

    def __init__(self, kept: Kept, trial: Trial, policy: Policy, told: Told) -> None:
        self.kept = kept
        self.trial = trial
        self.policy = policy
        self.evidence = Evidence(told, trial)
        self.sampled_s = 0
        self.sheet: Sheet | None = None
        self._drawn: Bits | None = None

    def judge(self, connection: Connection, at_s: int, before: Ruled | None) -> Verdict:
        """The verdict of what was known at `at_s`."""
        records = self.evidence.at(connection, at_s)
        week = tidy(self.trial, records, self.policy, at_s)
        if self._drawn is None and self.kept.in_beta and self.kept.in_control:
            self._drawn = draw(self.trial, self.policy)
        last = None if before is None else Verdict.decode(before.content)
        verdict = judge(self.trial, week, self.policy, last, self._drawn)
        self.sheet = sheet(self.kept.id, week, self.policy, verdict)
        return verdict


class Looker:
    """Looks after all waves of one server. Not safe for two threads; two processes are."""

    def __init__(self, service: Service, told: Told) -> None:
        self._service = service
        self._told = told
        self._open: dict[int, Open] = {}

    def look(self) -> None:
        """Once. What one wave's look raises is logged, and keeps nobody from the others.

        Raises:
            updater_server.channels.RepositoryError: the channels cannot be read.
        """
        self._load()
        self._act()
        self._begin_and_end()
        for one in list(self._open.values()):
            try:
                self._sample(one)
                self._judge(one)
            except Exception:  # the next look tries again
                log.exception("%s could not be judged", one.kept.name)
        self._act()
        self._tell_who_may_go_on(self._go_further())
        show(self._service)

    # --- waves that begin and end ---

    def _load(self) -> None:
        """What is under way by the book: another worker may have begun or ended it."""
        with reading(self._service.engine) as connection:
            under_way = {}
            for kept in book.newest(connection).values():
                if ENDED not in book.events(connection, kept.id):
                    under_way[kept.id] = kept
            for number in self._open.keys() - under_way.keys():
                del self._open[number]
            for number in under_way.keys() - self._open.keys():
                trial, policy = book.thaw(connection, number)
                self._open[number] = Open(under_way[number], trial, policy, self._told)

    def _begin_and_end(self) -> None:
        """The book is read before the plans: a halt that it tells of is in force by then, unless a
        person let the release go on.
        """
        service, now = self._service, self._service.now()
        with reading(service.engine) as connection:
            newest = book.newest(connection)
            events = {kept.id: book.events(connection, kept.id) for kept in newest.values()}
        published = open_published(service.folder.repository, strict=False)
        found, unreadable = on_trial(published)
        by_name = {(one.channel, one.release): one for one in found}
        for name, kept in newest.items():
            if ENDED in events[kept.id] or kept.channel in unreadable:
                continue
            why = _why_over(kept, by_name.get(name), HALTED in events[kept.id])
            if why:
                ended = events[kept.id][ENDED] = Event(ENDED, now, None, "the worker", why)
                with writing(service.engine) as connection:
                    book.alone(connection)
                    book.note(connection, kept.id, ended)
                self._open.pop(kept.id, None)
        for name, one in by_name.items():
            before = newest.get(name)
            if one.is_halted or (before and not _is_another(before, one, events[before.id])):
                continue
            self._begin(one)

    def _begin(self, found: OnTrial) -> None:
        """Freeze a wave, unless another worker did meanwhile."""
        now = self._service.now()
        with reading(self._service.engine) as connection:
            before = book.newest(connection).get((found.channel, found.release))
            wave = before.wave + 1 if before else 1
            name = found.channel, found.release
            after = book.ended_at(connection, *name, found.salt, found.reach)
            trial, counting, policy = freeze(connection, self._told, found, wave, now, after)
        with writing(self._service.engine) as connection:
            book.alone(connection)
            newest = book.newest(connection).get((found.channel, found.release))
            if newest is not None and newest.wave >= wave:
                return
            kept = book.begin(connection, found.channel, trial, counting, policy)
        log.info(
            "%s begins: %d of %d install, %d restart",
            *(kept.name, kept.in_beta, kept.counting, kept.in_control),
        )
        self._open[kept.id] = Open(kept, trial, policy, self._told)

    # --- verdicts ---

    def _sample(self, one: Open) -> None:
        """Note who was heard lately: any message counts, and the books keep the last only."""
        now = self._service.now()
        since = max(one.sampled_s, one.kept.began_s)
        if now - since < CONTACTS_EVERY_S:
            return
        rows: list[Row] = []
        ids = [each.id for each in one.trial.population]
        with reading(self._service.engine) as connection:
            for start in range(0, len(ids), _ASKED):
                part = ids[start : start + _ASKED]
                asked = select(terminal.c.id, terminal.c.last_seen_at)
                asked = asked.where(terminal.c.id.in_(part), terminal.c.last_seen_at >= since)
                rows += [Row(bytes(i), CONTACT, at) for i, at in connection.execute(asked)]
        if rows:
            self._told.take(f"contacts.{one.kept.id}.{now}", now, rows)
        one.sampled_s = now

    def _judge(self, one: Open) -> None:
        """All verdicts that are due, each from what was known at its hour."""
        engine, kept = self._service.engine, one.kept
        while True:
            now = self._service.now()
            with reading(engine) as connection:
                before = book.last(connection, kept.id)
            number = before.number + 1 if before else 1
            at_s = kept.began_s + number * HOUR_S
            is_halted = before is not None and before.ruling == "halt"
            if number > one.policy.horizon_hours or is_halted or at_s + shown.GRACE_S > now:
                return
            with reading(engine, still=True) as connection:
                verdict = one.judge(connection, at_s, before)
            ruled = Ruled(number, at_s, verdict.ruling, verdict.encode())
            with writing(engine) as connection:
                book.alone(connection)
                if book.rule(connection, kept.id, ruled, now) and verdict.ruling == "halt":
                    text = f"{kept.name}, verdict {number}: {'; '.join(verdict.reasons)}"
                    raise_alarm(connection, None, FOUND, text, now)
            log.info("%s, verdict %d: %s", kept.name, number, verdict.ruling)
            if one.sheet is not None:
                folder = self._service.folder.repository
                sheets.put(folder, kept.channel, kept.release, one.sheet, SHEETS)

    # --- the brake ---

    def _act(self) -> None:
        """Halt what the last verdict halts, once: who lets it go on again is a person."""
        service = self._service
        stuck: list[str] = []
        for one in list(self._open.values()):
            kept = one.kept
            with reading(service.engine) as connection:
                last = book.last(connection, kept.id)
                is_done = HALTED in book.events(connection, kept.id)
            if last is None or last.ruling != "halt" or is_done:
                continue
            because = further.by_verdict(kept, last)
            braked = brake.halt(service, kept.channel, kept.release, because)
            if not braked.is_halted:
                text = f"{kept.name} is to be halted, and the server cannot: {braked.why_not}"
                stuck.append(
                    text + f". Do it: release halt {kept.release} --channel {kept.channel}"
                )
                log.error("%s", stuck[-1])
                continue
            event = Event(HALTED, service.now(), last.number, braked.by, "")
            with writing(service.engine) as connection:
                book.alone(connection)
                book.note(connection, kept.id, event)
        self._tell(STUCK, stuck)

    def _go_further(self) -> set[tuple[str, int]]:
        """What may go further by itself does, and its next wave begins; what that is, by channel
        and release.
        """
        gone = further.go(self._service)
        for one in gone.steps:
            log.info("release %d goes further on %s: %s", one.release, one.channel, one.because)
        self._tell(WAITS, gone.stuck)
        if gone.steps:
            self._begin_and_end()
        return gone.by_itself

    def _tell_who_may_go_on(self, by_itself: set[tuple[str, int]]) -> None:
        """What passes and was not signed to widen by itself waits for people."""
        passing = []
        with reading(self._service.engine) as connection:
            for one in self._open.values():
                last = book.last(connection, one.kept.id)
                if (one.kept.channel, one.kept.release) in by_itself:
                    continue
                if last is not None and last.ruling == "pass":
                    passing.append(f"{one.kept.name} passes: it may go to more terminals")
        self._tell(PASSES, passing)

    def _tell(self, code: str, texts: list[str]) -> None:
        """Let just these alarms of a kind be open; nothing is written if they are."""
        is_open = select(alarm.c.text).where(alarm.c.code == code, alarm.c.closed_at.is_(None))
        texts = [text[:TEXT_LIMIT] for text in texts]
        with reading(self._service.engine) as connection:
            told = set(connection.scalars(is_open))
        if told == set(texts):
            return
        with writing(self._service.engine) as connection:
            settle(connection, [code], texts, self._service.now())
            for text in sorted(set(texts) - told):
                raise_alarm(connection, None, code, text, self._service.now())


def show(service: Service) -> None:
    """Let people who promote see how the newest waves stand, and what robots find broken."""
    standings: shown.Standings = {}
    with reading(service.engine) as connection:
        for kept in book.newest(connection).values():
            standing = standing_of(connection, kept)
            if standing is not None:
                standings.setdefault(kept.channel, {})[str(kept.release)] = standing
        red = select(alarm.c.text).where(alarm.c.code == "probe", alarm.c.closed_at.is_(None))
        probes = list(connection.scalars(red.order_by(alarm.c.id)))
    shown.write(service.folder.repository, standings)
    shown.write_probes(service.folder.repository, probes)


def standing_of(connection: Connection, kept: Kept) -> shown.Standing | None:
    """How a wave stands before the next channel; None: it asks for no verdict, as its plan names
    no control, and none halts it.
    """
    last = book.last(connection, kept.id)
    closed = book.events(connection, kept.id).get(CLOSED)
    by = closed.by if closed else ""
    if last is None:
        if not kept.in_control:
            return None
        why = ("no hour of it is over yet",)
        return shown.Standing(kept.wave, 0, "hold", why, kept.began_s, by)
    verdict = Verdict.decode(last.content)
    if not kept.in_control and verdict.ruling != "halt":
        return None
    return shown.Standing(kept.wave, last.number, verdict.ruling, verdict.reasons, last.at_s, by)


_WIDER, _GONE, _STOPPED = "it reaches another part of the fleet", "it is taken back", "it is halted"


def _why_over(kept: Kept, now: OnTrial | None, was_halted: bool) -> str:
    if now is None:
        return f"{_GONE}, or for everybody"
    if now.is_halted or was_halted:
        return _STOPPED
    return "" if now.reach == (kept.threshold, kept.within) else _WIDER


def _is_another(before: Kept, now: OnTrial, events: dict[str, Event]) -> bool:
    """Whether what is on trial now is not the wave before: it reaches further, or goes on again
    after a halt.
    """
    if now.reach != (before.threshold, before.within):
        return True
    return ENDED in events and events[ENDED].details == _STOPPED
