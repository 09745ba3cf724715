"""Signing on a machine that has the key and no repository: what is carried there, and back.

For `channels` and the tools. What is carried there holds the very bytes to sign, so that the words
shown before signing are read from them and not from what somebody wrote beside them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Signer

from updater_server.channels.entry import ReleaseEntry


class OfflineError(Exception):
    """What was carried is not a request to sign, or not a signature; the text says what to do."""


def export(role: str, signed_bytes: bytes) -> bytes:
    """The file to carry to the key."""
    return json.dumps({"role": role, "signed": json.loads(signed_bytes)}, indent=1).encode()


def read_request(data: bytes) -> tuple[str, dict[str, Any]]:
    """(role, what is to be signed).

    Raises:
        OfflineError: not such a file.
    """
    try:
        content = json.loads(data)
        role, signed = content["role"], content["signed"]
    except (ValueError, KeyError, TypeError) as error:
        raise OfflineError("not a request to sign: export it again") from error
    if not isinstance(role, str) or not isinstance(signed, dict) or "_type" not in signed:
        raise OfflineError("not a request to sign: export it again")
    return role, signed


def sign(data: bytes, signer: Signer) -> bytes:
    """The file to carry back: a signature over what `data` holds. Raises OfflineError."""
    role, signed = read_request(data)
    canonical = encode_canonical(signed)
    if canonical is None:
        raise OfflineError("not a request to sign: export it again")
    signature = signer.sign(canonical.encode())
    content = {"role": role, "keyid": signature.keyid, "sig": signature.signature}
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


def in_words(role: str, signed: dict[str, Any]) -> Iterator[str]:
    """What a signature over `signed` says, a line each."""
    yield f"{signed['_type']} metadata of {role}, version {signed['version']}"
    yield f"  counts until {signed['expires']}"
    for path, target in sorted(signed.get("targets", {}).items()):
        if path.endswith(".full"):
            entry = ReleaseEntry.parse(target["custom"])
            yield (
                f"  release {entry.release} ({entry.version}) of {entry.hardware.hardware_class}, "
                f"commit {entry.commit[:12]}, image sha256 {entry.image.sha256}"
            )
        else:
            yield f"  {path}, {target['length']} bytes, sha256 {target['hashes']['sha256']}"
    for delegation in signed.get("delegations", {}).get("roles", []):
        yield (
            f"  {delegation['name']} is signed by {delegation['threshold']} of "
            f"{', '.join(delegation['keyids'])}"
        )
