"""What the books are kept in, and how people write it. For the commands, the dashboard and those
who move money.

A terminal has the currency of the price list that it was enrolled with, for ever. Books may be kept
in several; no two of them meet in one transaction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from updater_server.channels.entry import Catalogue
from updater_server.errors import InputError
from updater_server.sales.prices import PriceLists, PricesUnavailable
from updater_server.store.engine import one_at_a_time
from updater_server.store.tables import account, terminal
from updater_server.store.tables import currency as kept_in

_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]+))? ?([A-Za-z]{3})")


@dataclass(frozen=True)
class Currency:
    """ISO 4217 code, and how many digits stand behind the point."""

    code: str
    minor_digits: int

    def show(self, amount_minor: int | None) -> str:
        """As people write it: 50,000.50 KES."""
        return f"{self.figures(amount_minor)} {self.code}".rstrip()

    def figures(self, amount_minor: int | None) -> str:
        """As `show`, without the code; "–" for none."""
        if amount_minor is None:
            return "–"
        sign, units = ("−" if amount_minor < 0 else ""), abs(amount_minor)
        whole, rest = divmod(units, 10**self.minor_digits)
        fraction = f".{rest:0{self.minor_digits}d}" if self.minor_digits else ""
        return f"{sign}{whole:,}{fraction}"

    def parse(self, text: str) -> int:
        """An amount above zero as people write it, in minor units.

        Raises:
            InputError: no currency or another one, another number of digits, a sign, an exponent,
                zero; the text says how to write it.
        """
        example = f"50000.{'50'[: self.minor_digits]:0<{self.minor_digits}}".rstrip(".")
        how = f'write it like "{example} {self.code}"'
        found = _AMOUNT.fullmatch(text.strip(" "))
        if not found:
            raise InputError(f"{text[:40]!r} is no amount: {how}")
        whole, fraction, code = found.groups()
        if code.upper() != self.code:
            raise InputError(f"{text[:40]!r}: these books are kept in {self.code}: {how}")
        if fraction is not None and len(fraction) != self.minor_digits:
            digits = "no digits" if not self.minor_digits else f"{self.minor_digits} digits"
            raise InputError(
                f"{text[:40]!r}: {self.code} has {digits} behind the point, or none: {how}"
            )
        scale: int = 10**self.minor_digits
        amount_minor = int(whole) * scale + int(fraction or 0)
        if amount_minor == 0:
            raise InputError(f"{text[:40]!r}: nothing would move: {how}")
        return amount_minor


UNKNOWN = Currency("", 2)


def all_of(connection: Connection) -> dict[str, Currency]:
    """Every currency that the books are kept in, by its code, in the order in which they began."""
    rows = connection.execute(select(kept_in).order_by(kept_in.c.id))
    return {row.code: Currency(row.code, row.minor_digits) for row in rows}


def named(connection: Connection, code: str) -> Currency:
    """A currency of the books; of one that was not said yet, two digits."""
    return all_of(connection).get(code, Currency(code, 2))


def of_books(connection: Connection) -> Currency | None:
    """What the books were begun in; None before the first money."""
    return next(iter(all_of(connection).values()), None)


def shown(connection: Connection, prices: PriceLists) -> Currency:
    """What to show amounts in that are of no terminal and no party: the currency that the books
    were begun in, else that of the first price list.
    """
    known = of_books(connection)
    if known is not None:
        return known
    try:
        catalogues = prices.all()
    except PricesUnavailable:
        return UNKNOWN
    for path in sorted(catalogues):
        return of_catalogue(catalogues[path])
    return UNKNOWN


def every(connection: Connection, prices: PriceLists) -> dict[str, Currency]:
    """Every currency that the books are kept in, or that a price list is in, by its code."""
    try:
        listed = {one.currency: of_catalogue(one) for one in prices.all().values()}
    except PricesUnavailable:
        listed = {}
    return listed | all_of(connection)


def of_catalogue(catalogue: Catalogue) -> Currency:
    """A price list's currency."""
    return Currency(catalogue.currency, catalogue.minor_digits)


def of_float(connection: Connection, name: str) -> Currency | None:
    """In what a float is kept, the first of several; None if it never moved."""
    code = connection.scalar(
        select(account.c.currency).where(account.c.name == name).order_by(account.c.id).limit(1)
    )
    return None if code is None else named(connection, code)


def of_holder(connection: Connection, prices: PriceLists, name: str, code: str = "") -> Currency:
    """In what to show the float `name`: the currency asked for, else the one in which it moved
    first, else that of the books.

    Raises:
        InputError: neither the books nor a price list are in the currency asked for.
    """
    if code:
        found = every(connection, prices).get(code.strip().upper())
        if found is None:
            raise InputError(f"nothing is kept in {code[:8]!r} here")
        return found
    return of_float(connection, name) or shown(connection, prices)


def of_terminal(connection: Connection, prices: PriceLists, terminal_id: bytes) -> Currency:
    """A terminal's currency, which must be that of its price list.

    Raises:
        InputError: its price list is in another one, or has other digits.
        PricesUnavailable: its price list cannot be read.
    """
    row = connection.execute(
        select(terminal.c.catalogue, terminal.c.currency).where(terminal.c.id == terminal_id)
    ).one()
    found = of_catalogue(prices.catalogue(row.catalogue))
    if row.currency and row.currency != found.code:
        raise InputError(
            f"{terminal_id.hex()} sells in {row.currency}, and its price list is in {found.code}: "
            "a terminal keeps its currency, give it a list in that"
        )
    _must_be(connection, found)
    return found


def _must_be(connection: Connection, money: Currency) -> None:
    known = all_of(connection).get(money.code)
    if known is not None and known != money:
        raise InputError(
            f"{money.code} has {known.minor_digits} digits in these books, not "
            f"{money.minor_digits}: mend the price list"
        )


def say_unsaid(connection: Connection, prices: PriceLists) -> None:
    """Let the terminals of an older database, which never said what it is kept in, have the
    currency of their price lists, if that is one.

    Raises:
        PricesUnavailable: a price list cannot be read; they go on without.
    """
    if of_books(connection) is not None:
        return
    paths = connection.scalars(select(terminal.c.catalogue).distinct())
    found = {of_catalogue(prices.catalogue(path)) for path in paths}
    if len(found) == 1:
        bind(connection, found.pop())


def bind(connection: Connection, money: Currency) -> None:
    """The books are kept in this, too, from now on. What was in no currency yet is in the first.

    Raises:
        InputError: they are, with other digits.
    """
    _must_be(connection, money)
    known = all_of(connection)
    if money.code in known:
        return
    one_at_a_time(connection, f"currency {money.code}")
    if money.code in all_of(connection):
        return
    connection.execute(insert(kept_in).values(code=money.code, minor_digits=money.minor_digits))
    if not known:
        for table in (account, terminal):
            unsaid = update(table).where(table.c.currency == "")
            connection.execute(unsaid.values(currency=money.code))
