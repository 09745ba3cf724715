"""Signing keys on disk: Ed25519, PKCS#8 PEM encrypted with a passphrase. For the release manager's
tools.

`<name>.pem` is the secret (mode 0600), `<name>.pub` its public half in TUF's own JSON form with the
key id, so that a repository can be created, and thresholds changed, without touching a secret.
A key in an HSM or a cloud KMS has `<name>.uri` in the place of the secret: one line that
`securesystemslib` understands (`hsm:…`, `gcpkms:…`, `awskms:…`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, Key, Signer, SSlibKey

from updater_server.atomic import write_atomically
from updater_server.channels.policy import Policy

KEY_ID_HEX_DIGITS = 16
"""Key ids are the first 8 bytes of the key's fingerprint: every id travels over GPRS several times
in each role's metadata. Terminals take longer ones too, up to the whole fingerprint."""
PASSPHRASE_MIN_LENGTH = 8

Passphrases = Callable[[Path], str]
"""Gives the passphrase of one key file."""


class KeyIdError(Exception):
    """A key id is not made of its key, or one key has two ids; the text says which."""


class KeyFileError(Exception):
    """A key file is missing, is not ours, or does not open with this passphrase; the text says
    which and what to do.
    """


def fingerprint(key: Mapping[str, object]) -> str:
    """SHA-256, in hex, of the canonical form of a public key as it stands in metadata.

    Raises:
        KeyIdError: nothing that canonical JSON can hold.
    """
    try:
        canonical = encode_canonical(dict(key))
    except Exception as error:
        raise KeyIdError(f"a key is not one: {error}") from error
    assert canonical is not None
    return hashlib.sha256(canonical.encode()).hexdigest()


def check_ids(keys: Mapping[str, Mapping[str, object]]) -> None:
    """Refuse `keys` (those of a root, or of delegations, as in metadata) unless each id is made of
    its key and no key stands under two ids: who reads an id must know the key, and who counts ids
    must count people.

    Raises:
        KeyIdError: the text names the id.
    """
    seen: dict[str, str] = {}
    for keyid, key in keys.items():
        if len(keyid) < KEY_ID_HEX_DIGITS or not fingerprint(key).startswith(keyid):
            raise KeyIdError(f"the key under id {keyid[:64]!a} is another one than its id says")
        value = key.get("keyval")
        public = str(value.get("public")) if isinstance(value, Mapping) else ""
        material = public.strip().lower() if len(public) == 64 else public.strip()
        other = seen.setdefault(material, keyid)
        if other != keyid:
            raise KeyIdError(f"ids {other} and {keyid} are one and the same key")


def ids_of(keys: Mapping[str, Key]) -> dict[str, dict[str, object]]:
    """Keys of python-tuf as they stand in metadata, by id."""
    return {keyid: key.to_dict() for keyid, key in keys.items()}


def public_half(private: Ed25519PrivateKey) -> SSlibKey:
    """The public key, with the key id that it has in metadata."""
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = SSlibKey("", "ed25519", "ed25519", {"public": raw.hex()})
    key.keyid = fingerprint(key.to_dict())[:KEY_ID_HEX_DIGITS]
    return key


def generate(path: Path, passphrase: str) -> SSlibKey:
    """Make a new Ed25519 key at `path` (`….pem`) and its public half beside it (`….pub`); returns
    the public key.

    Raises:
        KeyFileError: the file exists already (a key is never overwritten), or the passphrase is
            under 8 characters.
    """
    if len(passphrase) < PASSPHRASE_MIN_LENGTH:
        raise KeyFileError(f"the passphrase must have at least {PASSPHRASE_MIN_LENGTH} characters")
    if path.exists():
        raise KeyFileError(f"{path} exists; a key is never overwritten: move it away first")
    private = Ed25519PrivateKey.generate()
    public = public_half(private)
    pem = private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
    )
    write_atomically(path, pem, mode=0o600)
    document = {"keyid": public.keyid, **public.to_dict()}
    write_atomically(path.with_suffix(".pub"), json.dumps(document, indent=1).encode() + b"\n")
    return public


