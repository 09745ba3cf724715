"""A release that its people let widen by itself: inside its pace, by a verdict that passes, never
past a halt, a doubt, another plan, or a channel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.server.shop import NOW, PASSPHRASE, Shop, a_release
from tests.telemetry.fleet import CHANNEL, DAY_S, HOUR_S, NEW, Fleet
from tests.telemetry.test_waves import killed_here, together, until
from updater_server import channels
from updater_server.channels import Pace, rollout, verdicts
from updater_server.channels.rollout import Control
from updater_server.channels.verdicts import GRACE_S
from updater_server.channels.waves import Reach
from updater_server.channels.widening import NOBODY, Further, step
from updater_server.channels.writing import Writer
from updater_server.fleet.alarms import raise_alarm, settle
from updater_server.store.engine import reading, writing
from updater_server.verdict.ruling import Verdict
from updater_server.waves import book
from updater_server.waves.book import Ruled
from updater_server.waves.looking import Looker

ON_BOTH_ENGINES = ("test_two_workers_at_once_widen_once",)
PACE = Pace(0, 400_000, 2, 6, 0, 800_000)
FIRST, SECOND = Reach(4000, 0), Reach(8000, 0)


def opened(
    shop: Shop, signed: Path, monkeypatch: pytest.MonkeyPatch, terminals: int, pace: Pace = PACE
) -> Fleet:
    monkeypatch.setenv("DUKA_ONLINE_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(rollout, "secrets", SimpleNamespace(token_hex=lambda size: "5a" * size))
    made = Fleet.again(shop, signed / "keys", terminals, pace=pace, widens=3)
    made.give_keys("timestamp-1", "snapshot-1", "rollout-1", "brake-1")
    return made


@pytest.fixture
def fleet(shop: Shop, signed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A dozen terminals, the first wave of the new release under way, and all keys."""
    made = opened(shop, signed, monkeypatch, 12)
    made.looker.look()
    assert reach(made) == FIRST
    yield made
    made.told.close()


def reach(fleet: Fleet) -> Reach:
    """How far the new release is let out."""
    plan = fleet.plan()
    wave = plan.releases.get(str(NEW))
    return Reach(wave.threshold, plan.within.get(str(NEW), 0)) if wave else NOBODY


def rule(fleet: Fleet, ruling: Any, hours: int = 6) -> None:
    """`hours` of the newest wave are over, and that is the verdict of the last: what terminals told
    is no matter here.
    """
    with reading(fleet.shop.service.engine) as connection:
        kept = book.newest(connection)[CHANNEL, NEW]
    fleet.shop.clock[0] = at_s = kept.began_s + hours * HOUR_S
    verdict = Verdict(
        kept.wave, hours, NEW, at_s, hours, ruling, ("because",), (), None, {}, "", "", "", ""
    )
    with writing(fleet.shop.service.engine) as connection:
        book.alone(connection)
        assert book.rule(connection, kept.id, Ruled(hours, at_s, ruling, verdict.encode()), at_s)
    fleet.shop.clock[0] += GRACE_S + 1


def widened(fleet: Fleet) -> list[dict[str, Any]]:
    """What the log tells of steps."""
    return [details for what, details in fleet.log() if what == f"widen on {CHANNEL}"]


