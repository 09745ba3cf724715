"""docs/release-manager.md to the letter, as its people type it: a ceremony, a release, two holders
elsewhere, a halt while something waits, keys replaced. And what stands in nobody's way.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.release.desk import Desk
from tests.support.world import PASSPHRASE
from tools.__main__ import app
from updater_server import channels, renewal
from updater_server.channels import keys as key_files
from updater_server.channels.assembly import Assembly
from updater_server.channels.audit import AuditLog
from updater_server.channels.metadata_file import encode
from updater_server.channels.policy import ONLINE_ROLES
from updater_server.channels.waiting import Waiting


class Office:
    """Everybody of a ceremony with a passphrase and a folder of their own, and no environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.keys = folder / "keys"
        answers = "y\n"
        for role, rule in channels.Policy().roles.items():
            for n in range(1, rule.key_count + 1):
                answers += f"{role} holder {n}\n"
                if role not in ONLINE_ROLES:
                    answers += f"{self.secret_of(role, n)}\n" * 2
                elif role == "snapshot":
                    answers += f"{PASSPHRASE}\n" * 2
        sheet = str(folder / "sheet.txt")
        self.type("keys", "ceremony", "--keys", str(self.keys), "--sheet", sheet, answers=answers)
        for role, rule in channels.Policy().roles.items():
            for n in range(1, rule.key_count + 1):
                if role not in ONLINE_ROLES:
                    self.disk(role, n).mkdir(parents=True)
                    for kind in ("pem", "pub"):
                        shutil.move(self.keys / f"{role}-{n}.{kind}", self.disk(role, n))

    @staticmethod
    def secret_of(role: str, n: int) -> str:
        return f"secret of {role} holder {n}"

    def disk(self, role: str, n: int) -> Path:
        return self.folder / f"{role}-holder-{n}"

    @property
    def opened(self) -> channels.Repository:
        return channels.Repository.open(self.site)

    def type(
        self,
        *words: str,
        answers: str = "",
        fails: bool = False,
        site: bool = True,
        env: dict[str, str] | None = None,
    ) -> str:
        line = [*words, *(("--repository", str(self.site)) if site else ())]
        done = CliRunner(env={"DUKA_PASSPHRASE": "", **(env or {})}).invoke(
            app, line, input=answers
        )
        said = done.output + (str(done.exception) if done.exception else "")
        assert (done.exit_code != 0) is fails, said
        return said

    def publish(self) -> str:
        answers = f"y\n{PASSPHRASE}\n"  # one passphrase opens both of the server's keys
        return self.type("release", "publish", "--keys", str(self.keys), answers=answers)

    def sign_elsewhere(self, role: str, key_role: str, n: int) -> None:
        request, answer = self.folder / "request.json", self.folder / "answer.json"
        said = self.type("release", "sign", role, "--export", str(request))
        sha256 = said.split("SHA-256 ")[-1].split()[0]
        key = str(self.disk(key_role, n) / f"{key_role}-{n}.pem")
        line = ("keys", "sign", str(request), "--key", key, "--out", str(answer))
        root = ("--root", str(self.site / "metadata/1.root.json"), "--expect", sha256)
        self.type(*line, *root, answers=f"y\n{self.secret_of(key_role, n)}\n", site=False)
        self.type("release", "sign", role, "--import", str(answer), answers="y\n")


