"""The far end: the real server's device interface, ledger, vault and journal intake, on SQLite.

A `Server` is the server as it stands at one moment. It never changes: what is asked of it gives
another one. So a cut comes back to the server as it was at that instant, and what one message does
to one server is worked out once a process, however many terminals send it after a cut.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tests.money import office, oracle
from tests.powercut import publisher
from updater_server.channels.newest import Newest
from updater_server.faces import terminal
from updater_server.fleet import merchant_notices, terminals
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import checks, currency, deposits, incoming, ledger, opening, stock
from updater_server.sales.prices import PriceLists
from updater_server.server_key import ServerKey
from updater_server.service import DataFolder, Service
from updater_server.store import engine as database
from updater_server.store.tables import technician

FLOAT_MINOR = 2_000_000
VAULT = {"air50": 500, "air100": 150, "air20": 20}
STOCK = [("air50", 100), ("air50", 40), ("air100", 20)]
"""Batches that wait for the terminal from the start."""
_PAGE_BYTES = 4096

PIN_OF = {
    f"{product}-{number}": f"{value:06d}{number:010d}"
    for value, (product, count) in enumerate(VAULT.items(), 700_001)
    for number in range(1, count + 1)
}
"""By serial: what the operator sold us. The judge knows it from here, not from the server."""


@dataclass(frozen=True, eq=False)
class Server:
    """The server at one moment, and what its books say (read from the tables, in plain SQL).

    `records`: the terminal's journal from record 1, None for one that was reported lost. `online`:
    by sequence number the PIN that a sale was given, None if it was refused or cancelled. `stock`:
    the PIN at (batch, index). `told`: (release, reason) of failures. `paid_out`: (the terminal's
    next record then, minor units). `notices`: (number, text, amount, reference, float after) of
    each, and through which number the terminal said that it has them. `alarms`: what a person would
    be called for (not for a release that went back, a sale that was cancelled or stock that was
    wiped: that is meant to happen here), and what `check` finds.
    """

    pages: tuple[bytes, ...] = field(repr=False)
    ledger_minor: int
    blocked: bool
    records: tuple[oracle.Record | None, ...]
    online: dict[int, str | None]
    stock: dict[tuple[int, int], str]
    sold_from_stock: frozenset[int]
    received: frozenset[int]
    seen_releases: frozenset[int]
    told: frozenset[tuple[int, str]]
    alarms: tuple[str, ...]
    notices: tuple[tuple[Any, ...], ...] = ()
    notices_through: int = 0
    paid_out: tuple[tuple[int, int], ...] = ()

    def post(self, body: bytes, day: str) -> tuple[int, bytes, Server]:
        """`POST /m` on a day: status, the reply's body, and the server after it."""
        known = _answers.get((self, body, day))
        if known is None:
            status, reply = terminal.handle(_at(self, day), body)
            assert status != terminal.TRY_LATER, "the server could not answer"
            known = _answers[self, body, day] = status, reply, _now(self.paid_out)
        return known

    def with_stock(self, product: str, count: int, day: str) -> Server:
        """The operator sets a batch aside for the terminal."""
        service = _at(self, day)
        return self._after(
            lambda c: stock.assign(
                c, service.key, service.prices, office.TERMINAL_ID, product, count, service.now()
            )
        )

    def blocking(self, blocked: bool) -> Server:
        """The operator blocks the terminal's online sales, or allows them."""
        return self._after(lambda c: terminals.set_blocked(c, office.TERMINAL_ID, blocked))

    def with_message(self, text: str) -> Server:
        """The office has something to say to the merchant."""
        now = publisher.TIME_S
        return self._after(lambda c: merchant_notices.message(c, office.TERMINAL_ID, text, now))

    def with_deposit(self, reference: str, next_sequence: int) -> Server:
        """The merchant brings 10 KES; as `paying_out`, the other way."""
        prices, now = _at(self, "first").prices, publisher.TIME_S
        return self._after(
            lambda c: deposits.post(
                c, prices, office.TERMINAL_ID, "10.00 KES", reference, "asha", now
            ),
            (*self.paid_out, (next_sequence, -1000)),
        )

    def paying_out(self, amount_minor: int, next_sequence: int) -> Server:
        """The merchant takes float back; the terminal, whose next record has that sequence, learns
        it with the next settlement."""
        reference = f"paid-out-{len(self.paid_out)}"
        return self._after(
            lambda c: ledger.top_up(
                c, office.TERMINAL_ID, -amount_minor, reference, publisher.TIME_S
            ),
            (*self.paid_out, (next_sequence, amount_minor)),
        )

    def _after(
        self, work: Callable[[Connection], Any], paid_out: tuple[tuple[int, int], ...] | None = None
    ) -> Server:
        with database.writing(_at(self, "first").engine) as connection:
            work(connection)
        return _now(self.paid_out if paid_out is None else paid_out)


_answers: dict[tuple[Server, bytes, str], tuple[int, bytes, Server]] = {}
_pages: dict[bytes, bytes] = {}


def forget() -> None:
    """Let go of every answer that was worked out."""
    _answers.clear()
    _pages.clear()


class _Machine:
    """What servers run on in one process; the database is in memory once one was loaded."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="duka-powercut-server-")
        folder = DataFolder(Path(self._folder.name))
        engine = database.open_engine(folder.database)
        key = ServerKey(bytes(range(32)))
        self.holds: Server | None = None
        newest = Newest(folder.repository)
        prices = _prices("first")
        self.service = Service(folder, engine, key, prices, newest, lambda: publisher.TIME_S)

    def raw(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do something with the SQLite connection itself."""
        with self.service.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            return work(driver)