def test_a_good_release_goes_further_by_itself_with_nobody_but_those_who_signed_it(
    shop: Shop, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = opened(shop, signed, monkeypatch, 80, Pace(0, 400_000, 2, 1, 0, 800_000))
    fleet.looker.look()
    assert (reach(fleet), fleet.plan().control) == (FIRST, {str(NEW): Control(10_000, 0)})
    rulings = until(fleet, "pass", hours=30, sales=60)
    assert "halt" not in rulings
    assert (reach(fleet), fleet.plan().control) == (SECOND, {str(NEW): Control(10_000, 0)})
    assert fleet.shop.alarms() == [], "nobody is asked for anything"
    first, second = widened(fleet)
    assert (first["by"], first["threshold"]) == ("its signed pace", 4000)
    assert (second["by"], second["verdict"]) == (
        f"verdict {len(rulings)} of wave 1",
        len(rulings),
    )
    waves = fleet.shop.sql("SELECT wave, threshold FROM wave_trial ORDER BY id")
    assert [tuple(row) for row in waves] == [(1, 4000), (2, 8000)]
    fleet.hour(4)
    assert len(fleet.rulings(2)) == 1 and "salt" not in fleet.reasons(), "it can be compared, too"
    with reading(fleet.shop.service.engine) as connection:
        trial, _ = book.thaw(connection, 2)
    assert trial.share == pytest.approx(4000 / 6000)
    salt = fleet.plan().releases[str(NEW)].salt
    assert all(rollout.drawn(salt, one.id) >= FIRST for one in trial.population)
    repository, _ = fleet.office()
    assert repository.verify(fleet.at) == []
    others = [name for name in channels.CHANNELS if name != CHANNEL]
    assert all(not repository.published.rollout(name).releases for name in others)
    fleet.told.close()


def test_it_goes_as_far_as_its_people_signed_and_no_further(fleet: Fleet) -> None:
    for _ in range(2):
        rule(fleet, "pass")
        fleet.looker.look()
        assert reach(fleet) == SECOND
    assert len(widened(fleet)) == 2


def test_no_wave_is_shorter_than_its_pace_says(fleet: Fleet) -> None:
    rule(fleet, "pass", hours=5)
    fleet.looker.look()
    assert reach(fleet) == FIRST
    rule(fleet, "pass", hours=6)
    fleet.looker.look()
    assert reach(fleet) == SECOND


def closed(fleet: Fleet) -> None:
    with writing(fleet.shop.service.engine) as connection:
        book.alone(connection)
        book.note(connection, 1, book.Event(book.CLOSED, NOW, None, "asha", "a hurry"))


def late(fleet: Fleet) -> None:
    fleet.shop.clock[0] += 2 * HOUR_S


@pytest.mark.parametrize(
    ("ruling", "then"),
    [("hold", None), ("halt", None), ("pass", closed), ("pass", late)],
    ids=["hold", "halt", "a person closed it", "nobody judged since"],
)
def test_only_a_pass_of_this_very_hour_widens(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, ruling: str, then: Callable[[Fleet], None] | None
) -> None:
    rule(fleet, ruling)
    if then is not None:
        then(fleet)
    monkeypatch.setattr(Looker, "_judge", lambda *_: None)  # as if it could not be judged
    fleet.looker.look()
    assert reach(fleet) == FIRST


@pytest.mark.parametrize("how", ["publishes", "stages", "brakes"])
def test_a_person_who_halts_while_it_widens_wins(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    rule(fleet, "pass")
    real = channels.keys.load_what_opens

    def meanwhile(*arguments: Any) -> Any:
        """Between the worker's look at the plan and its step."""
        repository, signers = fleet.office()
        if how == "brakes":
            repository.publish(signers, fleet.at, [repository.hold(CHANNEL, NEW, signers)])
        else:
            repository.halt(CHANNEL, NEW, signers if how == "publishes" else [], fleet.at)
        if how == "publishes":
            repository.publish(signers, fleet.at, ["rollout-stable"])
        return real(*arguments)

    with monkeypatch.context() as now:
        now.setattr(channels.keys, "load_what_opens", meanwhile)
        fleet.looker.look()
    assert reach(fleet) == FIRST
    assert fleet.plan().halted == ([] if how == "stages" else [NEW])
    assert "halted" in fleet.shop.sql("SELECT text FROM alarm WHERE code = 'widening_waits'")[0][0]
    fleet.looker.look()
    assert reach(fleet) == FIRST


def test_a_person_who_halts_just_after_it_widened_wins_and_what_was_let_out_is_halted(
    fleet: Fleet,
) -> None:
    rule(fleet, "pass")
    fleet.looker.look()
    repository, signers = fleet.office()
    repository.halt(CHANNEL, NEW, signers, fleet.at)
    repository.publish(signers, fleet.at)
    fleet.looker.look()
    assert (reach(fleet), fleet.plan().halted) == (SECOND, [NEW])
    assert fleet.shop.alarms() == [], "a halt is no reason to call anybody"


def test_it_stands_aside_for_a_plan_that_people_staged_and_says_so(fleet: Fleet) -> None:
    rule(fleet, "pass")
    repository, _ = fleet.office()
    repository.set_rollout(CHANNEL, NEW, 5000, (), fleet.at)
    fleet.looker.look()
    assert reach(fleet) == FIRST
    assert fleet.shop.alarms() == ["widening_waits"]
    assert [staged.role for staged in repository.staged()] == [f"rollout-{CHANNEL}"]
    repository.withdraw(f"rollout-{CHANNEL}", fleet.at)
    fleet.looker.look()
    assert reach(fleet) == SECOND
    assert fleet.shop.alarms() == []


def test_two_workers_at_once_widen_once(fleet: Fleet) -> None:
    rule(fleet, "pass")
    workers = [Looker(fleet.shop.service, fleet.told) for _ in range(3)]
    together(*(worker.look for worker in workers))
    assert reach(fleet) == SECOND
    assert [one["threshold"] for one in widened(fleet)] == [4000, 8000]
    waves = fleet.shop.sql("SELECT wave FROM wave_trial ORDER BY id")
    assert [wave for (wave,) in waves] == [1, 2]


def without(*names: str) -> Callable[[Fleet, pytest.MonkeyPatch], None]:
    def take(fleet: Fleet, _: pytest.MonkeyPatch) -> None:
        for name in names:
            for path in fleet.shop.service.folder.online_keys.glob(f"{name}.*"):
                path.unlink()

    return take


def locked(_: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUKA_ONLINE_PASSPHRASE", "not this one")


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (without("rollout-1"), "rollout-stable: 1 more"),
        (without("timestamp-1"), "timestamp: 1 more"),
        (without("rollout-1", "timestamp-1", "snapshot-1"), "more"),
        (locked, "does not open"),
    ],
    ids=["plans", "timestamp", "the brake's alone", "passphrase"],
)
def test_without_its_key_nothing_moves_nothing_is_left_and_people_are_told(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, lack: Any, words: str
) -> None:
    rule(fleet, "pass")
    with monkeypatch.context() as now:
        lack(fleet, now)
        fleet.looker.look()
        fleet.looker.look()
    assert reach(fleet) == FIRST
    repository, _ = fleet.office()
    assert repository.staged() == []
    told = fleet.shop.sql("SELECT text, count FROM alarm WHERE code = 'widening_waits'")
    assert len(told) == 1 and words in told[0][0] and told[0][1] == 1
    fleet.give_keys("timestamp-1", "snapshot-1", "rollout-1")
    fleet.looker.look()
    assert reach(fleet) == SECOND
    assert fleet.shop.alarms() == []


def test_a_list_that_has_run_out_widens_nothing(fleet: Fleet) -> None:
    with reading(fleet.shop.service.engine) as connection:
        kept = book.newest(connection)[CHANNEL, NEW]
    repository, signers = fleet.office()
    at = fleet.at.replace(year=fleet.at.year + 2)
    repository.publish(signers, at)  # the timestamp is fresh, the list is not
    with pytest.raises(channels.ReleaseRefused, match="has run out"):
        repository.widen(CHANNEL, NEW, Reach(kept.threshold, kept.within), {}, signers, at)
    with pytest.raises(channels.RepositoryError, match="clock says"):
        repository.widen(CHANNEL, NEW, FIRST, {}, signers, fleet.at)


def test_who_is_killed_between_verdict_and_publication_has_widened_nothing(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(fleet, "pass")
    with monkeypatch.context() as killed:
        killed.setattr(Writer, "put_out", killed_here)
        with pytest.raises(KeyboardInterrupt):
            fleet.looker.look()
    repository, _ = fleet.office()
    assert (reach(fleet), repository.staged()) == (FIRST, [])
    Looker(fleet.shop.service, fleet.told).look()
    assert reach(fleet) == SECOND
    assert repository.verify(fleet.at) == []


def test_who_is_killed_in_the_middle_of_its_publication_has_widened_once(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(fleet, "pass")
    with monkeypatch.context() as killed:
        killed.setattr(Writer, "carry_through", killed_here)
        with pytest.raises(KeyboardInterrupt):
            fleet.looker.look()
    for _ in range(2):
        Looker(fleet.shop.service, fleet.told).look()
    assert reach(fleet) == SECOND
    assert len(fleet.shop.sql("SELECT id FROM wave_trial")) == 2
    repository, _ = fleet.office()
    repository.audit()
    assert repository.verify(fleet.at) == []


def test_while_a_robots_link_is_broken_nothing_goes_further(fleet: Fleet) -> None:
    rule(fleet, "pass")
    engine = fleet.shop.service.engine
    with writing(engine) as connection:
        raise_alarm(connection, None, "probe", "savanna: buy", fleet.shop.clock[0])
    fleet.looker.look()
    assert reach(fleet) == FIRST
    assert fleet.shop.alarms() == ["probe", "widening_waits"]
    folder = fleet.shop.service.folder.repository
    assert verdicts.red_probes(folder) == ["savanna: buy"]
    with writing(engine) as connection:
        settle(connection, ["probe"], [], fleet.shop.clock[0])
    fleet.looker.look()
    assert reach(fleet) == SECOND
    assert verdicts.red_probes(folder) == []


def test_what_a_newer_release_overtook_does_not_begin(
    shop: Shop, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = opened(shop, signed, monkeypatch, 3, Pace(300, 1000, 3, 24, 0, 1_000_000))
    fleet.looker.look()
    assert reach(fleet) == NOBODY, "its pace has not come"
    repository, signers = fleet.office()
    release = a_release(NEW + 1)
    payloads = channels.build_payloads(release.image, {})
    repository.add_release(CHANNEL, release.entry, payloads, signers, fleet.at)
    repository.publish(signers, fleet.at)
    shop.clock[0] += 30 * DAY_S
    fleet.looker.look()
    assert reach(fleet) == NOBODY
    fleet.told.close()


# --- the step itself ---


def entry(*pace: int, widens: int = 10) -> channels.ReleaseEntry:
    return a_release(NEW, pace=Pace(*pace), widens=widens).entry


def after(hours: float) -> int:
    return NOW + int(hours * HOUR_S) + 900


@pytest.mark.parametrize(
    ("held", "hours", "wanted"),
    [
        (NOBODY, 1.9, None),
        (NOBODY, 2, Further(Reach(0, 128_848), Control(3, 0))),
        (Reach(0, 128_848), 25.9, None),
        (Reach(0, 128_848), 26, Further(Reach(0, 386_546), Control(9, 0))),
        (Reach(0, 386_546), 1000, Further(Reach(2, 300_647), Control(27, 0))),
        (Reach(2000, 0), 1000, Further(Reach(5000, 0), Control(10_000, 0))),
        (Reach(5000, 0), 1000, None),
    ],
)
def test_a_step_is_the_whole_factor_of_its_pace_or_none(
    held: Reach, hours: float, wanted: Further | None
) -> None:
    assert step([entry(2, 30, 3, 24, 0, 500_000)], held, after(hours)) == wanted


def test_no_step_but_the_last_goes_further_than_half_so_that_there_is_a_rest_to_compare() -> None:
    found = step([entry(0, 10_000, 3, 24, 0, 10**6)], Reach(3000, 0), after(1000))
    assert found == Further(Reach(5000, 0), Control(10_000, 0))


def test_the_last_step_is_everybody_and_has_no_control() -> None:
    assert step([entry(0, 500_000, 3, 24, 0, 1_000_000)], Reach(5000, 0), after(24)) == Further(
        Reach(10_000, 0), None
    )


def test_two_classes_go_together_at_the_slower_pace_and_a_silent_one_keeps_both() -> None:
    slow, fast = entry(0, 1000, 2, 24, 0, 10**6), entry(0, 1000, 9, 1, 0, 10**6, widens=4)
    assert step([slow, fast], Reach(10, 0), after(24)) == Further(Reach(20, 0), Control(200, 0))
    assert step([slow, a_release(NEW).entry], Reach(10, 0), after(24)) is None
    assert step([], NOBODY, after(24)) is None


def test_who_lets_it_widen_signs_a_pace_and_a_control_arm() -> None:
    for wrong in ({"pace": None, "widens": 10}, {"pace": PACE, "widens": 1}):
        with pytest.raises(channels.EntryError, match="widens by itself"):
            a_release(NEW, **wrong).entry.check()
