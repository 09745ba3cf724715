"""A terminal as the server sees it, written from docs/formats alone: it imports nothing of the
server or the firmware.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Callable
from typing import Any

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PROTECTED = bytes.fromhex("a1010a")
AAD = cbor2.dumps(["Encrypt0", PROTECTED, b"duka/1"])
SALT = b"salt"

Transport = Callable[[bytes], tuple[int, bytes]]


class Device:
    """Seals, counts, and keeps a journal."""

    def __init__(self, terminal_id: bytes, key: bytes, transport: Transport) -> None:
        self.terminal_id = terminal_id
        self.key = key
        self.transport = transport
        self.boot_count = 1
        self.sent = 0
        self.journal: list[bytes] = []
        self.tag = bytes(8)

    def derive(self, info: bytes, size: int = 16) -> bytes:
        return HKDF(SHA256(), size, salt=self.terminal_id, info=info).derive(self.key)

    def next_counter(self) -> int:
        self.sent += 1
        return self.boot_count << 24 | self.sent

    def seal(self, content: object, counter: int | None = None) -> tuple[bytes, int]:
        counter = self.next_counter() if counter is None else counter
        plain = content if isinstance(content, bytes) else cbor2.dumps(content, canonical=True)
        nonce = b"\x00" + SALT + counter.to_bytes(8, "big")
        sealed = AESCCM(self.derive(b"duka up 1"), 8).encrypt(nonce, plain, AAD)
        iv = counter.to_bytes((counter.bit_length() + 7) // 8, "big")
        header = {4: self.terminal_id, 6: SALT + iv}
        return cbor2.dumps([PROTECTED, header, sealed], canonical=True), counter

    def challenge(self, drawn: bytes) -> bytes:
        """A challenge as this terminal says it on its cable, with the proof that it is its own."""
        return drawn + self.permit("challenge", drawn)

    def permit(self, action: str, challenge: bytes, content: bytes | None = None) -> bytes:
        """What lets a technician carry out `action` on this terminal."""
        if content is not None:
            challenge = hashlib.sha256(challenge + content).digest()[:16]
        key = self.derive(b"duka technician 1", 32)
        return hmac.digest(key, action.encode() + challenge, "sha256")[:16]

    def exported(self, records: list[bytes], first: int = 1) -> list[dict[str, Any]]:
        """Records as this terminal seals them for whoever reads it out by cable."""
        parts = []
        for at in range(0, len(records), 16):
            part = records[at : at + 16]
            covered = (first + at).to_bytes(4, "big") + len(part).to_bytes(2, "big")
            covered += b"".join(len(raw).to_bytes(2, "big") + raw for raw in part)
            seal = hmac.digest(self.derive(b"duka export 1", 32), covered, "sha256")
            raws = [raw.hex() for raw in part]
            parts.append({"first": first + at, "records": raws, "seal": seal.hex()})
        return parts

    def open(self, body: bytes, counter: int) -> dict[int, Any]:
        protected, unprotected, sealed = cbor2.loads(body)
        assert protected == PROTECTED
        assert unprotected == {}
        nonce = b"\x01" + SALT + counter.to_bytes(8, "big")
        plain = AESCCM(self.derive(b"duka down 1"), 8).decrypt(nonce, sealed, AAD)
        reply = cbor2.loads(plain)
        assert isinstance(reply, dict)
        self.newest = reply.pop(-2, None)  # of the channels, whatever else is asked
        return reply

    def post(self, content: object) -> tuple[int, dict[int, Any]]:
        """Send one message; HTTP status and opened reply ({} for a bare status)."""
        body, counter = self.seal(content)
        status, answer = self.transport(body)
        return status, self.open(answer, counter) if status == 200 else {}

    def ask(self, content: object) -> dict[int, Any]:
        """Send one message that must be answered with a sealed reply."""
        status, reply = self.post(content)
        assert status == 200, status
        return reply

    def sale(
        self,
        sequence: int,
        product: str = "air50",
        amount: int = 5000,
        time: int = 1_790_000_000,
        commission: int | None = None,
    ) -> dict[int, Any]:
        if commission is None:
            commission = amount // 20
        return self.ask({0: 2, 1: sequence, 2: product, 3: amount, 4: time, 20: commission})

    def check_in(self, own_float: int = 0, **changes: Any) -> dict[int, Any]:
        content = {
            0: 1, 1: 1_790_000_000, 2: 7, 3: "a", 4: False, 5: self.boot_count, 6: 3900, 7: 20,
            8: None, 9: own_float, 10: [1, len(self.journal) + 1],
        }  # fmt: skip
        content.update({int(key[1:]): value for key, value in changes.items()})
        return self.ask(content)

    # --- journal ---

    def record(self, kind: int, body: list[Any], time: int = 1_790_000_000) -> int:
        """Append a record; returns its sequence number."""
        sequence = len(self.journal) + 1
        raw, self.tag = make_record(kind, sequence, body, self.tag, time)
        self.journal.append(raw)
        return sequence

    def upload(self, first: int = 1, last: int | None = None) -> dict[int, Any]:
        """Send records `first` to `last`."""
        return self.ask({0: 3, 1: self.journal[first - 1 : last]})

    def open_stock(self, file: bytes) -> list[tuple[str, str]]:
        """Serial and PIN of each voucher in a stock file."""
        batch = cbor2.loads(file)
        opened = []
        for index, (serial, sealed) in enumerate(batch[5]):
            nonce = b"\x02" + batch[1].to_bytes(4, "big") + bytes(4) + index.to_bytes(4, "big")
            aad = cbor2.dumps(["duka/stock/1", *(batch[key] for key in (1, 2, 3, 4)), serial])
            pin = AESCCM(self.derive(b"duka stock 1"), 8).decrypt(nonce, sealed, aad)
            opened.append((serial, pin.decode()))
        return opened


def make_record(
    kind: int, sequence: int, body: list[Any], previous_tag: bytes, time: int = 1_790_000_000
) -> tuple[bytes, bytes]:
    """One journal record's bytes and its chain tag."""
    encoded = cbor2.dumps(body, canonical=True)
    covered = bytes((kind, len(encoded)))
    covered += sequence.to_bytes(4, "big") + time.to_bytes(4, "big") + encoded
    tag = hashlib.sha256(previous_tag + covered).digest()[:8]
    return covered + zlib.crc32(covered).to_bytes(4, "big") + tag, tag
