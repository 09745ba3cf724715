"""Somebody who stands between a terminal and its server, perhaps with stolen keys, and writes what
they like into what is served.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from tests.attacks.scene import Scene
from updater_server.channels.metadata_file import encode


class Thief:
    """Holds the named keys: a role's name for all of them, or `role:count`."""

    def __init__(self, scene: Scene, *held: str) -> None:
        self.scene = scene
        self.folder = scene.served / "metadata"
        self.keys: list[Signer] = []
        scene.online_keys_stolen |= "timestamp" in held
        for name in held:
            role, _, count = name.partition(":")
            self.keys += scene.signers[role][: int(count or 9)]

    def newest(self, role: str) -> Path:
        """The newest file of a role in the site."""
        return self.scene.newest(role)

    def sign(self, metadata: Metadata[Any], keys: Sequence[Signer] | None = None) -> None:
        """Replace the signatures by those of the held keys."""
        metadata.signatures.clear()
        for signer in self.keys if keys is None else keys:
            metadata.sign(signer, append=True)

    def forge(self, role: str, edit: Callable[[Any], None], step: int = 1) -> None:
        """Write the next version of a role, edited and signed with what is held."""
        metadata: Metadata[Any] = Metadata.from_bytes(self.newest(role).read_bytes())
        edit(metadata.signed)
        metadata.signed.version += step
        self.sign(metadata, self._of(role))
        name = "timestamp" if role == "timestamp" else f"{metadata.signed.version}.{role}"
        (self.folder / f"{name}.json").write_bytes(encode(metadata))

    def _of(self, role: str) -> list[Signer]:
        """The held keys that are a role's own, or all of them if none is."""
        own = [key for key in self.keys if key in self.scene.signers.get(role, ())]
        return own if role in ("snapshot", "timestamp") and own else self.keys

    def point(self, *roles: str, step: int = 1) -> None:
        """Let snapshot and timestamp name the newest file of `roles`."""

        def names(snapshot: Snapshot) -> None:
            for role in roles:
                version = int(self.newest(role).name.split(".")[0])
                snapshot.meta[f"{role}.json"] = MetaFile(version)

        self.forge("snapshot", names, step)
        self.point_at_snapshot(step)

    def point_at_snapshot(self, step: int = 1) -> None:
        """Let the timestamp name the newest snapshot."""
        version = int(self.newest("snapshot").name.split(".")[0])

        def names(timestamp: Timestamp) -> None:
            timestamp.snapshot_meta = MetaFile(version)

        self.forge("timestamp", names, step)

    def list_evil(self, role: str, path: str, **custom: Any) -> None:
        """List an image of the thief's own at `path` in `role`."""
        self.forge(role, lambda signed: self._add(signed, path, custom))

    def _add(self, signed: Targets, path: str, changes: dict[str, Any]) -> None:
        offered: Metadata[Targets] = Metadata.from_bytes(self.newest("stable").read_bytes())
        custom = dict(
            offered.signed.targets[f"stable/duka-r1/{self.scene.offered}.full"].custom or {}
        )
        content = self.scene.evil_image()
        hardware_class = path.split("/")[1]
        packer = zlib.compressobj(9, wbits=12)
        payload = packer.compress(content) + packer.flush()
        custom |= {
            "release": self.scene.evil,
            "hardware": {"class": hardware_class, "revisions": [1]},
            "image": {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
            "payloads": [{"kind": "full", "path": path}],
            **changes,
        }
        target = TargetFile.from_data(path, payload, ["sha256"])
        target.unrecognized_fields = {"custom": custom}
        signed.targets[path] = target
        folder, _, name = path.rpartition("/")
        file = self.scene.served / "targets" / folder / f"{target.hashes['sha256']}.{name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(payload)

    def new_root(self, *, keep_roles: tuple[str, ...] = ()) -> None:
        """Serve a root that hands every role but `keep_roles` to a key of the thief's own."""
        own = CryptoSigner.generate_ed25519()

        def takes_over(root: Root) -> None:
            for role in ("root", "targets", "snapshot", "timestamp"):
                if role not in keep_roles:
                    root.keys[own.public_key.keyid] = own.public_key
                    root.roles[role].keyids = [own.public_key.keyid]
                    root.roles[role].threshold = 1

        self.keys.append(own)
        self.forge("root", takes_over)
