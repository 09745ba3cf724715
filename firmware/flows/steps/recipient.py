"""The number, meter or reference that a sale is for: typed in groups, checked before it costs
airtime, and shown in full.
"""

from firmware.sales.catalogue import METER, TOPUP
from firmware.ui.money_and_dates import grouped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product

_METER_DIGITS = (11, 13)


def is_meter(number: str) -> bool:
    """Whether length and check digit are those of a meter (IEC 62055-41: 11 or 13 digits, the last
    one by Luhn's formula).
    """
    if len(number) not in _METER_DIGITS:
        return False
    total = 0
    for n, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + n % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def fault(product: "Product", number: str) -> str:
    """The key of the words for what is wrong with `number`, "" if nothing can be seen."""
    rule = product.recipient
    if not rule or not rule.fewest <= len(number) <= rule.most:
        return "bad_length"
    if product.kind == METER and len(number) not in _METER_DIGITS:
        return "bad_length"
    if product.kind == METER and not is_meter(number):
        return "bad_meter"
    return "" if rule.takes(number) else "bad_start"


def operator_of(desk: "Desk", product: "Product", number: str) -> str:
    """Whose a telephone number seems to be, by the longest that it begins with; "" if nobody says.

    A guess: numbers move between operators.
    """
    found = ""
    longest = 0
    lines = desk.catalogue.prefixes.split("\n") if product.kind == TOPUP else ()
    for n in range(1, len(lines), 2):
        for start in lines[n].split(" "):
            if len(start) > longest and number.startswith(start):
                longest = len(start)
                found = lines[n - 1]
    return found


async def may_go_to(desk: "Desk", product: "Product", number: str) -> bool:
    """Whether the merchant sells to `number`, if it seems to be of another operator."""
    words = desk.words
    seems = operator_of(desk, product, number)
    if not seems or seems == product.operator:
        return True
    hints = (("*", "back"), ("#", "yes"))
    text = words("of_another", seems, product.operator)
    return await desk.ui.bad(words("check_it"), text, hints) == "#"


async def typed(desk: "Desk", product: "Product") -> str | None:
    """What the merchant typed, as far as it can be checked here; None if he went back."""
    rule = product.recipient
    if not rule:
        return None
    words = desk.words
    number = ""
    while True:
        entered = await desk.ui.digits(
            words("to_" + product.kind),
            words("type_" + product.kind),
            rule.most,
            shape=lambda digits: grouped(digits, product.kind),
            typed=number,
        )
        if entered is None:
            return None
        number = entered
        wrong = fault(product, number)
        if not wrong:
            return number
        most = str(rule.fewest)
        if rule.most != rule.fewest:
            most += " - " + str(rule.most)
        if product.kind == METER:
            most = "11 / 13"
        text = words(wrong, most if wrong == "bad_length" else ", ".join(rule.starts))
        await desk.ui.bad(words("check_it"), text, (("#", "ok"),))


async def typed_again(desk: "Desk", product: "Product", number: str) -> bool:
    """Whether the merchant typed the very same number a second time, unseen the first."""
    words = desk.words
    again = await desk.ui.digits(
        words("once_more"),
        words("type_again"),
        len(number),
        shape=lambda digits: grouped(digits, product.kind),
    )
    if again is None:
        return False
    if again != number:
        await desk.ui.bad(words("check_it"), words("not_the_same"), (("#", "ok"),))
    return again == number


async def is_right(desk: "Desk", product: "Product", number: str, name: str) -> bool:
    """Whether the customer says that number and name are his."""
    hints = (("*", "back"), ("#", "yes"))
    shown = grouped(number, product.kind)
    return await desk.ui.ask(desk.words("is_it"), [name], hints, big=shown) == "#"
