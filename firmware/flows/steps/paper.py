"""Whether the printer may print, and has what it takes, asked before anything is begun."""

from firmware.drivers import battery, printer
from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def may_begin(desk: "Desk") -> bool:
    """Whether a new sale may be begun: the battery holds through a slip, and the printer prints."""
    words = desk.words
    while True:
        _, percent, charging = desk.battery.read()
        if charging or percent > battery.WEAK_PERCENT:
            return await is_ready(desk)
        log("sale", "not begun, battery at {} %".format(percent))
        if await desk.ui.bad(words("weak"), words("weak_t"), (("*", "back"), ("#", "try"))) == "*":
            return False


async def is_ready(desk: "Desk") -> bool:
    """Whether the printer may print; a sale that cannot be handed over is not begun."""
    words = desk.words
    while True:
        done, status = await desk.ui.busy(
            desk.printer.status(), words("checking"), words("wait_printer"), 3000
        )
        if not done or status in (printer.OK, printer.UNKNOWN):
            return True
        log("sale", "not begun, printer " + status)
        title = words("no_paper" if status == printer.PAPER_OUT else "printer_bad")
        if await desk.ui.bad(title, words(status), (("*", "back"), ("#", "try"))) == "*":
            return False
