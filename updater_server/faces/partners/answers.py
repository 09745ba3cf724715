"""What a merchant is told on any telephone, whichever way it asks: floats, last sales, how one sale
stands; never a voucher's PIN. For `ussd` and `texts`.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection

from updater_server import words
from updater_server.parties import telephones
from updater_server.parties.telephones import Asker
from updater_server.sales import currency, ledger
from updater_server.service import Service
from updater_server.store.engine import reading, writing

FLOATS, LAST, ONE = "1", "2", "3"
"""What may be asked, as a menu numbers it."""
TERMINALS = 8
SALES = 4
_STATES = {"delivered": "sold", "refused": "not sold", "reserved": "not decided yet"}


class Answers:
    """To telephones that are a party's."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def told(self, number: str, choice: str, asked: tuple[str, ...], pin: str) -> list[str] | None:
        """The lines of an answer; None if the telephone is nobody's, or the PIN wrong (it is
        counted). `asked`: of `ONE`, the sale's number.
        """
        service = self._service
        with writing(service.engine) as connection:  # wrong PINs are counted
            who = telephones.asker(connection, number, pin, service.now())
        if who is None:
            return None
        question = {FLOATS: self._floats, LAST: self._last}.get(choice, self._one)
        with reading(service.engine) as connection:
            return question(connection, who, asked)

    def _floats(self, connection: Connection, who: Asker, _asked: tuple[str, ...]) -> list[str]:
        money = currency.shown(connection, self._service.prices)
        lines = [
            f"{terminal_id.hex()[-4:]}: "
            f"{money.figures(ledger.float_minor(connection, terminal_id))}"
            for terminal_id in telephones.terminals_of(connection, who.party, TERMINALS)
        ]
        own_minor = ledger.balance_of_float(connection, who.party.account)
        return [f"{who.party.code}: {money.show(own_minor)}", *lines]

    def _last(self, connection: Connection, who: Asker, _asked: tuple[str, ...]) -> list[str]:
        terminals = telephones.terminals_of(connection, who.party, TERMINALS)
        rows = telephones.last_sales(connection, terminals, SALES)
        money = currency.shown(connection, self._service.prices)
        return [
            f"{row.sequence} {money.figures(row.amount_minor)} {_STATES[row.state]}" for row in rows
        ] or ["No sales"]

    def _one(self, connection: Connection, who: Asker, asked: tuple[str, ...]) -> list[str]:
        terminals = telephones.terminals_of(connection, who.party, TERMINALS)
        number = asked[0] if asked else ""
        if not re.fullmatch("[0-9]{1,10}", number):
            return ["No such sale"]
        rows = telephones.sales_numbered(connection, terminals, int(number))
        money = currency.shown(connection, self._service.prices)
        return [
            f"{row.terminal_id.hex()[-4:]} {row.product_id} {money.figures(row.amount_minor)} "
            f"{_STATES[row.state]} {words.minute(row.created_at)}"
            for row in rows
        ] or ["No such sale"]
