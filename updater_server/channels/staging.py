"""Changes that were worked out and not yet signed: what a person is shown, and nothing else, is
what `Repository.stage` signs. For `channels` and the tools.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, Root, Targets


@dataclass
class Draft:
    """The next version of one role. `base` says what it was worked out from: what was in force and
    what was staged then.
    """

    role: str
    metadata: Metadata[Any]
    base: str
    at: datetime
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        """Of the very bytes to be signed, in hex."""
        return digest(self.metadata)


@dataclass
class Drafts:
    """Everything that one command would stage, with the target files it lists."""

    by_role: dict[str, Draft] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)


def digest(metadata: Metadata[Any]) -> str:
    """SHA-256 of the bytes that are signed, in hex."""
    return hashlib.sha256(metadata.signed_bytes).hexdigest()


def needed(
    role: str,
    metadata: Metadata[Any],
    judges: Sequence[Root | Targets],
    signers: Sequence[Signer],
) -> list[Signer]:
    """Those of `signers` whose signatures bring `metadata` nearer to a judge's threshold, each
    counted once and none too many: one more is 200 bytes on air.
    """
    content, made = metadata.signed_bytes, metadata.signatures
    missing = [judge.get_verification_result(role, content, made).missing for judge in judges]
    keyids = [set(judge.get_delegated_role(role).keyids) for judge in judges]
    chosen: list[Signer] = []
    taken = set(made)
    for signer in signers:
        keyid = signer.public_key.keyid
        helps = [keyid in ids and count > 0 for ids, count in zip(keyids, missing, strict=True)]
        if keyid in taken or not any(helps):
            continue
        taken.add(keyid)
        chosen.append(signer)
        missing = [count - helped for count, helped in zip(missing, helps, strict=True)]
    return chosen


def contents_of(listed: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of `files` (by SHA-256) that are what the targets `listed` name."""
    wanted = {str(target.get("hashes", {}).get("sha256")) for target in listed.values()}
    return {sha256: data for sha256, data in files.items() if sha256 in wanted}
