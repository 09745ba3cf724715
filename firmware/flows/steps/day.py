"""Who sold what, in names; the sales of today. What that takes is given back."""

from firmware.lent import give_back, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.flows.desk import Desk
    from firmware.sales.tally import Tally

TALLY = "firmware.sales.tally"
_SELLER = "firmware.sales.seller"
_PEOPLE = "firmware.kept.people"


def adding() -> "Any":
    """The module `firmware.sales.tally`; `added` gives it back."""
    return load(TALLY, (_SELLER,))


def added() -> None:
    """What adds up is not needed any more."""
    give_back((TALLY, _SELLER))


def today(desk: "Desk") -> "Tally":
    """The owner's is of all sales, anybody else's of his own."""
    try:
        found: Tally = adding().of_days(
            desk.till.journal, desk.now(), desk.config.utc_offset_s, desk.till.person or None
        )
        found.finish()
        return found
    finally:
        added()


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
