"""The brake halts what a plan lets out and can do nothing else, and no plan goes faster than the
pace that the channel's people signed into the release.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from bootloader.shared.release import ReleaseRefused
from bootloader.shared.rollout import Rollout
from tests.update.world import NOW, TERMINAL_ID, World, catalogue, signers
from updater_server import channels
from updater_server.channels import Pace, ceremony
from updater_server.channels.halts import Halts
from updater_server.channels.lists import brakes_lacking
from updater_server.channels.metadata_file import encode
from updater_server.channels.policy import BRAKE_ROLES, DELEGATED_ROLES
from updater_server.channels.rollout import drawn, millionths

BRAKE = "brake-stable"
HOUR_S = 3600


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def held(*roles: str) -> list[CryptoSigner]:
    """Keys of these roles alone."""
    return [signer for role in roles for signer in signers()[0][role]]


def hold(world: World, release: int) -> None:
    """Who holds the brake's key and those of the server halts a release."""
    own = held("brake", "snapshot", "timestamp")
    role = world.repository.hold("stable", release, own, NOW)
    world.repository.publish(own, NOW, [role])


def forge(
    world: World,
    custom: Any,
    path: str = "brake/stable/halts.json",
    role: str = BRAKE,
    key: str = "brake",
) -> None:
    """What whoever stole a key, snapshot and timestamp can serve as the next file of a role."""
    folder = world.folder / "site" / "metadata"

    def newest(role: str) -> Metadata[Any]:
        files = folder.glob(f"*.{role}.json")
        path = max(files, key=lambda file: int(file.name.split(".")[0]))
        return Metadata[Any].from_bytes(path.read_bytes())

    def write(metadata: Metadata[Any], key: str, name: str) -> None:
        metadata.signatures.clear()
        for signer in held(key):
            metadata.sign(signer, append=True)
        (folder / name).write_bytes(encode(metadata))

    forged: Metadata[Targets] = newest(role)
    target = TargetFile.from_data(path, b"{}", ["sha256"])
    target.unrecognized_fields = {"custom": custom}
    forged.signed.targets = {path: target}
    forged.signed.version += 1
    write(forged, key, f"{forged.signed.version}.{role}.json")
    snapshot: Metadata[Snapshot] = newest("snapshot")
    snapshot.signed.meta[f"{role}.json"] = MetaFile(forged.signed.version)
    snapshot.signed.version += 1
    write(snapshot, "snapshot", f"{snapshot.signed.version}.snapshot.json")
    timestamp: Metadata[Timestamp] = Metadata.from_bytes((folder / "timestamp.json").read_bytes())
    timestamp.signed.version += 1
    timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
    write(timestamp, "timestamp", "timestamp.json")


def wait_ready(world: World) -> None:
    """Release 2 is here and waits for the battery."""
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    assert world.says("update ready")
    world.facts["battery_mv"] = 4000


def test_the_brakes_key_alone_stops_who_has_the_release_already(world: World) -> None:
    wait_ready(world)
    hold(world, 2)
    world.run()
    assert world.says("passed over: 2 is halted")
    assert world.switched_to() == 1
    assert world.repository.published.rollout("stable").halted == [2]
    assert world.repository.published.plan("stable").halted == [], "no plan says so"
    assert world.repository.verify(NOW) == []


def test_while_nothing_is_halted_nobody_fetches_the_brakes_file(world: World) -> None:
    world.publish(2)
    world.run()
    assert world.switched_to() == 2
    assert not [path for path, *_ in world.site.requests if "brake" in path]


def test_what_the_brake_said_costs_one_request_once(world: World) -> None:
    wait_ready(world)
    hold(world, 2)
    world.run()
    fetched = [path for path, *_ in world.site.requests if "brake" in path]
    assert fetched == ["/tuf/metadata/2.brake-stable.json"]
    assert 0 < world.site.fetched_bytes("brake-stable.json") < 800
    world.run()
    world.reboot()
    world.run()
    assert [path for path, *_ in world.site.requests if "brake" in path] == fetched


def test_no_later_plan_goes_past_the_brake(world: World) -> None:
    wait_ready(world)
    hold(world, 2)
    world.run()
    plan = held("rollout", "snapshot", "timestamp")
    world.repository.set_rollout("stable", 2, 10_000, plan, NOW)
    world.repository.publish(plan, NOW)
    world.run()
    assert world.switched_to() == 1
    with pytest.raises(channels.ReleaseRefused, match="not halted"):
        world.repository.resume("stable", 2, plan, NOW)


@pytest.mark.parametrize(
    "custom",
    [
        {"halted": {}},
        {"halted": {"2": 1}},
        {"halted": {"9": 3}},
        {"halted": {}, "releases": {"2": ["00" * 8, 10_000]}, "lifted": {"2": 9}},
    ],
)
def test_who_steals_the_brake_cannot_take_back_what_it_said(
    world: World, custom: dict[str, Any]
) -> None:
    wait_ready(world)
    hold(world, 2)
    world.run()
    forge(world, custom)
    for _ in range(2):
        world.reboot()
        world.run()
    assert world.switched_to() == 1
    assert world.says("passed over: 2 is halted")


