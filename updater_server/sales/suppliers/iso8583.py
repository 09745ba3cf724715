"""A host that speaks ISO 8583 over TCP: 0200 asks for a sale, 0210 answers; where no answer comes,
0420 takes it back, as often as needed until 0430 says that it is.

So what is unclear here ends as *rejected*: the host undoes it, or will refuse it should it arrive
yet. Messages are tables of fields (`iso8583_fields`), each with two bytes of its length before it.
A connection signs on (0800) before it is used, and shows that it lives (echo) after a pause; it
carries one sale at a time, and none any more once an answer did not come.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from updater_server.errors import InputError
from updater_server.sales.suppliers import iso8583_fields as iso
from updater_server.sales.suppliers.base import (
    Delivered,
    NotAReport,
    NotSent,
    Order,
    Outcome,
    Rejected,
    Report,
    Statement,
    StatementLine,
    Unclear,
    note,
    six_digits,
)
from updater_server.sales.suppliers.net import REAL, Connection, Net

KIND = "iso8583"
_SIGN_ON, _ECHO = "001", "301"
_APPROVED = "00"
_UNCLEAR = frozenset(("09", "68", "94", "96"))
"""In progress, too late, a duplicate, a fault of the host's: it may have been done."""
_DOWN = frozenset(("91", "92"))
_REVERSED = frozenset((_APPROVED, "25"))
"""Undone, or never seen: then it will be refused if it comes yet."""
_IDLE_S = 30.0
_STATES = ("delivered", "rejected", "open")
_COLUMNS = 6


class _Lost(Exception):
    """The connection, or the wait for an answer, ended."""


@dataclass(frozen=True)
class Host:
    """Where it is and who we are to it."""

    host: str
    port: int
    terminal: str
    deadline_s: float = 20.0

    @staticmethod
    def made(settings: dict[str, Any], secrets: dict[str, str]) -> Host:
        """From what is kept of a supplier. The key that it gave us is our id there (field 41).

        Raises:
            InputError: something is missing, or wrong.
        """
        try:
            host, port = str(settings["host"]), int(settings["port"])
            deadline_s = float(settings.get("deadline_s", 20.0))
            terminal = secrets["api_key"].ljust(8)
        except (KeyError, ValueError) as error:
            raise InputError(f"an iso8583 supplier needs host, port and a key: {error}") from error
        if len(terminal) != 8 or not 0 < port < 65536 or not 0 < deadline_s <= 60:
            raise InputError("a key of up to 8 letters, a port, and a deadline of up to 60 s")
        return Host(host, port, terminal, deadline_s)


def retrieval_reference(reference: str) -> str:
    """Field 37: twelve letters that are one sale's for ever."""
    digest = hashlib.sha256(reference.encode()).digest()
    return base64.b32encode(digest)[:12].decode("ascii")


