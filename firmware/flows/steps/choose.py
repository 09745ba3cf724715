"""What is sold: where the list is long favourites or the operator first, then the product."""

from firmware.lent import at_hand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product
    from firmware.ui.screen import Hint, Line

_AT_A_GLANCE = 9
"""So many products have a key of their own; more are asked for by their operator."""
_FAVOURITES = "firmware.flows.steps.favourites"


def is_long(desk: "Desk") -> bool:
    """Whether the list is so long that favourites are worth a key."""
    return len(desk.catalogue.products) > _AT_A_GLANCE


async def agree(
    desk: "Desk", product: "Product", question: str, lines: "list[Line]", amount_minor: int
) -> bool:
    """The product's page: whether the merchant agrees. There a key makes it a favourite, too."""
    title, more = desk.ui.titled(question)
    hints: "tuple[Hint, ...]" = (("*", "back"), ("#", "ok"))
    if is_long(desk):
        hints = (("*", "back"), ("C", "favourite"), ("#", "ok"))
    while True:
        key = await desk.ui.ask(title, more + lines, hints, big=desk.price(amount_minor))
        if key != "C":
            return key == "#"
        await at_hand(_FAVOURITES).turn(desk, product)


async def choose(desk: "Desk", kind: str) -> "Product | None":
    """The product of that kind which the merchant chose, or None."""
    if is_long(desk):
        favourites = at_hand(_FAVOURITES)
        product: "Product | str | None" = await favourites.choose(desk, kind)
        if product != favourites.ALL:
            return product  # type: ignore[return-value]
    try:
        found = _listed(desk, kind)
    except (ValueError, OSError):
        desk.new_catalogue()  # the file was spoiled since it was read: back to what worked last
        return None
    title = desk.words("sell_what")
    operators: list[str] = []
    for _, _, _, operator in found:
        if operator not in operators:
            operators.append(operator)
    if len(operators) > 1 and len(found) > _AT_A_GLANCE:
        at = await desk.ui.choose(desk.words("which_operator"), operators)
        if not isinstance(at, int):
            return None
        found = [item for item in found if item[3] == operators[at]]
        title = operators[at]
    at = await desk.ui.choose(title, [(name, price) for _, name, price, _ in found], by_number=True)
    if not isinstance(at, int):
        return None
    place, _, _, _ = found[at]
    return desk.catalogue.products[place]


def _listed(desk: "Desk", kind: str) -> list[tuple[int, str, str, str]]:
    products = desk.catalogue.products
    found = []
    for n in range(len(products)):
        product = products[n]  # read from flash each time
        if product.kind == kind:
            price = "" if product.open else desk.money(product.amount_minor)
            found.append((n, product.name, price, product.operator))
    return found
