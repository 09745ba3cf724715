"""What must be true at each midnight, asked of the tables and of what was answered; none of the
product's own sums but those of `check`, which must agree.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.days.corner import Corner

if TYPE_CHECKING:
    from tests.days.town import Town

_ENTRIES = """
    SELECT e.id, t.kind, t.reference, t.created_at, a.name, e.amount_minor, e.balance_after_minor
    FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
    JOIN account a ON a.id = e.account_id WHERE e.id <= :upto ORDER BY e.id"""
_BELOW = """
    SELECT e.id FROM ledger_entry e JOIN account a ON a.id = e.account_id
    WHERE e.balance_after_minor < 0 AND a.name NOT LIKE 'float:party:%'"""
"""By what was sold from stock alone, and with an alarm: these merchants sell online as well while
they have not told of it, which a terminal's own till refuses.
"""
_FINDS_NOTHING = {
    "sums": "SELECT transaction_id FROM ledger_entry GROUP BY transaction_id "
    "HAVING SUM(amount_minor) <> 0",
    "limit": "SELECT e.id FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id "
    "JOIN account a ON a.id = e.account_id WHERE e.balance_after_minor < 0 "
    "AND e.amount_minor < 0 AND t.kind IN ('sale', 'reserve') AND a.name LIKE 'float:%' "
    "AND t.created_at >= :told_at",
    "key": "SELECT sequence FROM ledger_transaction WHERE kind IN ('sale', 'stock_sale') "
    "GROUP BY terminal_id, sequence HAVING COUNT(*) > 1",
    "one voucher": "SELECT sale_sequence FROM voucher_assignment WHERE sale_sequence IS NOT NULL "
    "GROUP BY terminal_id, sale_sequence HAVING COUNT(*) > 1",
}


class Judge(Corner):
    """Remembers what the ledger was, to see that it stays so."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.problems: list[str] = []
        self.books = (0, hashlib.sha256().hexdigest())

    def midnight(self) -> list[str]:
        """The names of the promises that are broken."""
        shop, broken = self.town.shop, []
        for name, query in _FINDS_NOTHING.items():
            values = {"told_at": self.town.told_again_at} if ":told_at" in query else {}
            broken += [name] * bool(shop.sql(query, **values))
        if shop.sql(_BELOW) and "float_negative" not in shop.alarms():
            broken.append("limit")
        upto, digest = self.books
        if self.ledger(upto) != digest:
            broken.append("rows")
        upto = shop.sql("SELECT MAX(id) FROM ledger_entry")[0][0]
        self.books = (upto, self.ledger(upto))
        self.problems = self.town.problems()
        if self.problems:
            broken.append("check")
        return broken

    def words(self) -> list[str]:
        """See `Corner`."""
        return self.problems

    def ledger(self, upto: int) -> str:
        """SHA-256 of the ledger's rows up to this one."""
        digest = hashlib.sha256()
        for row in self.town.shop.sql(_ENTRIES, upto=upto):
            digest.update(repr(row).encode())
        return digest.hexdigest()
