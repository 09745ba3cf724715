"""One answer spoiled on the way, a full disk, a slow link: what remains when they are over."""

from __future__ import annotations

import errno
import functools
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared.crypto import signatures
from tests.update.test_updates import RUNNING
from tests.update.world import NOW, World, catalogue, image, signers

DAY_S = 86400


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same few signatures are judged again and again: remember the verdicts."""
    verify = functools.cache(signatures._verify_ed25519)
    monkeypatch.setattr(signatures, "_verify_ed25519", lambda *of: verify(*map(bytes, of)))


class Spoiler:
    """On the way: spoils the first answers to requests for `part`, as many as `times`."""

    def __init__(self, world: World, part: str, reply: Callable[[bytes], bytes], times: int = 1):
        self.left = times
        self.hits = 0
        honest = world.site.respond

        def respond(head: bytes) -> bytes:
            good = honest(head)
            if part in head.decode().split(" ")[1] and self.left:
                self.left -= 1
                self.hits += 1
                return reply(good)
            return good

        world.site.respond = respond  # type: ignore[method-assign]


def plain(status: int, body: bytes = b"", extra: str = "") -> Callable[[bytes], bytes]:
    head = f"HTTP/1.1 {status} X\r\n{extra}"
    length = "" if status == 304 else f"Content-Length: {len(body)}\r\n"
    return lambda good: (head + length + "\r\n").encode() + body


def instead(reply: bytes) -> Callable[[bytes], bytes]:
    return lambda good: reply


def prices(world: World) -> int:
    return int(json.loads((world.data / "catalogue.json").read_bytes())["version"])


SPOILED = [
    plain(404),
    plain(200, b"<html>Pay here for the internet</html>"),
    plain(200, b""),
    plain(302, b"", "Location: http://portal/\r\n"),
    plain(500, b"x" * 20000),
    plain(200, b"\x1f\x8b", "Content-Encoding: gzip\r\n"),
    plain(304),
    lambda good: good[: len(good) - 40],
    lambda good: b"",
]
PARTS = (
    "timestamp.json",
    ".root.json",
    ".snapshot.json",
    ".catalogue.json",
    "rollout-stable.json",
    ".default.json",
)


@pytest.mark.parametrize("part", PARTS)
def test_after_one_spoiled_answer_the_next_looks_find_everything(world: World, part: str) -> None:
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    for version, reply in enumerate(SPOILED, 2):
        world.repository.set_catalogue("default", catalogue(version), world.all_signers, NOW)
        world.repository.set_rollout("stable", 2, 9000 + version, world.all_signers, NOW)
        world.repository.publish(world.all_signers, NOW)
        spoiler = Spoiler(world, part, reply)
        for _ in range(3):
            world.run()
            world.time_s += 900
        assert spoiler.hits == 1
        assert prices(world) == version
        plan = json.loads((world.data / "trust/rollout-stable.json").read_bytes())["signed"]
        assert str(9000 + version) in json.dumps(plan)
    world.repository.set_rollout("stable", 2, 10000, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.facts["battery_mv"] = 4000
    world.run()
    assert world.switched_to() == 2


def test_a_new_root_that_one_answer_hid_is_found_within_a_day(world: World) -> None:
    world.run()
    key = signers()[0]["ci"][0].public_key
    world.repository.rotate_root({"snapshot": [key]}, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    Spoiler(world, ".root.json", plain(404))
    for _ in range(2):
        world.run()
        world.time_s += DAY_S
    assert json.loads((world.data / "trust/root.json").read_bytes())["signed"]["version"] == 2


def test_a_payload_spoiled_once_comes_with_the_next_look(world: World) -> None:
    for release, reply in enumerate(SPOILED[:6], 2):
        world.publish(release)
        world.site.requests.clear()
        spoiler = Spoiler(world, ".full", reply)
        for _ in range(3):
            world.run()
        assert spoiler.hits == 1
        assert world.resets == 1
        assert world.switched_to() == release
        assert world.site.fetched_bytes(".full") < 3 * 6100
        world.control.adopt("a", *RUNNING)
        world.control.confirm()
        world.resets = 0
        world.reboot()


def test_a_piece_that_brings_nothing_is_not_asked_for_again_at_once(world: World) -> None:
    world.publish(2)
    size = next((world.folder / "site/targets/stable/duka-r1").glob("*.2.full")).stat().st_size
    for extra in ("Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        reply = f"HTTP/1.1 206 P\r\nContent-Range: bytes 0-{size - 1}/{size}\r\n{extra}".encode()
        spoiler = Spoiler(world, ".full", instead(reply), times=50)
        world.run()
        assert spoiler.hits == 1
        spoiler.left = 0
    world.run()
    assert world.switched_to() == 2


def test_a_delta_that_is_missing_on_the_server_is_not_waited_for_for_ever(world: World) -> None:
    world.publish(2, bases={1: image(1)})
    next((world.folder / "site/targets/stable/duka-r1").glob("*.delta")).unlink()
    world.run()
    assert world.site.fetched_bytes(".full") == 0, "one 404 costs no full image"
    for _ in range(3):
        world.run()
    assert world.switched_to() == 2


def test_an_old_timestamp_under_the_new_ones_tag_does_not_hide_a_halt(world: World) -> None:
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    old = (world.folder / "site/metadata/timestamp.json").read_bytes()
    world.repository.halt("stable", 2, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)

    def under_new_tag(good: bytes) -> bytes:
        head = good.partition(b"\r\n\r\n")[0].split(b"\r\n")
        kept = [line for line in head if not line.lower().startswith(b"content-length")]
        return b"\r\n".join([*kept, b"Content-Length: %d" % len(old), b"", b""]) + old

    spoiler = Spoiler(world, "timestamp.json", under_new_tag)
    world.time_s += 900
    world.run()
    assert spoiler.hits == 1
    world.facts["battery_mv"] = 4000
    for _ in range(3):
        world.time_s += 900
        world.run()
    assert (world.resets, world.switched_to()) == (0, 1)
    assert world.says("is halted")


def test_before_a_switch_no_nothing_new_is_believed(world: World) -> None:
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    world.repository.halt("stable", 2, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    asked: list[bytes] = []
    honest = world.site.respond

    def always_304(head: bytes) -> bytes:
        good = honest(head)
        if b"timestamp.json" in head:
            asked.append(head)
            if b"If-None-Match" in head:
                return plain(304)(good)
        return good

    world.site.respond = always_304  # type: ignore[method-assign]
    world.facts["battery_mv"] = 4000
    world.run()
    assert b"If-None-Match" not in asked[-1]
    assert (world.resets, world.switched_to()) == (0, 1)


def test_nothing_new_is_believed_for_a_day_and_no_longer(world: World) -> None:
    world.run()
    Spoiler(world, "timestamp.json", plain(304), times=10**6)
    world.publish(2)
    world.site.requests.clear()
    unconditional = []
    for hour in range(60):
        world.time_s += 3600
        if hour % 7 == 0:
            world.reboot()
        world.run()
        if world.says("status 304"):
            unconditional.append(hour)
            world.logged.clear()
    assert unconditional[0] == 23
    assert world.says("update waits") or unconditional, "it is a fault, not news"
    world.site.respond = type(world.site).respond.__get__(world.site)  # type: ignore[method-assign]
    world.run()
    assert world.switched_to() == 2


@pytest.mark.parametrize("lost", ["catalogue.json", "trust/timestamp.json", "update.json"])
@pytest.mark.parametrize("how", ["gone", "spoiled"])
def test_what_is_lost_on_board_is_fetched_again_with_the_next_look(
    world: World, lost: str, how: str
) -> None:
    world.run()
    file = world.data / lost
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-7] + b"7654321")
    world.reboot()
    world.run()
    assert prices(world) == 1
    world.site.requests.clear()
    world.run()
    assert [request[2] for request in world.site.requests] == [304]


def test_another_channel_or_price_list_is_taken_in_though_nothing_is_published(
    world: World,
) -> None:
    world.repository.set_catalogue("other", catalogue(9), world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.run()
    world.reboot()
    world.client._catalogue = "catalogue/other.json"  # a technician configured it
    world.run()
    assert prices(world) == 9


def test_the_release_behind_a_stepping_stone_is_found_without_another_publication(
    world: World,
) -> None:
    world.publish(2)
    world.publish(3, stepping_stone=2)
    world.run()
    assert world.switched_to() == 2
    world.control.confirm()
    boot = world.client._boot
    world.reboot()
    for client in (world.client,):
        client._boot.release, client._boot.slot = 2, "b"
    world.run()
    assert world.switched_to() == 3
    assert boot is not None


def test_a_ready_release_that_waits_for_its_moment_asks_no_more_often_than_else(
    world: World,
) -> None:
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    world.site.requests.clear()
    for _ in range(12 * 60):  # an hour, five seconds at a time
        world.time_s += world.run()
    asked = [request for request in world.site.requests if "timestamp" in request[0]]
    assert len(asked) <= 4
    assert world.client.waits == [2, "battery"]


# --- what came is kept, or nothing is lost ---


def test_a_full_disk_ends_nothing_and_costs_little_airtime(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    world.publish(2)
    world.client.record.refusal = [1, "x"]
    real = open
    sizes: list[int] = []

    def no_room(path: Any, mode: str = "r", *more: Any) -> Any:
        file = real(path, mode, *more)
        if "w" in mode and str(world.data) in str(path):

            def write(data: bytes) -> int:
                sizes.append(len(data))
                raise OSError(errno.ENOSPC)

            class Full:
                def __enter__(self) -> Any:
                    return self

                def __exit__(self, *of: Any) -> None:
                    file.close()

            held: Any = Full()
            held.write = write
            return held
        return file

    stored = {f: f.read_bytes() for f in world.data.rglob("*") if f.is_file()}
    monkeypatch.setattr("builtins.open", no_room)
    world.client.reported([1, "x"])
    start = world.http.bytes_received
    waited_s = 0
    while waited_s < 10 * DAY_S:
        seconds = world.run()
        waited_s += seconds
        world.time_s += seconds
    assert world.client.waits == [0, "storage"]
    assert sizes
    assert world.http.bytes_received - start < 40_000, "ten days"
    world.last_failure = {"release": 2, "reason": "ValueError: x"}
    world.reboot()  # a failed trial cannot even be noted
    assert world.client.record.refused == [[2, "ValueError: x"]]
    monkeypatch.undo()
    left = {f: f.read_bytes() for f in world.data.rglob("*") if f.is_file()}
    assert left == stored, "the old files, and no half-written ones"
    world.last_failure = None
    world.time_s = int(NOW.timestamp()) + 3600
    world.reboot()
    world.run()
    assert world.switched_to() == 2


# --- a slow link ---


def sized(world: World, release: int, size: int = 100_000) -> int:
    world.publish(release, image(release, size))
    full = next((world.folder / "site/targets/stable/duka-r1").glob(f"*.{release}.full"))
    return full.stat().st_size


@pytest.mark.parametrize("share", [0.95, 0.6])
@pytest.mark.parametrize("powered_off", [False, True])
def test_a_slow_terminal_that_gets_a_new_release_all_the_time_ends_some_download(
    world: World, share: float, powered_off: bool
) -> None:
    """Between two publications `share` of one payload comes through.

    What is no longer listed can no longer be installed. Two are: half a payload between two
    publications is what that asks of a link.
    """
    world.run()
    releases = 0
    while not world.resets and releases < 9:
        releases += 1
        size = sized(world, releases + 1)
        world.site.cut_after_bytes = int(size * share) + 6000
        world.run()
        if powered_off:
            world.reboot()
    assert world.resets == 1
    assert world.switched_to() == 2, "the first that was begun"
    assert world.site.fetched_bytes(".full") < size * 1.4


def test_a_release_that_is_nearly_here_is_ended_and_the_newer_one_comes_after(
    world: World,
) -> None:
    size = sized(world, 2)
    world.site.cut_after_bytes = int(size * 0.9)
    world.run()
    sized(world, 3)
    world.site.requests.clear()
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".full") < size * 0.25
    assert world.says("release 2 is finished first")


@pytest.mark.parametrize("how", ["halted", "no longer listed"])
def test_what_is_nearly_here_but_must_not_be_installed_is_thrown_away(
    world: World, how: str
) -> None:
    size = sized(world, 2)
    world.site.cut_after_bytes = int(size * 0.9)
    world.run()
    sized(world, 3)
    if how == "halted":
        world.repository.set_rollout("stable", 3, 10000, world.all_signers, NOW)
        world.repository.halt("stable", 2, world.all_signers, NOW)
        world.repository.publish(world.all_signers, NOW)
    else:
        sized(world, 4)
    world.run()
    assert world.switched_to() == (3 if how == "halted" else 4)


def test_what_is_nearly_here_but_gone_from_the_server_does_not_hold_the_newer_one_back(
    world: World,
) -> None:
    size = sized(world, 2)
    world.site.cut_after_bytes = int(size * 0.9)
    world.run()
    sized(world, 3)
    next((world.folder / "site/targets/stable/duka-r1").glob("*.2.full")).unlink()
    for _ in range(6):
        world.run()
        world.time_s += 900
    assert world.switched_to() == 3


def test_a_newer_one_that_takes_one_request_comes_first(world: World) -> None:
    size = sized(world, 2)
    world.site.cut_after_bytes = int(size * 0.9)
    world.run()
    world.publish(3)
    world.run()
    assert world.switched_to() == 3


# --- what it waits for ---


def test_it_says_what_it_waits_for(world: World) -> None:
    world.run()
    assert world.client.waits is None
    world.publish(2)
    world.facts["open_sale"] = True
    world.run()
    assert world.client.waits == [0, "gate_sale"], "it does not even look"
    world.facts["open_sale"] = False
    for fact, value, code in (
        ("battery_mv", 3000, "battery"),
        ("unsynced_records", 10**6, "unsynced"),
        ("open_sale", True, "gate_sale"),
    ):
        good, world.facts[fact] = world.facts[fact], value
        world.run()
        assert world.client.waits == [2, code]
        world.facts[fact] = good
    shutil.move(world.folder / "site/targets", world.folder / "elsewhere")
    world.reboot()
    world.table["slot_b"].erase_sector(0)
    world.table["download"].erase_sector(world.table["download"].size_bytes - 4096)
    world.run()
    assert world.client.waits == [2, "payload"]
    shutil.move(world.folder / "elsewhere", world.folder / "site/targets")
    now = world.time_s
    world.time_s = 0
    world.run()
    assert world.client.waits == [2, "clock"]
    world.time_s = now + 45 * DAY_S
    world.run()
    assert world.client.waits == [2, "expired"]
    world.time_s = now
    world.run()
    assert world.switched_to() == 2
    assert world.client.waits is None


def test_a_forked_history_is_noticed_installs_nothing_and_is_told(world: World) -> None:
    backup = world.folder / "backup"
    world.publish(2)
    world.repository.halt("stable", 2, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    shutil.copytree(world.folder / "site", backup)
    world.repository.renew(world.all_signers, NOW + timedelta(days=20))
    world.run()
    shutil.rmtree(world.folder / "site")
    shutil.copytree(backup, world.folder / "site")
    world.repository = type(world.repository).open(world.folder / "site")
    world.repository.renew(world.all_signers, NOW + timedelta(days=21))
    world.run()
    assert world.client.waits == [0, "fork"]
    assert world.says("another timestamp of the known version")
