"""What the holders of keys do with what waits: sign it here, have it signed elsewhere, take it
back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signature, Signer
from tuf.api.metadata import Metadata

from updater_server.atomic import write_atomically
from updater_server.channels import carried
from updater_server.channels.errors import RepositoryError
from updater_server.channels.judge import Judge
from updater_server.channels.metadata_file import digest, encode
from updater_server.channels.policy import DELEGATED_ROLES, TOP_LEVEL_ROLES
from updater_server.channels.published import Published
from updater_server.channels.waiting import Staged, Waiting
from updater_server.channels.wording import Wording
from updater_server.channels.writing import Writer


class Holders:
    """Signatures on what waits beside what is `published`, each judged by `judge` first."""

    def __init__(
        self,
        published: Published,
        waiting: Waiting,
        wording: Wording,
        writer: Writer,
        judge: Judge,
    ) -> None:
        self._published = published
        self._waiting = waiting
        self._wording = wording
        self._writer = writer
        self._judge = judge

    def sign(self, role: str, signers: Sequence[Signer], expect: str | None = None) -> Staged:
        """Add signatures to a staged role; returns how far it is. `expect`: SHA-256 of what was
        shown.

        Raises:
            RepositoryError: nothing is staged for `role`.
            ChangedMeanwhile: something else than what was shown is staged; nothing was signed.
        """
        with self._signing(f"sign {role}", role, expect) as metadata:
            signing = self._published.signing(self._waiting.read_all())
            signing.sign(role, metadata, signers)
        return self._state_of(role)

    def to_sign(self, role: str) -> carried.Request:
        """What is staged for `role`, to be carried to a machine without network, with what is in
        force and its signatures.

        Raises:
            RepositoryError: nothing is staged for `role`.
        """
        metadata = self._waiting.read_shown(role, None)
        contents = self._wording.contents(role, metadata)
        chain = self._published.chain(role)
        return carried.request(role, metadata.signed_bytes, chain, contents.values())

    def add_signature(
        self, role: str, keyid: str, signature: str, expect: str | None = None
    ) -> Staged:
        """Add a signature that was made elsewhere to a staged role; returns how far it is.

        Raises:
            RepositoryError: nothing is staged for `role`, the key may not sign for it, or the
                signature is of something else.
            ChangedMeanwhile: something else than what was shown is staged.
        """
        with self._signing(f"import signature {role}", role, expect) as metadata:
            key = self._published.signing(self._waiting.read_all()).may_sign(role).get(keyid)
            if key is None:
                raise RepositoryError(f"key {keyid[:64]!a} does not sign for {role}")
            added = Signature(keyid, signature)
            try:
                key.verify_signature(added, metadata.signed_bytes)
            except UnverifiedSignatureError as error:
                raise RepositoryError(
                    f"that signature is not of what is staged for {role}: export it again"
                ) from error
            metadata.signatures[keyid] = added
        return self._state_of(role)

    def withdraw(self, role: str, now: datetime | None = None) -> None:
        """Take back what is staged for `role`, readable or not; what is in force stays.

        Raises:
            RepositoryError: nothing is staged for `role`.
        """
        with self._writer.locked():
            path = self._published.folder.staged(role)
            if role not in (*TOP_LEVEL_ROLES, *DELEGATED_ROLES) or not path.exists():
                raise RepositoryError(f"nothing is staged for {role}")
            details: dict[str, Any] = {"role": role}
            try:
                metadata = self._waiting.read(role)
            except RepositoryError:
                metadata = None
            if metadata is not None:
                details |= {"version": metadata.signed.version, "sha256": digest(metadata)}
            self._writer.note("withdraw", details, [], now)
            path.unlink()

    @contextmanager
    def _signing(self, what: str, role: str, expect: str | None) -> Iterator[Metadata[Any]]:
        """What waits for `role`, judged; the signatures that are added inside are logged as `what`
        and written.
        """
        with self._writer.locked():
            self._published.read_anew()
            metadata = self._waiting.read_shown(role, expect)
            before = set(metadata.signatures)
            self._judge.metadata(role, metadata.to_dict()["signed"])
            yield metadata
            details = {"version": metadata.signed.version, "sha256": digest(metadata)}
            added = set(metadata.signatures) - before
            self._writer.note(what, details, [*added])
            write_atomically(self._published.folder.staged(role), encode(metadata))

    def _state_of(self, role: str) -> Staged:
        return next(staged for staged in self._waiting.staged() if staged.role == role)
