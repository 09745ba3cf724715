"""What is sold: the operator first where the list is long, then the product."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product

_AT_A_GLANCE = 9
"""So many products have a key of their own; more are asked for by their operator."""


async def choose(desk: "Desk", kind: str) -> "Product | None":
    """The product of that kind which the merchant chose, or None."""
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
