"""What a verdict promises, as questions: each returns what it found wrong, nothing if all is right.

The product is asked in `test_properties.py`, and so is each wrong variant, which must be found.
"""

from __future__ import annotations

import dataclasses
import random
from itertools import combinations

import numpy as np

from tests.verdict.making import NEW, Wave, policy, trial, wave
from updater_server.verdict import boundary, ruling
from updater_server.verdict.expectation import Numbers
from updater_server.verdict.records import Contact, Incident, Records, Window
from updater_server.verdict.ruling import Verdict, judge, replay
from updater_server.verdict.week import HOUR_S, Counts, Week, tidy

Findings = list[str]


def last(made: Wave, hours: int, **changes: object) -> Verdict:
    """The verdict of one hour, with no other before it."""
    rules = policy(**changes)
    return judge(made.trial, tidy(made.trial, made.records, rules, made.at(hours)), rules)


def _small_week(seed: int, terminals: int, beta: tuple[int, ...]) -> Week:
    """The same counts whoever is in beta: the release changes nothing."""
    chance = np.random.default_rng(seed)
    own = chance.lognormal(0, 1, terminals) * 0.2
    attempts = chance.poisson(3, (24, terminals))
    attempts[:, chance.random(terminals) < 0.1] = 0
    pre = chance.poisson(20, (7, terminals))
    hourly = np.minimum(own * chance.lognormal(0, 0.5, (24, 1)), 0.9)
    before = chance.binomial(pre, np.minimum(own, 0.9))
    made = (pre, before, attempts, chance.binomial(attempts, hourly))
    counts = Counts(*(part.astype(np.int32) for part in made))
    flags = np.zeros(terminals, bool)
    flags[list(beta)] = True
    nobody = np.zeros(terminals, bool)
    ids = tuple(bytes([number] * 8) for number in range(terminals))
    region = np.arange(terminals) % 2
    missing = chance.random(terminals) < 0.3
    return Week(24, ids, flags, region, ~nobody, missing, nobody, {"sale_failed": counts}, (), {})


def _columns(week: Week, looks: range) -> Numbers:
    """Residuals at each look, as the verdict makes them."""
    columns = []
    for hours in looks:
        counts = week.counts["sale_failed"]
        cut = Counts(
            counts.pre_attempts,
            counts.pre_failures,
            counts.attempts[:hours],
            counts.failures[:hours],
        )
        part = dataclasses.replace(week, hours=hours, counts={"sale_failed": cut})
        columns.append(ruling.counted(part, policy(), policy().guards[0])[1])
    return np.stack(columns, axis=1)


def exact_under_the_sharp_null(designs: int = 6) -> Findings:
    """Of all arms that could have been drawn, no more come to a halt than the error says; at one
    look they have all ranks, each once.
    """
    found = []
    for seed in range(designs):
        terminals, in_beta, error = 8, 3, 0.2
        all_arms = list(combinations(range(terminals), in_beta))
        halted, ranks = 0, []
        for real in all_arms:
            week = _small_week(seed, terminals, real)
            others = [arm for arm in all_arms if arm != real]
            drawn = np.zeros((len(all_arms), terminals), np.uint8)
            for row, arm in enumerate([real, *others]):
                drawn[row, list(arm)] = 1
            scores = boundary.scores(drawn, _columns(week, range(2, 25, 2)))
            outcome = boundary.outcome_scores(drawn, week.not_back)
            ranks.append(int((scores[:, -1] >= scores[0, -1]).sum()))
            alive = np.ones(len(all_arms), bool)
            for look, hours in enumerate(range(2, 25, 2)):
                extremes = np.maximum(scores[:, look], outcome)
                may_go = boundary.allowed(hours, len(all_arms) - 1, error, 24, 0.5)
                alive, _ = boundary.look(alive, extremes, may_go)
            halted += not alive[0]
        if halted > error * len(all_arms):
            found.append(f"design {seed}: {halted} of {len(all_arms)} arms halt")
        if len(set(ranks)) > len(all_arms) * 0.9 and sorted(set(ranks)) != sorted(ranks):
            found.append(f"design {seed}: ranks are not each once")
        if sorted(ranks)[-1] != len(all_arms) or abs(np.mean(ranks) - 28.5) > 1.5:
            found.append(f"design {seed}: ranks are not even, {np.mean(ranks):.1f} in the mean")
    return found


def deaf_to_order() -> Findings:
    """Records in any order give the same bytes."""
    made = wave(3, 12)
    before = last(made, 12).encode()
    chance = random.Random(5)
    for rows in (made.windows, made.restarts, made.contacts):
        chance.shuffle(rows)
    return [] if last(made, 12).encode() == before else ["another order, another verdict"]


