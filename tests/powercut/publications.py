"""Every publication, cut at every file operation, for every role: the server's side of `inv
powercut`.

Each scenario is one change of the channels and its publication. Every state that a kill or a power
cut can leave (`disk`) is opened by a fresh process's eyes and judged: it opens, it is the old state
or the new one, python-tuf and the terminal's own code take it, also who saw the new state before
the power went; the next publication and a halt work, and the log is whole again.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlparse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from bootloader.shared import tuf
from bootloader.shared.crypto import signatures
from firmware.update import metadata as device_metadata
from tests.powercut import disk
from updater_server import atomic
from updater_server.channels import audit
from updater_server.channels import publication as publications
from updater_server.channels.entry import (
    Catalogue,
    Hardware,
    Image,
    OfflinePolicy,
    Product,
    ReleaseEntry,
)
from updater_server.channels.errors import RepositoryDamaged
from updater_server.channels.metadata_file import ByRole, encode
from updater_server.channels.payloads import build_payloads
from updater_server.channels.policy import Policy, RolePolicy
from updater_server.channels.repository import Repository
from updater_server.channels.rollout import EVERYBODY
from updater_server.channels.writing import Writer

NOW = datetime(2026, 5, 1, tzinfo=UTC)
EVERYDAY_EVERY = 23
"""Of every so many operations one is cut, another in each scenario."""


@functools.cache
def _signer(name: str) -> CryptoSigner:
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    return CryptoSigner(private, SSlibKey.from_crypto(private.public_key()))


ROLES = {role: RolePolicy(1, 1, rule.expiry_days) for role, rule in Policy().roles.items()}
OLD: list[Signer] = [_signer(role) for role in ROLES]
NEW: list[Signer] = [_signer(f"new {role}") for role in ROLES]
ALL = [*NEW, *OLD]


def _prices(version: int) -> Catalogue:
    product = Product("air50", "Savanna 50", "Savanna", 5000, 250, "Dial *130*PIN#", [4])
    return Catalogue(version, "KES", 2, [product], OfflinePolicy(10000, 2, 20000, 259200))


def _add(repository: Repository, channel: str, number: int) -> None:
    image = b"image" * 40 + b"%d" % number
    entry = ReleaseEntry(
        release=number,
        version=f"1.{number}",
        commit="0123456789abcdef",
        built=1,
        security_version=1,
        hardware=Hardware("duka-r1", [1]),
        image=Image(len(image), hashlib.sha256(image).hexdigest()),
    )
    repository.add_release(channel, entry, build_payloads(image), ALL, NOW)


def _rotate(*roles: str) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        keys = {role: [_signer(f"new {role}").public_key] for role in roles}
        repository.rotate(keys, ALL, NOW)
        repository.publish(ALL, NOW)

    return change


def _change(staging: Callable[[Repository], Any]) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        staging(repository)
        repository.publish(ALL, NOW)

    return change


def _restored(repository: Repository) -> None:
    repository.take_up_again(ALL, NOW)
    repository.publish(ALL, NOW)


SCENARIOS: dict[str, Callable[[Repository], Any]] = {
    "publish-release": _change(lambda r: _add(r, "stable", 2)),
    "publish-prices": _change(lambda r: r.set_catalogue("default", _prices(2), ALL, NOW)),
    "publish-wave": _change(lambda r: r.set_rollout("stable", 1, 500, ALL, NOW)),
    "publish-halt": _change(lambda r: r.halt("stable", 1, ALL, NOW)),
    "publish-promotion": _change(lambda r: r.promote("ci", "alpha", 7, "duka-r1", ALL, NOW)),
    "publish-nothing": lambda r: r.publish(ALL, NOW),
    "publish-renewal": lambda r: r.renew(ALL, NOW + timedelta(days=20)),
    "publish-anew": _change(lambda r: r.date_anew("root", ALL, NOW)),
    "publish-restored": _restored,
    **{f"publish-keys-{role}": _rotate(role) for role in ROLES},
    "publish-keys-online": _rotate("snapshot", "timestamp", "rollout"),
    "publish-keys-all": _rotate(*ROLES),
}


@functools.cache
def _start() -> Path:
    """A site with a release on `stable` and one on `ci`; its folder goes with the process."""
    keeper = tempfile.TemporaryDirectory(prefix="duka-publications-")
    _keepers.append(keeper)
    site = Path(keeper.name) / "site"
    keys = {role: [_signer(role).public_key] for role in ROLES}
    repository = Repository.create(site, keys, Policy(ROLES), OLD, NOW - timedelta(days=1))
    repository.set_catalogue("default", _prices(1), OLD, NOW)
    _add(repository, "stable", 1)
    repository.set_rollout("stable", 1, EVERYBODY, OLD, NOW)
    _add(repository, "ci", 7)
    repository.set_rollout("ci", 7, EVERYBODY, OLD, NOW)
    repository.publish(OLD, NOW)
    return site


_keepers: list[Any] = []


class _Folder(FetcherInterface):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self.folder / unquote(urlparse(url).path).lstrip("/")
        if not path.is_file():
            raise DownloadHTTPError("not there", 404)
        yield path.read_bytes()


@functools.cache
def _ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    return bool(_real_ed25519(public, message, signature))


_real_ed25519 = signatures._verify_ed25519


@contextmanager
def _quick_terminal() -> Iterator[None]:
    """The terminal's own check of a signature, each one once."""
    with mock.patch.object(signatures, "_verify_ed25519", lambda *of: _ed25519(*map(bytes, of))):
        yield


