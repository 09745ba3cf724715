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
            if not shifts[said]:
                wrong.append(f"a shift is closed on paper with {said} and not in the journal")
            shifts[said] -= 1
    return wrong


def _minor(data: bytes, name: str) -> int:
    ((whole, part),) = re.findall(rb"^" + name.encode() + rb" +" + _MINOR, data, re.MULTILINE)
    return int(whole.replace(b" ", b"") + part)
