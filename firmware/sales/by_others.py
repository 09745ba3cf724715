"""What a price list says of things that others make: amounts that the merchant types, and whom they
go to. For `product`, which loads it when the list has such a one.
"""

from bootloader.shared.compat import const
from firmware.sales.catalogue import CatalogueError
from firmware.sales.product import AMOUNT, get_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# of a recipient: its digits, the starts that its operator has, and the digits of one
_FEWEST_DIGITS = const(4)
_MOST_DIGITS = const(20)
_STARTS = const(24)
_START = const(8)


class Open:
    """Bounds of an amount that the merchant types, all but `permille` in minor units."""

    def __init__(self, table: "Any") -> None:
        self.min_minor = get_field(table, "min_minor", int, 1, AMOUNT)
        self.max_minor = get_field(table, "max_minor", int, self.min_minor, AMOUNT)
        self.step_minor = get_field(table, "step_minor", int, 1, AMOUNT)
        self.permille = get_field(table, "commission_permille", int, 0, 1000)
        if self.min_minor % self.step_minor:
            raise CatalogueError("catalogue: min_minor is no multiple of step_minor")

    def takes(self, amount_minor: int) -> bool:
        """Whether that much may be sold."""
        return (
            self.min_minor <= amount_minor <= self.max_minor and not amount_minor % self.step_minor
        )


class Recipient:
    """What a number must look like, before it costs airtime to ask about it."""

    def __init__(self, table: "Any") -> None:
        digits = get_field(table, "digits", list, 2, 2)
        self.fewest = get_field({"digits": digits[0]}, "digits", int, _FEWEST_DIGITS, _MOST_DIGITS)
        self.most = get_field({"digits": digits[1]}, "digits", int, self.fewest, _MOST_DIGITS)
        self.starts: list[str] = get_field(table, "starts", list, 0, _STARTS)
        for start in self.starts:
            if not is_number(get_field({"starts": start}, "starts", str, 1, _START)):
                raise CatalogueError("catalogue: starts is not of digits")

    def takes(self, number: str) -> bool:
        """Whether `number` can be one."""
        return (
            is_number(number)
            and self.fewest <= len(number) <= self.most
            and (not self.starts or any(number.startswith(start) for start in self.starts))
        )


def is_number(text: str) -> bool:
    """Whether `text` is digits 0 to 9 and nothing else (`isdigit` takes those of other scripts)."""
    return bool(text) and all("0" <= letter <= "9" for letter in text)
