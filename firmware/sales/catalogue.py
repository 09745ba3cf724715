"""What may be sold and for how much: `/data/catalogue.json`, read strictly; for till and flows.

It arrives as a signed target (docs/formats/release.md, "Catalogue"); its content is checked here
and nowhere else on the terminal, before it takes the place of the one in use and at every start.
The list stays in flash: kept in the heap are only where each product stands and a sum of its id, so
that the longest list leaves as much room for updates as the shortest. Bounds:
docs/formats/limits.toml.
"""

import os
from array import array
from binascii import crc32

from bootloader.shared.compat import const
from firmware import lent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sales.product import Product

    Read = Callable[[int, int], bytes]

MAX_BYTES = const(12288)
MAX_PRODUCTS = const(64)
PIN = "pin"
TOPUP = "topup"
METER = "meter"
BILL = "bill"
KINDS = (PIN, TOPUP, METER, BILL)
"""What a product can be: a voucher of the vault, or something that others make for a recipient."""

_PRODUCT = "firmware.sales.product"
_READER = ("bootloader.shared.canonical", _PRODUCT)
OFFLINE_LIMITS = "firmware.sales.offline_limits"
WHILE_SELLING = _READER + ("firmware.sales.by_others", OFFLINE_LIMITS)
"""What reads a product and its limits: loaded with the first that is looked at, given back with the
flow.
"""
_SCAN = "firmware.sales.scan"
_PRICE_LIST = "firmware.sales.price_list"


class CatalogueError(ValueError):
    """The catalogue cannot be used; the text names the field."""


class Products:
    """The products in their order, each read when it is asked for.

    Where each stands in the list (`at`, `size`), a sum of its id, and a bit for each of `KINDS`.
    """

    def __init__(self, read: "Read") -> None:
        self._read = read
        self.at = array("H")
        self.size = array("H")
        self.sums = array("I")
        self.kinds = 0

    def find(self, product_id: str) -> "Product | None":
        """The product with this id, or None. Raises as reading one does."""
        wanted = crc32(product_id.encode())
        for i in range(len(self.sums)):
            if self.sums[i] == wanted:
                product = self[i]
                if product.id == product_id:
                    return product
        return None

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, index: int) -> "Product":
        if not 0 <= index < len(self.at):
            raise IndexError
        data = self._read(self.at[index], self.size[index])
        try:
            product: Product = lent.at_hand(_PRODUCT).read(data)
            return product
        except CatalogueError as error:
            raise CatalogueError("catalogue: product %d: %s" % (index + 1, error))


class Catalogue:
    """`version currency minor_digits products` and the offline limits, every one checked.

    `products` is a sequence. One that cannot be read any more raises CatalogueError or OSError.
    `prefixes`: what numbers begin with, a line with an operator, one with its starts, and so on.
    """

    def __init__(
        self,
        text: str | bytes | None = None,
        read: "Read | None" = None,
        size_bytes: int = 0,
    ) -> None:
        """Read JSON text or bytes, or what `read(offset, size)` gives of a file.

        Raises:
            CatalogueError: not JSON, too large, or a field is missing, mistyped or out of bounds.
        """
        if read is None:
            data = text.encode() if isinstance(text, str) else bytes(text or b"")
            size_bytes = len(data)

            def read(at: int, size: int) -> bytes:
                return data[at : at + size]

        self.products = Products(read)
        self.version = self.minor_digits = 0
        self.currency = self.prefixes = ""
        self.max_amount_minor = self.max_count = self.max_total_minor = self.max_age_s = 0
        self.wipe_after_s = 0
        try:
            lent.load(_PRICE_LIST, _READER + (_SCAN,)).take_in(self, read, size_bytes)
        finally:
            lent.give_back((_PRICE_LIST, _SCAN) + WHILE_SELLING)

    def has_kind(self, kind: str) -> bool:
        """Whether anything of that kind is sold."""
        return bool(self.products.kinds >> KINDS.index(kind) & 1)

    def product(self, product_id: str) -> "Product | None":
        """The product with this id, or None."""
        try:
            return self.products.find(product_id)
        except (CatalogueError, OSError):
            return None  # the file is spoiled: not to be sold is safe


def load(path: str = "/data/catalogue.json") -> Catalogue:
    """The catalogue in the file at `path`. Raises CatalogueError if it is missing or not usable."""

    def read(at: int, size: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(at)
            piece: bytes = file.read(size)
            return piece

    try:
        return Catalogue(None, read, os.stat(path)[6])
    except OSError:
        raise CatalogueError("catalogue: no file " + path)
