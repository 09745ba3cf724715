"""A price list taken in: every figure of it checked, every product read once.

`catalogue` loads it by its name for one list and lets it go.
"""

from binascii import crc32

from bootloader.shared import canonical
from bootloader.shared.breath import breathe
from bootloader.shared.compat import const
from firmware.sales import scan
from firmware.sales.catalogue import KINDS, MAX_BYTES, MAX_PRODUCTS, CatalogueError
from firmware.sales.product import AMOUNT, MOST_BYTES, OFFLINE, get_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.sales.catalogue import Catalogue, Products, Read

_PIECE_BYTES = const(256)
# of prefixes: operators, letters of a name, and letters of all that one begins with
_MOST_OPERATORS = const(12)
_MOST_LETTERS = const(32)
_MOST_STARTS = const(96)


def take_in(catalogue: "Catalogue", read: "Read", size_bytes: int) -> None:
    """Fill `catalogue` from what `read(offset, size)` gives.

    Raises:
        CatalogueError: not JSON, too large, or a field is missing, mistyped or out of bounds.
    """
    if size_bytes > MAX_BYTES:
        raise CatalogueError("catalogue: over %d bytes" % MAX_BYTES)
    head = _scan(read, size_bytes, catalogue.products)
    try:
        table = canonical.loads(head, len(head), 4, 64)
    except canonical.JsonError as error:
        raise CatalogueError("catalogue: " + str(error))
    catalogue.version = get_field(table, "version", int, 1, 999999999999999)
    catalogue.currency = get_field(table, "currency", str, 3, 3)
    if not all("A" <= letter <= "Z" for letter in catalogue.currency):
        raise CatalogueError("catalogue: currency is not three capital letters")
    catalogue.minor_digits = get_field(table, "minor_digits", int, 0, 3)
    get_field(table, "products", list, 0, 0)  # of products there is nothing left in it
    offline = get_field(table, "offline", dict, 0, 16)
    catalogue.max_amount_minor = get_field(offline, "max_amount_minor", int, 0, AMOUNT)
    for name, most in OFFLINE:
        setattr(catalogue, name, get_field(offline, name, int, 0, most))
    if "wipe_after_s" in offline:
        catalogue.wipe_after_s = get_field(offline, "wipe_after_s", int, 0, 31536000)
    if "prefixes" in table:
        catalogue.prefixes = _prefixes(get_field(table, "prefixes", dict, 1, _MOST_OPERATORS))


def _prefixes(table: "dict[str, str]") -> str:
    """As `Catalogue.prefixes` has them. Raises CatalogueError."""
    lines = []
    for operator in table:
        get_field({"prefixes": operator}, "prefixes", str, 1, _MOST_LETTERS)
        starts = get_field({"prefixes": table[operator]}, "prefixes", str, 1, _MOST_STARTS)
        for digit in starts:
            if digit not in "0123456789 ":
                raise CatalogueError("catalogue: prefixes are not of digits")
        lines.append(operator + "\n" + starts)
    return "\n".join(lines)


def _scan(read: "Read", size_bytes: int, products: "Products") -> bytes:
    """Note every product of a list; returns what else is in it."""
    found = scan.Scan()
    try:
        for at in range(0, size_bytes, _PIECE_BYTES):
            found.feed(read(at, min(_PIECE_BYTES, size_bytes - at)))
            for offset, size in found.places:
                _add(products, offset, size)
            found.places = []
            breathe()
        return bytes(found.head)
    except scan.ScanError as error:
        raise CatalogueError("catalogue: " + str(error))


def _add(products: "Products", offset: int, size: int) -> None:
    if len(products) >= MAX_PRODUCTS:
        raise CatalogueError("catalogue: over %d products" % MAX_PRODUCTS)
    if size > MOST_BYTES:
        raise CatalogueError("catalogue: a product is over %d bytes" % MOST_BYTES)
    products.at.append(offset)
    products.size.append(size)
    product = products[len(products) - 1]
    if products.find(product.id):
        raise CatalogueError("catalogue: a product id comes twice")
    products.kinds |= 1 << KINDS.index(product.kind)
    products.sums.append(crc32(product.id.encode()))
