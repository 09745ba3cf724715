"""Reading the terminals' journal records: one record's bytes in, its fields or a refusal out. For
`sales` alone.

Pure, and written from docs/formats/journal.md, independently of the terminal's own code.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from updater_server.wire import cbor

HEAD_BYTES = 10
CRC_BYTES = 4
TAG_BYTES = 8
BODY_LIMIT_BYTES = 240
UINT_LIMIT = 1 << 63
FIRST_TAG = bytes(TAG_BYTES)
"""What stands before record 1."""


class RecordKind(IntEnum):
    """Kinds that mean something to the server."""

    BOOT = 1
    INTENT_OFFLINE = 2
    INTENT_ONLINE = 3
    DELIVERED = 4
    REFUSED = 5
    PRINTED = 6
    REPRINT = 7
    SETTLED = 8
    STOCK = 9
    SETTING = 10
    CARRIED = 11
    SHIFT_OPENED = 15
    SHIFT_CLOSED = 16
    Z_REPORT = 17


class NotARecord(Exception):
    """The bytes are not one whole journal record."""


@dataclass(frozen=True)
class Record:
    """One record as uploaded (without the padding it has in flash)."""

    kind: int
    sequence: int
    time: int
    body: list[Any]
    covered: bytes
    tag: bytes
    raw: bytes

    @staticmethod
    def parse(raw: bytes) -> Record:
        """Take a record apart.

        Raises:
            NotARecord: wrong length, wrong CRC-32, or the body is no CBOR array.
        """
        length = len(raw) - HEAD_BYTES - CRC_BYTES - TAG_BYTES
        if not 0 <= length <= BODY_LIMIT_BYTES or raw[1] != length:
            raise NotARecord("the length does not fit")
        if not 1 <= raw[0] <= 127:
            raise NotARecord(f"no kind {raw[0]}")
        covered = raw[: HEAD_BYTES + length]
        crc = int.from_bytes(raw[len(covered) : len(covered) + CRC_BYTES], "big")
        if zlib.crc32(covered) != crc:
            raise NotARecord("the CRC is wrong")
        try:
            body = cbor.loads(covered[HEAD_BYTES:])
        except cbor.CborError as error:
            raise NotARecord(f"the body is not CBOR: {error}") from error
        if not isinstance(body, list):
            raise NotARecord("the body is not an array")
        sequence = int.from_bytes(raw[2:6], "big")
        if sequence == 0:
            raise NotARecord("sequence numbers begin at 1")
        time = int.from_bytes(raw[6:10], "big")
        return Record(raw[0], sequence, time, body, covered, raw[-TAG_BYTES:], raw)

    def follows(self, previous_tag: bytes) -> bool:
        """Whether the chain leads from the record with `previous_tag` to this one."""
        return hashlib.sha256(previous_tag + self.covered).digest()[:TAG_BYTES] == self.tag

    def fields(self, *types: type) -> list[Any]:
        """The first elements of the body, which must have these types.

        Raises:
            NotARecord: fewer elements, or of another type; integers that are negative, or more than
                a database's column holds, count as another type.
        """
        values = self.body[: len(types)]
        fitting = len(values) == len(types) and all(
            type(value) is wanted and not (isinstance(value, int) and not 0 <= value < UINT_LIMIT)
            for value, wanted in zip(values, types, strict=True)
        )
        if not fitting:
            raise NotARecord(f"the body does not fit kind {self.kind}")
        return values
