"""One metadata file: its bytes in canonical JSON, their hashes, and reading it. For `channels`.

Every file is written in canonical JSON: the bytes of `signed` in the file are the bytes that were
signed, and none is wasted on white space, escapes or long key ids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from securesystemslib.formats import encode_canonical
from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.exceptions import RepositoryError as TufError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from updater_server.channels.errors import RepositoryDamaged, RepositoryError
from updater_server.channels.keys import check_ids, ids_of

SignedT = TypeVar("SignedT", Root, Timestamp, Snapshot, Targets)
ByRole = Mapping[str, Metadata[Any]]
"""Metadata by the role that they are of."""
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


def encode(metadata: Metadata[Any]) -> bytes:
    """Canonical JSON of the whole file.

    Raises:
        RepositoryError: a string holds a control character, which canonical JSON would put raw into
            the file.
    """
    canonical = encode_canonical(metadata.to_dict())
    if canonical is None or _CONTROL_CHARACTER.search(canonical):
        raise RepositoryError("metadata must not contain control characters")
    return canonical.encode()


def digest(metadata: Metadata[Any]) -> str:
    """SHA-256 of the bytes that are signed, in hex."""
    return hashlib.sha256(metadata.signed_bytes).hexdigest()


def file_sha256(metadata: Metadata[Any]) -> str:
    """SHA-256 of the whole file, signatures and all, in hex."""
    return hashlib.sha256(encode(metadata)).hexdigest()


def copy_of(metadata: Metadata[Any]) -> Metadata[Any]:
    """The same file once more, which may be changed."""
    return Metadata.from_bytes(encode(metadata))


def check_key_ids(signed: Root | Timestamp | Snapshot | Targets) -> None:
    """Refuse keys in a root, or in delegations, whose ids are not made of them.

    Raises:
        KeyIdError: the text names the id.
    """
    if isinstance(signed, Root):
        check_ids(ids_of(signed.keys))
    elif isinstance(signed, Targets) and signed.delegations is not None:
        check_ids(ids_of(signed.delegations.keys))


def read(path: Path, kind: type[SignedT], named: MetaFile | None = None) -> Metadata[SignedT]:
    """The metadata in a file, as snapshot or timestamp `named` it; no signature is looked at.

    Raises:
        RepositoryDamaged: not readable, another file than the named one, or of another kind.
    """
    try:
        content = path.read_bytes()
        metadata = Metadata[SignedT].from_bytes(content)
        if named:
            named.verify_length_and_hashes(content)
    except OSError as error:
        raise RepositoryDamaged(f"{path.name} cannot be read: {error.strerror}") from error
    except LengthOrHashMismatchError as error:
        raise RepositoryDamaged(
            f"{path.name} is another file of this version than the one that was published"
        ) from error
    except TufError as error:
        raise RepositoryDamaged(f"{path.name} is not TUF metadata: {error}") from error
    if not isinstance(metadata.signed, kind):
        raise RepositoryDamaged(f"{path.name} is {metadata.signed.type} metadata")
    return metadata