@pytest.mark.parametrize(
    "path", ["stable/duka-r1/9.full", "rollout/stable/plan.json", "brake/beta/halts.json"]
)
def test_whatever_else_the_brake_lists_is_looked_at_by_nobody(world: World, path: str) -> None:
    world.publish(2, let_out=False)
    forge(world, {"releases": {"2": ["00" * 8, 10_000]}, "halted": []}, path)
    world.run()
    assert world.switched_to() == 1
    assert world.says("passed over: 2 is for nobody yet")


@pytest.mark.parametrize(
    "custom", [{}, {"halted": [2]}, {"halted": {"2": 0}}, {"halted": {"two": 2}}, None]
)
def test_a_brake_that_nobody_can_read_stops_at_worst(world: World, custom: Any) -> None:
    world.publish(2)
    forge(world, custom)
    world.run()
    assert world.says("brake: ")
    assert world.switched_to() == 1


@pytest.mark.parametrize("custom", [None, [], "x", 5, {"lifted": []}, {"lifted": "3"}])
def test_what_is_halted_and_listed_as_nobody_can_read_it_stays_halted(
    world: World, custom: Any
) -> None:
    wait_ready(world)
    hold(world, 2)
    world.run()
    forge(world, custom, "stable/duka-r1/2.full", "stable", "stable")
    world.run()
    assert world.switched_to() == 1
    assert world.client.record.braked == [("stable", 2, 2)]
    assert world.says("passed over: ")


def test_the_channels_people_let_it_go_on_and_the_brake_may_halt_it_again(world: World) -> None:
    wait_ready(world)
    hold(world, 2)
    world.run()
    with pytest.raises(channels.MissingSignatures):
        world.repository.lift("stable", 2, (), NOW)
        world.repository.publish(held("rollout", "brake", "snapshot", "timestamp"), NOW, ["stable"])
    world.repository.withdraw("stable")
    world.repository.lift("stable", 2, held("stable"), NOW)
    world.repository.publish(held("snapshot", "timestamp"), NOW)
    assert world.repository.published.rollout("stable").halted == []
    hold(world, 2)
    world.run()
    assert world.switched_to() == 1, "halted again, by a later version"
    world.repository.lift("stable", 2, held("stable"), NOW)
    world.repository.publish(held("snapshot", "timestamp"), NOW)
    world.run()
    assert world.switched_to() == 2


def test_a_halt_is_of_one_channel_and_of_what_it_lists(world: World) -> None:
    world.publish(2)
    hold(world, 2)
    world.run()
    assert world.client.record.braked == [("stable", 2, 2)]
    world.client.record.braked = [("beta", 3, 7), ("stable", 2, 2)]
    world.client.record.save()
    world.publish(3)
    world.facts["battery_mv"] = 3000
    world.reboot()
    world.run()
    assert world.says("release 3 (1.3) is offered"), "another channel's halt is not this one's"
    assert world.client.record.braked == [("stable", 2, 2)]
    world.publish(4)
    world.run()
    assert world.client.record.braked == [], "what nobody lists can be taken by nobody"


def test_a_halted_wave_restarts_nobody_to_compare_with(world: World) -> None:
    world.publish(2)
    control = channels.rollout.Control(10_000, 0)
    world.repository.set_rollout("stable", 2, 0, world.all_signers, NOW, control=control)
    world.repository.publish(world.all_signers, NOW)
    hold(world, 2)
    world.run()
    assert (world.resets, world.client.record.sham) == (0, "")


