"""Of the judge: who may use the terminal, in flash and in the journal. Shares no code with the
terminal. By docs/formats/terminal-files.md ("/data/merchant.people") and journal.md.
"""

from __future__ import annotations

import hashlib
from typing import Any

import cbor2

from tests.money import oracle

Records = dict[int, oracle.Record]


def _is(pin: str, salt: bytes, digest: bytes, rounds: int) -> bool:
    return hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, rounds) == digest


def told(records: Records, before: int = 1 << 32) -> dict[int, list[str]]:
    """What the journal calls each number, the newest last."""
    names: dict[int, list[str]] = {}
    for sequence in sorted(records):
        body = records[sequence].body
        if records[sequence].kind == 10 and sequence < before and body[0].startswith("person "):
            names.setdefault(int(body[0].removeprefix("person ")), []).append(body[1])
    return names


def of_file(
    raw: bytes,
    settings: dict[str, Any],
    owners: tuple[str, ...],
    others: tuple[str, ...],
    records: Records,
) -> list[str]:
    """What is wrong with the file of people (b"": there is none). `owners`, `others`: PINs that
    were typed; the owner's was changed before anybody came.
    """
    named = told(records)
    if not raw:
        return ["people were there, and their file is not"] if named else []
    _, next_number, owner, kept = cbor2.loads(raw)
    wrong = []
    if not owner or len(owner) != 4 or not any(_is(pin, *owner[1:]) for pin in owners):
        wrong.append("the owner has a PIN that he has not chosen")
    elif owner[0] != bytes.fromhex(settings["pin_hash"])[:8]:
        wrong.append("the owner's PIN does not count")
    for number, _, name, *secret in kept:
        if name not in named.get(number, []) or not named[number][-1]:
            wrong.append(f"person {number} is {name} here, the journal says {named.get(number)}")
        if len(secret) != 3 or not any(_is(pin, *secret) for pin in others):
            wrong.append(f"{name} has a PIN that nobody gave")
        if number >= next_number:
            wrong.append(f"number {number} will be given again")
    return wrong


def of_records(records: Records) -> list[str]:
    """Which sales are by somebody of whom the journal says nothing before them."""
    wrong = []
    for record in records.values():
        at = {2: 5, 3: 4}.get(record.kind, 0)
        person = record.body[at] if at and len(record.body) > at else 0
        if person and person not in told(records, record.sequence):
            wrong.append(f"sale {record.sequence} is by person {person}, whom nobody named")
    return wrong
