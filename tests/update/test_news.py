"""All that is new in the metadata comes in one answer from a server that has it so, and the files
are those that any other server gives."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from firmware.update import news as terminal
from tests.support.static_site import Site
from tests.update.world import NOW, World, catalogue, reader_of_patches
from tools.release.image import ROOT
from updater_server.channels import Pace, news, quote
from updater_server.channels.preset import PRESET
from updater_server.faces.files import StaticFiles
from updater_server.faces.lanes import Lane

NEWS_BYTES = 750
"""What a terminal may send and hear to learn of one release; without the release itself.
The bar is 1,000."""
REFRESH_BYTES = 4500
"""The same from the factory's root to all files, prices with them."""


class OurSite(Site):
    """The site as our server gives it out."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.files = StaticFiles(folder, Lane("files", 1, 0, 1))

    def respond(self, head: bytes) -> bytes:
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower().encode(): value.encode() for name, value in pairs}
        answer = self.files.answer(method, path.removeprefix("/tuf/"), headers)
        body = self.change(path, answer.body)
        self.requests.append((path, "", answer.status, len(body)))
        sent = [*answer.headers, (b"content-length", b"%d" % len(body))]
        if answer.status == 304:
            sent.pop()
        lines_out = [
            b"HTTP/1.1 %d" % answer.status,
            *(name + b": " + value for name, value in sent),
        ]
        return b"\r\n".join(lines_out) + b"\r\n\r\n" + body


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A terminal that has looked once at a server of ours."""
    made = World(tmp_path)
    made.site = made.http.transport.site = OurSite(tmp_path / "site")
    made.run()
    made.site.requests.clear()
    return made


def air_bytes(world: World) -> int:
    return int(world.http.transport.bytes_sent + world.http.bytes_received)


def asked(world: World) -> list[tuple[str, int]]:
    """(path, status) of what was asked of the metadata."""
    every = [(path, status) for path, _, status, _ in world.site.requests]
    return [one for one in every if not one[0].startswith(("/tuf/targets/", "/tuf/p/"))]


def trust(world: World) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (world.data / "trust").iterdir()}


def test_one_question_brings_all_that_is_new(world: World) -> None:
    world.publish(2)
    world.run()
    first, *others = asked(world)
    assert first[0].startswith("/tuf/news/1.") and first[1] == 200
    assert world.switched_to() == 2
    (again,) = others
    assert again[0].startswith("/tuf/news/1."), "asked again just before the switch"


def test_what_is_stored_is_what_any_server_gives(world: World, tmp_path: Path) -> None:
    world.publish(2)
    world.run()
    assert asked(world)[0][0].startswith("/tuf/news/")
    files = {
        hashlib.sha256(file.read_bytes()).digest()
        for file in (world.folder / "site/metadata").iterdir()
    }
    kept = trust(world)
    assert "news" not in kept
    assert all(hashlib.sha256(data).digest() in files for data in kept.values())
    assert kept["timestamp.json"] == (world.folder / "site/metadata/timestamp.json").read_bytes()


def test_learning_of_a_release_takes_at_most_a_thousand_bytes(world: World) -> None:
    world.publish(2, let_out=False)
    before = air_bytes(world)
    world.run()
    assert len(asked(world)) == 1
    assert 0 < air_bytes(world) - before <= NEWS_BYTES


@pytest.mark.parametrize("pace", [None, Pace(2, 3000, 3, 24, 0, 1_000_000)])
def test_the_first_release_ever_costs_no_more_than_others(world: World, pace: Pace | None) -> None:
    """What its entry says for the first time stands in the dictionary."""
    before = air_bytes(world)
    world.publish(2, let_out=False, pace=pace)
    world.run()
    first = air_bytes(world) - before
    world.publish(3, let_out=False, pace=pace)
    world.run()
    assert first <= NEWS_BYTES
    assert abs(first - (air_bytes(world) - before - first)) < 100


