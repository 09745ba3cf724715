"""Waves on trial: frozen as they begin, judged each hour from what was known, halted by the brake
alone, and never widened.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from tests.server.shop import NOW, PASSPHRASE, Shop
from tests.server.test_channels import add
from tests.telemetry.fleet import CHANNEL, HOUR_S, NEW, OLD, Fleet
from updater_server import channels
from updater_server.__main__ import cli
from updater_server.channels import rollout, verdicts
from updater_server.channels.history import HALTED, History
from updater_server.fleet.alarms import raise_alarm
from updater_server.store.engine import writing
from updater_server.waves import book, brake, looking, replaying
from updater_server.waves.looking import Looker

ON_BOTH_ENGINES = (
    "test_a_release_that_fails_often_is_halted_by_the_worker_alone",
    "test_who_is_killed_between_verdict_and_publication_halts_when_it_starts_again",
    "test_who_is_killed_after_publication_halts_nothing_twice",
    "test_two_workers_at_once_come_to_one_book_and_one_halt",
    "test_a_person_who_halts_while_the_worker_does_is_not_in_its_way",
    "test_two_that_rolled_back_with_one_reason_halt_though_they_told_nothing",
    "test_what_becomes_known_later_changes_no_verdict",
)
ENDED = ("ended", None, "the worker")


@pytest.fixture
def fleet(shop: Shop, signed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """Eighty terminals with a week behind them; the server has its online keys."""
    monkeypatch.setenv("DUKA_ONLINE_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(rollout, "secrets", SimpleNamespace(token_hex=lambda size: "5a" * size))
    made = Fleet.again(shop, signed / "keys", 80)
    made.give_keys("timestamp-1", "snapshot-1", "rollout-1")
    yield made
    made.told.close()


def until(fleet: Fleet, ruling: str, hours: int = 14, sales: int = 4) -> list[str]:
    """Live on until a verdict says `ruling`; all of them."""
    for _ in range(hours):
        fleet.hour(sales)
        if ruling in fleet.rulings():
            break
    assert fleet.rulings()[-1] == ruling
    return fleet.rulings()


def test_a_release_that_fails_often_is_halted_by_the_worker_alone(fleet: Fleet) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    rulings = until(fleet, "halt")
    assert NEW in fleet.plan().halted
    history = History(fleet.shop.service.folder.repository)
    history.follow()
    assert history.doubts == []
    assert (history.steps[-1].what, history.steps[-1].who) == (
        HALTED,
        f"verdict {len(rulings)} of wave 1",
    )
    what, details = fleet.log()[-2]
    assert what == f"brake on {CHANNEL}"
    assert details["verdict"] == len(rulings) and details["wave"] == 1
    assert "verdict_halt" in fleet.shop.alarms()
    standing = verdicts.read(fleet.shop.service.folder.repository)[CHANNEL][str(NEW)]
    assert (standing.ruling, standing.is_open) == ("halt", True)
    fleet.hour()
    assert fleet.rulings() == rulings, "a halted wave is judged no more"
    same, different = replaying.replay(fleet.shop.service.engine, fleet.told, 1)
    assert (same, different) == (len(rulings), [])
    assert fleet.shop.problems() == []


def test_a_release_that_is_as_good_passes_and_is_widened_by_nobody(fleet: Fleet) -> None:
    fleet.let_out(4000)
    before = fleet.plan()
    fleet.work()
    rulings = until(fleet, "pass", hours=30, sales=60)
    assert "halt" not in rulings
    assert fleet.plan() == before
    assert fleet.shop.alarms() == ["verdict_pass"]
    assert verdicts.read(fleet.shop.service.folder.repository) == {
        CHANNEL: {str(NEW): verdicts.Standing(1, len(rulings), "pass", (), fleet.last_at())}
    }
    assert replaying.replay(fleet.shop.service.engine, fleet.told, 1) == (len(rulings), [])
    fleet.let_out(8000)
    fleet.work()
    assert fleet.shop.alarms() == [], "the next wave has not passed yet"


def test_an_outage_that_all_share_halts_nothing(fleet: Fleet) -> None:
    fleet.let_out(4000)
    fleet.work()
    for hour in range(12):
        fleet.failing = dict.fromkeys((OLD, NEW), 0.6 if 3 <= hour < 9 else 0.03)
        fleet.hour()
    assert "halt" not in fleet.rulings()
    assert fleet.plan().halted == []


def test_when_all_fall_silent_at_once_nothing_is_said_of_the_release(fleet: Fleet) -> None:
    fleet.let_out(4000)
    fleet.work()
    for _ in range(30):
        fleet.shop.clock[0] += HOUR_S
        fleet.work()
    assert set(fleet.rulings()) == {"hold"}
    assert "look at the server and the network first" in fleet.reasons()


def test_who_is_killed_between_verdict_and_publication_halts_when_it_starts_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    with monkeypatch.context() as killed:
        killed.setattr(brake, "halt", killed_here)
        with pytest.raises(KeyboardInterrupt):
            until(fleet, "halt")
    assert fleet.rulings()[-1] == "halt"
    assert fleet.plan().halted == []
    again = Looker(fleet.shop.service, fleet.told)
    again.look()
    assert fleet.plan().halted == [NEW]
    assert fleet.events()[0] == ("halted", len(fleet.rulings()), "the worker")
    again.look()
    assert len(fleet.shop.sql("SELECT id FROM wave_trial")) == 1, "no wave begins by a halt"
    assert len([what for what, _ in fleet.log() if what.startswith("brake")]) == 1


def killed_here(*_: object) -> None:
    raise KeyboardInterrupt


def test_who_is_killed_after_publication_halts_nothing_twice(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    with monkeypatch.context() as killed:
        killed.setattr(book, "note", killed_here)
        with pytest.raises(KeyboardInterrupt):
            until(fleet, "halt")
    assert fleet.plan().halted == [NEW]
    log = fleet.log()
    Looker(fleet.shop.service, fleet.told).look()
    assert fleet.log() == log
    assert fleet.events() == [("halted", len(fleet.rulings()), "found halted"), ENDED]


def test_two_workers_at_once_come_to_one_book_and_one_halt(fleet: Fleet) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    workers = [Looker(fleet.shop.service, fleet.told) for _ in range(3)]
    for _ in range(14):
        fleet.hour(looking=False)
        together(*(worker.look for worker in workers))
        if "halt" in fleet.rulings():
            break
    numbers = [row[0] for row in fleet.shop.sql("SELECT number FROM wave_verdict ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert fleet.plan().halted == [NEW]
    assert len([what for what, _ in fleet.log() if what.startswith("brake")]) == 1
    assert [what for what, _, _ in fleet.events()].count("halted") == 1
    assert len(fleet.shop.sql("SELECT id FROM wave_trial")) == 1


def together(*calls: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


@pytest.mark.parametrize("person", ["publishes", "stages"])
def test_a_person_who_halts_while_the_worker_does_is_not_in_its_way(
    fleet: Fleet, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    real = channels.keys.load_what_opens

    def meanwhile(*arguments: Any) -> Any:
        """Between the worker's look at the plan and its halt."""
        repository, signers = fleet.office()
        repository.halt(CHANNEL, NEW, signers if person == "publishes" else [], fleet.at)
        if person == "publishes":
            repository.publish(signers, fleet.at, ["rollout-stable"])
        return real(*arguments)

    monkeypatch.setattr(channels.keys, "load_what_opens", meanwhile)
    until(fleet, "halt")
    assert fleet.plan().halted == [NEW]
    by = {"publishes": "found halted", "stages": "the worker"}[person]
    assert fleet.events()[0] == ("halted", len(fleet.rulings()), by)
    repository, _ = fleet.office()
    repository.audit()
    assert repository.verify(fleet.at) == []


