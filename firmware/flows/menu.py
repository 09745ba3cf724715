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
    ("m_pin", "my_pin"),
    ("m_people", "people"),
    ("m_set", "sound_display"),
    ("m_service", "service"),
    ("m_training", "training"),
)
_UNFINISHED = (("m_unfinished", "recover"),)
_BY_OTHERS = ("topup", "meter", "bill")
"""Flows that are there when the price list has something of the kind, which has the same name."""
_SELLING = ("sell",) + _BY_OTHERS
_FINISHING = ("recover", "last_sales")
_ON_PAPER = _SELLING + _FINISHING + ("reprint",)
_OWNERS = ("float", "people", "service", "training")
"""Flows that no cashier may use."""
_TECHNICIANS = ("language", "info", "my_pin", "sound_display", "service")
"""All that a technician may do: he sees no voucher, and no money."""
_OWNER = 0  # as `firmware.kept.people` has them, which is not here meanwhile
_TECHNICIAN = 2
_PEOPLE = "firmware.kept.people"
_OF_PEOPLE = ("my_pin", "people")
_STEPS_OF_PEOPLE = (_PEOPLE, "firmware.flows.steps.pin")
_PAPER = (  # from the bottom up
    "firmware.paper.letters",
    "firmware.paper.receipt",
    "firmware.flows.steps.paper",
)
_STEPS = _PAPER + ("firmware.flows.steps.explain", "firmware.flows.steps.hand_over")
_STEPS_OF_REPORTS = _PAPER + ("firmware.flows.steps.day", "firmware.flows.steps.report")
_STEPS_OF_SHIFTS = ("firmware.flows.steps.shift_slip",)
_MORE_STEPS = (
    "firmware.flows.steps.choose",
    "firmware.flows.steps.reach",
    "firmware.flows.steps.ask_server",
)
_STEPS_OF_AN_END = (
    "firmware.flows.steps.reach",
    "firmware.flows.steps.ask_server",
    "firmware.flows.steps.finish",
)
_STEPS_BY_OTHERS = ("firmware.flows.steps.recipient", "firmware.flows.steps.amount")
_STEPS_OF_TRAINING = (
    _PAPER + ("firmware.paper.practice", "firmware.flows.steps.choose") + _STEPS_BY_OTHERS
)


def may(role: int, name: str) -> bool:
    """Whether who has this role may use that flow."""
    if role == _TECHNICIAN:
        return name in _TECHNICIANS
    return role == _OWNER or name not in _OWNERS


async def menu(desk: "Desk", role: int) -> None:
    """Show the menu until the merchant signs out.

    Raises:
        Idle: nobody touched the terminal.
    """
    while True:
        entries: tuple[tuple[str, str], ...] = ()
        for entry in (_UNFINISHED if desk.till.unfinished() else ()) + _ENTRIES:
            _, name = entry
            if may(role, name) and (name not in _BY_OTHERS or desk.catalogue.has_kind(name)):
                entries += (entry,)
        names = [desk.words(key) for key, _ in entries]
        copy = (("D", "copy"),) if may(role, "reprint") else ()
        at = await desk.ui.choose(desk.words("menu"), names, "out", copy)
        if at is None:
            return
        await run_flow(desk, entries[at][1] if isinstance(at, int) else "reprint")


async def run_flow(desk: "Desk", name: str) -> None:
    """Run a flow, by the name of its file; a sale that the till refuses ends in an explanation."""
    desk.selling = True
    try:
        steps: tuple[str, ...] = _STEPS if name in _ON_PAPER else ()
        if name in ("day_report", "service"):
            steps = _STEPS_OF_REPORTS
        if name == "day_report":
            steps += _STEPS_OF_SHIFTS
        if name == "training":
            steps = _STEPS_OF_TRAINING
        if name in _SELLING:
            steps += _MORE_STEPS
        if name in _FINISHING:
            steps += _STEPS_OF_AN_END
        if name == "last_sales":
            steps += ("firmware.flows.steps.cancel",)
        if name in _BY_OTHERS:
            steps += _STEPS_BY_OTHERS
        if name in _OF_PEOPLE:
            steps += _STEPS_OF_PEOPLE
        await load("firmware.flows." + name, steps).run(desk)
    except SaleRefused as refused:
        await load("firmware.flows.steps.explain").explain(desk, refused.code)
    finally:
        desk.selling = False
        lent = loaded("firmware.flows", _STAY) + loaded("firmware.paper")
        give_back(lent + list(WHILE_SELLING) + [_PEOPLE])
