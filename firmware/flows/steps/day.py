"""Today's sales, added up, and who they are that made them; what that takes is given back."""

from firmware.lent import give_back, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.day import DayReport

_DAY = "firmware.sales.day"
_SELLER = "firmware.sales.seller"
_PEOPLE = "firmware.kept.people"


def today(desk: "Desk") -> "DayReport":
    """The owner's report is of all sales, anybody else's of his own."""
    only = desk.till.person or None
    try:
        day = load(_DAY, (_SELLER,))
        found: DayReport = day.today(desk.till, desk.now(), desk.config.utc_offset_s, only)
        return found
    finally:
        give_back((_DAY, _SELLER))


def names(desk: "Desk", numbers: list[int]) -> list[str]:
    """What those people are called; of who is gone the number."""
    words = desk.words
    found = []
    try:
        everybody = load(_PEOPLE).load(desk.files)
        for number in numbers:
            one = everybody.find(number)
            name = one.name if one else words("cashier") + " " + str(number)
            found.append(name if number else words("owner"))
        return found
    finally:
        give_back((_PEOPLE,))


def seller(desk: "Desk", sale: int) -> str:
    """Who sold it, for the slip; "" where that is the owner, or flash does not say it any more."""
    try:
        number: int = load(_SELLER).seller_of(desk.till.journal, sale)
    finally:
        give_back((_SELLER,))
    return names(desk, [number])[0] if number else ""
