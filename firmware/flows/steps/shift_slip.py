"""What the slip of a shift says, whenever it is printed."""

from firmware.flows.steps import day, report
from firmware.ui.money_and_dates import date_time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows
    from firmware.sales.shifts import Shift
    from firmware.sales.tally import Tally


def began(desk: "Desk", one: "Shift") -> str:
    """When it was opened."""
    return date_time_text(one.time, desk.config.utc_offset_s)


def cash_rows(desk: "Desk", one: "Shift", expected_minor: int, counted_minor: int) -> "Rows":
    """The drawer at its start and at its end, and what differs."""
    start = (desk.words("cash_start"), desk.price(one.cash_minor))
    return [start] + counted_rows(desk, expected_minor, counted_minor)


def counted_rows(desk: "Desk", expected_minor: int, counted_minor: int) -> "Rows":
    """What should be in the drawer, what is, and what differs."""
    words = desk.words
    return [
        (words("cash_expected"), desk.price(expected_minor)),
        (words("cash_counted"), desk.price(counted_minor)),
        (words("difference"), desk.price(counted_minor - expected_minor)),
    ]


def rows(desk: "Desk", one: "Shift", tally: "Tally") -> "Rows":
    """Its number, whose it is and since when, and what was sold in it."""
    (name,) = day.names(desk, [one.person])
    found: Rows = [(desk.words("m_shift"), str(one.number)), (name, began(desk, one))]
    found += report.sold(desk, tally)
    return found + report.totals(desk, tally.count, tally.total_minor, tally.commission_minor)
