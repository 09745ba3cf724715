"""Hashes that MicroPython lacks, against the RFCs' vectors and the host's own implementations."""

from __future__ import annotations

import hashlib
import hmac
import random

import pytest

from bootloader.shared import hashes
from tests.support.micropython import BOTH
from tests.trust.device import VECTORS, on_device


@pytest.mark.parametrize("interpreter", BOTH)
def test_sha512_agrees_with_hashlib_at_every_length_around_a_block(interpreter: str) -> None:
    messages = [random.Random(n).randbytes(n) for n in (*range(260), 1023, 5000)]
    body = """
from bootloader.shared.crypto.sha512 import sha512
for text in data:
    message = bytes.fromhex(text)
    whole = sha512(message).digest()
    parts = sha512()
    for at in range(0, len(message), 37):
        parts.update(memoryview(message)[at : at + 37])
    assert parts.digest() == whole
    out.append(whole.hex())
"""
    got = on_device(interpreter, body, [m.hex() for m in messages])
    assert got == [hashlib.sha512(m).hexdigest() for m in messages]


@pytest.mark.parametrize("interpreter", BOTH)
def test_hmac_agrees_with_the_standard_library_for_keys_of_any_length(interpreter: str) -> None:
    cases = [(random.Random(n).randbytes(n), b"message %d" % n) for n in (0, 1, 63, 64, 65, 200)]
    body = """
from bootloader.shared.hashes import hmac_sha256
for key, message in data:
    message = bytes.fromhex(message)
    out.append(hmac_sha256(bytes.fromhex(key), message[:3], message[3:]).hex())
"""
    got = on_device(interpreter, body, [(k.hex(), m.hex()) for k, m in cases])
    assert got == [hmac.digest(k, m, "sha256").hex() for k, m in cases]


@pytest.mark.parametrize("interpreter", BOTH)
def test_hkdf_gives_what_rfc_5869_says(interpreter: str) -> None:
    body = """
from bootloader.shared.hashes import hkdf_sha256
for v in data:
    key, salt, info = (bytes.fromhex(v[name]) for name in ("key", "salt", "info"))
    out.append(hkdf_sha256(key, salt, info, v["length_bytes"]).hex())
"""
    vectors = VECTORS["rfc5869_appendix_a"]
    assert on_device(interpreter, body, vectors) == [v["output"] for v in vectors]


@pytest.mark.parametrize("interpreter", BOTH)
def test_pbkdf2_gives_what_the_rfcs_say(interpreter: str) -> None:
    body = """
from bootloader.shared.hashes import pbkdf2_sha256
for v in data:
    size = len(v["output"]) // 2
    secret, salt = bytes.fromhex(v["secret"]), bytes.fromhex(v["salt"])
    out.append(pbkdf2_sha256(secret, salt, v["rounds"], size).hex())
"""
    vectors = VECTORS["pbkdf2_hmac_sha256"]
    assert on_device(interpreter, body, vectors) == [v["output"] for v in vectors]


def test_the_vectors_are_what_another_implementation_computes() -> None:
    for v in VECTORS["pbkdf2_hmac_sha256"]:
        secret, salt = bytes.fromhex(v["secret"]), bytes.fromhex(v["salt"])
        size = len(v["output"]) // 2
        assert hashlib.pbkdf2_hmac("sha256", secret, salt, v["rounds"], size).hex() == v["output"]


def test_lengths_that_mean_nothing_are_refused() -> None:
    for length in (0, 255 * 32 + 1):
        with pytest.raises(ValueError, match="HKDF"):
            hashes.hkdf_sha256(b"k", b"", b"", length)
    with pytest.raises(ValueError, match="PBKDF2"):
        hashes.pbkdf2_sha256(b"1234", b"salt", 0)


def test_comparison_sees_each_single_bit_and_the_length() -> None:
    value = bytes(range(32))
    assert hashes.equal(value, bytearray(value))
    assert not hashes.equal(value, value[:-1])
    for bit in range(256):
        other = bytearray(value)
        other[bit // 8] ^= 1 << bit % 8
        assert not hashes.equal(value, other)
