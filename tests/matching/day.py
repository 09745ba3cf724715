"""A day of sales of every kind, as the ledger, the terminals and a supplier know them; and what can
be made to be wrong about it.
"""

from __future__ import annotations

import json
import time
from typing import Any
from zoneinfo import ZoneInfo

from tests.server.device import Device, make_record
from tests.server.engines import forge
from tests.suppliers.counter import NAME, Counter, order
from updater_server.matching import files, findings, page, runs
from updater_server.matching.page import Run
from updater_server.parties import days
from updater_server.store.engine import reading, writing

ZONE = "Africa/Nairobi"
_PENDING = 2
PHONES = ("0712345678", "0722000000")


class Day:
    """One terminal: a voucher sold online, one from stock, two top-ups, one top-up refused."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.shop = counter.shop
        self.device = self.shop.enrol()
        with writing(self.shop.service.engine) as connection:
            days.set_zone(connection, ZONE, "asha", self.shop.clock[0])
        self.name = days.day_of(self.shop.clock[0], ZoneInfo(ZONE))
        self.begins, self.ends = days.bounds(self.name, ZoneInfo(ZONE))
        self.shop.stock_vault(count=12)
        self.online = sold_online(self.device)
        self.batch = self.shop.assign(self.device)
        self.device.ask({0: 4, 1: self.batch})
        self.device.record(9, [self.batch, 3])
        self.stock = self.device.record(2, ["air50", 5000, 250, self.batch, 0])
        self.device.record(6, [self.stock])
        self.tops = [topped_up(self.device, number) for number in PHONES]
        self.refused = self._refused()
        self.device.upload()
        counter.operator.courier.rest()
        self.shop.clock[0] = self.ends + 3600

    def _refused(self) -> int:
        """The operator is not there: nothing was sent, and the money went back."""
        sequence = self.device.record(3, ["orphan", 10000, 400, "0733000000"])
        reply = self.device.ask(order(sequence, "0733000000", product="orphan"))
        assert reply[1] == 1, reply
        self.device.record(5, [sequence, reply[6]])
        return sequence

    # --- the supplier's file ---

    def file(self) -> list[dict[str, Any]]:
        """Its lines, without the last that closes it."""
        data: bytes = self.counter.operator.statement(self.begins, self.ends)
        return [json.loads(line) for line in data.splitlines()[:-1]]

    def take(self, lines: list[dict[str, Any]], until: int | None = None) -> None:
        """Let the server have a file of these lines that speaks of the day, or of more."""
        end = {"from": self.begins, "until": until or self.ends, "lines": len(lines)}
        data = b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, end])
        with writing(self.shop.service.engine) as connection:
            files.take(
                connection, self.counter.service.key, NAME, data, "day.jsonl", "asha",
                self.shop.clock[0],
            )  # fmt: skip

    # --- wrong books ---

    def forge(self, *statements: str) -> None:
        """Write into the database without its guards."""
        forge(self.shop.folder, *statements)

    def retell(self, sequence: int, kind: int, body: list[Any]) -> None:
        """Another record in a journal's place."""
        raw, _ = make_record(kind, sequence, body, bytes(8))
        self.forge(
            f"UPDATE journal_record SET kind = {kind}, raw = x'{raw.hex()}'"
            f" WHERE sequence = {sequence}"
        )

    # --- the night ---

    def night(self, day: str = "") -> Run:
        """Hold the day against everybody."""
        service = self.counter.service
        return runs.run(service.engine, service.key, day or self.name, "asha", self.shop.clock[0])

    def found(self) -> dict[str, list[str]]:
        """{kind: the subjects} of the newest look at the day."""
        with reading(self.counter.service.engine) as connection:
            run = runs.of_day(connection, self.name)
            rows = findings.of_run(connection, run.id)
        kinds: dict[str, list[str]] = {}
        for row in rows:
            kinds.setdefault(row.kind, []).append(row.subject)
        return kinds

    def page(self) -> str:
        """The newest page of the day, signed."""
        with reading(self.counter.service.engine) as connection:
            return page.signed(connection, runs.of_day(connection, self.name).id)

    def open_ones(self) -> list[Any]:
        """What nobody has decided."""
        with reading(self.counter.service.engine) as connection:
            return findings.open_ones(connection)

    def decide(self, finding_id: int, decision: str = "", reason: str = "looked") -> str:
        """A person's word."""
        with writing(self.counter.service.engine) as connection:
            return findings.decide(
                connection, finding_id, decision, reason, "asha", self.shop.clock[0]
            )

    def at_terminal(self, sequence: int) -> str:
        """What a finding about a terminal's sale is about."""
        return f"terminal {self.device.terminal_id.hex()} {sequence}"

    def at_supplier(self, sequence: int) -> str:
        """What a finding about a supplier's sale is about."""
        return f"{NAME} duka-{self.device.terminal_id.hex()}-{sequence}"


def sold_online(device: Device) -> int:
    """A voucher from the vault, journaled and printed; its number."""
    sequence = device.record(3, ["air50", 5000, 250])
    reply = device.sale(sequence)
    assert reply[1] == 0, reply
    device.record(4, [sequence, bytes(24), reply[3], reply[4], reply[5]])
    device.record(6, [sequence])
    return sequence


def topped_up(device: Device, number: str) -> int:
    """A top-up, journaled and printed; its number."""
    sequence = device.record(3, ["top", 10000, 500, number])
    reply = device.ask(order(sequence, number))
    while reply[1] == _PENDING:  # the operator's call-back is not here yet
        time.sleep(0.05)
        reply = device.ask(order(sequence, number))
    assert reply[1] == 0, reply
    device.record(4, [sequence, bytes(24), reply[3], reply[4], reply[5]])
    device.record(6, [sequence])
    return sequence