class _Store(dict[str, bytes]):
    def read(self, name: str, limit_bytes: int) -> bytes | None:
        return self.get(name)

    def write(self, name: str, data: bytes) -> None:
        self[name] = bytes(data)

    def remove(self, name: str) -> None:
        self.pop(name, None)


def terminal_follows(site: Path, store: _Store) -> dict[str, Any]:
    """The plan of `stable` as the terminal's own code takes it in. Raises tuf.TrustError."""

    async def fetch(name: str, limit_bytes: int) -> bytes:
        path = site / "metadata" / name
        if not path.is_file():
            raise device_metadata.Missing(name)
        return path.read_bytes()

    async def run() -> dict[str, Any]:
        taken = device_metadata.Metadata(store, fetch, lambda text: None)
        await taken.refresh(int(NOW.timestamp()) + 3600)
        for role in ("stable", "catalogue", "rollout-stable"):
            await taken.take_role(role, "targets")
        if taken.expired:
            raise tuf.TrustError("timestamp", str(taken.expired))
        targets = taken.trusted.targets("rollout-stable")
        plan: dict[str, Any] = targets["rollout/stable/plan.json"]["custom"]
        return plan

    with _quick_terminal():
        return asyncio.run(run())


def _first_root() -> bytes:
    return (_start() / "metadata/1.root.json").read_bytes()


def python_tuf_follows(site: Path, own: Path) -> None:
    """As a stranger's client, from the first root or from what it saw. Raises tuf's errors."""
    for name in ("metadata", "targets"):
        (own / name).mkdir(parents=True, exist_ok=True)
    stranger = Updater(
        str(own / "metadata"),
        "http://x/metadata/",
        str(own / "targets"),
        "http://x/targets/",
        fetcher=_Folder(site),
        bootstrap=_first_root(),
    )
    stranger._trusted_set.reference_time = NOW  # it knows the machine's clock alone
    stranger.get_targetinfo("catalogue/default.json")


@dataclass
class Golden:
    """A scenario without a cut."""

    operations: list[tuple[Any, ...]]
    old: dict[str, int]
    new: dict[str, int]
    store: _Store = field(default_factory=_Store)

    def has_new(self, role: str) -> bool:
        """Whether the scenario puts another version of a role out."""
        return self.old[role] != self.new[role]


def _versions(repository: Repository) -> dict[str, int]:
    return {role: version for role, (version, _) in repository.published.in_force().items()}


def golden(name: str, room: Path) -> Golden:
    """Run a scenario and write its operations down."""
    site = room / "site"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(_start(), site)
    repository = Repository.open(site)
    old = _versions(repository)
    with mock.patch.object(audit, "_who", lambda: "office"), disk.recording(site) as recorder:
        SCENARIOS[name](repository)
    made = Golden(recorder.operations, old, _versions(Repository.open(site)))
    made.store["root.json"] = _first_root()
    terminal_follows(site, made.store)
    return made