def test_what_a_person_lets_go_on_is_a_new_wave_and_not_halted_for_the_old_verdict(
    fleet: Fleet,
) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    until(fleet, "halt")
    repository, signers = fleet.office()
    repository.resume(CHANNEL, NEW, signers, fleet.at)
    repository.publish(signers, fleet.at)
    fleet.work()
    fleet.looker.look()
    assert fleet.plan().halted == []
    waves = fleet.shop.sql("SELECT wave, in_beta FROM wave_trial ORDER BY id")
    assert [wave for wave, _ in waves] == [1, 2]


def test_the_brake_signs_nothing_that_waits(fleet: Fleet) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    repository, _ = fleet.office()
    repository.set_rollout(CHANNEL, NEW, 10_000, [], fleet.at)  # staged by whoever is at the folder
    until(fleet, "halt")
    plan = fleet.plan()
    assert (plan.releases[str(NEW)].threshold, plan.halted) == (4000, [NEW])


def without_the_plans_key(fleet: Fleet) -> None:
    for path in fleet.shop.service.folder.online_keys.glob("rollout-1.*"):
        path.unlink()


def test_without_keys_people_are_told_to_halt_until_they_did(fleet: Fleet) -> None:
    without_the_plans_key(fleet)
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    until(fleet, "halt")
    fleet.looker.look()
    assert fleet.plan().halted == []
    assert "brake_failed" in fleet.shop.alarms()
    repository, signers = fleet.office()
    repository.halt(CHANNEL, NEW, signers, fleet.at)
    repository.publish(signers, fleet.at)
    fleet.looker.look()
    assert fleet.shop.alarms() == ["verdict_halt"]


