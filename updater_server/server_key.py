"""What is sealed at rest, and the keys that seal it. For `fleet`, `sales`, `service` and `backup`.

Two steps: `server.key` is 32 bytes in a file of mode 0600, and wraps secrets that are in the
database (`wrapped`). Under these secrets are sealed device keys, voucher PINs and the rest. So
`server.key` is changed without sealing anything anew, and a copy of the database opens nothing.
Each use of a secret has a key of its own, derived from it.
"""

from __future__ import annotations

import hmac
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from updater_server.errors import KeyMissing, StateError, VaultError

KEY_BYTES = 32
FOREVER, FIRST = 0, 1
"""Numbers of secrets: the one that makes digests and signs, and the first one that sealed."""
MAGIC = b"\xd4\x1fduka"
"""What every mark begins with."""
MARK_BYTES = 8
_NONCE_BYTES = 12
_FINGERPRINT_BYTES = 8

Secrets = Mapping[int, bytes]
"""Secrets by number: `FOREVER`, and one or more that seal; the highest seals what is new."""


class SealedValue(NamedTuple):
    """Something sealed, with what must be known to open it."""

    purpose: str
    context: bytes
    value: bytes


def mark(number: int) -> bytes:
    """What stands before whatever is sealed under this secret; nothing for the first one, which
    sealed before there were others.
    """
    return b"" if number == FIRST else MAGIC + number.to_bytes(MARK_BYTES - len(MAGIC), "big")


class ServerKey:
    """Seals and opens values at rest; the purpose and `context` (whose it is) are authenticated
    with them.

    `secret` makes digests and signs. `sealing`: the secrets that seal, by number; without any,
    `secret` is the first. `look`: all secrets as the database has them now, for values under one
    that came since; it raises StateError where this server's key does not open them any more.
    Safe to call from several threads.
    """

    def __init__(
        self,
        secret: bytes,
        sealing: Secrets | None = None,
        look: Callable[[], Secrets] | None = None,
    ) -> None:
        self._secret = secret
        self._sealing = dict(sealing or {FIRST: secret})
        self._look = look
        self._keys: dict[tuple[int, str], bytes] = {}
        self._ciphers: dict[tuple[int, str], AESGCM] = {}
        self.trouble = ""
        """Why something that is whole could not be opened here, until it can be."""

    @staticmethod
    def of(secrets: Secrets, look: Callable[[], Secrets] | None = None) -> ServerKey:
        """Of all secrets of a database."""
        return ServerKey(secrets[FOREVER], _that_seal(secrets), look)

    @property
    def newest(self) -> int:
        """The number of the secret that seals what is new."""
        return max(self._sealing)

    def refresh(self) -> None:
        """Learn of secrets that came since, and forget those that are gone.

        Raises:
            StateError: they are wrapped under another server.key now.
        """
        if self._look is not None:
            self._sealing = _that_seal(self._look())
            self.trouble = ""

    def _key(self, purpose: str, number: int = FOREVER, secret: bytes = b"") -> bytes:
        found = self._keys.get((number, purpose))
        if found is None:
            found = _derived(secret or self._secret, purpose)
            self._keys[number, purpose] = found
        return found

    def _cipher(self, purpose: str, number: int, secret: bytes) -> AESGCM:
        found = self._ciphers.get((number, purpose))
        if found is None:
            found = self._ciphers[number, purpose] = AESGCM(self._key(purpose, number, secret))
        return found

    def seal(self, purpose: str, context: bytes, value: bytes) -> bytes:
        """AES-256-GCM with the secret's mark and a random nonce in front."""
        number, secret = max(self._sealing.items())
        front, nonce = mark(number), os.urandom(_NONCE_BYTES)
        cipher = self._cipher(purpose, number, secret)
        return front + nonce + cipher.encrypt(nonce, value, front + context)

    def open(self, purpose: str, context: bytes, sealed: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            VaultError: sealed for something else, under another key, or damaged.
            KeyMissing: this server's key does not open the secret that it is sealed under.
        """
        number = number_of(sealed)
        if number not in self._sealing:
            self._learn(number)
        # One of a long time ago may begin by chance as if it had a mark.
        for under in (number, FIRST) if number != FIRST else (FIRST,):
            found = self._tried(under, purpose, context, sealed)
            if found is not None:
                return found
        raise VaultError(f"a sealed {purpose} does not open under this server key")

    def _tried(self, number: int, purpose: str, context: bytes, sealed: bytes) -> bytes | None:
        secret = self._sealing.get(number)
        if secret is None:
            return None
        front = mark(number)
        start = len(front) + _NONCE_BYTES
        nonce, rest = sealed[len(front) : start], sealed[start:]
        try:
            cipher = self._cipher(purpose, number, secret)
            return cipher.decrypt(nonce, rest, front + context)
        except (InvalidTag, ValueError):
            return None

    def _learn(self, number: int) -> None:
        try:
            self.refresh()
        except StateError as error:
            self.trouble = f"what is sealed under secret {number}: {error}"
            raise KeyMissing(self.trouble) from error

    def digest(self, purpose: str, value: bytes) -> bytes:
        """A keyed digest: finds equal values without knowing them. Its secret never changes."""
        return hmac.digest(self._key(purpose), value, "sha256")

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """What signs for this purpose, so that others can check it; never what seals for it."""
        return Ed25519PrivateKey.from_private_bytes(self._key(f"sign {purpose}"))


def _that_seal(secrets: Secrets) -> dict[int, bytes]:
    return {number: secret for number, secret in secrets.items() if number != FOREVER}


def number_of(sealed: bytes) -> int:
    """Under which secret something says that it is sealed."""
    if len(sealed) <= MARK_BYTES or not sealed.startswith(MAGIC):
        return FIRST
    return int.from_bytes(sealed[len(MAGIC) : MARK_BYTES], "big")


def _derived(secret: bytes, purpose: str) -> bytes:
    info = b"duka server 1 " + purpose.encode()
    return HKDF(SHA256(), 32, salt=None, info=info).derive(secret)


class WrappingKey:
    """What is in a file `server.key`: wraps the secrets of a database, and seals what a back-up
    says of itself.
    """

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    @property
    def fingerprint(self) -> str:
        """16 hex digits by which people know the key; tells nothing of it."""
        return _derived(self.secret, "fingerprint")[:_FINGERPRINT_BYTES].hex()

    def wrap(self, number: int, secret: bytes) -> bytes:
        """A secret as the database keeps it; its number is authenticated with it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead().encrypt(nonce, secret, b"secret %d" % number)

    def unwrap(self, number: int, wrapped: bytes) -> bytes:
        """What `wrap` was given.

        Raises:
            VaultError: another key, another number, or damaged.
        """
        nonce, rest = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            return self._aead().decrypt(nonce, rest, b"secret %d" % number)
        except (InvalidTag, ValueError) as error:
            raise VaultError(f"wrapped secret {number} does not open") from error

    def digest(self, purpose: str, value: bytes) -> bytes:
        """A keyed digest, as `ServerKey.digest` under a first secret that is this key."""
        return hmac.digest(_derived(self.secret, purpose), value, "sha256")

    def _aead(self) -> AESGCM:
        return AESGCM(_derived(self.secret, "wrap"))


def create(path: Path) -> WrappingKey:
    """Write a new key file, mode 0600. Raises FileExistsError rather than overwrite one."""
    secret = os.urandom(KEY_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    return WrappingKey(secret)


def load(path: Path) -> WrappingKey:
    """The key in a file of a data folder.

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
    return WrappingKey(secret)
