"""What a utility gives for money, as a slip has it: tokens, units, and what the money went for. For
`xmlvend`.

The order of the details is the order on paper: new keys for the meter come before the credit.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from updater_server.sales.suppliers import xmlvend_fields as table
from updater_server.sales.suppliers.base import (
    NotAReport,
    Statement,
    StatementLine,
    minor,
    note,
)
from updater_server.sales.suppliers.xml_reading import Node

TOKENS = 4
_TOKEN = re.compile("[0-9]{20}")
_FIGURE = re.compile("[0-9]{1,12}(\\.[0-9]{1,8})?")
_LETTERS = 64
_STATES = {"V": "delivered", "R": "rejected"}
_COLUMNS = ("receipt", "time", "number", "meter", "value", "state", "tokens", "keys", "units")


@dataclass(frozen=True)
class Slip:
    """One vend. Texts are the utility's own figures, without a currency."""

    receipt: str
    meter: str
    tendered: str
    tokens: tuple[str, ...]
    """20 digits each, the one that was paid for first; what is free comes after it."""
    keys: tuple[str, ...] = ()
    """None, or two."""
    shown: tuple[tuple[str, str], ...] = ()

    def details(self) -> tuple[tuple[str, str], ...]:
        """All but the first token, labelled (docs/formats/messages.md)."""
        keys = tuple((f"key_change_{n}", key) for n, key in enumerate(self.keys, 1))
        more = tuple((f"token_{n}", token) for n, token in enumerate(self.tokens[1:], 2))
        return keys + more + self.shown


def read(told: Node) -> Slip:
    """From a `creditVendResp`, or a last response that was one.

    Raises:
        NotAMessage: it has no token, too many, or a field that must be there is not as it must be.
    """
    found = table.fields(told, table.SOLD)
    credits: list[tuple[bool, dict[str, str]]] = []
    sums = {"DebtRecoveryTx": Decimal(0), "ServiceChrgTx": Decimal(0)}
    for entry in told.all("creditVendReceipt", "transactions", "tx"):
        if entry.kind == "CreditVendTx":
            issue = next(entry.all("creditTokenIssue"), None)
            is_free = issue is not None and issue.kind == "FBETokenIssue"
            credits.append((is_free, table.fields(entry, table.CREDIT)))
        elif entry.kind in sums:
            sums[entry.kind] += Decimal(table.fields(entry, table.CHARGE)["amount"])
    credits.sort(key=lambda credit: credit[0])
    tokens = tuple(credit["token"] for _, credit in credits)
    if not 1 <= len(tokens) <= TOKENS or len(set(tokens)) != len(tokens):
        raise table.NotAMessage(f"{len(tokens)} tokens, or one of them twice")
    meters = {credit["meter"] for _, credit in credits}
    if len(meters) != 1:
        raise table.NotAMessage("tokens for several meters")
    shown = _shown(found, credits, sums)
    return Slip(found["receipt"], meters.pop(), found["tendered"], tokens, _keys(credits), shown)


def _keys(credits: list[tuple[bool, dict[str, str]]]) -> tuple[str, ...]:
    keys = [
        (credit["first_key"], credit["second_key"])
        for _, credit in credits
        if "first_key" in credit and "second_key" in credit
    ]
    half = any(("first_key" in credit) != ("second_key" in credit) for _, credit in credits)
    if half or len(keys) > 1:
        raise table.NotAMessage("half a change of keys, or several")
    return keys[0] if keys else ()


def _shown(
    found: dict[str, str], credits: list[tuple[bool, dict[str, str]]], sums: dict[str, Decimal]
) -> tuple[tuple[str, str], ...]:
    paid = [credit for is_free, credit in credits if not is_free]
    free = [credit for is_free, credit in credits if is_free]
    rows = (
        ("customer", found.get("customer", "")),
        ("units_kwh", _sum(paid, "units")),
        ("tariff", paid[0].get("tariff", "") if paid else ""),
        ("tax", _sum(paid, "tax")),
        ("arrears", _figure(sums["DebtRecoveryTx"])),
        ("fixed_charge", _figure(sums["ServiceChrgTx"])),
        ("free_units", _sum(free, "units")),
    )
    clean = ((label, note(text).strip()[:_LETTERS]) for label, text in rows)
    return tuple((label, text) for label, text in clean if text)


def _sum(credits: list[dict[str, str]], name: str) -> str:
    """Of a figure that each of them has; "" if one has none that is a figure."""
    figures = [credit.get(name, "") for credit in credits]
    if not figures or not all(_FIGURE.fullmatch(figure) for figure in figures):
        return ""
    return figures[0] if len(figures) == 1 else str(sum(map(Decimal, figures)))


def _figure(total: Decimal) -> str:
    return str(total) if total else ""


# --- a utility's list of a day ---


def statement(data: bytes, minor_digits: int) -> Statement:
    """From lines of `_COLUMNS` with commas, their names in the first, and at the end `END`, from,
    until (Unix seconds) and how many. Tokens and keys are parted by spaces; the value has its
    currency before it ("KES 10.00").

    Raises:
        NotAReport: it is none, or not whole.
    """
    try:
        rows = list(csv.reader(data.decode("utf-8").splitlines(), strict=True))
        head, *lines, (end, since, until, count) = rows
        if tuple(head) != _COLUMNS or end != "END" or int(count) != len(lines):
            raise NotAReport("its last line does not close it: it is not whole")
        return Statement(int(since), int(until), tuple(_lines(lines, minor_digits)))
    except (ValueError, csv.Error) as error:
        raise NotAReport(f"it is not whole: {error}") from error


def _lines(rows: list[list[str]], minor_digits: int) -> Iterator[StatementLine]:
    for row in rows:
        receipt, time, number, meter, value, state, tokens, keys, units = row
        amount_minor = minor(value, value[:3], minor_digits)
        at = int(datetime.strptime(time, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())
        slip = Slip(
            receipt, meter, value, tuple(tokens.split()), tuple(keys.split()),
            (("units_kwh", units),) if _FIGURE.fullmatch(units) else (),
        )  # fmt: skip
        given = (*slip.tokens, *slip.keys)
        fits = all(map(_TOKEN.fullmatch, given)) and len(slip.tokens) <= TOKENS
        if amount_minor is None or state not in _STATES or not fits or len(slip.keys) not in (0, 2):
            raise NotAReport(f"{receipt}: no amount, state or token that is known")
        is_sold = _STATES[state] == "delivered"
        if is_sold and not slip.tokens:
            raise NotAReport(f"{receipt} was vended, and has no token")
        yield StatementLine(
            receipt, meter, amount_minor, at, _STATES[state], order=(at, number),
            token=slip.tokens[0] if is_sold else None, details=slip.details() if is_sold else (),
        )  # fmt: skip
