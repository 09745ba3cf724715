"""The desk at which suppliers are asked: their lines, who waits for what, and what is to be looked
after again. For the running server; `online` hands it what it has reserved.

A call to a supplier happens between two transactions and never inside one. Whatever a thread here
dies of leaves the sale in the state that was committed last, and `look` goes on from there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, bindparam, select

from updater_server.errors import BusyError, InputError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import naming, supplier_setup, vend_rows, vends
from updater_server.sales.supplier_setup import Kept
from updater_server.sales.suppliers.base import (
    Accepted,
    Known,
    KnowsCustomers,
    NotSent,
    Order,
    Outcome,
    Question,
    Rejected,
    Supplier,
    Unclear,
)
from updater_server.sales.suppliers.lines import QUESTION, SALE, Line
from updater_server.server_key import ServerKey
from updater_server.store.engine import is_the_databases_fault, reading, writing
from updater_server.store.prepared import Prepared
from updater_server.store.tables import supplier_report, vend
from updater_server.store.tables.suppliers import is_open

log = logging.getLogger("duka.suppliers")
T = TypeVar("T")

PATIENCE_S = 8.0
"""So long after its message a terminal is told that its sale is pending: after 20 s it gives up."""
LOOK_LIMIT = 64
OPEN_LONG_S = 24 * 3600
"""A sale that is open for longer than a day and its night needs a person."""
_TRIES = 6
_NOBODY_TO_ASK = Unclear(
    "nobody can be asked: its report or a statement must tell", ask_in_s=6 * 3600
)
_DUE = Prepared(
    select(vend.c.id, vend.c.supplier, vend.c.state)
    .where(is_open, vend.c.next_at <= bindparam("now"))
    .order_by(vend.c.next_at)
    .limit(LOOK_LIMIT)
)
_TOLD = Prepared(
    select(supplier_report.c.id)
    .where(
        supplier_report.c.supplier == bindparam("supplier"),
        supplier_report.c.supplier_reference == bindparam("reference"),
    )
    .limit(1)
)


class Desk:
    """Suppliers by name, each with its line. Safe to call from several threads."""

    def __init__(
        self,
        engine: Engine,
        key: ServerKey,
        now: Callable[[], int],
        made: Callable[[Kept], Supplier] = Kept.adapter,
        line: Callable[[str], Line] = Line,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.patience_s = patience_s
        self._engine = engine
        self._key = key
        self._now = now
        self._made = made
        self._new_line = line
        self._lock = threading.Lock()
        self._lines: dict[str, Line] = {}
        self._adapters: dict[str, tuple[Any, Kept, Supplier]] = {}
        self._asking: dict[int, bool] = {}
        self._is_closed = False
        self._watched: dict[int, list[Future[None]]] = {}

    # --- for `online`, inside its transaction ---

    def takes(self, name: str) -> bool:
        """Whether a sale of this supplier's would be sent soon."""
        return self._line(name).takes()

    def adapter(self, connection: Connection, name: str) -> Supplier:
        """What speaks to a supplier, as it is set now.

        Raises:
            InputError: there is none, or its settings are wrong.
            VaultError: its secrets do not open.
        """
        return self._known(connection, name)[2]

    def kept(self, connection: Connection, name: str) -> Kept:
        """How a supplier is set now. Raises as `adapter` does."""
        return self._known(connection, name)[1]

    def _known(self, connection: Connection, name: str) -> tuple[Any, Kept, Supplier]:
        """Opened once for as long as its row is the same."""
        row = supplier_setup.sealed(connection, name)
        if row is None:
            raise InputError(f"there is no supplier {name!r}")
        with self._lock:
            known = self._adapters.get(name)
            if known is None or known[0] != row:
                kept = supplier_setup.opened(self._key, row)
                known = self._adapters[name] = (row, kept, self._made(kept))
            return known

    def start(self, vend_id: int, name: str) -> None:
        """Send a sale that is reserved, by and by."""
        self._line(name).submit(lambda: self._send(vend_id, name), SALE)

    def look_up(
        self, name: str, question: Question, told: Future[Known | Rejected | Unclear]
    ) -> None:
        """Ask a supplier who a recipient is, by and by; `told` has its answer then. Nothing is
        kept of it.
        """
        if not self._line(name).submit(lambda: self._look_up(name, question, told), SALE):
            told.set_result(Unclear("its queue is full"))

    # --- for who waits ---

    def watch(self, vend_id: int) -> Future[None]:
        """Done as soon as that sale is decided. Look at its state after this, and then wait."""
        future: Future[None] = Future()
        with self._lock:
            self._watched.setdefault(vend_id, []).append(future)
        return future

    def forget(self, vend_id: int, future: Future[None]) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            waiting = self._watched.get(vend_id, [])
            if future in waiting:
                waiting.remove(future)
            if not waiting:
                self._watched.pop(vend_id, None)

    def decided(self, vend_id: int) -> None:
        """Tell who waits for that sale."""
        with self._lock:
            waiting = self._watched.pop(vend_id, [])
        for future in waiting:
            if not future.done():
                future.set_result(None)

    # --- what is left over ---

    def look(self) -> int:
        """Look after every open sale whose time has come; returns how many there were. To be called
        every second or so.
        """
        self._tell_what_others_decided()
        now = self._now()
        with reading(self._engine) as connection:
            due = _DUE.all(connection, now=now)
        for vend_id, name, state in due:
            if state == vends.RESERVED:
                self._settle(
                    vend_id, Rejected("it was not sent in time", "supplier_down"), "server"
                )
            else:
                self.ask(vend_id, name, is_news=False)
        return len(due)

    def _tell_what_others_decided(self) -> None:
        """A call-back may reach another process than the one at which a terminal waits, or a
        command take a statement.
        """
        with self._lock:
            watched = list(self._watched)
        if not watched:
            return
        with reading(self._engine) as connection:
            is_decided = vend.c.id.in_(watched) & vend.c.state.not_in(vends.OPEN)
            decided = list(connection.scalars(select(vend.c.id).where(is_decided)))
        for vend_id in decided:  # not one that is watched and not yet committed
            self.decided(vend_id)

    def ask(self, vend_id: int, name: str, is_news: bool = True) -> None:
        """Ask the supplier what became of an open sale, by and by; once at a time. `is_news`: there
        is a reason to; who is being asked about it is asked once more then.
        """
        with self._lock:
            if vend_id in self._asking:
                self._asking[vend_id] |= is_news
                return
            self._asking[vend_id] = False

        def call() -> None:
            try:
                self._ask(vend_id, name)
            finally:
                if self._asking.pop(vend_id, False):
                    self.ask(vend_id, name)

        if not self._line(name).submit(call, QUESTION):
            self._asking.pop(vend_id, None)
            log.info("supplier %s: no room for a question", name)

    def close(self, patience_s: float = 0) -> None:
        """Send nothing more."""
        with self._lock:
            self._is_closed = True
            lines = list(self._lines.values())
        for line in lines:
            line.close(patience_s)

    # --- in the threads of a line ---

    def _line(self, name: str) -> Line:
        with self._lock:
            if name not in self._lines:
                self._lines[name] = self._new_line(name)
                if self._is_closed:
                    self._lines[name].close()
            return self._lines[name]

    def _look_up(
        self, name: str, question: Question, told: Future[Known | Rejected | Unclear]
    ) -> None:
        answer: Known | Rejected | Unclear = Unclear("a fault of ours")
        try:
            with reading(self._engine) as connection:
                adapter = self.adapter(connection, name)
            if isinstance(adapter, KnowsCustomers):
                answer = adapter.look_up(question)
                self._line(name).breaker.told(not isinstance(answer, Unclear))
        finally:
            told.set_result(answer)

    def _send(self, vend_id: int, name: str) -> None:
        def begin(connection: Connection) -> tuple[Supplier, Order] | None:
            adapter = self.adapter(connection, name)
            order = vends.begin_sending(connection, vend_id, self._now())
            return None if order is None else (adapter, order)

        begun = self._written(begin)
        if begun is not None:
            adapter, order = begun
            self._settle(vend_id, self._told(name, adapter.send, order), "answer")

    def _ask(self, vend_id: int, name: str) -> None:
        with reading(self._engine) as connection:
            row = vend_rows.find(connection, vend_id)
            adapter = self.adapter(connection, name)
        if row["state"] not in (vends.SENT, vends.UNKNOWN):
            return
        order = vend_rows.order_of(row)
        outcome: Outcome = _NOBODY_TO_ASK
        if adapter.can_ask(order):
            outcome = self._told(name, adapter.ask, order)
        source = "query"
        if row["state"] == vends.SENT and row["supplier_reference"] is None:
            source = "answer"  # its own answer was lost with the server that waited for it
        self._settle(vend_id, outcome, source)

    def _told(self, name: str, call: Callable[[Order], Outcome], order: Order) -> Outcome:
        """What a supplier says, whatever goes wrong in its adapter."""
        try:
            outcome = call(order)
        except Exception as error:  # of ours, and it may have been sent
            log.exception("supplier %s: %s", name, order.reference)
            outcome = Unclear(f"a fault of ours: {type(error).__name__}")
        is_down = isinstance(outcome, Unclear | NotSent) or (
            isinstance(outcome, Rejected) and outcome.code == "supplier_down"
        )
        self._line(name).breaker.told(not is_down)
        return outcome

    def _settle(self, vend_id: int, outcome: Outcome, source: str) -> None:
        now = self._now()

        def settle(connection: Connection) -> str:
            state = vends.settle(connection, self._key, vend_id, outcome, source, now)
            row = vend_rows.find(connection, vend_id)
            if state in vends.OPEN and now - row["created_at"] > OPEN_LONG_S:
                sent = datetime.fromtimestamp(row["sent_at"] or row["created_at"], UTC)
                text = (
                    f"sale {row['sequence']} ({row['supplier']}) is open for more than a day: "
                    f"a list of {sent:%Y-%m-%d} decides it"
                )
                raise_alarm(connection, row["terminal_id"], "supplier_open", text, now)
            return state

        state = self._written(settle)
        if state not in vends.OPEN:
            self.decided(vend_id)
        if source == "answer":
            self._ask_if_told(vend_id, outcome)

    def _ask_if_told(self, vend_id: int, outcome: Outcome) -> None:
        """Reports may have come before the answer that names their sale, or that is lost."""
        with reading(self._engine) as connection:
            row = vend_rows.find(connection, vend_id)
            name, recipient = str(row["supplier"]), str(row["recipient"])
            is_told = (
                isinstance(outcome, Accepted)
                and _TOLD.scalar(connection, supplier=name, reference=outcome.reference) is not None
            )
            is_one_nameless = naming.is_any(connection, name, recipient)
        if is_told:
            self.ask(vend_id, name)
        if is_one_nameless:
            named = self._written(
                lambda connection: naming.name(
                    connection, self.adapter(connection, name), name, recipient, self._now()
                )
            )
            if named is not None:
                self.ask(named, name)

    def _written(self, work: Callable[[Connection], T]) -> T:
        """`work` in a transaction, again while the database is at fault: what a supplier has said
        is not to be lost for a lock.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                with writing(self._engine) as connection:
                    return work(connection)
            except (VaultError, InputError):
                raise
            except Exception as error:
                fault = isinstance(error, BusyError) or is_the_databases_fault(error)
                if not fault or attempt == _TRIES:
                    raise
                time.sleep(0.1 * 2**attempt)
        raise AssertionError("the last attempt raises")
