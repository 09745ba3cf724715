"""A look keeps of the metadata what its channel needs, and judges by all of it as before."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared import canonical, tuf, tuf_delegations
from firmware.update.errors import Missing
from firmware.update.metadata import Metadata
from tests.update.world import World

CHANNEL = "stable"
PRICES = "catalogue/default.json"
KEPT = ["stable", "catalogue", "rollout-stable", "brake-stable"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Files(dict[str, bytes]):
    """The terminal's files of metadata."""

    def read(self, name: str, limit_bytes: int) -> bytes | None:
        return self.get(name)

    def write(self, name: str, data: bytes) -> None:
        self[name] = data

    def remove(self, name: str) -> None:
        self.pop(name, None)


def looked(world: World) -> Metadata:
    """A look from the factory's root, at the site as it is."""
    site = world.folder / "site/metadata"

    async def fetch(name: str, limit_bytes: int) -> bytes:
        if not (site / name).is_file():
            raise Missing(name)
        return (site / name).read_bytes()

    store = Files({"root.json": (site / "1.root.json").read_bytes()})
    metadata = Metadata(store, fetch, lambda text: None)
    asyncio.run(metadata.take_channel(CHANNEL, PRICES, world.time_s, None))
    return metadata


def targets_of(world: World) -> dict[str, Any]:
    """What is signed in the top list of targets."""
    (file,) = (world.folder / "site/metadata").glob("*.targets.json")
    signed: dict[str, Any] = json.loads(file.read_bytes())["signed"]
    return signed


class Read:
    """A file that was verified."""

    role = "targets"

    def __init__(self, signed: dict[str, Any]) -> None:
        self.signed = signed


def is_asked(item: Any) -> bool:
    """Whether a delegation is asked for something by a look."""
    plan = "rollout/stable/plan.json"
    return bool(item.name in ("stable", "catalogue") or item.matches(plan))


def test_of_thirteen_delegations_four_are_kept_and_their_keys_and_files(world: World) -> None:
    world.publish(2)
    trusted = looked(world).trusted
    top: Any = trusted._targets.file("targets")
    assert [item.name for item in top.delegations] == KEPT
    assert set(top.keys) == {key for item in top.delegations for key in item.signers.keyids}
    assert set(trusted._listed) == {f"{role}.json" for role in ["targets", *KEPT]}
    assert list(trusted._signers) == ["targets"]
    assert len(targets_of(world)["delegations"]["roles"]) == 13
    with pytest.raises(tuf.NotSigned):
        trusted.update_delegated("alpha", "targets", b"")


def test_what_is_taken_is_what_was_asked_for_and_outlives_what_verified_it(world: World) -> None:
    world.publish(2)
    metadata = looked(world)
    trusted, taken = metadata.trusted, metadata.taken
    assert taken.targets == trusted.targets(CHANNEL) and "stable/duka-r1/2.full" in taken.targets
    assert taken.plan == trusted.find("rollout/stable/plan.json")[2]
    assert taken.prices == trusted.find(PRICES)[2]
    assert taken.halts is None, "the brake's first version halts nothing"
    assert taken.fresh_until_s == trusted.fresh_until_s(CHANNEL)
    assert taken.plan_until_s == trusted.fresh_until_s("rollout-stable")
    ours = taken.target_name(PRICES, taken.prices or {})
    assert ours == trusted.target_name(PRICES, taken.prices)
    for value in vars(taken).values():
        assert value is None or isinstance(value, (int, dict)), (
            "no object that keeps its module in the heap"
        )


def test_who_is_delegated_the_plan_before_its_role_is_found_first_under_any_name(
    world: World,
) -> None:
    signed = targets_of(world)
    roles = signed["delegations"]["roles"]
    thief = {**roles[8], "name": "thief", "paths": ["rollout/*/*"]}
    roles.insert(0, thief)
    taken = tuf_delegations.TargetsRoles()
    taken.take("targets", tuf_delegations.TargetsFile(Read(signed), is_asked), "root", None)
    assert taken.find("rollout/stable/plan.json") == ("load", "thief", "targets")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda roles: roles[1].update(name="root"),
        lambda roles: roles[1].update(paths=[7]),
        lambda roles: roles[1].update(threshold=0),
        lambda roles: roles[1].update(name=roles[0]["name"]),
        lambda roles: roles[1].update(name=roles[3]["name"]),
    ],
)
def test_what_is_not_kept_is_checked_all_the_same(world: World, spoil: Any) -> None:
    signed = targets_of(world)
    roles = signed["delegations"]["roles"]
    assert [roles[0]["name"], roles[1]["name"], roles[3]["name"]] == ["ci", "alpha", "stable"]
    spoil(roles)
    with pytest.raises(tuf.Malformed):
        tuf_delegations.TargetsFile(Read(signed), is_asked)


def test_a_key_id_that_stands_in_a_file_twice_is_one_text() -> None:
    keyid = "e0f7ac95f5344651"
    data = json.dumps({"keys": {keyid: 1}, "roles": [{"keyids": [keyid]}]}).encode()
    read = canonical.loads(data, 1000)
    assert read["roles"][0]["keyids"][0] is next(iter(read["keys"]))
