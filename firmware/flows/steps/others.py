"""A sale that somebody else makes: a top-up, electricity, a bill; from the choice of product on.

The order that no cut may break is that of `firmware.flows.sell`. Nothing of it is sold from stock.
"""

from bootloader.shared.compat import const
from firmware import counts
from firmware.flows.steps import amount, ask_server, choose, hand_over, paper, reach, recipient
from firmware.flows.steps.explain import explain
from firmware.net.link import OFFLINE
from firmware.sales.catalogue import TOPUP
from firmware.ui.money_and_dates import grouped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.office.look_up import Answer
    from firmware.sales.product import Product
    from firmware.ui.screen import Line

LOOK_UP_MS = 30000
_SALES_TRIED = const(1)


async def sales(desk: "Desk", kind: str) -> None:
    """Sales of one product of that kind, or back to the menu with nothing changed.

    Raises:
        SaleRefused: the till will not; nothing was sold.
    """
    product = await choose.choose(desk, kind)
    while product and await _sell(desk, product):
        product = desk.catalogue.product(product.id)  # the price list may be new


async def _sell(desk: "Desk", product: "Product") -> bool:
    """One sale; True when the merchant wants the same again. Raises SaleRefused."""
    if not await paper.may_begin(desk) or not await _may_sell(desk, product, product.debit_minor):
        return False
    number, amount_minor = await _order(desk, product)
    if not number:
        return False
    debit_minor = amount_minor - product.commission_of(amount_minor)
    if not await _may_sell(desk, product, debit_minor):
        return False
    if not await _confirm(desk, product, number, amount_minor, debit_minor):
        return False
    if not await reach.wait_for_network(desk):
        await _no_network(desk)
        return False
    sale = desk.till.begin_online(product.id, product, number, amount_minor)
    counts.add(_SALES_TRIED)
    if not await ask_server.ask_server(desk, sale):
        return False
    return await hand_over.hand_over(desk, sale, False, True)


async def _order(desk: "Desk", product: "Product") -> tuple[str, int]:
    """(number, amount in minor units) that merchant and customer are sure of, or ("", 0)."""
    number = await recipient.typed(desk, product)
    if number is None or not await recipient.may_go_to(desk, product, number):
        return "", 0
    amount_minor = await amount.typed(desk, product)
    if amount_minor is not None and product.kind != TOPUP:
        amount_minor = await _known(desk, product, number, amount_minor)
    elif amount_minor is not None and not await recipient.typed_again(desk, product, number):
        amount_minor = None
    return ("", 0) if amount_minor is None else (number, amount_minor)


async def _may_sell(desk: "Desk", product: "Product", debit_minor: int) -> bool:
    """Whether nothing is against it as far as is known here; says what is."""
    if desk.link.state == OFFLINE:
        await _no_network(desk)
        return False
    code = await reach.refusal(desk, product, debit_minor)
    if code and (code == "no_stock" or desk.link.state == OFFLINE):
        await _no_network(desk)
    elif code:
        await explain(desk, code)
    return not code


async def _no_network(desk: "Desk") -> None:
    title = desk.words.either("n_" + desk.link.trouble, "no_network")
    await desk.ui.bad(title, desk.words("only_online"))


async def _known(desk: "Desk", product: "Product", number: str, amount_minor: int) -> int | None:
    """Who it is for, from who makes it; the amount once the merchant agreed, or None."""
    answer = await _asked(desk, product, number, amount_minor)
    if not answer:
        return None
    if answer.name:
        sure = await recipient.is_right(desk, product, number, answer.name)
    else:
        sure = await recipient.typed_again(desk, product, number)
    if not sure:
        return None
    least, most = answer.least_minor, answer.most_minor
    if least <= amount_minor and (not most or amount_minor <= most):
        return amount_minor
    words = desk.words
    rows: "list[Line]" = [(words("at_least"), desk.price(least))] if least else []
    if most:
        rows.append((words("at_most"), desk.price(most)))
    await desk.ui.ask(words("check_it"), rows, (("#", "ok"),))
    return await amount.typed(desk, product, least, most) if product.open else None


async def _asked(
    desk: "Desk", product: "Product", number: str, amount_minor: int
) -> "Answer | None":
    """What the server says of a recipient that is known; of one that is not, None."""
    words = desk.words
    while True:
        _, answer = await desk.ui.busy(
            desk.look_up(product.id, number, amount_minor),
            words("selling"),
            words("wait_name"),
            LOOK_UP_MS,
            ("*", "stop"),
        )
        if answer and answer.code:
            await explain(desk, answer.code)
            return None
        if answer:
            found: Answer = answer
            return found
        hints = (("*", "back"), ("#", "try"))
        if await desk.ui.bad(words("no_answer"), words("no_name"), hints) == "*":
            return None


async def _confirm(
    desk: "Desk", product: "Product", number: str, amount_minor: int, debit_minor: int
) -> bool:
    words = desk.words
    lines: "list[Line]" = [
        (recipient.operator_of(desk, product, number), grouped(number, product.kind)),
        (words("float_after"), desk.money(desk.till.float_minor - debit_minor)),
    ]
    return await choose.agree(desk, product, words("sell_q", product.name), lines, amount_minor)
