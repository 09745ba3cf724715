"""The signed repository: what python-tuf's own client accepts, and what we refuse to sign or
serve.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Signer
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from tests.server.conftest import Office
from tests.server.shop import CATALOGUE, PASSPHRASE, POLICY, a_release
from updater_server import channels
from updater_server.atomic import write_atomically
from updater_server.channels import Repository


class Folder(FetcherInterface):
    """python-tuf's client, fed from a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self.folder / unquote(urlparse(url).path).lstrip("/")
        if not path.is_file():
            raise DownloadHTTPError("not there", 404)
        self.fetched.append(path.name)
        yield path.read_bytes()


def client(repository: Repository, folder: Path, root: bytes) -> Updater:
    for name in ("metadata", "targets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return Updater(
        str(folder / "metadata"),
        "http://x/metadata/",
        str(folder / "targets"),
        "http://x/targets/",
        fetcher=Folder(repository.directory),
        bootstrap=root,
    )


def fetch(repository: Repository, folder: Path, path: str, root: bytes | None = None) -> bytes:
    updater = client(repository, folder, root or first_root(repository))
    info = updater.get_targetinfo(path)
    assert info is not None
    return Path(updater.download_target(info)).read_bytes()


def first_root(repository: Repository) -> bytes:
    return (repository.directory / "metadata" / "1.root.json").read_bytes()


def add(
    repository: Repository,
    signers: list[Signer],
    number: int,
    channel: str = "stable",
    **changes: Any,
) -> channels.ReleaseEntry:
    release = a_release(number, **changes)
    bases = {e.release: a_release(e.release).image for e in repository.published.releases(channel)}
    payloads = channels.build_payloads(release.image, bases)
    return repository.add_release(channel, release.entry, payloads, signers)


def test_of_the_server_only_renewal_halting_and_waves_hold_what_can_sign_and_publish() -> None:
    server = Path(channels.__file__).parents[1]
    holding = set()
    for file in server.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            is_taken = isinstance(node, ast.Attribute) and node.attr == "Repository"
            if "Repository" in names or is_taken:
                holding.add(str(file.relative_to(server)))
    assert holding == {"channels/__init__.py", "halting.py", "renewal.py", "waves/further.py"}


def test_who_only_reads_the_channels_holds_nothing_that_signs_or_writes(office: Office) -> None:
    repository, signers = office
    add(repository, signers[:1], 1)
    reading = (channels.open_published(repository.directory),)
    faces = (*reading, channels.Waiting(*reading))
    able = {"sign", "publish", "stage", "withdraw", "halt", "brake", "renew", "add_signature"}
    assert able <= set(vars(repository)), "it would not be seen here"
    for face in faces:
        assert able & set(dir(face)) == set()
        source = ast.parse(inspect.getsource(type(face)))
        named = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
        assert named & {"Signer", "Writer", "write_atomically", "Staging"} == set()


def test_an_independent_client_gets_what_was_published(office: Office, tmp_path: Path) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    add(repository, signers, 2)
    repository.publish(signers)
    payload = fetch(repository, tmp_path / "client", "stable/duka-r1/2.full")
    assert channels.expand(channels.Payload("full", payload)) == a_release(2).image
    delta = fetch(repository, tmp_path / "client", "stable/duka-r1/2-from-1.delta")
    assert len(delta) < len(payload) // 4
    image = channels.expand(channels.Payload("delta", delta, 1), a_release(1).image)
    assert image == a_release(2).image
    prices = fetch(repository, tmp_path / "client", "catalogue/default.json")
    assert channels.Catalogue.parse(prices) == CATALOGUE
    assert repository.verify() == []


def test_the_bytes_in_the_file_are_the_bytes_that_were_signed(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1, text={"en": 'Quick "receipts" \\ réçus 😀'})
    repository.publish(signers)
    for path in (repository.directory / "metadata").iterdir():
        raw = path.read_bytes()
        canonical = encode_canonical(json.loads(raw)["signed"])
        assert canonical is not None
        assert b'"signed":' + canonical.encode() + b"}" in raw