def sent_time(at: int) -> str:
    """Field 7, of Unix seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%m%d%H%M%S")


class Iso8583:
    """The adapter (`base.Supplier`)."""

    def __init__(self, host: Host, net: Net = REAL) -> None:
        self._host = host
        self._net = net
        self._lock = threading.Lock()
        self._free: list[_Link] = []

    def spelled(self, recipient: str) -> str:
        """`base.Supplier.spelled`: as it was typed."""
        return recipient

    def send(self, order: Order) -> Outcome:
        """`base.Supplier.send`."""
        until = self._net.now() + self._host.deadline_s
        try:
            values = self._values(order)
            data = iso.write(iso.SALE, values)
        except iso.NotAMessage as error:  # an amount or product that the host has no room for
            return NotSent(str(error))
        try:
            link = self._link(until)
        except (OSError, _Lost, iso.NotAMessage) as error:
            return NotSent(f"no connection: {error}")
        try:
            told = link.ask(iso.SALE_REPLY, data, values, until)
        except (OSError, _Lost, iso.NotAMessage) as error:
            link.close()
            return Unclear(f"no answer: {error}")
        self._keep(link)
        return _sold(values, told)

    def can_ask(self, order: Order) -> bool:
        """Always: what is unclear is taken back."""
        return bool(order.reference)

    def ask(self, order: Order) -> Outcome:
        """Take it back: `Rejected` once the host says that it is."""
        until = self._net.now() + self._host.deadline_s
        values = self._values(order)
        original = iso.SALE + values[11] + values[7] + "0" * 22
        values = {**values, 90: original}
        try:
            link = self._link(until)
        except (OSError, _Lost, iso.NotAMessage) as error:
            return Unclear(f"no connection: {error}")
        try:
            told = link.ask(iso.REVERSAL_REPLY, iso.write(iso.REVERSAL, values), values, until)
        except (OSError, _Lost, iso.NotAMessage) as error:
            link.close()
            return Unclear(f"no answer: {error}")
        self._keep(link)
        if told[39] in _REVERSED:
            return Rejected(f"taken back ({told[39]})")
        return Unclear(note(f"not taken back: code {told[39]}"))

    def _values(self, order: Order) -> dict[int, str]:
        return {
            2: order.recipient,
            3: order.code.zfill(6) if order.code else "000000",
            4: f"{order.amount_minor:012d}",
            7: sent_time(order.sent_at),
            11: six_digits(order.reference),
            37: retrieval_reference(order.reference),
            41: self._host.terminal,
            48: order.reference,
            49: order.currency,
        }

    def _link(self, until: float) -> _Link:
        """A connection that is signed on; one that was idle has shown that it lives."""
        while True:
            with self._lock:
                link = self._free.pop() if self._free else None
            if link is None:
                return _Link.opened(self._host, until, self._net)
            if self._net.now() - link.used_at < _IDLE_S:
                return link
            try:
                link.network(_ECHO, until)
                return link
            except (OSError, _Lost, iso.NotAMessage):
                link.close()

    def _keep(self, link: _Link) -> None:
        with self._lock:
            self._free.append(link)

    def read_report(self, body: bytes) -> Report:
        """There are none."""
        raise NotAReport(f"this supplier reports nothing, and these are {len(body)} bytes")

    def read_statement(self, data: bytes) -> Statement:
        """`base.Supplier.read_statement`: lines of reference; recipient; minor units; Unix seconds;
        state; our reference, and at the end `END`; from; until; how many.
        """
        try:
            rows = list(csv.reader(data.decode("ascii").splitlines(), delimiter=";"))
            *lines, (end, since, until, count) = rows
            read = tuple(
                StatementLine(row[0], row[1], int(row[2]), int(row[3]), row[4], row[5])
                for row in lines
            )
            is_whole = end == "END" and int(count) == len(read)
            is_whole = is_whole and all(len(row) == _COLUMNS for row in lines)
            is_whole = is_whole and all(line.state in _STATES for line in read)
            statement = Statement(int(since), int(until), read)
        except (ValueError, IndexError, csv.Error) as error:
            raise NotAReport(f"it is not whole: {error}") from error
        if not is_whole:
            raise NotAReport("it is not whole: its last line does not close it")
        return statement


def _sold(asked: dict[int, str], told: dict[int, str]) -> Outcome:
    if any(told[number] != asked[number] for number in (2, 4, 49)):
        return Unclear("the answer is about another number or amount", suspicious=True)
    code = told[39]
    if code == _APPROVED:
        return Delivered(f"{asked[37]}-{told.get(38, '').strip() or '0'}")
    if code in _UNCLEAR:
        return Unclear(f"code {code}")
    return Rejected(f"code {code}", "supplier_down" if code in _DOWN else "supplier_refused")


@dataclass
class _Link:
    """One connection."""

    connection: Connection
    net: Net
    used_at: float = 0.0
    numbers: int = 0

    @staticmethod
    def opened(host: Host, until: float, net: Net) -> _Link:
        left = until - net.now()
        if left <= 0:
            raise _Lost("it took too long")
        link = _Link(net.connect(host.host, host.port, left), net)
        try:
            link.network(_SIGN_ON, until)
        except BaseException:
            link.close()
            raise
        return link

    def close(self) -> None:
        self.connection.close()

    def network(self, what: str, until: float) -> None:
        """Sign on, or show that the other side lives."""
        self.numbers += 1
        values = {7: sent_time(int(self.net.unix())), 11: f"{self.numbers:06d}", 70: what}
        told = self.ask(iso.NETWORK_REPLY, iso.write(iso.NETWORK, values), values, until)
        if told[39] != _APPROVED or told[70] != what:
            raise _Lost(f"network message {what}: code {told[39]}")

    def ask(self, wanted: str, data: bytes, values: dict[int, str], until: float) -> dict[int, str]:
        """Send a message and wait for its answer; answers to others, late or doubled, are passed
        over.
        """
        self._patience(until)
        self.connection.sendall(len(data).to_bytes(2, "big") + data)
        while True:
            kind, told = iso.read(
                self._receive(int.from_bytes(self._receive(2, until), "big"), until)
            )
            names = (11, 37) if 37 in values else (11,)
            if kind == wanted and all(told[number] == values[number] for number in names):
                self.used_at = self.net.now()
                return told

    def _receive(self, count: int, until: float) -> bytes:
        data = b""
        while len(data) < count:
            self._patience(until)
            more = self.connection.recv(count - len(data))
            if not more:
                raise _Lost("the connection ended")
            data += more
        return data

    def _patience(self, until: float) -> None:
        left = until - self.net.now()
        if left <= 0:
            raise _Lost("it took too long")
        self.connection.settimeout(left)