def load(path: Path, passphrase: str) -> CryptoSigner:
    """The signer of one key file.

    Raises:
        KeyFileError: no such file, not an Ed25519 key in PKCS#8, or the wrong passphrase.
    """
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read the key {path}: {error.strerror}") from error
    try:
        private = load_pem_private_key(pem, passphrase.encode())
    except (ValueError, TypeError) as error:
        if not passphrase:
            raise KeyFileError(f"{path} does not open: no passphrase was given") from error
        raise KeyFileError(
            f"{path} does not open: wrong passphrase, or not a key made by `generate`"
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key")
    return CryptoSigner(private, public_half(private))


def _load_remote(path: Path) -> Signer:
    """The signer behind a `.uri` file."""
    try:
        uri = path.read_text().strip()
        return Signer.from_priv_key_uri(uri, load_public(path.with_suffix(".pub")))
    except (OSError, ValueError, ImportError, UnsupportedLibraryError) as error:
        raise KeyFileError(f"{path}: the key store cannot be reached: {error}") from error


def open_signer(path: Path, passphrase: str) -> Signer:
    """The signer of a `.pem` or `.uri` file. Raises KeyFileError."""
    return _load_remote(path) if path.suffix == ".uri" else load(path, passphrase)


def load_public(path: Path) -> SSlibKey:
    """The public half of one key from its `.pub` file.

    Raises:
        KeyFileError: missing or not an Ed25519 public key document.
    """
    try:
        document = json.loads(path.read_bytes())
        keyid = document.pop("keyid")
        key = SSlibKey.from_dict(keyid, document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyFileError(f"{path} is not a public key file: {error}") from error
    if key.keytype != "ed25519":
        raise KeyFileError(f"{path} is of type {key.keytype}, expected ed25519")
    try:
        check_ids({keyid: key.to_dict()})
    except KeyIdError as error:
        raise KeyFileError(f"{path}: {error}; take the file from its holder again") from error
    return key


def generate_all(folder: Path, policy: Policy, passphrase: str) -> dict[str, list[SSlibKey]]:
    """Every key that `policy` asks for, as `folder/<role>-<n>.pem` (n from 1); returns the public
    keys by role.
    """
    return {
        role: [generate(folder / f"{role}-{n + 1}.pem", passphrase) for n in range(rule.key_count)]
        for role, rule in policy.roles.items()
    }


def load_all(
    folder: Path, passphrase: str | Passphrases, roles: Sequence[str] | None = None
) -> list[Signer]:
    """Signers of every `<role>-<n>.pem` (or `.uri`) in `folder`, or of the named roles only. Each
    key may have a passphrase of its own.

    Raises:
        KeyFileError: a key does not open, or a named role has no key here.
    """
    asked = passphrase if callable(passphrase) else lambda path: passphrase
    paths = _key_files(folder, "*") if roles is None else []
    for role in roles or ():
        found = _key_files(folder, f"{role}-[0-9]*")
        if not found:
            raise KeyFileError(f"no key of role {role} in {folder}")
        paths += found
    return [open_signer(path, "" if path.suffix == ".uri" else asked(path)) for path in paths]


def load_what_opens(folder: Path, passphrase: Passphrases) -> tuple[list[Signer], list[str]]:
    """Signers of the keys in `folder` that open, and of each other key why it does not: it holds
    up nothing that they sign.
    """
    signers, closed = [], []
    for path in _key_files(folder, "*"):
        try:
            signers.append(open_signer(path, "" if path.suffix == ".uri" else passphrase(path)))
        except KeyFileError as error:
            closed.append(str(error))
    return signers, closed


def from_environment(variable: str) -> Passphrases:
    """Passphrases from the environment: `<variable>_TIMESTAMP_1` opens `timestamp-1.pem`, and
    `<variable>` every key without one of its own. Empty where there is neither.
    """

    def passphrase(path: Path) -> str:
        return own_passphrase(variable, path) or os.environ.get(variable, "")

    return passphrase


def own_passphrase(variable: str, path: Path) -> str:
    """What the environment gives for this one key file, or nothing."""
    name = re.sub("[^A-Z0-9]", "_", path.stem.upper())
    return os.environ.get(f"{variable}_{name}", "")


def _key_files(folder: Path, name: str) -> list[Path]:
    return sorted([*folder.glob(f"{name}.pem"), *folder.glob(f"{name}.uri")])


def public_keys(folder: Path, policy: Policy) -> Mapping[str, list[SSlibKey]]:
    """The public keys by role, from the `.pub` files that `generate_all` wrote."""
    return {
        role: [load_public(path) for path in sorted(folder.glob(f"{role}-[0-9]*.pub"))]
        for role in policy.roles
    }
