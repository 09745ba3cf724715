"""Who sold it: in the body of a sale's intent. Loaded by name, with what asks."""

from bootloader.shared.compat import const
from firmware.sales.state import INTENT_OFFLINE, INTENT_ONLINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.sales.journal import Journal

_IN_OFFLINE = const(5)
_IN_ONLINE = const(4)


def person_of(kind: int, body: "list[Any]") -> int:
    """The number of the person whose sale an intent is; 0: the owner's, or nobody was asked."""
    at = _IN_OFFLINE if kind == INTENT_OFFLINE else _IN_ONLINE
    person = body[at] if len(body) > at else 0
    return person if isinstance(person, int) else 0


def seller_of(journal: "Journal", sale: int) -> int:
    """As `person_of`, by a sale's number; 0 also when its intent has left the ring."""
    found = journal.read(sale)
    if not found:
        return 0
    kind, _, body = found
    return person_of(kind, body) if kind in (INTENT_OFFLINE, INTENT_ONLINE) else 0
