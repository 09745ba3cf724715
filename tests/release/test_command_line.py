"""Promotion, rollout, keys elsewhere, ceremony and audit, as people type them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from tests.support.world import PASSPHRASE
from tools import release as release_tool
from tools.__main__ import app
from updater_server import channels
from updater_server.channels import keys as key_files

CONTENT = bytes(range(256)) * 20


class Desk:
    """A release manager's desk: keys, a repository, a shell."""

    def __init__(self, folder: Path) -> None:
        self.keys = folder / "keys"
        self.repository = folder / "site"
        release_tool.create(self.keys, self.repository, PASSPHRASE)

    @property
    def opened(self) -> channels.Repository:
        return channels.Repository.open(self.repository)

    def stage(self, channel: str, number: int, *key_names: str) -> None:
        signers = [key_files.load(self.keys / f"{name}.pem", PASSPHRASE) for name in key_names]
        entry = channels.ReleaseEntry(
            release=number,
            version=f"1.{number}",
            commit="0123456789abcdef",
            built=1790000000,
            security_version=1,
            hardware=channels.Hardware("duka-r1", [1]),
            image=channels.Image(len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),
        )
        self.opened.add_release(channel, entry, channels.build_payloads(CONTENT, {}), signers)

    def publish(self) -> None:
        release_tool.publish(self.keys, self.repository, PASSPHRASE)

    def type(self, *words: str, answers: str = "", fails: bool = False, keys: bool = True) -> str:
        line = [*words, "--repository", str(self.repository)]
        if keys:
            line += ["--keys", str(self.keys)]
        done = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE}).invoke(app, line, input=answers)
        if fails:
            assert done.exit_code != 0
            return str(done.exception) + done.output
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def ask(desk: Desk, *words: str) -> Any:
    return json.loads(desk.type(*words, "--json"))


