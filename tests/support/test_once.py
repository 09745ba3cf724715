"""What is remembered for all tests of a process changes nothing that one of them sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import CryptoSigner, Signature
from sqlalchemy import Engine, literal, select

from tests.support import once
from updater_server.store.engine import open_engine


def asked(engine: Engine, value: int) -> int:
    with engine.connect() as connection:
        found = connection.scalar(select(literal(value)))
    engine.dispose()
    assert found is not None
    return int(found)


def test_a_statement_is_compiled_for_the_first_of_two_databases_and_both_are_asked_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (open_engine(tmp_path / name) for name in ("first.db", "second.db"))
    assert asked(first, 3) == 3
    monkeypatch.setattr(second.dialect, "statement_compiler", None)  # it could compile nothing
    assert asked(second, 4) == 4


def test_a_statement_of_one_kind_of_database_is_not_given_to_the_other() -> None:
    sqlite, postgresql = once.Statements("sqlite+a test"), once.Statements("postgresql+a test")
    sqlite["its dialect", "SELECT 1"] = "compiled"
    assert sqlite.get(("another dialect", "SELECT 1")) == "compiled"
    assert postgresql.get(("another dialect", "SELECT 1")) is None


def test_a_signature_that_was_right_is_right_for_its_own_key_and_bytes_alone() -> None:
    signer, other = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    good = signer.sign(b"bytes")
    bad = Signature(good.keyid, "00" * 64)
    for _ in range(2):  # what was refused once is refused again
        signer.public_key.verify_signature(good, b"bytes")
        for key, signature, data in (
            (signer.public_key, good, b"other bytes"),
            (signer.public_key, bad, b"bytes"),
            (other.public_key, Signature(other.public_key.keyid, good.signature), b"bytes"),
        ):
            with pytest.raises(UnverifiedSignatureError):
                key.verify_signature(signature, data)
