"""Somebody who stands between a terminal and its server, perhaps with stolen keys.

`Scene` is a terminal's update client, with the flash and files it writes, before a release
manager's site; the thief changes the site, or what passes on the way. The client runs on CPython
(quick) or on MicroPython in a board's heap behind a real HTTP server.
"""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from tests.support import micropython
from tests.update.test_on_micropython import run_device
from tests.update.world import NOW, World, image, signers
from updater_server.channels.repository import encode

EVIL = 9
SERVER = ("snapshot", "timestamp", "rollout")
"""The keys that are on the server."""


class Scene(World):
    """`tests.update.world` with a terminal that has seen today's metadata and prices."""

    def __init__(self, folder: Path, on_board: bool = False) -> None:
        super().__init__(folder)
        self.online_keys_stolen = False
        self._on_board = on_board
        self.run_client()  # the terminal knows today's metadata and price list
        self.honest_catalogue = (self.data / "catalogue.json").read_bytes()

    def run_client(self) -> None:
        """One visit of the terminal's update client, as after a restart."""
        if self._on_board:
            out, (resets, *_) = run_device(self, self.folder, micropython.BOARD_HEAP_BYTES)
            self.logged += out.splitlines()
            self.resets += resets
        else:
            self.reboot()
            self.run()

    def honest_again(self, site: Path) -> None:
        """The thief is thrown out: the release managers' own files come back, and the online keys
        are replaced if they were stolen.
        """
        shutil.rmtree(self.folder / "site")
        site.rename(self.folder / "site")
        self.site.change = lambda path, data: data
        if self.online_keys_stolen:
            fresh = {role: CryptoSigner.generate_ed25519() for role in ("snapshot", "timestamp")}
            self.repository.rotate_root(
                {role: [signer.public_key] for role, signer in fresh.items()},
                [*fresh.values(), *self.all_signers],
                NOW,
            )
            self.all_signers = [*fresh.values(), *self.all_signers]
        for _ in range(6):  # past what stolen online keys gave out
            self.repository.publish(self.all_signers, NOW)


class Thief:
    """Holds the named keys: a role's name for all of them, or `role:count`."""

    def __init__(self, scene: Scene, *held: str) -> None:
        by_role, _ = signers()
        self.scene = scene
        self.folder = scene.folder / "site" / "metadata"
        self.keys: list[CryptoSigner] = []
        scene.online_keys_stolen = "timestamp" in held
        for name in held:
            role, _, count = name.partition(":")
            self.keys += by_role[role][: int(count or 9)]

    def newest(self, role: str) -> Path:
        """The newest file of a role in the site."""
        if role == "timestamp":
            return self.folder / "timestamp.json"
        return max(self.folder.glob(f"*.{role}.json"), key=lambda f: int(f.name.split(".")[0]))

    def sign(self, metadata: Metadata[Any], keys: Sequence[CryptoSigner] | None = None) -> None:
        """Replace the signatures by those of the held keys."""
        metadata.signatures.clear()
        for signer in self.keys if keys is None else keys:
            metadata.sign(signer, append=True)

    def forge(self, role: str, edit: Callable[[Any], None], step: int = 1) -> None:
        """Write the next version of a role, edited and signed with what is held."""
        metadata: Metadata[Any] = Metadata.from_bytes(self.newest(role).read_bytes())
        edit(metadata.signed)
        metadata.signed.version += step
        self.sign(metadata)
        name = "timestamp" if role == "timestamp" else f"{metadata.signed.version}.{role}"
        (self.folder / f"{name}.json").write_bytes(encode(metadata))

    def point(self, *roles: str, step: int = 1) -> None:
        """Let snapshot and timestamp name the newest file of `roles`."""

        def names(snapshot: Snapshot) -> None:
            for role in roles:
                version = int(self.newest(role).name.split(".")[0])
                snapshot.meta[f"{role}.json"].version = version

        self.forge("snapshot", names, step)
        self.point_at_snapshot(step)

    def point_at_snapshot(self, step: int = 1) -> None:
        """Let the timestamp name the newest snapshot."""
        version = int(self.newest("snapshot").name.split(".")[0])

        def names(timestamp: Timestamp) -> None:
            timestamp.snapshot_meta.version = version

        self.forge("timestamp", names, step)

    def list_evil(self, role: str, path: str, **custom: Any) -> None:
        """List an image of the thief's own at `path` in `role`."""
        self.forge(role, lambda signed: self._add(signed, path, custom))

    def _add(self, signed: Targets, path: str, changes: dict[str, Any]) -> None:
        offered: Metadata[Targets] = Metadata.from_bytes(self.newest("stable").read_bytes())
        custom = dict(offered.signed.targets["stable/duka-r1/2.full"].custom or {})
        content = image(EVIL)
        hardware_class = path.split("/")[1]
        packer = zlib.compressobj(9, wbits=12)
        payload = packer.compress(content) + packer.flush()
        custom |= {
            "release": EVIL,
            "hardware": {"class": hardware_class, "revisions": [1]},
            "image": {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
            "payloads": [{"kind": "full", "path": path}],
            **changes,
        }
        target = TargetFile.from_data(path, payload, ["sha256"])
        target.unrecognized_fields = {"custom": custom}
        signed.targets[path] = target
        folder, _, name = path.rpartition("/")
        file = self.scene.folder / "site/targets" / folder / f"{target.hashes['sha256']}.{name}"
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