def test_a_server_without_the_plans_key_uses_the_halt_that_people_signed_before(
    fleet: Fleet,
) -> None:
    without_the_plans_key(fleet)
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    repository, signers = fleet.office()
    repository.ready_brake(CHANNEL, NEW, signers, fleet.at)
    assert fleet.plan().halted == []
    fleet.work()
    until(fleet, "halt")
    assert fleet.plan().halted == [NEW]
    repository, _ = fleet.office()
    assert repository.verify(fleet.at) == []
    assert [what for what, _ in fleet.log() if "brake" in what] == [
        f"ready brake on {CHANNEL}",
        f"brake on {CHANNEL}",
    ]


def test_a_server_with_the_brakes_key_alone_halts_and_lets_nothing_out(fleet: Fleet) -> None:
    without_the_plans_key(fleet)
    fleet.give_keys("brake-1")
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    until(fleet, "halt")
    assert fleet.plan().halted == [NEW]
    repository, signers = fleet.office()
    assert repository.published.plan(CHANNEL).halted == [], "no plan was signed"
    (braked,) = [details for what, details in fleet.log() if what == f"brake on {CHANNEL}"]
    assert braked["verdict"] > 0 and braked["by"] == f"verdict {braked['verdict']} of wave 1"
    assert repository.coming_plan(CHANNEL).halted == [NEW], "it waits, for terminals of before"
    assert "brake_failed" not in fleet.shop.alarms()
    own = [one for one in signers if is_online(fleet, one, ("timestamp", "snapshot", "brake"))]
    repository.set_rollout(CHANNEL, NEW, 10_000, (), fleet.at)
    repository.lift(CHANNEL, NEW, (), fleet.at)
    for role in (f"rollout-{CHANNEL}", CHANNEL):
        repository.sign(role, own)
        with pytest.raises(channels.MissingSignatures):
            repository.publish(own, fleet.at, [role])


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("another plan", "of an earlier plan"),
        ("too late", "has run out"),
        ("spoiled", "cannot be read|lacks signatures"),
        ("never", "no halt of it was signed before"),
    ],
)
def test_a_halt_that_was_signed_before_counts_for_its_own_plan_alone(
    fleet: Fleet, what: str, why: str
) -> None:
    fleet.let_out(4000)
    repository, signers = fleet.office()
    if what != "never":
        repository.ready_brake(CHANNEL, NEW, signers, fleet.at)
    if what == "another plan":
        fleet.let_out(6000)
        repository, signers = fleet.office()
    if what == "too late":
        fleet.shop.clock[0] += 400 * 86400
    if what == "spoiled":
        path = repository.published.folder.brake("rollout-stable", NEW)
        path.write_bytes(path.read_bytes().replace(b'"halted":[7]', b'"halted":[8]'))
    online = [one for one in signers if is_online(fleet, one, ("timestamp", "snapshot"))]
    with pytest.raises(channels.MissingSignatures, match=why):
        repository.brake(CHANNEL, NEW, {}, online, fleet.at)
    assert repository.staged() == []


