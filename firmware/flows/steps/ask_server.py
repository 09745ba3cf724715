"""The voucher of a sale that is begun online, from the server."""

from firmware.flows.steps.explain import explain
from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.sale import Sale

ANSWER_MS = 60000


async def ask_server(desk: "Desk", sale: "Sale") -> bool:
    """Ask for the voucher of `sale` until there is an answer or the merchant leaves it for later.

    True when the till holds the voucher. A sale that was refused is explained here.
    """
    words = desk.words
    while True:
        done, code = await desk.ui.busy(
            desk.fetch_voucher(sale), words("selling"), words("wait_voucher"), ANSWER_MS
        )
        if done and code == "":
            return True
        if done and code is not None:
            await explain(desk, code)
            return False
        log("sale", "{} has no answer".format(sale.sequence))
        key = await desk.ui.bad(
            words("no_answer"),
            words("no_answer_t", sale.sequence),
            (("*", "later"), ("#", "try")),
        )
        if key == "*":
            return False
