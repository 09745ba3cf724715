"""Strangers' vectors of everything that ever went wrong with signatures, on both interpreters, and
the forms of keys that other TUF repositories use.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.support.micropython import BOTH
from tests.trust.device import on_device
from tests.trust.wycheproof import FILE

VECTORS: dict[str, Any] = json.loads(FILE.read_text())

VERIFY = """
from bootloader.shared.crypto import ed25519, p256
for key, cases in data["groups"]:
    key = bytes.fromhex(key)
    if data["name"] == "ed25519":
        verify = ed25519.verify
    else:
        verify = p256.verify
        assert p256.public_key(key.hex()) == key[1:]
        key = key[1:]
    for number, message, signature, is_valid in cases:
        if verify(key, bytes.fromhex(signature), bytes.fromhex(message)) != is_valid:
            out.append(number)
"""


@pytest.mark.parametrize("interpreter", BOTH)
@pytest.mark.parametrize(("name", "count"), [("ed25519", 151), ("ecdsa_p256_sha256", 484)])
def test_every_vector_gets_its_verdict(interpreter: str, name: str, count: int) -> None:
    groups = VECTORS[name]
    assert sum(len(cases) for _, cases in groups) == count
    assert on_device(interpreter, VERIFY, {"name": name, "groups": groups}) == []


def test_a_verifier_that_says_yes_to_all_would_be_caught() -> None:
    groups = VECTORS["ecdsa_p256_sha256"]
    body = "from bootloader.shared.crypto import p256\np256.verify = lambda *of: True\n" + VERIFY
    assert on_device("cpython", body, {"name": "ecdsa", "groups": groups})


FORMS = """
from bootloader.shared.crypto import p256, rsa_pss
modules = {"p256": p256, "rsa": rsa_pss}
for kind, text, cases in data:
    module = modules[kind]
    key = module.public_key(text)
    found = [key is not None]
    for signature, message in cases:
        found.append(module.verify(key, bytes.fromhex(signature), bytes.fromhex(message)))
    out.append(found)
"""


def pem(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, kind).decode()


def edited(text: str, at: int, value: int) -> str:
    der = bytearray(base64.b64decode("".join(text.splitlines()[1:-1])))
    der[at] = value
    body = base64.b64encode(der).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("interpreter", BOTH)
def test_another_implementations_rsa_signatures_verify_and_spoiled_ones_do_not(
    interpreter: str,
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    message = b"metadata"
    cases = []
    for salt_bytes in (0, 32, 222):
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_bytes)
        signature = key.sign(message, scheme, hashes.SHA256())
        cases.append((signature.hex(), message.hex()))
    spoiled = bytearray.fromhex(cases[1][0])
    spoiled[200] ^= 1
    cases += [(spoiled.hex(), message.hex()), (cases[1][0], b"Metadata".hex())]
    cases += [("", message.hex()), ("ff" * 256, message.hex()), ("00" * 256, message.hex())]
    pkcs1 = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    cases.append((pkcs1.hex(), message.hex()))
    got = on_device(interpreter, FORMS, [("rsa", pem(key.public_key()), cases)])
    assert got == [[True, True, True, True, False, False, False, False, False, False]]


@pytest.mark.parametrize("interpreter", BOTH)
def test_keys_in_another_form_than_the_one_are_refused(interpreter: str) -> None:
    good = pem(ec.generate_private_key(ec.SECP256R1()).public_key())
    other_curve = pem(ec.generate_private_key(ec.SECP256K1()).public_key())
    rsa_good = pem(rsa.generate_private_key(65537, 2048).public_key())
    rsa_short = pem(rsa.generate_private_key(65537, 1024).public_key())
    rsa_cube = pem(rsa.generate_private_key(3, 2048).public_key())
    point = base64.b64decode("".join(good.splitlines()[1:-1]))[-65:].hex()
    keys = [
        ("p256", good, True),
        ("p256", point, True),
        ("p256", "05" + point[2:], False),
        ("p256", point[:-2] + f"{int(point[-2:], 16) ^ 1:02x}", False),
        ("p256", other_curve, False),
        ("p256", edited(good, 1, 0x58), False),
        ("p256", good.replace("BEGIN PUBLIC", "BEGIN EC PUBLIC"), False),
        ("p256", "zz" * 65, False),
        ("p256", "", False),
        ("rsa", rsa_good, True),
        ("rsa", rsa_short, False),
        ("rsa", rsa_cube, False),
        ("rsa", good, False),
        ("rsa", edited(rsa_good, 2, 0x00), False),
        ("rsa", edited(rsa_good, -1, 0x03), False),
    ]
    got = on_device(interpreter, FORMS, [(kind, text, []) for kind, text, _ in keys])
    assert [found[0] for found in got] == [expected for _, _, expected in keys]
