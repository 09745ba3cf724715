"""Of the judge: shifts and Z reports on paper and in the journal. Shares no code with the terminal.

By docs/formats/journal.md; money on paper is read in KES with two minor digits.
"""

from __future__ import annotations

import re
from collections import Counter

from tests.money import oracle

Records = dict[int, oracle.Record]
_MINOR = rb"KES (-?[\d ]+)\.(\d\d)"


def of_records(records: Records) -> list[str]:
    """What is wrong with the records of shifts and Z reports."""
    wrong = []
    number = behind = 0
    closed: set[int] = set()
    for sequence in sorted(records):
        record = records[sequence]
        body = record.body
        if record.kind == 17:
            if body[0] != number + 1:
                wrong.append(f"Z report {body[0]} comes after number {number}")
            if body[1] != behind + 1:
                wrong.append(f"Z report {body[0]} begins with record {body[1]}, not {behind + 1}")
            if sequence - 1 in records and records[sequence - 1].raw[-8:] != body[5]:
                wrong.append(f"the digest of Z report {body[0]} is not that of the journal")
            if tuple(body[2:5]) != (sold := oracle.counted(records, behind + 1, sequence)):
                wrong.append(f"Z report {body[0]} says {body[2:5]}, it is {sold}")
            number, behind = body[0], sequence
        elif record.kind == 16:
            opened = records.get(body[0])
            if opened is None or opened.kind != 15 or body[0] in closed:
                wrong.append(f"shift {body[0]} is closed and is not open")
                continue
            closed.add(body[0])
            sold = oracle.counted(records, body[0], sequence, opened.body[1])
            if body[2:4] != [opened.body[0] + sold[1], sold[0]]:
                wrong.append(f"shift {body[0]} says {body[2:4]}, its person sold {sold}")
    return wrong


def of_paper(records: Records, paper: list[bytes]) -> list[str]:
    """What is wrong with what of them was printed."""
    wrong = []
    z_reports = {
        (r.body[0], r.body[2], r.body[3], r.body[5].hex()) for r in records.values() if r.kind == 17
    }
    shifts = Counter((r.body[1], r.body[2]) for r in records.values() if r.kind == 16)
    ended = {r.body[0]: r for r in records.values() if r.kind == 16}
    originals: set[int] = set()
    for data in paper:
        if found := re.search(rb"Z REPORT (\d+)", data):
            number = int(found[1])
            (count,) = re.findall(rb"^Sales +(-?\d+)$", data, re.MULTILINE)
            (digest,) = re.findall(rb"^Digest +([0-9a-f]{16})$", data, re.MULTILINE)
            if (number, int(count), _minor(data, "Total"), digest.decode()) not in z_reports:
                wrong.append(f"Z report {number} is on paper without its record")
            if b"DUPLICATE" not in data:
                if number in originals:
                    wrong.append(f"Z report {number} was printed twice as an original")
                originals.add(number)
        elif b"SHIFT CLOSED" in data:
            said = _minor(data, "Counted"), _minor(data, "Expected")
            if b"DUPLICATE" in data:
                (number,) = re.findall(rb"^Shift +(\d+)$", data, re.MULTILINE)
                record = ended.get(int(number))
                if record is None or tuple(record.body[1:3]) != said:
                    wrong.append(f"a copy of shift {int(number)} says {said}, its record does not")
                continue
            if not shifts[said]:
                wrong.append(f"a shift is closed on paper with {said} and not in the journal")
            shifts[said] -= 1
    return wrong


def of_copies(records: Records, paper: list[bytes]) -> list[str]:
    """What is wrong with the numbers of copies: each stands in a record, and on one slip."""
    wrong = []
    noted = Counter(
        (r.body[0].removeprefix("copy "), r.body[1])
        for r in records.values()
        if r.kind == 10 and str(r.body[0]).startswith("copy ")
    )
    wrong += [
        f"copy {which} of record {of} is noted twice" for (of, which), n in noted.items() if n > 1
    ]
    sequence_of = {("Z", r.body[0]): r.sequence for r in records.values() if r.kind == 17}
    sequence_of |= {("S", r.body[0]): r.sequence for r in records.values() if r.kind == 16}
    printed: set[tuple[str, int]] = set()
    for data in paper:
        of = _copied(data, sequence_of)
        if not of:
            continue
        (which,) = re.findall(rb"^Copy (\d+) ", data, re.MULTILINE) or [b"0"]
        if (str(of), int(which)) not in noted:
            wrong.append(f"copy {int(which)} of record {of} is on paper without its record")
        if (str(of), int(which)) in printed:
            wrong.append(f"copy {int(which)} of record {of} is on paper twice")
        printed.add((str(of), int(which)))
    return wrong


def _copied(data: bytes, sequence_of: dict[tuple[str, int], int]) -> int:
    """The record whose slip `data` is a copy of, 0: it is none of these."""
    if b"DUPLICATE" not in data:
        return 0
    if found := re.search(rb"Z REPORT (\d+)", data):
        return sequence_of.get(("Z", int(found[1])), 0)
    if b"SHIFT CLOSED" not in data:
        return 0
    (number,) = re.findall(rb"^Shift +(\d+)$", data, re.MULTILINE)
    return sequence_of.get(("S", int(number)), 0)


def of_training(paper: list[bytes], pins: set[str]) -> list[str]:
    """What is wrong with slips of training: both marks, and no code that is worth anything."""
    wrong = []
    for data in paper:
        text = b" ".join(data.split())
        if b"XXXX" in data and text.count(b"TRAINING: WORTH NOTHING") < 3:
            wrong.append("a slip of training has not its marks")
        if b"TRAINING" in data and any(pin.encode() in b"".join(data.split()) for pin in pins):
            wrong.append("a slip of training has a PIN")
    return wrong


def _minor(data: bytes, name: str) -> int:
    ((whole, part),) = re.findall(rb"^" + name.encode() + rb" +" + _MINOR, data, re.MULTILINE)
    return int(whole.replace(b" ", b"") + part)
