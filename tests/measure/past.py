"""Years of selling, put into a database within seconds: the same rows as the product writes, and
`check` finds nothing wrong with them. For the benchmarks.

Of a hundred sales of a terminal twenty are from a batch of stock, eighty online; before them the
merchant paid in what they cost. Each leaves its journal records, chained as a terminal chains them.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.server.device import make_record
from updater_server.sales import pins
from updater_server.server_key import ServerKey
from updater_server.service import Service
from updater_server.wire.journal_record import FIRST_TAG, RecordKind

PRODUCT, AMOUNT_MINOR, COMMISSION_MINOR = "air50", 5000, 250
CYCLE = 100
BATCH = 20
_PART = 5_000
_COST_MINOR = AMOUNT_MINOR - COMMISSION_MINOR
_PIN_BASE = 3_000_000_000_000_000

_INTO = {
    "voucher": (
        "id, product_id, serial, pin_sealed, pin_digest, expires_at, imported_at, free, operator,"
        " pin_mark, import_id, import_line"
    ),
    "deposit": (
        "reference, terminal_id, amount_minor, currency, posted_by, reason, float_after_minor,"
        " created_at"
    ),
    "stock_batch": (
        "id, terminal_id, product_id, face_minor, commission_minor, expires_at, count, created_at,"
        " received_at, sent_at, sent_sha256"
    ),
    "sale": (
        "terminal_id, sequence, product_id, amount_minor, terminal_time, state, commission_minor,"
        " voucher_id, float_after_minor, created_at"
    ),
    "voucher_assignment": (
        "voucher_id, turn, terminal_id, sale_sequence, batch_id, batch_index, assigned_at"
    ),
    "stock_outcome": "batch_id, batch_index, outcome, sequence, created_at",
    "ledger_entry": "transaction_id, account_id, amount_minor, balance_after_minor",
    "ledger_transaction": "id, kind, reference, terminal_id, sequence, created_at",
    "journal_record": "terminal_id, sequence, kind, raw, received_at",
}


@dataclass
class Life:
    """One terminal's place in its past."""

    terminal_id: bytes
    account_id: int
    float_minor: int
    sequence: int = 0
    tag: bytes = FIRST_TAG
    sales: int = 0
    batch_id: int = 0


