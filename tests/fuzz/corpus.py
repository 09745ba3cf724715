"""Good examples of everything that the terminal parses, made by other libraries where there are
any: what the fuzzer spoils. The same on every run.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from bootloader import identity
from bootloader.shared.control import ControlBlock
from bootloader.shared.partitions import Partition
from firmware.sales.journal import Journal
from firmware.sales.state import INTENT_OFFLINE, PRINTED, SETTING
from tests.fuzz import targets
from tests.trust.repository import Repository, signer
from tests.trust.wycheproof import FILE as WYCHEPROOF
from updater_server.channels import delta
from updater_server.channels import patch as patches

CUSTOM: dict[str, Any] = {
    "release": 7,
    "version": "1.1.0",
    "commit": "0123456789abcdef",
    "built": 1790000000,
    "security_version": 1,
    "hardware": {"class": "duka-r1", "revisions": [1]},
    "min_bootloader": 1,
    "stepping_stone": 0,
    "journal": {"reads": [1], "writes": 1},
    "image": {"size_bytes": 2100, "sha256": "ab" * 32},
    "payloads": [
        {"kind": "full", "path": "stable/duka-r1/7.full"},
        {"kind": "delta", "path": "stable/duka-r1/7-from-6.delta", "base_sha256": "cd" * 32},
    ],
    "trial": {"crashes_allowed": 2, "unconfirmed_boots_allowed": 16, "selftest_deadline_s": 300},
    "gate": {"battery_mv": 3600, "unsynced_records": 50, "idle_s": 10},
    "text": {"en": "Faster receipts"},
}


def _metadata() -> list[bytes]:
    repository = Repository(with_hashes=False)
    repository.add_target("stable", "stable/duka-r1/7.full", b"image", CUSTOM)
    repository.publish("stable")
    repository.publish_index()
    return [repository.published[role] for role in targets.ROLES]


def _config() -> bytes:
    merchant = {"name": "Shop", "pin_salt": "00" * 16, "pin_hash": "11" * 32, "pin_rounds": 10}
    table = {"server": {"host": "127.0.0.1", "port": 80}, "apn": "internet", "channel": "stable"}
    table |= {"catalogue": "catalogue/default.json", "merchant": merchant, "language": "en"}
    return json.dumps(table | {"poll_s": 900, "sync_s": 300, "utc_offset_s": 3600}).encode()


def _catalogue() -> bytes:
    product = {"id": "air50", "name": "Savanna 50", "operator": "Savanna", "amount_minor": 5000}
    product |= {"commission_minor": 250, "instructions": "Dial *130*PIN#", "pin_groups": [4, 4]}
    offline = {"max_amount_minor": 10000, "max_count": 2, "max_total_minor": 20000}
    table = {"version": 3, "currency": "KES", "minor_digits": 2, "products": [product]}
    return json.dumps(table | {"offline": offline | {"max_age_s": 259200}}).encode()


def _control() -> bytes:
    flash = targets.partition(b"", 2)
    block = ControlBlock(flash, targets.KEY)
    block.create(0)
    policy = {"crashes_allowed": 2, "unconfirmed_boots_allowed": 4, "selftest_deadline_s": 300}
    block.adopt("a", 2100, bytes(32), 6, 1, policy)
    block.confirm()
    block.start_trial("b", 2100, bytes(range(32)), 7, 1, policy)
    return bytes(flash.flash.cells)


def _journal() -> tuple[bytes, list[bytes]]:
    flash = targets.Flash(b"", 4)
    book = Journal(Partition(flash, 0, flash.size_bytes), lambda: targets.NOW_S)
    book.mount()
    book.acknowledge(0, 10_000_000, targets.NOW_S)
    for n in range(12):
        sale = book.append(INTENT_OFFLINE, ["air50", 5000, 250, 7, n])
        book.append(PRINTED, [sale, 0])
        book.append(SETTING, ["volume", n])
    shapes: list[Any] = [[1, 2, 3], ["air50", 5000, 250, 7, 1], [1, 0], ["sale", None, b"12345678"]]
    records = [bytes([k]) + cbor2.dumps(body) for k in range(1, 14) for body in shapes]
    return bytes(flash.cells).rstrip(b"\xff"), records


def _smp(message: bytes) -> bytes:
    from bootloader.recovery import smp

    return bytes(smp.to_lines(message))


def _cose(text: bytes) -> bytes:
    protected = cbor2.dumps({1: 10})
    aad = cbor2.dumps(["Encrypt0", protected, b"duka/1"])
    nonce = b"\x01" + targets.SALT + targets.COUNTER.to_bytes(8, "big")
    sealed = AESCCM(targets.KEY[:16], tag_length=8).encrypt(nonce, text, aad)
    return cbor2.dumps([protected, {}, sealed])


def _strange_identities() -> list[bytes]:
    """Whole copies with a right hash that hold something else than a map of the five fields."""
    out = []
    typed: list[Any] = [dict.fromkeys(range(1, 6), value) for value in (0, "text", None)]
    for body in (*typed, [], [0, bytes(8)], {}, 7, b"1234567", "text", None):
        data = cbor2.dumps(body)
        out.append(b"DKID" + len(data).to_bytes(2, "little") + data + bytes(32))
    return out


def _stock() -> bytes:
    entries = []
    for index in range(3):
        serial = f"ST7-{index}"
        nonce = b"\x02" + (7).to_bytes(4, "big") + bytes(4) + index.to_bytes(4, "big")
        aad = cbor2.dumps(["duka/stock/1", 7, "air50", 5000, 0, serial])
        pin = f"{7700000000000000 + index}".encode()
        sealed = AESCCM(targets.KEY[:16], tag_length=8).encrypt(nonce, pin, aad)
        entries.append([serial, sealed])
    return bytes(cbor2.dumps({1: 7, 2: "air50", 3: 5000, 4: 0, 5: entries}))


def make() -> dict[str, list[bytes]]:
    """{target: its good examples}."""
    files = _metadata()
    flash, records = _journal()
    control = _control()
    new = bytes(range(7, 107)) + targets.OLD[:2000]
    patch = delta.make(targets.OLD, new)
    zipper = [zlib.compressobj(9, wbits=12) for _ in range(2)]
    zipped = [z.compress(d) + z.flush() for z, d in zip(zipper, (new, patch), strict=True)]
    small = zlib.compress(files[1], wbits=12)
    who = identity.Identity(bytes(8), bytes(32), "duka-r1", 1, b"chip-one")
    echo = b"\x02\x00\x00\x09\x00\x00\x01\x00" + cbor2.dumps({"d": "hello"})
    upload = cbor2.dumps({"image": 0, "len": 100, "off": 0, "data": bytes(40), "sha": bytes(32)})
    write = b"\x02\x00" + len(upload).to_bytes(2, "big") + b"\x00\x01\x02\x01" + upload
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    form = serialization.PublicFormat
    pem = point.public_bytes(serialization.Encoding.PEM, form.SubjectPublicKeyInfo)
    vectors = json.loads(WYCHEPROOF.read_text())
    public = signer("root-1").public_key.keyval["public"]
    signature = signer("root-1").sign(b"fuzz").signature
    http_head = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/9\r\n"
        b'ETag: "abc"\r\nConnection: close'
    )
    values: list[Any] = [0, -1, 2**32, "text", b"bytes", [1, [2]], {1: 2, "a": [True, None]}]
    return {
        "json": [files[3], _catalogue(), b'{"a":[1,-2,true,null,"\\u00e9\\ud83d\\ude00\\n"]}'],
        "metadata": [bytes([place]) + data for place, data in enumerate(files)],
        "cbor": [cbor2.dumps(value) for value in values] + [cbor2.dumps(values)],
        "cose": [_cose(cbor2.dumps({0: 1, 1: "ok"})), _cose(cbor2.dumps(values))],
        "coap": [
            b"\x60\x44\x12\x34\xff" + _cose(cbor2.dumps({0: 2, 1: 0})),
            b"\x50\x44\x12\x34\x48etag1234\x81\x13\xd1\x14\x3c\xe1\x00\x10a\xffsealed",
            b"\x60\x00\x12\x34",
        ],
        "sms": [
            bytes.fromhex("040c915274000000010004") + bytes(7) + bytes((len(said),)) + said
            for said in (_cose(cbor2.dumps({0: 2, 1: 0})), bytes(140), bytes(150))
        ],
        "control": [control[at : at + 256] + tail for at in (0, 256, 512) for tail in (b"", b"x")],
        "control-block": [control[:1024]],
        "identity": [bytes(identity.encode(who)) + bytes(20), *_strange_identities()],
        "journal": [flash],
        "record": records,
        "smp": [_smp(echo), _smp(write), _smp(echo) + _smp(write)],
        "smp-message": [echo, write],
        "at": [
            b'\r\n+CCLK: "26/05/01,12:00:00+12"\r\n\r\nOK\r\n',
            b"+CREG: 0,1\r\nRING\r\n+CIPRXGET: 2,5,0\r\nhello\r\nOK\r\n> \r\nSEND OK\r\n",
            b"\r\nERROR\r\n+CME ERROR: 10\r\n\r\nCLOSED\r\n" + b"A" * 600 + b"\r\nOK\r\n",
        ],
        "http": [http_head, b'HTTP/1.1 304 Not Modified\r\nETag: "abc"'],
        "response": [
            http_head + b"\r\n\r\nhello",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
            b"HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n"
            % len(zipped[0][:900])
            + zipped[0][:900],
            b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n"
            % len(small)
            + small,
        ],
        "config": [_config()],
        "catalogue": [_catalogue()],
        "delta": [patch, delta.make(targets.OLD, targets.OLD[500:] + new[:552])],
        "patch": [
            patches.make(targets.OLD, new),
            patches.make(targets.OLD, targets.OLD[500:] + new[:552]),
        ],
        "payload": [
            *(z + bytes((len(z) + odd) % 2) for odd, z in enumerate(zipped)),
            zlib.compress(bytes(9000), wbits=12),
        ],
        "stock": [_stock()],
        "keys": [pem, *(bytes.fromhex(t[2]) for t in vectors["ecdsa_p256_sha256"][0][1][:20])],
        "ed25519": [bytes.fromhex(public) + bytes.fromhex(signature) + b"fuzz"],
    }


def digest(corpus: dict[str, list[bytes]]) -> str:
    """Tells two corpora apart: an id replays only against the corpus that it came from."""
    together = json.dumps({k: [d.hex() for d in v] for k, v in corpus.items()})
    return hashlib.sha256(together.encode()).hexdigest()[:8]
