"""What the worker counts of the fleet is what the fleet is, on either engine."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from tests.board.scene import DAY_S, HOUR_S, Scene, begin, settle
from tests.server.engines import Store
from tests.server.shop import NOW
from updater_server.channels import EVERYBODY, RolloutPlan
from updater_server.channels.history import History
from updater_server.channels.waves import reach, sizes
from updater_server.lookout import counting, picture, regions
from updater_server.lookout.counting import Counting
from updater_server.lookout.picture import STATES, Fleet
from updater_server.lookout.worker import Lookout
from updater_server.parties import tree
from updater_server.store.engine import reading, writing
from updater_server.store.tables import check_in, fleet_picture, terminal

ON_BOTH_ENGINES = True
TERMINALS = 400
SALT_SHARES = (0, 700, 9_999, EVERYBODY)


@pytest.fixture
def fleet(tmp_path: Path, signed: Path, store: Store) -> Iterator[Scene]:
    """On stable 7 is everybody's and 8 a wave; terminals in every state there is."""
    scene = begin(tmp_path / "data", signed, store.new_url())
    for release in (7, 8):
        scene.put_on(release, "stable", NOW - (20 - release) * HOUR_S)
        scene.let_out(release, "stable", NOW - (19 - release) * HOUR_S)
    settle(scene, TERMINALS)
    spoil(scene, random.Random(4))
    yield scene
    scene.shop.service.engine.dispose()


def spoil(scene: Scene, drawn: random.Random) -> None:
    """Put them into all states, and some beyond."""
    reports = (
        {"release": 8, "trial": False},
        {"release": 8, "trial": True},
        {"release": 9, "trial": False},
        {"release": 7, "trial": False},
        {"release": 7, "failure_release": 8, "failure_reason": "crash"},
        {"release": 7, "failure_release": 8, "failure_reason": "hardware_revision"},
        {"release": 7, "wait_release": 8, "wait_code": "battery"},
        {"release": 7, "wait_release": 9, "wait_code": "battery"},
    )
    seen = (NOW - 60, NOW - 2 * HOUR_S, NOW - 2 * DAY_S, None)
    with writing(scene.shop.service.engine) as connection:
        ids = list(connection.scalars(select(terminal.c.id)))
        for terminal_id in sorted(ids):
            mine = check_in.c.terminal_id == terminal_id
            connection.execute(update(check_in).where(mine).values(drawn.choice(reports)))
            place = {"last_seen_at": drawn.choice(seen)}
            place["hardware_revision"] = drawn.choice((1, 1, 1, 2))
            connection.execute(update(terminal).where(terminal.c.id == terminal_id).values(**place))


def told(scene: Scene) -> Fleet:
    history = History(scene.repository.directory)
    history.follow()
    with reading(scene.shop.service.engine) as connection:
        return Counting().count(connection, history, counting.runs(connection), NOW)


def expected(scene: Scene, plan: RolloutPlan) -> dict[str, int]:
    """Each terminal of stable looked at by itself."""
    found = dict.fromkeys(STATES, 0)
    rows = scene.shop.sql(
        "SELECT t.id, t.last_seen_at, t.hardware_revision, c.release, c.trial, c.failure_release,"
        " c.failure_reason, c.wait_release FROM terminal t JOIN check_in c ON c.terminal_id = t.id"
        " WHERE t.channel = 'stable'"
    )
    for terminal_id, seen, revision, release, trial, failed, why, waits in rows:
        if revision != 1 or not plan.allows(8, bytes(terminal_id)):
            continue
        if release >= 8:
            late = seen is not None and seen < NOW - 3600
            state = ("not_back" if late else "trial") if trial else "installed"
        elif failed == 8 and why == "crash":
            state = "came_back"
        elif seen is None or seen < NOW - DAY_S:
            state = "silent"
        else:
            state = "waiting" if waits == 8 else "under_way"
        found[state] += 1
    return found


@pytest.mark.parametrize("threshold", SALT_SHARES)
def test_each_that_may_take_a_release_is_in_one_state_and_it_is_the_right_one(
    fleet: Scene, threshold: int
) -> None:
    fleet.let_out(8, "stable", NOW - HOUR_S, threshold, within=5000 if threshold == 700 else 0)
    counts = told(fleet).channels["stable"]
    plan = fleet.plan("stable")
    assert counts.release == 8
    assert counts.states == expected(fleet, plan)
    if threshold == EVERYBODY:
        assert all(counts.states.values()), "the world has all states"
    if threshold == 0:
        assert (counts.wave, sum(counts.states.values())) == (0, 0)