def test_a_release_is_promoted_as_the_same_bytes(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    said = desk.type("release", "promote", "beta", "stable", "7", "--dry-run")
    assert hashlib.sha256(CONTENT).hexdigest() in said.replace("\n", "")
    assert desk.opened.staged() == []
    desk.type("release", "promote", "beta", "stable", "7", answers="y\n")
    desk.publish()
    assert desk.opened.releases("stable")[0].image == desk.opened.releases("beta")[0].image
    assert "has no release 9" in desk.type("release", "promote", "beta", "stable", "9", fails=True)


def test_who_does_not_say_yes_signs_nothing(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    desk.type("release", "promote", "beta", "stable", "7", answers="n\n", fails=True)
    assert desk.opened.staged() == []


def test_rollout_halt_and_resume_are_in_force_when_published(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    stable = ("--channel", "beta")
    answer = ask(desk, "release", "rollout", "set", "7", "500", *stable)
    assert answer["done"] and "5 %" in answer["words"]
    assert answer["staged"][-1]["role"] == "rollout-beta"
    desk.publish()
    assert desk.opened.rollout("beta").releases["7"].threshold == 500
    ask(desk, "release", "halt", "7", *stable)
    desk.publish()
    assert desk.opened.rollout("beta").halted == [7]
    assert not desk.opened.rollout("beta").allows(7, bytes(8))
    ask(desk, "release", "resume", "7", *stable)
    desk.publish()
    assert desk.opened.rollout("beta").halted == []
    for line in (["rollout", "set", "8", "1"], ["halt", "8"]):
        said = desk.type("release", *line, *stable, "--yes", fails=True)
        assert "lists no release 8" in said
    said = desk.type("release", "resume", "7", *stable, "--yes", fails=True)
    assert "not halted" in said
    assert desk.opened.verify() == []


def test_rolling_back_halts_what_is_newer_and_says_what_it_cannot_do(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    desk.stage("beta", 8, "beta-1")
    desk.publish()
    answer = ask(desk, "release", "rollback-to", "7", "--channel", "beta")
    desk.publish()
    assert desk.opened.rollout("beta").halted == [8]
    assert "above 8" in answer["words"]
    said = desk.type("release", "rollback-to", "7", "--channel", "beta", "--yes", fails=True)
    assert "nothing newer" in said


def test_keys_on_another_machine_sign_what_they_read(desk: Desk, tmp_path: Path) -> None:
    desk.stage("stable", 7, "stable-1")
    request, answer = tmp_path / "request.json", tmp_path / "signature.json"
    said = desk.type("release", "sign", "stable", "--export", str(request), keys=False)
    assert "release 7 (1.7) of duka-r1" in said
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    key = ["--key", str(desk.keys / "stable-2.pem"), "--out", str(answer)]
    done = shell.invoke(app, ["keys", "sign", str(request), *key], input="y\n")
    assert done.exit_code == 0 and "release 7 (1.7)" in done.output
    desk.type("release", "sign", "stable", "--import", str(answer), "--yes", keys=False)
    desk.publish()
    assert [entry.release for entry in desk.opened.releases("stable")] == [7]


def test_a_signature_of_something_else_or_of_a_stranger_is_refused(
    desk: Desk, tmp_path: Path
) -> None:
    desk.stage("stable", 7, "stable-1")
    request, answer = tmp_path / "request.json", tmp_path / "signature.json"
    desk.type("release", "sign", "stable", "--export", str(request), keys=False)
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})

    def import_from(key: str) -> str:
        signing = ["keys", "sign", str(request), "--key", str(desk.keys / key), "--yes"]
        assert shell.invoke(app, [*signing, "--out", str(answer)]).exit_code == 0
        line = ("release", "sign", "stable", "--import", str(answer), "--yes")
        return desk.type(*line, keys=False, fails=True)

    assert "does not sign for stable" in import_from("beta-1.pem")
    content = json.loads(request.read_bytes())
    content["signed"]["version"] += 1
    request.write_text(json.dumps(content))
    assert "not of what is staged" in import_from("stable-2.pem")
    with pytest.raises(channels.MissingSignatures):
        desk.publish()


def test_a_key_behind_a_uri_signs_like_a_file(desk: Desk, tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    plain = tmp_path / "store.pem"
    plain.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key_files.public_half(private)
    document = {"keyid": public.keyid, **public.to_dict()}
    (tmp_path / "stable-1.pub").write_text(json.dumps(document))
    (tmp_path / "stable-1.uri").write_text(f"file2:{plain}\n")
    (signer,) = key_files.load_all(tmp_path, "", ["stable"])
    public.verify_signature(signer.sign(b"bytes"), b"bytes")
    (tmp_path / "stable-1.uri").write_text("vault:nowhere\n")
    with pytest.raises(key_files.KeyFileError, match="key store"):
        key_files.load_all(tmp_path, "", ["stable"])


def test_the_online_keys_are_replaced_by_a_new_root(desk: Desk) -> None:
    before = desk.opened.show()["roles"]["timestamp"]["keys"]
    desk.type("keys", "rotate", "timestamp", answers="y\n")
    shown = desk.opened.show()["roles"]
    assert shown["root"]["version"] == 2
    assert shown["timestamp"]["keys"] != before
    desk.publish()
    assert (desk.keys / "retired" / "root-1" / "timestamp-1.pem").exists()


def test_a_ceremony_gives_every_root_key_a_holder_and_a_passphrase(tmp_path: Path) -> None:
    answers = ""
    for role, rule in channels.Policy().roles.items():
        if role != "root":
            answers += f"{role} {PASSPHRASE}\n" * 2
        for n in range(rule.key_count):
            answers += f"Holder {n} of {role}\n"
            if role == "root":
                answers += f"{PASSPHRASE} {n}\n" * 2
    line = ["keys", "ceremony", "--keys", str(tmp_path / "keys")]
    line += ["--repository", str(tmp_path / "site"), "--sheet", str(tmp_path / "sheet.txt")]
    done = CliRunner().invoke(app, line, input=answers)
    assert done.exit_code == 0, (done.output, done.exception)
    sheet = (tmp_path / "sheet.txt").read_text()
    root = (tmp_path / "site/metadata/1.root.json").read_bytes()
    assert hashlib.sha256(root).hexdigest() in sheet
    assert "Holder 1 of root" in sheet and "root: 2 of 3" in sheet
    key_files.load(tmp_path / "keys/root-2.pem", f"{PASSPHRASE} 1")
    with pytest.raises(key_files.KeyFileError):
        key_files.load(tmp_path / "keys/root-2.pem", f"{PASSPHRASE} 0")


def test_the_log_tells_who_did_what(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    ask(desk, "release", "halt", "7", "--channel", "beta")
    desk.publish()
    lines = [
        json.loads(line)
        for line in desk.type("release", "audit", "--json", keys=False).splitlines()
    ]
    assert [line["what"] for line in lines] == [
        "create",
        "add release to beta",
        "publish",
        "halt on beta",
        "publish",
    ]
    assert lines[3]["details"]["release"] == 7
    assert lines[1]["keys"] == [key_files.load_public(desk.keys / "beta-1.pub").keyid]


@pytest.mark.parametrize("change", ["edit", "drop", "cut", "append"])
def test_a_changed_log_is_noticed(desk: Desk, change: str) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    log = desk.repository / "audit.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    if change == "edit":
        lines[1] = lines[1].replace(b"beta", b"ci")
    elif change == "drop":
        del lines[1]
    elif change == "cut":
        del lines[2]
    else:
        lines.append(lines[-1])
    log.write_bytes(b"".join(lines))
    assert "audit log" in desk.type("release", "audit", keys=False, fails=True)
