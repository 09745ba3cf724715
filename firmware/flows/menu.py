"""The menu: what is chosen is loaded, runs, and gives its memory back."""

from bootloader.shared.compat import const
from firmware.lent import give_back, load, loaded
from firmware.sales.catalogue import WHILE_SELLING
from firmware.sales.sale import SaleRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

_STAY = ("firmware.flows.session", "firmware.flows.menu")
"""What of the flows waits while another one runs."""

# Names in one text each, which stays in flash: this waits in the heap while a flow works.
_ENTRIES = (
    "sell topup meter bill last_sales float day_report messages language info my_pin people"
    " sound_display service training"
)
_WORDS = (
    "m_sell m_topup m_meter m_bill m_sales m_float m_day m_messages m_language m_info m_pin"
    " m_people m_set m_service m_training"
)
"""Of each entry."""
_BY_OTHERS = ("topup", "meter", "bill")
"""Flows that are there when the price list has something of the kind, which has the same name."""
_FINISHING = ("recover", "last_sales")
_OWNERS = "float people service training"
"""Flows that no cashier may use."""
_TECHNICIANS = "language info my_pin sound_display service"
"""All that a technician may do: he sees no voucher, and no money."""
_OWNER = const(0)  # as `firmware.kept.people` has them, which is not here meanwhile
_TECHNICIAN = const(2)
_PEOPLE = "firmware.kept.people"
_STEPS = "firmware.flows.steps."
_PAPER = "firmware.paper."


def may(role: int, name: str) -> bool:
    """Whether who has this role may use that flow."""
    if role == _TECHNICIAN:
        return name in _TECHNICIANS.split()
    return role == _OWNER or name not in _OWNERS.split()


async def menu(desk: "Desk", role: int) -> None:
    """Show the menu until the merchant signs out.

    Raises:
        Idle: nobody touched the terminal.
    """
    while True:
        name = await _chosen(desk, role)
        if name is None:
            return
        await run_flow(desk, name)


async def _chosen(desk: "Desk", role: int) -> str | None:
    """The flow that is chosen, None to sign out. The lines of the menu are gone by then."""
    entries = []
    lines = []
    if desk.till.unfinished() and may(role, "recover"):
        entries.append("recover")
        lines.append(desk.words("m_unfinished"))
    words = _WORDS.split()
    for name in _ENTRIES.split():
        word = words.pop(0)
        if may(role, name) and (name not in _BY_OTHERS or desk.catalogue.has_kind(name)):
            sign = " @%d" % desk.unread if name == "messages" and desk.unread else ""
            entries.append(name)
            lines.append(desk.words(word) + sign)
    copy = (("D", "copy"),) if may(role, "reprint") else ()
    at = await desk.ui.choose(desk.words("menu"), lines, "out", copy)
    if at is None:
        return None
    return entries[at] if isinstance(at, int) else "reprint"


def _steps(name: str) -> list[str]:
    """What the flow of that name needs, from the bottom up."""
    is_report = name in ("day_report", "messages", "service")
    is_by_others = name in _BY_OTHERS
    is_selling = name == "sell" or is_by_others
    is_end = name in _FINISHING
    is_on_paper = is_selling or is_end or name == "reprint"
    is_training = name == "training"
    steps = []
    for needs, names in (
        (is_on_paper or is_report or is_training, ".letters .receipt paper"),
        (is_on_paper, "explain hand_over"),
        (is_report, "day report"),
        (name == "day_report", "shift_slip"),
        (is_training, ".practice"),
        (is_selling or is_training, "choose"),
        (is_selling or is_end, "reach ask_server"),
        (is_end, "finish"),
        (name == "last_sales", "cancel"),
        (is_by_others or is_training, "recipient amount"),
        (name in ("my_pin", "people"), "pin"),
    ):
        if needs:
            for step in names.split():
                steps.append(_PAPER + step[1:] if step[0] == "." else _STEPS + step)
    return [_PEOPLE] + steps if name in ("my_pin", "people") else steps


async def run_flow(desk: "Desk", name: str) -> None:
    """Run a flow, by the name of its file; a sale that the till refuses ends in an explanation."""
    desk.selling = True
    try:
        await load("firmware.flows." + name, _steps(name)).run(desk)
    except SaleRefused as refused:
        await load("firmware.flows.steps.explain").explain(desk, refused.code)
    finally:
        desk.selling = False
        lent = loaded("firmware.flows", _STAY) + loaded("firmware.paper")
        give_back(lent + list(WHILE_SELLING) + [_PEOPLE])