class _Writer:
    """Rows of every table, written in parts."""

    def __init__(self, raw: sqlite3.Connection, key: ServerKey, now: int) -> None:
        self._raw = raw
        self._key = key
        self._now = now
        self._rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._transaction_id = self._highest("ledger_transaction")
        self._batch_id = self._highest("stock_batch")
        self._voucher_id = self._first_voucher = self._highest("voucher")
        self._import_id = self._highest("voucher_import") + 1
        raw.executemany(
            "INSERT OR IGNORE INTO account(name, currency) VALUES (?, 'KES')",
            [("bank",), ("voucher_sales",), ("commission",)],
        )
        self._accounts = dict(raw.execute("SELECT name, id FROM account"))

    def _highest(self, table: str) -> int:
        (found,) = self._raw.execute(f"SELECT MAX(id) FROM {table}").fetchone()
        return int(found or 0)

    def lives(self) -> list[Life]:
        """Every terminal as it stands; none of them may have written a journal yet."""
        rows = self._raw.execute(
            "SELECT id FROM terminal WHERE acknowledged_through = 0 ORDER BY id"
        ).fetchall()
        return [self._life(terminal_id) for (terminal_id,) in rows]

    def _life(self, terminal_id: bytes) -> Life:
        account_id = self._accounts[f"float:{terminal_id.hex()}"]
        (float_minor,) = self._raw.execute(
            "SELECT balance_after_minor FROM ledger_entry WHERE account_id = ? ORDER BY id DESC",
            (account_id,),
        ).fetchone()
        return Life(terminal_id, account_id, float_minor)

    def begin_import(self, count: int) -> None:
        """One delivery that brings every voucher of the past, and the free ones."""
        self._raw.execute(
            "INSERT INTO voucher_import(id, sha256, name, count, state, imported_by, begun_at)"
            " VALUES (?, ?, 'the past', ?, 'storing', 'measured', ?)",
            (self._import_id, bytes(32), count, self._now),
        )

    def voucher(self, free: bool) -> int:
        """A voucher whose PIN is sealed and marked as any other; its id."""
        self._voucher_id = number = self._voucher_id + 1
        pin, serial = str(_PIN_BASE + number), f"PAST-{number:09d}"
        self._rows["voucher"].append(
            (
                *(number, PRODUCT, serial, pins.seal(self._key, PRODUCT, serial, pin)),
                *(pins.digest(self._key, "", pin), 0, self._now, free, ""),
                *(pins.mark(self._key, pin), self._import_id, number - self._first_voucher),
            )
        )
        return number

    def _record(self, life: Life, kind: RecordKind, body: list[Any]) -> int:
        life.sequence += 1
        raw, life.tag = make_record(kind, life.sequence, body, life.tag, self._now)
        row = (life.terminal_id, life.sequence, int(kind), raw, self._now)
        self._rows["journal_record"].append(row)
        return life.sequence

    def _post(
        self, life: Life, kind: str, reference: str, entries: dict[str, int], sequence: int | None
    ) -> None:
        self._transaction_id += 1
        for name, amount_minor in entries.items():
            if name == "float":
                life.float_minor += amount_minor
                row = (self._transaction_id, life.account_id, amount_minor, life.float_minor)
            else:
                row = (self._transaction_id, self._accounts[name], amount_minor, None)  # type: ignore[assignment]
            self._rows["ledger_entry"].append(row)
        self._rows["ledger_transaction"].append(
            (self._transaction_id, kind, reference, life.terminal_id, sequence, self._now)
        )

    def sell(self, life: Life) -> None:
        """One more sale of this terminal, with what comes before it."""
        place = life.sales % CYCLE
        if place == 0:
            self._pay_in(life)
            self._deliver_stock(life)
        if place < BATCH:
            self._sell_from_stock(life, place)
        else:
            self._sell_online(life)
        life.sales += 1

    def _pay_in(self, life: Life) -> None:
        amount_minor = CYCLE * _COST_MINOR
        reference = f"{life.terminal_id.hex()}-{life.sales}"
        entries = {"float": amount_minor, "bank": -amount_minor}
        self._post(life, "top_up", f"topup:{reference}", entries, None)
        self._rows["deposit"].append(
            (
                *(reference, life.terminal_id, amount_minor, "KES", "measured", ""),
                *(life.float_minor, self._now),
            )
        )

    def _deliver_stock(self, life: Life) -> None:
        self._batch_id += 1
        life.batch_id = self._batch_id
        self._rows["stock_batch"].append(
            (
                *(self._batch_id, life.terminal_id, PRODUCT, AMOUNT_MINOR, COMMISSION_MINOR, 0),
                *(BATCH, self._now, self._now, self._now, bytes(32)),
            )
        )
        for index in range(BATCH):
            given = (self.voucher(False), 0, life.terminal_id, None, self._batch_id, index)
            self._rows["voucher_assignment"].append((*given, self._now))
        self._record(life, RecordKind.STOCK, [self._batch_id, BATCH])

    def _sell_from_stock(self, life: Life, index: int) -> None:
        what = [PRODUCT, AMOUNT_MINOR, COMMISSION_MINOR, life.batch_id, index]
        sequence = self._record(life, RecordKind.INTENT_OFFLINE, what)
        self._rows["stock_outcome"].append((life.batch_id, index, "sold", sequence, self._now))
        reference = f"stock:{life.terminal_id.hex()}:{sequence}"
        self._post(life, "stock_sale", reference, _sold(), sequence)
        self._record(life, RecordKind.PRINTED, [sequence])

    def _sell_online(self, life: Life) -> None:
        what = [PRODUCT, AMOUNT_MINOR, COMMISSION_MINOR]
        sequence = self._record(life, RecordKind.INTENT_ONLINE, what)
        voucher_id = self.voucher(False)
        self._post(life, "sale", f"sale:{life.terminal_id.hex()}:{sequence}", _sold(), sequence)
        self._rows["sale"].append(
            (
                *(life.terminal_id, sequence, PRODUCT, AMOUNT_MINOR, self._now, "delivered"),
                *(COMMISSION_MINOR, voucher_id, life.float_minor, self._now),
            )
        )
        self._rows["voucher_assignment"].append(
            (voucher_id, 0, life.terminal_id, sequence, None, None, self._now)
        )
        brought = [sequence, bytes(24), f"PAST-{voucher_id:09d}", 0, life.float_minor]
        self._record(life, RecordKind.DELIVERED, brought)
        self._record(life, RecordKind.PRINTED, [sequence])

    def flush(self) -> None:
        """Write what has come together; nothing is committed before the end."""
        for table, columns in _INTO.items():
            marks = ", ".join("?" * (columns.count(",") + 1))
            self._raw.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({marks})",
                self._rows.pop(table, []),
            )

    def end(self, lives: list[Life]) -> None:
        """The delivery is whole, and the terminals' journals are here."""
        self.flush()
        with self._raw:
            for state in ("releasing", "complete"):
                self._raw.execute(
                    "UPDATE voucher_import SET state = ? WHERE id = ?", (state, self._import_id)
                )
            self._raw.executemany(
                "UPDATE terminal SET acknowledged_through = ?, chain_tag = ? WHERE id = ?",
                [(life.sequence, life.tag, life.terminal_id) for life in lives if life.sequence],
            )