@pytest.fixture(scope="module")
def ceremony(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Office(tmp_path_factory.mktemp("office")).folder


@pytest.fixture
def office(ceremony: Path, tmp_path: Path) -> Office:
    shutil.copytree(ceremony, tmp_path / "office")
    made = Office.__new__(Office)
    made.folder = tmp_path / "office"
    made.site, made.keys = made.folder / "site", made.folder / "keys"
    return made


def test_a_release_goes_out_as_the_page_tells_it(office: Office, an_image: Path) -> None:
    beta = office.secret_of("beta", 1)
    sign = ("release", "sign", "beta", "--image", str(an_image), "--keys")
    said = office.type(*sign, str(office.disk("beta", 1)), answers=f"y\n{beta}\n")
    assert "beta version 2: ready to publish" in said
    keys = ("--keys", str(office.keys))
    everybody = ("release", "rollout", "set", "7", "10000", "--channel", "beta")
    office.type(*everybody, *keys, answers=f"y\n{PASSPHRASE}\n")
    assert "Published" in office.publish()
    said = office.type("release", "promote", "beta", "stable", "7", answers="y\n")
    assert "stable version 2: 2 signature(s) missing" in said
    office.sign_elsewhere("stable", "stable", 1)
    office.sign_elsewhere("stable", "stable", 3)
    rollout = ("release", "rollout", "set", "7", "500", "--channel", "stable")
    office.type(*rollout, *keys, answers=f"y\n{PASSPHRASE}\n")
    office.publish()
    assert office.opened.published.rollout("stable").releases["7"].threshold == 500
    office.type("release", "halt", "7", "--channel", "stable", *keys, answers=f"y\n{PASSPHRASE}\n")
    office.publish()
    assert office.opened.published.rollout("stable").halted == [7]
    assert "Sound" in office.type("release", "verify")


def test_three_holders_sign_on_one_machine_with_three_passphrases(
    office: Office, an_image: Path
) -> None:
    together = office.folder / "together"
    together.mkdir()
    for n in (1, 2, 3):
        shutil.copy(office.disk("stable", n) / f"stable-{n}.pem", together)
    secrets = [office.secret_of("stable", n) for n in (1, 2, 3)]
    answers = "y\n" + "wrong horse\n" + "\n".join(secrets) + "\n"
    line = ("release", "sign", "stable", "--image", str(an_image), "--keys", str(together))
    said = office.type(*line, answers=answers)
    assert "That does not open stable-1.pem" in said
    assert "stable version 2: ready to publish" in said
    office.type("release", "withdraw", "stable", answers="y\n")
    own = {f"DUKA_PASSPHRASE_STABLE_{n}": secrets[n - 1] for n in (1, 2, 3)}
    assert "ready to publish" in office.type(*line, "--yes", env=own)
    office.type("release", "withdraw", "stable", answers="y\n")
    own["DUKA_PASSPHRASE_STABLE_2"] = "of another"
    said = office.type(*line, "--yes", fails=True, env=own)
    assert "stable-2.pem does not open" in said and office.opened.staged() == []
    office.type("release", "sign", "stable", "--anew", "--yes")
    no_key = ("release", "sign", "stable", "--key", str(together / "stable-9.pem"))
    assert "no key file" in office.type(*no_key, answers="y\n", fails=True)
    other = str(office.disk("beta", 1) / "beta-1.pem")
    secret = f"y\n{office.secret_of('beta', 1)}\n"
    said = office.type("release", "sign", "stable", "--key", other, answers=secret, fails=True)
    assert "none of these keys signs for stable" in said


def test_keys_are_replaced_as_the_page_tells_it(office: Office) -> None:
    public = []
    for n in (1, 2, 3):
        new = office.folder / f"new-{n}" / f"stable-{n}.pem"
        secret = f"new secret of {n}"
        answers = f"{secret}\n{secret}\n"
        said = office.type("keys", "make", str(new), answers=answers, site=False)
        made = key_files.load_public(new.with_suffix(".pub"))
        assert key_files.fingerprint(made.to_dict()) in said
        public += ["--public", str(new.with_suffix(".pub"))]
    said = office.type("keys", "rotate", "stable", *public, answers="y\n")
    assert key_files.fingerprint(made.to_dict()) in said
    for n in (1, 2):
        office.sign_elsewhere("targets", "targets", n)
    for n in (2, 3):
        keys = ("--keys", str(office.folder / f"new-{n}"))
        answers = f"y\nnew secret of {n}\n"
        office.type("release", "sign", "stable", *keys, answers=answers)
    office.publish()
    assert made.keyid in office.opened.show()["roles"]["stable"]["keys"]
    assert "Sound" in office.type("release", "verify")


def test_the_server_renews_with_what_the_ceremony_made(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(days=20)
    monkeypatch.setenv(renewal.PASSPHRASE, PASSPHRASE)
    passphrases = key_files.from_environment(renewal.PASSPHRASE)
    signers = key_files.load_all(office.keys, passphrases)
    assert office.opened.renew(signers, later) == ["timestamp"]
    key_files.generate(office.folder / "own/timestamp-2.pem", "another secret")
    monkeypatch.setenv(renewal.PASSPHRASE + "_TIMESTAMP_2", "another secret")
    assert key_files.load_all(office.folder / "own", passphrases)


# --- nothing that waits stands in another's way ---


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    desk = Desk.make(folder)
    desk.stage("stable", 6, "stable-1", "stable-2")
    desk.stage("beta", 7, "beta-1")
    desk.let_out("beta", 7)
    desk.publish()
    return folder


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Desk:
    return Desk(made).copied(tmp_path / "desk")


def wait(desk: Desk, what: str) -> str:
    """Let something wait for signatures; returns its role."""
    if what == "a release":
        desk.type("release", "promote", "beta", "stable", "7", "--yes", keys=False)
        return "stable"
    if what == "new keys of stable":
        public = []
        for n in (1, 2, 3):
            path = desk.keys.parent / f"new/stable-{n}.pem"
            key_files.generate(path, PASSPHRASE)
            public += ["--public", str(path.with_suffix(".pub"))]
        desk.type("keys", "rotate", "stable", *public, "--yes")
        return "stable"  # targets is signed; stable waits for its new holders
    if what == "a root":
        desk.type("release", "sign", "root", "--anew", "--yes", keys=False)
        return "root"
    if what == "targets":
        desk.type("release", "sign", "targets", "--anew", "--yes", keys=False)
        return "targets"
    role, content = {
        "rubbish": ("stable", b"{rubbish"),
        "rubbish of the plan": ("rollout-stable", b"\x00"),
        "nothing": ("root", b""),
        "a rubbish snapshot": ("snapshot", b"[]"),
        "a rubbish timestamp": ("timestamp", b'{"signed": 1}'),
    }[what]
    desk.lay(role, content)
    return role


WAITING = [
    "a release", "new keys of stable", "a root", "targets", "rubbish", "rubbish of the plan",
    "nothing", "a rubbish snapshot", "a rubbish timestamp",
]  # fmt: skip


@pytest.mark.parametrize("what", WAITING)
def test_a_halt_is_possible_at_once_whatever_waits(desk: Desk, what: str) -> None:
    role = wait(desk, what)
    desk.type("release", "halt", "6", "--channel", "stable", "--yes")
    desk.type("release", "publish", "--yes")
    assert desk.opened.published.rollout("stable").halted == [6]
    assert "Sound" in desk.type("release", "verify", keys=False)
    if role not in ("rollout-stable", "snapshot", "timestamp"):  # whose place was taken
        assert (desk.repository / "staged" / f"{role}.json").exists(), "it waits on"


@pytest.mark.parametrize("fault", ["missing", "cut", "of an unknown form"])
def test_a_halt_is_possible_when_a_channels_list_cannot_be_read(desk: Desk, fault: str) -> None:
    file = desk.repository / "metadata/2.stable.json"
    if fault == "missing":
        file.unlink()
    elif fault == "cut":
        file.write_bytes(file.read_bytes()[:300])
    else:
        metadata = desk.opened.published.metadata["stable"]
        for target in metadata.signed.targets.values():
            target.unrecognized_fields = {"custom": {"release": "7"}}
        metadata.signatures.clear()
        for n in (1, 2):
            metadata.sign(key_files.load(desk.keys / f"stable-{n}.pem", PASSPHRASE), append=True)
        file.write_bytes(encode(metadata))
    said = desk.type("release", "halt", "6", "--channel", "stable", "--yes")
    said += desk.type("release", "publish", "--yes")
    assert fault == "of an unknown form" or "2.stable.json" in said
    version = desk.repository / "metadata/2.rollout-stable.json"
    assert json.loads(version.read_bytes())["signed"]["targets"]


RENEWED = ["a release", "a root", "targets", "rubbish", "rubbish of the plan", "a rubbish snapshot"]


def test_what_no_terminal_would_take_in_is_not_published_but_what_is_signed_is(desk: Desk) -> None:
    desk.type("release", "promote", "beta", "stable", "7", "--yes")
    file = desk.repository / "staged/stable.json"
    good = json.loads(file.read_bytes())
    strange = [{"keyid": f"{n:016x}", "sig": "00" * 64} for n in range(200)]
    file.write_text(json.dumps({**good, "signatures": [*strange, *good["signatures"]]}))
    desk.type("release", "publish", "--yes")
    published = json.loads((desk.repository / "metadata/3.stable.json").read_bytes())
    assert len(published["signatures"]) == 2
    desk.type("release", "sign", "beta", "--anew", "--yes")
    file = desk.repository / "staged/beta.json"
    staged = Waiting(desk.opened.published).read("beta")
    assert staged is not None
    staged.signed.unrecognized_fields["padding"] = "x" * 9000
    staged.signatures.clear()
    file.write_bytes(encode(staged))
    desk.type("release", "sign", "beta", "--yes")
    said = desk.type("release", "publish", "--yes", fails=True)
    assert "release withdraw beta" in said


@pytest.mark.parametrize("role", ["snapshot", "timestamp"])
def test_no_online_key_signs_what_somebody_laid_into_the_folder(desk: Desk, role: str) -> None:
    """The server renews by itself: what it signs nobody is shown."""
    later = datetime.now(UTC) + timedelta(days=200)
    signers = key_files.load_all(desk.keys, PASSPHRASE, ONLINE_ROLES)
    opened = desk.opened
    opened.publish(signers, later - timedelta(days=30))  # the server ran; its clock is not doubted
    waiting = Waiting(opened.published)
    log = AuditLog(opened.published.folder.log)
    assembly = Assembly(opened.published, waiting, opened.versions, log)
    planted = assembly.whole({}, (), later)[role]
    planted.signed.expires = later + timedelta(days=7000)
    planted.signed.unrecognized_fields["note"] = "planted"
    desk.lay(role, encode(planted))
    assert role in opened.renew(signers, later)
    in_force = desk.opened.published.metadata[role].signed
    assert in_force.expires < later + timedelta(days=400)
    assert "note" not in in_force.unrecognized_fields


@pytest.mark.parametrize("what", RENEWED)
def test_prices_other_keys_and_renewals_go_out_whatever_waits(desk: Desk, what: str) -> None:
    role = wait(desk, what)
    before = {name: about["version"] for name, about in desk.opened.show()["roles"].items()}
    desk.type("release", "sign", "catalogue", "--anew", "--yes")
    desk.type("release", "publish", "--yes")
    signers = key_files.load_all(desk.keys, PASSPHRASE, ONLINE_ROLES)
    later = datetime.now(UTC) + timedelta(days=20)
    assert desk.opened.renew(signers, later) == ["timestamp"]
    desk.type("release", "publish", "--role", "timestamp", "--yes")
    said = desk.type("release", "publish", "--role", "stabel", "--yes", fails=True)
    assert "nothing is staged for stabel" in said
    if role not in ("root", "targets") and "plan" not in what:
        desk.type("keys", "rotate", "beta", "--yes")
        desk.type("keys", "rotate", "timestamp", "--yes")
        desk.type("release", "publish", "--yes")
    after = {name: about["version"] for name, about in desk.opened.show()["roles"].items()}
    assert after["catalogue"] == before["catalogue"] + 1
    assert after[role] == before[role] or role == "snapshot"
    assert "Sound" in desk.type("release", "verify", keys=False)


def test_new_keys_come_into_force_with_what_they_must_sign_or_not_at_all(desk: Desk) -> None:
    wait(desk, "new keys of stable")
    assert {s.role: s.missing for s in desk.opened.staged()} == {"targets": 0, "stable": 2}
    said = desk.type("release", "publish", "--yes", fails=True)
    assert "stable: 2 more" in said
    said = desk.type("release", "publish", "--role", "targets", "--yes", fails=True)
    assert "stable: 2 more" in said
    assert desk.opened.show()["roles"]["targets"]["version"] == 1


@pytest.mark.parametrize("what", WAITING)
def test_whatever_waits_can_be_taken_back(desk: Desk, what: str) -> None:
    role = wait(desk, what)
    desk.type("release", "withdraw", role, keys=False, answers="n\n", fails=True)
    assert (desk.repository / "staged" / f"{role}.json").exists()
    desk.type("release", "withdraw", role, keys=False, answers="y\n")
    assert not (desk.repository / "staged" / f"{role}.json").exists()
    said = desk.type("release", "withdraw", role, keys=False, fails=True)
    assert f"nothing is staged for {role}" in said
    line = desk.opened.audit()[-1]
    assert (line.what, line.details["role"]) == ("withdraw", role)


COMMANDS = [
    ("release", "promote", "beta", "stable", "7"),
    ("release", "halt", "6", "--channel", "stable"),
    ("release", "rollout", "set", "6", "9", "--channel", "stable"),
    ("release", "sign", "catalogue", "--anew"),
    ("release", "publish"),
    ("keys", "rotate", "beta"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("fault", ["no folder", "a file", "none that fits", "another's", "closed"])
def test_a_slip_in_keys_stages_nothing_and_says_so(
    desk: Desk, words: tuple[str, ...], fault: str, tmp_path: Path
) -> None:
    own, env = tmp_path / "slip", {"DUKA_PASSPHRASE": PASSPHRASE}
    if fault == "a file":
        own.write_text("")
    elif fault == "none that fits":
        own.mkdir()
        shutil.copy(desk.keys / "ci-1.pem", own)
    elif fault == "another's":  # the right names, of another ceremony
        key_files.generate_all(own, channels.Policy(), PASSPHRASE)
    elif fault == "closed":
        own, env = desk.keys, {"DUKA_PASSPHRASE": "open sesame"}
    line = [*words, "--repository", str(desk.repository), "--keys", str(own), "--json"]
    before = {f: f.read_bytes() for f in desk.repository.rglob("*") if f.is_file()}
    done = CliRunner(env=env).invoke(app, line)
    assert done.exit_code != 0, done.output
    if fault in ("no folder", "a file", "none that fits"):
        assert CliRunner(env=env).invoke(app, [*line, "--dry-run"]).exit_code != 0
    said = str(done.exception) + done.output
    assert any(word in said for word in ("--keys", "none of these keys", "does not open", "signed"))
    after = {f: f.read_bytes() for f in desk.repository.rglob("*") if f.is_file()}
    assert after == before and desk.opened.staged() == []


def test_the_servers_new_keys_may_be_elsewhere_too(desk: Desk, tmp_path: Path) -> None:
    new = tmp_path / "new/snapshot-1.pem"
    key_files.generate(new, PASSPHRASE)
    desk.type("keys", "rotate", "snapshot", "--public", str(new.with_suffix(".pub")), "--yes")
    said = desk.type("release", "publish", "--yes", fails=True)
    assert "snapshot: 1 more" in said
    desk.type("release", "halt", "6", "--channel", "stable", "--yes")
    desk.type("release", "publish", "--role", "rollout-stable", "--yes")
    assert desk.opened.published.rollout("stable").halted == [6]
    online = tmp_path / "online"
    desk.type("release", "publish", "--export", str(online), "--yes", keys=False)
    shell = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE})
    for role, key in (("snapshot", new), ("timestamp", desk.keys / "timestamp-1.pem")):
        answer = str(tmp_path / f"{role}.signature")
        line = ["keys", "sign", str(online / f"{role}.json"), "--key", str(key), "--out", answer]
        assert shell.invoke(app, [*line, "--yes"]).exit_code == 0
        desk.type("release", "sign", role, "--import", answer, "--yes", keys=False)
    desk.type("release", "publish", "--yes", keys=False)
    assert desk.opened.show()["roles"]["root"]["version"] == 2
    assert "Sound" in desk.type("release", "verify", keys=False)