def states(made: Golden, numbers: Iterable[int]) -> Iterator[tuple[str, dict[str, bytes], bool]]:
    """(id, files, whether somebody may have seen the new timestamp) of every cut before one of the
    operations `numbers` (from 0; the last is after all).
    """
    wanted = set(numbers)
    model = disk.Disk.of(_start())
    for number, operation in enumerate([*made.operations, None]):
        if number in wanted:
            served = json.loads(model.names["metadata/timestamp.json"].now)
            was_seen = served["signed"]["version"] == made.new["timestamp"]
            yield f"{number}.killed", model.killed(), was_seen
            for way, content in zip(("all", "contents", "names"), model.cut(), strict=True):
                yield f"{number}.{way}-lost", content, was_seen
            torn = model.torn(operation) if operation else None
            if torn is not None:
                yield f"{number}.torn", torn, was_seen
        if operation is not None:
            model.do(operation)


def _lay_out(content: dict[str, bytes], site: Path) -> None:
    shutil.rmtree(site, ignore_errors=True)
    for name, data in content.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def judge(made: Golden, content: dict[str, bytes], was_seen: bool, room: Path) -> str:
    """What is wrong with a state that a cut left; "" if every promise holds."""
    site = room / "cut"
    _lay_out(content, site)
    now = NOW + timedelta(minutes=10)
    try:
        if not (site / "publishing.json").exists() or not made.has_new("root"):
            terminal_follows(site, _Store({"root.json": _first_root()}))
        opened = Repository.open(site)
        here = _versions(opened)
        if here not in (made.old, made.new):
            return f"neither the old state nor the new one: {here}"
        if was_seen and here != made.new:
            return "the new state was to be seen, and is gone"
        try:
            opened.audit()
        except RepositoryDamaged as error:
            if "cut short" not in str(error):  # a torn line is moved aside by the next change
                return f"the log: {error}"
        problems = opened.verify(NOW)
        if problems:
            return f"verify: {problems}"
        python_tuf_follows(site, room / "stranger")
        shutil.rmtree(room / "stranger")
        store = _Store({"root.json": _first_root()})
        terminal_follows(site, store)
        if was_seen:
            terminal_follows(site, _Store(made.store))
        opened.publish(ALL, now)
        opened.halt("stable", 1, ALL, now)
        opened.publish(ALL, now)
        again = Repository.open(site)
        again.audit()
        if again.verify(now):
            return f"after the next publication: {again.verify(now)}"
        for seen in (store, made.store if was_seen else store):
            if 1 not in terminal_follows(site, _Store(seen))["halted"]:
                return "a terminal does not hear of the halt"
    except Exception as error:  # whatever it is, somebody stands before it
        return f"{type(error).__name__}: {error}"
    return ""


@dataclass
class Found:
    """What came of one scenario."""

    name: str
    operations: int = 0
    judged: int = 0
    seconds: float = 0.0
    states: set[bytes] = field(default_factory=set)
    broken: list[tuple[str, str]] = field(default_factory=list)


def explore(
    work: tuple[str, int, int], only: str | None = None, stop_at_broken: bool = False
) -> Found:
    """Cut a scenario before every `every`-th of its operations, from the `first` on; each distinct
    state is judged once. With `only` one case alone.
    """
    name, first, every = work
    found = Found(name)
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="duka-publication-") as folder:
        room = Path(folder)
        made = golden(name, room)
        found.operations = len(made.operations)
        for case, content, was_seen in states(made, range(first, found.operations + 1, every)):
            key = disk.digest(content)
            if key in found.states or (only is not None and only != f"{name}:{case}"):
                continue
            found.states.add(key)
            found.judged += 1
            wrong = judge(made, content, was_seen, room)
            if wrong:
                found.broken.append((f"{name}:{case}", wrong))
                if stop_at_broken:
                    break
    found.seconds = time.process_time() - began
    return found


def work(full: bool, seed: int, only: str | None = None) -> list[tuple[str, int, int]]:
    """The portions for `explore`: everything, or here and there in each scenario."""
    names = [only] if only else list(SCENARIOS)
    if full:
        return [(name, first, 4) for name in names for first in range(4)]
    return [
        (name, (seed + 3 * place) % EVERYDAY_EVERY, EVERYDAY_EVERY)
        for place, name in enumerate(names)
    ]