def deaf_to_doubles() -> Findings:
    """What came twice counts once, and is counted as such."""
    made = wave(3, 12)
    before = last(made, 12)
    again = [one._replace(known_s=one.known_s + 300) for one in made.windows[::3]]
    made.windows.extend(again)
    made.restarts.extend(made.restarts[::2])
    after = last(made, 12)
    if after.findings != before.findings:
        return ["doubled windows change a finding"]
    told = after.set_aside.get("doubled", 0)
    due = sum(one.known_s <= made.at(12) for one in again)
    return [] if told == due else [f"{told} of {due} doubles told"]


def deaf_to_what_came_later() -> Findings:
    """A replay comes to the same bytes, whatever became known since."""
    made = wave(4, 14, effect=1.5)
    before = [one.encode() for one in replay(made.trial, made.records, policy(), made.at(10))]
    for one in [one for one in made.windows if one.start_s >= made.at(4)]:
        wrong = {"sale_failed": (3, 3)}
        made.windows.append(one._replace(known_s=made.at(10) + 1, counts=wrong))
        made.windows.append(Window(one.terminal, made.at(3.2), 60, NEW, made.at(11), wrong))
        made.contacts.append(Contact(one.terminal, made.at(10) + 1))
    made.incidents.append(Incident(made.arm("beta")[0], "money_broken", "sum", made.at(13)))
    after = [one.encode() for one in replay(made.trial, made.records, policy(), made.at(10))]
    return [] if after == before else ["what came later changed what was decided before"]


def first_of_overlapping_stays() -> Findings:
    """A window that overlaps one known before it is set aside, and told."""
    made = wave(3, 12)
    before = last(made, 12)
    forged = [
        Window(one, made.at(6) + 1800, HOUR_S, NEW, made.at(11), {"sale_failed": (3, 3)})
        for one in made.arm("beta")
    ]
    made.windows.extend(forged)
    after = last(made, 12)
    if after.findings != before.findings:
        return ["an overlapping window changed a finding"]
    told = after.set_aside.get("overlapping", 0)
    return [] if told == len(forged) else [f"{told} of {len(forged)} overlaps told"]


def absurd_windows_are_set_aside() -> Findings:
    """Counters that cannot be, clocks years off, windows without end: none of them counts."""
    made = wave(3, 12)
    before, one = last(made, 12), made.arm("beta")[0]
    told = {"sale_failed": (3, 1)}
    made.windows += [
        Window(one, made.at(14), HOUR_S, NEW, made.at(11), told),
        Window(one, 0, HOUR_S, NEW, made.at(11), told),
        Window(one, made.at(30), HOUR_S, NEW, made.at(11), told),
        Window(one, made.at(-0.5), 0, NEW, made.at(11), told),
        Window(one, made.at(-9000), HOUR_S * 10_000, NEW, made.at(11), told),
        Window(one, made.at(-500), HOUR_S, NEW, made.at(11), {"sale_failed": (3, 4)}),
        Window(one, made.at(-0.4), 60, NEW, made.at(11), {"sale_failed": (-3, -4)}),
        Window(one, made.at(-0.3), 60, NEW, made.at(11), {"sale_failed": (10**9, 10**9)}),
        Window(b"stranger", made.at(5), HOUR_S, NEW, made.at(11), {"sale_failed": (3, 3)}),
    ]
    after = last(made, 12)
    if after.findings != before.findings:
        return ["an absurd window changed a finding"]
    return [] if sum(after.set_aside.values()) == 8 else [f"told: {after.set_aside}"]


def one_terminal_has_its_weight() -> Findings:
    """Whatever one terminal counts, it neither halts a good release nor hides a bad one."""
    found = []
    for effect in (1.0, 3.0):
        made = wave(3, 20, effect=effect)
        before = last(made, 20)
        one = made.arm("beta")[3]
        made.windows = [
            window._replace(counts={"sale_failed": (9999, 9999)})
            if window.terminal == one and window.start_s >= made.at(0)
            else window
            for window in made.windows
        ]
        after = last(made, 20)
        if after.ruling == "halt" and effect == 1:
            found.append("one terminal halts a wave")
        score, was = after.findings[0].score, before.findings[0].score
        if score > was + 2 or score < min(0.6 * was, was - 1):
            found.append(f"x{effect}: from {was:.2f} to {score:.2f}")
    return found


def harm_is_found() -> Findings:
    """A release that fails three times as often is halted, for that reason, and stays so."""
    made = wave(2, 20, effect=3.0)
    verdicts = replay(made.trial, made.records, policy(), made.at(20))
    halts = [one for one in verdicts if one.ruling == "halt"]
    if not halts or "sale_failed" not in halts[0].reasons[0]:
        return ["three times the failures are not halted"]
    if halts[-1] is not verdicts[-1]:
        return ["a halt was taken back"]
    nothing = tidy(made.trial, Records(), policy(), made.at(21))
    after = judge(made.trial, nothing, policy(), halts[-1])
    if (after.ruling, after.reasons) != ("halt", halts[0].reasons):
        return ["a halt was taken back when its records were gone"]
    return []


