"""A price list comes into force once the reader that sells from it has read it; until then the one
before stays, and what was refused is told.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bootloader.shared import tidy
from firmware.flows.steps import choose
from firmware.kept.files import Kept
from firmware.sales import catalogue as prices
from tests.update.world import NOW, World, catalogue
from updater_server.channels import Catalogue, Product, ReleaseRefused


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def sign(world: World, listed: Catalogue, back: bool = False) -> None:
    world.repository.set_catalogue("default", listed, world.all_signers, NOW, back=back)
    world.repository.publish(world.all_signers, NOW)


def slip_in(world: World, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed by keys whose tools hold other limits than this terminal."""
    monkeypatch.setattr(Catalogue, "check", lambda self: None)
    monkeypatch.setattr(Catalogue, "encode", lambda self: content)
    sign(world, catalogue(2))
    monkeypatch.undo()


def stored(world: World) -> int:
    return int(json.loads((world.data / "catalogue.json").read_bytes())["version"])


def with_(**changes: Any) -> bytes:
    return json.dumps({**json.loads(catalogue(2).encode()), **changes}).encode()


REFUSED = {
    "a version beyond fifteen digits": with_(version=10**15),
    "a currency of two letters": with_(currency="KE"),
    "an offline age of two years": with_(
        offline={"max_amount_minor": 1, "max_count": 1, "max_total_minor": 1, "max_age_s": 63072000}
    ),
    "instructions of 201 letters": with_(
        products=[{**json.loads(catalogue(2).encode())["products"][0], "instructions": "x" * 201}]
    ),
    "thirteen KiB": with_(more="x" * 13000),
    "no JSON": b"{" * 20,
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_signed_list_that_cannot_be_sold_from_leaves_the_old_one_and_is_told(
    world: World, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    slip_in(world, REFUSED[wrong], monkeypatch)
    world.run()
    assert stored(world) == 1
    assert world.new_catalogues == 1
    assert prices.load(str(world.data / "catalogue.json")).version == 1
    refused = world.client._kept.refused
    assert list(refused) == ["catalogue.json"]
    # Not asked for again and again: the word was signed.
    world.site.requests.clear()
    world.run()
    assert [request[2] for request in world.site.requests] == [304]
    # The next list mends it, whatever version the refused one had.
    sign(world, catalogue(3), back=True)
    world.run()
    assert stored(world) == 3


def test_a_list_that_another_reader_took_is_not_let_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault that was: whoever stores looks less closely than whoever sells."""

    def lax(path: str = "") -> None:
        pass

    world.run()
    slip_in(world, REFUSED["a currency of two letters"], monkeypatch)
    monkeypatch.setattr(prices, "load", lax)
    world.run()
    assert stored(world) == 2, "stored unread"
    monkeypatch.undo()
    with pytest.raises(prices.CatalogueError):
        prices.load(str(world.data / "catalogue.json"))


def test_a_list_with_date_and_time_for_a_version_is_sold_from(world: World) -> None:
    world.run()
    sign(world, msgspec.structs.replace(catalogue(2), version=202611261430))
    world.run()
    assert prices.load(str(world.data / "catalogue.json")).version == 202611261430


def test_the_longest_list_comes_in_and_is_sold_from(world: World) -> None:
    first = catalogue(2).products[0]
    listed = msgspec.structs.replace(
        catalogue(2),
        products=[
            Product(f"p{n}", "Fifty", "Op", 5000, 250, "x" * 50, [4, 4, 4, 4]) for n in range(64)
        ],
    )
    assert first.product_id not in [p.product_id for p in listed.products]
    sign(world, listed)
    world.run()
    assert len(prices.load(str(world.data / "catalogue.json")).products) == 64


def test_an_earlier_price_list_is_put_back_over_the_air(world: World) -> None:
    world.run()
    sign(world, msgspec.structs.replace(catalogue(2), version=10**15 - 1))
    world.run()
    with pytest.raises(ReleaseRefused, match="--back"):
        sign(world, catalogue(1))
    sign(world, catalogue(1), back=True)
    world.run()
    assert prices.load(str(world.data / "catalogue.json")).version == 1
    with pytest.raises(ReleaseRefused):
        sign(world, msgspec.structs.replace(catalogue(9), version=1), back=True)


def test_without_a_usable_list_the_next_poll_asks_without_a_condition(world: World) -> None:
    world.run()
    (world.data / "catalogue.json").write_bytes(b"spoiled")
    world.reboot()
    files = Kept(False)
    with pytest.raises(prices.CatalogueError):
        files.load(prices.load, str(world.data / "catalogue.json"))
    world.client._kept = files
    world.run()
    assert stored(world) == 1


def test_a_list_that_is_gone_is_asked_for_without_a_condition(world: World) -> None:
    world.run()
    (world.data / "catalogue.json").unlink()
    world.reboot()
    world.run()
    assert stored(world) == 1


def test_a_list_that_did_not_come_is_asked_for_again(world: World) -> None:
    honest, world.site.change = (
        world.site.change,
        lambda path, data: b"" if "default.json" in path else data,
    )
    world.run()
    assert not (world.data / "catalogue.json").exists()
    world.site.change = honest
    world.run()
    assert stored(world) == 1


def test_a_release_numbered_by_its_date_is_seen_and_can_be_taken_off_the_list(
    world: World,
) -> None:
    world.publish(2026112601)
    assert world.repository.published.releases("stable")[0].release == 2026112601
    world.facts["battery_mv"] = 3000
    world.run()
    assert world.says("release 2026112601")
    with pytest.raises(ReleaseRefused, match="must be higher"):
        world.publish(7)
    world.repository.unlist("stable", 2026112601, "duka-r1", world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.publish(7)
    world.facts["battery_mv"] = 4000
    world.run()
    assert world.switched_to() == 7


def test_a_release_that_others_stand_on_is_not_taken_off_the_list(world: World) -> None:
    world.publish(2)
    world.publish(3, stepping_stone=2)
    with pytest.raises(ReleaseRefused, match="stepping stone"):
        world.repository.unlist("stable", 2, "duka-r1", world.all_signers, NOW)
    for channel, number in (("stable", 9), ("nowhere", 3)):
        with pytest.raises(ReleaseRefused):
            world.repository.unlist(channel, number, "duka-r1", world.all_signers, NOW)


# --- the copies that worked ---


def test_a_list_that_is_spoiled_while_it_is_in_use_is_read_anew_and_ends_nothing(
    world: World,
) -> None:
    world.run()
    path = world.data / "catalogue.json"
    files = Kept(True)
    read: list[prices.Catalogue] = [files.load(prices.load, str(path))]

    class App:
        def new_catalogue(self) -> None:
            read.append(files.load(prices.load, str(path)))

        @property
        def catalogue(self) -> prices.Catalogue:
            return read[-1]

        def money(self, amount_minor: int) -> str:
            return str(amount_minor)

        def words(self, key: str) -> str:
            return key

        class ui:
            @staticmethod
            async def choose(title: str, items: list[tuple[str, str]], **_: object) -> int:
                return 0

    path.write_bytes(b"?" * path.stat().st_size)
    assert read[0].product("air50") is None
    assert asyncio.run(choose.choose(App(), "pin")) is None
    assert asyncio.run(choose.choose(App(), "pin")).id == "air50"
    assert list(files.refused) == ["catalogue.json"]


def reader(path: str) -> int:
    try:
        return int(Path(path).read_text())
    except OSError as error:
        raise ValueError("missing") from error


def test_the_copy_that_worked_last_is_used_until_a_good_file_comes(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("1")
    files = Kept(True)
    assert files.load(reader, str(path)) == 1
    path.write_text("wrong")
    files = Kept(True)
    assert files.load(reader, str(path)) == 1
    assert list(files.refused) == ["config.json"]
    path.unlink()
    files = Kept(True)
    assert files.load(reader, str(path)) == 1
    assert files.refused == {}, "it never came"
    path.write_text("2")
    assert files.load(reader, str(path)) == 2
    assert files.refused == {}
    path.write_text("wrong")
    assert files.load(reader, str(path)) == 2


def test_a_release_on_trial_leaves_the_copy_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("1")
    Kept(True).load(reader, str(path))
    path.write_text("2")
    assert Kept(False).load(reader, str(path)) == 2
    assert reader(str(path) + ".last") == 1


def test_a_full_disk_costs_the_copy_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    path.write_text("1")

    def full(*_: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("os.rename", full)
    assert Kept(True).load(reader, str(path)) == 1


def test_tidying_up_leaves_the_copies_that_worked(tmp_path: Path) -> None:
    for name in ("config.json", "catalogue.json"):
        (tmp_path / name).write_text("1")
        assert Kept(True).load(reader, str(tmp_path / name)) == 1
    for name in ("config.json.new", "nobodys"):
        (tmp_path / name).write_text("x")
    tidy.tidy(True, str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "catalogue.json", "catalogue.json.last", "config.json", "config.json.last",
    ]  # fmt: skip


def test_settings_of_a_technician_take_the_place_of_those_that_were_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "config.json")
    files = Kept(True)
    Path(path).write_text("1")
    files.load(reader, path)
    Path(path).write_text("wrong")
    assert files.load(reader, path) == 1
    assert Path(files.in_use(path)).read_text() == "1"
    files.put(path, b"3")
    assert (files.in_use(path), files.refused) == (path, {})
    assert files.load(reader, path) == 3
