"""Offline enrolment: terminals provisioned without a network, told to the server later.

The file holds device keys, so it is sealed with AES-256-GCM under a key that scrypt makes of a
passphrase (RFC 7914, N = 2^15, r = 8, p = 1). Each terminal is in the file before its release is
uploaded, for from then on its key cannot be read again.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from dataclasses import asdict
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tools.errors import LinkError
from tools.technician.provisioning import NewTerminal

_FORMAT = "duka enrolment batch 1"
PASSPHRASE_LEAST = 8


class Batch:
    """The sealed file. May be added to from several threads.

    Raises:
        LinkError: the passphrase is wrong or too short, or the file is damaged.
    """

    def __init__(self, file: Path, passphrase: str) -> None:
        if len(passphrase) < PASSPHRASE_LEAST:
            raise LinkError(f"the passphrase must have {PASSPHRASE_LEAST} characters or more")
        self._file = file
        self._lock = threading.Lock()
        self._terminals: dict[str, NewTerminal] = {}
        self._salt = secrets.token_bytes(16)
        sealed = None
        if file.exists():
            try:
                content = json.loads(file.read_bytes())
                if content["format"] != _FORMAT:
                    raise ValueError("another format")
                self._salt = base64.b64decode(content["salt"], validate=True)
                sealed = base64.b64decode(content["sealed"], validate=True)
            except (ValueError, KeyError, TypeError) as error:
                raise LinkError(f"{file} is no enrolment batch: {error}") from error
        self._aead = AESGCM(Scrypt(self._salt, 32, 2**15, 8, 1).derive(passphrase.encode()))
        if sealed is not None:
            try:
                plain = self._aead.decrypt(sealed[:12], sealed[12:], _FORMAT.encode())
            except InvalidTag as error:
                raise LinkError(f"{file}: wrong passphrase, or the file is damaged") from error
            for item in json.loads(plain):
                self._terminals[item["terminal"]] = NewTerminal(**item)

    def terminals(self) -> list[NewTerminal]:
        """What is in it."""
        return list(self._terminals.values())

    def add(self, new: NewTerminal) -> None:
        """Put a terminal in; when this returns it is on disk."""
        with self._lock:
            self._terminals[new.terminal] = new
            plain = json.dumps([asdict(item) for item in self._terminals.values()]).encode()
            nonce = secrets.token_bytes(12)
            content = {
                "format": _FORMAT,
                "salt": base64.b64encode(self._salt).decode(),
                "sealed": base64.b64encode(
                    nonce + self._aead.encrypt(nonce, plain, _FORMAT.encode())
                ).decode(),
            }
            temporary = self._file.with_name(self._file.name + ".new")
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as out:
                json.dump(content, out)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(self._file)
