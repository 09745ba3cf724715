"""Signing on a machine that has the key and no repository: what is carried there, and back.

For `channels` and the tools. What is carried there holds the very bytes to sign, so that the words
shown before signing are read from them and not from what somebody wrote beside them. Beside them it
holds what is in force, with its signatures up to the root: who has a root of their own can check
it, and is shown what differs; who has none is shown everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from securesystemslib.exceptions import FormatError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError as TufError
from tuf.api.metadata import Metadata, Root, Targets

from updater_server.channels import shown
from updater_server.channels.keys import KeyIdError, check_ids
from updater_server.channels.policy import DELEGATED_ROLES, TOP_LEVEL_ROLES, role_of
from updater_server.channels.restoring import follows


class OfflineError(Exception):
    """What was carried is not a request to sign, or not a signature; the text says what to do."""


@dataclass(frozen=True)
class Request:
    """`signed` is what is to be signed for `role`. `chain` is metadata in force, roots first, then
    what stands between them and the role's own; `contents` are files that `signed` names by their
    SHA-256 alone.
    """

    role: str
    signed: dict[str, Any]
    chain: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Of the bytes to be signed, in hex."""
        return shown.sha256_of(self.signed)

    def encode(self) -> bytes:
        """The file to carry to the key."""
        texts = {sha256: data.decode() for sha256, data in self.contents.items()}
        document = {
            "role": self.role, "signed": self.signed, "chain": self.chain, "contents": texts,
        }  # fmt: skip
        return json.dumps(document, indent=1).encode()

    def in_words(self, root: bytes | None = None) -> list[str]:
        """What a signature says: all of it, or what differs from what is in force by `root`.

        Raises:
            OfflineError: `root` is none, or does not lead to what the request says is in force.
        """
        if root is None:
            return shown.in_words(self.role, self.signed, None, self.contents)
        in_force, root_version, keyids = self._in_force(root)
        lines = shown.in_words(self.role, self.signed, in_force, self.contents)
        return [
            *lines,
            f"  in force by root version {root_version}, which follows from yours; by it "
            f"{self.role} is signed by keys {', '.join(keyids)}",
        ]

    def _in_force(self, root_bytes: bytes) -> tuple[dict[str, Any], int, list[str]]:
        try:
            in_force, root_version, keyids = self._follow(Metadata[Root].from_bytes(root_bytes))
        except (TufError, OfflineError, ValueError, TypeError, AttributeError) as error:
            raise OfflineError(
                f"what the request says is in force does not follow from your root: {error}"
            ) from error
        version = self.signed.get("version")
        if not isinstance(version, int) or not follows(self.role, version, in_force["version"]):
            raise OfflineError(
                f"this is not the next version of {shown.visible(self.role)}, whose version "
                f"{in_force['version']} is in force: export it again"
            )
        return in_force, root_version, keyids

    def _follow(self, root: Metadata[Root]) -> tuple[dict[str, Any], int, list[str]]:
        """What is in force for the role, as the chain shows it from a root that is trusted; the
        newest root's version; the ids of the role's keys.
        """
        _verify(root.signed, "root", root)
        below: list[Metadata[Any]] = []
        for document in self.chain:
            metadata: Metadata[Any] = Metadata.from_bytes(json.dumps(document).encode())
            check_keys(metadata.signed.to_dict())
            if not isinstance(metadata.signed, Root):
                below.append(metadata)
            elif metadata.signed.version > root.signed.version:
                _verify(root.signed, "root", metadata)
                _verify(metadata.signed, "root", metadata)
                if metadata.signed.version != root.signed.version + 1:
                    raise ValueError("a root is left out")
                root = metadata
        names = [] if self.role == "root" else [self.role]
        if self.role not in TOP_LEVEL_ROLES:
            names.insert(0, "targets")
        found: Metadata[Any] = root
        keyids = root.signed.roles["root"].keyids
        for name, metadata in zip(names, below, strict=True):
            _verify(found.signed, name, metadata)
            keyids = found.signed.get_delegated_role(name).keyids
            found = metadata
        in_force: dict[str, Any] = found.signed.to_dict()
        if in_force["_type"] != self.signed["_type"]:
            raise ValueError("it is of another role")
        return in_force, root.signed.version, [*keyids]