def nothing_is_void_in_silence() -> Findings:
    """What cannot be compared holds, with a reason."""
    found = []
    made = wave(3, 12)
    for name, changes, word in (
        ("an empty arm", {"beta_below": 0}, "beta has 0 terminals"),
        ("an arm of one", {"beta_below": 30}, "beta has"),
        ("no control", {"control_below": 2500}, "control has 0 terminals"),
        (
            "a count of one arm",
            {"counted": {"beta": ("sale_failed",), "control": ("sale_failed", "print_failed")}},
            "print_failed is counted by control only",
        ),
    ):
        small = Wave(trial(**changes), made.windows, made.restarts)
        told = last(small, 12)
        if told.ruling != "hold" or word not in " ".join(told.reasons):
            found.append(f"{name}: {told.ruling}, {told.reasons}")
    quiet = Wave(made.trial, [one for one in made.windows if one.known_s < made.at(6)])
    quiet.restarts = made.restarts
    told = last(quiet, 40)
    if told.ruling != "hold" or "silent" not in " ".join(told.reasons):
        found.append(f"all silent at once: {told.ruling}, {told.reasons}")
    return found


def nobody_widens_blind() -> Findings:
    """No records, no events, or nobody back: never a pass."""
    found = []
    made = wave(3, 12)
    empty = judge(made.trial, tidy(made.trial, Records(), policy(), made.at(5)), policy())
    if empty.ruling != "hold" or not empty.reasons:
        found.append(f"without any record: {empty.ruling}")
    made = wave(3, 24)
    if last(made, 24).ruling != "pass":
        found.append("a good release does not widen")
    beta = set(made.arm("beta")[::6])
    away = Wave(made.trial, made.windows)
    away.restarts = [one for one in made.restarts if one.terminal not in beta]
    if last(away, 24).ruling == "pass":
        found.append("a sixth of beta has not restarted, and it widens")
    nothing = wave(3, 12, rate=0.0)
    told = last(nothing, 12)
    if told.ruling == "halt":
        found.append("no event at all, and it halts")
    return found


def silence_is_an_outcome() -> Findings:
    """Terminals that restart into the release and are not heard again halt it."""
    made = wave(3, 16)
    dead = set(made.arm("beta")[::4])
    restarted = {one.terminal: one.known_s for one in made.restarts}
    made.windows = [
        one
        for one in made.windows
        if one.terminal not in dead or one.known_s <= restarted[one.terminal]
    ]
    verdicts = replay(made.trial, made.records, policy(), made.at(16))
    reasons = " ".join(verdicts[-1].reasons)
    halted = verdicts[-1].ruling == "halt" and ("not_back" in reasons or "silent" in reasons)
    return [] if halted else [f"{len(dead)} dead: {verdicts[-1].ruling}, {reasons}"]


def hard_rules_halt() -> Findings:
    """What needs no statistics halts at the next verdict, even where arms cannot be compared."""
    found = []
    made = wave(3, 6)
    beta, control = made.arm("beta"), made.arm("control")
    for name, incidents, halts in (
        ("a corrupt journal", [Incident(beta[0], "corrupt_journal", "chain", made.at(5))], True),
        ("money", [Incident(beta[0], "money_broken", "sum", made.at(5))], True),
        ("control's journal", [Incident(control[0], "corrupt_journal", "c", made.at(5))], False),
        ("before its restart", [Incident(beta[0], "money_broken", "s", made.at(0))], False),
        ("one rollback", [Incident(beta[0], "rollback", "crash", made.at(5))], False),
        (
            "the same one twice",
            [Incident(beta[0], "rollback", "crash", made.at(hour)) for hour in (4, 5)],
            False,
        ),
        (
            "two reasons",
            [Incident(one, "rollback", one.hex(), made.at(5)) for one in beta[:2]],
            False,
        ),
        (
            "two rollbacks with one reason",
            [Incident(one, "rollback", "crash", made.at(5)) for one in beta[:2]],
            True,
        ),
    ):
        made.incidents = incidents
        if (last(made, 6).ruling == "halt") != halts:
            found.append(f"{name}: {last(made, 6).ruling}")
    return found


ALL = (
    exact_under_the_sharp_null,
    deaf_to_order,
    deaf_to_doubles,
    deaf_to_what_came_later,
    first_of_overlapping_stays,
    absurd_windows_are_set_aside,
    one_terminal_has_its_weight,
    harm_is_found,
    nothing_is_void_in_silence,
    nobody_widens_blind,
    silence_is_an_outcome,
    hard_rules_halt,
)