def is_online(fleet: Fleet, signer: Any, roles: tuple[str, ...]) -> bool:
    names = [path for role in roles for path in fleet.keys.glob(f"{role}-1.pub")]
    return any(signer.public_key.keyid in path.read_text() for path in names)


def test_terminals_with_forged_counters_halt_no_good_release(fleet: Fleet) -> None:
    fleet.let_out(4000)
    fleet.work()
    liars = {d.terminal_id for d in fleet.devices if fleet.plan().allows(NEW, d.terminal_id)}
    fleet.lying = set(sorted(liars)[:2])
    for _ in range(10):
        fleet.hour()
    assert "halt" not in fleet.rulings()


def test_a_wave_without_control_asks_for_no_verdict_but_halts_what_breaks_money(
    fleet: Fleet,
) -> None:
    fleet.let_out(4000, control=0)
    fleet.work()
    fleet.hour()
    fleet.hour()
    assert fleet.rulings() == ["hold", "hold"]
    assert verdicts.read(fleet.shop.service.folder.repository) == {}
    bad = next(d for d in fleet.devices if fleet.plan().allows(NEW, d.terminal_id))
    bad.check_in(_2=NEW)
    with writing(fleet.shop.service.engine) as connection:
        raise_alarm(connection, bad.terminal_id, "journal_fork", "two tails", fleet.shop.clock[0])
    fleet.hour()
    assert fleet.rulings()[-1] == "halt"
    assert fleet.plan().halted == [NEW]


def test_two_that_rolled_back_with_one_reason_halt_though_they_told_nothing(fleet: Fleet) -> None:
    fleet.let_out(4000, control=0)
    fleet.work()
    takes = [d for d in fleet.devices if fleet.plan().allows(NEW, d.terminal_id)]
    for device in takes[:2]:
        device.check_in(_2=NEW, _4=True)
        device.check_in(_2=OLD, _8=[NEW, "selftest"])
    fleet.restarted = {device.terminal_id for device in fleet.devices}
    fleet.hour()
    assert fleet.rulings() == ["halt"]
    assert fleet.plan().halted == [NEW]


def test_a_replay_says_when_its_records_are_gone(fleet: Fleet) -> None:
    fleet.let_out(4000)
    fleet.work()
    for _ in range(4):
        fleet.hour()
    fleet.told.drop_before("99999999")
    same, different = replaying.replay(fleet.shop.service.engine, fleet.told, 1)
    assert same == 0
    assert all("dropped" in why for _, why in different)


def test_what_becomes_known_later_changes_no_verdict(fleet: Fleet) -> None:
    fleet.failing[NEW] = 0.15
    fleet.let_out(4000)
    fleet.work()
    for _ in range(6):
        fleet.hour()
    made = len(fleet.rulings())
    for device in fleet.devices:  # late: of hours that are judged already
        for hour in range(3, 6):
            fleet.tell(device, 1800, 9, at_s=fleet.shop.clock[0] - hour * HOUR_S)
    fleet.intake.take()
    assert replaying.replay(fleet.shop.service.engine, fleet.told, 1) == (made, [])