def test_a_release_that_is_let_out_at_once_costs_what_it_is_quoted_at(world: World) -> None:
    """Its entry with a patch and a text, and the plan that names it; not its payload."""
    world.facts["battery_mv"] = 3000
    text = {"en": "Faster receipts"}
    world.publish(2, reader_of_patches(2), {1: reader_of_patches(1)}, text=text)
    world.run()
    before = air_bytes(world)
    world.site.requests.clear()
    world.publish(3, reader_of_patches(3), {2: reader_of_patches(2)}, text=text, let_out=False)
    world.repository.set_rollout("stable", 3, 1, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.time_s += 1000
    world.run()
    assert len(world.site.requests) == 1
    assert 800 < air_bytes(world) - before <= quote.LEARN_BYTES


def test_a_terminal_with_its_root_alone_learns_all_in_one_answer(tmp_path: Path) -> None:
    made = World(tmp_path)
    made.site = made.http.transport.site = OurSite(tmp_path / "site")
    made.publish(2)
    before = air_bytes(made)
    made.run()
    assert asked(made)[0] == ("/tuf/news/1.0.stable.1", 200)
    assert made.switched_to() == 2
    assert sum("metadata" in path for path, _ in asked(made)) == 0
    payloads = sum(size for path, _, _, size in made.site.requests if "stable/" in path)
    assert air_bytes(made) - before - payloads <= REFRESH_BYTES


def test_files_without_a_snapshot_count_for_nothing(world: World) -> None:
    """As a new root leaves them: what comes is a patch to the root alone."""
    for name in ("snapshot", "timestamp"):
        (world.data / "trust" / f"{name}.json").unlink()
    world.publish(2)
    world.run()
    assert asked(world)[0] == ("/tuf/news/1.0.stable.1", 200)
    assert world.switched_to() == 2


def test_both_ends_have_the_dictionary_of_the_format_s_page() -> None:
    text = (ROOT / "docs/formats/preset-1.txt").read_bytes()
    assert terminal.PRESET == PRESET == text
    assert hashlib.sha256(text).hexdigest()[:16] == "1b70d7da66a27b9a", (
        "terminals in the field have it"
    )


def test_a_terminal_of_before_is_answered_without_the_dictionary(world: World) -> None:
    here = terminal.place(world.client._trust, "stable")
    world.publish(2, let_out=False)
    metadata = world.folder / "site/metadata"
    before = news.news(metadata, here.removesuffix(".1"))
    now = news.news(metadata, here)
    assert before and now and len(now) < len(before)
    assert news.news(metadata, "1.0.stable") is None


def test_nothing_new_is_said_in_few_bytes(world: World) -> None:
    before = air_bytes(world)
    world.run()
    (only,) = asked(world)
    assert only[0].startswith("/tuf/news/") and only[1] == 304
    assert air_bytes(world) - before <= 200


@pytest.mark.parametrize(
    ("role", "is_older"),
    [
        ("targets", False),
        ("stable", False),
        ("stable", True),
        ("catalogue", False),
        ("rollout-stable", False),
    ],
)
def test_a_look_that_was_cut_asks_file_by_file_and_the_next_one_for_all(
    world: World, role: str, is_older: bool
) -> None:
    """What all in one answer begins from is what the snapshot here lists: not all of it is here."""
    file = world.data / "trust" / f"{role}.json"
    older = file.read_bytes()
    world.publish(2, let_out=False)
    world.run()
    world.site.requests.clear()
    if is_older:
        assert file.read_bytes() != older
        file.write_bytes(older)
    else:
        file.unlink()
    world.publish(3, let_out=False)
    world.run()
    assert not [path for path, _ in asked(world) if "news" in path]
    world.site.requests.clear()
    world.publish(4)
    world.run()
    assert asked(world)[0][0].startswith("/tuf/news/") and asked(world)[0][1] == 200
    assert world.switched_to() == 4


@pytest.mark.parametrize("at", [0, 3, 5, 40, -6])  # the last bytes may say what zeros say, too
def test_news_that_were_spoiled_cost_one_question_and_nothing_else(world: World, at: int) -> None:
    def spoil(path: str, data: bytes) -> bytes:
        if "news" not in path or not data:
            return data
        spoiled = bytearray(data)
        spoiled[at] ^= 0x41
        return bytes(spoiled)

    world.site.change = spoil
    world.publish(2)
    kept = trust(world)
    world.run()
    assert world.slot_b.state != "trial"
    assert trust(world) == kept
    world.run()
    assert world.switched_to() == 2
    paths = [path for path, _ in asked(world)]
    assert sum("news" in path for path in paths) == 1
    assert "/tuf/metadata/timestamp.json" in paths


def test_files_that_a_cut_left_apart_are_mended_file_by_file(world: World) -> None:
    (world.data / "trust" / "stable.json").unlink()
    world.publish(2)
    world.run()
    world.run()
    assert world.switched_to() == 2


def test_a_forged_answer_changes_no_trust(world: World) -> None:
    """Somebody on the way makes news of what was never signed."""
    forged = b"\0\x09" + b'{"a": 1}!' + b"\0\0" * 5
    here = [world.folder / "site/metadata/1.root.json"]
    kept = trust(world)
    base = here[0].read_bytes() + b"".join(
        kept[name]
        for name in (
            *("snapshot.json", "targets.json", "stable.json", "catalogue.json"),
            "rollout-stable.json",
        )
        if name in kept
    )
    base += PRESET
    answer = news._coded(base, forged)
    assert answer is not None
    world.site.change = lambda path, data: answer if "news" in path and data else data
    world.publish(2)
    world.run()
    assert trust(world) == kept
    assert world.says("news: ")
    world.run()
    assert world.switched_to() == 2


def test_a_new_root_is_asked_for_file_by_file(world: World) -> None:
    metadata = world.folder / "site/metadata"
    snapshot = terminal.place(world.client._trust, "stable")
    assert news.news(metadata, snapshot) is not None
    (metadata / "2.root.json").write_bytes(b"{}")
    assert news.news(metadata, snapshot) is None


@pytest.mark.parametrize(
    "place", ["", "1.1", "1.1.stable.x", "1.1.stable.2", "1.99.stable.1", "../1.1.stable"]
)
def test_a_place_that_nobody_is_at_has_no_news(world: World, place: str) -> None:
    assert news.news(world.folder / "site/metadata", place) is None


def test_prices_that_changed_come_with_the_news(world: World) -> None:
    world.repository.set_catalogue("default", catalogue(2), world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.run()
    assert len(asked(world)) == 1
    assert world.new_catalogues == 2


def test_no_look_begins_while_a_merchant_is_about_something(world: World) -> None:
    world.publish(2)
    world.facts["open_sale"] = True
    assert world.run() == 5
    assert (asked(world), world.client.waits) == ([], [0, "gate_sale"])
    world.facts["open_sale"] = False
    world.run()
    assert world.switched_to() == 2


@pytest.mark.parametrize("trouble", [None, MemoryError])
def test_what_came_is_not_asked_for_again_where_a_look_finds_no_room(
    world: World, trouble: type[Exception] | None
) -> None:
    """A merchant begins something, or the heap is full, between any two steps of a look."""
    facts = dict(world.facts)
    steps = 0

    def gate_facts() -> dict[str, Any]:
        nonlocal steps
        steps -= 1
        if trouble and not steps:
            raise trouble
        return facts | {"open_sale": not steps}

    world.client._gate_facts = gate_facts
    cut = 0
    for step in range(2, 20):
        world.publish(step, let_out=False)
        before = air_bytes(world)
        world.site.requests.clear()
        steps = step
        pause_s = world.run()
        is_cut = world.client.waits is not None
        if is_cut:
            assert pause_s == (900 if trouble else 5)
            assert world.client.waits == [0, "memory" if trouble else "gate_sale"]
            cut += 1
            world.run()
        assert (len(asked(world)), world.client.waits) == (1, None)
        assert air_bytes(world) - before <= NEWS_BYTES
        if not is_cut:
            break
    # timestamp, targets, channel, prices, plan
    assert cut == 6, "before each of the files, and before what is run is chosen"
