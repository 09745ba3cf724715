"""The menu: what is chosen is loaded, runs, and gives its memory back."""

from firmware.lent import give_back, load, loaded
from firmware.sales.catalogue import WHILE_SELLING
from firmware.sales.sale import SaleRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

_STAY = ("firmware.flows.session", "firmware.flows.menu")
"""What of the flows waits while another one runs."""

_ENTRIES = (
    ("m_sell", "sell"),
    ("m_topup", "topup"),
    ("m_meter", "meter"),
    ("m_bill", "bill"),
    ("m_sales", "last_sales"),
    ("m_float", "float"),
    ("m_day", "day_report"),
    ("m_messages", "messages"),
    ("m_language", "language"),
    ("m_info", "info"),
)
_UNFINISHED = (("m_unfinished", "recover"),)
_BY_OTHERS = ("topup", "meter", "bill")
"""Flows that are there when the price list has something of the kind, which has the same name."""
_SELLING = ("sell",) + _BY_OTHERS
_FINISHING = ("recover", "last_sales")
_ON_PAPER = _SELLING + _FINISHING + ("reprint", "day_report")
_STEPS = (  # from the bottom up
    "firmware.paper.letters",
    "firmware.paper.receipt",
    "firmware.flows.steps.explain",
    "firmware.flows.steps.paper",
    "firmware.flows.steps.hand_over",
)
_MORE_STEPS = (
    "firmware.flows.steps.choose",
    "firmware.flows.steps.reach",
    "firmware.flows.steps.ask_server",
)
_STEPS_OF_AN_END = ("firmware.flows.steps.ask_server", "firmware.flows.steps.finish")
_STEPS_BY_OTHERS = ("firmware.flows.steps.recipient", "firmware.flows.steps.amount")


async def menu(desk: "Desk") -> None:
    """Show the menu until the merchant signs out.

    Raises:
        Idle: nobody touched the terminal.
    """
    while True:
        entries: tuple[tuple[str, str], ...] = _UNFINISHED if desk.till.unfinished() else ()
        for entry in _ENTRIES:
            _, name = entry
            if name not in _BY_OTHERS or desk.catalogue.has_kind(name):
                entries += (entry,)
        names = [desk.words(key) for key, _ in entries]
        at = await desk.ui.choose(desk.words("menu"), names, "out", (("D", "copy"),))
        if at is None:
            return
        await run_flow(desk, entries[at][1] if isinstance(at, int) else "reprint")


async def run_flow(desk: "Desk", name: str) -> None:
    """Run a flow, by the name of its file; a sale that the till refuses ends in an explanation."""
    desk.selling = True
    try:
        steps: tuple[str, ...] = _STEPS if name in _ON_PAPER else ()
        if name in _SELLING:
            steps += _MORE_STEPS
        if name in _FINISHING:
            steps += _STEPS_OF_AN_END
        if name in _BY_OTHERS:
            steps += _STEPS_BY_OTHERS
        await load("firmware.flows." + name, steps).run(desk)
    except SaleRefused as refused:
        await load("firmware.flows.steps.explain").explain(desk, refused.code)
    finally:
        desk.selling = False
        give_back(loaded("firmware.flows", _STAY) + loaded("firmware.paper") + list(WHILE_SELLING))
