"""What may be sold and for how much: `/data/catalogue.json`, read strictly; for till and flows.

It arrives as a signed target (docs/formats/release.md, "Catalogue"); here its content is checked.
"""

import json
import os

MAX_BYTES = 8192
MAX_PRODUCTS = 48


class CatalogueError(ValueError):
    """The catalogue cannot be used; the text names the field."""


def _get(table, name, kind, low, high):
    value = table.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise CatalogueError("catalogue: " + name + " is missing or mistyped")
    if not low <= (value if kind is int else len(value)) <= high:
        raise CatalogueError("catalogue: " + name + " is out of bounds")
    return value


class Product:
    """One voucher product; money in minor units."""

    def __init__(self, table):
        if not isinstance(table, dict):
            raise CatalogueError("catalogue: a product is not an object")
        self.id = _get(table, "id", str, 1, 24)
        self.name = _get(table, "name", str, 1, 32)
        self.operator = _get(table, "operator", str, 0, 32)
        self.amount_minor = _get(table, "amount_minor", int, 1, 1000000000)
        self.commission_minor = _get(table, "commission_minor", int, 0, self.amount_minor)
        self.instructions = _get(table, "instructions", str, 0, 160)
        self.pin_groups = _get(table, "pin_groups", list, 0, 12)
        for size in self.pin_groups:
            if not isinstance(size, int) or not 0 < size < 33:
                raise CatalogueError("catalogue: pin_groups is out of bounds")

    @property
    def debit_minor(self):
        """What a sale takes from the float."""
        return self.amount_minor - self.commission_minor


class Catalogue:
    """`version currency minor_digits products` and the offline limits, every one checked."""

    def __init__(self, text):
        """Read JSON text or bytes.

        Raises:
            CatalogueError: not JSON, too large, or a field is missing, mistyped or out of bounds.
        """
        if len(text) > MAX_BYTES:
            raise CatalogueError("catalogue: over %d bytes" % MAX_BYTES)
        try:
            table = json.loads(text)
        except ValueError:
            table = None
        if not isinstance(table, dict):
            raise CatalogueError("catalogue: not a JSON object")
        self.version = _get(table, "version", int, 1, 0xFFFFFFFF)
        self.currency = _get(table, "currency", str, 1, 4)
        self.minor_digits = _get(table, "minor_digits", int, 0, 4)
        self.products = [Product(p) for p in _get(table, "products", list, 0, MAX_PRODUCTS)]
        if len({p.id for p in self.products}) != len(self.products):
            raise CatalogueError("catalogue: a product id comes twice")
        offline = _get(table, "offline", dict, 0, 16)
        self.max_amount_minor = _get(offline, "max_amount_minor", int, 0, 1000000000)
        self.max_count = _get(offline, "max_count", int, 0, 10000)
        self.max_total_minor = _get(offline, "max_total_minor", int, 0, 1000000000)
        self.max_age_s = _get(offline, "max_age_s", int, 0, 31536000)

    def product(self, product_id):
        """The product with this id, or None."""
        for product in self.products:
            if product.id == product_id:
                return product
        return None


def load(path="/data/catalogue.json"):
    """The catalogue in the file at `path`. Raises CatalogueError if it is missing or not usable."""
    try:
        # asking for the limit would take it all from the heap, whatever the file's size
        size_bytes = min(os.stat(path)[6], MAX_BYTES) + 1
        with open(path) as file:
            text = file.read(size_bytes)
    except OSError:
        raise CatalogueError("catalogue: no file " + path)
    return Catalogue(text)
