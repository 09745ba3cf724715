"""The release manager's and the technician's command lines, as typed: what they say and refuse."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.support import nursery
from tests.support.world import PASSPHRASE, PRICES, ReleaseManager, quiet_tools


class Desk:
    """A release manager's folder, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.manager = ReleaseManager(folder, folder / "repository")

    def run(self, *arguments: str | Path, passphrase: str = PASSPHRASE, **given: object) -> str:
        """Run `python -m tools …`; both outputs together, exit code first."""
        environment = {**os.environ, "COLUMNS": "80", "DUKA_PASSPHRASE": passphrase}
        typed = str(given.get("typed", ""))
        done = nursery.run("tools", *map(str, arguments), typed=typed, environment=environment)
        return f"{done.returncode}\n{done.stdout}{done.stderr}"

    def release(self, *arguments: str | Path, **given: str) -> str:
        """`python -m tools release …` on this desk's keys and repository."""
        keys = ("--keys", self.manager.keys, "--repository", self.manager.repository)
        return self.run("release", *arguments, *keys, **given)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys, and release 1 published; images 1 and 2 built."""
    desk = Desk(tmp_path_factory.mktemp("desk") / "desk")
    with quiet_tools():
        desk.manager.create()
        desk.manager.check_out()
        desk.manager.add(desk.manager.build(1, "1.0.0"))
        desk.manager.set_prices()
        desk.manager.publish()
        desk.manager.build(2, "1.1.0")
    return desk.manager.keys.parent


@pytest.fixture
def desk(prepared: Path, tmp_path: Path) -> Desk:
    shutil.copytree(prepared, tmp_path / "desk")
    return Desk(tmp_path / "desk")


def image(desk: Desk, number: int) -> Path:
    return desk.manager.images / f"duka-r1-{number}.romfs"


def offered(desk: Desk) -> str:
    return desk.run("release", "show", "--json", "--repository", desk.manager.repository)


def test_from_nothing_to_a_published_release(desk: Desk, tmp_path: Path) -> None:
    new = Desk(tmp_path / "new")
    keys = ("--keys", new.manager.keys, "--repository", new.manager.repository)
    assert new.run("keys", "ceremony", "--alone", *keys).startswith("0\n")
    prices = tmp_path / "prices.json"
    prices.write_bytes(PRICES.encode())
    said = new.release("sign", "stable", "--image", image(desk, 1), "--yes")
    assert "You sign: for channel stable:" in said and "release 1 (1.0.0) of duka-r1" in said
    assert new.release("sign", "catalogue", "--prices", prices, "--yes").startswith("0\n")
    assert "Published" in new.release("publish", "--yes")
    shown = offered(new)
    assert shown.startswith("0\n")
    assert "1.0.0" in json.dumps(json.loads(shown[2:]))
    sound = new.run("release", "verify", "--repository", new.manager.repository)
    assert sound.startswith("0\nSound")


def test_nothing_is_signed_by_one_who_says_no(desk: Desk) -> None:
    before = offered(desk)
    said = desk.release("sign", "stable", "--image", image(desk, 2), typed="n\n")
    assert said.startswith("1\n")
    assert not (desk.manager.repository / "staged" / "stable.json").exists()
    assert offered(desk) == before


def test_a_wrong_passphrase_opens_no_key(desk: Desk) -> None:
    said = desk.release("publish", "--yes", passphrase="open sesame")
    assert said.startswith("1\n") and "\nerror: " in said
    assert "passphrase" in said
    assert "Traceback" not in said


def test_too_few_signatures_are_not_published(desk: Desk) -> None:
    for number in (2, 3):
        (desk.manager.keys / f"stable-{number}.pem").unlink()
    said = desk.release("sign", "stable", "--image", image(desk, 2), "--yes")
    assert "signature(s) missing" in said
    said = desk.release("publish", "--yes")
    assert said.startswith("1\n") and "\nerror: " in said
    assert "stable" in said
    assert "1.1.0" not in offered(desk)


def test_a_release_number_that_does_not_rise_is_refused(desk: Desk) -> None:
    said = desk.release("sign", "stable", "--image", image(desk, 1), "--yes")
    assert said.startswith("1\n")
    assert "must be higher" in said.replace("\n", " ")


def test_what_is_no_release_image_is_refused(desk: Desk, tmp_path: Path) -> None:
    for name, content in (("text", b"hello"), ("cut", image(desk, 2).read_bytes()[:9000])):
        file = tmp_path / name
        file.write_bytes(content)
        said = desk.release("sign", "stable", "--image", file, "--yes")
        assert said.startswith("1\nerror: this is not a release image"), said
    assert desk.release("sign", "stable", "--image", tmp_path / "none", "--yes")[0] != "0"


def test_an_image_from_uncommitted_changes_is_refused(desk: Desk) -> None:
    file = desk.manager.checkout / "firmware" / "log.py"
    file.write_text(file.read_text() + "\n# a last-minute thought\n")
    with quiet_tools():
        dirty = desk.manager.build(2, "1.1.0")
    said = desk.release("sign", "stable", "--image", dirty, "--yes")
    assert said.startswith("1\nerror:")
    assert "uncommitted changes" in said
    assert not (desk.manager.repository / "staged" / "stable.json").exists()


def test_an_unknown_channel_is_refused_by_name(desk: Desk) -> None:
    said = desk.release("sign", "nightly", "--image", image(desk, 2), "--yes")
    assert said[0] != "0"
    assert "nightly" in said
    assert "Traceback" not in said


def test_a_price_list_that_is_none_is_refused(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"version": 1}')
    said = desk.release("sign", "catalogue", "--prices", file, "--yes")
    assert said.startswith("1\nerror:")


def test_a_repository_somebody_changed_does_not_verify(desk: Desk) -> None:
    newest = max((desk.manager.repository / "metadata").glob("*.stable.json"))
    newest.write_bytes(newest.read_bytes().replace(b"1.0.0", b"6.6.6"))
    said = desk.run("release", "verify", "--repository", desk.manager.repository)
    assert said.startswith("1\n")
    assert "Traceback" not in said


def test_keys_are_never_made_over_old_ones(desk: Desk) -> None:
    keys = ("--keys", desk.manager.keys, "--repository", desk.manager.repository)
    said = desk.run("keys", "ceremony", "--alone", *keys)
    assert said.startswith("1\n") and "\nerror: " in said
    assert "never overwritten" in said.replace("\n", " ")


@pytest.mark.parametrize("room", ["release", "keys", "tech", "release sign", "keys rotate"])
def test_help_fits_a_terminal_of_eighty_columns(desk: Desk, room: str) -> None:
    said = desk.run(*room.split(), "--help")
    assert said.startswith("0\n")
    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said, "a sentence is cut short"
