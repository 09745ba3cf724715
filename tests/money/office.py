"""The far end of the sealed messages, on `cryptography` and `cbor2` (docs/formats/messages.md).

It holds what a test needs to judge: ledger, vouchers, journal. It shares no code with the terminal
nor with `updater_server`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.money import oracle

TERMINAL_ID = bytes.fromhex("00112233445566aa")
DEVICE_KEY = bytes(range(32))
_PROTECTED = b"\xa1\x01\x0a"
_AAD = cbor2.dumps(["Encrypt0", _PROTECTED, b"duka/1"])


def _key(info: bytes) -> bytes:
    return HKDF(SHA256(), 16, TERMINAL_ID, info).derive(DEVICE_KEY)


UP, DOWN, STOCK = _key(b"duka up 1"), _key(b"duka down 1"), _key(b"duka stock 1")


def permit(action: str, challenge: bytes) -> bytes:
    """What the server tells a technician for that action (docs/formats/serial.md)."""
    key = HKDF(SHA256(), 32, TERMINAL_ID, b"duka technician 1").derive(DEVICE_KEY)
    return hmac.digest(key, action.encode() + challenge, "sha256")[:16]


def stock_pin(batch: int, index: int) -> str:
    """The PIN of a stock voucher."""
    return f"8{batch:05d}{index:010d}"


def stock_file(batch: int, product: str, amount: int, count: int, expiry: int = 0) -> bytes:
    """A batch as the server delivers it."""
    vouchers = [(f"S{batch}-{index}", stock_pin(batch, index)) for index in range(count)]
    return sealed_file([batch, product, amount, expiry], vouchers)


def sealed_file(head: list[Any], vouchers: list[tuple[str, str]]) -> bytes:
    """A stock file of serials and PINs; `head` is batch, product, amount, expiry."""
    entries = []
    for index, (serial, pin) in enumerate(vouchers):
        nonce = b"\x02" + head[0].to_bytes(4, "big") + bytes(4) + index.to_bytes(4, "big")
        aad = cbor2.dumps(["duka/stock/1", *head, serial])
        entries.append([serial, AESCCM(STOCK, 8).encrypt(nonce, pin.encode(), aad)])
    return cbor2.dumps(dict(enumerate([*head, entries], start=1)), canonical=True)


class Office:
    """One terminal's account. `batches` are stock files that wait."""

    def __init__(self, float_minor: int, batches: dict[int, bytes], time: int) -> None:
        self.ledger_minor = float_minor
        self.waiting = dict(batches)
        self.received: dict[int, bytes] = {}
        self.check_ins: list[dict[int, Any]] = []
        self.more: dict[int, Any] = {}  # in answers to check-ins
        self.time = time
        self.counter = 0
        self.answers: dict[int, tuple[bytes, dict[int, Any]]] = {}
        self.records: list[oracle.Record | None] = []
        self.alarms: list[str] = []
        self.sold: dict[tuple[int, int], int] = {}
        self.refuse: str | None = None
        self.commission_minor = 250
        self.pending: dict[int, int] = {}
        """How often a sale is answered with "pending" first, by its sequence; 0: the next one."""
        self.details: list[list[str]] = []
        self.asked: list[dict[int, Any]] = []
        self.customers: dict[str, str] = {}

    def post(self, body: bytes) -> tuple[int, bytes]:
        """One request's body to (status, reply's body)."""
        protected, unprotected, sealed = cbor2.loads(body)
        salt, counter = unprotected[6][:4], int.from_bytes(unprotected[6][4:], "big")
        assert protected == _PROTECTED and unprotected[4] == TERMINAL_ID
        if counter <= self.counter:
            return 409, b""
        nonce = b"\x00" + salt + counter.to_bytes(8, "big")
        request = cbor2.loads(AESCCM(UP, 8).decrypt(nonce, sealed, _AAD))
        self.counter = counter
        reply = cbor2.dumps(self.answer(request), canonical=True)
        nonce = b"\x01" + salt + counter.to_bytes(8, "big")
        sealed = AESCCM(DOWN, 8).encrypt(nonce, reply, _AAD)
        return 200, cbor2.dumps([_PROTECTED, {}, sealed])

    def answer(self, request: dict[int, Any]) -> dict[int, Any]:
        """The reply's content."""
        kind = request[0]
        if kind == 1:
            self.check_ins.append(request)
            return {
                0: 1,
                1: self.time,
                2: self.ledger_minor,
                3: len(self.records),
                4: None,
                5: sorted(self.waiting)[:16],  # the rest with the next check-in
                **self.more,
            }
        if kind == 2:
            return self._sale(request)
        if kind == 3:
            for raw in request[1]:
                if not self._take(raw):
                    break
            return {0: 3, 1: len(self.records), 2: self.ledger_minor}
        if kind == 4:
            return {0: 4, 1: self.waiting.get(request[1]) or self.received[request[1]]}
        if kind == 7:
            name = self.customers.get(request[2])
            if name is None:
                return {0: 7, 1: 1, 6: "bad_recipient", 7: "not known"}
            return {0: 7, 1: 0, 2: name, 3: 0, 4: 0}
        assert kind == 5
        data = self.waiting.pop(request[1], None) or self.received[request[1]]
        assert hashlib.sha256(data).digest() == request[2]
        self.received[request[1]] = data
        return {0: 5, 1: True}

    def _sale(self, request: dict[int, Any]) -> dict[int, Any]:
        sequence = request[1]
        body = cbor2.dumps(request, canonical=True)
        self.asked.append(request)
        if sequence in self.answers:
            first, stored = self.answers[sequence]
            if first != body:
                self.alarms.append(f"sale {sequence} came with another body")
                return {0: -1, 1: "conflict", 2: "another body"}
            if stored[1] != 2:
                return stored
            self.ledger_minor += request[3] - request[20]  # was reserved
        left = self.pending.get(sequence, self.pending.pop(0, 0))
        if left:
            self.pending[sequence] = left - 1
            self.ledger_minor -= request[3] - request[20]
            self.answers[sequence] = (body, {0: 2, 1: 2, 8: 1})
            return {0: 2, 1: 2, 8: 1}
        if self.refuse or (21 not in request and request[20] != self.commission_minor):
            reply: dict[int, Any] = {0: 2, 1: 1, 6: self.refuse or "price_changed", 7: "refused"}
        else:
            self.ledger_minor -= request[3] - request[20]
            reply = {
                0: 2,
                1: 0,
                2: f"7{sequence:015d}",
                3: f"N{sequence}",
                4: 0,
                5: self.ledger_minor,
            }
            if self.details and 21 in request:
                reply[9] = self.details
        self.answers[sequence] = (body, reply)
        return reply

    def _take(self, raw: bytes) -> bool:
        """Post one uploaded record; False if it may not be acknowledged."""
        if not raw:
            self.records.append(None)
            self.alarms.append(f"record {len(self.records)} was lost")
            return True
        record = oracle.parse(raw)
        if record.sequence <= len(self.records):
            if self.records[record.sequence - 1] != record:
                self.alarms.append(f"record {record.sequence} came with other content")
                return False
            return True
        if record.sequence != len(self.records) + 1:
            self.alarms.append(f"record {len(self.records) + 1} is missing")
            return False
        before = self.records[-1] if self.records else None
        tag = before.raw[-8:] if before else bytes(8)
        if (before or not self.records) and record.chain_after(tag) != record.raw[-8:]:
            self.alarms.append(f"record {record.sequence} is not chained")
            return False
        self.records.append(record)
        if record.kind == 2:
            place = (record.body[3], record.body[4])
            if place in self.sold:
                self.alarms.append(f"voucher {place} was sold twice")
            self.sold[place] = record.sequence
            self.ledger_minor -= record.body[1] - record.body[2]
        if record.kind == 5 and record.body[1] == "spoiled":
            sold = self.records[record.body[0] - 1]
            assert sold is not None
            self.ledger_minor += sold.body[1] - sold.body[2]
        return True
