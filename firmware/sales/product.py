"""One product of a price list, read strictly. For `catalogue`, which has it loaded while somebody
sells; `firmware.flows` gives it back.
"""

from bootloader.shared import canonical
from bootloader.shared.compat import const
from firmware import lent
from firmware.sales.catalogue import KINDS, PIN, CatalogueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from firmware.sales.by_others import Open, Recipient

    Value = TypeVar("Value")

AMOUNT = const(0x3FFFFFFF)
# the longest within the bounds, every letter of four bytes, is shorter
MOST_BYTES = const(2048)
OFFLINE = (("max_count", 10000), ("max_total_minor", AMOUNT), ("max_age_s", 31536000))


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
    number must look like that it is for, None of a voucher. `offline`: those of the limits in
    `OFFLINE` that are its own; the ones of the whole list hold besides.
    """

    def __init__(self, table: "Any") -> None:
        self.id = get_field(table, "id", str, 1, 24)
        self.name = get_field(table, "name", str, 1, 32)
        self.operator = get_field(table, "operator", str, 1, 32)
        self.amount_minor = get_field(table, "amount_minor", int, 1, AMOUNT)
        self.commission_minor = get_field(table, "commission_minor", int, 0, self.amount_minor)
        self.instructions = get_field(table, "instructions", str, 0, 200)
        self.dial = get_field(table, "dial", str, 3, 40) if "dial" in table else ""
        self.helpline = get_field(table, "helpline", str, 1, 24) if "helpline" in table else ""
        self.pin_groups: list[int] = get_field(table, "pin_groups", list, 1, 16)
        for size in self.pin_groups:
            if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 17:
                raise CatalogueError("catalogue: pin_groups is out of bounds")
        if self.dial and self.dial.count("PIN") != 1:
            raise CatalogueError("catalogue: dial has not PIN once in it")
        for char in self.dial.replace("PIN", ""):
            if char not in "0123456789*#+":
                raise CatalogueError("catalogue: dial has what no telephone dials")
        self.offline: dict[str, int] = {}
        if "offline" in table:
            own = get_field(table, "offline", dict, 1, 16)
            for name, most in OFFLINE:
                if name in own:
                    self.offline[name] = get_field(own, name, int, 0, most)
        self.kind = PIN
        if "kind" in table:
            self.kind = get_field(table, "kind", str, 3, 5)
            if self.kind not in KINDS:
                raise CatalogueError("catalogue: kind is none that is known")
        self.open: Open | None = None
        self.recipient: Recipient | None = None
        if self.kind != PIN:
            # in the heap only of a terminal that sells such
            by_others = lent.at_hand("firmware.sales.by_others")
            self.recipient = by_others.Recipient(get_field(table, "recipient", dict, 2, 16))
            if "open" in table:
                self.open = by_others.Open(get_field(table, "open", dict, 4, 16))
            if self.dial or self.offline:
                raise CatalogueError("catalogue: only a voucher has dial or offline")
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


def read(data: bytes) -> Product:
    """The product that `data` (JSON) tells of. Raises CatalogueError, without the list's name."""
    try:
        return Product(canonical.loads(data, MOST_BYTES, 3, 64))
    except (canonical.JsonError, CatalogueError) as error:
        raise CatalogueError(str(error).replace("catalogue: ", ""))
