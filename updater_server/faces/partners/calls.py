"""Each call of the API as a plain function: who asks, a transaction, a shape. For `app`."""

from __future__ import annotations

from typing import Any

from litestar.exceptions import NotFoundException, PermissionDeniedException
from sqlalchemy import Connection, select

from updater_server.errors import InputError
from updater_server.faces.partners import access
from updater_server.faces.partners.shapes import (
    DepositAsked,
    LineShown,
    MovementShown,
    PartyShown,
    SaleShown,
    SalesShown,
    ShiftShown,
    StatementShown,
    TransferAsked,
    ZReportShown,
)
from updater_server.fleet import operators
from updater_server.parties import movements, statements, tree
from updater_server.parties.movements import Holder, Order
from updater_server.parties.tokens import Caller
from updater_server.parties.tree import Party
from updater_server.sales import currency, ledger, shifts
from updater_server.sales.currency import Currency
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.store.tables import sale, voucher

SALES = 100
"""In one answer."""
REPORTS = 31
"""In one answer: each is counted anew."""


class Calls:
    """What the API can do, for callers whose token was looked at. Safe to call from several
    threads.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.pace = access.Pace()

    def _caller(self, connection: Connection, authorization: str) -> Caller:
        asks = access.caller(connection, authorization)
        self.pace.ask(asks.id)
        return asks

    def _money(self, connection: Connection, account: str, code: str = "") -> Currency:
        return currency.of_holder(connection, self._service.prices, account, code)

    def parties(self, token: str) -> list[PartyShown]:
        """Those within the caller's reach, from above."""
        with reading(self._service.engine) as connection:
            asks = self._caller(connection, token)
            known = {one.id: one for one in tree.all_parties(connection)}
            seen: set[int] = set()
            for one in known.values():
                own = asks.party is None or one.id == asks.party.id
                if own or one.parent_id in seen:
                    seen.add(one.id)
            return [self._party(connection, known[one]) for one in sorted(seen)]

    def party(self, token: str, code: str) -> PartyShown:
        """One of them."""
        with reading(self._service.engine) as connection:
            asks = self._caller(connection, token)
            found = _within(connection, asks, code)
            if found.party is None:
                raise NotFoundException(f"there is no party {code[:32]}")
            return self._party(connection, found.party)

    def _party(self, connection: Connection, one: Party) -> PartyShown:
        above = None if one.parent_id is None else tree.by_id(connection, one.parent_id).code
        money = self._money(connection, one.account)
        return PartyShown(
            code=one.code,
            name=one.name,
            kind=one.kind,
            under=above,
            currency=money.code,
            float_minor=ledger.balance_of_float(connection, one.account, money.code),
            credit_minor=movements.credit_minor(
                connection, one.id, self._service.now(), money.code
            ),
        )

    def deposit(self, token: str, asked: DepositAsked) -> MovementShown:
        """Post a deposit, once; the operator's own programs only."""
        with writing(self._service.engine) as connection:
            asks = self._caller(connection, token)
            access.mover(asks)
            if asks.party is not None:
                raise PermissionDeniedException("deposits are posted by the operator")
            found = _within(connection, asks, asked.party)
            if found.party is None:
                raise NotFoundException(f"there is no party {asked.party[:32]}")
            order = self._order(connection, asks, asked, asked.bank_line)
            row = movements.deposit(connection, self._service.prices, found.party, order)
            return _shown(connection, row)

    def transfer(self, token: str, asked: TransferAsked) -> MovementShown:
        """Move float one step along the tree, once. A party's program gives what is its own."""
        with writing(self._service.engine) as connection:
            asks = self._caller(connection, token)
            access.mover(asks)
            giver = _within(connection, asks, asked.giver)
            taker = movements.holder(connection, asked.taker)
            own = asks.party is None or (
                giver.party is not None and giver.party.id == asks.party.id
            )
            if not own:
                raise PermissionDeniedException("a party gives only what is its own")
            order = self._order(connection, asks, asked)
            row = movements.transfer(connection, self._service.prices, giver, taker, order)
            return _shown(connection, row)

    def _order(
        self,
        connection: Connection,
        asks: Caller,
        asked: DepositAsked | TransferAsked,
        bank_line: str = "",
    ) -> Order:
        known = currency.every(connection, self._service.prices)
        money = known.get(asked.currency)
        if money is None:
            kept = " and ".join(known)
            raise InputError(f"these books are kept in {kept}, not in {asked.currency}")
        amount = money.show(asked.amount_minor).replace(",", "")
        reference = operators.reference(asked.reference)
        return Order(amount, reference, asks.name, self._service.now(), bank_line)

    def statement(self, token: str, holder: str, first_day: str, last_day: str) -> StatementShown:
        """What an account did in some days; the last seven, if none are named."""
        with reading(self._service.engine) as connection:
            asks = self._caller(connection, token)
            who = _within(connection, asks, holder)
            first, last = statements.span(connection, first_day, last_day, self._service.now())
            found = statements.of_account(
                connection, who.name, who.account, self._money(connection, who.account), first, last
            )
        return StatementShown(
            holder=found.holder,
            first_day=found.first_day,
            last_day=found.last_day,
            time_zone=found.zone.key,
            currency=found.money.code,
            opening_minor=found.opening_minor,
            closing_minor=found.closing_minor,
            lines=[
                LineShown(line.at, line.kind, line.reference, line.amount_minor, line.balance_minor)
                for line in found.lines
            ],
        )

    def sales(self, token: str, terminal: str, before: int | None, limit: int) -> SalesShown:
        """A terminal's online sales by number, newest first: one walk along the key."""
        with reading(self._service.engine) as connection:
            asks = self._caller(connection, token)
            terminal_id = _terminal(connection, asks, terminal)
            query = _SALES.where(sale.c.terminal_id == terminal_id)
            if before is not None:
                query = query.where(sale.c.sequence < before)
            rows = connection.execute(query.order_by(sale.c.sequence.desc()).limit(limit)).all()
        following = rows[-1].sequence if len(rows) == limit else None
        return SalesShown([_sale(row) for row in rows], following)

    def sale(self, token: str, terminal: str, sequence: int) -> SaleShown:
        """One online sale: whether it was delivered, and with what serial number."""
        with reading(self._service.engine) as connection:
            asks = self._caller(connection, token)
            terminal_id = _terminal(connection, asks, terminal)
            row = connection.execute(
                _SALES.where(sale.c.terminal_id == terminal_id, sale.c.sequence == sequence)
            ).one_or_none()
        if row is None:
            raise NotFoundException(f"terminal {terminal} has asked for no sale {sequence}")
        return _sale(row)

    def z_reports(self, token: str, terminal: str, limit: int) -> list[ZReportShown]:
        """A terminal's Z reports, newest first, each held against journal and ledger."""
        with reading(self._service.engine) as connection:
            terminal_id = _terminal(connection, self._caller(connection, token), terminal)
            found = shifts.z_reports(connection, terminal_id, limit)
        return [
            ZReportShown(
                number=one.number,
                first_record=one.first,
                last_record=one.sequence - 1,
                terminal_time=one.time,
                sales=one.said.sales,
                total_minor=one.said.total_minor,
                commission_minor=one.said.commission_minor,
                digest=one.digest.hex(),
                differs=one.differs,
            )
            for one in found
        ]

    def shifts(self, token: str, terminal: str, limit: int) -> list[ShiftShown]:
        """A terminal's shifts, newest first."""
        with reading(self._service.engine) as connection:
            terminal_id = _terminal(connection, self._caller(connection, token), terminal)
            found = shifts.shifts(connection, terminal_id, limit)
        return [ShiftShown(*one) for one in found]