def test_nothing_is_seen_before_it_is_published(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1)
    assert repository.published.releases("stable") == []
    assert Repository.open(repository.directory).published.releases("stable") == []
    assert [staged.role for staged in repository.staged()] == ["stable"]
    repository.publish(signers)
    assert [entry.release for entry in repository.published.releases("stable")] == [1]
    assert repository.staged() == []


def test_publishing_needs_as_many_people_as_the_policy_says(office: Office, signed: Path) -> None:
    repository, _ = office
    before = sorted(path.name for path in (repository.directory / "metadata").iterdir())
    stable = channels.keys.load_all(signed / "keys", PASSPHRASE, ["stable"])
    add(repository, stable[:1], 1)
    with pytest.raises(channels.MissingSignatures) as refused:
        repository.publish(
            channels.keys.load_all(signed / "keys", PASSPHRASE, ["snapshot", "timestamp"])
        )
    assert refused.value.missing == {"stable": 1}
    assert sorted(p.name for p in (repository.directory / "metadata").iterdir()) == before
    assert repository.sign("stable", stable[:1]).missing == 1
    assert repository.sign("stable", stable[2:]).missing == 0
    repository.publish(
        channels.keys.load_all(signed / "keys", PASSPHRASE, ["snapshot", "timestamp"])
    )
    assert repository.verify() == []


def test_another_channels_keys_sign_nothing_here(office: Office, signed: Path) -> None:
    repository, _ = office
    add(repository, channels.keys.load_all(signed / "keys", PASSPHRASE, ["alpha", "beta"]), 1)
    assert repository.staged()[0].missing == 2


