"""What every stage of an attack has: release managers with their keys, the folder that is served,
and what the thief in front of it needs. `client.ClientScene` is the quick stage, the update client
alone; `whole.WholeScene` is a whole terminal and the server process.
"""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from securesystemslib.signer import CryptoSigner, Signer

from updater_server.channels.repository import Repository

SERVER = ("snapshot", "timestamp", "rollout")
"""The keys that are on the server."""

Change = Callable[[str, bytes], bytes]
"""(path, file as the server has it) → what arrives."""

Answer = Callable[[str, bytes], bytes | None]
"""(path, file as the server has it) → the whole answer instead, status line and all, or None."""


class Gained(AssertionError):
    """The attacker got something that the table does not concede."""


class Row(NamedTuple):
    """`attack` changes the scene. `takes` says what may run afterwards: "old" ran before, "new" is
    honestly on offer. One of `says` is in the terminal's log if the attack met what it was made
    for; empty where nothing is to be said. `days_old`: the honest offer was signed so long ago.
    """

    name: str
    attack: Callable[[Scene], None]
    takes: tuple[str, ...]
    says: tuple[str, ...]
    days_old: int

    def met(self, lines: Iterable[str]) -> str:
        """The first of these lines of a log that shows it, any one where nothing is to be said; ""
        if none does.
        """
        says = self.says or ("",)
        return next((line for line in lines if any(words in line for words in says)), "")


class Scene(ABC):
    """`served` holds `metadata/` and `targets/` as they are served; rows and thieves change it."""

    offered = 2
    """The release honestly on offer while a row is played."""
    evil = 9
    """The thief's own, newer than any."""
    served: Path
    kept: Path
    repository: Repository

    def __init__(self) -> None:
        self.signers: dict[str, list[Signer]] = {}
        self.intercept: Change = lambda path, data: data
        self.answer: Answer = lambda path, data: None
        self.online_keys_stolen = False
        self.before: dict[str, bytes] = {}

    @property
    def all_signers(self) -> list[Signer]:
        """Everybody's."""
        return [signer for found in self.signers.values() for signer in found]

    @property
    @abstractmethod
    def now(self) -> datetime:
        """The honest calendar."""

    @abstractmethod
    def evil_image(self) -> bytes:
        """What the thief wants to run."""

    @abstractmethod
    def new_prices(self) -> None:
        """Publish another honest price list."""

    @abstractmethod
    def learn(self) -> None:
        """Let the terminal take in what is served now, at a moment when it cannot switch."""

    @abstractmethod
    def ask(self) -> None:
        """Let the terminal ask for news before the moment when it can switch."""

    @abstractmethod
    def wait_until_expired(self) -> None:
        """Let what the terminal knows run out, where the stage can turn time."""

    def newest(self, role: str) -> Path:
        """The newest file of a role in the site."""
        if role == "timestamp":
            return self.served / "metadata/timestamp.json"
        files = (self.served / "metadata").glob(f"*.{role}.json")
        return max(files, key=lambda file: int(file.name.split(".")[0]))

    def keep(self) -> None:
        """What is served now is honest, and comes back when the thief is gone."""
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.served, self.kept)

    def remember(self) -> None:
        """Keep today's metadata as `before`, to be replayed later."""
        roles = ("timestamp", "snapshot", "stable")
        self.before = {role: self.newest(role).read_bytes() for role in roles}

    def honest_files_again(self) -> None:
        """The thief is thrown out: the release managers' own files come back, and the online keys
        are replaced if they were stolen.
        """
        shutil.rmtree(self.served)
        shutil.copytree(self.kept, self.served)
        self.intercept = lambda path, data: data
        self.answer = lambda path, data: None
        if self.online_keys_stolen:
            fresh = {role: CryptoSigner.generate_ed25519() for role in ("snapshot", "timestamp")}
            self.repository.rotate_root(
                {role: [signer.public_key] for role, signer in fresh.items()},
                [*fresh.values(), *self.all_signers],
                self.now,
            )
            self.signers |= {role: [signer] for role, signer in fresh.items()}
            self.online_keys_stolen = False
