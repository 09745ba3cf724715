"""A commit whose checks have passed is on `ci` without a hand, goes further where it asks to, and
waits for people where they must sign.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.release.desk import Desk
from tools.release.numbering import next_number, version_of
from updater_server import channels
from updater_server.channels import pipeline, pipeline_table
from updater_server.channels.audit import AuditLine
from updater_server.channels.history import History


class Machine(Desk):
    """A build machine: a desk, and a small checkout with what an image needs."""

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def check_out(self) -> None:
        for name in ("firmware/main.py", "bootloader/shared/one.py"):
            file = self.checkout / name
            file.parent.mkdir(parents=True)
            file.write_text("X = 1\n")
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        git = shutil.which("git")
        assert git
        who = ("-c", "user.name=A", "-c", "user.email=a@duka.example")
        line = [git, "-C", str(self.checkout), *who, *words]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()

    def change(self, message: str) -> str:
        """A commit that changes the firmware; returns its name."""
        file = self.checkout / "firmware/main.py"
        file.write_text(file.read_text() + f"Y{len(file.read_text())} = 2\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def released(self, *words: str) -> Any:
        """`release commit`; what it told a program."""
        source = ("--source", str(self.checkout))
        return json.loads(self.type("release", "commit", *words, *source, "--json"))

    def refused(self, *words: str) -> str:
        """`release commit`, which refuses and changes nothing; its text."""
        before = self.files()
        source = ("--source", str(self.checkout))
        said = self.type("release", "commit", *words, *source, fails=True)
        assert self.files() == before
        return " ".join(said.split())

    def onwards(self, *words: str) -> list[str]:
        """`release onwards`; release, channel and outcome of each line."""
        told = json.loads(self.type("release", "onwards", *words, "--json"))
        return [f"{each['release'] % 100} {each['to']} {each['outcome']}" for each in told]

    def files(self) -> dict[str, bytes]:
        found = self.repository.rglob("*")
        return {str(p): p.read_bytes() for p in found if p.is_file() and p.name != ".lock"}

    def everywhere(self, number: int, channel: str) -> None:
        """Everybody on `channel` has the release, in force."""
        self.let_out(channel, number)
        self.publish()

    def without(self, *names: str) -> None:
        """Those keys are elsewhere."""
        for name in names:
            for file in self.keys.glob(f"{name}-*"):
                file.rename(self.folder / file.name)

    def back(self, *names: str) -> None:
        """Those keys are here again."""
        for name in names:
            for file in self.folder.glob(f"{name}*.pem"):
                file.rename(self.keys / file.name)

    def listed(self, channel: str) -> list[int]:
        return [entry.release for entry in self.opened.published.releases(channel)]

    def states(self) -> list[str]:
        found = History(self.repository)
        found.follow()
        return [pipeline_table.state_of(found, p) for p in pipeline.passages(found)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine") / "machine"
    Desk.make(folder)
    Machine(folder).check_out()
    return folder


@pytest.fixture
def machine(prepared: Path, tmp_path: Path) -> Machine:
    shutil.copytree(prepared, tmp_path / "machine")
    return Machine(tmp_path / "machine")


def test_a_commit_is_on_ci_for_everybody_there_without_a_hand(machine: Machine) -> None:
    commit = machine.change("Faster receipts")
    told = machine.released()
    number = told["release"]
    assert told["done"] and told["commit"] == commit and told["asks"] == ""
    assert number // 100 == int(f"{datetime.now(UTC):%Y%m%d}") or number % 100 == 1
    (entry,) = machine.opened.published.releases("ci")
    assert (entry.commit, entry.version) == (commit, version_of(number))
    assert machine.opened.published.rollout("ci").allows(number, bytes(8))
    assert machine.opened.staged() == [] and machine.opened.verify() == []
    assert machine.states() == ["whole on ci"]
    assert machine.onwards() == [], "it asks for nothing"
    before = machine.files()
    again = machine.released()
    assert not again["done"] and again["release"] == number and "on ci already" in again["words"]
    assert machine.files() == before


def test_a_commit_that_asks_for_stable_goes_there_and_people_are_asked(machine: Machine) -> None:
    machine.change("A fix\n\nRelease-to: stable")
    number = machine.released()["release"]
    machine.without("stable")
    assert machine.states() == ["whole on ci, asks for stable"]
    assert machine.onwards("--dry-run") == ["1 alpha would"] and machine.listed("alpha") == []
    assert machine.onwards() == ["1 alpha published"]
    assert machine.onwards() == ["1 beta refused"], "nobody on alpha has it"
    said = machine.type("release", "onwards")
    assert "refused: wave not complete: release" in said
    machine.everywhere(number, "alpha")
    assert machine.onwards("--channel", "stable") == []
    assert machine.onwards("--pace", "3000,3,24", "--widens", "10") == ["1 beta published"]
    assert machine.opened.published.releases("beta")[0].widens == 10
    assert "asks for stable" in machine.states()[0]


def test_what_people_must_sign_waits_and_is_published_once_they_have(machine: Machine) -> None:
    machine.change("A fix\n\nRelease-to: alpha")
    machine.released()
    machine.without("alpha")
    assert machine.onwards() == ["1 alpha waits"]
    (waiting,) = machine.opened.staged()
    assert (waiting.role, waiting.missing) == ("alpha", 1)
    before = machine.files()
    assert machine.onwards() == ["1 alpha waits"]
    assert machine.files() == before, "a request is made once"
    key = ("--key", str(machine.folder / "alpha-1.pem"))
    machine.type("release", "sign", "alpha", *key, "--yes", keys=False)
    assert machine.onwards() == ["1 alpha published"]
    assert machine.states() == ["for nobody yet on alpha"]
    assert machine.onwards() == []


def test_what_one_key_has_signed_is_published_where_another_is_at_hand(machine: Machine) -> None:
    machine.change("A fix\n\nRelease-to: beta")
    number = machine.released()["release"]
    machine.onwards()
    machine.everywhere(number, "alpha")
    machine.without("beta", "snapshot")
    machine.back("beta-1")
    assert machine.onwards() == ["1 beta waits"]
    assert [staged.missing for staged in machine.opened.staged()] == [0]
    machine.without("beta")
    machine.back("beta-2", "snapshot")
    assert machine.onwards() == ["1 beta published"]


def test_a_request_is_signed_once_its_key_is_here(machine: Machine) -> None:
    machine.change("A fix\n\nRelease-to: alpha")
    machine.released()
    machine.without("alpha")
    assert machine.onwards() == ["1 alpha waits"]
    machine.back("alpha")
    assert machine.onwards("--dry-run") == ["1 alpha would"]
    assert machine.onwards() == ["1 alpha published"]
    assert machine.opened.verify() == [] and machine.opened.audit()


def test_a_newer_release_takes_the_place_of_a_request_that_nobody_signed(machine: Machine) -> None:
    machine.without("alpha")
    for message in ("One", "Two"):
        machine.change(f"{message}\n\nRelease-to: alpha")
        machine.released()
        told = machine.onwards()
    assert told == ["2 alpha waits", "1 alpha overtaken"]
    assert [entry.release % 100 for entry in machine.opened.new_releases("alpha")] == [2]
    machine.change("Three\n\nRelease-to: alpha")
    machine.released()
    machine.type(
        "release", "sign", "alpha", "--key", str(machine.folder / "alpha-1.pem"), "--yes",
        keys=False,
    )  # fmt: skip
    assert machine.onwards() == ["3 alpha waits", "2 alpha published"], (
        "what was signed is not lost"
    )
    assert machine.onwards() == ["3 alpha waits"]


def test_nothing_that_others_laid_down_is_signed_or_thrown_away(machine: Machine) -> None:
    machine.change("One\n\nRelease-to: alpha")
    machine.released()
    machine.stage("alpha", 7)
    (before,) = machine.opened.staged()
    assert machine.onwards() == ["1 alpha waits"]
    assert machine.opened.staged() == [before]
    machine.stage("ci", 2099010101)
    machine.change("Two")
    assert "something waits for ci" in machine.refused()


def test_a_halted_release_goes_no_further_and_is_not_built_again(machine: Machine) -> None:
    machine.change("One\n\nRelease-to: alpha")
    number = str(machine.released()["release"])
    machine.type("release", "halt", number, "--channel", "ci", "--yes")
    machine.publish()
    said = machine.type("release", "onwards")
    assert "refused: halted: release" in said
    assert "is that commit, and halted on ci by" in machine.refused()


@pytest.mark.parametrize(
    ("trailers", "said"),
    [
        ("Release-to: production", "Release-to: production: a commit asks for alpha, beta, stable"),
        ("Release-to: Beta", "Release-to: Beta"),
        ("Release-to: ci", "ci has each"),
        ("Release-to: alpha\nRelease-to: beta", "Release-to: alpha and beta; one is enough"),
        ("Release-to:", "Release-to: "),
    ],
)
def test_a_trailer_that_nobody_can_follow_is_refused_before_anything_is_built(
    machine: Machine, trailers: str, said: str
) -> None:
    (machine.checkout / "firmware/main.py").write_text("no Python(\n")
    machine.change(f"One\n\n{trailers}\nReviewed-by: A <a@duka.example>")
    refused = machine.refused()
    assert said in refused and "does not compile" not in refused
    machine.change("Two")
    assert "firmware/main.py does not compile" in machine.refused()


def test_what_was_checked_is_what_is_built(machine: Machine) -> None:
    first = machine.change("One")
    second = machine.change("Two")
    file = machine.checkout / "firmware/main.py"
    file.write_text(file.read_text() + "Z = 1\n")
    assert "uncommitted changes" in machine.refused()
    machine.git("checkout", "-q", "--", "firmware/main.py")
    assert "git knows no commit" in machine.refused("no-such-branch")
    assert machine.released(second)["done"]
    assert f"which came after {first[:12]}" in machine.refused(first)


@pytest.mark.parametrize("name", ["ci", "rollout", "snapshot", "timestamp"])
def test_a_machine_that_lacks_a_key_releases_nothing(machine: Machine, name: str) -> None:
    machine.change("One")
    machine.without(name)
    assert f"holds no key of {name}; nothing was built" in machine.refused()


def test_keys_that_the_channels_do_not_know_release_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    machine.change("One")
    shutil.copy(Desk.make(tmp_path / "other").keys / "ci-1.pem", machine.keys / "ci-1.pem")
    assert "not signed by enough keys (ci: 1 more)" in machine.refused()
    assert machine.listed("ci") == []


def test_who_writes_into_the_log_what_was_asked_is_found_out(machine: Machine) -> None:
    machine.change("One")
    machine.released()
    log = machine.repository / "audit.jsonl"
    lines = log.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if "add release to ci" in line)
    (machine.repository / "audit.jsonl").write_text(asking(lines, at))
    found = History(machine.repository)
    found.follow()
    assert list(found.asked.values()) == ["alpha"], "the chain itself is whole"
    said = machine.type("release", "onwards", fails=True)
    assert "audit log" in said and machine.listed("alpha") == []


def asking(lines: list[str], at: int) -> str:
    """The log as somebody makes it anew from that line on, with a wish in it."""

    made = [line.encode() for line in lines[:at]]
    for line in lines[at:]:
        told = msgspec.json.decode(line, type=AuditLine)
        if len(made) == at:
            told = msgspec.structs.replace(told, details={**told.details, "asks": "alpha"})
        told = msgspec.structs.replace(told, previous=hashlib.sha256(made[-1]).hexdigest())
        made.append(msgspec.json.encode(told))
    return b"\n".join([*made, b""]).decode()


def test_numbers_rise_by_day_and_are_given_once() -> None:
    day = datetime(2026, 11, 28, 23, tzinfo=UTC)
    assert next_number([], [], day) == 2026112801
    assert next_number([7], [7], day) == 2026112801
    assert next_number([2026112801], [2026112801, 2026112802], day) == 2026112803
    assert next_number([2026112899], [], day) == 2026112900
    assert next_number([2027010101], [], day) == 2027010102, "never below what is listed"
    assert (version_of(2026112801), version_of(2026112900)) == ("2026.11.28.1", "2026.11.29.0")


def test_a_wish_for_no_channel_is_not_listed(machine: Machine) -> None:
    machine.change("One")
    machine.released()
    (entry,) = machine.opened.published.releases("ci")
    with pytest.raises(channels.ReleaseRefused, match="nightly"):
        machine.opened.add_release("alpha", entry, [], asks="nightly")
