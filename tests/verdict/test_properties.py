"""The verdict keeps its promises, and each wrong variant of it is found by one of them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from tests.verdict import properties
from tests.verdict import widening as widening_of
from tests.verdict.properties import ALL
from updater_server.verdict import boundary, expectation, rules, ruling, week, widening
from updater_server.verdict.expectation import Integers, Numbers
from updater_server.verdict.interval import upper_rate
from updater_server.verdict.policy import OUTCOMES, Guard, Policy, usual
from updater_server.verdict.records import Window
from updater_server.verdict.ruling import Finding
from updater_server.verdict.week import Week


@pytest.mark.parametrize("promise", (*ALL, *widening_of.ALL), ids=lambda promise: promise.__name__)
def test_the_verdict_keeps_its_promise(promise: Callable[[], list[str]]) -> None:
    assert promise() == []


Patch = Callable[[pytest.MonkeyPatch], None]


def _level_from_control(patch: pytest.MonkeyPatch) -> None:
    """The level of a region's hour is that of control alone: arms are not alike any more."""
    right = expectation.region_level

    def counted(one: Week, policy: Policy, guard: Guard) -> tuple[Finding, Numbers]:
        mask = (~one.beta).astype(np.int64)

        def of_control(
            expected: Numbers, failures: Integers, region: Integers, rate: float = 1.0
        ) -> Numbers:
            if len(expected) != len(one.counts["sale_failed"].attempts):
                return right(expected, failures, region, rate)
            return right(expected * mask, failures * mask, region, rate)

        expectation.region_level = of_control
        try:
            return kept(one, policy, guard)
        finally:
            expectation.region_level = right

    kept = ruling.counted
    patch.setattr(ruling, "counted", counted)


def _spent_at_each_look(patch: pytest.MonkeyPatch) -> None:
    """The whole error at each look."""
    right = boundary.look

    def look(alive: boundary.Alive, extremes: Numbers, allowed: int) -> object:
        out = int((~alive).sum())
        return right(alive, extremes, out + max(1, int(len(alive) * 0.2)))

    patch.setattr(boundary, "look", look)


def _ties_go_out(patch: pytest.MonkeyPatch) -> None:
    """Draws that tie with the bound are taken out as well."""
    right = boundary.look

    def look(alive: boundary.Alive, extremes: Numbers, allowed: int) -> object:
        after, bound = right(alive, extremes, allowed)
        return after & (extremes < bound), bound

    patch.setattr(boundary, "look", look)


def _every_window(patch: pytest.MonkeyPatch) -> None:
    """Windows are taken as they come."""
    patch.setattr(week._Sorter, "_apart", lambda self, windows: windows)


def _newest_stays(patch: pytest.MonkeyPatch) -> None:
    """Of windows that overlap, the one known last stays."""
    patch.setattr(week, "_age", lambda window: -window.known_s)


