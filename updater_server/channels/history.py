"""What became of each release on each channel, when, and by whom: read from the log and from the
signed lists that it tells of. For `pipeline`; nothing here is kept, it is worked out.

The log names each list that was staged by version and hash, and each publication by its versions.
So what was in force at any time is known: the lists are still on disk, and one that is not the one
that the log tells of is left out and said (`doubts`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Targets

from updater_server.channels.audit import AuditDamaged, AuditLine, AuditLog
from updater_server.channels.entry import EntryError, ReleaseEntry
from updater_server.channels.errors import RepositoryDamaged
from updater_server.channels.folder import Folder
from updater_server.channels.halts import Halts
from updater_server.channels.lists import entries_in, halts_in, plan_in
from updater_server.channels.metadata_file import digest, read
from updater_server.channels.policy import BRAKE_ROLES, CHANNELS, ROLLOUT_ROLES, channel_of
from updater_server.channels.published import Published
from updater_server.channels.rollout import RolloutError, RolloutPlan

LISTED, UNLISTED, LET_OUT, HALTED, RESUMED = "listed", "unlisted", "let out", "halted", "resumed"
_STAGES = ("publish", "create")
_ROLES = (*CHANNELS, *ROLLOUT_ROLES.values(), *BRAKE_ROLES.values())
"""A plan is of what is listed, and a halt of what is let out."""


@dataclass(frozen=True)
class Step:
    """Something that came into force. `at`: Unix s; `who` decided it (a person, or an account on a
    host); of what is let out `threshold` and `within` say how far.
    """

    at: int
    who: str
    channel: str
    what: str
    release: int
    line: int
    """Of the log: the publication."""
    threshold: int = 0
    within: int = 0


@dataclass(frozen=True)
class Turn:
    """A flag that was turned on, off or further on a channel. As `Step`."""

    at: int
    who: str
    channel: str
    why: str


@dataclass
class _InForce:
    """What the walk through the log has come to."""

    entries: dict[str, dict[tuple[str, int], ReleaseEntry]] = field(default_factory=dict)
    plans: dict[str, RolloutPlan] = field(default_factory=dict)
    halts: dict[str, Halts] = field(default_factory=dict)
    halted: dict[str, set[int]] = field(default_factory=dict)
    staged: dict[tuple[str, int], list[AuditLine]] = field(default_factory=dict)


class History:
    """Every step of every release of one repository folder; `follow` reads what came since. Safe to
    call from several threads.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = Folder(directory)
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._forget()

    def _forget(self) -> None:
        self._state = _InForce()
        self._last: AuditLine | None = None
        self.steps: list[Step] = []
        self.entries: dict[tuple[str, int], ReleaseEntry] = {}
        """What was ever listed, by hardware class and release, as it was listed first."""
        self.asked: dict[int, str] = {}
        """By release, the channel to which its commit asks to go."""
        self.turns: dict[str, Turn] = {}
        """By flag, when it was turned last."""
        self.weights: dict[str, int] = {}
        """Bytes of every target that was ever listed, by its path."""
        self.doubts: list[str] = []
        """What could not be read, or is not what the log tells of."""

    def follow(self) -> None:
        """Read what was published since; from the beginning, where the log is another.

        Raises:
            RepositoryDamaged: the log was changed.
        """
        with self._lock:
            seen = self._now()
            if seen == self._seen:
                return
            try:
                lines = list(AuditLog(self._folder.log).read())
            except AuditDamaged as error:
                raise RepositoryDamaged(f"audit log: {error}") from error
            known = self._last.number if self._last else 0
            is_another = self._last is not None and lines[known - 1 : known] != [self._last]
            if is_another or self.doubts or not lines:  # a copy may have been under way
                self._forget()
                known = 0
            # Whoever reads meanwhile goes on with what was.
            self.steps, self.entries = [*self.steps], {**self.entries}
            self.asked, self.turns = {**self.asked}, {**self.turns}
            state = self._state
            self._state = _InForce(
                {**state.entries},
                {**state.plans},
                {**state.halts},
                {**state.halted},
                {**state.staged},
            )
            for line in lines[known:]:
                self._take(line)
                self._last = line
            if not lines and self._folder.is_repository:
                self._read_without_log()
            self._seen = seen

    def _now(self) -> tuple[int, ...]:
        """What changes when something is published, or copied here."""
        found: list[int] = []
        for path in (self._folder.log, self._folder.path / "metadata"):
            try:
                status = path.stat()
                found += (status.st_mtime_ns, status.st_ino, status.st_size)
            except FileNotFoundError:
                found.append(0)
        return tuple(found)

    def _read_without_log(self) -> None:
        """What is in force, where somebody copied the channels and not their log."""
        self.doubts.append("audit.jsonl is not beside the channels: nobody can tell who did what")
        published = Published.read(self._folder, strict=False)
        for role in _ROLES:
            if role in published.damaged or role not in published.metadata:
                continue
            version = published.list_of(role).signed.version
            at = int(self._folder.metadata(role, version).stat().st_mtime)
            when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._take(AuditLine(0, when, "unknown", "publish", [], {role: version}, ""))

    def _take(self, line: AuditLine) -> None:
        if line.what in _STAGES:
            details: dict[str, Any] = line.details
            versions = details if line.what == "publish" else dict.fromkeys(details["roles"], 1)
            stopping: dict[str, list[AuditLine]] = {}
            for role in _ROLES:
                if role in versions:
                    told = self._publish(line, role, versions[role])
                    stopping[channel_of(role)] = [*stopping.get(channel_of(role), []), *told]
            for channel, told in stopping.items():
                self._stops(line, channel, told)
            return
        changed, at = line.details.get("role"), line.details.get("version")
        if isinstance(changed, str) and isinstance(at, int):
            if line.what == "withdraw":
                self._state.staged.pop((changed, at), None)
            else:
                of_list = self._state.staged.get((changed, at), [])
                self._state.staged[changed, at] = [*of_list, line]

    def _publish(self, line: AuditLine, role: str, version: int) -> list[AuditLine]:
        """Take one list in; what the log tells of how it came about."""
        told = self._state.staged.pop((role, version), [])
        metadata = self._read(role, version, told)
        if metadata is None:
            return told
        channel = channel_of(role)
        try:
            if role in CHANNELS:
                self._list(line, role, told, metadata.signed)
            elif role in BRAKE_ROLES.values():
                halts = halts_in(channel, metadata.signed)
                off_before = self._state.halts.get(channel, Halts()).off
                self._turn(line, told, channel, {*halts.off} ^ {*off_before})
                self._state.halts[channel] = halts
            else:
                self._plan(line, channel, told, plan_in(channel, metadata.signed))
        except (EntryError, RolloutError) as error:
            self.doubts.append(f"{role} {version}: {error}")
        return told

    def _read(self, role: str, version: int, told: list[AuditLine]) -> Metadata[Targets] | None:
        try:
            metadata = read(self._folder.metadata(role, version), Targets)
        except (RepositoryDamaged, OSError) as error:
            self.doubts.append(f"{role} {version}: {error}")
            return None
        wanted = {line.details.get("sha256") for line in told[-1:]} - {None}
        if wanted and wanted != {digest(metadata)}:
            self.doubts.append(f"{role} {version} is not the list that the log tells of")
            return None
        return metadata

    def _list(self, line: AuditLine, channel: str, told: list[AuditLine], signed: Targets) -> None:
        before = self._state.entries.get(channel, {})
        found = {(e.hardware.hardware_class, e.release): e for e in entries_in(signed)}
        self._state.entries[channel] = found
        lengths = {path: target.length for path, target in signed.targets.items()}
        self.weights = {**self.weights, **lengths}
        for key, entry in found.items():
            if key not in before:
                self.entries.setdefault(key, entry)
                self._step(line, told, channel, LISTED, entry.release)
                self._ask(told, entry.release)
        for _, release in before.keys() - found.keys():
            self._step(line, told, channel, UNLISTED, release)

    def _ask(self, told: list[AuditLine], release: int) -> None:
        for line in told:
            asked = line.details.get("asks")
            if line.details.get("release") == release and asked in CHANNELS:
                self.asked[release] = str(asked)

    def _plan(
        self, line: AuditLine, channel: str, told: list[AuditLine], plan: RolloutPlan
    ) -> None:
        before = self._state.plans.get(channel, RolloutPlan())
        self._state.plans[channel] = plan
        for name, wave in plan.releases.items():
            within = plan.within.get(name, 0)
            known = before.releases.get(name)
            reach = (wave.threshold, within)
            was = (known.threshold, before.within.get(name, 0)) if known else (0, 0)
            if reach != was:
                self._step(line, told, channel, LET_OUT, int(name), reach)
        names = plan.flags.keys() | before.flags.keys()
        turned = {name for name in names if plan.flags.get(name) != before.flags.get(name)}
        self._turn(line, told, channel, turned)

    def _turn(
        self, line: AuditLine, told: list[AuditLine], channel: str, names: Iterable[str]
    ) -> None:
        for name in names:
            about = [each for each in told if each.details.get("flag") == name]
            decided = (about or told or [line])[-1]
            why = str(decided.details.get("because") or "")
            self.turns[name] = Turn(time_of_line(line), decided.who, channel, why)

    def _stops(self, line: AuditLine, channel: str, told: list[AuditLine]) -> None:
        """What is halted now and was not, by plan or brake, and the other way round."""
        before = self._state.halted.get(channel, set())
        now = self._state.halted[channel] = set(self.plan(channel).halted)
        for release in sorted(now - before):
            self._step(line, told, channel, HALTED, release)
        listed = {release for _, release in self._state.entries.get(channel, {})}
        for release in sorted(before - now):
            if release in listed:  # else it only left the list, and its plan with it
                self._step(line, told, channel, RESUMED, release)

    def _step(
        self,
        line: AuditLine,
        told: list[AuditLine],
        channel: str,
        what: str,
        release: int,
        reach: tuple[int, int] = (0, 0),
    ) -> None:
        about = [each for each in told if each.details.get("release") == release]
        decided = (about or told or [line])[-1]
        who = str(decided.details.get("by") or decided.who)
        at = time_of_line(line)
        self.steps.append(Step(at, who, channel, what, release, line.number, *reach))

    def plan(self, channel: str) -> RolloutPlan:
        """The plan that was published last, with what the brake halts."""
        plan = self._state.plans.get(channel, RolloutPlan())
        halts = self._state.halts.get(channel, Halts())
        return halts.on(plan, self._state.entries.get(channel, {}).values())

    def listed(self, channel: str) -> dict[tuple[str, int], ReleaseEntry]:
        """What was listed last, by hardware class and release."""
        return self._state.entries.get(channel, {})

    def changes_waiting(self, role: str, version: int) -> list[AuditLine]:
        """The lines of the log that tell of a list that is not in force yet."""
        return self._state.staged.get((role, version), [])

    def let_out_by(self, release: int, channel: str, when: int) -> Step | None:
        """The step that let a release out on a channel, or let it out further, last before `when`
        (Unix s); None if there was none.
        """
        fitting = (
            step
            for step in reversed(self.steps)
            if (step.release, step.channel, step.what) == (release, channel, LET_OUT)
            and step.at <= when
        )
        return next(fitting, None)


def time_of_line(line: AuditLine) -> int:
    """When a line of the log was written, Unix s."""
    at = datetime.strptime(line.at, "%Y-%m-%dT%H:%M:%SZ")
    return int(at.replace(tzinfo=UTC).timestamp())
