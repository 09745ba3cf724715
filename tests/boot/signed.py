"""A channel's signed files, made with python-tuf, so that tests can also make wrong ones."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer


def new_signer() -> CryptoSigner:
    private = Ed25519PrivateKey.generate()
    key = SSlibKey.from_crypto(private.public_key())
    return CryptoSigner(private, key)


def entry(image: bytes, release: int, **changes: Any) -> dict[str, Any]:
    """`custom` of a release, as docs/formats/release.md; `changes` replace fields."""
    made: dict[str, Any] = {
        "release": release,
        "version": f"1.{release}",
        "commit": "0" * 40,
        "built": 1790000000,
        "security_version": 1,
        "hardware": {"class": "duka-r1", "revisions": [1]},
        "min_bootloader": 1,
        "stepping_stone": 0,
        "journal": {"reads": [1], "writes": 1},
        "image": {"size_bytes": len(image), "sha256": hashlib.sha256(image).hexdigest()},
        "payloads": [],
        "trial": {
            "crashes_allowed": 2,
            "unconfirmed_boots_allowed": 4,
            "selftest_deadline_s": 300,
        },
        "gate": {"battery_mv": 3600, "unsynced_records": 50, "idle_s": 10},
        "text": {"en": "Better"},
    }
    made.update(changes)
    path = f"stable/{made['hardware']['class']}/{made['release']}.full"
    made["payloads"] = [{"kind": "full", "path": path}]
    return made


class Channel:
    """The keys and the metadata of one publisher with the one channel `stable`."""

    def __init__(self, expires_in_days: int = 30) -> None:
        self.signers = {
            role: new_signer() for role in ("root", "timestamp", "snapshot", "targets", "stable")
        }
        self.expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=expires_in_days)
        self.root = Root(expires=self.expires, consistent_snapshot=True)
        for role in ("root", "timestamp", "snapshot", "targets"):
            self.root.add_key(self.signers[role].public_key, role)
        self.version = 0

    def files(
        self, *entries: dict[str, Any], version: int | None = None, catalogue: bytes | None = None
    ) -> dict[str, bytes]:
        """`{role: bytes}` of a publication that lists `entries`; each has a higher version.

        With a price list also the role `catalogue`, signed with the channel's key.
        """
        self.version = version or self.version + 1
        listed = {}
        for custom in entries:
            path = custom["payloads"][0]["path"]
            listed[path] = TargetFile(
                1, {"sha256": "0" * 64}, path, unrecognized_fields={"custom": custom}
            )
        stable = Targets(self.version, expires=self.expires, targets=listed)
        stable_key: Key = self.signers["stable"].public_key
        targets = Targets(
            self.version,
            expires=self.expires,
            delegations=Delegations(
                {stable_key.keyid: stable_key},
                {
                    "stable": DelegatedRole(
                        "stable", [stable_key.keyid], 1, True, paths=["stable/*/*"]
                    ),
                    "catalogue": DelegatedRole(
                        "catalogue", [stable_key.keyid], 1, True, paths=["catalogue/*"]
                    ),
                },
            ),
        )
        meta = MetaFile(self.version)
        listed_files = {"targets.json": meta, "stable.json": meta}
        prices = {}
        if catalogue is not None:
            listed_files["catalogue.json"] = meta
            target = TargetFile.from_data("catalogue/default.json", catalogue, ["sha256"])
            signed = Targets(self.version, expires=self.expires, targets={target.path: target})
            prices["catalogue"] = self.sign("stable", signed)
        snapshot = Snapshot(self.version, expires=self.expires, meta=listed_files)
        timestamp = Timestamp(
            self.version, expires=self.expires, snapshot_meta=MetaFile(self.version)
        )
        return {
            "root": self.sign("root", self.root),
            "timestamp": self.sign("timestamp", timestamp),
            "snapshot": self.sign("snapshot", snapshot),
            "targets": self.sign("targets", targets),
            "stable": self.sign("stable", stable),
            **prices,
        }

    def sign(self, role: str, signed: Any, *others: CryptoSigner) -> bytes:
        metadata = Metadata(signed)
        for signer in (self.signers[role], *others):
            metadata.sign(signer, append=True)
        return metadata.to_bytes(JSONSerializer(compact=True))

    def next_root(self) -> bytes:
        """Root version 2: a new root key and a new timestamp key, signed by both root keys."""
        old = self.signers["root"]
        self.root.version += 1
        for role in ("root", "timestamp"):
            self.root.revoke_key(self.signers[role].public_key.keyid, role)
            self.signers[role] = new_signer()
            self.root.add_key(self.signers[role].public_key, role)
        return self.sign("root", self.root, old)