def _sold() -> dict[str, int]:
    return {
        "float": -_COST_MINOR,
        "voucher_sales": AMOUNT_MINOR,
        "commission": -COMMISSION_MINOR,
    }


def _vouchers(sales: int, on: int) -> int:
    """How many vouchers it takes: whole batches, and one for each online sale."""
    count = 0
    for place in range(on):
        cycles, rest = divmod(sales // on + (place < sales % on), CYCLE)
        count += cycles * CYCLE + (BATCH + max(0, rest - BATCH) if rest else 0)
    return count


@contextmanager
def _unhindered(raw: sqlite3.Connection, is_much: bool) -> Iterator[None]:
    """If much is written, indexes and guards are put back behind it: one sort costs less than
    a million searches, and `check` looks at what came of it.
    """
    raw.execute(f"PRAGMA foreign_keys = {'OFF' if is_much else 'ON'}")
    raw.execute("PRAGMA synchronous = OFF")  # nobody was answered, a kill begins anew
    if is_much:
        raw.execute("PRAGMA journal_mode = OFF")
    in_the_way = "type = 'index' AND sql IS NOT NULL OR type = 'trigger' AND sql LIKE '%RAISE%'"
    found = raw.execute(f"SELECT type, name, sql FROM sqlite_master WHERE {in_the_way}").fetchall()
    with raw:
        for kind, name, _ in found if is_much else ():
            raw.execute(f"DROP {kind} {name}")
    yield
    with raw:
        for _, _, made in found if is_much else ():
            raw.execute(made)
    raw.execute("PRAGMA journal_mode = WAL")


def live_through(service: Service, sales: int, on: int, free: int) -> list[Life]:
    """`sales` in the books and journals of the first `on` terminals, who take turns, and `free`
    vouchers more in the vault; returns where every terminal stands. No server may run on it.
    """
    service.engine.dispose()  # what is written without a journal is written alone
    with (
        closing(sqlite3.connect(service.folder.database)) as raw,
        _unhindered(raw, sales + free > _PART),
    ):
        raw.execute("PRAGMA cache_size = -4194304")  # random places of an index stay in memory
        writer = _Writer(raw, service.key, service.now())
        lives = writer.lives()
        writer.begin_import(_vouchers(sales, on) + free)
        for number in range(sales):
            writer.sell(lives[number % on])
            if number % _PART == _PART - 1:
                writer.flush()
        for number in range(free):
            writer.voucher(True)
            if number % _PART == _PART - 1:
                writer.flush()
        writer.end(lives)
    return lives
