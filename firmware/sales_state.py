"""What the journal's records add up to: float, offline counters, stock, unfinished sales. Pure.

`firmware.journal` folds every record through it and stores it as the checkpoint of each sector;
`firmware.till` decides by it. Rules: docs/formats/journal.md, "Folded state".
"""

from bootloader.shared.compat import const

BOOT = const(1)
OFFLINE = const(2)
ONLINE = const(3)
DELIVERED = const(4)
REFUSED = const(5)
PRINTED = const(6)
REPRINT = const(7)
SETTLED = const(8)
STOCK = const(9)
SETTING = const(10)
CARRIED = const(11)

MAX_BATCHES = const(8)
MAX_UNFINISHED = const(8)


class SalesState:
    """Fields as in the table "Folded state"; changed by `apply` and `skip` alone."""

    def __init__(self):
        self.acknowledged = 0
        self.ledger_minor = 0
        self.settled_at = 0
        self.time_seen = 0
        self.offline_count = 0
        self.offline_total_minor = 0
        self.offline_debit_minor = 0
        self.last_money = 0
        self.forgotten_batch = 0
        self.batches = {}
        self.unfinished = []
        self.last_sale = None
        self.blind_starts = 0

    def dump(self):
        """The checkpoint, as a list for CBOR."""
        return [
            self.acknowledged,
            self.ledger_minor,
            self.settled_at,
            self.time_seen,
            self.offline_count,
            self.offline_total_minor,
            self.offline_debit_minor,
            self.last_money,
            self.forgotten_batch,
            self.batches,
            self.unfinished,
            self.last_sale,
            self.blind_starts,
        ]

    def load(self, items):
        """Take over what `dump` gave. Raises ValueError if it has another shape."""
        (
            self.acknowledged,
            self.ledger_minor,
            self.settled_at,
            self.time_seen,
            self.offline_count,
            self.offline_total_minor,
            self.offline_debit_minor,
            self.last_money,
            self.forgotten_batch,
            self.batches,
            self.unfinished,
            self.last_sale,
            self.blind_starts,
        ) = items

    @property
    def keep_from(self):
        """Records from this sequence on must stay in the ring."""
        first = self.first_kept()
        return min(self.acknowledged + 1, first[-1]) if first else self.acknowledged + 1

    def first_kept(self):
        """Of the unfinished sales and the last one that whose records lie first, or None."""
        first = self.last_sale
        for entry in self.unfinished:
            if not first or entry[-1] < first[-1]:
                first = entry
        return first

    def kept(self, sale):
        """What is known of a sale that is unfinished or the last one: its entries, 0 to 2."""
        found = [e for e in self.unfinished if e[0] == sale]
        if self.last_sale and self.last_sale[0] == sale:
            found.append(self.last_sale)
        return found

    @property
    def float_minor(self):
        """What the merchant can still sell for: never more than the server would say."""
        return self.ledger_minor - self.offline_debit_minor - sum([e[2] for e in self.unfinished])

    def entry(self, sale):
        """The unfinished entry of a sale, or None."""
        for entry in self.unfinished:
            if entry[0] == sale:
                return entry
        return None

    def skip(self, count):
        """`count` records cannot be read: each may have used up the next voucher of any batch."""
        for position in self.batches.values():
            position[0] += count

    def spent_batch(self):
        """The lowest batch id that is sold out, or None."""
        spent = [b for b, position in self.batches.items() if position[0] >= position[1]]
        return min(spent) if spent else None

    def _batch(self, batch, count):
        """Its [next index, count]; a batch that is new takes the place of a sold-out one."""
        if batch not in self.batches:
            if len(self.batches) >= MAX_BATCHES:
                spent = self.spent_batch()
                if spent is not None:
                    del self.batches[spent]
                    self.forgotten_batch = max(self.forgotten_batch, spent)
            self.batches[batch] = [0, count]
        return self.batches[batch]

    def apply(self, sequence, kind, time, body):
        """Fold one record.

        Raises ValueError, TypeError or IndexError if the body is not as specified.
        """
        if time > self.time_seen:
            self.time_seen = time
        if OFFLINE <= kind <= REPRINT:
            self.last_money = sequence
        if kind == BOOT and len(body) > 3:
            self.blind_starts += body[3]
        elif kind == OFFLINE:
            _, amount, commission, batch, index = body[:5]
            self.offline_count += 1
            self.offline_total_minor += amount
            self.offline_debit_minor += amount - commission
            # Its `stock` record may be lost: what was sold of it must not be sold again.
            position = self._batch(batch, index + 1)
            position[0] = max(position[0], index + 1)
            self.unfinished.append([sequence, sequence, 0, sequence])
            self.last_sale = [sequence, sequence, sequence]
        elif kind == ONLINE:
            self.unfinished.append([sequence, 0, body[1] - body[2], sequence])
        elif kind == DELIVERED:
            entry = self.entry(body[0])
            if entry and not entry[1]:
                # A repeated answer carries the float of its first time: the lower figure is safe,
                # the next settlement is exact.
                self.ledger_minor = min(self.ledger_minor - entry[2], body[4])
                entry[2] = 0
                self.last_sale = [body[0], sequence, entry[-1]]
            for known in self.kept(body[0]):
                known[1] = sequence
        elif kind in (REFUSED, PRINTED):
            entry = self.entry(body[0])
            if entry:
                self.unfinished.remove(entry)
            if kind == REFUSED and self.last_sale and self.last_sale[0] == body[0]:
                self.last_sale = None
        elif kind == SETTLED:
            (
                self.acknowledged,
                self.ledger_minor,
                server_time,
                self.offline_count,
                self.offline_total_minor,
                self.offline_debit_minor,
            ) = body[:6]
            if server_time:
                self.time_seen = server_time
            self.settled_at = self.time_seen
            self.blind_starts = 0
        elif kind == CARRIED:
            for known in self.kept(body[0]):
                known[1] = sequence if len(body) > 6 else 0
                known[-1] = sequence
        elif kind == STOCK:
            self._batch(body[0], body[1])[1] = body[1]


def restated(read, known):
    """A sale as its records say, wherever they are now: [kind, time, product id, amount,
    commission], from stock with its batch and index, else with the sealed PIN, serial and expiry if
    they are here. None if its intent cannot be read.

    `read` is the journal's, `known` one of `SalesState.kept`.
    """
    found = read(known[-1])
    if not found or (found[0] == CARRIED and len(found[2]) < 6):
        return None
    kind, time, body = found
    if kind == CARRIED:
        sale = body[1:]
    elif kind in (OFFLINE, ONLINE):
        sale = [kind, time] + body[: 5 if kind == OFFLINE else 3]
    else:
        return None
    if sale[0] == ONLINE and known[1] != known[-1]:
        sale = sale[:5]
        answer = read(known[1]) if known[1] else None
        if answer and answer[0] == DELIVERED and answer[2][0] == known[0]:
            sale.extend(answer[2][1:4])
    return sale
