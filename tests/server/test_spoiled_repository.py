"""A repository that is half copied, unreadable, or older than it was: what was published last goes
on, a person is told, and what is whole again is taken up by itself.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import Signer

from tests.server.shop import CATALOGUE, PASSPHRASE, Shop
from tests.server.test_channels import add
from updater_server import channels, renewal
from updater_server.channels import Repository
from updater_server.faces.files import StaticFiles
from updater_server.faces.lanes import Lane
from updater_server.fleet import alarms
from updater_server.sales import prices
from updater_server.service import Service
from updater_server.store.engine import reading

PATH = "catalogue/default.json"


@pytest.fixture
def shop(tmp_path: Path, signed: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(prices, "_RETRY_S", 0.0)
    opened = Shop.open(tmp_path / "data", signed / "repository")
    opened.service.prices.catalogue(PATH)
    return opened


@pytest.fixture
def signers(signed: Path) -> list[Signer]:
    return channels.keys.load_all(signed / "keys", PASSPHRASE)


def newer(shop: Shop, signers: list[Signer], folder: Path) -> Path:
    """The repository with one more publication, elsewhere."""
    shutil.copytree(shop.folder / "repository", folder)
    repository = Repository.open(folder)
    dearer = channels.Catalogue(2, "KES", 2, CATALOGUE.products[:1], CATALOGUE.offline)
    repository.set_catalogue("default", dearer, signers)
    add(repository, signers, 1)
    repository.publish(signers)
    return folder


def again(shop: Shop) -> Service:
    """The server after a restart."""
    return Service.open(shop.folder, lambda: shop.clock[0])


def served(service: Service, name: str) -> Any:
    lane = Lane("files", 1, 0, 1)
    files = StaticFiles(service.folder.repository, lane, service.prices.folder)
    answer = files.answer("GET", f"metadata/{name}", {})
    return json.loads(answer.body)["signed"] if answer.status == 200 else None


def told(shop: Shop) -> list[str]:
    with reading(shop.service.engine) as connection:
        return [alarm["code"] for alarm in alarms.open_alarms(connection)]


def test_a_repository_that_is_half_copied_changes_nothing_until_it_is_whole(
    shop: Shop, signers: list[Signer], tmp_path: Path
) -> None:
    source = newer(shop, signers, tmp_path / "newer")
    here = shop.folder / "repository"
    files = sorted(path for path in source.rglob("*") if path.is_file())
    files = [path for path in files if ".lock" not in path.name]
    files.sort(key=lambda path: path.name != "timestamp.json")  # the worst order
    changed = [
        path
        for path in files
        if not (here / path.relative_to(source)).exists()
        or (here / path.relative_to(source)).read_bytes() != path.read_bytes()
    ]
    assert len(changed) >= 6
    for number, path in enumerate(changed):
        target = here / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        for part in (path.read_bytes()[:50], path.read_bytes()):
            target.write_bytes(part)
            is_whole = part == path.read_bytes() and number == len(changed) - 1
            for service in (shop.service, again(shop)):
                version = service.prices.catalogue(PATH).version
                timestamp = served(service, "timestamp.json")
                named = timestamp["meta"]["snapshot.json"]["version"]
                snapshot = served(service, f"{named}.snapshot.json")
                assert snapshot is not None, "what the timestamp names is there"
                for role, about in snapshot["meta"].items():
                    if role in ("targets.json", "catalogue.json"):
                        assert served(service, f"{about['version']}.{role}") is not None
                if is_whole:
                    assert version == 2
        renewal.watch(shop.service)
        if number == 0:
            assert told(shop) == ["channels_spoiled"]
    renewal.watch(shop.service)
    assert told(shop) == []
    assert shop.service.prices.catalogue(PATH).version == 2
    assert served(shop.service, "timestamp.json")["version"] == 3


@pytest.mark.parametrize("name", ["1.alpha.json", "1.rollout-ci.json", "1.stable.json"])
def test_one_list_that_cannot_be_read_stops_no_sale(
    shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.folder / "repository/metadata" / name).write_bytes(b"\x00" * 90)
    shutil.rmtree(shop.folder / "channels-last-good")
    service = again(shop)
    assert service.prices.catalogue(PATH) == CATALOGUE
    assert service.prices.repository().root_bytes()
    assert name in renewal.watch(service)
    assert told(shop) == ["channels_spoiled"]


@pytest.mark.parametrize("name", ["timestamp.json", "1.targets.json", "2.catalogue.json", "all"])
def test_a_server_that_starts_on_a_spoiled_repository_sells_at_the_last_prices(
    shop: Shop, name: str
) -> None:
    folder = shop.folder / "repository/metadata"
    if name == "all":
        shutil.rmtree(folder)
    else:
        (folder / name).write_bytes(b"{")
    service = again(shop)
    assert service.prices.catalogue(PATH) == CATALOGUE
    assert service.prices.trouble()
    assert served(service, "timestamp.json")["version"] == 2


def test_channels_that_were_put_back_to_an_older_day_are_told(
    shop: Shop, signers: list[Signer], tmp_path: Path
) -> None:
    here = shop.folder / "repository"
    shutil.copytree(here, tmp_path / "copy")
    source = newer(shop, signers, tmp_path / "newer")
    shutil.rmtree(here)
    shutil.copytree(source, here)
    shop.service.prices.catalogue(PATH)
    shutil.rmtree(here)
    shutil.copytree(tmp_path / "copy", here)
    assert "restored from a copy" in renewal.watch(shop.service)
    repository = Repository.open(here)
    repository.publish(signers)
    repository.publish(signers)
    assert "restored from a copy" in renewal.watch(shop.service), "not by more publications"
    repository.take_up_again(signers)
    repository.publish(signers)
    assert renewal.watch(shop.service) == ""
    assert told(shop) == []


def test_more_than_a_hundred_alarms_hide_none(shop: Shop) -> None:
    with shop.service.engine.begin() as connection:
        for n in range(250):
            alarms.raise_alarm(connection, None, "journal_price", f"{n}", 1000 + n)
        alarms.raise_alarm(connection, None, "float_mismatch", "old and worst", 1)
        alarms.raise_alarm(connection, None, "expiry_soon", "there are weeks", 5000)
        first = alarms.open_alarms(connection)
        assert first[0]["text"] == "old and worst", "the worst first, not the newest"
        kinds = alarms.kinds(connection)
        assert [(kind.code, kind.alarms) for kind in kinds] == [
            ("float_mismatch", 1), ("journal_price", 250), ("expiry_soon", 1)
        ]  # fmt: skip
        pages = [alarms.open_alarms(connection, offset=at) for at in range(0, 300, 100)]
        assert len({alarm["id"] for page in pages for alarm in page}) == 252
        of_kind = alarms.open_alarms(connection, limit=500, code="journal_price")
        assert len(of_kind) == 250
