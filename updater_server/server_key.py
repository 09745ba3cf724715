"""The server's own secret, and what is sealed at rest under it: device keys and voucher PINs.

For `fleet`, `sales` and `service`. One 32-byte key in a file of mode 0600; each use has its own
key derived from it.
"""

from __future__ import annotations

import hmac
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, insert, select

from updater_server.errors import StateError, VaultError
from updater_server.store.tables import server_constant

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_CHECK = "key_check"


class SealedValue(NamedTuple):
    """Something sealed, with what must be known to open it."""

    purpose: str
    context: bytes
    value: bytes


class ServerKey:
    """Seals and opens values at rest; the purpose and `context` (whose it is) are authenticated
    with them.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._keys: dict[str, bytes] = {}

    def _key(self, purpose: str) -> bytes:
        if purpose not in self._keys:
            info = b"duka server 1 " + purpose.encode()
            self._keys[purpose] = HKDF(SHA256(), 32, salt=None, info=info).derive(self._secret)
        return self._keys[purpose]

    def seal(self, purpose: str, context: bytes, value: bytes) -> bytes:
        """AES-256-GCM with a random nonce in front."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key(purpose)).encrypt(nonce, value, context)

    def open(self, purpose: str, context: bytes, sealed: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            VaultError: sealed for something else, under another key, or damaged.
        """
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._key(purpose)).decrypt(nonce, rest, context)
        except (InvalidTag, ValueError) as error:
            raise VaultError(f"a sealed {purpose} does not open under this server key") from error

    def digest(self, purpose: str, value: bytes) -> bytes:
        """A keyed digest: finds equal values without knowing them."""
        return hmac.digest(self._key(purpose), value, "sha256")

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """What signs for this purpose, so that others can check it; never what seals for it."""
        return Ed25519PrivateKey.from_private_bytes(self._key(f"sign {purpose}"))


def bind(connection: Connection, key: ServerKey, samples: Iterable[SealedValue]) -> None:
    """Hold the key against the one this database was begun with; the first time, note which it is
    if it opens any of the `samples` of what is sealed here (or there are none).

    Raises:
        StateError: another key: what is sealed here does not open under it, and what it sealed
            would never open under the right one.
    """
    mine = key.digest("key check", b"duka").hex()
    known = connection.scalar(
        select(server_constant.c.value).where(server_constant.c.name == _KEY_CHECK)
    )
    if known is None:
        sealed = list(samples)
        if not sealed or any(_opens(key, value) for value in sealed):
            connection.execute(insert(server_constant).values(name=_KEY_CHECK, value=mine))
            return
    if known is None or not hmac.compare_digest(known, mine):
        raise StateError(
            "server.key is not the key of this database: put back the one that was kept apart from "
            "the back-up; nothing was changed"
        )


def is_bound(connection: Connection) -> bool:
    """Whether the database knows its key."""
    return (
        connection.scalar(
            select(server_constant.c.name).where(server_constant.c.name == _KEY_CHECK)
        )
        is not None
    )


def _opens(key: ServerKey, sealed: SealedValue) -> bool:
    try:
        key.open(sealed.purpose, sealed.context, sealed.value)
    except VaultError:
        return False
    return True


def create(path: Path) -> None:
    """Write a new key file, mode 0600. Raises FileExistsError rather than overwrite one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> ServerKey:
    """The key of a data folder.

    Raises:
        StateError: missing, of a wrong size, or readable by others.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        secret = path.read_bytes()
    except OSError as error:
        raise StateError(f"no server key at {path}: run `init` first") from error
    if mode & 0o077:
        raise StateError(f"{path} may be read by others (mode {mode:04o}): chmod 600 it")
    if len(secret) != KEY_BYTES:
        raise StateError(f"{path} has {len(secret)} bytes, not {KEY_BYTES}: restore it")
    return ServerKey(secret)
