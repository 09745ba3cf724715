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

MAX_BYTES = const(12288)
MAX_PRODUCTS = const(64)
_PIECE_BYTES = const(256)
_PRODUCT_BYTES = const(
    2048
)  # the longest within the bounds, every letter of four bytes, is shorter
_HEAD_BYTES = const(1024)
_AMOUNT = const(0x3FFFFFFF)


class CatalogueError(ValueError):
    """The catalogue cannot be used; the text names the field."""


def _get(table, name, kind, low, high):
    value = table.get(name) if isinstance(table, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise CatalogueError("catalogue: " + name + " is missing or mistyped")
    if not low <= (value if kind is int else len(value)) <= high:
        raise CatalogueError("catalogue: " + name + " is out of bounds")
    return value


class Product:
    """One voucher product; money in minor units."""

    def __init__(self, table):
        self.id = _get(table, "id", str, 1, 24)
        self.name = _get(table, "name", str, 1, 32)
        self.operator = _get(table, "operator", str, 1, 32)
        self.amount_minor = _get(table, "amount_minor", int, 1, _AMOUNT)
        self.commission_minor = _get(table, "commission_minor", int, 0, self.amount_minor)
        self.instructions = _get(table, "instructions", str, 0, 200)
        self.pin_groups = _get(table, "pin_groups", list, 1, 16)
        for size in self.pin_groups:
            if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 17:
                raise CatalogueError("catalogue: pin_groups is out of bounds")

    @property
    def debit_minor(self):
        """What a sale takes from the float."""
        return self.amount_minor - self.commission_minor


class _Scan:
    """Finds the products in a list that comes in pieces; what is not of a product is `head`."""

    def __init__(self):
        self.head = bytearray()
        self.places = []  # (offset, size) of products found and not taken yet
        self.count = self._commas = 0
        self._at = self._depth = self._start = 0
        self._text = self._escaped = self._listed = False

    def feed(self, piece):
        """Take the next piece."""
        for byte in piece:
            inside = self._start
            if self._text:
                if self._escaped:
                    self._escaped = False
                elif byte == 0x5C:
                    self._escaped = True
                elif byte == 0x22:
                    self._text = False
            elif byte == 0x22:
                self._text = True
            elif byte == 0x7B or byte == 0x5B:
                if self._depth == 1 and byte == 0x5B:
                    self._listed = self.head.endswith(b'"products":')
                elif self._depth == 2 and self._listed and byte == 0x7B:
                    inside = self._start = self._at + 1  # + 1: 0 is none
                self._depth += 1
            elif byte == 0x7D or byte == 0x5D:
                self._depth -= 1
                if self._depth == 2 and inside:
                    self.places.append((inside - 1, self._at + 2 - inside))
                    self.count += 1
                    self._start = 0
                elif self._depth == 1 and byte == 0x5D and self._listed:
                    self._listed = False
                    if self._commas != max(0, self.count - 1):
                        raise CatalogueError("catalogue: not a JSON list of products")
            elif byte in b" \t\r\n":
                self._at += 1
                continue
            elif byte == 0x2C and self._depth == 2 and self._listed:
                self._commas += 1
                inside = 1
            if not inside:
                if len(self.head) >= _HEAD_BYTES:
                    raise CatalogueError("catalogue: too much beside the products")
                self.head.append(byte)
            self._at += 1


class _Products:
    """The products in their order, each read when it is asked for."""

    def __init__(self, read):
        self._read = read
        self.at = array("H")
        self.size = array("H")
        self.sums = array("I")

    def add(self, offset, size):
        if len(self.at) >= MAX_PRODUCTS:
            raise CatalogueError("catalogue: over %d products" % MAX_PRODUCTS)
        if size > _PRODUCT_BYTES:
            raise CatalogueError("catalogue: a product is over %d bytes" % _PRODUCT_BYTES)
        self.at.append(offset)
        self.size.append(size)
        product = self[len(self.at) - 1]
        if self.find(product.id):
            raise CatalogueError("catalogue: a product id comes twice")
        self.sums.append(crc32(product.id.encode()))

    def find(self, product_id):
        wanted = crc32(product_id.encode())
        for i in range(len(self.sums)):
            if self.sums[i] == wanted:
                product = self[i]
                if product.id == product_id:
                    return product
        return None

    def __len__(self):
        return len(self.at)

    def __getitem__(self, index):
        if not 0 <= index < len(self.at):
            raise IndexError
        data = self._read(self.at[index], self.size[index])
        try:
            return Product(canonical.loads(data, _PRODUCT_BYTES, 2, 32))
        except (canonical.JsonError, CatalogueError) as error:
            why = str(error).replace("catalogue: ", "")
            raise CatalogueError("catalogue: product %d: %s" % (index + 1, why))


class Catalogue:
    """`version currency minor_digits products` and the offline limits, every one checked.

    `products` is a sequence. One that cannot be read any more raises CatalogueError or OSError.
    """

    def __init__(self, text=None, read=None, size_bytes=0):
        """Read JSON text or bytes, or what `read(offset, size)` gives of a file.

        Raises:
            CatalogueError: not JSON, too large, or a field is missing, mistyped or out of bounds.
        """
        if text is not None:
            data = text.encode() if isinstance(text, str) else bytes(text)
            size_bytes = len(data)

            def read(at, size):
                return data[at : at + size]

        if size_bytes > MAX_BYTES:
            raise CatalogueError("catalogue: over %d bytes" % MAX_BYTES)
        self.products = _Products(read)
        scan = _Scan()
        for at in range(0, size_bytes, _PIECE_BYTES):
            scan.feed(read(at, min(_PIECE_BYTES, size_bytes - at)))
            for place in scan.places:
                self.products.add(*place)
            scan.places = []
            breathe()
        try:
            table = canonical.loads(bytes(scan.head), _HEAD_BYTES, 4, 64)
        except canonical.JsonError as error:
            raise CatalogueError("catalogue: " + str(error))
        self.version = _get(table, "version", int, 1, 999999999999999)
        self.currency = _get(table, "currency", str, 3, 3)
        if not all("A" <= letter <= "Z" for letter in self.currency):
            raise CatalogueError("catalogue: currency is not three capital letters")
        self.minor_digits = _get(table, "minor_digits", int, 0, 3)
        _get(table, "products", list, 0, 0)  # of products there is nothing left in it
        offline = _get(table, "offline", dict, 0, 16)
        self.max_amount_minor = _get(offline, "max_amount_minor", int, 0, _AMOUNT)
        self.max_count = _get(offline, "max_count", int, 0, 10000)
        self.max_total_minor = _get(offline, "max_total_minor", int, 0, _AMOUNT)
        self.max_age_s = _get(offline, "max_age_s", int, 0, 31536000)

    def product(self, product_id):
        """The product with this id, or None."""
        try:
            return self.products.find(product_id)
        except (CatalogueError, OSError):
            return None  # the file is spoiled: not to be sold is safe


def load(path="/data/catalogue.json"):
    """The catalogue in the file at `path`. Raises CatalogueError if it is missing or not usable."""

    def read(at, size):
        with open(path, "rb") as file:
            file.seek(at)
            return file.read(size)

    try:
        return Catalogue(None, read, os.stat(path)[6])
    except OSError:
        raise CatalogueError("catalogue: no file " + path)
