"""Messages sealed between terminal and server: AES-CCM and COSE_Encrypt0 against strangers, and
what does not open.
"""

from __future__ import annotations

import random

import cbor2
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bootloader.shared import cose
from tests.support.micropython import BOTH
from tests.trust.device import VECTORS, on_device

DEVICE_KEY = bytes(range(32))
TERMINAL = bytes.fromhex("00000000000000a7")


def key_for(info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 16, TERMINAL, info).derive(DEVICE_KEY)


SEAL = """
from bootloader.shared import cose
for v in data:
    key, nonce, aad, text = (bytes.fromhex(v[name]) for name in ("key", "nonce", "aad", "text"))
    sealed = cose.seal(key, nonce, aad, text)
    assert cose.unseal(key, nonce, aad, sealed) == text
    out.append(sealed.hex())
"""


@pytest.mark.parametrize("interpreter", BOTH)
def test_ccm_gives_what_rfc_3610_says(interpreter: str) -> None:
    vectors = VECTORS["rfc3610_section_8"]
    assert on_device(interpreter, SEAL, vectors) == [v["sealed"] for v in vectors]


@pytest.mark.parametrize("interpreter", BOTH)
def test_ccm_agrees_with_another_implementation_at_every_length(interpreter: str) -> None:
    rng = random.Random(9053)
    cases = []
    for size in (*range(50), 511, 512, 513, 1023, 1024, 4097, 16384):
        key, nonce, text = rng.randbytes(16), rng.randbytes(13), rng.randbytes(size)
        cases.append((key, nonce, rng.randbytes(rng.choice([0, 1, 14, 15, 30, 300])), text))
    vectors = [
        {"key": k.hex(), "nonce": n.hex(), "aad": a.hex(), "text": t.hex()} for k, n, a, t in cases
    ]
    expected = [AESCCM(k, 8).encrypt(n, t, a).hex() for k, n, a, t in cases]
    assert on_device(interpreter, SEAL, vectors) == expected


@pytest.mark.parametrize("interpreter", BOTH)
def test_the_examples_of_the_cose_working_group_open(interpreter: str) -> None:
    body = """
from bootloader.shared import cbor, cose
for v in data:
    protected, unprotected, sealed = cbor.loads(bytes.fromhex(v["envelope"]))
    aad = cbor.dumps(["Encrypt0", protected, b""])
    out.append(cose.unseal(bytes.fromhex(v["key"]), bytes.fromhex(v["nonce"]), aad, sealed).hex())
"""
    vectors = VECTORS["cose_wg_examples"]
    assert on_device(interpreter, body, vectors) == [v["text"] for v in vectors]


@pytest.mark.parametrize("interpreter", BOTH)
def test_keys_and_envelope_are_what_the_document_says(interpreter: str) -> None:
    body = """
from bootloader import identity
from bootloader.shared import cose
key, terminal = bytes.fromhex(data[0]), bytes.fromhex(data[1])
keys = cose.derive_keys(key, terminal)
request = cose.seal_request(keys.up, terminal, b"salt", cose.message_counter(3, 7), b"content")
who = identity.Identity(terminal, key, "class", 1, b"chip-uid")
control = who.control_key(b"chip-uid")
out = [k.hex() for k in (keys.up, keys.down, keys.stock, control, request)]
"""
    up, down, stock, control, request = (
        bytes.fromhex(text)
        for text in on_device(interpreter, body, [DEVICE_KEY.hex(), TERMINAL.hex()])
    )
    assert up == key_for(b"duka up 1")
    assert down == key_for(b"duka down 1")
    assert stock == key_for(b"duka stock 1")
    salt = TERMINAL + b"chip-uid"
    assert control == HKDF(hashes.SHA256(), 32, salt, b"duka control 1").derive(DEVICE_KEY)
    counter = 3 << 24 | 7
    protected, unprotected, sealed = cbor2.loads(request)
    assert cbor2.loads(protected) == {1: 10}
    assert unprotected == {4: TERMINAL, 6: b"salt\x03\x00\x00\x07"}  # shortest form
    nonce = b"\0salt" + counter.to_bytes(8, "big")
    aad = cbor2.dumps(["Encrypt0", protected, b"duka/1"])
    assert AESCCM(up, 8).decrypt(nonce, sealed, aad) == b"content"


