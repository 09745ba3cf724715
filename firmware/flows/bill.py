"""A bill, paid by its reference."""

from firmware.flows.steps import others
from firmware.sales.catalogue import BILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Take payments of bills, or back to the menu with nothing changed. Raises SaleRefused."""
    await others.sales(desk, BILL)
