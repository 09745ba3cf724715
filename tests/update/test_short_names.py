"""A payload that one request brings is asked for by a short name, where the server has such names;
by its whole name everywhere else, and for each further piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.static_site import Site
from tests.update.test_news import OurSite
from tests.update.world import World, image, reader_of_patches
from updater_server.faces.files import StaticFiles
from updater_server.faces.lanes import Lane

PAYLOAD_HEADS_BYTES = 120
"""Of a question for a payload and of its answer, without TCP's."""


def a_world(folder: Path, site: Callable[[Path], Site]) -> World:
    """A terminal that has looked once, and for which there is a patch now."""
    running = reader_of_patches(1)
    made = World(folder, running)
    made.site = made.http.transport.site = site(folder / "site")
    made.run()
    made.site.requests.clear()
    made.publish(2, reader_of_patches(2), {1: running})
    return made


def payloads(world: World) -> list[tuple[str, int]]:
    """(path, status) of what was asked of payloads."""
    asked = [(path, status) for path, _, status, _ in world.site.requests]
    return [one for one in asked if "/news/" not in one[0] and "/metadata/" not in one[0]]


def test_a_small_payload_is_asked_for_by_its_short_name_and_comes_with_few_heads(
    tmp_path: Path,
) -> None:
    world = a_world(tmp_path, OurSite)
    spent: list[int] = []
    respond = world.site.respond

    def weighed(head: bytes) -> bytes:
        answer = respond(head)
        if b"/tuf/p/" in head:
            assert b"Range" not in head
            spent.append(len(head) + 4 + answer.index(b"\r\n\r\n") + 4)
        return answer

    world.site.respond = weighed  # type: ignore[method-assign]
    world.run()
    assert world.switched_to() == 2
    ((path, status),) = payloads(world)
    assert path.startswith("/tuf/p/stable/duka-r1/") and status == 200
    assert spent and spent[0] <= PAYLOAD_HEADS_BYTES


@pytest.mark.parametrize("site", [Site, OurSite])
def test_a_server_of_before_and_a_store_are_asked_by_whole_names(
    tmp_path: Path, site: Callable[[Path], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("updater_server.faces.files._SHORT_FOLDER", "none")
    world = a_world(tmp_path, site)
    world.run()
    assert world.switched_to() == 2
    *short, whole = payloads(world)
    assert whole[0].startswith("/tuf/targets/stable/") and whole[1] == 200
    assert [status for _, status in short] == ([404] if site is OurSite else [])
    assert world.client.record.tried != 2 or not world.client.record.faults


def test_what_was_cut_is_resumed_by_its_whole_name(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.site = world.http.transport.site = OurSite(tmp_path / "site")
    world.run()
    world.site.requests.clear()
    world.publish(2, image(2, 12_000))
    respond = world.site.respond

    def cut(head: bytes) -> bytes:
        if b"/tuf/p/" in head:
            world.site.cut_after_bytes = 6000
        return respond(head)

    world.site.respond = cut  # type: ignore[method-assign]
    for _ in range(3):
        world.run()
    assert world.switched_to() == 2
    (short, _), (whole, status) = payloads(world)
    assert short.startswith("/tuf/p/") and whole.startswith("/tuf/targets/") and status == 206


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    """Payloads, two that begin alike, one that is large, and what must stay hidden."""
    place = tmp_path / "targets/stable/duka-r1"
    place.mkdir(parents=True)
    (tmp_path / "metadata").mkdir()
    for name, size in (("a" * 64, 700), ("b" * 64, 65537), ("c" * 16 + "0" * 48, 1)):
        (place / f"{name}.2-from-1.patch").write_bytes(bytes(size))
    (place / f"{'a' * 64}.3-from-1.patch").write_bytes(bytes(700))  # the same under another name
    (place / f"{'c' * 16}{'1' * 48}.3.full").write_bytes(b"other")
    (tmp_path / "secret").write_bytes(b"secret")
    (place / f"{'d' * 64}.4.full").symlink_to(tmp_path / "secret")
    (tmp_path / "targets/up").mkdir()
    (tmp_path / "targets/up/link").symlink_to(place, target_is_directory=True)
    return StaticFiles(tmp_path, Lane("files", 1, 0, 1))


def test_a_short_name_brings_the_whole_payload_and_nothing_but_its_length(
    files: StaticFiles,
) -> None:
    answer = files.answer("GET", "p/stable/duka-r1/" + "a" * 16, {})
    assert (answer.status, answer.headers, answer.body) == (200, (), bytes(700))


@pytest.mark.parametrize(
    "path",
    [
        "p/stable/duka-r1/" + "e" * 16,  # none
        "p/stable/duka-r1/" + "c" * 16,  # two contents
        "p/stable/duka-r1/" + "b" * 16,  # more than one piece
        "p/stable/duka-r1/" + "d" * 16,  # a link
        "p/up/link/" + "a" * 16,  # behind a link
        "p/stable/duka-r1/" + "a" * 15,
        "p/stable/duka-r1/" + "a" * 64,
        "p/stable/duka-r1/" + "A" * 16,
        "p/stable/../" + "a" * 16,
        "p/.hidden/duka-r1/" + "a" * 16,
        "p/stable/" + "a" * 16,
        "p/stable/duka-r1/x/" + "a" * 16,
    ],
)
def test_other_short_names_are_not_found(files: StaticFiles, path: str) -> None:
    assert files.answer("GET", path, {}).status == 404
