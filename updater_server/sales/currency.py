"""What the books are kept in, and how people write it. For the commands, the dashboard and
`sales.deposits`.

One server keeps one currency: the first deposit fixes it, from the price list of its terminal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from updater_server.errors import InputError
from updater_server.sales.prices import PriceLists, PricesUnavailable
from updater_server.store.tables import server_constant, terminal

_NAME = "currency"
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


def of_books(connection: Connection) -> Currency | None:
    """What the books were begun in; None before the first deposit."""
    value = connection.scalar(
        select(server_constant.c.value).where(server_constant.c.name == _NAME)
    )
    if value is None:
        return None
    code, digits = value.split(":")
    return Currency(code, int(digits))


def shown(connection: Connection, prices: PriceLists) -> Currency:
    """What to show amounts in: the books' currency, else that of the first price list."""
    known = of_books(connection)
    if known is not None:
        return known
    try:
        catalogues = prices.all()
    except PricesUnavailable:
        return UNKNOWN
    for path in sorted(catalogues):
        return Currency(catalogues[path].currency, catalogues[path].minor_digits)
    return UNKNOWN


def of_terminal(connection: Connection, prices: PriceLists, terminal_id: bytes) -> Currency:
    """A terminal's currency, which must be the books'.

    Raises:
        InputError: its price list is in another currency than the books.
        PricesUnavailable: its price list cannot be read.
    """
    path = connection.scalar(select(terminal.c.catalogue).where(terminal.c.id == terminal_id))
    catalogue = prices.catalogue(str(path))
    found = Currency(catalogue.currency, catalogue.minor_digits)
    books = of_books(connection)
    if books is not None and books != found:
        raise InputError(
            f"{terminal_id.hex()} sells in {found.code} ({found.minor_digits} digits), these books "
            f"are kept in {books.code} ({books.minor_digits} digits): it needs a server of its own"
        )
    return found


def bind(connection: Connection, currency: Currency) -> None:
    """The books are kept in this from now on; `of_terminal` has checked it."""
    if of_books(connection) is None:
        value = f"{currency.code}:{currency.minor_digits}"
        connection.execute(insert(server_constant).values(name=_NAME, value=value))
