"""The network and the office before a sale, and what the till would refuse, found out in time."""

from firmware.lent import at_hand
from firmware.net.link import OFFLINE, ONLINE, SEARCHING
from firmware.sales.catalogue import OFFLINE_LIMITS, PIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product

NETWORK_MS = 12000


async def wait_for_network(desk: "Desk") -> bool:
    """Give a network that is being looked for a bounded time to come; look whether it stayed.

    A sale that is begun online in a place without coverage would keep the customer waiting.
    """
    if desk.link.state != OFFLINE:
        await desk.ui.busy(
            desk.link.known() if desk.link.state == SEARCHING else desk.link.look(),
            desk.words("selling"),
            desk.words("wait_network"),
            NETWORK_MS,
            ("*", "stop"),
        )
    return desk.link.state == ONLINE


async def refusal(desk: "Desk", product: "Product", debit_minor: int) -> str:
    """The code with which the till would refuse now, "" if it would not: found out before anybody
    is asked to agree, and so with the network, where only the network can sell it.

    What the till would refuse by the office's last word is asked for anew: the office may have
    taken a deposit or let the terminal go since, and an idle terminal hears of it late.
    """
    till = desk.till
    if till.blocked or debit_minor > till.float_minor:
        if desk.link.state != OFFLINE:
            words = desk.words
            stop = ("*", "stop")
            await desk.ui.busy(
                desk.hear(), words("selling"), words("wait_office"), NETWORK_MS, stop
            )
        if till.blocked:
            return "blocked"
        if debit_minor > till.float_minor:
            return "no_float"
    if not till.journal.room_for_sale():
        return "journal_full"
    is_voucher = product.kind == PIN
    code = from_stock_refusal(desk, product) if is_voucher else "no_stock"
    if code or till.journal.state.in_the_way(True):
        await wait_for_network(desk)
    if till.journal.state.in_the_way(desk.link.state == ONLINE):
        return "pending_sale"
    if desk.link.state == ONLINE or (is_voucher and may_text(desk)):
        return ""
    return code


def may_text(desk: "Desk") -> bool:
    """Whether a voucher could be asked for by short message: the office answers them, and a network
    has this terminal, though no data passes.
    """
    return bool(desk.messenger.sms_to) and desk.link.modem.registered


def from_stock_refusal(desk: "Desk", product: "Product") -> str:
    """The code with which the till would refuse a sale from stock now, "" if it would not."""
    till = desk.till
    refused: tuple[str, int] | None = at_hand(OFFLINE_LIMITS).offline_refusal(
        desk.catalogue, product, till.journal, desk.now()
    )
    if refused:
        code, _ = refused
        return code
    return "" if till.stock_left(product.id) else "no_stock"


def offline_left(desk: "Desk", product: "Product") -> tuple[int, int, int]:
    """(sales, minor units, seconds) that may still be sold of `product` from stock."""
    left: tuple[int, int, int] = at_hand(OFFLINE_LIMITS).offline_left(
        desk.catalogue, product, desk.till.journal, desk.now()
    )
    return left
