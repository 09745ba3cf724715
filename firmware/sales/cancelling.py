"""A request to cancel a sale that was never handed over: it is in flash before the office hears it.

From then on the terminal holds no voucher of that sale, whatever came before: only the office's
answer, by the same key, ends it or gives the voucher again. Loaded by name.
"""

from firmware.sales.journal import JournalFull
from firmware.sales.sale import SaleRefused
from firmware.sales.state import CANCEL, DELIVERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.sales.journal import Journal
    from firmware.sales.sale import Sale


def may_be_asked(sale: "Sale") -> bool:
    """Whether nobody can have its voucher: an online sale whose PIN was never opened here."""
    return sale.online and not sale.may_be_out


def ask(journal: "Journal", sale: "Sale") -> None:
    """Note that this open sale is to be cancelled. Harmless twice.

    Raises:
        SaleRefused: journal_full; pending_sale: its voucher may be out, or it has its end.
    """
    if not journal.state.entry(sale.sequence) or not may_be_asked(sale):
        raise SaleRefused("pending_sale", sale.sequence)
    if is_asked(journal, sale.sequence):
        return
    try:
        journal.append(CANCEL, [sale.sequence])
    except JournalFull:
        raise SaleRefused("journal_full")


def is_asked(journal: "Journal", sale: int) -> bool:
    """Whether that was asked, and the office has not given the voucher (again) since."""
    asked = False
    for _, kind, _, body, _ in journal.records(sale):
        if kind in (CANCEL, DELIVERED) and body and body[0] == sale:
            asked = kind == CANCEL
    return asked
