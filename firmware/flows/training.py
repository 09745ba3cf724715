"""Selling, practised: the pages and the slip of a sale, and nothing behind them.

No record, no float, no stock and nothing on the air: the till and the office are not asked, and
nothing of it is in flash. Every page has a mark in place of the status bar, every slip one above
and below; where a code would stand are letters that nothing takes. It ends by choice, when nobody
touches the terminal, or with the power; whoever practised is signed out.
"""

from firmware.flows.steps import amount, choose, paper, recipient
from firmware.log import log
from firmware.paper import practice, receipt
from firmware.sales.catalogue import KINDS, METER, PIN, TOPUP
from firmware.sales.sale import Sale, Voucher
from firmware.sales.state import INTENT_ONLINE
from firmware.ui.dialogs import Idle
from firmware.ui.money_and_dates import grouped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product
    from firmware.ui.screen import Line

_NAMES = ("m_sell", "m_topup", "m_meter", "m_bill")
"""By `KINDS`."""
_REST_MS = 600000  # who explains a page does not touch it meanwhile
_PRINT_MS = 40000
_TOKEN_DIGITS = 20


async def run(desk: "Desk") -> None:
    """Practise until somebody has enough.

    Raises:
        Idle: at its end; the next one signs in, so that a cashier is not left in the owner's menu.
    """
    words = desk.words
    hints = (("*", "back"), ("#", "ok"))
    if await desk.ui.ask(words("m_training"), words("tr_q"), hints) != "#":
        return
    log("session", "training begins")
    desk.ui.screen.mark = words("tr_mark")
    try:
        await _practise(desk)
    finally:
        desk.ui.screen.mark = ""
        log("session", "training ends")
    raise Idle


async def _practise(desk: "Desk") -> None:
    words = desk.words
    kinds = [kind for kind in KINDS if desk.catalogue.has_kind(kind)]
    names = [words(_NAMES[KINDS.index(kind)]) for kind in kinds]
    while True:
        at = await desk.ui.choose(words("m_training"), names, "tr_end", rest_ms=_REST_MS)
        if not isinstance(at, int):
            return
        product = await choose.choose(desk, kinds[at])
        while product and await _sell(desk, product):
            pass


async def _sell(desk: "Desk", product: "Product") -> bool:
    """One sale that is none; True if the same is wanted again."""
    if not await paper.is_ready(desk):
        return False
    number = None
    if product.kind != PIN:
        number = await recipient.typed(desk, product)
        if number is None:
            return False
    amount_minor = await amount.typed(desk, product)
    if amount_minor is None or (number and not await _is_his(desk, product, number)):
        return False
    if not await _confirm(desk, product, number, amount_minor):
        return False
    return await _hand_over(desk, _voucher(desk, product, number, amount_minor))


async def _confirm(desk: "Desk", product: "Product", number: str | None, amount_minor: int) -> bool:
    words = desk.words
    title, lines = desk.ui.titled(words("sell_q", product.name))
    if number:
        lines.append(grouped(number, product.kind))
    hints = (("*", "back"), ("#", "ok"))
    big = desk.price(amount_minor)
    return await desk.ui.ask(title, lines + [words("tr_paper")], hints, big) == "#"


async def _is_his(desk: "Desk", product: "Product", number: str) -> bool:
    """As the real sale asks it; the office would know a name, this does not."""
    if product.kind == TOPUP:
        return await recipient.typed_again(desk, product, number)
    return await recipient.is_right(desk, product, number, desk.words("tr_name"))


def _voucher(desk: "Desk", product: "Product", number: str | None, amount_minor: int) -> Voucher:
    product.dial = ""  # nothing to dial, and nothing for a camera
    product.instructions = desk.words("tr_paper")
    digits = sum(product.pin_groups)
    if product.kind == METER:
        digits = _TOKEN_DIGITS
    said = [INTENT_ONLINE, desk.now(), product.id, amount_minor, 0, number]
    sale = Sale([0, 0, 0, 0], said, False)
    return Voucher((practice.code(digits), practice.code(8), 0), [], product, sale)


async def _hand_over(desk: "Desk", sold: Voucher) -> bool:
    words = desk.words
    slip = receipt.voucher(
        words, desk.config, desk.catalogue, desk.terminal_id, sold, desk.now(), False, False
    )
    slip = practice.marked(slip, words("tr_paper"))
    done, outcome = await desk.ui.busy(
        desk.printer.print(slip), words("selling"), words("wait_print"), _PRINT_MS
    )
    status = outcome[1] if done else "error"
    if status not in ("ok", "unknown"):
        await desk.ui.bad(words("not_printed"), words("np_" + status))
        return False
    return await _done(desk, sold)


async def _done(desk: "Desk", sold: Voucher) -> bool:
    words = desk.words
    desk.ui.good()
    lines: list[Line] = [(sold.product.name, desk.price(sold.amount_minor))]
    if sold.recipient:
        lines.append(grouped(sold.recipient, sold.product.kind))
    lines.append(words("tr_done"))
    return await desk.ui.ask(words("sold"), lines, (("0", "again"), ("#", "done"))) == "0"
