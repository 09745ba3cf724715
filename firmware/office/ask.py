"""Asking the server for the voucher of one online sale (message kind 2)."""

from bootloader.shared.compat import const
from firmware.office.messenger import SALE, ServerRefused, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.office.messenger import Messenger
    from firmware.sales.sale import Sale
    from firmware.sales.till import Till

_SALE_SEQUENCE = const(1)
_SALE_PRODUCT = const(2)
_SALE_AMOUNT = const(3)
_SALE_TIME = const(4)
_SALE_COMMISSION = const(20)
_SALE_REPLY_STATUS = const(1)
_SALE_REPLY_CODE = const(6)
_DELIVERED = const(0)  # values of the status
_REFUSED = const(1)


async def ask(messenger: "Messenger", till: "Till", sale: "Sale") -> str:
    """Ask the server for the voucher of an online sale; it answers the same for ever.

    Returns "" when the till holds the voucher, else the code of the server's refusal (journaled).

    Raises:
        NoNetwork, BadReply, ServerRefused: no answer; the sale stays open.
    """
    try:
        reply = await messenger.exchange(
            SALE,
            {
                _SALE_SEQUENCE: sale.sequence,
                _SALE_PRODUCT: sale.product_id,
                _SALE_AMOUNT: sale.amount_minor,
                _SALE_TIME: sale.time,
                _SALE_COMMISSION: sale.commission_minor,
            },
        )
    except ServerRefused as refused:
        # Both say for good that this sequence is not this sale.
        if refused.code not in ("conflict", "bad_message"):
            raise
        till.refused(sale, refused.code)
        return refused.code
    if field(reply, _SALE_REPLY_STATUS, int, _DELIVERED, _REFUSED) == _DELIVERED:
        till.delivered(sale, reply)
        return ""
    code = field(reply, _SALE_REPLY_CODE, str, 1, 32)
    till.refused(sale, code)
    return code
