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

from bootloader.shared import canonical
from bootloader.shared.breath import breathe
from bootloader.shared.compat import const
from firmware import lent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from firmware.sales.by_others import Open, Recipient

    Value = TypeVar("Value")
    Read = Callable[[int, int], bytes]

MAX_BYTES = const(12288)
MAX_PRODUCTS = const(64)
_PIECE_BYTES = const(256)
# the longest within the bounds, every letter of four bytes, is shorter
_PRODUCT_BYTES = const(2048)
AMOUNT = const(0x3FFFFFFF)
PIN = "pin"
TOPUP = "topup"
METER = "meter"
BILL = "bill"
KINDS = (PIN, TOPUP, METER, BILL)
"""What a product can be: a voucher of the vault, or something that others make for a recipient."""


class CatalogueError(ValueError):
    """The catalogue cannot be used; the text names the field."""


def get_field(table: "Any", name: str, kind: "type[Value]", low: int, high: int) -> "Value":
    """A field of the price list. Raises CatalogueError: missing, mistyped or out of bounds."""
    value: Any = table.get(name) if isinstance(table, dict) else None
    measure: Any = value
    if not isinstance(value, kind) or isinstance(value, bool):
        raise CatalogueError("catalogue: " + name + " is missing or mistyped")
    if not low <= (measure if kind is int else len(measure)) <= high:
        raise CatalogueError("catalogue: " + name + " is out of bounds")
    checked: Value = value
    return checked


class Product:
    """One thing to sell; money in minor units. `kind` is one of `KINDS`.

    `open`: the merchant types the amount, or None: `amount_minor` it is. `recipient`: what the
    number must look like that it is for, None of a voucher.
    """

    def __init__(self, table: "Any") -> None:
        self.id = get_field(table, "id", str, 1, 24)
        self.name = get_field(table, "name", str, 1, 32)
        self.operator = get_field(table, "operator", str, 1, 32)
        self.amount_minor = get_field(table, "amount_minor", int, 1, AMOUNT)
        self.commission_minor = get_field(table, "commission_minor", int, 0, self.amount_minor)
        self.instructions = get_field(table, "instructions", str, 0, 200)
        self.pin_groups: list[int] = get_field(table, "pin_groups", list, 1, 16)
        for size in self.pin_groups:
            if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 17:
                raise CatalogueError("catalogue: pin_groups is out of bounds")
        self.kind = PIN
        if "kind" in table:
            self.kind = get_field(table, "kind", str, 3, 5)
            if self.kind not in KINDS:
                raise CatalogueError("catalogue: kind is none that is known")
        self.open: Open | None = None
        self.recipient: Recipient | None = None
        if self.kind != PIN:
            # in the heap only of a terminal that sells such
            from firmware.sales import by_others

            self.recipient = by_others.Recipient(get_field(table, "recipient", dict, 2, 16))
            if "open" in table:
                self.open = by_others.Open(get_field(table, "open", dict, 4, 16))
        elif "open" in table or "recipient" in table:
            raise CatalogueError("catalogue: a voucher has no open amount and no recipient")

    @property
    def debit_minor(self) -> int:
        """The least that a sale takes from the float."""
        if self.open:
            return self.open.min_minor - self.commission_of(self.open.min_minor)
        return self.amount_minor - self.commission_minor

    def commission_of(self, amount_minor: int) -> int:
        """What the merchant earns of a sale of `amount_minor`."""
        if self.open:
            return amount_minor * self.open.permille // 1000
        return self.commission_minor

    def terms(self) -> tuple[int, ...]:
        """All figures that a merchant agrees to: a sale by other ones is not the one he saw."""
        of = self.open
        if of:
            return of.min_minor, of.max_minor, of.step_minor, of.permille
        return self.amount_minor, self.commission_minor