def test_a_cut_between_any_two_files_leaves_the_old_state_or_is_completed(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, signers = office
    real = write_atomically
    name = "updater_server.channels.publication.write_atomically"

    class Cut(BaseException):
        pass

    for allowed in range(4):
        add(repository, signers, allowed + 1)
        written = 0

        def write(path: Path, data: bytes, mode: int = 0o644, allowed: int = allowed) -> None:
            nonlocal written
            if written == allowed:
                raise Cut
            written += 1
            real(path, data, mode)

        monkeypatch.setattr(name, write)
        with pytest.raises(Cut):
            repository.publish(signers)
        monkeypatch.setattr(name, real)
        again = Repository.open(repository.directory)
        assert again.verify() == []
        assert (allowed + 1 in [e.release for e in again.published.releases("stable")]) == (
            allowed > 0
        )
        assert again.audit()
        fetch(again, tmp_path / f"client{allowed}", "catalogue/default.json")
        again.publish(signers)
        assert again.published.releases("stable")[0].release == allowed + 1


def test_a_release_is_promoted_as_the_same_bytes(office: Office, tmp_path: Path) -> None:
    repository, signers = office
    add(repository, signers, 1, "ci")
    repository.set_rollout("ci", 1, channels.EVERYBODY, signers)
    repository.publish(signers)
    entry = repository.promote("ci", "alpha", 1, "duka-r1", signers)
    repository.publish(signers)
    assert entry.payloads[0].path == "alpha/duka-r1/1.full"
    on_ci = fetch(repository, tmp_path / "a", "ci/duka-r1/1.full")
    assert fetch(repository, tmp_path / "b", "alpha/duka-r1/1.full") == on_ci
    with pytest.raises(channels.ReleaseRefused, match="no release 9"):
        repository.promote("ci", "alpha", 9, "duka-r1", signers)


def test_old_releases_leave_the_list_but_stepping_stones_stay(office: Office) -> None:
    repository, signers = office
    for number in (1, 2, 3):
        add(repository, signers, number)
    repository.publish(signers)
    assert [entry.release for entry in repository.published.releases("stable")] == [3, 2]
    add(repository, signers, 4, stepping_stone=2)
    add(repository, signers, 5, stepping_stone=2)
    repository.publish(signers)
    assert [entry.release for entry in repository.published.releases("stable")] == [5, 4, 2]
    assert repository.verify() == []


def test_a_channel_that_terminals_have_no_room_for_is_not_signed(office: Office) -> None:
    repository, signers = office
    published = 0
    with pytest.raises(channels.RepositoryError, match="list fewer releases"):
        for number in range(1, 20):
            add(repository, signers, number, stepping_stone=number - 1)
            repository.publish(signers)
            published = number
    assert 3 <= published < 19
    assert repository.staged() == []
    assert Repository.open(repository.directory).verify() == []
    assert len(repository.published.releases("stable")) == published
    held = max((repository.directory / "metadata").glob("*.stable.json"), key=lambda p: len(p.name))
    assert held.stat().st_size <= 4096


@pytest.mark.parametrize(
    ("number", "changes", "says"),
    [
        (2, {}, "must be higher"),
        (1, {}, "must be higher"),
        (3, {"security_version": 0}, "security version"),
        (3, {"image": channels.Image(5, "0" * 64)}, "bytes"),
        (3, {"image": channels.Image(len(a_release(3).image), "0" * 64)}, "SHA-256"),
    ],
)
def test_a_release_no_terminal_would_take_is_not_signed(
    office: Office, number: int, changes: dict[str, Any], says: str
) -> None:
    repository, signers = office
    add(repository, signers, 2)
    repository.publish(signers)
    with pytest.raises(channels.ReleaseRefused, match=says):
        add(repository, signers, number, **changes)
    assert repository.staged() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"version": ""},
        {"commit": "main"},
        {"built": -1},
        {"hardware": channels.Hardware("Duka R1", [1])},
        {"hardware": channels.Hardware("duka-r1", [])},
        {"stepping_stone": 9},
        {"journal": channels.JournalVersions([1], 2)},
        {"text": {"en": "line\nbreak"}},
        {"text": {"english": "x"}},
        {"text": {"en": "a line\n"}},
        {"text": {"en\n": "x"}},
        {"version": "1.0\n"},
        {"commit": "0" * 40 + "\n"},
        {"hardware": channels.Hardware("duka-r1\n", [1])},
        {"image": channels.Image(100, "0" * 64 + "\n")},
        {"image": channels.Image(0xA0001, "0" * 64)},
    ],
)
def test_an_entry_that_breaks_its_format_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(channels.EntryError):
        a_release(5, **changes).entry.check()


def test_one_number_cannot_name_two_images(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1, "ci")
    repository.publish(signers)
    other = a_release(7)
    entry = channels.ReleaseEntry(**{**_fields(other.entry), "release": 1})
    with pytest.raises(channels.ReleaseRefused, match="other bytes"):
        repository.add_release("alpha", entry, channels.build_payloads(other.image), signers)


