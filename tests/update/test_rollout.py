"""The rollout plan: an online key slows, stops or lets go what the channel signed, and no more."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from tests.support.micropython import BOTH
from tests.trust.device import on_device
from tests.update.world import NOW, TERMINAL_ID, World, image
from updater_server.channels.metadata_file import encode
from updater_server.channels.rollout import RolloutPlan, place


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def let_out(world: World, release: int, threshold: int) -> None:
    world.repository.set_rollout("stable", release, threshold, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)


def replan(world: World, *, halted: bool, release: int = 2) -> None:
    change = world.repository.halt if halted else world.repository.resume
    change("stable", release, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)


def my_place(world: World, release: int = 2) -> int:
    return place(
        world.repository.published.rollout("stable").releases[str(release)].salt, TERMINAL_ID
    )


def test_a_release_waits_until_the_wave_reaches_this_terminal(world: World) -> None:
    world.publish(2)
    let_out(world, 2, 0)
    world.run()
    assert world.says("passed over: 2 is for 0 of 10000")
    assert world.site.fetched_bytes(".full") == 0, "who must wait downloads nothing"
    assert world.client.refusal is None, "waiting is no failure to report"
    let_out(world, 2, my_place(world))
    world.run()
    assert world.switched_to() == 1
    let_out(world, 2, my_place(world) + 1)
    world.run()
    assert world.switched_to() == 2


def test_a_release_that_no_plan_names_is_for_nobody(world: World) -> None:
    world.publish(2, let_out=False)
    world.run()
    assert world.says("passed over: 2 is for nobody yet")
    assert world.switched_to() == 1
    assert world.site.fetched_bytes(".full") == 0
    world.publish(3)
    replan(world, halted=True, release=3)
    world.run()
    assert world.switched_to() == 1, "a plan for another release lets this one no more go"
    let_out(world, 2, 10_000)
    world.run()
    assert world.switched_to() == 2


def test_a_repository_without_any_plan_lets_nothing_go(world: World) -> None:
    world.publish(2)
    role = world.repository.published.metadata["rollout-stable"]
    role.signed.version += 1
    role.signed.targets.clear()
    serve_plan(world, role)
    world.run()
    assert world.says("passed over: 2 is for nobody yet")
    assert world.switched_to() == 1
    assert not RolloutPlan().allows(2, TERMINAL_ID)


def test_while_a_release_is_held_back_the_one_before_it_is_taken(world: World) -> None:
    world.publish(2)
    world.publish(3)
    let_out(world, 3, 0)
    world.run()
    assert world.switched_to() == 2


def test_a_halt_stops_a_terminal_that_has_the_release_already(world: World) -> None:
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    assert world.says("update ready")
    replan(world, halted=True)
    world.facts["battery_mv"] = 4000
    world.run()
    assert (world.resets, world.switched_to()) == (0, 1)
    assert world.says("passed over: 2 is halted")
    world.site.requests.clear()
    replan(world, halted=False)
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".full") == 0, "what is here is not fetched again"


def test_the_plan_costs_a_poll_with_nothing_new_not_one_byte(world: World) -> None:
    world.publish(2)
    let_out(world, 2, 0)
    world.run()
    world.site.requests.clear()
    world.run()
    assert [status for _, _, status, _ in world.site.requests] == [304]


def test_a_plan_fits_into_few_bytes(world: World) -> None:
    world.publish(2)
    let_out(world, 2, 100)
    world.site.requests.clear()
    world.run()
    assert 0 < world.site.fetched_bytes("rollout-stable.json") < 800


def test_an_expired_plan_installs_nothing(world: World) -> None:
    world.publish(2)
    let_out(world, 2, 10_000)
    role = world.repository.published.metadata["rollout-stable"]
    role.signed.version += 1
    role.signed.expires = NOW.replace(year=2025)
    serve_plan(world, role)
    world.run()
    assert world.says("nothing is installed: rollout-stable")
    assert world.switched_to() == 1


def serve_plan(world: World, role: Metadata[Targets]) -> None:
    """What whoever holds the server's keys can serve as the plan."""

    def sign(metadata: Metadata[Any], name: str) -> None:
        metadata.signatures.clear()
        keyids = (
            world.repository.published.signing().delegator(name).get_delegated_role(name).keyids
        )
        for signer in world.all_signers:
            if signer.public_key.keyid in keyids:
                metadata.sign(signer, append=True)

    folder = world.folder / "site" / "metadata"
    sign(role, "rollout-stable")
    (folder / f"{role.signed.version}.rollout-stable.json").write_bytes(encode(role))
    snapshot: Metadata[Snapshot] = world.repository.published.metadata["snapshot"]
    snapshot.signed.version += 1
    snapshot.signed.meta["rollout-stable.json"] = MetaFile(role.signed.version)
    sign(snapshot, "snapshot")
    (folder / f"{snapshot.signed.version}.snapshot.json").write_bytes(encode(snapshot))
    timestamp: Metadata[Timestamp] = world.repository.published.metadata["timestamp"]
    timestamp.signed.version += 1
    timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
    sign(timestamp, "timestamp")
    (folder / "timestamp.json").write_bytes(encode(timestamp))


