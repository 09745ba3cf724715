"""What must be true at each midnight, asked of the tables and of what was answered; none of the
product's own sums but those of `check`, which must agree.
"""

from __future__ import annotations

import hashlib

from tests.days.keeper import Keeper
from tests.server.shop import Shop

_ENTRIES = """
    SELECT e.id, t.kind, t.reference, t.created_at, a.name, e.amount_minor, e.balance_after_minor
    FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
    JOIN account a ON a.id = e.account_id WHERE e.id <= :upto ORDER BY e.id"""
_BELOW = "SELECT id FROM ledger_entry WHERE balance_after_minor < 0"
"""By what was sold from stock alone, and with an alarm: these merchants sell online as well while
they have not told of it, which a terminal's own till refuses.
"""
_FINDS_NOTHING = {
    "sums": "SELECT transaction_id FROM ledger_entry GROUP BY transaction_id "
    "HAVING SUM(amount_minor) <> 0",
    "limit": "SELECT e.id FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id "
    "WHERE t.kind = 'sale' AND e.balance_after_minor < 0",
    "key": "SELECT sequence FROM ledger_transaction WHERE kind IN ('sale', 'stock_sale') "
    "GROUP BY terminal_id, sequence HAVING COUNT(*) > 1",
}


class Judge:
    """Remembers what the ledger was, to see that it stays so."""

    def __init__(self, shop: Shop, keepers: list[Keeper]) -> None:
        self._shop = shop
        self._keepers = keepers
        self._upto = 0
        self._digest = hashlib.sha256().hexdigest()

    def midnight(self) -> list[str]:
        """The names of the promises that are broken."""
        broken = [name for name, query in _FINDS_NOTHING.items() if self._shop.sql(query)]
        alarms = self._shop.alarms()
        if self._shop.sql(_BELOW) and "float_negative" not in alarms:
            broken.append("limit")
        pins = [pin for keeper in self._keepers for pin in keeper.pins]
        if len(pins) != len(set(pins)):
            broken.append("pin")
        for keeper in self._keepers:
            floats = self._shop.float_of(keeper.device)
            broken += ["named"] * (floats != keeper.expected_minor())
            broken += ["told"] * (floats != keeper.own_float())
        if any(keeper.conflicts for keeper in self._keepers) != ("sale_conflict" in alarms):
            broken.append("conflict")
        if self.ledger(self._upto) != self._digest:
            broken.append("rows")
        self._upto = self._shop.sql("SELECT MAX(id) FROM ledger_entry")[0][0]
        self._digest = self.ledger(self._upto)
        if self._shop.problems():
            broken.append("check")
        return broken

    def ledger(self, upto: int) -> str:
        """SHA-256 of the ledger's rows up to this one."""
        digest = hashlib.sha256()
        for row in self._shop.sql(_ENTRIES, upto=upto):
            digest.update(repr(row).encode())
        return digest.hexdigest()
