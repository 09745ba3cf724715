"""What is played before the real server, and what must come of it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.live.fleet import CHANNEL, NEW, Failing, Fleet
from updater_server import channels
from updater_server.store import engine as database
from updater_server.store.engine import reading
from updater_server.verdict.ruling import Verdict
from updater_server.waves import book, replaying


class Hour(NamedTuple):
    """So far, at the end of an hour: terminals that installed and that restarted as a control;
    messages, and the bytes of their bodies, since the release was let out.
    """

    installed: int
    restarted: int
    messages: int
    size_bytes: int


@dataclass
class Outcome:
    """What came of a scenario; `broken` says what should not be."""

    name: str
    hours: int = 0
    rulings: list[str] = field(default_factory=list)
    reasons: str = ""
    switched: int = 0
    switched_after_halt: int = 0
    messages: int = 0
    course: list[Hour] = field(default_factory=list)
    waves: int = 1
    steps: list[int] = field(default_factory=list)
    """Of 10,000 terminals, by itself."""
    broken: list[str] = field(default_factory=list)

    def line(self) -> str:
        """For people."""
        last = self.rulings[-1] if self.rulings else "no verdict"
        state = "; ".join(self.broken) or "as it should be"
        waves = "" if not self.steps else f"waves of {self.steps} in 10,000, "
        return (
            f"{self.name}: {last} after {self.hours} h ({self.reasons or 'nothing against it'}), "
            f"{waves}{self.switched} switched, {self.switched_after_halt} after the halt, "
            f"{self.messages:,} messages: {state}"
        )


@dataclass(frozen=True)
class Scenario:
    """A release that is let out to `wave` terminals for at most `hours`; `wanted` are the rulings
    that may stand at the end. `by_itself`: people only sign it for each channel, the worker lets it
    out; it ends when all may have it, and the most do; `ends_everywhere` asks for that.
    """

    name: str
    failing: Failing
    wave: int
    hours: int
    wanted: tuple[str, ...]
    kills: int = 0
    by_itself: bool = False
    ends_everywhere: bool = False


def play(start: Fleet, folder: Path, scenario: Scenario) -> Outcome:
    """Play a scenario on a copy of `start`, and judge it by the plan, the log and the books."""
    fleet = start.copy_to(folder)
    outcome = Outcome(scenario.name)
    chance = random.Random(f"kills {fleet.seed}")
    killed = set(chance.sample(range(1, 12), scenario.kills))
    windows_before = _kept(fleet)
    fleet.run()
    try:
        if scenario.by_itself:
            fleet.sign_from_channel_to_channel(scenario.wave)
        else:
            fleet.let_out(scenario.wave)
        plan = fleet.office()[0].published.rollout(CHANNEL)
        fleet.order("look")
        begun, begun_bytes = fleet.messages, fleet.size_bytes
        halted_s = 0
        for hour in range(scenario.hours):
            if hour in killed:
                _kill(fleet, chance)
            fleet.hour(hour, scenario.failing)
            outcome.hours = hour + 1
            installed = sum(one.switched_at_s > 0 for one in fleet.devices)
            restarted = sum(one.shams for one in fleet.devices)
            spent = fleet.messages - begun, fleet.size_bytes - begun_bytes
            outcome.course.append(Hour(installed, restarted, *spent))
            if NEW in fleet.shelf.plan["halted"]:
                halted_s = halted_s or fleet.clock.now()
                if fleet.clock.now() - halted_s >= 3 * 3600:
                    break
            elif scenario.by_itself:
                if _is_everybodys(fleet) and installed >= 0.9 * fleet.terminals:
                    break
            elif _last(fleet) == "pass" and "pass" in scenario.wanted:
                break
        outcome.messages = fleet.messages - begun
        _judge(fleet, scenario, outcome, plan, halted_s)
        kept, due = _kept(fleet) - windows_before, len(fleet.devices) * outcome.hours
        if kept != due:
            outcome.broken.append(f"{kept} windows are kept where {due} were told")
    finally:
        fleet.close()
    return outcome


def _kill(fleet: Fleet, chance: random.Random) -> None:
    """End server or worker as it stands, the worker perhaps in the middle of a look."""
    if chance.random() < 0.5:
        fleet.serve()
    else:
        fleet.order("look", wait=False)
        fleet.work()


def _is_everybodys(fleet: Fleet) -> bool:
    threshold: int = fleet.shelf.plan["releases"][str(NEW)][1]
    return threshold == channels.EVERYBODY


def _last(fleet: Fleet) -> str:
    engine = database.open_engine(fleet.data.place)
    with reading(engine) as connection:
        last = book.last(connection, 1)
    engine.dispose()
    return last.ruling if last else ""


def _kept(fleet: Fleet) -> int:
    told = fleet.told()
    rows = told.rows([one.id for one in fleet.devices], 0, fleet.clock.now() + 10**6)
    count = sum(row.kind == 0 for _, row in rows)
    told.close()
    return count


def _judge(
    fleet: Fleet, scenario: Scenario, outcome: Outcome, plan: channels.RolloutPlan, halted_s: int
) -> None:
    engine = database.open_engine(fleet.data.place)
    told = fleet.told()
    with reading(engine) as connection:
        trials = sorted(kept.id for kept in book.newest(connection).values())
        outcome.waves = trials[-1]
        ruled = book.verdicts(connection, outcome.waves)
    outcome.rulings = [one.ruling for one in ruled]
    if ruled:
        outcome.reasons = "; ".join(Verdict.decode(ruled[-1].content).reasons)[:160]
    switched = [one.switched_at_s for one in fleet.devices if one.switched_at_s]
    outcome.switched = len(switched)
    outcome.switched_after_halt = sum(at >= halted_s > 0 for at in switched)
    repository, _ = fleet.office()
    now = repository.published.rollout(CHANNEL)
    wrong = outcome.broken
    if not outcome.rulings or outcome.rulings[-1] not in scenario.wanted:
        wrong.append(f"the last ruling should be one of {scenario.wanted}")
    if (NEW in now.halted) != (bool(outcome.rulings) and outcome.rulings[-1] == "halt"):
        wrong.append("the plan does not do what the verdict says")
    if scenario.by_itself:
        wrong += _not_by_itself(repository, outcome)
    elif (now.releases, now.control) != (plan.releases, plan.control):
        wrong.append("the plan reaches another part of the fleet")
    if scenario.ends_everywhere and now.releases[str(NEW)].threshold != channels.EVERYBODY:
        wrong.append("it never came to everybody")
    if outcome.switched_after_halt:
        wrong.append("terminals switched after the halt was known")
    brakes = [line for line in repository.audit() if line.what == f"brake on {CHANNEL}"]
    hands = {str(line.details["role"]) for line in brakes}
    if len(brakes) != len(hands) or bool(brakes) != (NEW in now.halted):
        wrong.append(f"the log tells of {len(brakes)} brakes, of {sorted(hands)}")
    if brakes and brakes[0].details["verdict"] != len(ruled):
        wrong.append(f"the log names another verdict: {json.dumps(brakes[0].details)}")
    wrong += repository.verify(fleet.at)
    for trial in range(1, outcome.waves + 1):
        same, different = replaying.replay(engine, told, trial)
        if different:
            wrong.append(f"{len(different)} verdicts are other bytes when made again: {different}")
        if trial == outcome.waves and same != len(ruled):
            wrong.append("not every verdict was made again")
    told.close()
    engine.dispose()


def _not_by_itself(repository: channels.Repository, outcome: Outcome) -> list[str]:
    """What the log tells of hands in it, of a step without a reason, or of one after the halt."""
    wrong = []
    steps = []
    halted = False
    for line in repository.audit():
        if line.details.get("release") != NEW:
            continue
        halted = halted or line.what.startswith("brake on")
        if line.what.startswith("widen on"):
            steps.append(line)
            if halted:
                wrong.append("it went further after its halt")
        elif line.what.startswith(("roll out on", "resume on", "halt on")):
            wrong.append(f"a hand in it: {line.what}")
    here = [line for line in steps if line.what == f"widen on {CHANNEL}"]
    by = [str(line.details["by"]).partition(" ")[0] for line in here]
    if by != ["its", *["verdict"] * (len(by) - 1)]:
        wrong.append(f"steps without a verdict: {by}")
    outcome.steps = [int(line.details["threshold"]) for line in here]
    if {line.what for line in steps} != {f"widen on {name}" for name in channels.CHANNELS}:
        wrong.append("a channel was passed over")
    return wrong