def test_the_plans_key_cannot_list_a_release_of_its_own(world: World) -> None:
    world.publish(2)
    let_out(world, 2, 0)
    listed = world.repository.published.metadata["stable"].signed.targets["stable/duka-r1/2.full"]
    role = world.repository.published.metadata["rollout-stable"]
    role.signed.version += 1
    for path in ("stable/duka-r1/9.full", "rollout/duka-r1/9.full", "rollout/stable/9.full"):
        forged = TargetFile.from_data(path, image(9), ["sha256"])
        forged.unrecognized_fields = {
            "custom": {
                **listed.unrecognized_fields["custom"],
                "release": 9,
                "payloads": [{"kind": "full", "path": path}],
            }
        }
        role.signed.targets[path] = forged
    serve_plan(world, role)
    world.run()
    assert world.switched_to() == 1
    assert world.site.fetched_bytes(".full") == 0


@pytest.mark.parametrize(
    "custom",
    [
        None,
        {"releases": {}},
        {"releases": {"2": ["00", 10000]}, "halted": []},
        {"releases": {"2": ["00" * 8, 10001]}, "halted": []},
        {"releases": {"2": ["00" * 8, "all"]}, "halted": []},
        {"releases": {"2": 10000}, "halted": []},
        {"releases": [], "halted": []},
    ],
)
def test_a_plan_that_cannot_be_read_lets_nothing_go(world: World, custom: object) -> None:
    world.publish(2)
    let_out(world, 2, 10_000)
    role = world.repository.published.metadata["rollout-stable"]
    role.signed.version += 1
    target = role.signed.targets["rollout/stable/plan.json"]
    target.unrecognized_fields = {} if custom is None else {"custom": custom}
    serve_plan(world, role)
    world.run()
    assert world.says("rollout plan: ")
    assert world.switched_to() == 1


@pytest.mark.parametrize("interpreter", BOTH)
def test_server_and_terminal_compute_the_same_place(interpreter: str) -> None:
    body = """
from bootloader.shared.release import ReleaseRefused
from bootloader.shared.rollout import Rollout
for custom, terminal_id in data:
    try:
        Rollout(custom, bytes.fromhex(terminal_id)).check(7)
        out.append(True)
    except ReleaseRefused:
        out.append(False)
"""
    plan = RolloutPlan().with_threshold(7, 5000)
    ids = [hashlib.sha256(bytes([n])).digest()[:8] for n in range(64)]
    expected = [plan.allows(7, terminal_id) for terminal_id in ids]
    assert 16 < sum(expected) < 48
    got = on_device(interpreter, body, [[plan.custom(), i.hex()] for i in ids])
    assert got == expected


def test_a_wider_wave_holds_the_narrower_one_and_the_next_release_begins_elsewhere() -> None:
    ids = [n.to_bytes(8, "big") for n in range(500)]
    narrow = RolloutPlan().with_threshold(7, 1000)
    wide = narrow.with_threshold(7, 3000)
    first = {i for i in ids if narrow.allows(7, i)}
    assert first < {i for i in ids if wide.allows(7, i)}
    following = wide.with_threshold(8, 1000)
    assert {i for i in ids if following.allows(8, i)} != first
