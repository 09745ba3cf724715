"""The products that the merchant gave a key of their own: where the list is long they come first,
and each keeps its key whatever sells best (docs/formats/terminal-files.md).
"""

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product
    from firmware.ui.screen import Line

PATH = "/data/merchant.favourites"
MOST = const(9)  # of a kind: a key each
_MOST_BYTES = const(1200)  # more than nine of each kind take
ALL = "0"


def kept() -> list[list[str]]:
    """Pairs [kind, id of a product] in their order; a file that cannot be read is none."""
    try:
        with open(PATH) as file:
            pairs = [line.split(" ") for line in file.read(_MOST_BYTES).split("\n")]
    except (OSError, ValueError):
        return []
    return [pair for pair in pairs if len(pair) == 2]


async def choose(desk: "Desk", kind: str) -> "Product | str | None":
    """The favourite of that kind which the merchant chose; `ALL` when he wants to see all or has
    none, None when he goes back. One that is not sold any more keeps its key until he was told.
    """
    names = [name for of_kind, name in kept() if of_kind == kind]
    rows: "list[Line]" = []
    for name in names:
        product = desk.catalogue.product(name)
        if not product:
            rows.append((name, "--"))
        else:
            rows.append((product.name, "" if product.open else desk.money(product.amount_minor)))
    if not rows:
        return ALL
    at = await desk.ui.choose(desk.words("favourites"), rows, extra=((ALL, "all"),))
    if not isinstance(at, int):
        return at
    product = desk.catalogue.product(names[at])
    if not product:
        await desk.ui.bad(names[at], desk.words("e_unknown_product"))
        _put(desk, [pair for pair in kept() if pair != [kind, names[at]]])
    return product


async def turn(desk: "Desk", product: "Product") -> None:
    """Make a favourite of `product`, or of a favourite none; says which, and its key."""
    words = desk.words
    pairs = kept()
    pair = [product.kind, product.id]
    count = len([of_kind for of_kind, _ in pairs if of_kind == product.kind])
    text = words("fav_off", product.name)
    if pair in pairs:
        pairs.remove(pair)
    elif count < MOST:
        pairs.append(pair)
        text = words("fav_on", product.name, count + 1)
    else:
        text = words("fav_full")
    if not _put(desk, pairs):
        text = words("not_kept")
    await desk.ui.ask(words("favourites"), text, (("#", "ok"),))


def _put(desk: "Desk", pairs: list[list[str]]) -> bool:
    try:
        desk.files.put(PATH, "\n".join([" ".join(pair) for pair in pairs]).encode())
    except OSError:
        return False
    return True
