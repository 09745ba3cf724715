"""What ships off is turned on by a plan for a wave and for terminals by name, and off again within
one contact, by the key of the plans or by the brake's.
"""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared.rollout import Rollout
from firmware import counts
from firmware.update.choice import FLAGS
from tests.support.micropython import ROOT
from tests.update.test_brake import forge, held, hold
from tests.update.test_news import OurSite, air_bytes
from tests.update.world import NOW, TERMINAL_ID, World
from updater_server import channels
from updater_server.channels import flags
from updater_server.channels.halts import Halts
from updater_server.channels.history import History
from updater_server.channels.rollout import RolloutPlan, drawn

PLANS = ("rollout", "snapshot", "timestamp")
BRAKE = ("brake", "snapshot", "timestamp")
ME = TERMINAL_ID.hex()
DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    counts.is_hourly = False
    return world


def turn(world: World, threshold: int, terminals: tuple[str, ...] = (), why: str = "") -> None:
    """Whoever has the key of the plans turns the flag."""
    own = held(*PLANS)
    world.repository.set_flag("stable", "hourly", threshold, terminals, why, own, NOW)
    world.repository.publish(own, NOW)


def brake(world: World, is_off: bool) -> None:
    """Whoever has the brake's key turns it off, or leaves it to the plan again."""
    own = held(*BRAKE)
    role = world.repository.brake_flag("stable", "hourly", is_off, "", own, NOW)
    world.repository.publish(own, NOW, [role])


def is_on(world: World) -> bool:
    """After one contact."""
    world.run()
    found = world.client.record.flags
    assert found in ([], ["hourly"])
    assert counts.is_hourly == (found == ["hourly"]), "what the flag is for"
    kept = json.loads((world.data / "update.json").read_text())["flags"]
    assert kept == found
    return bool(found)


def forge_plan(world: World, custom: Any, key: str) -> None:
    """The next plan, as whoever has that role's key, snapshot and timestamp can serve it."""
    forge(world, custom, "rollout/stable/plan.json", "rollout-stable", key)


def flagged(*flag: Any, **more: Any) -> dict[str, Any]:
    return {"releases": {}, "halted": [], "flags": {"hourly": [*flag]}, **more}


# --- on and off ---


def test_what_ships_off_is_off_until_a_plan_says_so_and_off_again_at_the_next_contact(
    world: World,
) -> None:
    assert not is_on(world)
    turn(world, 10_000)
    assert is_on(world)
    assert is_on(world), "nothing new is said, and it stays"
    world.reboot()
    assert world.client.record.flags == ["hourly"], "over a start, before anybody is asked"
    turn(world, 0)
    assert not is_on(world)
    assert world.resets == 0, "without a release"


def test_it_is_turned_on_for_a_wave(world: World) -> None:
    turn(world, 1)
    salt = world.repository.published.plan("stable").flags["hourly"].salt
    mine = drawn(salt, TERMINAL_ID)[0]
    turn(world, mine)
    assert not is_on(world)
    turn(world, mine + 1)
    assert is_on(world)
    assert world.repository.published.plan("stable").flags["hourly"].salt == salt


def test_it_is_turned_on_for_a_terminal_by_name(world: World) -> None:
    turn(world, 0, ("00" * 8,))
    assert not is_on(world)
    turn(world, 0, ("00" * 8, ME))
    assert is_on(world)


def test_another_channels_flag_is_not_this_ones(world: World) -> None:
    own = held(*PLANS)
    world.repository.set_flag("beta", "hourly", 10_000, (), "", own, NOW)
    world.repository.publish(own, NOW)
    assert not is_on(world)


def test_a_flag_holds_up_no_release_and_a_release_no_flag(world: World) -> None:
    turn(world, 10_000)
    world.publish(2)
    assert is_on(world)
    assert world.switched_to() == 2
    assert "hourly" in world.repository.published.plan("stable").flags, "a new wave keeps it"


