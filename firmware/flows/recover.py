"""Finishing the sales that a cut or a lost answer left open."""

from firmware.flows.steps import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Go through the sales that a cut or a lost answer left open, one question each."""
    for sale in desk.till.unfinished():
        await finish.finish(desk, sale)