def reply(counter: int, text: bytes, *, protected: bytes = b"\xa1\x01\x0a") -> bytes:
    """A reply as the server seals it, by another implementation."""
    nonce = b"\x01salt" + counter.to_bytes(8, "big")
    aad = cbor2.dumps(["Encrypt0", protected, b"duka/1"])
    sealed = AESCCM(key_for(b"duka down 1"), 8).encrypt(nonce, text, aad)
    return cbor2.dumps([protected, {}, sealed])


OPEN = """
from bootloader.shared import cose
key, counter, bodies = data
for body in bodies:
    try:
        out.append(cose.open_reply(bytes.fromhex(key), b"salt", counter, bytes.fromhex(body)).hex())
    except cose.SealError as error:
        out.append("refused: " + str(error))
"""


@pytest.mark.parametrize("interpreter", BOTH)
def test_only_the_servers_reply_to_this_very_request_opens(interpreter: str) -> None:
    good = reply(77, b"the answer")
    protected, _, sealed = cbor2.loads(good)
    nonce_up = bytes(5) + (77).to_bytes(8, "big")
    aad = cbor2.dumps(["Encrypt0", protected, b"duka/1"])
    own = AESCCM(key_for(b"duka up 1"), 8).encrypt(nonce_up, b"the answer", aad)
    bad = {
        "the reply to another request (a replay)": reply(76, b"the answer"),
        "our own request sent back": cbor2.dumps([protected, {}, own]),
        "another algorithm": reply(77, b"the answer", protected=b"\xa1\x01\x01"),
        "an unprotected header": cbor2.dumps([protected, {4: TERMINAL}, sealed]),
        "tagged": b"\xd0" + good,
        "bytes behind": good + b"\0",
        "cut short": good[:-1],
        "nothing": b"",
        "no ciphertext": cbor2.dumps([protected, {}]),
        "ciphertext as text": cbor2.dumps([protected, {}, "x" * 20]),
        "shorter than a tag": cbor2.dumps([protected, {}, b"1234567"]),
        "a bomb": bytes.fromhex("8343a1010aa05affffffff"),
        "HTML": b"<html>captive portal</html>",
        "seventeen kilobytes": reply(77, b"x" * 17000),
    }
    bodies = [good, reply(77, b""), *bad.values()]
    answers = on_device(
        interpreter, OPEN, [key_for(b"duka down 1").hex(), 77, [b.hex() for b in bodies]]
    )
    assert answers[:2] == [b"the answer".hex(), ""]
    for name, answer in zip(bad, answers[2:], strict=True):
        assert answer.startswith("refused: "), name


