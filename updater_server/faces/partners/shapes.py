"""What comes and goes, as JSON: every field with its bounds, which the OpenAPI document says, too.
Money is a whole number of minor units beside its currency.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

MOST_MINOR = 10**15

Code = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9-]{1,31}$", description="A party's.")]
TerminalId = Annotated[str, Meta(pattern="^[0-9a-f]{16}$", description="16 hexadecimal digits.")]
Reference = Annotated[
    str,
    Meta(
        pattern="^[0-9A-Za-z][0-9A-Za-z._/-]{2,39}$",
        description="Counts once for ever: the same again changes nothing and is answered as "
        "before; with something else it is refused (409). Capital and small letters are one.",
    ),
]
AmountMinor = Annotated[int, Meta(ge=1, le=MOST_MINOR, description="Minor units.")]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")]


class PartyShown(Struct):
    """A distributor, an agent or a merchant, and its money."""

    code: str
    name: str
    kind: str
    under: str | None
    currency: str
    float_minor: int
    credit_minor: int


class DepositAsked(Struct, forbid_unknown_fields=True):
    """A party paid in."""

    party: Code
    amount_minor: AmountMinor
    currency: CurrencyCode
    reference: Reference
    bank_line: Annotated[str, Meta(max_length=64)] = ""


class TransferAsked(Struct, forbid_unknown_fields=True):
    """Float goes one step along the tree. Giver and taker: a party's code or a terminal's id."""

    giver: Annotated[str, Meta(min_length=2, max_length=32)]
    taker: Annotated[str, Meta(min_length=2, max_length=32)]
    amount_minor: AmountMinor
    currency: CurrencyCode
    reference: Reference


class MovementShown(Struct):
    """A movement as it was posted, once."""

    reference: str
    kind: str
    giver: str
    taker: str
    amount_minor: int
    currency: str
    posted_by: str
    posted_at: int


class LineShown(Struct):
    """One entry of a statement."""

    at: int
    kind: str
    reference: str
    amount_minor: int
    balance_minor: int


class StatementShown(Struct):
    """An account over some days; it adds up: opening and lines are closing."""

    holder: str
    first_day: str
    last_day: str
    time_zone: str
    currency: str
    opening_minor: int
    closing_minor: int
    lines: list[LineShown]


class SaleShown(Struct):
    """An online sale; never its PIN."""

    terminal: str
    sequence: int
    product: str
    amount_minor: int
    commission_minor: int | None
    state: str
    refusal: str | None
    serial: str | None
    terminal_time: int
    learned_at: int


class SalesShown(Struct):
    """A terminal's sales, newest first; `next_before` asks for those before them."""

    sales: list[SaleShown]
    next_before: int | None


class ZReportShown(Struct):
    """A Z report as the terminal printed it; `differs`: what is otherwise in journal or ledger."""

    number: int
    first_record: int
    last_record: int
    terminal_time: int
    sales: int
    total_minor: int
    commission_minor: int
    digest: str
    differs: list[str]


class ShiftShown(Struct):
    """A shift; while it is open what belongs to its end is null. `person` 0: the owner."""

    number: int
    person: int
    opened_at: int
    cash_at_start_minor: int
    closed_at: int | None
    cash_counted_minor: int | None
    cash_expected_minor: int | None
    closed_by: int | None
    differs: list[str]