def _fields(entry: channels.ReleaseEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


def test_a_catalogue_only_moves_forward(office: Office) -> None:
    repository, signers = office
    with pytest.raises(channels.ReleaseRefused, match="must be higher"):
        repository.set_catalogue("default", CATALOGUE, signers)
    with pytest.raises(channels.ReleaseRefused, match="name"):
        repository.set_catalogue("../x", CATALOGUE, signers)
    twice = channels.Catalogue(2, "KES", 2, CATALOGUE.products * 2, CATALOGUE.offline)
    with pytest.raises(channels.EntryError, match="twice"):
        repository.set_catalogue("default", twice, signers)


def test_new_root_keys_are_followed_from_the_first_root(office: Office, tmp_path: Path) -> None:
    repository, signers = office
    fresh = channels.keys.generate_all(tmp_path / "fresh", POLICY, PASSPHRASE)
    new_signers = channels.keys.load_all(tmp_path / "fresh", PASSPHRASE)
    changed = {role: fresh[role] for role in ("root", "targets", "timestamp")}
    with pytest.raises(channels.MissingSignatures):
        repository.rotate_root(changed, new_signers)
    with pytest.raises(channels.MissingSignatures):
        repository.rotate_root(changed, signers)
    assert repository.verify() == []
    assert repository.rotate_root(changed, [*signers, *new_signers]) == 2
    assert repository.verify() == []
    fetch(repository, tmp_path / "client", "catalogue/default.json")
    with pytest.raises(channels.MissingSignatures):
        repository.publish(signers)
    repository.publish([*signers, *new_signers])


def test_expiry_is_told_and_renewal_mends_it(office: Office) -> None:
    repository, signers = office
    later = datetime.now(UTC) + timedelta(days=31)
    assert any("timestamp expired" in problem for problem in repository.verify(later))
    repository.publish(signers, later)
    assert repository.verify(later) == []


def test_damage_is_found(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 1)
    repository.publish(signers)
    target = next((repository.directory / "targets" / "stable" / "duka-r1").iterdir())
    content = target.read_bytes()
    target.write_bytes(content[:-1] + b"x")
    assert any("stable/duka-r1/1.full" in problem for problem in repository.verify())
    target.unlink()
    assert any("stable/duka-r1/1.full" in problem for problem in repository.verify())
    target.write_bytes(content)
    assert repository.verify() == []
    for path in (repository.directory / "metadata").iterdir():
        good = path.read_bytes()
        path.write_bytes(good.replace(b'"expires":"20', b'"expires":"21', 1))
        in_use = path.name != "1.stable.json" and not path.name.startswith(("1.sn", "2.sn"))
        if in_use and path.name != "1.catalogue.json":
            with pytest.raises(channels.RepositoryDamaged):
                Repository.open(repository.directory)
        path.write_bytes(good)


def test_a_key_file_is_secret_encrypted_and_never_overwritten(tmp_path: Path) -> None:
    from updater_server.channels.keys import KeyFileError

    path = tmp_path / "root-1.pem"
    public = channels.keys.generate(path, PASSPHRASE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    assert channels.keys.load(path, PASSPHRASE).public_key == public
    assert channels.keys.load_public(tmp_path / "root-1.pub") == public
    with pytest.raises(KeyFileError, match="passphrase"):
        channels.keys.load(path, "wrong horse")
    with pytest.raises(KeyFileError, match="exists"):
        channels.keys.generate(path, PASSPHRASE)
    with pytest.raises(KeyFileError, match="8 characters"):
        channels.keys.generate(tmp_path / "x.pem", "short")
    with pytest.raises(KeyFileError, match="cannot read"):
        channels.keys.load(tmp_path / "none.pem", PASSPHRASE)


def test_an_impossible_policy_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    for text, says in (
        ('{"roles": {"stable": {"threshold": 4, "key_count": 3, "expiry_days": 9}}}', "stable"),
        ('{"roles": {"timestamp": {"threshold": 1, "key_count": 1, "expiry_days": 7300}}}', "7300"),
        ('{"roles": {"gold": {"threshold": 1, "key_count": 1, "expiry_days": 9}}}', "gold"),
        ('{"rolls": {}}', "rolls"),
        ("", "policy"),
    ):
        path.write_text(text)
        with pytest.raises(channels.PolicyError, match=says):
            channels.Policy.load(path)


def test_a_second_repository_in_one_folder_is_refused(office: Office, signed: Path) -> None:
    repository, signers = office
    public = channels.keys.public_keys(signed / "keys", POLICY)
    with pytest.raises(channels.RepositoryError, match="already"):
        Repository.create(repository.directory, public, POLICY, signers)


def test_payloads_fit_a_terminals_window_and_refuse_damage() -> None:
    image = a_release(1).image
    full = channels.build_payloads(image)[0]
    assert full.data[0] >> 4 == 12 - 8  # RFC 1950: window of 2^12
    for data in (full.data[:-1], full.data + b"x", b"", b"\x78\x9c" + full.data[2:]):
        with pytest.raises(channels.PayloadError):
            channels.expand(channels.Payload("full", data))
    with pytest.raises(channels.PayloadError, match="base"):
        channels.expand(channels.build_payloads(image + b"x", {1: image})[1])
