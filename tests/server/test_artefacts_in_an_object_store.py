"""The channels in an object store are the channels in the folder, byte for byte, and whoever takes
them from there is a server like the one that signed them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner

from tests.server.shop import CATALOGUE, PASSPHRASE
from updater_server import artefacts, channels
from updater_server.__main__ import cli
from updater_server.errors import StateError
from updater_server.sales.prices import PriceLists

BUCKET = "channels"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["s3", "folder"])
def url(
    request: pytest.FixtureRequest, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    if request.param == "folder":
        return f"file://{tmp_path}/store"
    httpx.post(f"{endpoint}/moto-api/reset")
    httpx.put(f"{endpoint}/{BUCKET}")
    for name, value in (
        *(("AWS_ENDPOINT_URL", endpoint), ("AWS_REGION", "us-east-1")),
        *(("AWS_ACCESS_KEY_ID", "one"), ("AWS_SECRET_ACCESS_KEY", "two")),
    ):
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}"


@pytest.fixture
def repository(tmp_path: Path, signed: Path) -> Path:
    return Path(shutil.copytree(signed / "repository", tmp_path / "one" / "repository"))


def served(repository: Path) -> dict[str, bytes]:
    return {
        file.relative_to(repository).as_posix(): file.read_bytes()
        for folder in artefacts.SERVED
        for file in (repository / folder).rglob("*")
        if file.is_file()
    }


def publish_another(repository: Path, signed: Path) -> None:
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    opened = channels.Repository.open(repository)
    opened.set_catalogue("coast", CATALOGUE, signers)
    opened.publish(signers)


def test_what_comes_out_of_the_store_is_what_went_in(
    url: str, repository: Path, tmp_path: Path
) -> None:
    store = artefacts.open_store(url)
    assert artefacts.push(repository, store).is_newer
    other = tmp_path / "two" / "repository"
    got = artefacts.pull(artefacts.open_store(url), other)
    assert served(other) == served(repository)
    assert got.files == len(served(repository))
    shutil.copy2(repository / "policy.json", other / "policy.json")  # by hand, with the key
    assert PriceLists(other, tmp_path / "last-good").repository()


def test_a_store_that_speaks_s3_gives_a_terminal_the_same_bytes(
    endpoint: str, repository: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    httpx.post(f"{endpoint}/moto-api/reset")
    httpx.put(f"{endpoint}/{BUCKET}", headers={"x-amz-acl": "public-read"})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    artefacts.push(repository, artefacts.open_store(f"s3://{BUCKET}"))
    for name, content in served(repository).items():
        assert httpx.get(f"{endpoint}/{BUCKET}/{name}").content == content, name


def test_what_is_there_is_not_sent_again(
    url: str, repository: Path, signed: Path, tmp_path: Path
) -> None:
    store = artefacts.open_store(url)
    artefacts.push(repository, store)
    assert artefacts.push(repository, store) == artefacts.Brought(0, 0, False)
    other = tmp_path / "two" / "repository"
    artefacts.pull(store, other)
    publish_another(repository, signed)
    later = artefacts.push(repository, store)
    assert later.is_newer
    assert later.files < len(served(repository))
    assert artefacts.pull(store, other).files == later.files
    assert served(other) == served(repository)


def test_the_timestamp_goes_last_so_that_all_it_names_is_there(
    url: str, repository: Path, signed: Path
) -> None:
    store = artefacts.open_store(url)
    artefacts.push(repository, store)
    before = bytes(store.get(artefacts.TIMESTAMP).bytes())
    publish_another(repository, signed)
    order: list[str] = []

    class Cut:
        """A store whose network goes away after some files."""

        def __init__(self, room: int) -> None:
            self._room = room

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def put(self, name: str, content: bytes) -> None:
            if len(order) >= self._room:
                raise StateError("cut")
            order.append(name)
            store.put(name, content)

    for room in range(1, 20):
        order.clear()
        try:
            artefacts.push(repository, Cut(room))  # type: ignore[arg-type]
        except StateError:
            assert bytes(store.get(artefacts.TIMESTAMP).bytes()) == before
            continue
        break
    assert order[-1] == artefacts.TIMESTAMP
    assert bytes(store.get(artefacts.TIMESTAMP).bytes()) != before


def test_another_content_under_a_name_that_says_its_own_is_refused(
    url: str, repository: Path, tmp_path: Path
) -> None:
    store = artefacts.open_store(url)
    artefacts.push(repository, store)
    name = next(name for name in served(repository) if name.startswith("targets/"))
    store.put(name, b"something else")
    with pytest.raises(StateError, match="than its name says"):
        artefacts.pull(store, tmp_path / "two" / "repository")


def test_a_store_that_is_away_is_a_refusal_in_words(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments = ["artefacts", "pull", f"file://{tmp_path}/nothing", "--data", str(tmp_path)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 1
    assert "push them first" in done.output
