"""Who signs for what, and how far a role's signatures are. Reads and signs what it is given; knows
no file. For `channels`.

Source: TUF specification 1.0, sections 4 and 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import Metadata, Root, Targets

from updater_server.channels.metadata_file import ByRole
from updater_server.channels.policy import TOP_LEVEL_ROLES


class Signing:
    """Keys and thresholds as they are once `coming`, metadata by role, is in force."""

    def __init__(self, root_in_force: Root, targets_in_force: Targets, coming: ByRole) -> None:
        self._root_in_force = root_in_force
        self._root: Root = coming["root"].signed if "root" in coming else root_in_force
        self._targets: Targets = (
            coming["targets"].signed if "targets" in coming else targets_in_force
        )

    def delegator(self, role: str) -> Root | Targets:
        """Who says which keys sign for `role`."""
        return self._root if role in TOP_LEVEL_ROLES else self._targets

    def threshold(self, role: str) -> int:
        """How many keys of `role` must sign."""
        count: int = self.delegator(role).get_delegated_role(role).threshold
        return count

    def may_sign(self, role: str) -> dict[str, Key]:
        """Keys whose signature on the next version of `role` counts: a root's also by the old."""
        delegators = [self.delegator(role)]
        if role == "root":
            delegators.append(self._root_in_force)
        found: dict[str, Key] = {}
        for delegator in delegators:
            listed = delegator if isinstance(delegator, Root) else delegator.delegations
            assert listed
            for keyid in delegator.get_delegated_role(role).keyids:
                found[keyid] = listed.keys[keyid]
        return found

    def good(self, role: str, metadata: Metadata[Any]) -> set[str]:
        """Ids of the keys whose signatures on `metadata` count."""
        content, made = metadata.signed_bytes, metadata.signatures
        results = [
            judge.get_verification_result(role, content, made)
            for judge in self._judges(role, metadata)
        ]
        return {keyid for result in results for keyid in result.signed}

    def missing(self, role: str, metadata: Metadata[Any]) -> int:
        """How many signatures `metadata` still needs to be the next version of `role`."""
        return max(self._needs(role, metadata))

    def sign(self, role: str, metadata: Metadata[Any], signers: Sequence[Signer]) -> None:
        """Sign with those who may, until the threshold is reached: one more is 200 bytes on air."""
        needs = self._needs(role, metadata)
        for signer in self._helpful(role, metadata, signers, needs):
            metadata.sign(signer, append=True)
            left = self._needs(role, metadata)
            if left == needs:
                del metadata.signatures[signer.public_key.keyid]
            needs = left

    def drop_strange_signatures(self, role: str, metadata: Metadata[Any]) -> None:
        """Signatures that count for nothing would be paid for in airtime by every terminal."""
        for keyid in metadata.signatures.keys() - self.good(role, metadata):
            del metadata.signatures[keyid]

    def _judges(self, role: str, metadata: Metadata[Any]) -> list[Root | Targets]:
        """Who says whether `metadata` is signed: of a root, the root in force and itself."""
        if role == "root":
            return [self._root_in_force, metadata.signed]
        return [self.delegator(role)]

    def _needs(self, role: str, metadata: Metadata[Any]) -> list[int]:
        """How many signatures each who judges `metadata` still asks for."""
        content, made = metadata.signed_bytes, metadata.signatures
        return [
            judge.get_verification_result(role, content, made).missing
            for judge in self._judges(role, metadata)
        ]

    def _helpful(
        self, role: str, metadata: Metadata[Any], signers: Sequence[Signer], missing: list[int]
    ) -> list[Signer]:
        """Those of `signers` whose signatures bring `metadata` nearer to a judge's threshold, each
        counted once and none too many; the judges still ask for `missing`.
        """
        judges = self._judges(role, metadata)
        keyids = [set(judge.get_delegated_role(role).keyids) for judge in judges]
        chosen: list[Signer] = []
        taken = set(metadata.signatures)
        for signer in signers:
            keyid = signer.public_key.keyid
            helps = [keyid in ids and count > 0 for ids, count in zip(keyids, missing, strict=True)]
            if keyid in taken or not any(helps):
                continue
            taken.add(keyid)
            chosen.append(signer)
            missing = [count - helped for count, helped in zip(missing, helps, strict=True)]
        return chosen
