"""An amount that the merchant types, within the bounds of the price list and of the customer."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product
    from firmware.ui.screen import Line

_MOST_DIGITS = 10


async def typed(
    desk: "Desk", product: "Product", least_minor: int = 0, most_minor: int = 0
) -> int | None:
    """The amount in minor units; of a product with a fixed one that one. None if he went back.

    `least_minor`, `most_minor` (0: none): the bounds of this customer.
    """
    rule = product.open
    if not rule:
        return product.amount_minor
    words = desk.words
    # cents are typed only where they can be sold
    unit: int = 10**desk.catalogue.minor_digits
    if rule.step_minor % unit:
        unit = 1
    low = max(rule.min_minor, -(-least_minor // rule.step_minor) * rule.step_minor)
    high = min(rule.max_minor, most_minor or rule.max_minor)
    # without the currency, which the figure has: two lines is all the room there is
    bounds: "list[Line]" = [
        (words("at_least"), desk.money(low)),
        (words("at_most"), desk.money(high)),
    ]
    while True:
        entered = await desk.ui.digits(
            words("amount"),
            bounds,
            _MOST_DIGITS,
            shape=lambda digits: desk.price(int(digits) * unit),
        )
        if entered is None:
            return None
        amount_minor = int(entered) * unit
        if rule.takes(amount_minor) and low <= amount_minor <= high:
            return amount_minor
        step: "list[Line]" = [(words("in_steps_of"), desk.price(rule.step_minor))]
        await desk.ui.ask(words("check_it"), bounds + step, (("#", "ok"),))