def _within(connection: Connection, asks: Caller, name: str) -> Holder:
    """The party or terminal of this name. Raises NotFoundException: none within reach; whether
    there is one beyond it is nobody's business.
    """
    try:
        found = movements.holder(connection, name)
        if access.reaches(connection, asks, found):
            return found
    except InputError:
        pass
    raise NotFoundException(f"nothing within reach is called {name[:32]}")


def _terminal(connection: Connection, asks: Caller, name: str) -> bytes:
    found = _within(connection, asks, name)
    if found.terminal_id is None:
        raise NotFoundException(f"no terminal within reach is called {name[:32]}")
    return found.terminal_id


def _shown(connection: Connection, row: dict[str, Any]) -> MovementShown:
    return MovementShown(
        reference=row["reference"],
        kind=row["kind"],
        giver=_name(connection, row["from_account"]),
        taker=_name(connection, row["to_account"]),
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        posted_by=row["posted_by"],
        posted_at=row["created_at"],
    )


def _name(connection: Connection, account: str) -> str:
    terminal_id = ledger.terminal_of(account)
    if terminal_id is not None:
        return terminal_id.hex()
    if account == ledger.BANK:
        return account
    return tree.by_id(connection, int(account.rpartition(":")[2])).code


_SALES = select(sale, voucher.c.serial).join(
    voucher, voucher.c.id == sale.c.voucher_id, isouter=True
)


def _sale(row: Any) -> SaleShown:
    return SaleShown(
        terminal=row.terminal_id.hex(),
        sequence=row.sequence,
        product=row.product_id,
        amount_minor=row.amount_minor,
        commission_minor=row.commission_minor,
        state=row.state,
        refusal=row.refusal_code,
        serial=row.serial,
        terminal_time=row.terminal_time,
        learned_at=row.created_at,
    )