@dataclass(frozen=True)
class Mutant:
    """A wrong build of the publishing code, what the field would see, which scenario shows it."""

    name: str
    in_the_field: str
    patch: Callable[[], Any]
    scenario: str = "publish-release"


def _one_by_one(directory: Path, publication: publications.Publication) -> None:
    """Nothing is written before the first file is put out."""


def _timestamp_first(directory: Path, publication: publications.Publication) -> None:
    _put_out(directory, publications.Publication(
        publication.files[::-1], publication.versions, publication.keys, publication.at
    ))  # fmt: skip


_put_out = publications.put_out


def _carry_on_and_tell(self: Writer, publication: publications.Publication) -> None:
    publications.put_out(self.log.path.parent, publication)
    if not self.log.tells(publication.what, publication.details()):
        self.note(publication.what, publication.details(), publication.keys, NOW)


def _one_after_the_other(self: Writer, changes: ByRole) -> None:
    for role, metadata in changes.items():
        staged = self.log.path.parent / "staged" / f"{role}.json"
        atomic.write_atomically(staged, encode(metadata))


def _append_to_whole_logs(self: audit.AuditLog, *line: Any) -> None:
    lines = self._lines()
    self._write(lines, *line)


def _not_synced(path: Path, data: bytes, mode: int = 0o644) -> None:
    with mock.patch.object(vars(atomic)["os"], "fsync", lambda descriptor: None):
        atomic.write_atomically(path, data, mode)
    atomic.sync_folder(path.parent)


def _in_place(path: Path, data: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        vars(atomic)["os"].fsync(file.fileno())
    atomic.sync_folder(path.parent)


MUTANTS = {
    mutant.name: mutant
    for mutant in (
        Mutant(
            "publication_in_parts",
            "New online keys, the machine dies half-way, and nothing opens the folder any more.",
            lambda: mock.patch.object(publications, "begin", _one_by_one),
            "publish-keys-timestamp",
        ),
        Mutant(
            "root_in_parts",
            "A new root is out, its timestamp is not: terminals follow nothing from then on.",
            lambda: mock.patch.object(publications, "begin", _one_by_one),
            "publish-keys-all",
        ),
        Mutant(
            "timestamp_before_snapshot",
            "Terminals are sent to files that are not there yet.",
            lambda: mock.patch.object(publications, "put_out", _timestamp_first),
        ),
        Mutant(
            "staged_in_parts",
            "New keys are staged without what they must sign; publishing that closes the folder.",
            lambda: mock.patch.object(Writer, "put_staged", _one_after_the_other),
            "publish-keys-ci",
        ),
        Mutant(
            "no_fsync_of_folder",
            "The log tells of a publication whose files went with the power.",
            lambda: mock.patch.object(atomic, "sync_folder", lambda folder: None),
            "publish-nothing",
        ),
        Mutant(
            "told_after",
            "A release is in force that no log tells of.",
            lambda: mock.patch.object(Writer, "carry_through", _carry_on_and_tell),
            "publish-nothing",
        ),
        Mutant(
            "torn_line_is_fatal",
            "Power goes in a line of the log, and no bad release can be halted any more.",
            lambda: mock.patch.object(audit.AuditLog, "append", _append_to_whole_logs),
            "publish-nothing",
        ),
        Mutant(
            "no_fsync_of_files",
            "After the power came back, the timestamp is a file of nothing.",
            lambda: mock.patch.object(publications, "write_atomically", _not_synced),
            "publish-nothing",
        ),
        Mutant(
            "written_in_place",
            "A timestamp is served half, or for good if the machine dies.",
            lambda: mock.patch.object(publications, "write_atomically", _in_place),
            "publish-nothing",
        ),
    )
}


def try_mutant(name: str) -> tuple[str, str]:
    """(mutant, case and words that caught it or "")."""
    mutant = MUTANTS[name]
    _start()  # by the code as it stands: only what is published on it is by the wrong build
    with mutant.patch():
        for first in range(7):
            found = explore((mutant.scenario, first, 7), stop_at_broken=True)
            if found.broken:
                return name, ": ".join(found.broken[0])
    return name, ""