# --- repositories of before ---


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose channels were made before there was a brake."""
    made = World(tmp_path)
    by_role = {role: [s.public_key for s in found] for role, found in signers()[0].items()}
    folder = tmp_path / "before"
    with monkeypatch.context() as before:
        kept = tuple(r for r in DELEGATED_ROLES if r not in BRAKE_ROLES.values())
        before.setattr(ceremony, "DELEGATED_ROLES", kept)
        day_before = NOW - timedelta(days=1)
        channels.Repository.create(folder, by_role, channels.Policy(), signers()[1], day_before)
    made.repository = channels.Repository.open(folder)
    made.repository.set_catalogue("default", catalogue(1), signers()[1], NOW)
    made.repository.publish(signers()[1], NOW)
    made.site.folder = folder
    (made.data / "trust/root.json").write_bytes((folder / "metadata/1.root.json").read_bytes())
    made.reboot()
    return made


def lacking(world: World) -> list[str]:
    return brakes_lacking(world.repository.published.metadata, world.repository.published.damaged)


def test_channels_of_before_go_on_without_a_brake_and_may_be_given_one(old: World) -> None:
    old.publish(2)
    old.run()
    assert old.switched_to() == 2
    with pytest.raises(channels.ReleaseRefused, match="keys rotate brake"):
        old.repository.hold("stable", 2, old.all_signers, NOW)
    assert not old.repository.can_hold("stable", old.all_signers)
    public = [signer.public_key for signer in held("brake")]
    staged = old.repository.rotate({"brake": public}, old.all_signers, NOW)
    assert [change.role for change in staged] == ["targets", *BRAKE_ROLES.values()]
    old.repository.publish(old.all_signers, NOW)
    assert old.repository.verify(NOW) == []
    assert lacking(old) == []
    assert len(old.repository.audit()) > 0
    old.publish(3)
    hold(old, 3)
    old.run()
    assert old.says("passed over: 3 is halted")


def test_channels_of_before_are_taken_up_again_without_a_brake(old: World) -> None:
    old.repository.take_up_again(old.all_signers, NOW)
    old.repository.publish(old.all_signers, NOW)
    assert lacking(old) == [*BRAKE_ROLES.values()]


# --- the pace ---


def my_millionth(world: World, release: int = 2) -> int:
    salt = world.repository.published.plan("stable").releases[str(release)].salt
    at, step = drawn(salt, TERMINAL_ID)
    return at * 100 + step * 100 // 429_497


def test_a_stolen_key_of_the_plans_goes_no_faster_than_the_pace(world: World) -> None:
    world.publish(2, let_out=False, pace=Pace(0, 1, 100, 24, 0, 1_000_000))
    world.let_go(2)
    mine = my_millionth(world)
    assert mine > 10_000, "this terminal is in the last wave"
    for hours, takes in ((25, 1), (71, 1), (73, 2)):
        world.time_s = int(NOW.timestamp()) + hours * HOUR_S
        world.client.record.whole = ""  # it looks once a day, or when something is new
        world.run()
        assert world.switched_to() == takes, hours
    assert world.says("passed over: 2 is for 10000 millionths")
    assert world.client.refusal is None, "waiting is no failure to report"
    assert world.client.record.sham == ""


def test_a_pace_that_goes_no_further_is_not_gone_further(world: World) -> None:
    world.publish(2, let_out=False, pace=Pace(0, 1, 100, 1, 0, 1))
    world.let_go(2)
    world.time_s += 20 * 24 * HOUR_S
    world.run()
    assert world.switched_to() == 1


def test_the_tools_sign_no_plan_that_goes_faster(world: World) -> None:
    world.publish(2, let_out=False, pace=Pace(0, 30_000, 3, 24, 0, 500_000))
    hour = timedelta(hours=1)

    def set_to(threshold: int, hours: float) -> None:
        world.repository.set_rollout("stable", 2, threshold, world.all_signers, NOW + hours * hour)

    with pytest.raises(channels.ReleaseRefused, match="0 % of terminals now"):
        set_to(300, 0.2)
    set_to(300, 0.3)
    with pytest.raises(channels.ReleaseRefused, match="may go to 3 % of terminals now"):
        set_to(301, 0.3)
    with pytest.raises(channels.ReleaseRefused, match="by the pace that stable signed: 9 %"):
        set_to(900, 24.2)
    set_to(900, 24.3)
    with pytest.raises(channels.ReleaseRefused, match="may go to 50 %"):
        set_to(5001, 24 * 300)
    set_to(0, 0.1)


@pytest.mark.parametrize(
    ("pace", "hours", "reach"),
    [
        (Pace(5, 3, 3, 24, 0, 1_000_000), 4, 0),
        (Pace(5, 3, 3, 24, 0, 1_000_000), 5, 3),
        (Pace(5, 3, 3, 24, 0, 1_000_000), 29, 9),
        (Pace(0, 3, 3, 24, 0, 1_000_000), 24 * 365, 1_000_000),
        (Pace(0, 3, 3, 24, 1, 1_000_000), 24 * 10, 243),
        (Pace(0, 7, 1, 1, 0, 1_000_000), 8760, 7),
        (Pace(0, 3, 3, 24, 0, 50), 24 * 10, 50),
    ],
)
def test_signer_and_terminal_reckon_the_same_pace(pace: Pace, hours: int, reach: int) -> None:
    assert pace.reach(1000, 1000 + hours * HOUR_S) == reach
    plan = {"releases": {"2": ["5a" * 8, 10_000]}, "halted": []}
    signed: Any = SimpleNamespace(release=2, built_s=1000, pace=msgspec.to_builtins(pace))
    for number in range(300):
        one = number.to_bytes(8, "big")
        at, step = drawn("5a" * 8, one)
        here = at * 100 + step * 100 // 429_497
        rollout = Rollout(plan, one, now_s=1000 + hours * HOUR_S)
        try:
            rollout.keep_pace(signed)
            takes = True
        except ReleaseRefused as refused:
            takes = refused.reason != "pace"
        assert takes == (here < reach)


def test_who_is_in_a_wave_is_within_its_millionths() -> None:
    for threshold, within in ((0, 1), (0, 12_884), (0, 429_496), (300, 0), (299, 429_496)):
        reach = millionths(threshold, within)
        inside = (threshold, within - 1) if within else (threshold - 1, 429_496)
        assert inside[0] * 100 + inside[1] * 100 // 429_497 < reach


def test_a_brake_of_a_version_to_come_is_none() -> None:
    with pytest.raises(channels.RolloutError, match="not there yet"):
        Halts.parse({"halted": {"2": 4}}, 3)