@functools.cache
def _machine(process: int) -> _Machine:
    return _Machine()


@functools.cache
def _prices(day: str) -> PriceLists:
    return PriceLists(publisher.publisher().days[day])


def _at(server: Server, day: str) -> Service:
    """The server's parts, the database being that of `server`, the price lists those of `day`."""
    machine = _machine(os.getpid())
    if machine.holds is not server:
        machine.raw(lambda driver: _put(driver, b"".join(server.pages)))
        machine.holds = server
    return dataclasses.replace(machine.service, prices=_prices(day))


def _put(driver: sqlite3.Connection, image: bytes) -> None:
    """Put a database in the place of the one that is there. Not by `deserialize` itself: statements
    that the driver keeps, and that read a table of a module (`json_each`), die of it in SQLite.
    """
    with contextlib.closing(sqlite3.connect(":memory:")) as source:
        source.deserialize(image)
        source.backup(driver)


def _now(paid_out: tuple[tuple[int, int], ...]) -> Server:
    """The server as the database has it now."""
    machine = _machine(os.getpid())
    with database.reading(machine.service.engine) as connection:
        troubles = checks.problems(connection)
    server: Server = machine.raw(lambda driver: _read(driver, troubles, paid_out))
    machine.holds = server
    return server


def _read(
    driver: sqlite3.Connection, troubles: list[str], paid_out: tuple[tuple[int, int], ...]
) -> Server:
    image = bytearray(driver.serialize())
    image[18:20] = b"\x01\x01"  # no write-ahead log in memory (SQLite file format, 1.3)
    pages = (bytes(image[at : at + _PAGE_BYTES]) for at in range(0, len(image), _PAGE_BYTES))

    def rows(query: str) -> list[tuple[Any, ...]]:
        return driver.execute(query).fetchall()

    raws = rows("SELECT sequence, raw FROM journal_record ORDER BY sequence")
    numbered = [sequence for sequence, _ in raws] == list(range(1, len(raws) + 1))
    history = rows("SELECT release, failure_release, failure_reason FROM running_history")
    alarms = [
        f"{code}: {text}"
        for code, text in rows(
            "SELECT code, text FROM alarm WHERE code NOT IN"
            " ('rollback', 'sale_cancelled', 'stock_wiped')"
        )
    ]
    return Server(
        pages=tuple(_pages.setdefault(page, page) for page in pages),
        ledger_minor=rows(
            "SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_entry WHERE account_id ="
            " (SELECT id FROM account WHERE name LIKE 'float:%')"
        )[0][0],
        blocked=rows("SELECT MAX(blocked) FROM terminal") == [(1,)],
        records=tuple(_parsed(raw) if raw else None for _, raw in raws),
        online={
            sequence: PIN_OF[serial] if state == "delivered" and not given_back else None
            for sequence, state, serial, given_back in rows(
                "SELECT s.sequence, state, serial, t.id FROM sale s LEFT JOIN voucher v ON"
                " v.id = voucher_id LEFT JOIN ledger_transaction t ON t.kind = 'void'"
                " AND t.sequence = s.sequence"
            )
        },
        stock={
            (batch, index): PIN_OF[serial]
            for batch, index, serial in rows(
                "SELECT batch_id, batch_index, serial FROM voucher_assignment"
                " JOIN voucher ON id = voucher_id WHERE batch_id IS NOT NULL"
            )
        },
        sold_from_stock=frozenset(
            sequence
            for (sequence,) in rows("SELECT sequence FROM stock_outcome WHERE outcome = 'sold'")
        ),
        received=frozenset(
            batch for (batch,) in rows("SELECT id FROM stock_batch WHERE received_at IS NOT NULL")
        ),
        seen_releases=frozenset(release for release, _, _ in history),
        told=frozenset((release, reason) for _, release, reason in history if release),
        notices=tuple(
            rows(
                "SELECT number, text, amount_minor, reference, float_after_minor"
                " FROM merchant_notice ORDER BY number"
            )
        ),
        notices_through=rows("SELECT MAX(COALESCE(notices_through, 0)) FROM terminal")[0][0] or 0,
        alarms=tuple(alarms + troubles + ([] if numbered else ["a record has no number"])),
        paid_out=paid_out,
    )


_parsed = functools.lru_cache(65536)(oracle.parse)


@functools.cache
def opened() -> Server:
    """The server on its first day: the vault filled, the terminal enrolled, its stock set aside."""
    service = _machine(os.getpid()).service
    database.migrate(service.engine)
    now = service.now()
    delivery = ["product,pin,serial,expiry"]
    delivery += [f"{serial.split('-')[0]},{pin},{serial},0" for serial, pin in PIN_OF.items()]
    with database.writing(service.engine) as connection:
        connection.execute(
            technician.insert().values(
                id=1,
                name="asha",
                token_sha256=bytes(32),
                created_at=now,
                allowance_minor=FLOAT_MINOR,
            )
        )
        incoming.import_csv(connection, service.key, "\n".join(delivery), now)
        enrolment = Enrolment(
            office.TERMINAL_ID,
            office.DEVICE_KEY,
            "duka-r1",
            1,
            FLOAT_MINOR,
            publisher.CHANNEL,
            publisher.CATALOGUE,
        )
        money = currency.of_catalogue(service.prices.catalogue(publisher.CATALOGUE))
        opening.enrol(connection, service.key, enrolment, 1, now, money)
        for product, count in STOCK:
            stock.assign(
                connection, service.key, service.prices, office.TERMINAL_ID, product, count, now
            )
    return _now(())
