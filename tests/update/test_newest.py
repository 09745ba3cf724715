"""What the server says under its seal about the newest file spares the question, and no more."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.office.messenger import NoNetwork
from tests.update.world import NOW, World, catalogue
from updater_server.channels.newest import TAG_BYTES, Newest


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.run()
    world.site.requests.clear()
    return world


def newest(world: World) -> bytes:
    """As the server says it."""
    tag = Newest(world.folder / "site").tag()
    assert tag is not None
    return tag


def test_a_terminal_that_has_what_is_newest_asks_for_nothing(world: World) -> None:
    world.client.newest.told(newest(world))
    assert world.run() == 900
    assert world.site.requests == []


def test_after_a_start_it_asks_for_nothing_either(world: World) -> None:
    world.reboot()
    world.client.newest.told(newest(world))
    world.run()
    assert world.site.requests == []


def test_what_is_new_is_fetched_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(  # MicroPython's own
        asyncio, "wait_for_ms", lambda work, ms: asyncio.wait_for(work, ms / 1000), raising=False
    )
    world.client.newest.told(newest(world))
    world.publish(2)
    world.client.newest.told(newest(world))
    asyncio.run(asyncio.wait_for(world.client.newest.rest(600_000), 5))  # ends, for there is news
    world.run()
    assert world.switched_to() == 2


def test_nothing_is_downloaded_anew_because_the_server_said_so(world: World) -> None:
    world.client.newest.told(bytes(TAG_BYTES))
    world.run()
    assert [status for _, _, status, _ in world.site.requests] == [304]


def test_an_old_word_is_not_believed(world: World) -> None:
    world.client.newest.told(newest(world))
    world.time_s += 2 * 900
    world.run()
    assert [status for _, _, status, _ in world.site.requests] == [304]


def test_a_clock_that_was_set_back_makes_no_word_new(world: World) -> None:
    world.client.newest.told(newest(world))
    world.time_s -= 600
    world.run()
    assert world.site.requests


def test_once_a_day_it_looks_itself(world: World) -> None:
    world.time_s += 86400
    world.client.newest.told(newest(world))
    world.run()
    assert world.site.requests[0][2] == 200


def test_a_switch_rests_on_a_fresh_answer_whatever_was_told(world: World) -> None:
    world.publish(2)
    world.facts["battery_mv"] = 3000
    world.run()
    world.client.newest.told(newest(world))
    world.facts["battery_mv"] = 4000
    world.site.requests.clear()
    world.run()
    assert world.switched_to() == 2
    assert [status for path, _, status, _ in world.site.requests if "timestamp" in path] == [200]


def before_it_restarts(world: World, answer: Callable[[], bytes | None]) -> list[int]:
    """What the terminal says before it restarts, and the server's `answer`: the newest tag, b"" for
    none, None where nobody answers."""
    said: list[int] = []

    async def on_restart(release: int) -> None:
        said.append(release)
        tag = answer()
        if tag is None:
            raise NoNetwork("nobody")
        if tag:
            world.client.newest.told(tag)

    world.client.on_restart = on_restart
    return said


def timestamps(world: World) -> int:
    return sum("timestamp" in path for path, *_ in world.site.requests)


def test_the_sealed_answer_before_the_restart_spares_the_last_question(world: World) -> None:
    said = before_it_restarts(world, lambda: newest(world))
    world.publish(2)
    world.run()
    assert (world.switched_to(), said, timestamps(world)) == (2, [2], 1)


def test_a_halt_that_the_sealed_answer_shows_stops_the_switch(world: World) -> None:
    def halts() -> bytes:
        world.repository.halt("stable", 2, world.all_signers, NOW)
        world.repository.publish(world.all_signers, NOW)
        return newest(world)

    said = before_it_restarts(world, halts)
    world.publish(2)
    world.run()
    assert (world.switched_to(), said, world.resets) == (1, [2], 0)
    assert world.says("there is news")
    world.run()
    assert world.switched_to() == 1


@pytest.mark.parametrize("answer", [None, b""], ids=["nobody answered", "nothing was named"])
def test_without_a_word_of_what_is_newest_it_asks_before_it_switches(
    world: World, answer: bytes | None
) -> None:
    said = before_it_restarts(world, lambda: answer)
    world.publish(2)
    world.client.newest.told(b"old word")
    world.run()
    assert (world.switched_to(), said, timestamps(world)) == (2, [2], 2)


def test_an_older_word_of_the_server_is_no_fresh_answer(world: World) -> None:
    """It named what is here a minute ago; nobody answers now, and the release was halted since."""

    def halted_meanwhile() -> None:
        world.repository.halt("stable", 2, world.all_signers, NOW)
        world.repository.publish(world.all_signers, NOW)

    before_it_restarts(world, halted_meanwhile)
    world.publish(2)
    world.client.newest.told(newest(world))
    world.run()
    assert world.switched_to() == 1


def test_the_tag_is_the_one_that_the_files_are_served_with(world: World) -> None:
    file = world.folder / "site" / "metadata" / "timestamp.json"
    assert newest(world).hex() == hashlib.sha256(file.read_bytes()).hexdigest()[: 2 * TAG_BYTES]
    reader = Newest(world.folder / "site")
    before = reader.tag()
    world.repository.set_catalogue("default", catalogue(2), world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    assert before != reader.tag() == newest(world)


def test_a_server_without_channels_says_nothing(tmp_path: Path) -> None:
    assert Newest(tmp_path).tag() is None


def test_a_file_that_is_replaced_while_it_is_read_is_not_taken_for_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "metadata" / "timestamp.json"
    file.parent.mkdir()
    file.write_bytes(b"old")
    new = tmp_path / "new"
    new.write_bytes(b"the new one")
    opens = Path.open

    def opens_and_loses(path: Path, mode: str) -> object:
        found = opens(path, mode)
        if new.exists():
            new.replace(file)
        return found

    reader = Newest(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", opens_and_loses)
        assert reader.tag() == hashlib.sha256(b"old").digest()[:TAG_BYTES]
    assert reader.tag() == hashlib.sha256(b"the new one").digest()[:TAG_BYTES]
