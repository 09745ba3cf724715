"""Of the judge: the office's notices under /data and on paper, and stock that was wiped. Shares no
code with the terminal. By docs/formats/terminal-files.md and journal.md.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import cbor2

from tests.money import oracle

Notices = tuple[tuple[Any, ...], ...]
_FOLDER = "/data/merchant.notices/"


def of_files(notices: Notices, through: int, held: dict[str, bytes | None]) -> list[str]:
    """What is wrong with the files of notices: what the server believes to be there is, once."""
    wrong = []
    here: dict[int, list[bytes | None]] = {}
    for path, digest in held.items():
        if found := re.fullmatch(_FOLDER + r"(\d+)-\d+", path):
            here.setdefault(int(found[1]), []).append(digest)
    for number, text, *money in notices:
        said = [number, text] if text is not None else [number, *money]
        digest = hashlib.sha256(cbor2.dumps(said, canonical=True)).digest()
        if here.get(number, [digest]) != [digest]:
            wrong.append(f"notice {number} is there {len(here[number])} times, or is other")
        if number <= through and number not in here:
            wrong.append(f"notice {number} was taken from the server and is gone")
    return wrong


def of_paper(notices: Notices, paper: list[bytes]) -> list[str]:
    """What is wrong with the slips of deposits."""
    wrong = []
    references = {reference for _, text, _, reference, _ in notices if text is None}
    originals: set[str] = set()
    for data in paper:
        if b"Float after it" not in data:
            continue
        (said,) = re.findall(rb"^Reference +(\S+)$", data, re.MULTILINE)
        reference = said.decode()
        if reference not in references:
            wrong.append(f"a slip of deposit {reference}, which nobody made")
        if b"DUPLICATE" not in data:
            if reference in originals:
                wrong.append(f"the slip of deposit {reference} was printed twice as an original")
            originals.add(reference)
    return wrong


def of_wiped(records: dict[int, oracle.Record]) -> list[str]:
    """What was sold from a batch after the journal said that it was wiped."""
    wiped = {r.body[0]: r.sequence for r in records.values() if r.kind == 9 and r.body[2:] == [1]}
    return [
        f"sale {r.sequence} is from batch {r.body[3]}, which was wiped"
        for r in records.values()
        if r.kind == 2 and r.sequence > wiped.get(r.body[3], r.sequence)
    ]
