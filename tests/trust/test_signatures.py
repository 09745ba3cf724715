"""Ed25519 on the device: RFC 8032's vectors, another implementation's signatures, and every kind of
forgery.
"""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.micropython import BOTH
from tests.trust.device import VECTORS, on_device

L = (1 << 252) + 27742317777372353535851937790883648493
P = (1 << 255) - 19

VERIFY = """
from bootloader.shared.crypto import ed25519
for case in data:
    out.append(ed25519.verify(*[bytes.fromhex(text) for text in case]))
"""

Case = tuple[str, str, str]


def signed(seed: int, message: bytes) -> tuple[bytes, bytes]:
    key = Ed25519PrivateKey.from_private_bytes(random.Random(seed).randbytes(32))
    return key.public_key().public_bytes_raw(), key.sign(message)


@pytest.mark.parametrize("interpreter", BOTH)
def test_the_rfcs_signatures_verify(interpreter: str) -> None:
    cases = [(v["public"], v["signature"], v["message"]) for v in VECTORS["rfc8032_section_7_1"]]
    assert on_device(interpreter, VERIFY, cases) == [True] * 5


@pytest.mark.parametrize("interpreter", BOTH)
def test_another_implementations_signatures_verify_and_with_one_bit_flipped_do_not(
    interpreter: str,
) -> None:
    cases: list[Case] = []
    expected = []
    for seed in range(25):
        rng = random.Random(1000 + seed)
        message = rng.randbytes(rng.choice([0, 1, 63, 64, 127, 128, 300]))
        public, signature = signed(seed, message)
        cases.append((public.hex(), signature.hex(), message.hex()))
        expected.append(True)
        # One flip in each part: key, R, S, message.
        for part, low, high in ((0, 0, 256), (1, 0, 256), (1, 256, 512), (2, 0, len(message) * 8)):
            parts = [bytearray(public), bytearray(signature), bytearray(message)]
            if low < high:
                bit = rng.randrange(low, high)
                parts[part][bit // 8] ^= 1 << bit % 8
                cases.append((parts[0].hex(), parts[1].hex(), parts[2].hex()))
                expected.append(False)
    assert on_device(interpreter, VERIFY, cases) == expected


@pytest.mark.parametrize("interpreter", BOTH)
def test_every_bit_of_one_signature_matters(interpreter: str) -> None:
    public, signature = signed(7, b"one")
    cases = []
    for bit in range(512):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        cases.append((public.hex(), flipped.hex(), b"one".hex()))
    assert not any(on_device(interpreter, VERIFY, cases))


def forgeries() -> dict[str, Case]:
    message = b"pay"
    public, signature = signed(3, message)
    other, _ = signed(4, message)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    identity = (1).to_bytes(32, "little")
    # The eight points of small order by their y, with both signs (RFC 7748 curve, twisted).
    order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    small = {
        "the identity": identity.hex(),
        "order 2": (P - 1).to_bytes(32, "little").hex(),
        "order 4": bytes(32).hex(),
        "order 4, other sign": (bytes(31) + b"\x80").hex(),
        "order 8": order_8,
        "order 8, other sign": order_8[:-2] + "85",
    }
    cases = {
        "S raised by the group order (malleable)": (
            public.hex(),
            (r + (s + L).to_bytes(32, "little")).hex(),
            message.hex(),
        ),
        "the key of another": (other.hex(), signature.hex(), message.hex()),
        "signature one byte short": (public.hex(), signature[:-1].hex(), message.hex()),
        "signature one byte long": (public.hex(), signature.hex() + "00", message.hex()),
        "key one byte short": (public[:-1].hex(), signature.hex(), message.hex()),
        "key one byte long": (public.hex() + "00", signature.hex(), message.hex()),
        "empty signature": (public.hex(), "", message.hex()),
        "all zero signature": (public.hex(), bytes(64).hex(), message.hex()),
        "a key that is no point": ((2).to_bytes(32, "little").hex(), signature.hex(), ""),
        "a key with y not reduced": ((P + 1).to_bytes(32, "little").hex(), bytes(64).hex(), ""),
        "x = 0 with a sign": (
            ((1) | 1 << 255).to_bytes(32, "little").hex(),
            (identity + bytes(32)).hex(),
            message.hex(),
        ),
    }
    for name, key in small.items():
        # S = 0 and R = identity: without the check of the key's order some of these would verify.
        cases["a key of small order: " + name] = (
            key,
            (identity + bytes(32)).hex(),
            message.hex(),
        )
    return cases


@pytest.mark.parametrize("interpreter", BOTH)
def test_no_forgery_verifies(interpreter: str) -> None:
    cases = forgeries()
    got = on_device(interpreter, VERIFY, list(cases.values()))
    assert dict(zip(cases, got, strict=True)) == dict.fromkeys(cases, False)


@pytest.mark.parametrize("interpreter", BOTH)
def test_only_points_in_their_one_form_are_read_as_keys(interpreter: str) -> None:
    body = """
from bootloader.shared.crypto import ed25519
for text in data:
    point = ed25519._decompress(bytes.fromhex(text))
    out.append(None if point is None else [str(point[0]), str(point[1])])
"""
    reduced = [y.to_bytes(32, "little").hex() for y in range(19)]
    raised = [(y + P).to_bytes(32, "little").hex() for y in range(19)]
    got = on_device(interpreter, body, reduced + raised)
    d = -121665 * pow(121666, -1, P)
    on_curve = 0
    for y in range(19):
        x_squared = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        if pow(x_squared, (P - 1) // 2, P) in (0, 1):
            x = int(got[y][0])
            assert x * x % P == x_squared and got[y][1] == str(y)
            on_curve += 1
        else:
            assert got[y] is None
    assert 3 < on_curve < 16
    assert got[19:] == [None] * 19
