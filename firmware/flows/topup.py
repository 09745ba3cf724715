"""Airtime or data to a number."""

from firmware.flows.steps import others
from firmware.sales.catalogue import TOPUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Sell top-ups, or back to the menu with nothing changed. Raises SaleRefused."""
    await others.sales(desk, TOPUP)
