"""What every supplier is asked and what it may answer. For the adapters beside it and for `sales`.

A supplier's answer is bytes from a stranger: an adapter reads it strictly and says one of the
outcomes below. Only two of them move money: `Delivered` and `Rejected`. Whatever is not surely one
of these is `Unclear`, and stays so until somebody who knows is asked.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

REFERENCE = re.compile("[0-9A-Za-z_.-]{4,64}")
"""What a supplier may call a sale."""
NOTE_LETTERS = 200


@dataclass(frozen=True)
class Order:
    """One sale as its supplier is told of it. Ids and amounts are fixed when it is reserved."""

    reference: str
    """Ours: the same for one sale for ever, of another sale never."""
    code: str
    """What the supplier calls the product; may be empty."""
    recipient: str
    """As the supplier spells it."""
    amount_minor: int
    currency: str
    minor_digits: int
    sent_at: int
    """When it was sent, for the first and only time; Unix seconds."""
    supplier_reference: str | None = None
    """The supplier's own, once it has said one."""
    asked_at: int = 0
    """When it was sold, by the terminal's own clock, in Unix seconds: the same for one sale for
    ever, also on a server that was restored and forgot when it sent it.
    """


@dataclass(frozen=True)
class Delivered:
    """The recipient has it. `token` is what the customer types in, if there is such a thing."""

    reference: str
    token: str | None = None
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Rejected:
    """It was not delivered and never will be: the money may go back."""

    reason: str
    code: str = "supplier_refused"


@dataclass(frozen=True)
class Accepted:
    """The supplier has the order under this reference, and has not decided."""

    reference: str


@dataclass(frozen=True)
class NotSent:
    """Not one byte of the order left us: there was nobody to give it to."""

    reason: str


@dataclass(frozen=True)
class Unclear:
    """Nobody knows. `suspicious`: what came contradicts the order, and a person must see it.
    `ask_in_s`: before so many seconds have passed nobody will.
    """

    reason: str
    suspicious: bool = False
    ask_in_s: int = 0


Outcome = Delivered | Rejected | Accepted | NotSent | Unclear


@dataclass(frozen=True)
class Question:
    """Whether something can be sold to a recipient: asked before money moves."""

    recipient: str
    """As the supplier spells it."""
    currency: str
    minor_digits: int
    at: int
    """Unix seconds."""


@dataclass(frozen=True)
class Known:
    """The supplier knows the recipient, by a name that may be empty. What may be paid now is from
    `least_minor` to `most_minor`; 0: no bound.
    """

    name: str = ""
    least_minor: int = 0
    most_minor: int = 0


@dataclass(frozen=True)
class Report:
    """What a call-back says: at most a reason to ask."""

    reference: str
    recipient: str | None
    """As the supplier spells it."""


@dataclass(frozen=True)
class StatementLine:
    """One line of the list that a supplier gives of a day."""

    reference: str
    recipient: str
    amount_minor: int
    at: int
    """Unix seconds, by the supplier's clock."""
    state: str
    """`delivered`, `rejected` or `open`."""
    our_reference: str | None = None
    order: tuple[int, str] | None = None
    """Instead of it: `Order.asked_at`, and `six_digits` of our reference."""
    token: str | None = None
    details: tuple[tuple[str, str], ...] = ()
    """As `Delivered` has them, of a sale whose customer must get them."""


@dataclass(frozen=True)
class Statement:
    """All that a supplier did for us in a time, by its own books."""

    since: int
    until: int
    """Unix seconds, by the supplier's clock; from the first up to, and without, the second."""
    lines: tuple[StatementLine, ...]


class NotAReport(Exception):
    """A call-back or statement that is none of this supplier's; the text says what is wrong."""


class Supplier(Protocol):
    """An adapter. Every method may be called from several threads at once, raises nothing that it
    can help, and comes back within the supplier's deadline.
    """

    def spelled(self, recipient: str) -> str:
        """The digits that a merchant typed as the supplier writes them; two that are one to it
        become the same.
        """

    def send(self, order: Order) -> Outcome:
        """Ask for it, once for ever: an order is never handed to `send` a second time."""

    def can_ask(self, order: Order) -> bool:
        """Whether `ask` can find this order."""

    def ask(self, order: Order) -> Outcome:
        """What became of it. Orders nothing."""

    def read_report(self, body: bytes) -> Report:
        """A call-back's content.

        Raises:
            NotAReport: it is none.
        """

    def read_statement(self, data: bytes) -> Statement:
        """A statement, whole: where a line is missing a sale would be taken for one that was not
        made.

        Raises:
            NotAReport: it is none, or not whole.
        """


@runtime_checkable
class KnowsCustomers(Protocol):
    """An adapter whose supplier knows its customers by name."""

    def look_up(self, question: Question) -> Known | Rejected | Unclear:
        """Who a recipient is, and what may be paid for it. Orders nothing, keeps nothing."""


def note(text: str) -> str:
    """A supplier's words as they may be kept: short, and nothing that is not printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:NOTE_LETTERS]


def minor(text: str, currency: str, minor_digits: int) -> int | None:
    """The minor units in "KES 10.0000"; None if it is no amount of this currency, or has parts of
    a minor unit.
    """
    found = re.fullmatch(r"([A-Z]{3}) ([0-9]{1,12})(?:\.([0-9]{1,8}))?", text)
    if found is None or found[1] != currency:
        return None
    fraction = (found[3] or "").rstrip("0")
    if len(fraction) > minor_digits:
        return None
    return int(found[2] + fraction.ljust(minor_digits, "0"))


def six_digits(reference: str) -> str:
    """Of a reference of ours, for a supplier that has room for no more."""
    return f"{int.from_bytes(hashlib.sha256(reference.encode()).digest()[-4:], 'big') % 10**6:06d}"


def major(amount_minor: int, minor_digits: int) -> str:
    """An amount as suppliers write it: "10", or "10.50"."""
    whole, rest = divmod(amount_minor, 10**minor_digits)
    return f"{whole}.{rest:0{minor_digits}d}" if rest else str(whole)
