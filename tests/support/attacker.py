"""Someone who holds the server: all its files and online keys, but no release manager's key."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from updater_server.channels import keys as key_files
from updater_server.channels.metadata_file import encode


class Attacker:
    """Changes what the server serves; `signed_in_between` puts everything back afterwards."""

    def __init__(self, repository: Path, keys: Path, passphrase: str) -> None:
        self._repository = repository
        self._metadata = repository / "metadata"
        self._snapshot_keys = key_files.load_all(keys, passphrase, ["snapshot"])
        self._timestamp_keys = key_files.load_all(keys, passphrase, ["timestamp"])

    @contextmanager
    def in_the_server(self) -> Iterator[None]:
        """What happens inside is undone at the end."""
        kept = self._repository.with_name("kept")
        shutil.copytree(self._repository, kept)
        try:
            yield
        finally:
            shutil.rmtree(self._repository)
            kept.rename(self._repository)

    def list_unsigned(self, channel: str, path: str, payload: bytes, custom: object) -> None:
        """List a release of the attacker's own on a channel, without its keys' signatures."""
        role = self._newest(channel)
        forged = Metadata[Targets].from_bytes(role.read_bytes())
        target = TargetFile.from_data(path, payload, ["sha256"])
        target.unrecognized_fields = {"custom": custom}
        forged.signed.targets[path] = target
        forged.signed.version += 1
        forged.signatures.clear()
        (self._metadata / f"{forged.signed.version}.{channel}.json").write_bytes(encode(forged))
        self._point_at(channel, forged.signed.version)

    def spoil_payloads(self, channel: str, byte_at: int = 100) -> None:
        """Flip one bit in every payload of a channel; done twice, it is undone."""
        for file in (self._repository / "targets" / channel).rglob("*"):
            if file.is_file():
                content = bytearray(file.read_bytes())
                content[min(byte_at, len(content) - 1)] ^= 1
                file.write_bytes(content)

    def remember(self) -> bytes:
        """Keep today's timestamp, to be replayed later."""
        return (self._metadata / "timestamp.json").read_bytes()

    def replay(self, timestamp: bytes) -> None:
        """Serve a timestamp of an earlier day."""
        (self._metadata / "timestamp.json").write_bytes(timestamp)

    def _newest(self, role: str) -> Path:
        files = self._metadata.glob(f"*.{role}.json")
        return max(files, key=lambda file: int(file.name.split(".")[0]))

    def _point_at(self, role: str, version: int) -> None:
        snapshot = Metadata[Snapshot].from_bytes(self._newest("snapshot").read_bytes())
        snapshot.signed.meta[f"{role}.json"] = MetaFile(version)
        snapshot.signed.version += 1
        self._sign(snapshot, self._snapshot_keys)
        name = f"{snapshot.signed.version}.snapshot.json"
        (self._metadata / name).write_bytes(encode(snapshot))
        timestamp = Metadata[Timestamp].from_bytes((self._metadata / "timestamp.json").read_bytes())
        timestamp.signed.snapshot_meta.version = snapshot.signed.version
        timestamp.signed.snapshot_meta.length = None
        timestamp.signed.snapshot_meta.hashes = None
        timestamp.signed.version += 1
        self._sign(timestamp, self._timestamp_keys)
        (self._metadata / "timestamp.json").write_bytes(encode(timestamp))

    def _sign(
        self, metadata: Metadata[Snapshot] | Metadata[Timestamp], signers: list[Signer]
    ) -> None:
        metadata.signatures.clear()
        for signer in signers:
            signature = signer.sign(metadata.signed_bytes)
            metadata.signatures[signature.keyid] = signature
