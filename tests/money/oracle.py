"""Reads a journal from raw flash by docs/formats/journal.md; shares no code with the terminal."""

from __future__ import annotations

import functools
import itertools
import zlib
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cbor2

SECTOR_BYTES = 4096


@dataclass(frozen=True)
class Record:
    """One whole record; `raw` as it is uploaded."""

    sequence: int
    kind: int
    time: int
    body: Any
    raw: bytes

    def chain_after(self, tag: bytes) -> bytes:
        """The chain tag this record must carry behind a record with `tag`."""
        return sha256(tag + self.raw[:-12]).digest()[:8]


def parse(raw: bytes) -> Record:
    """One record from its bytes. Raises ValueError if they are not exactly one."""
    if len(raw) < 22 or len(raw) != 22 + raw[1] or not 0 < raw[0] < 128 or raw[1] > 240:
        raise ValueError("not a record")
    if zlib.crc32(raw[:-12]) != int.from_bytes(raw[-12:-8], "big"):
        raise ValueError("CRC")
    sequence, time = int.from_bytes(raw[2:6], "big"), int.from_bytes(raw[6:10], "big")
    return Record(sequence, raw[0], time, cbor2.loads(raw[10:-12]), raw)


@functools.lru_cache(4096)
def _records_in(sector: bytes, start: int) -> list[Record]:
    found = []
    at = start
    end = len(sector.rstrip(b"\xff"))
    while at < end:
        try:
            record = parse(sector[at : at + 22 + (sector[at + 1] if at + 1 < SECTOR_BYTES else 0)])
        except ValueError:
            at += 4
            continue
        found.append(record)
        at += (len(record.raw) + 3) // 4 * 4
    return found


def read(flash: bytes) -> dict[int, Record]:
    """Every whole record of the ring by sequence; of two with one sequence, the later in the ring.

    Sectors whose head is spoiled are ordered by the sequence of their first whole record.
    """
    sectors: list[tuple[int, int, list[Record]]] = []
    for at in range(0, len(flash), SECTOR_BYTES):
        sector = flash[at : at + SECTOR_BYTES]
        ok = sector[:4] == b"DKJ\x01" and sha256(sector[:26]).digest()[:6] == sector[26:32]
        length = int.from_bytes(sector[24:26], "big")
        records = _records_in(sector, (32 + length + 8 + 3) // 4 * 4 if ok else 0)
        first = int.from_bytes(sector[8:12], "big") if ok else None
        if first is None and records:
            first = records[0].sequence
        if first is not None:
            number = int.from_bytes(sector[4:8], "big") if ok else 0
            sectors.append((first, number, records))
    found: dict[int, Record] = {}
    for first, _, records in sorted(sectors, key=lambda s: (s[0], s[1])):
        low = first
        for record in records:
            before = found.get(record.sequence - 1)
            if before and record.chain_after(before.raw[-8:]) != record.raw[-8:]:
                continue  # its tag was cut off: it is no record
            if record.sequence >= low:
                low = record.sequence
                found[record.sequence] = record
    return found


def said_of(records: dict[int, Record], sale: int) -> tuple[str | None, bytes | None, bytes]:
    """(recipient, sealed PIN, sealed details) of an online sale by its newest records; the details
    are b"" if it has none. Raises KeyError if a piece of them is not there.
    """
    recipient: str | None = None
    sealed: bytes | None = None
    details = b""
    for sequence in sorted(records):
        kind, body = records[sequence].kind, records[sequence].body
        if kind == 3 and sequence == sale:
            recipient = body[3] if len(body) > 3 else None
        elif kind in (4, 11) and body[0] == sale:
            answer = body[1:] if kind == 4 else body[6:]
            if kind == 11 and answer and isinstance(answer[0], str):
                recipient = answer.pop(0)
            if answer:
                sealed = answer[0]
                places = body[-1] if isinstance(body[-1], list) else []
                pieces = [records[place].body for place in places]
                if any(owner != sale for owner, _ in pieces):
                    raise KeyError(sale)
                details = b"".join(piece for _, piece in pieces)
    return recipient, sealed, details


def check_chain(records: dict[int, Record]) -> list[str]:
    """What is wrong with sequences and chain tags of the newest unbroken run; [] if nothing."""
    troubles = []
    order = sorted(records)
    for before, after in itertools.pairwise(order):
        if after != before + 1:
            troubles.append(f"records {before + 1} to {after - 1} are missing")
        elif records[after].chain_after(records[before].raw[-8:]) != records[after].raw[-8:]:
            troubles.append(f"record {after} is not chained to {before}")
    return troubles


def counted(
    records: dict[int, Record], first: int, end: int, person: int | None = None
) -> tuple[int, int, int]:
    """(count, total, commission) of the sales that a report over records `first` to `end` - 1
    counts, by "What a report counts". `records`: all there ever were. `person`: the one whose sales
    count, None: everybody's.
    """
    sold: set[int] = set()
    count = total_minor = commission_minor = 0
    for sequence in sorted(records):
        record = records[sequence]
        if sequence >= end or record.kind not in (2, 4, 5):
            continue
        sale = sequence if record.kind == 2 else record.body[0]
        if (sale in sold) != (record.kind == 5):
            continue  # it was counted, or there is nothing to take back
        (sold.remove if record.kind == 5 else sold.add)(sale)
        intent = records[sale]
        who = dict(enumerate(intent.body)).get(5 if intent.kind == 2 else 4) or 0
        if sequence >= first and person in (None, who):
            sign = -1 if record.kind == 5 else 1
            count += sign
            total_minor += sign * intent.body[1]
            commission_minor += sign * intent.body[2]
    return count, total_minor, commission_minor
