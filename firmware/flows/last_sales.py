"""The last sales and how each stands: a copy of any of them, the answer to one that has none."""

from firmware.flows.steps import cancel, explain, finish, hand_over, paper
from firmware.lent import give_back, load
from firmware.ui.money_and_dates import date_time_text, grouped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.recent import Recent
    from firmware.sales.sale import Sale
    from firmware.ui.screen import Hint, Line

_RECENT = "firmware.sales.recent"
_LOOK_MS = 30000
_DAY_S = 86400
_A_PAGE = 2  # sales on it, two lines each
_DIGITS = 8  # of a sale's number


async def run(desk: "Desk") -> None:
    """Show the last sales until the merchant goes back. Raises SaleRefused."""
    words = desk.words
    at: int | None = 0
    try:
        while at is not None:
            found: Recent = load(_RECENT).Recent(desk.till)
            await desk.ui.busy(
                found.look_back(), words("m_sales"), words("wait_sales"), _LOOK_MS, ("*", "stop")
            )
            count = found.sift()
            if not count:
                await desk.ui.ask(words("m_sales"), words("no_last"), (("*", "back"),))
                return
            at = await _choose(desk, found, min(at, count - 1), count)
            if at is not None:
                await _open(desk, found, at)
    finally:
        give_back((_RECENT,))


async def _choose(desk: "Desk", found: "Recent", at: int, count: int) -> int | None:
    """The place of a sale, by moving to it or by typing its number; None: back."""
    words = desk.words
    hints = [(key, words(word)) for key, word in (("*", "back"), ("0", "number"), ("#", "ok"))]
    shown = -1
    lines: "list[Line]" = []
    while True:
        first = at - at % _A_PAGE
        last = min(count, first + _A_PAGE)
        if first != shown:
            shown = first
            lines = []
            for n in range(first, last):
                lines.extend(_rows(desk, found, n))
        more = (2 if first else 0) | (1 if last < count else 0)
        desk.ui.screen.page(words("m_sales"), lines, hints, marked=2 * (at - first), more=more)
        key = await desk.ui.key("0123456789AB#*")
        if key == "*":
            return None
        if key == "#":
            return at
        if key in "AB":
            at = (at + (1 if key == "B" else -1)) % count
            continue
        number = await desk.ui.digits(
            words("r_sale"), words("sale_no"), _DIGITS, typed=key if key != "0" else ""
        )
        place = found.where(int(number)) if number else None
        if place is not None:
            return place
        if number:
            await desk.ui.bad(words("check_it"), words("not_among", number), (("#", "ok"),))


def _rows(desk: "Desk", found: "Recent", at: int) -> "list[Line]":
    words = desk.words
    number = str(found.number(at))
    sale = found.sale(at)
    if not sale:
        return [(number, words("st_unread")), ""]
    offset_s = desk.config.utc_offset_s
    when = date_time_text(sale.time, offset_s)
    if sale.time:
        is_today = (sale.time + offset_s) // _DAY_S == (desk.now() + offset_s) // _DAY_S
        when = when[11:] if is_today else when[:5]
    return [
        (number + " " + when, words(found.stands(at, sale))),
        (_name(desk, sale), desk.money(sale.amount_minor)),
    ]


def _name(desk: "Desk", sale: "Sale") -> str:
    product = desk.catalogue.product(sale.product_id)
    return product.name if product else sale.product_id


def _facts(desk: "Desk", found: "Recent", at: int, sale: "Sale", stands: str) -> "list[Line]":
    """All that is known of a sale, but for what only paper may say."""
    words = desk.words
    product = desk.catalogue.product(sale.product_id)
    kind = product.kind if product else ""
    lines: "list[Line]" = [(_name(desk, sale), desk.price(sale.amount_minor))]
    if sale.recipient:
        lines.append((words.either("to_" + kind, "number"), grouped(sale.recipient, kind)))
    lines.append((words("state"), words(stands)))
    if stands == "st_refused":
        lines.extend(explain.reason(desk, found.reason(at)).split("\n"))
    elif stands in ("st_doubt", "st_waits", "st_back"):
        lines.append(words(stands + "_t"))
    lines.append((words("time"), date_time_text(sale.time, desk.config.utc_offset_s)))
    serial = found.serial(at, sale)
    if serial:
        lines.append((words("r_serial"), serial))
    if not sale.online:
        lines.append(words("r_offline"))
    if sale.has_voucher:
        lines.append((words("reprints"), str(desk.till.journal.copies(sale.sequence))))
    lines.append((words("commission"), desk.money(sale.commission_minor)))
    return lines


async def _open(desk: "Desk", found: "Recent", at: int) -> None:
    """Show a sale, and do with it what its state allows."""
    words = desk.words
    title = words("r_sale") + " " + str(found.number(at))
    sale = found.sale(at)
    if not sale:
        await desk.ui.ask(title, words("st_unread"), (("*", "back"),))
        return
    stands = found.stands(at, sale)
    more: "tuple[Hint, ...]" = ()
    is_cancelled = stands == "st_refused" and found.reason(at) == cancel.CANCELLED
    if found.is_open(at):
        more = (("#", "ok"),)
        if stands in ("st_waits", "st_ready") and sale.online:
            more = (("C", "cancel"), ("#", "ok"))
    elif is_cancelled:
        more = (("#", "print"),)
    elif sale.has_voucher and stands not in ("st_refused", "st_back"):
        more = (("D", "copy"),)
    key = await desk.ui.ask(title, _facts(desk, found, at, sale, stands), (("*", "back"),) + more)
    if key == "D" and await paper.is_ready(desk):
        await hand_over.hand_over(desk, sale, True)
    elif key == "C":
        await cancel.cancel(desk, sale)
    elif key == "#" and is_cancelled:
        await cancel.slip(desk, sale)
    elif key == "#" and stands == "st_waits":
        await finish.ask_for(desk, sale)
    elif key == "#":
        await finish.finish(desk, sale)