def test_a_halt_moves_nobody(fleet: Scene) -> None:
    before = told(fleet).channels["stable"].states
    fleet.halt(8, "stable", NOW - 60)
    assert told(fleet).channels["stable"].states == before


def test_the_adoption_is_what_ran_at_the_end_of_each_hour(fleet: Scene) -> None:
    shop = fleet.shop
    device = shop.enrol(1)
    clock = [(NOW - 30 * HOUR_S, 3), (NOW - 20 * HOUR_S, 4), (NOW - 20 * HOUR_S + 5, 3), (NOW, 5)]
    count = Counting()
    history = History(fleet.repository.directory)
    history.follow()
    for at, release in clock:
        shop.clock[0] = at
        device.check_in(_2=release)
        with reading(shop.service.engine) as connection:
            bit_by_bit = count.count(connection, history, counting.runs(connection), at)
    whole = told(fleet)
    assert bit_by_bit.adoption == whole.adoption, "read at once or bit by bit"
    at_hour = {
        name: dict(zip(whole.hours, counts, strict=True)) for name, counts in whole.adoption.items()
    }
    alone = [name for name in ("3", "4", "5") if name in at_hour]
    assert alone, whole.adoption.keys()
    ends = {hour: {r: at_hour[r][hour] for r in alone} for hour in whole.hours}
    assert whole.running["5"] == 1 and ends[whole.hours[-1]].get("5", 1) == 1
    for hour, found in ends.items():
        ran = next((r for at, r in reversed(clock) if at < hour or (at == NOW == hour)), None)
        for name, number in found.items():
            assert number == (str(ran) == name), (hour, name)


def test_who_is_heard_is_counted_by_the_topmost_party(fleet: Scene) -> None:
    with writing(fleet.shop.service.engine) as connection:
        ids = list(connection.scalars(select(terminal.c.id)))
        north = tree.add(connection, "NORTH", "North", "distributor", "", "joy", NOW)
        agent = tree.add(connection, "AGENT", "Agent", "agent", "NORTH", "joy", NOW)
        shop = tree.add(connection, "SHOP", "Shop", "merchant", agent.code, "joy", NOW)
        south = tree.add(connection, "SOUTH", "South", "merchant", "", "joy", NOW)
        for terminal_id in ids[:50]:
            tree.give_terminal(connection, terminal_id, south, "joy", NOW - 9)
        for terminal_id in ids[:30]:
            tree.give_terminal(connection, terminal_id, shop, "joy", NOW)
        connection.execute(update(terminal).values(last_seen_at=NOW - 100))
        lately = terminal.c.id.in_(ids[:7])
        connection.execute(update(terminal).where(lately).values(last_seen_at=NOW))
    with reading(fleet.shop.service.engine) as connection:
        found = regions.heard(connection, NOW)
    assert found[north.code] == [7, 30, 30, 30, 30]
    assert found[south.code] == [0, 20, 20, 20, 20]
    assert found[regions.NOBODY] == [0, *[TERMINALS - 50] * 4]


def test_a_look_keeps_what_it_saw_and_the_next_one_takes_its_place(fleet: Scene) -> None:
    lookout = Lookout(fleet.shop.service)
    for _ in range(2):
        lookout.look()
        fleet.shop.clock[0] += 10
    assert sorted(fleet.shop.sql("SELECT name FROM fleet_picture")) == [("books",), ("fleet",)]
    with reading(fleet.shop.service.engine) as connection:
        kept, at = picture.kept(connection, Fleet)
    assert at == NOW + 10
    assert kept and kept.terminals == TERMINALS


def test_a_picture_of_another_version_is_none(fleet: Scene) -> None:
    with writing(fleet.shop.service.engine) as connection:
        values = {"name": "fleet", "at": NOW, "content": '{"of": "another"}'}
        connection.execute(insert(fleet_picture).values(**values))
    with reading(fleet.shop.service.engine) as connection:
        assert picture.kept(connection, Fleet) == (None, 0)


@pytest.mark.parametrize("fleet_size", [1, 29, 31, 1_000, 123_456, 10_000_000])
def test_a_wave_is_known_by_its_plan_though_the_fleet_has_grown_since(fleet_size: int) -> None:
    waves = sizes(fleet_size)
    for number, size in enumerate(waves, 1):
        found = reach(size, fleet_size)
        plan = RolloutPlan().with_threshold(8, found.threshold, found.within)
        for now in (fleet_size, fleet_size * 11 // 10 or 1, max(1, fleet_size * 9 // 10)):
            if len(sizes(min(now, 10_000_000))) == len(waves) and now <= 10_000_000:
                wave, of = counting.wave_of(plan, 8, now)
                assert of == len(waves)
                if number < len(waves) - 1 or now == fleet_size:
                    assert wave == number, (size, now)
