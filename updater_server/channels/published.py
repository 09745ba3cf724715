"""What is published, to be read: all that the server needs to answer a request, and what the
release manager's tools start from. Nothing here writes, signs or holds a key.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError as TufError
from tuf.api.metadata import Metadata, TargetFile, Targets

from updater_server.channels import dates, lists
from updater_server.channels.entry import Catalogue, ReleaseEntry
from updater_server.channels.errors import RepositoryDamaged, RepositoryError
from updater_server.channels.folder import Folder
from updater_server.channels.in_force import InForce, read_in_force
from updater_server.channels.metadata_file import ByRole, file_sha256
from updater_server.channels.policy import (
    CATALOGUE_ROLE,
    DELEGATED_ROLES,
    ROLLOUT_ROLES,
    Policy,
    role_of,
)
from updater_server.channels.rollout import RolloutPlan
from updater_server.channels.signing import Signing


class Published:
    """What is in force in one folder, as it was when it was read last. Not safe for two threads
    while it is read anew.
    """

    def __init__(self, folder: Folder, in_force: InForce) -> None:
        """Use `read`."""
        self.folder = folder
        self._in_force = in_force

    @classmethod
    def read(cls, folder: Folder, *, strict: bool = True) -> Published:
        """Read and verify what is in force (`channels.in_force.read_in_force`).

        Raises:
            RepositoryDamaged: there is no repository here, or its metadata do not verify.
        """
        return cls(folder, read_in_force(folder, strict=strict))

    def read_anew(self) -> None:
        """As `read`, with what is damaged put down. Raises RepositoryDamaged."""
        self._in_force = read_in_force(self.folder, strict=False)

    # --- the metadata ---

    @property
    def directory(self) -> Path:
        """The folder."""
        return self.folder.path

    @property
    def policy(self) -> Policy:
        """Thresholds and lifetimes."""
        return self._in_force.policy

    @property
    def damaged(self) -> dict[str, str]:
        """Of each delegated role whose list cannot be read: why."""
        return self._in_force.damaged

    @property
    def metadata(self) -> dict[str, Metadata[Any]]:
        """What is in force by role, but for what is damaged."""
        return self._in_force.by_role()

    def chain(self, role: str) -> list[Metadata[Any]]:
        """What leads from the first root to what is in force for `role`, that included."""
        found: list[Metadata[Any]] = [*self._in_force.roots]
        if role in DELEGATED_ROLES:
            found.append(self._in_force.targets)
        return found if role == "root" else [*found, self.metadata[role]]

    def list_of(self, role: str) -> Metadata[Targets]:
        """A delegated role's list. Raises RepositoryDamaged if it cannot be read."""
        if role in self.damaged:
            raise RepositoryDamaged(self.damaged[role])
        return self._in_force.delegated[role]

    def signing(self, coming: ByRole | None = None) -> Signing:
        """Who signs for what, now or once `coming` is in force."""
        return Signing(self._in_force.root.signed, self._in_force.targets.signed, coming or {})

    def root_bytes(self) -> bytes:
        """The newest root metadata file: what a technician puts on a terminal."""
        return self.folder.metadata("root", self._in_force.root.signed.version).read_bytes()

    def root_digest(self) -> str:
        """SHA-256 of the newest root file, in hex: what people compare on paper."""
        return hashlib.sha256(self.root_bytes()).hexdigest()

    def in_force(self) -> dict[str, tuple[int, str]]:
        """Version and SHA-256 of what is in force, by role."""
        return {
            role: (metadata.signed.version, file_sha256(metadata))
            for role, metadata in self.metadata.items()
        }

    # --- what it lists ---

    def releases(self, channel: str) -> list[ReleaseEntry]:
        """What `channel` lists, highest release first.

        Raises:
            RepositoryError: no such channel.
        """
        lists.check_channel(channel)
        return lists.entries_in(self.list_of(channel).signed)

    def rollout(self, channel: str) -> RolloutPlan:
        """What is let out on `channel`: the plan in force, with what the brake halts.

        Raises:
            RepositoryError: no such channel.
        """
        plan, halts = self.plan(channel), lists.halts_of(channel, self.metadata)
        if not (halts.halted or halts.off):
            return plan
        return halts.on(plan, () if channel in self.damaged else self.releases(channel))

    def plan(self, channel: str) -> RolloutPlan:
        """The plan in force alone, as its key signed it. Raises as `rollout`."""
        lists.check_channel(channel)
        return lists.plan_in(channel, self.list_of(ROLLOUT_ROLES[channel]).signed)

    def catalogue_names(self) -> list[str]:
        """Names of the price lists in force."""
        return sorted(
            path.removeprefix(f"{CATALOGUE_ROLE}/").removesuffix(".json")
            for path in self.list_of(CATALOGUE_ROLE).signed.targets
        )

    def catalogue(self, name: str) -> Catalogue:
        """The price list in force under `name`.

        Raises:
            RepositoryError: none of that name.
            RepositoryDamaged: its file is missing or not what was signed.
        """
        return Catalogue.parse(self.target_bytes(lists.price_list_path(name)))

    def target_bytes(self, path: str) -> bytes:
        """A listed target's content, checked against its length and hash.

        Raises:
            RepositoryError: not listed.
            RepositoryDamaged: missing or changed on disk.
        """
        target = self._target(path)
        try:
            data = self.folder.target(target).read_bytes()
            target.verify_length_and_hashes(data)
        except (OSError, TufError) as error:
            raise RepositoryDamaged(f"target {path}: {error}") from error
        return data

    def target_file(self, path: str) -> Path:
        """Where a listed target's content is. Raises as `target_bytes`."""
        self.target_bytes(path)
        return self.folder.target(self._target(path))

    def _target(self, path: str) -> TargetFile:
        role = role_of(path)
        target = self.list_of(role).signed.targets.get(path) if role in DELEGATED_ROLES else None
        if target is None:
            raise RepositoryError(f"no target {path}")
        return target

    # --- until when it counts ---

    def expires(self, role: str) -> int:
        """Until when what is in force for a role counts, Unix seconds."""
        return int(self._expires(role).timestamp())

    def is_due(self, role: str, now: datetime) -> bool:
        """Whether what is in force for a role is to be signed anew (`dates.is_due`)."""
        return dates.is_due(self.policy.lifetime(role), self._expires(role), now)

    def doubt_of_clock(self, now: datetime) -> str:
        """Why `now` cannot well be the time, by the last timestamp; "" if it may be."""
        last = self._expires("timestamp") - self.policy.lifetime("timestamp")
        return dates.doubt_of_clock(last, now)

    def _expires(self, role: str) -> datetime:
        expires: datetime = self.metadata[role].signed.expires
        return expires
