"""One sale as the flows see it, the voucher that goes on paper, and why there is none."""

from firmware.sales.state import INTENT_ONLINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.sales.product import Product

PENDING = "pending"
"""Not a refusal: the server has the sale, and what it asks has not decided yet."""


class SaleRefused(Exception):
    """No sale. `code` says why, `details` is the limit or figure that forbids it, or None.

    Codes: no_float, offline_amount, offline_count, offline_total, offline_age, no_stock,
    unknown_product, journal_full, pending_sale, spoiled (the voucher does not open, the sale was
    taken back), unreadable (it does not open now: once the network was there it may),
    price_changed (the price or the commission is not what the merchant was shown), bad_recipient
    (what it is for cannot be a number of this product), blocked (by the office).
    """

    def __init__(self, code: str, details: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class Sale:
    """One sale, as `restated` tells it. `has_voucher`: its PIN is on the terminal, sealed.

    `may_be_out`: paper with its PIN may exist, so that only a copy marked DUPLICATE may be printed.
    """

    def __init__(self, known: list[int], said: "list[Any]", may_be_out: bool) -> None:
        self.known = list(known)  # the journal's entry, as it was
        self.sequence, held_at = known[:2]
        kind, self.time, self.product_id, self.amount_minor, self.commission_minor, *more = said
        self.online = kind == INTENT_ONLINE
        # the number, meter or reference that it is for, None of a voucher
        self.recipient: str | None = more.pop(0) if self.online else None
        self.place = [] if self.online else more[:2]  # batch id, index
        # of an online sale 0, too, while flash cannot give what the server answered: ask it again
        self.voucher_sequence = held_at if more else 0
        self.may_be_out = may_be_out

    @property
    def has_voucher(self) -> bool:
        """Whether there is something to open and print."""
        return bool(self.voucher_sequence)


class Voucher:
    """What goes on paper: its PIN in clear, so keep it no longer than it takes to print.

    `pin` of a top-up or a bill is the supplier's reference. `details`: pairs (label, value) that
    came with it, in their order. `time`: of the sale.
    """

    def __init__(
        self,
        answer: "tuple[str, str, int]",
        details: "list[list[str]]",
        product: "Product | Gone",
        sale: Sale,
    ) -> None:
        self.pin, self.serial, self.expiry = answer
        self.details = details
        self.product = product
        self.amount_minor = sale.amount_minor
        self.sequence = sale.sequence
        self.recipient = sale.recipient
        self.time = sale.time
        self.copy = 0  # which copy this is, 0: an original
        self.seller = ""  # who sold it, "": the owner


class Gone:
    """Stands for a product that the catalogue no longer has."""

    operator = instructions = kind = dial = helpline = ""
    pin_groups = (4,) * 10

    def __init__(self, product_id: str) -> None:
        self.id = self.name = product_id