def test_a_halt_keeps_the_flags(world: World) -> None:
    world.publish(2)
    turn(world, 10_000)
    world.repository.halt("stable", 2, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    assert is_on(world)
    assert world.switched_to() == 1


def test_it_is_off_once_what_turned_it_on_counts_no_more(world: World) -> None:
    turn(world, 10_000)
    assert is_on(world)
    world.time_s += 45 * 86_400
    assert not is_on(world)
    assert world.says("nothing is installed: ")


def test_it_is_off_while_the_time_is_unknown(world: World) -> None:
    turn(world, 10_000)
    world.time_s = 0
    assert not is_on(world)


def test_it_costs_no_byte_while_there_is_none(world: World) -> None:
    plan = RolloutPlan().with_threshold(2, 300)
    turned = plan.with_flag("hourly", 300, ())
    assert b"flags" not in plan.encode()
    assert turned != plan
    assert turned.with_flag("hourly", 0, ()) == plan, "and none once it is off again"
    assert Halts().encode() == b'{"halted":{}}'
    assert Halts().with_flag("hourly", True).with_flag("hourly", False) == Halts()


def test_turning_one_costs_a_terminal_less_than_a_release(world: World, tmp_path: Path) -> None:
    world.site = world.http.transport.site = OurSite(tmp_path / "site")
    world.run()
    before = air_bytes(world)
    turn(world, 300)
    world.run()
    told = air_bytes(world)
    brake(world, True)
    world.run()
    print(told - before, air_bytes(world) - told)
    assert told - before < 700
    assert air_bytes(world) - told < 1100
    brakes = [path for path, *_ in world.site.requests if "brake" in path]
    assert brakes == ["/tuf/metadata/2.brake-stable.json"]


# --- two hands ---


def test_the_brakes_key_alone_turns_it_off_and_no_plan_goes_past_it(world: World) -> None:
    turn(world, 10_000)
    assert is_on(world)
    brake(world, True)
    assert not is_on(world)
    turn(world, 0)
    turn(world, 10_000, (ME,))
    assert not is_on(world)
    assert world.repository.published.rollout("stable").flags == {}
    assert "hourly" in world.repository.published.plan("stable").flags
    assert world.repository.verify(NOW) == []
    brake(world, False)
    assert is_on(world)


def test_a_halt_by_the_brake_keeps_what_it_turned_off(world: World) -> None:
    world.publish(2)
    turn(world, 10_000)
    brake(world, True)
    hold(world, 2)
    assert not is_on(world)
    assert world.switched_to() == 1


def test_the_brake_turns_nothing_on(world: World) -> None:
    forge(world, {"halted": {}, "flags": {"hourly": ["00" * 8, 10_000, [ME]]}})
    assert not is_on(world)
    assert [path for path, *_ in world.site.requests if "brake" in path], "it was read"
    world.repository.set_flag("stable", "hourly", 10_000, (), "", held(*BRAKE), NOW)
    with pytest.raises(channels.MissingSignatures):
        world.repository.publish(held(*BRAKE), NOW, ["rollout-stable"])


def test_who_stole_the_brake_takes_back_no_more_than_the_plan_gives(world: World) -> None:
    brake(world, True)
    forge(world, {"halted": {}})
    assert not is_on(world)


@pytest.mark.parametrize("off", ["hourly", {"hourly": 1}, None, ["hourly"] * 9])
def test_a_brake_that_nobody_can_read_leaves_nothing_on(world: World, off: Any) -> None:
    turn(world, 10_000)
    assert is_on(world)
    forge(world, {"halted": {}, "off": off})
    assert not is_on(world)
    assert world.says("brake: ")


# --- forged, replayed, too long ---


def test_a_plan_that_somebody_else_signed_turns_nothing_on(world: World) -> None:
    assert not is_on(world)
    forge_plan(world, flagged("00" * 8, 10_000, [ME]), "brake")
    world.run()
    assert world.says("rollout-stable: 0 of 1 signatures")
    assert world.client.record.flags == []


def test_an_older_plan_again_turns_nothing_on(world: World) -> None:
    turn(world, 10_000)
    folder = world.folder / "site" / "metadata"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    turn(world, 0)
    assert not is_on(world)
    for name, content in before.items():
        (folder / name).write_bytes(content)
    world.reboot()
    world.run()
    assert world.client.record.flags == []
    assert world.says("after ")


@pytest.mark.parametrize(
    "flag",
    [
        (),
        ("00" * 8,),
        ("00" * 8, 10_000),
        ("00" * 8, 10_000, [], 1),
        ("00" * 8, 10_001, []),
        ("00" * 8, -1, [ME]),
        ("00" * 8, True, [ME]),
        ("00" * 8, "10000", [ME]),
        ("no salt", 10_000, []),
        (7, 10_000, []),
        (None, 0, [ME]),
        ("00" * 8, 0, ME),
        ("00" * 8, 0, {ME: 1}),
        ("00" * 8, 0, [ME] * 17),
        ("00" * 8, 0, [ME.upper()]),
    ],
    ids=str,
)
def test_a_flag_that_cannot_be_read_is_off_and_holds_up_no_release(flag: tuple[Any, ...]) -> None:
    plan = flagged(*flag, releases={"2": ["00" * 8, 10_000]})
    rollout = Rollout(plan, TERMINAL_ID)
    assert not rollout.turns_on("hourly")
    rollout.check(2)
    with pytest.raises(channels.RolloutError):
        RolloutPlan.parse(plan)


@pytest.mark.parametrize("table", [None, [], "hourly", 7, {"other": ["00" * 8, 10_000, []]}])
def test_a_table_that_is_none_and_names_of_others_are_passed_over(world: World, table: Any) -> None:
    plan = flagged(releases={"2": ["00" * 8, 10_000]}) | {"flags": table}
    rollout = Rollout(plan, TERMINAL_ID)
    assert not rollout.turns_on("hourly")
    rollout.check(2)
    world.publish(2)
    forge_plan(world, plan, "rollout")
    world.run()
    assert world.switched_to() == 2


def test_a_file_of_the_terminal_that_was_spoiled_turns_nothing_on(world: World) -> None:
    turn(world, 10_000)
    assert is_on(world)
    kept = json.loads((world.data / "update.json").read_text())
    (world.data / "update.json").write_text(json.dumps(kept | {"flags": 7}))
    world.reboot()
    assert world.client.record.flags == []
    assert is_on(world), "the next look says so again"


# --- signer and terminal ---


def test_signer_and_terminal_draw_the_same_terminals() -> None:
    chance = random.Random(8)
    plan = RolloutPlan().with_flag("hourly", 2_500, [bytes(8).hex()])
    salt = plan.flags["hourly"].salt
    custom = json.loads(plan.encode())
    assert Rollout(custom, bytes(8)).turns_on("hourly")
    found = 0
    for _ in range(400):
        one = chance.randbytes(8)
        on = Rollout(custom, one).turns_on("hourly")
        assert on == (drawn(salt, one)[0] < 2_500)
        found += on
    assert 60 < found < 140


def test_more_than_the_table_of_limits_says_is_not_signed(world: World) -> None:
    def refused(name: str, threshold: int, terminals: list[str], says: str) -> None:
        with pytest.raises(channels.ReleaseRefused, match=says):
            world.repository.set_flag("stable", name, threshold, terminals, "", (), NOW)

    refused("houry", 1, [], "no flag 'houry'; there are hourly")
    refused("hourly", 10_001, [], "flags")
    refused("hourly", 0, ["Mama Asha"], "flags")
    refused("hourly", 0, [f"{n:016x}" for n in range(17)], "flags")
    refused("hourly", 0, [], "off in the plan of stable already")
    plan = RolloutPlan()
    for number in range(8):
        plan = plan.with_flag(f"f{number}", 1, ())
    plan.with_flag("f7", 2, ()).check()
    for name in ("f8", "F", "7f", "f" * 17, ""):
        with pytest.raises(channels.RolloutError):
            (plan if name == "f8" else RolloutPlan()).with_flag(name, 1, ()).check()
    with pytest.raises(channels.RolloutError):
        Halts.parse({"halted": {}, "off": [f"f{n}" for n in range(9)]}, 2)


def test_what_the_server_knows_of_is_what_there_is_in_the_firmware() -> None:
    assert set(flags.KNOWN) == set(FLAGS)
    texts = [path.read_text() for path in (ROOT / "firmware").rglob("*.py")]
    for name in FLAGS:
        asked = [text for text in texts if f'"{name}" in record.flags' in text]
        assert asked, f"nothing asks for {name}: take it out"


# --- who turned it, and what nobody turned ---


def test_the_log_tells_who_turned_it_and_why_and_what_nobody_turned_is_named(world: World) -> None:
    history = History(world.folder / "site")
    turn(world, 300, (ME,), "crashes in Kisumu")
    history.follow()
    told = history.turns["hourly"]
    assert (told.channel, told.why, told.at) == ("stable", "crashes in Kisumu", NOW.timestamp())
    words = "on for 3 % of terminals and 1 by name of stable"
    assert flags.in_words(history, "hourly") == words
    brake(world, True)
    history.follow()
    assert flags.in_words(history, "hourly") == "off"
    assert (flags.names_on(history), flags.names(history)) == ([], ["hourly"])
    came = flags.KNOWN["hourly"]
    assert flags.forgotten(history, came + flags.FORGOTTEN_S) == []
    assert flags.forgotten(history, came + flags.FORGOTTEN_S + 1) == ["hourly"]
    own = held(*BRAKE)
    later = NOW + 220 * DAY
    assert later.timestamp() > came
    role = world.repository.brake_flag("stable", "hourly", False, "", own, later)
    world.repository.publish(own, later, [role])
    history.follow()
    assert flags.forgotten(history, came + flags.FORGOTTEN_S + 1) == []