def _verify(judge: Root | Targets, role: str, metadata: Metadata[Any]) -> None:
    judge.verify_delegate(role, metadata.signed_bytes, metadata.signatures)


def read_request(data: bytes) -> Request:
    """The request in a file.

    Raises:
        OfflineError: not such a file, or a key in it is another one than its id says.
    """
    try:
        content = json.loads(data)
        role, signed = content["role"], content["signed"]
        chain = content.get("chain", [])
        contents = {sha256: text.encode() for sha256, text in content.get("contents", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OfflineError("not a request to sign: export it again") from error
    if not isinstance(role, str) or not isinstance(signed, dict) or "_type" not in signed:
        raise OfflineError("not a request to sign: export it again")
    if role not in (*TOP_LEVEL_ROLES, *DELEGATED_ROLES):
        raise OfflineError(f"there is no role {shown.visible(role)}")
    expected = role if role in TOP_LEVEL_ROLES else "targets"
    if signed["_type"] != expected:
        raise OfflineError(f"what is to be signed for {shown.visible(role)} is of another role")
    try:
        (encode_canonical(signed) or "").encode()
    except (FormatError, ValueError) as error:
        raise OfflineError("not a request to sign: export it again") from error
    check_keys(signed)
    _check_role(role, signed)
    return Request(role, signed, chain if isinstance(chain, list) else [], contents)


def _check_role(role: str, signed: Mapping[str, Any]) -> None:
    """The bytes to be signed do not say whose they are: what they hold must. Raises OfflineError
    if it is another role's.
    """
    if role in TOP_LEVEL_ROLES and role != "targets":
        return
    listed = signed.get("targets")
    others = [path for path in listed if role_of(path) != role] if isinstance(listed, dict) else []
    if others or ("delegations" in signed) is not (role == "targets"):
        about = f"lists {shown.visible(others[0])}" if others else "is another role's"
        raise OfflineError(
            f"what is to be signed for {role} {about}: somebody changed this; do not sign"
        )


def check_keys(signed: Mapping[str, Any]) -> None:
    """Raises OfflineError if a key id in `signed` is not made of its key."""
    for holder in (signed, signed.get("delegations")):
        keys = holder.get("keys") if isinstance(holder, Mapping) else None
        if keys is None:
            continue
        try:
            check_ids(keys)
        except (KeyIdError, AttributeError) as error:
            raise OfflineError(f"{error}: somebody changed this; do not sign") from error


def request(
    role: str,
    signed_bytes: bytes,
    chain: Iterable[Metadata[Any]] = (),
    contents: Iterable[bytes] = (),
) -> Request:
    """What is to be carried to the key."""
    by_hash = {hashlib.sha256(data).hexdigest(): data for data in contents}
    documents = [metadata.to_dict() for metadata in chain]
    return Request(role, json.loads(signed_bytes), documents, by_hash)


def sign(asked: Request, signer: Signer) -> bytes:
    """The file to carry back: a signature over what `asked` holds."""
    canonical = encode_canonical(asked.signed)
    assert canonical is not None
    signature = signer.sign(canonical.encode())
    content = {"role": asked.role, "keyid": signature.keyid, "sig": signature.signature}
    return json.dumps(content, indent=1).encode()


def read_signature(data: bytes) -> tuple[str, str, str]:
    """(role, key id, signature).

    Raises:
        OfflineError: not such a file.
    """
    try:
        content = json.loads(data)
        role, keyid, signature = content["role"], content["keyid"], content["sig"]
    except (ValueError, KeyError, TypeError) as error:
        raise OfflineError("not a signature file") from error
    if not all(isinstance(value, str) for value in (role, keyid, signature)):
        raise OfflineError("not a signature file")
    return role, keyid, signature