@pytest.mark.parametrize("interpreter", BOTH)
def test_a_reply_with_any_single_bit_flipped_does_not_open(interpreter: str) -> None:
    good = reply(1, b"float 5000")
    bodies = []
    for bit in range(len(good) * 8):
        body = bytearray(good)
        body[bit // 8] ^= 1 << bit % 8
        bodies.append(body.hex())
    answers = on_device(interpreter, OPEN, [key_for(b"duka down 1").hex(), 1, bodies])
    assert all(answer.startswith("refused: ") for answer in answers)


def test_the_server_side_refuses_a_spoiled_request_too() -> None:
    keys = cose.derive_keys(DEVICE_KEY, TERMINAL)
    protected, _, sealed = cbor2.loads(cose.seal_request(keys.up, TERMINAL, bytes(4), 1, b"sale"))
    aad = cbor2.dumps(["Encrypt0", protected, b"duka/1"])
    with pytest.raises(InvalidTag):
        AESCCM(keys.up, 8).decrypt(bytes(12) + b"\2", sealed, aad)


def test_a_counter_is_never_made_twice_nor_past_its_end() -> None:
    assert cose.message_counter(0, 1) == 1
    assert cose.message_counter(1, 1) == (1 << 24) + 1
    for boot_count, n in ((0, 0), (0, 1 << 24), (1 << 40, 1), (-1, 1)):
        with pytest.raises(cose.SealError, match="restart"):
            cose.message_counter(boot_count, n)


def sealed_pin(
    batch: int, index: int, product: str, serial: str, pin: bytes, amount: int = 5000
) -> bytes:
    nonce = b"\x02" + batch.to_bytes(4, "big") + bytes(4) + index.to_bytes(4, "big")
    aad = cbor2.dumps(["duka/stock/1", batch, product, amount, 1_800_000_000, serial])
    return AESCCM(key_for(b"duka stock 1"), 8).encrypt(nonce, pin, aad)


@pytest.mark.parametrize("interpreter", BOTH)
def test_a_pin_opens_only_in_its_own_place(interpreter: str) -> None:
    body = """
from bootloader.shared import cose
key = bytes.fromhex(data[0])
for batch, index, head, serial, sealed in data[1]:
    try:
        out.append(cose.open_pin(key, batch, index, head, serial, bytes.fromhex(sealed)))
    except cose.SealError:
        out.append(None)
"""
    sealed = sealed_pin(9, 4, "air50", "S-0004", b"1234567890123456").hex()
    head = ("air50", 5000, 1_800_000_000)
    cases = [
        (9, 4, head, "S-0004", sealed),
        (9, 5, head, "S-0004", sealed),
        (8, 4, head, "S-0004", sealed),
        (9, 4, ("air100", *head[1:]), "S-0004", sealed),
        (9, 4, ("air50", 500, head[2]), "S-0004", sealed),
        (9, 4, ("air50", 5000, 0), "S-0004", sealed),
        (9, 4, ("air5", *head[1:]), "0S-0004", sealed),
        (9, 4, head, "S-0005", sealed),
        (9, 4, head, "S-0004", sealed[:-2]),
        (9, 4, head, "S-0004", sealed_pin(9, 4, "air50", "S-0004", b"\xff\xfe").hex()),
    ]
    got = on_device(interpreter, body, [key_for(b"duka stock 1").hex(), cases])
    assert got == ["1234567890123456", *[None] * 9]


def test_a_full_size_message_is_opened_within_four_times_its_size() -> None:
    body = """
import gc
from bootloader.shared import cose
key, nonce = bytes(16), bytes(13)
sealed = cose.seal(key, nonce, b"aad", bytes(16384))
gc.collect()
spare = gc.mem_free() - 4 * 16384
ballast = [bytearray(1024) for _ in range(spare // 1100)]
gc.collect()
out = [gc.mem_free(), cose.unseal(key, nonce, b"aad", sealed) == bytes(16384)]
"""
    free, opened = on_device("micropython", body, [], heap_bytes=256 * 1024)
    assert opened and free < 80 * 1024


@pytest.mark.parametrize("interpreter", BOTH)
def test_aes_in_plain_python_is_aes(interpreter: str) -> None:
    """For ports without cryptolib: FIPS 197 appendix C, and every mode against the fast one."""
    body = """
from bootloader.shared.crypto import aes
from bootloader.shared import compat
for size in (16, 32):
    key = bytes(range(size))
    text = bytes.fromhex("00112233445566778899aabbccddeeff")
    out.append(aes.aes_ecb(key).encrypt(text).hex())
    text = bytes([i * 31 & 255 for i in range(256)])
    assert aes.aes_ecb(key).encrypt(text) == bytes(compat.aes_ecb(key).encrypt(text))
    plain, fast = aes.aes_cbc(key, text[:16]), compat.aes_cbc(key, text[:16])
    for _ in range(3):
        assert plain.encrypt(text) == bytes(fast.encrypt(text))
"""
    assert on_device(interpreter, body, []) == [
        "69c4e0d86a7b0430d8cdb78070b4c55a",
        "8ea2b7ca516745bfeafc49904b496089",
    ]


@pytest.mark.parametrize("interpreter", BOTH)
def test_without_any_aes_of_its_own_a_port_still_seals(interpreter: str) -> None:
    body = """
class Absent:
    pass
sys.modules["cryptolib"] = sys.modules["cryptography.hazmat.primitives.ciphers"] = Absent()
from bootloader.shared import compat
assert compat.aes_ecb.__globals__["__name__"] == "bootloader.shared.crypto.aes" if data[0] else True
from bootloader.shared import cose
out.append(cose.seal(bytes(16), bytes(13), b"", b"text").hex())
"""
    got = on_device(interpreter, body, [interpreter == "cpython"])
    assert got == [AESCCM(bytes(16), 8).encrypt(bytes(13), b"text", None).hex()]