def test_what_is_on_hold_is_not_promoted_until_a_person_closes_it(fleet: Fleet) -> None:
    repository, signers = fleet.office()
    folder = repository.published.directory
    add(repository, signers, NEW, "ci")
    repository.publish(signers, fleet.at)
    repository.set_rollout("ci", NEW, 10_000, signers, fleet.at)
    repository.publish(signers, fleet.at)
    held = verdicts.Standing(1, 4, "hold", ("too few events",), NOW)
    verdicts.write(folder, {"ci": {str(NEW): held}})
    with pytest.raises(channels.PromotionRefused, match=r"open verdict: .*too few events"):
        repository.promote("ci", "alpha", NEW, "duka-r1", signers, fleet.at)
    closed = msgspec.structs.replace(held, closed_by="asha")
    verdicts.write(folder, {"ci": {str(NEW): closed}})
    repository.promote("ci", "alpha", NEW, "duka-r1", signers, fleet.at)


def test_a_person_closes_a_verdict_at_the_command_line(fleet: Fleet) -> None:
    fleet.let_out(4000)
    fleet.work()
    fleet.hour()
    folder = fleet.shop.service.folder
    where = ["--data", str(folder.path)]
    listed = CliRunner().invoke(cli, ["verdict", "list", *where])
    assert listed.exit_code == 0 and "hold (1)" in listed.output
    shown = CliRunner().invoke(cli, ["verdict", "show", "1", *where])
    assert shown.exit_code == 0 and f"wave 1 of release {NEW}" in shown.output
    replayed = CliRunner().invoke(cli, ["verdict", "replay", "1", *where])
    assert replayed.exit_code == 0 and "1 verdicts come to the same bytes" in replayed.output
    done = ["verdict", "close", CHANNEL, str(NEW), "--by", "asha", "--reason", "a fix", *where]
    assert CliRunner().invoke(cli, done).exit_code == 0
    standing = verdicts.read(folder.repository)[CHANNEL][str(NEW)]
    assert (standing.closed_by, standing.is_open) == ("asha", False)
    assert CliRunner().invoke(cli, done).exit_code == 2


WIDENING = (
    "set_rollout",
    "resume",
    "lift",
    "with_threshold",
    "set_threshold",
    "promote",
    "add_release",
    "widen",
)


def widens(text: str) -> list[str]:
    """The names in a program's text by which a release goes further."""
    nodes = list(ast.walk(ast.parse(text)))
    named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return sorted(named.intersection(WIDENING))


def test_what_runs_by_itself_widens_in_one_place_and_promotes_nowhere() -> None:
    room = Path(book.__file__).parent
    found = {file.name: widens(file.read_text()) for file in room.glob("*.py")}
    assert {name: names for name, names in found.items() if names} == {"further.py": ["widen"]}
    assert widens("def f(r):\n    r.resume('stable', 7)") == ["resume"]


def test_a_channel_that_cannot_be_read_ends_no_wave(fleet: Fleet) -> None:
    fleet.failing[NEW] = 0.3
    fleet.let_out(4000)
    fleet.work()
    fleet.hour()
    folder = fleet.shop.service.folder.repository / "metadata"
    newest = max(folder.glob(f"*.{CHANNEL}.json"), key=lambda path: int(path.name.split(".")[0]))
    content = newest.read_bytes()
    newest.write_bytes(content.replace(b'"version"', b'"versiom"', 1))
    rulings = until(fleet, "halt")
    assert fleet.plan().halted == [NEW]
    assert len(rulings) > 1, "it was judged on"
    newest.write_bytes(content)


def test_one_wave_that_cannot_be_judged_keeps_no_other_from_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.let_out(4000)
    fleet.work()
    real = looking.Looker._sample
    asked: list[str] = []

    def spoiled(self: Looker, one: looking.Open) -> None:
        asked.append(one.kept.channel)
        raise ValueError("nobody foresaw this")

    monkeypatch.setattr(looking.Looker, "_sample", spoiled)
    fleet.hour()
    assert asked == [CHANNEL] and fleet.rulings() == []
    monkeypatch.setattr(looking.Looker, "_sample", real)
    fleet.hour()
    assert len(fleet.rulings()) == 2
