"""Publications that were cut, logs that were torn, repositories that were restored."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.exceptions import RepositoryError as TufError

from tests.server.conftest import Office
from tests.server.shop import PASSPHRASE
from tests.server.test_channels import add, client, first_root
from updater_server import channels
from updater_server.channels import Repository, carried, publication
from updater_server.channels.audit import MENDED
from updater_server.channels.metadata_file import encode


def metadata(repository: Repository, name: str) -> dict[str, Any]:
    content = json.loads((repository.directory / "metadata" / name).read_bytes())
    found: dict[str, Any] = content["signed"]["meta"]
    return found


def test_timestamp_and_snapshot_say_the_hash_of_what_they_name(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    assert "sha256" in metadata(repository, "timestamp.json")["snapshot.json"]["hashes"]
    listed = metadata(repository, "3.snapshot.json")
    assert "sha256" in listed["stable.json"]["hashes"]
    assert "sha256" in listed["catalogue.json"]["hashes"]
    assert "hashes" not in listed["beta.json"], "made once: airtime for nothing"


def test_another_file_under_a_version_that_was_published_is_found(
    office: Office, tmp_path: Path
) -> None:
    repository, signers = office
    shutil.copytree(repository.directory, tmp_path / "copy")
    add(repository, signers, 1)
    repository.publish(signers)
    other = Repository.open(tmp_path / "copy")
    add(other, signers, 2)
    other.publish(signers)
    for name in ("3.snapshot.json", "2.stable.json"):
        good = (repository.directory / "metadata" / name).read_bytes()
        shutil.copy(tmp_path / "copy/metadata" / name, repository.directory / "metadata" / name)
        with pytest.raises(channels.RepositoryDamaged, match="another file of this version"):
            Repository.open(repository.directory)
        with pytest.raises(TufError):
            updater = client(repository, tmp_path / f"client {name}", first_root(repository))
            updater.get_targetinfo("stable/duka-r1/1.full")
        (repository.directory / "metadata" / name).write_bytes(good)
    assert repository.verify() == []


@pytest.mark.parametrize("rest", [b'{"number": 9, "at', b"\0" * 300, b"\xff\xfe\n", b'{"number"'])
def test_a_torn_line_in_the_log_stops_neither_publication_nor_halt(
    office: Office, rest: bytes
) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    log = repository.directory / "audit.jsonl"
    log.write_bytes(log.read_bytes() + rest)
    repository.halt("stable", 1, signers)
    repository.publish(signers)
    lines = Repository.open(repository.directory).audit()
    mended = next(line for line in lines if line.what == MENDED)
    assert mended.details["size_bytes"] == len(rest)
    assert log.with_suffix(".torn").read_bytes() == rest + b"\n"


def test_a_line_that_was_changed_is_still_found(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    log = repository.directory / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b"set prices", b"set prizes"))
    repository.publish(signers)
    with pytest.raises(channels.RepositoryDamaged, match="does not follow"):
        repository.audit()


def test_one_list_that_cannot_be_read_holds_up_nothing_of_the_others(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    (repository.directory / "metadata/1.ci.json").write_bytes(b"{")
    with pytest.raises(channels.RepositoryDamaged, match="ci"):
        Repository.open(repository.directory)
    opened = Repository.open(repository.directory, strict=False)
    opened.halt("stable", 1, signers)
    opened.publish(signers)
    assert opened.published.rollout("stable").halted == [1]
    assert list(opened.published.damaged) == ["ci"]
    with pytest.raises(channels.RepositoryDamaged, match="ci"):
        opened.published.releases("ci")
    assert any("1.ci.json" in problem for problem in opened.verify())


def history(office: Office, copy: Path) -> Office:
    """A repository whose copy was made before its last publications; restored from that copy."""
    repository, signers = office
    add(repository, signers, 1)
    repository.set_rollout("stable", 1, channels.EVERYBODY, signers)
    repository.publish(signers)
    shutil.copytree(repository.directory, copy)
    add(repository, signers, 2)
    repository.set_rollout("stable", 2, channels.EVERYBODY, signers)
    repository.publish(signers)
    for _ in range(3):
        repository.publish(signers)
    return repository, signers


def restore(repository: Repository, copy: Path) -> Repository:
    shutil.rmtree(repository.directory)
    shutil.copytree(copy, repository.directory)
    return Repository.open(repository.directory)


def test_after_a_restore_one_command_brings_every_client_back(
    office: Office, tmp_path: Path
) -> None:
    repository, signers = history(office, tmp_path / "copy")
    root = first_root(repository)
    seen = client(repository, tmp_path / "client", root)
    assert seen.get_targetinfo("stable/duka-r1/2.full")
    for hour in (1, 2):  # the disk dies twice, and there is only that one copy
        repository = restore(repository, tmp_path / "copy")
        with pytest.raises(TufError):
            client(repository, tmp_path / "client", root).refresh()
        later = datetime.now(UTC) + timedelta(hours=hour)
        repository.take_up_again(signers, later)
        repository.halt("stable", 1, signers, later)
        repository.publish(signers, later)
        assert repository.verify() == []
        assert repository.audit()
        updater = client(repository, tmp_path / "client", root)
        assert updater.get_targetinfo("stable/duka-r1/2.full") is None
        plan = updater.get_targetinfo("rollout/stable/plan.json")
        assert plan and plan.custom["halted"] == [1]
        repository.publish(signers, later)
        client(repository, tmp_path / "client", root).refresh()
        for _ in range(3):
            repository.publish(signers, later)


def test_only_the_online_lists_can_be_taken_up_while_people_are_away(
    office: Office, tmp_path: Path, signed: Path
) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    shutil.copytree(repository.directory, tmp_path / "copy")
    repository.set_rollout("stable", 1, channels.EVERYBODY, signers)
    repository.publish(signers)
    root = first_root(repository)
    client(repository, tmp_path / "client", root).refresh()
    repository = restore(repository, tmp_path / "copy")
    online = channels.keys.load_all(
        signed / "keys", PASSPHRASE, ["rollout", "snapshot", "timestamp"]
    )
    repository.take_up_again(online, roles=["rollout-stable"])
    repository.halt("stable", 1, online)
    repository.publish(online)
    plan = client(repository, tmp_path / "client", root).get_targetinfo("rollout/stable/plan.json")
    assert plan and plan.custom["halted"] == [1]
    with pytest.raises(channels.PolicyError, match="root"):
        repository.take_up_again(signers, roles=["root"])


def test_a_halt_goes_out_on_the_channel_whose_own_list_cannot_be_read(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    (repository.directory / "metadata/2.stable.json").write_bytes(b"{")
    opened = Repository.open(repository.directory, strict=False)
    with pytest.raises(channels.RepositoryDamaged, match="stable"):
        opened.set_rollout("stable", 1, channels.EVERYBODY, signers)
    opened.halt("stable", 1, signers)
    opened.publish(signers)
    assert opened.published.rollout("stable").halted == [1]


def test_a_list_that_waits_without_a_release_does_not_hide_it_from_a_halt(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    waiting = repository.versions.next("stable", datetime.now(UTC))
    waiting.signed.targets.clear()
    (repository.directory / "staged").mkdir(exist_ok=True)
    (repository.directory / "staged/stable.json").write_bytes(encode(waiting))
    repository.halt("stable", 1, signers)
    repository.publish(signers)
    assert repository.published.rollout("stable").halted == [1]


@pytest.mark.parametrize("left", ["5", "9007199254740991", "٣"])
def test_a_number_on_the_disk_is_passed_by_and_somebodys_play_with_names_moves_nothing(
    office: Office, left: str
) -> None:
    repository, signers = office
    (repository.directory / "metadata" / f"{left}.stable.json").write_bytes(b"{}")
    add(repository, signers, 1)
    repository.publish(signers)
    version = repository.published.in_force()["stable"][0]
    assert version > 1_000_000 if left == "5" else version == 2
    add(repository, signers, 2)
    repository.publish(signers)
    assert repository.published.in_force()["stable"][0] == version + 1
    assert repository.verify() == [] and repository.audit()


def test_what_was_taken_up_again_is_signed_elsewhere_and_no_other_jump_is(
    office: Office, tmp_path: Path
) -> None:
    repository, _ = history(office, tmp_path / "copy")
    repository = restore(repository, tmp_path / "copy")
    repository.take_up_again()
    request = repository.to_sign("stable")
    assert "which is in force" in "".join(request.in_words(repository.published.root_bytes()))
    for version in (request.signed["version"] * 10, 9, 1, True, "3"):
        other = dataclasses.replace(request, signed={**request.signed, "version": version})
        with pytest.raises(carried.OfflineError, match="next version"):
            other.in_words(repository.published.root_bytes())


def test_new_keys_and_what_they_must_sign_are_told_before_they_wait_and_wait_as_one(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, signers = office
    fresh = channels.keys.generate(tmp_path / "ci-1.pem", PASSPHRASE)

    def no_room(*_: Any) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(publication, "begin", no_room)
        with pytest.raises(OSError, match="no room"):
            repository.rotate({"ci": [fresh]}, signers)
    assert repository.staged() == []
    repository.rotate({"ci": [fresh]}, signers)
    assert {staged.role for staged in repository.staged()} == {"targets", "ci"}
