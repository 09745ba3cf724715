"""Promotion, rollout, keys elsewhere, ceremony and audit, as people type them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from tests.release.desk import CONTENT, Desk, ask
from tests.support.world import PASSPHRASE
from tools.__main__ import app
from tools.release import terms
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels.policy import ONLINE_ROLES
from updater_server.channels.restoring import RESTORED_ROLES


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path)


def test_a_release_is_promoted_as_the_same_bytes(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.let_out("beta", 7)
    desk.publish()
    said = desk.type("release", "promote", "beta", "stable", "7", "--dry-run")
    assert hashlib.sha256(CONTENT).hexdigest() in said.replace("\n", "")
    assert desk.opened.staged() == []
    desk.type("release", "promote", "beta", "stable", "7", answers="y\n")
    desk.publish()
    assert (
        desk.opened.published.releases("stable")[0].image
        == desk.opened.published.releases("beta")[0].image
    )
    assert "has no release 9" in desk.type("release", "promote", "beta", "stable", "9", fails=True)


@pytest.mark.parametrize("way", ["beta ci", "beta alpha", "beta beta", "stable beta", "ci stable"])
def test_a_release_passes_the_channels_one_by_one(desk: Desk, way: str) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    said = desk.type("release", "promote", *way.split(), "7", "--dry-run", fails=True)
    assert "in this order: ci, alpha, beta, stable" in " ".join(said.split())


def test_who_does_not_say_yes_signs_nothing(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.let_out("beta", 7)
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
    assert desk.opened.published.rollout("beta").releases["7"].threshold == 500
    ask(desk, "release", "halt", "7", *stable)
    desk.publish()
    assert desk.opened.published.rollout("beta").halted == [7]
    assert not desk.opened.published.rollout("beta").allows(7, bytes(8))
    ask(desk, "release", "resume", "7", *stable)
    desk.publish()
    assert desk.opened.published.rollout("beta").halted == []
    for line in (["rollout", "set", "8", "1"], ["halt", "8"]):
        said = desk.type("release", *line, *stable, "--yes", fails=True)
        assert "lists no release 8" in said
    said = desk.type("release", "resume", "7", *stable, "--yes", fails=True)
    assert "not halted" in said
    assert desk.opened.verify() == []


def test_a_control_arm_and_a_halt_for_later_are_signed_at_the_command_line(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    where = ("--channel", "beta")
    wave = ("release", "rollout", "set", "7", "300", "--control")
    answer = ask(desk, *wave, "3000", *where)
    assert "27 % restart, to be compared with" in answer["words"]
    desk.publish()
    assert desk.opened.published.rollout("beta").control == {"7": (3000, 0)}
    answer = ask(desk, "release", "brake", "7", *where)
    assert "that halt and nothing else" in answer["words"] and answer["done"]
    assert desk.opened.published.folder.brake("rollout-beta", 7).exists()
    assert desk.opened.published.rollout("beta").halted == []
    assert desk.opened.verify() == []
    said = desk.type(*wave, "200", *where, "--yes", fails=True)
    assert "further than the threshold" in said


def test_the_brake_halts_and_the_channels_people_let_it_go_on(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    where = ("--channel", "beta")
    answer = ask(desk, "release", "halt", "7", *where, "--brake")
    assert [staged["role"] for staged in answer["staged"]] == ["brake-beta"]
    assert "release 7: HALTED, by version 2" in answer["words"]
    desk.publish()
    assert desk.opened.published.rollout("beta").halted == [7]
    assert desk.opened.published.plan("beta").halted == []
    answer = ask(desk, "release", "resume", "7", *where)
    assert [staged["role"] for staged in answer["staged"]] == ["beta"]
    assert "GOES ON, whatever the brake said up to its version 2" in answer["words"]
    desk.publish()
    assert desk.opened.published.rollout("beta").halted == []
    assert desk.opened.verify() == [] and desk.opened.audit()
    said = desk.type("release", "resume", "7", *where, "--yes", fails=True)
    assert "not halted" in said


def test_a_flag_is_turned_on_off_and_past_the_brake_at_the_command_line(desk: Desk) -> None:
    where = ("hourly", "--channel", "beta")
    answer = ask(desk, "release", "flag", "on", *where, "--of", "500", "--terminal", "0a" * 8)
    words = "flag hourly on beta is on for 5 % of terminals and 1 by name."
    assert words in answer["words"] and "0a0a0a0a0a0a0a0a" in answer["words"]
    assert [staged["role"] for staged in answer["staged"]] == ["rollout-beta"]
    desk.publish()
    said = desk.type("release", "flag", "list", keys=False)
    assert "hourly: on for 5 % of terminals and 1 by name of beta, turned " in said
    assert "beta: flag hourly, on for 5 % of terminals and 1 by name" in desk.type(
        "release", "show", keys=False
    )
    off = ("release", "flag", "off", *where)
    answer = ask(desk, *off, "--brake", "--because", "it costs too much")
    assert "flag hourly: OFF, whatever the plan says" in answer["words"]
    assert [staged["role"] for staged in answer["staged"]] == ["brake-beta"]
    desk.publish()
    (told,) = json.loads(desk.type("release", "flag", "list", "--json", keys=False))
    assert (told["state"], told["why"]) == ("off", "it costs too much")
    assert told["forgotten"] is False
    answer = ask(desk, "release", "flag", "on", *where, "--of", "10000")
    assert "The brake turned it off" in answer["words"]
    assert {staged["role"] for staged in answer["staged"]} == {"rollout-beta", "brake-beta"}
    desk.publish()
    assert desk.opened.published.rollout("beta").flags["hourly"].threshold == 10_000
    ask(desk, *off)
    desk.publish()
    assert desk.opened.published.plan("beta").flags == {}
    assert desk.opened.verify() == [] and desk.opened.audit()
    for line, says in (
        (("off", *where), "off in the plan of beta already"),
        (("on", *where), "say for whom"),
        (("on", "houry", *where[1:], "--of", "1"), "no flag 'houry'; there are hourly"),
        (("off", "houry", *where[1:], "--brake"), "no flag 'houry'; there are hourly"),
    ):
        assert says in desk.type("release", "flag", *line, "--yes", fails=True)


@pytest.mark.parametrize("given", ["3000", "3000,3", "3000,x,24", "1,2,3,4,5,6", "-1,3,24"])
def test_what_is_no_pace_is_refused(given: str) -> None:
    with pytest.raises(typer.BadParameter, match="3000,3,24"):
        terms.read_pace(given)
    assert terms.read_pace("3000,3,24") == (3000, 3, 24, 0, 1_000_000)
    found = terms.from_now(terms.read_pace("3000,3,24,7,9"), 0)
    assert found and (found.first, found.rate, found.most) == (3000, 7, 9) and found.after_h > 0
    assert terms.read_pace(None) == ()


def test_rolling_back_halts_what_is_newer_and_says_what_it_cannot_do(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.publish()
    desk.stage("beta", 8, "beta-1")
    desk.publish()
    answer = ask(desk, "release", "rollback-to", "7", "--channel", "beta")
    desk.publish()
    assert desk.opened.published.rollout("beta").halted == [8]
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
    assert [entry.release for entry in desk.opened.published.releases("stable")] == [7]


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
    desk.publish()
    shown = desk.opened.show()["roles"]
    assert shown["root"]["version"] == 2
    assert shown["timestamp"]["keys"] != before
    desk.publish()
    assert len(list((desk.keys / "retired").glob("timestamp-*/timestamp-1.pem"))) == 1


def test_a_ceremony_gives_every_key_a_holder_and_a_passphrase(tmp_path: Path) -> None:
    answers = "y\n"
    for role, rule in channels.Policy().roles.items():
        for n in range(rule.key_count):
            answers += f"Holder {n} of {role}\n"
            if role not in ONLINE_ROLES:
                answers += "short\nshort\n" + f"{PASSPHRASE} {n} {role}\n" * 2
            elif role == "snapshot":  # the first of the server's keys
                answers += f"{PASSPHRASE}\n" * 2
    line = ["keys", "ceremony", "--keys", str(tmp_path / "keys")]
    line += ["--repository", str(tmp_path / "site"), "--sheet", str(tmp_path / "sheet.txt")]
    done = CliRunner().invoke(app, line, input=answers)
    assert done.exit_code == 0, (done.output, done.exception)
    sheet = (tmp_path / "sheet.txt").read_text()
    root = (tmp_path / "site/metadata/1.root.json").read_bytes()
    assert hashlib.sha256(root).hexdigest() in sheet
    assert "Holder 1 of root" in sheet and "root: 2 of 3" in sheet
    for role in ("root", "stable", "catalogue"):
        key_files.load(tmp_path / f"keys/{role}-2.pem", f"{PASSPHRASE} 1 {role}")
        with pytest.raises(key_files.KeyFileError):
            key_files.load(tmp_path / f"keys/{role}-2.pem", f"{PASSPHRASE} 0 {role}")
        key = key_files.load_public(tmp_path / f"keys/{role}-2.pub")
        assert key_files.fingerprint(key.to_dict()) in sheet
    key_files.load_all(tmp_path / "keys", PASSPHRASE, ONLINE_ROLES)
    again = CliRunner().invoke(app, line, input=answers)
    assert isinstance(again.exception, channels.RepositoryError), again.output


def test_a_ceremony_that_is_broken_off_leaves_no_keys(tmp_path: Path) -> None:
    line = ["keys", "ceremony", "--keys", str(tmp_path / "keys")]
    line += ["--repository", str(tmp_path / "site"), "--sheet", str(tmp_path / "sheet.txt")]
    answers = f"y\nAsha\n{PASSPHRASE}\n{PASSPHRASE}\nBrian\n"
    assert CliRunner().invoke(app, line, input=answers).exit_code != 0
    assert not [*(tmp_path / "keys").iterdir()] and not (tmp_path / "site").exists()


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


TERMS = {
    "--revision": "2",
    "--min-bootloader": "3",
    "--stepping-stone": "4",
    "--journal-reads": "1",
    "--journal-writes": "1",
    "--trial-crashes": "5",
    "--trial-boots": "6",
    "--trial-deadline-s": "77",
    "--gate-battery-mv": "3555",
    "--gate-unsent": "8",
    "--gate-idle-s": "9",
    "--text": "sw=Risiti bora",
}


def test_everything_an_entry_says_can_be_said_on_the_command_line(
    desk: Desk, an_image: Path
) -> None:
    options = [word for pair in TERMS.items() for word in pair]
    options += ["--revision", "9", "--journal-reads", "2", "--text", "en=Better receipts"]
    line = ("release", "sign", "alpha", "--image", str(an_image), *options)
    said = " ".join(desk.type(*line, "--dry-run").split())
    for words in ("security version 2", "revisions 2, 9", "bootloader 3 or newer", "release 4",
                  "reads 1, 2, writes 1", "5 crashes, 6 boots or 77 s", "3555 mV", "8 unsent",
                  "idle for 9 s", "(sw): Risiti bora", "(en): Better receipts"):  # fmt: skip
        assert words in said, words
    assert desk.opened.staged() == []
    desk.type(*line, "--yes")
    desk.publish()
    (entry,) = desk.opened.published.releases("alpha")
    assert entry.hardware.revisions == [2, 9]
    assert (entry.min_bootloader, entry.stepping_stone, entry.security_version) == (3, 4, 2)
    assert (entry.journal.reads, entry.journal.writes) == ([1, 2], 1)
    assert entry.trial == channels.TrialPolicy(5, 6, 77)
    assert entry.gate == channels.InstallGate(3555, 8, 9)
    assert entry.text == {"sw": "Risiti bora", "en": "Better receipts"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--stepping-stone", "7"], "earlier release"),
        (["--journal-writes", "2"], "read the journal version it writes"),
        (["--revision", "0"], "revisions"),
        (["--text", "english"], "a language and the text"),
        (["--text", "english=x"], "text"),
        (["--trial-deadline-s", "0"], "selftest_deadline_s"),
    ],
)
def test_terms_that_no_terminal_would_take_are_refused(
    desk: Desk, an_image: Path, options: list[str], words: str
) -> None:
    line = ("release", "sign", "alpha", "--image", str(an_image), *options, "--yes")
    said = desk.type(*line, fails=True)
    assert words in " ".join(said.replace("│", " ").split()), said
    assert desk.opened.staged() == []


def carry(desk: Desk, role: str, key: str, folder: Path) -> None:
    """A request to the machine that has the key, and the signature back."""
    request, answer = folder / f"{role}.request", folder / f"{role}-{key}.signature"
    desk.type("release", "sign", role, "--export", str(request), keys=False)
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    line = ["keys", "sign", str(request), "--key", str(desk.keys / f"{key}.pem")]
    done = shell.invoke(app, [*line, "--out", str(answer), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["done"]
    desk.type("release", "sign", role, "--import", str(answer), "--yes", keys=False)


def test_a_whole_release_with_every_key_on_another_machine(
    desk: Desk, an_image: Path, tmp_path: Path
) -> None:
    listing = ("release", "sign", "stable", "--image", str(an_image), "--yes")
    assert "--export and --import" in desk.type(*listing, keys=False)
    for key in ("stable-1", "stable-3"):
        carry(desk, "stable", key, tmp_path)
    publish = ("release", "publish", "--export", str(tmp_path / "online"), "--yes")
    assert "release 7 (1.7.0)" in desk.type(*publish, keys=False)
    for role in ("snapshot", "timestamp"):
        carry(desk, role, f"{role}-1", tmp_path)
    said = desk.type("release", "publish", "--yes", keys=False)
    assert "Published" in said
    assert [entry.release for entry in desk.opened.published.releases("stable")] == [7]
    assert "Sound" in desk.type("release", "verify", keys=False)
    halt = ("release", "halt", "7", "--channel", "stable", "--yes")
    desk.type(*halt, keys=False)
    carry(desk, "rollout-stable", "rollout-1", tmp_path)
    desk.publish()
    assert desk.opened.published.rollout("stable").halted == [7]


def test_a_channels_new_keys_are_made_where_their_holders_are(desk: Desk, tmp_path: Path) -> None:
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    public = []
    for n in (1, 2, 3):
        file = tmp_path / f"holder{n}" / f"stable-{n}.pem"
        assert shell.invoke(app, ["keys", "make", str(file)]).exit_code == 0
        public += ["--public", str(file.with_suffix(".pub"))]
    old = desk.opened.show()["roles"]["stable"]["keys"]
    said = desk.type("keys", "rotate", "stable", *public, "--yes", keys=False)
    assert "new targets" in said and "2 signature(s) missing" in said
    for key in ("targets-1", "targets-2"):
        carry(desk, "targets", key, tmp_path)
    with pytest.raises(channels.MissingSignatures, match="stable: 2 more"):
        desk.publish()
    for n in (1, 3):
        for file in (tmp_path / f"holder{n}").iterdir():
            shutil.copy(file, desk.keys / f"new-{file.name}")
        carry(desk, "stable", f"new-stable-{n}", tmp_path)
    desk.publish()
    new = desk.opened.show()["roles"]["stable"]["keys"]
    assert not set(old) & set(new)
    assert "Sound" in desk.type("release", "verify", keys=False)


EVERY = [
    ["keys", "ceremony", "--alone", "--keys", "NEW"],
    ["keys", "make", "NEW/x.pem"],
    ["keys", "rotate", "stable"],
    ["keys", "rotate", "root"],
    ["release", "sign", "stable", "--image", "IMAGE"],
    ["release", "sign", "alpha"],
    ["release", "sign", "catalogue", "--anew"],
    ["release", "sign", "root", "--anew"],
    ["release", "publish"],
    ["release", "promote", "beta", "stable", "9"],
    ["release", "rollout", "set", "9", "100", "--channel", "beta"],
    ["release", "halt", "9", "--channel", "beta"],
    ["release", "resume", "8", "--channel", "beta"],
    ["release", "rollback-to", "8", "--channel", "beta"],
]


@pytest.mark.parametrize("line", EVERY, ids=" ".join)
def test_every_command_can_be_tried_and_answers_programs(
    desk: Desk, line: list[str], tmp_path: Path, an_image: Path
) -> None:
    for number in (8, 9):
        desk.stage("beta", number, "beta-1")
        desk.opened.halt("beta", 8, [key_files.load(desk.keys / "rollout-1.pem", PASSPHRASE)])
        desk.publish()
    if "alpha" in line:
        desk.stage("alpha", 9)
    if "promote" in line:
        desk.let_out("beta", 9)
        desk.publish()
    words = [w.replace("NEW", str(tmp_path / "new")).replace("IMAGE", str(an_image)) for w in line]
    own = [] if "make" in words or "NEW" in line else ["--keys", str(desk.keys)]
    site = str(tmp_path / "new" if "ceremony" in words else desk.repository)
    own += [] if "make" in words else ["--repository", site]
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})

    def files() -> dict[str, bytes]:
        return {str(f): f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}

    before = files()
    tried = shell.invoke(app, [*words, *own, "--dry-run", "--json"])
    assert tried.exit_code == 0, (tried.output, tried.exception)
    said = json.loads(tried.output)
    assert said["words"] and said["done"] is False
    assert files() == before
    done = shell.invoke(app, [*words, *own, "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.output)["done"] is True
    assert files() != before


def test_a_restored_folder_is_brought_back_by_one_command(desk: Desk) -> None:
    said = ask(desk, "release", "restored")
    assert {change["role"] for change in said["staged"]} == {*RESTORED_ROLES}
    assert all(change["missing"] == 0 for change in said["staged"])
    ask(desk, "release", "publish")
    shown = desk.opened.show()["roles"]
    assert all(shown[role]["version"] > 3_000_000 for role in (*RESTORED_ROLES, "timestamp"))
    ask(desk, "release", "publish")
    assert desk.opened.verify() == []


def test_a_promoted_release_is_said_to_be_for_nobody_until_it_is_let_out(desk: Desk) -> None:
    desk.stage("beta", 7, "beta-1")
    desk.let_out("beta", 7)
    desk.publish()
    said = desk.type("release", "promote", "beta", "stable", "7", "--yes")
    assert "Release 7 on stable is for nobody yet: `release rollout set 7 500" in said
    assert "over the air" in said
    assert "Release 7 on stable is for nobody yet" in desk.type("release", "publish", "--yes")
    assert "stable: release 7 (1.7), for nobody" in desk.type("release", "show", keys=False)
    desk.type("release", "halt", "7", "--channel", "beta", "--yes")
    said = desk.type("release", "promote", "beta", "stable", "7", "--yes", fails=True)
    assert "halted on beta: it goes no further" in said
