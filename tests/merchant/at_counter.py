"""Runs a script on the terminal at the counter (real MicroPython) and reads what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hw_sim.printer import EscPosPrinter
from tests.support import micropython

OFFLINE, ONLINE, DELIVERED, REFUSED, PRINTED, REPRINT = 2, 3, 4, 5, 6, 7
STOCKED, DETAILS, PENDING, CANCEL = 9, 12, 13, 14


@dataclass
class Outcome:
    """What was seen: pages in words, paper as decoded text (one entry a power cycle)."""

    pages: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    paper: list[str] = field(default_factory=list)
    layout: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    records: list[list[Any]] = field(default_factory=list)
    shots: dict[str, bytes] = field(default_factory=dict)
    float_minor: int = 0
    ledger_minor: int = 0
    """What the office has left of the float."""
    begun_at: list[int] = field(default_factory=list)
    """Of each slip, the number of the journal's newest record when its first byte was printed."""
    loaded: list[str] = field(default_factory=list)
    asked: list[list[Any]] = field(default_factory=list)
    """[product, amount, recipient] of each sale that came to the office."""
    look_ups: int = 0
    receipts: list[Any] = field(default_factory=list)
    contrast: int = 0
    """What the display was told last since it started, 0: nothing but its start."""
    sounds: list[int] = field(default_factory=list)
    """Every sound, in Hz."""
    through: bool = False
    output: str = ""

    @property
    def kinds(self) -> list[int]:
        """The kinds of the journal's records that are part of a sale, in order."""
        return [record[0] for record in self.records if 2 <= record[0] <= 7]

    @property
    def journaled(self) -> list[int]:
        """The kinds of all records but those of starts and settlements, in order."""
        return [record[0] for record in self.records if record[0] not in (1, 8)]

    def saw(self, text: str) -> bool:
        """Whether any page ever said this."""
        return any(text in page + page.replace(" | ", " ") for page in self.pages)

    @property
    def begun(self) -> list[int]:
        """The kinds of the records of `begun_at`."""
        return [self.records[number - 1][0] for number in self.begun_at]

    @property
    def left_no_trace(self) -> bool:
        """Nothing on paper, in the journal and on the ledger."""
        stage = (1, 8, STOCKED)  # what a script makes before its merchant does anything
        made = [record for record in self.records if record[0] not in stage]
        return not (
            "".join(self.paper)
            or [record for record in made if record[1:2] != ["padding"]]
            or self.asked
            or self.float_minor != self.ledger_minor
        )

    def is_debited(self, *debits_minor: int) -> bool:
        """Whether the office took these from the float and nothing else, as the terminal says."""
        left_minor = 100000 - sum(debits_minor)
        return self.float_minor == self.ledger_minor == left_minor


def run(*steps: list[Any], config: dict[str, Any] | None = None) -> Outcome:
    """Play `steps` (see `counter.Counter`); fails when one gets stuck or the terminal fails."""
    script = (
        "import json\nfrom tests.merchant import counter\n"
        f"counter.run(json.loads({json.dumps(steps)!r}), json.loads({json.dumps(config)!r}))\n"
    )
    output = micropython.run(script, heap_bytes=4 << 20, timeout_s=60)
    outcome = Outcome(output=output)
    for line in output.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "PAGE":
            outcome.pages.append(rest)
        elif kind == "LOG":
            outcome.log.append(rest)
        elif kind == "PAPER":
            printer = EscPosPrinter(mm_per_s=None)
            printer.send = lambda _: None
            printer.on_power(True)
            printer.on_host_bytes(bytes.fromhex(rest))
            outcome.paper.append(printer.text())
            outcome.layout.append("\n\n".join(r.layout for r in printer.receipts()))
            outcome.receipts += printer.receipts()
            outcome.unknown += [str(sequence) for sequence in printer.unknown]
        elif kind == "RECORDS":
            outcome.records = json.loads(rest)
        elif kind == "LOADED":
            outcome.loaded = json.loads(rest)
        elif kind == "ASKED":
            outcome.asked = json.loads(rest)
        elif kind == "LOOKUPS":
            outcome.look_ups = int(rest)
        elif kind == "LEDGER":
            outcome.ledger_minor = int(rest)
        elif kind == "BEGUN":
            outcome.begun_at = json.loads(rest)
        elif kind == "FLOAT":
            outcome.float_minor = int(rest)
        elif kind == "CONTRAST":
            outcome.contrast = int(rest)
        elif kind == "SOUNDS":
            outcome.sounds = json.loads(rest)
        elif kind == "SHOT":
            name, _, picture = rest.partition(" ")
            outcome.shots[name] = bytes.fromhex(picture)
        elif kind == "THROUGH":
            outcome.through = True
    assert outcome.through and "CRASH" not in output, output
    assert not outcome.unknown, outcome.unknown
    return outcome
