"""Journals that a technician brings by hand: are they as the terminal read them out? For the
technicians' face.

The chain of a journal is no proof of its author: anybody can compute it. A part of an export
carries the terminal's own seal. Format: docs/formats/serial.md, "export".
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sqlalchemy import Connection

from updater_server.errors import InputError
from updater_server.fleet import terminals
from updater_server.server_key import ServerKey

PART_RECORDS = 16
"""Most records that one seal covers."""


@dataclass(frozen=True)
class Part:
    """Records in a row, an empty one for each that flash lost, and the seal over them."""

    first: int
    records: list[bytes]
    seal: bytes


def sealed_records(
    connection: Connection, key: ServerKey, terminal_id: bytes, parts: list[Part]
) -> list[bytes]:
    """The records of all parts, which lead on to one another, as the terminal itself sealed them.

    Lost ones at the end are left out: nothing behind them shows yet that they were written.

    Raises:
        InputError: no such terminal, or a part is not what this terminal said.
    """
    export_key = terminals.cable_key(connection, key, terminal_id, b"duka export 1")
    records: list[bytes] = []
    for part in parts:
        if not hmac.compare_digest(_seal(export_key, part), part.seal):
            raise InputError(
                f"the records from {part.first} on do not carry this terminal's seal: "
                "export them again (`tech logs`)"
            )
        if records and part.first != parts[0].first + len(records):
            raise InputError(f"between the parts of the export records are missing at {part.first}")
        records += part.records
    while records and not records[-1]:
        records.pop()
    return records


def _seal(export_key: bytes, part: Part) -> bytes:
    if not 1 <= len(part.records) <= PART_RECORDS or not 1 <= part.first < 1 << 32:
        raise InputError(f"a part of an export has 1 to {PART_RECORDS} records")
    covered = part.first.to_bytes(4, "big") + len(part.records).to_bytes(2, "big")
    for raw in part.records:
        if len(raw) > 0xFFFF:
            raise InputError("a record of an export is too long")
        covered += len(raw).to_bytes(2, "big") + raw
    return hmac.digest(export_key, covered, "sha256")