def _as_it_came(patch: pytest.MonkeyPatch) -> None:
    """Windows are taken in the order in which they stand, first come first."""

    def apart(self: week._Sorter, windows: list[Window]) -> list[Window]:
        by_start = {one.start_s // 7: one for one in windows if self._fault(one) is None}
        return list(by_start.values())[: len(by_start) * 2 // 3]

    patch.setattr(week._Sorter, "_apart", apart)


def _sees_the_future(patch: pytest.MonkeyPatch) -> None:
    """All records, whenever they were known."""
    right = week.tidy

    def tidy(trial, records, policy, at_s):  # type: ignore[no-untyped-def]
        windows = [one._replace(known_s=min(one.known_s, at_s)) for one in records.windows]
        known = type(records)(windows, records.restarts, records.contacts, records.incidents)
        return right(trial, known, policy, at_s)

    patch.setattr(ruling, "tidy", tidy)


def _unbounded(patch: pytest.MonkeyPatch) -> None:
    """Terminals count as much as they like, and all the same."""
    patch.setattr(expectation, "residual", lambda seen, due, _: seen - due * seen.sum() / due.sum())
    patch.setattr(
        expectation, "totals", lambda failures, due: (failures.sum(axis=0) * 1.0, due.sum(axis=0))
    )


def _absurd_is_fine(patch: pytest.MonkeyPatch) -> None:
    """No window is looked at before it counts."""
    patch.setattr(week._Sorter, "_fault", lambda self, window: None)


def _never_void(patch: pytest.MonkeyPatch) -> None:
    """Arms are compared whatever they are."""
    patch.setattr(rules, "voiding", lambda trial, one, policy: [])


def _halt_taken_back(patch: pytest.MonkeyPatch) -> None:
    """Each verdict forgets the one before."""
    right = ruling.judge
    patch.setattr(properties, "judge", lambda trial, one, policy, _: right(trial, one, policy))


def _deaf_to_silence(patch: pytest.MonkeyPatch) -> None:
    """A terminal that is not heard is not counted."""
    patch.setattr(boundary, "outcome_scores", lambda drawn, outcome: np.zeros(len(drawn)))


def _widens_without_return(patch: pytest.MonkeyPatch) -> None:
    """A wave widens however few came back."""
    patch.setattr(widening, "lacks_back", lambda back, assigned, policy: "")


def _proof_of_everything(patch: pytest.MonkeyPatch) -> None:
    """What is watched is to be proven, too."""
    patch.setattr(widening, "lacks_scored", lambda guard, score, unproven: unproven)


def _watched_with_closed_eyes(patch: pytest.MonkeyPatch) -> None:
    """What is watched never holds."""
    right = widening.lacks_scored
    patch.setattr(
        widening, "lacks_scored", lambda guard, score, unproven: right(guard, -99.0, unproven)
    )


def _restarts_by_the_margin_of_sales(patch: pytest.MonkeyPatch) -> None:
    """A minute is taken for what a sale is: seven restarts a terminal-day pass."""
    right = widening.lacks_counted
    patch.setattr(
        widening,
        "lacks_counted",
        lambda guard, seen, policy: right(Guard(guard.name, guard.share), seen, policy),
    )


def _each_rollback_counts(patch: pytest.MonkeyPatch) -> None:
    """One rollback halts."""
    right = rules.halting
    patch.setattr(
        rules,
        "halting",
        lambda one, policy: right(one, policy) or [str(one) for one in one.incidents],
    )


WRONG: list[tuple[Patch, Callable[[], list[str]]]] = [
    (_level_from_control, properties.exact_under_the_sharp_null),
    (_spent_at_each_look, properties.exact_under_the_sharp_null),
    (_ties_go_out, properties.exact_under_the_sharp_null),
    (_every_window, properties.deaf_to_doubles),
    (_newest_stays, properties.first_of_overlapping_stays),
    (_as_it_came, properties.deaf_to_order),
    (_sees_the_future, properties.deaf_to_what_came_later),
    (_unbounded, properties.one_terminal_has_its_weight),
    (_absurd_is_fine, properties.absurd_windows_are_set_aside),
    (_never_void, properties.nothing_is_void_in_silence),
    (_halt_taken_back, properties.harm_is_found),
    (_deaf_to_silence, properties.silence_is_an_outcome),
    (_widens_without_return, properties.nobody_widens_blind),
    (_proof_of_everything, widening_of.watched_guards_hold_where_they_look_worse),
    (_watched_with_closed_eyes, widening_of.watched_guards_hold_where_they_look_worse),
    (_restarts_by_the_margin_of_sales, widening_of.restarts_are_told_by_their_rate),
    (_each_rollback_counts, properties.hard_rules_halt),
]


@pytest.mark.parametrize(("variant", "promise"), WRONG, ids=lambda one: one.__name__.strip("_"))
def test_a_wrong_variant_breaks_its_promise(
    variant: Patch, promise: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    variant(monkeypatch)
    try:
        found = promise()
    except (IndexError, ValueError, ZeroDivisionError):
        return
    assert found


def test_few_failures_have_the_exact_upper_bound() -> None:
    """Garwood's: half of chi-squared's 95 % quantile with 2 k + 2 degrees of freedom."""
    for failures, mean in ((0, 2.9957), (1, 4.7439), (5, 10.5130), (20, 29.0620), (100, 118.0788)):
        assert upper_rate(failures, 1000) * 1000 == pytest.approx(mean, abs=1e-3)
    assert upper_rate(0, 0) == upper_rate(101, 10**9) == float("inf")


def test_a_policy_that_was_stored_before_has_the_digest_that_its_verdicts_name() -> None:
    before = b'{"margin_excess":0.005,"margin_ratio":1.5,"name":"sale_failed","share":1.0}'
    assert msgspec.json.encode(Guard("sale_failed", 1.0), order="sorted") == before
    assert Policy.parse({"guards": [msgspec.json.decode(before)]}).guards == (
        Guard("sale_failed", 1.0),
    )


def test_what_must_be_proven_before_a_wave_widens_is_sales_and_terminals() -> None:
    guards = usual().guards
    proven = {guard.name for guard in guards if guard.suspect_score is msgspec.UNSET}
    assert proven == {"sale_failed", "crash", "watchdog", *OUTCOMES}
    assert len(guards) == 12


def test_failed_sales_have_most_of_the_error_and_dead_terminals_what_their_bar_needs() -> None:
    """Less than a tenth, and one dead terminal in ten takes ten hours (decision 0099)."""
    policy = usual()
    policy.check()
    shares = {guard.name: guard.share for guard in policy.guards}
    assert shares["sale_failed"] > 0.5
    assert all(shares[outcome] >= 0.1 for outcome in OUTCOMES)