class _Products:
    """The products in their order, each read when it is asked for."""

    def __init__(self, read: "Read") -> None:
        self._read = read
        self.at = array("H")
        self.size = array("H")
        self.sums = array("I")
        self.kinds = 0  # a bit for each of KINDS

    def add(self, offset: int, size: int) -> None:
        if len(self.at) >= MAX_PRODUCTS:
            raise CatalogueError("catalogue: over %d products" % MAX_PRODUCTS)
        if size > _PRODUCT_BYTES:
            raise CatalogueError("catalogue: a product is over %d bytes" % _PRODUCT_BYTES)
        self.at.append(offset)
        self.size.append(size)
        product = self[len(self.at) - 1]
        if self.find(product.id):
            raise CatalogueError("catalogue: a product id comes twice")
        self.kinds |= 1 << KINDS.index(product.kind)
        self.sums.append(crc32(product.id.encode()))

    def find(self, product_id: str) -> Product | None:
        wanted = crc32(product_id.encode())
        for i in range(len(self.sums)):
            if self.sums[i] == wanted:
                product = self[i]
                if product.id == product_id:
                    return product
        return None

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, index: int) -> Product:
        if not 0 <= index < len(self.at):
            raise IndexError
        data = self._read(self.at[index], self.size[index])
        try:
            return Product(canonical.loads(data, _PRODUCT_BYTES, 3, 64))
        except (canonical.JsonError, CatalogueError) as error:
            why = str(error).replace("catalogue: ", "")
            raise CatalogueError("catalogue: product %d: %s" % (index + 1, why))


class Catalogue:
    """`version currency minor_digits products` and the offline limits, every one checked.

    `products` is a sequence. One that cannot be read any more raises CatalogueError or OSError.
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

        if size_bytes > MAX_BYTES:
            raise CatalogueError("catalogue: over %d bytes" % MAX_BYTES)
        self.products = _Products(read)
        head = _scan(read, size_bytes, self.products)
        try:
            table = canonical.loads(head, len(head), 4, 64)
        except canonical.JsonError as error:
            raise CatalogueError("catalogue: " + str(error))
        self.version = get_field(table, "version", int, 1, 999999999999999)
        self.currency = get_field(table, "currency", str, 3, 3)
        if not all("A" <= letter <= "Z" for letter in self.currency):
            raise CatalogueError("catalogue: currency is not three capital letters")
        self.minor_digits = get_field(table, "minor_digits", int, 0, 3)
        get_field(table, "products", list, 0, 0)  # of products there is nothing left in it
        offline = get_field(table, "offline", dict, 0, 16)
        self.max_amount_minor = get_field(offline, "max_amount_minor", int, 0, AMOUNT)
        self.max_count = get_field(offline, "max_count", int, 0, 10000)
        self.max_total_minor = get_field(offline, "max_total_minor", int, 0, AMOUNT)
        self.max_age_s = get_field(offline, "max_age_s", int, 0, 31536000)

    def has_kind(self, kind: str) -> bool:
        """Whether anything of that kind is sold."""
        return bool(self.products.kinds >> KINDS.index(kind) & 1)

    def product(self, product_id: str) -> Product | None:
        """The product with this id, or None."""
        try:
            return self.products.find(product_id)
        except (CatalogueError, OSError):
            return None  # the file is spoiled: not to be sold is safe


def _scan(read: "Read", size_bytes: int, products: _Products) -> bytes:
    """Note every product of a list; returns what else is in it."""
    scanning = lent.load("firmware.sales.scan")
    scan = scanning.Scan()
    try:
        for at in range(0, size_bytes, _PIECE_BYTES):
            scan.feed(read(at, min(_PIECE_BYTES, size_bytes - at)))
            for place in scan.places:
                products.add(*place)
            scan.places = []
            breathe()
        head: bytearray = scan.head
        return bytes(head)
    except scanning.ScanError as error:
        raise CatalogueError("catalogue: " + str(error))
    finally:
        lent.give_back(("firmware.sales.scan",))


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
