"""An update from poll to switch against a real signed repository, and everything that may refuse
it."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared import tuf
from bootloader.shared.crypto import signatures
from firmware.net.http import DEFLATED
from firmware.update import install, news, prepare, server
from hw_sim.flash import PowerCut
from hw_sim.network.link import LinkProfile
from tests.support.radio import Radio
from tests.update.world import NOW, World, catalogue, image, reader_of_patches, signers
from updater_server.channels import patch
from updater_server.channels.entry import (
    Hardware,
    Image,
    InstallGate,
    JournalVersions,
    TrialPolicy,
)

POLICY = {"crashes_allowed": 2, "unconfirmed_boots_allowed": 4, "selftest_deadline_s": 300}
RUNNING = (6000, hashlib.sha256(image(1)).digest(), 1, 1, POLICY)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_new_release_is_fetched_checked_and_switched_to(world: World) -> None:
    world.publish(2)
    world.run()
    assert world.resets == 1
    assert world.switched_to() == 2
    assert (world.slot_b.state, world.slot_b.security_version) == ("trial", 1)
    assert world.slot_b.unconfirmed_boots_allowed == 16


def test_nothing_new_costs_one_small_request(world: World) -> None:
    world.run()
    assert json.loads((world.data / "catalogue.json").read_bytes())["version"] == 1
    assert world.new_catalogues == 1
    world.reboot()
    before = world.http.transport.bytes_sent + world.http.bytes_received
    world.site.requests.clear()
    assert world.run() == 900
    assert [request[2] for request in world.site.requests] == [304]
    assert world.http.transport.bytes_sent + world.http.bytes_received - before <= 350


def test_only_what_changed_is_fetched(world: World) -> None:
    world.run()
    world.site.requests.clear()
    world.repository.set_catalogue("default", catalogue(2), world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.run()
    names = [path.rpartition("/")[2] for path, _, status, _ in world.site.requests if status == 200]
    assert [name.split(".", 1)[1] for name in names] == [
        "json",
        "snapshot.json",
        "catalogue.json",
        "default.json",
    ]
    assert json.loads((world.data / "catalogue.json").read_bytes())["version"] == 2
    assert world.new_catalogues == 2


def test_the_delta_from_the_running_image_is_preferred(world: World) -> None:
    world.publish(2, bases={1: image(1)})
    world.run()
    assert world.switched_to() == 2
    assert 0 < world.site.fetched_bytes(".delta") < 500
    assert world.site.fetched_bytes(".full") == 0


@pytest.fixture
def reading_world(tmp_path: Path) -> World:
    """A terminal whose program reads patches."""
    return World(tmp_path, reader_of_patches(1))


def test_a_program_that_reads_patches_fetches_one(reading_world: World) -> None:
    reading_world.publish(2, bases={1: reader_of_patches(1)})
    reading_world.run()
    assert reading_world.switched_to() == 2
    assert 0 < reading_world.site.fetched_bytes(".patch") < 150
    assert reading_world.site.fetched_bytes(".delta") == 0
    assert reading_world.site.fetched_bytes(".full") == 0


def test_a_program_that_reads_none_is_offered_none(world: World) -> None:
    entry = world.publish(2, bases={1: image(1)})
    assert [payload.kind for payload in entry.payloads] == ["full", "delta"]


def test_what_takes_a_terminal_too_long_is_offered_as_a_delta(
    reading_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch, "PATCH_DECISIONS", (0, 10))
    entry = reading_world.publish(2, bases={1: reader_of_patches(1)})
    assert [payload.kind for payload in entry.payloads] == ["full", "delta"]
    reading_world.run()
    assert reading_world.switched_to() == 2
    assert reading_world.site.fetched_bytes(".full") == 0


def test_a_patch_that_fails_is_followed_by_the_full_image(reading_world: World) -> None:
    reading_world.publish(2, bases={1: reader_of_patches(1)})
    reading_world.table["slot_a"].program(5000, bytes(8))
    reading_world.run()
    fetched = reading_world.site.fetched_bytes(".patch")
    assert reading_world.site.fetched_bytes(".full") == 0, "it is tried once more"
    reading_world.run()
    assert reading_world.site.fetched_bytes(".patch") == fetched, (
        "what is here is not fetched again"
    )
    assert reading_world.site.fetched_bytes(".full") > 5000
    assert reading_world.slot_b.state == "trial"


@pytest.mark.parametrize("trouble", ["decayed", "spoiled", "missing"])
def test_a_full_image_over_the_signed_quote_is_never_fetched_where_a_difference_failed(
    reading_world: World, trouble: str
) -> None:
    reading_world.publish(2, bases={1: reader_of_patches(1)}, quote_bytes=5000)
    if trouble == "decayed":
        reading_world.table["slot_a"].program(5000, bytes(8))
    else:
        reading_world.site.change = lambda path, data: (
            data if ".patch" not in path else b"" if trouble == "missing" else data[:-1] + b"!"
        )
    for _ in range(12):
        reading_world.run()
        reading_world.time_s += 3600
    assert reading_world.site.fetched_bytes(".full") == 0
    assert reading_world.client.record.refused == [], "it may come yet"
    assert reading_world.client.waits is not None
    assert reading_world.client.waits[0] in (0, 2)
    if trouble != "decayed":
        reading_world.site.change = lambda path, data: data
        reading_world.time_s += 86400
        reading_world.run()
        assert reading_world.switched_to() == 2


def test_a_quote_that_is_high_enough_lets_the_full_image_come(reading_world: World) -> None:
    reading_world.publish(2, bases={1: reader_of_patches(1)}, quote_bytes=7000)
    reading_world.table["slot_a"].program(5000, bytes(8))
    reading_world.run()
    reading_world.run()
    assert reading_world.slot_b.state == "trial"


def test_who_has_no_other_way_takes_the_full_image_whatever_the_quote(world: World) -> None:
    world.publish(2, quote_bytes=1)
    world.run()
    assert world.switched_to() == 2


def test_a_delta_from_another_base_is_not_even_fetched(world: World) -> None:
    world.publish(2, bases={1: image(1)[::-1]})
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".delta") == 0


def test_a_delta_that_fails_is_followed_by_the_full_image(world: World) -> None:
    world.publish(2, bases={1: image(1)})
    world.table["slot_a"].program(5000, bytes(8))  # the running image decayed after its boot
    world.run()
    assert world.says("does not hold the signed image")
    assert world.site.fetched_bytes(".full") == 0
    world.run()
    assert world.site.fetched_bytes(".full") > 5000
    assert world.slot_b.state == "trial"


@pytest.mark.parametrize("kind", ["full", "delta", "patch"])
@pytest.mark.parametrize("moment", ["before", "torn", "after"])
def test_power_cut_at_any_flash_operation_ends_in_the_same_release(
    tmp_path: Path, kind: str, moment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same few signatures are judged at every boot of some two hundred: remember the verdicts.
    verify = functools.cache(signatures._verify_ed25519)
    monkeypatch.setattr(signatures, "_verify_ed25519", lambda *of: verify(*map(bytes, of)))
    first = reader_of_patches(1) if kind == "patch" else image(1)
    world = World(tmp_path, first)
    entry = world.publish(2, image(2, 4500), None if kind == "full" else {1: first})
    assert entry.payloads[-1].kind == kind
    clean, files = world.flash.snapshot(), tmp_path / "files"
    shutil.copytree(world.data, files)
    start = world.flash.operations
    world.run()
    operations = world.flash.operations - start
    assert operations > 20
    for cut in range(1, operations + 1):
        world.flash.restore(clean)
        shutil.rmtree(world.data)
        shutil.copytree(files, world.data)
        world.reboot()
        world.flash.cut_power_at(world.flash.operations + cut, moment)
        with pytest.raises(PowerCut):
            world.run()
        world.reboot()
        world.resets = 0
        if world.switched_to() == 1:
            world.run()
            assert world.resets == 1
        assert world.switched_to() == 2


def test_a_cut_costs_at_most_the_sector_that_was_being_written(world: World) -> None:
    world.publish(2, image(2, 40000))
    start = world.flash.operations
    world.flash.cut_power_at(start + 120, "torn")
    with pytest.raises(PowerCut):
        world.run()
    got_before = world.site.fetched_bytes(".full")
    world.reboot()
    world.site.requests.clear()
    world.run()
    assert world.switched_to() == 2
    ranges = [wanted for path, wanted, _, _ in world.site.requests if ".full" in path]
    first = int(ranges[0].removeprefix("bytes=").split("-")[0])
    # 120 operations are 7 sectors of 17 and the log's two
    assert first == 6 * 4096
    assert got_before >= first


def test_a_dropped_connection_resumes_at_the_next_byte(world: World) -> None:
    world.publish(2, image(2, 40000))
    world.site.cut_after_bytes = 30000
    assert world.run() == 30
    assert world.resets == 0
    fetched = world.client.offer.download.received
    payload_bytes = world.client.offer.download.length
    world.site.requests.clear()
    world.run()
    assert world.switched_to() == 2
    ranges = [wanted for path, wanted, _, _ in world.site.requests if ".full" in path]
    assert ranges[0].startswith(f"bytes={fetched}-")
    assert world.site.fetched_bytes(".full") == payload_bytes - fetched


def test_a_download_over_gsm_that_drops_once_fetches_no_byte_of_the_payload_twice(
    world: World,
) -> None:
    world.publish(2, image(2, 12000))

    async def story(radio: Radio) -> None:
        async with world.site.serve() as port:
            radio.network.internet.route("127.0.0.1", 80, ("127.0.0.1", port))
            await radio.modem.connect("internet")
            radio.network.drop_after_bytes(16000)
            assert await world.client.run_once() == 30
            first_part = world.client.offer.download.received
            assert 0 < first_part < 12000
            await radio.modem.connect("internet")
            world.site.requests.clear()
            await world.client.run_once()
            asked = [wanted for path, wanted, _, _ in world.site.requests if ".full" in path]
            assert asked[0].startswith(f"bytes={first_part}-")

    radio = Radio(seed=31, link=LinkProfile(1500, 1500, 100, 50))
    world.reboot(radio.modem)
    radio.run(story, 40)
    assert world.switched_to() == 2


def test_decay_in_the_download_partition_is_found_and_fetched_again(world: World) -> None:
    world.publish(2, image(2, 40000))
    world.site.cut_after_bytes = 36000
    world.run()
    world.table["download"].program(2 * 4096 + 17, b"\x00")
    world.reboot()
    world.site.requests.clear()
    world.run()
    assert world.switched_to() == 2
    ranges = [wanted for path, wanted, _, _ in world.site.requests if ".full" in path]
    assert ranges[0].startswith("bytes=8192-")


def test_a_payload_spoiled_on_the_way_is_fetched_again_and_then_given_up(world: World) -> None:
    world.publish(2)
    world.site.change = lambda path, data: data[:-1] + b"!" if ".full" in path else data
    assert world.run() == 30
    world.site.change = lambda path, data: data
    world.reboot()
    world.run()
    assert world.switched_to() == 2


def test_whoever_spoils_a_payload_delays_the_release_but_never_ends_it(world: World) -> None:
    world.publish(2)
    world.site.change = lambda path, data: data[:-1] + b"!" if ".full" in path else data
    for _ in range(80):
        world.run()
        world.time_s += 3 * 3600
    fetched = world.site.fetched_bytes(".full")
    assert fetched < 20 * 6100, "in ten days: the pause grows to a day, for airtime is money"
    assert world.client.record.refused == []
    assert world.client.refusal == [2, "payload_hash"]
    world.client.reported([2, "payload_hash"])
    world.reboot()
    assert world.client.refusal is None
    world.site.change = lambda path, data: data
    world.time_s += 86400
    world.run()
    assert world.switched_to() == 2


def test_a_spoiled_delta_is_followed_by_the_full_image(world: World) -> None:
    world.publish(2, bases={1: image(1)})
    world.site.change = lambda path, data: data[:-1] + b"!" if ".delta" in path else data
    world.run()
    world.run()
    assert world.site.fetched_bytes(".full") == 0, "once may be an accident"
    world.time_s += 900
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".delta") < 2000


def test_a_delta_that_was_spoiled_once_is_fetched_again_and_the_full_image_never(
    world: World,
) -> None:
    world.publish(2, bases={1: image(1)})
    world.site.change = lambda path, data: data[:-1] + b"!" if ".delta" in path else data
    world.run()
    world.site.change = lambda path, data: data
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".full") == 0


def test_a_trial_that_only_lacked_the_network_is_tried_again_a_bounded_number_of_times(
    world: World,
) -> None:
    world.publish(2)
    no_network = {"release": 2, "reason": "SelfTestFailed: self-test: no network"}
    switched = 0
    for _ in range(6):
        world.run()
        if not world.resets:  # that look has set the pause
            world.time_s += 4 * 900
            world.run()
        if not world.resets:
            break
        switched += world.resets
        world.resets = 0
        # rolled back, reported, and powered on twice since
        world.last_failure = no_network
        world.reboot()
        world.reboot()
        world.control.adopt("a", *RUNNING)
        world.control.confirm()
        world.last_failure = None
        world.reboot()
    assert switched == 3
    assert world.client.record.refused == [[2, "SelfTestFailed: self-test: no network"]]


def test_a_trial_that_lacked_the_network_is_not_tried_again_at_once(world: World) -> None:
    world.publish(2)
    world.last_failure = {"release": 2, "reason": "SelfTestFailed: self-test: no check-in"}
    world.reboot()
    world.run()
    world.time_s += 800
    world.run()
    assert world.resets == 0
    world.time_s += 200
    world.run()
    assert world.switched_to() == 2


def test_what_is_new_is_told_in_the_merchants_language(world: World) -> None:
    world.publish(2, text={"en": "Faster receipts", "fr": "Recus plus rapides"})
    assert world.client.news("en") == ""
    world.facts["battery_mv"] = 3000
    world.run()
    assert world.client.news("fr") == "Recus plus rapides"
    assert world.client.news("sw") == "Faster receipts"
    world.facts["battery_mv"] = 4000
    world.run()
    world.reboot()
    assert world.client.news("fr") == "Recus plus rapides"


def test_the_trial_policy_of_the_entry_is_what_the_boot_records_say(world: World) -> None:
    world.publish(2, trial=TrialPolicy(1, 7, 123))
    world.run()
    slot = world.slot_b
    terms = (slot.crashes_allowed, slot.unconfirmed_boots_allowed, slot.selftest_deadline_s)
    assert (slot.state, *terms) == ("trial", 1, 7, 123)


def test_a_truncated_payload_on_the_server_is_a_bad_reply_not_an_endless_download(
    world: World,
) -> None:
    world.publish(2)
    world.site.change = lambda path, data: data[:-100] if ".full" in path else data
    assert world.run() == 30
    assert world.says("another length")
    assert world.switched_to() == 1


def test_where_no_ranges_are_to_be_had_the_whole_comes_at_once(world: World) -> None:
    world.publish(2, image(2, 40000))
    world.site.ranges = False
    world.run()
    assert world.switched_to() == 2
    assert len([path for path, *_ in world.site.requests if ".full" in path]) == 1


def test_a_whole_that_is_cut_short_each_time_is_tried_seldom_and_the_office_is_told(
    world: World,
) -> None:
    world.publish(2, image(2, 40000))
    world.site.ranges = False
    whole = world.site.respond

    def cut(head: bytes) -> bytes:
        answer = whole(head)
        return answer[:-5000] if b".full" in head else answer

    world.site.respond = cut  # type: ignore[method-assign]
    begun_s, attempts = world.time_s, []
    while world.time_s < begun_s + 10 * 3600:
        asked = len(world.site.requests)
        world.run()
        if any(".full" in path for path, *_ in world.site.requests[asked:]):
            attempts.append(world.time_s)
        assert world.client.waits == [2, "ranges"]
        world.time_s += 300
    pauses_s = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert pauses_s == [900, 1800, 3600, 7200, 14400]
    for _ in range(9):
        world.client.record.hold_back(2)
    assert world.client.record.not_before_s == world.time_s + 86400, "at most a day"
    world.site.respond = whole  # type: ignore[method-assign]
    world.time_s = attempts[-1] + 28800
    world.client.record.not_before_s = world.time_s
    world.run()
    assert world.switched_to() == 2


@pytest.mark.parametrize(
    ("tag", "coded"), [('W/"%s"', ""), ('W/"%sz"', "z"), ('"%s-gzip"', "z"), ("", "z")]
)
def test_a_tag_that_a_box_weakened_costs_no_second_look(world: World, tag: str, coded: str) -> None:
    strong = world.site.respond

    def weaken(head: bytes) -> bytes:
        answer = strong(head)
        found = re.search(rb'ETag: "([0-9a-f]+)"\r\n', answer)
        if found is None:
            return answer
        line = b"ETag: " + tag.replace("%s", found[1].decode()).encode() + b"\r\n"
        return answer.replace(found[0], line if tag else b"")

    world.site.respond = weaken  # type: ignore[method-assign]
    world.publish(1)
    world.run()
    assert world.client.record.whole
    assert world.client.record.coded == coded


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hardware": Hardware("duka-r1", [2])}, "hardware_revision"),
        ({"min_bootloader": 2}, "bootloader"),
        ({"journal": JournalVersions([2], 2)}, "journal"),
        ({"journal": JournalVersions([1, 2], 2)}, "journal"),
    ],
)
def test_a_release_that_may_not_run_here_is_passed_over_and_reported(
    world: World, fields: dict[str, Any], reason: str
) -> None:
    world.publish(2, **fields)
    world.run()
    assert world.resets == 0
    assert world.client.refusal == [2, reason]
    assert world.says("passed over: 2 ")
    assert world.site.fetched_bytes(".full") == 0


def test_a_release_for_another_class_is_none_of_this_terminals_business(world: World) -> None:
    world.publish(2, hardware=Hardware("duka-r2", [1]))
    world.run()
    assert world.resets == 0
    assert world.client.refusal is None


def test_what_failed_in_its_trial_is_not_tried_again(world: World) -> None:
    world.publish(2)
    world.last_failure = {"release": 2, "reason": "ValueError: x"}
    world.reboot()
    world.run()
    assert (world.resets, world.switched_to()) == (0, 1)
    world.last_failure = None  # reported and cleared
    world.reboot()
    world.run()
    assert (world.resets, world.switched_to()) == (0, 1)
    world.publish(3)
    world.run()
    assert world.switched_to() == 3


@pytest.mark.parametrize("crashed", [1, 2])
def test_a_confirmed_release_that_crashed_is_not_put_on_the_list(
    world: World, crashed: int
) -> None:
    world.publish(2)
    world.last_failure = {"release": crashed, "reason": "ValueError: x"}
    world.trial_failed = False
    world.reboot()
    assert world.client.record.refused == []
    world.run()
    world.time_s += 1000
    world.run()
    assert world.switched_to() == 2, "one that gave way comes again after a pause"


def test_on_trial_the_way_back_is_left_alone(world: World) -> None:
    world.trial = True
    world.reboot()
    world.publish(2)
    world.run()
    assert world.site.fetched_bytes(".full") == 0
    world.trial = False
    world.reboot()
    world.run()
    assert world.switched_to() == 2


@pytest.mark.parametrize(
    ("fact", "value", "words"),
    [
        ("idle_s", 9, "in use"),
        ("battery_mv", 3599, "battery"),
        ("unsynced_records", 51, "too many sales"),
    ],
)
def test_the_switch_waits_for_the_gate(world: World, fact: str, value: Any, words: str) -> None:
    world.publish(2, gate=InstallGate(3600, 50, 10))
    good = world.facts[fact]
    world.facts[fact] = value
    assert world.run() == 5
    assert world.says(words)
    assert world.switched_to() == 1
    world.facts[fact] = good
    world.site.requests.clear()
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".full") == 0


def test_a_release_that_is_replaced_while_it_waits_is_not_switched_to(world: World) -> None:
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    world.publish(3)
    world.facts["battery_mv"] = 4000
    world.run()
    assert world.switched_to() == 3


def test_an_expired_timestamp_stops_installing_but_not_fetching(world: World) -> None:
    world.publish(2)
    world.time_s += 40 * 86400
    world.run()
    assert world.resets == 0
    assert world.says("nothing is installed: timestamp")
    assert world.site.fetched_bytes(".full") == 0
    world.repository.publish(world.all_signers, NOW + timedelta(days=40))
    world.run()
    assert world.switched_to() == 2


def test_without_a_known_time_nothing_is_installed(world: World) -> None:
    world.publish(2)
    world.time_s = 0
    world.run()
    assert world.resets == 0
    assert world.says("the time is unknown")


def spoil(part: str, change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda path, data: change(data) if part in path else data


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("timestamp", lambda data: data.replace(b'"version":', b'"version":9')),
        ("timestamp", lambda data: b"<html>captive portal</html>"),
        ("snapshot", lambda data: data[:-20]),
        ("stable.json", lambda data: data.replace(b'"release":2', b'"release":9')),
        ("timestamp", lambda data: data + b" " * 3000),
    ],
)
def test_metadata_that_is_not_what_was_signed_is_refused_and_logged(
    world: World, part: str, change: Callable[[bytes], bytes]
) -> None:
    world.run()
    stored = {f.name: f.read_bytes() for f in (world.data / "trust").iterdir()}
    world.publish(2)
    world.site.change = spoil(part, change)
    world.run()
    assert world.resets == 0
    assert world.says("refused") or world.says("update waits")
    now = {f.name: f.read_bytes() for f in (world.data / "trust").iterdir()}
    assert now["root.json"] == stored["root.json"]
    world.site.change = lambda path, data: data
    world.run()
    assert world.switched_to() == 2


def test_an_old_timestamp_played_again_is_refused(world: World) -> None:
    old = (world.folder / "site/metadata/timestamp.json").read_bytes()
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    world.site.change = spoil("timestamp", lambda data: old)
    world.run()
    assert world.says("metadata refused: timestamp")


def test_a_new_root_is_followed_and_stored(world: World) -> None:
    world.run()
    by_role, everyone = signers()
    keys = {"timestamp": [by_role["ci"][0].public_key]}
    world.repository.rotate_root(keys, everyone, NOW)
    world.publish(2)
    world.run()
    assert world.switched_to() == 2
    assert json.loads((world.data / "trust/root.json").read_bytes())["signed"]["version"] == 2


def test_spoiled_notes_do_not_stop_updates(world: World) -> None:
    for content in (b"{", b"[]", b'{"refused": 3}', b'{"spoiled": ["x"], "refusal": 7}'):
        (world.data / "update.json").write_bytes(content)
        world.reboot()
    world.publish(2)
    world.run()
    assert world.switched_to() == 2


def test_an_image_larger_than_the_slot_is_refused(world: World) -> None:
    from bootloader.shared.partitions import Partition

    world.table["slot_a"] = Partition(world.flash, world.table["slot_a"].offset, 8192)
    world.reboot()
    world.publish(2, image(2, 9000), image=_image_of(image(2, 9000)))
    world.run()
    assert world.client.refusal == [2, "size"]


def _image_of(content: bytes) -> Image:
    import hashlib

    return Image(len(content), hashlib.sha256(content).hexdigest())


def test_a_page_that_does_not_take_is_programmed_again_in_a_fresh_sector(world: World) -> None:
    world.publish(2)
    address = world.table["download"].offset + 512
    failures = 0

    def fail_twice(number: int, what: str, where: int, size: int) -> None:
        nonlocal failures
        if (what, where) == ("program", address) and failures < 2:
            failures += 1
            world.flash.damage(address, b"\x00" * 8)

    world.flash.on_operation = fail_twice
    world.run()
    assert failures == 2
    assert world.switched_to() == 2
    assert not world.says("not the signed payload")


def test_flash_that_never_takes_a_page_ends_in_a_refusal_not_in_endless_airtime(
    world: World,
) -> None:
    world.publish(2)
    address = world.table["download"].offset + 512
    world.flash.on_operation = lambda number, what, where, size: (
        world.flash.damage(address, b"\x00" * 8) if (what, where) == ("program", address) else None
    )
    for _ in range(5):
        world.run()
    assert world.client.refusal == [2, "storage"]
    assert world.client.record.refused == [], "the flash is at fault, not the release"
    assert world.site.fetched_bytes(".full") < 7 * 6100
    assert world.switched_to() == 1


def test_an_image_that_an_earlier_run_left_reads_well_at_every_start(world: World) -> None:
    world.publish(2)
    slot = world.table["slot_b"]
    slot.program(0, image(2))
    # Cut while the same content was written once more: in the first sector's last page is a weak
    # cell, and the second sector is there from before.
    at = next(i for i in range(4000, 4096) if not image(2)[i] & 1)
    world.flash.cells.weak = {slot.offset + at: 0x01}
    world.flash.cells.set_chance(1)
    erased = world.flash.erases[slot.offset // 4096]
    world.run()
    assert world.flash.erases[slot.offset // 4096] == erased, "written anew: choose another chance"
    assert world.slot_b.state == "trial"
    assert not world.flash.cells.weak


def test_a_slot_is_forgotten_before_it_is_overwritten(world: World) -> None:
    policy = {"crashes_allowed": 2, "unconfirmed_boots_allowed": 4, "selftest_deadline_s": 300}
    world.control.hold("b", 100, bytes(32), 5, 1, policy)
    world.publish(2)
    slot = world.table["slot_b"].offset

    def cut(number: int, what: str, where: int, size: int) -> None:
        if (what, where) == ("erase", slot):
            raise PowerCut(number, "before")

    world.flash.on_operation = cut
    with pytest.raises(PowerCut):
        world.run()
    world.flash.on_operation = None
    world.reboot()
    assert world.slot_b.state == "empty"


def test_a_release_replaced_during_its_download_is_not_switched_to(world: World) -> None:
    world.publish(2)

    def publish_once(path: str, data: bytes) -> bytes:
        if ".full" in path:
            world.site.change = lambda path, data: data
            world.publish(3)
        return data

    world.site.change = publish_once
    assert world.run() == 1
    assert world.resets == 0
    world.run()
    assert world.switched_to() == 3


def test_a_catalogue_with_other_prices_than_signed_is_not_stored(world: World) -> None:
    world.site.change = spoil("default.json", lambda data: data.replace(b":5000", b":4000"))
    world.run()
    assert world.says("is not what was signed")
    assert not (world.data / "catalogue.json").exists()
    assert world.new_catalogues == 0


def test_metadata_that_cannot_be_expanded_for_want_of_heap_is_fetched_as_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, expand = world.client.server.get, server.plain_body
    asked: list[tuple[str, bool]] = []

    def noted(path: str, limit_bytes: int, headers: Any = ()) -> Any:
        asked.append((path, DEFLATED in headers))
        return get(path, limit_bytes, headers)

    def full_heap(response: Any, limit_bytes: int) -> bytes:
        if asked[-1][0].endswith("stable.json") and asked[-1][1]:
            raise MemoryError
        body: bytes = expand(response, limit_bytes)
        return body

    world.client.server.get = noted
    monkeypatch.setattr(server, "plain_body", full_heap)
    world.publish(2)
    world.run()
    stable = [deflated for name, deflated in asked if name.endswith(".stable.json")]
    assert stable == [True, False]
    assert world.switched_to() == 2


@pytest.mark.parametrize(
    ("facts", "trial", "resets"),
    [
        ({"idle_s": 600}, False, [0, 0, 1]),
        ({"idle_s": 599}, False, [0, 0, 0]),
        ({"idle_s": 9999, "open_sale": True}, False, [0, 0, 0]),
        ({"idle_s": 9999}, True, [0, 0, 0]),
    ],
)
def test_a_terminal_without_room_for_updates_starts_anew_when_nobody_is_there(
    world: World, facts: dict[str, Any], trial: bool, resets: list[int]
) -> None:
    def full_heap(*arguments: Any) -> Any:
        world.facts.update(facts)
        raise MemoryError

    world.trial = trial
    world.reboot()
    world.client.server.get = full_heap
    seen = []
    for _ in resets:
        world.facts["open_sale"] = False
        assert world.run() == 900
        assert world.client.waits == [0, "memory"]
        seen.append(world.resets)
    assert seen == resets


def test_a_look_that_finds_no_room_lets_go_of_the_offer_and_finds_it_again(world: World) -> None:
    world.facts["battery_mv"] = 3000
    world.publish(2)
    world.run()
    assert world.client.offer is not None
    assert world.client.offer.is_ready
    get, asked = world.client.server.get, len(world.site.requests)

    def full_heap(*arguments: Any) -> Any:
        raise MemoryError

    world.client.server.get = full_heap
    world.time_s += 900
    world.run()
    assert world.client.offer is None
    world.client.server.get = get
    world.facts["battery_mv"] = 4000
    world.run()
    assert world.switched_to() == 2
    assert not [path for path in map(str, world.site.requests[asked:]) if ".full" in path]


@pytest.mark.parametrize(("times", "switches"), [(2, True), (3, False)])
def test_an_image_that_finds_no_room_waits_for_it_and_asks_for_nothing_again(
    world: World, monkeypatch: pytest.MonkeyPatch, times: int, switches: bool
) -> None:
    waits = [0] * times
    expand = install.inflater

    def full_heap(stream: Any) -> Any:
        if waits:
            waits.pop()
            raise MemoryError
        return expand(stream)

    monkeypatch.setattr(install, "inflater", full_heap)
    monkeypatch.setattr(prepare, "_MOMENT_MS", 0)
    world.publish(2)
    world.run()
    assert world.switched_to() == (2 if switches else 1)
    assert world.client.waits == (None if switches else [0, "memory"])


def test_a_run_that_found_room_forgets_those_that_did_not(world: World) -> None:
    def full_heap(*arguments: Any) -> Any:
        raise MemoryError

    world.facts["idle_s"] = 9999
    get = world.client.server.get
    for answers in (full_heap, full_heap, get, full_heap, full_heap):
        world.client.server.get = answers
        world.run()
    assert world.resets == 0


def test_a_poll_takes_as_long_a_timestamp_as_its_reader() -> None:
    assert tuf.LIMITS_BYTES["timestamp"] == news.TIMESTAMP_BYTES
