"""The voucher of a sale that is begun online, from the server."""

import asyncio

from bootloader.shared.compat import const
from firmware import counts
from firmware.flows.steps.explain import explain
from firmware.flows.steps.reach import may_text
from firmware.log import log
from firmware.sales.sale import PENDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.sale import Sale
    from firmware.ui.screen import Hint

ANSWER_MS = 60000
_BY_SMS_MS = 120000
_AT_ONCE_MS = 500
_SALES_FAILED = const(3)
_SALES_TIMED_OUT = const(4)


async def ask_server(desk: "Desk", sale: "Sale", by_sms: bool = False) -> bool:
    """Ask for the voucher of `sale` until there is an answer or the merchant leaves it for later.
    `by_sms`: with a short message first; each one more is one more key.

    True when the till holds the voucher. A sale that was refused is explained here.
    """
    words = desk.words
    while True:
        done, code = await desk.ui.busy(
            desk.fetch_voucher(sale, by_sms),
            words("selling"),
            words("wait_sms" if by_sms else "wait_server"),
            _BY_SMS_MS if by_sms else ANSWER_MS,
            ("*", "later"),  # the sale is in flash: leaving loses nothing
        )
        if done and code == "":
            return True
        if done and code == PENDING:
            if await _wait(desk, sale):
                continue
            return False
        if done and code is not None:
            await explain(desk, code)
            return False
        log("sale", "{} has no answer".format(sale.sequence))
        hints: "tuple[Hint, ...]" = (("*", "later"), ("#", "try"))
        if may_text(desk) and not sale.recipient:  # an answer that fits: the vault's vouchers
            hints = (("*", "later"), ("0", "sms"), ("#", "ok"))
        key = await desk.ui.bad(
            words("no_answer"),
            words("no_answer_t", sale.sequence),
            hints,
        )
        by_sms = key == "0"
        if key == "*":
            counts.add(_SALES_FAILED)
            return False
        counts.add(_SALES_TIMED_OUT)


async def _wait(desk: "Desk", sale: "Sale") -> bool:
    """Count down to when a sale that is not decided may be asked for again; False: later."""
    words = desk.words
    log("sale", "{} is not decided yet".format(sale.sequence))
    due_ms = desk.till.due_ms(sale)
    done, _ = await desk.ui.busy(
        _rest(due_ms),
        words("pending"),
        words("pending_t", sale.sequence),
        due_ms + _AT_ONCE_MS,
        ("*", "later"),
    )
    return done


async def _rest(ms: int) -> None:
    # MicroPython has one `sleep_ms` for all tasks: it must be awaited where it is called
    await asyncio.sleep_ms(ms)
