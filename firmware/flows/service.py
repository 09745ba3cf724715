"""What a technician asks a terminal that stands before him: versions, the test of each part, what
card and network say; on a slip as well. Nothing is sold or changed by it.
"""

from firmware.flows.steps import report
from firmware.lent import give_back, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows
    from firmware.ui.screen import Line

_PAGES = ("versions", "self_test", "sim_network")
"""Each is a file of `firmware.flows.steps` with `rows(desk)`, and its title in words."""


async def run(desk: "Desk") -> None:
    """One page after the other; what was asked last is on the slip."""
    words = desk.words
    names = [words(name) for name in _PAGES] + [words("print")]
    tested: "list[Rows | None]" = [None, None, None]
    while True:
        at = await desk.ui.choose(words("m_service"), names)
        if not isinstance(at, int):
            return
        if at < len(_PAGES):
            rows = tested[at] = await _rows(desk, at)
            if rows:
                page: "list[Line]" = [row for row in rows if row]
                await desk.ui.ask(names[at], page, (("*", "back"),))
            continue
        await report.printed(desk, words("r_service"), await _slip(desk, tested))


async def _rows(desk: "Desk", at: int) -> "Rows | None":
    """What that page finds; None: left before its end."""
    name = "firmware.flows.steps." + _PAGES[at]
    try:
        found: Rows | None = await load(name).rows(desk)
        return found
    finally:
        give_back((name,))


async def _slip(desk: "Desk", tested: "list[Rows | None]") -> "Rows":
    """Versions and network as they are now; parts as they were tested, if they were."""
    slip: Rows = []
    for at in range(len(_PAGES)):
        is_test = _PAGES[at] == "self_test"
        rows = tested[at] if is_test else tested[at] or await _rows(desk, at)
        slip += [(desk.words(_PAGES[at]), ""), None]
        slip += rows or [(desk.words("not_tested"), "")]
        slip += [None]
    return slip
