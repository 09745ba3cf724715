"""The till: every sale from its first record to its last. The flows call it, nothing else sells.

Synchronous, no network: the flow asks the server (`firmware.sync.ask`) and the printer and tells
the till what they said. Each step is in flash before the call returns, so a cut leaves a sale that
`unfinished` knows. The order that makes it so: intent, then PIN, then paper, then `printed`.
"""

from hashlib import sha256

from bootloader.shared import cose
from bootloader.shared.compat import const
from firmware.journal import JournalFull
from firmware.messages import FLOAT_MINOR, UINT32, field
from firmware.policy import offline_refusal
from firmware.sales_state import (
    BOOT,
    DELIVERED,
    OFFLINE,
    ONLINE,
    PRINTED,
    REFUSED,
    REPRINT,
    restated,
)
from firmware.stock import StockError

MAX_OPEN = const(4)
# As the server holds them: docs/formats/limits.toml.
MIN_PIN_BYTES = const(4)
MAX_PIN_BYTES = const(32)
MAX_SERIAL_BYTES = const(40)
_READINGS = const(3)  # one that is bad may be a glitch on the bus


class SaleRefused(Exception):
    """No sale. `code` says why, `details` is the limit or figure that forbids it, or None.

    Codes: no_float, offline_amount, offline_count, offline_total, offline_age, no_stock,
    unknown_product, journal_full, pending_sale, spoiled (the voucher does not open, the sale was
    taken back), unreadable (it does not open now: once the network was there it may),
    price_changed (the price or the commission is not what the merchant was shown), blocked (by the
    office).
    """

    def __init__(self, code, details=None):
        super().__init__(code)
        self.code = code
        self.details = details


class Sale:
    """One sale, as `restated` tells it. `has_voucher`: its PIN is on the terminal, sealed.

    `may_be_out`: paper with its PIN may exist, so that only a copy marked DUPLICATE may be printed.
    """

    def __init__(self, known, said, may_be_out):
        self.known = list(known)  # the journal's entry, as it was
        self.sequence = known[0]
        self.online = said[0] == ONLINE
        self.time, self.product_id, self.amount_minor, self.commission_minor = said[1:5]
        self.place = None if self.online else said[5:7]  # batch id, index
        # of an online sale 0, too, while flash cannot give what the server answered: ask it again
        self.voucher_sequence = known[1] if len(said) > 5 else 0
        self.may_be_out = may_be_out

    @property
    def has_voucher(self):
        return bool(self.voucher_sequence)


class Voucher:
    """What goes on paper."""

    def __init__(self, pin, serial, expiry, product, amount_minor, sequence):
        self.pin = pin
        self.serial = serial
        self.expiry = expiry
        self.product = product
        self.amount_minor = amount_minor
        self.sequence = sequence


class _Gone:
    """Stands for a product that the catalogue no longer has."""

    operator = instructions = ""
    pin_groups = (4,) * 10

    def __init__(self, product_id):
        self.id = self.name = product_id


class DayReport:
    """`products`: [(product id, count, total_minor)]; totals; number of reprints."""

    def __init__(self):
        self.products = []
        self.count = 0
        self.total_minor = 0
        self.commission_minor = 0
        self.reprints = 0

    def add(self, product_id, amount_minor, commission_minor, count):
        self.count += count
        self.total_minor += count * amount_minor
        self.commission_minor += count * commission_minor
        for i in range(len(self.products)):
            row = self.products[i]
            if row[0] == product_id:
                self.products[i] = (product_id, row[1] + count, row[2] + count * amount_minor)
                return
        self.products.append((product_id, count, count * amount_minor))


class Till:
    """`journal` is mounted, `stock` a `Stock`, `keys` a `cose.Keys`, `clock()` gives Unix seconds.

    `catalogue` may be replaced at any time.
    """

    def __init__(self, journal, stock, catalogue, keys, clock):
        self.journal = journal
        self.stock = stock
        self.catalogue = catalogue
        self._key = keys.stock
        self._clock = clock
        # Sales whose voucher came since power-on and has no `printed` yet: True once it was opened.
        self._fresh = {}
        self.blocked = False  # the office's last word

    # --- figures ---

    @property
    def float_minor(self):
        """What the merchant can sell for; never more than the server's ledger will say."""
        return self.journal.state.float_minor

    @property
    def unsynced_count(self):
        """Records since the last acknowledgement, up to the last that is part of a sale."""
        state = self.journal.state
        return max(0, state.last_money - state.acknowledged)

    def _now(self):
        return max(self._clock(), self.journal.state.time_seen)

    def stock_left(self, product_id):
        """How many vouchers of a product can be sold from stock."""
        return sum([left for _, _, left in self._places(product_id)])

    def _places(self, product_id):
        """(batch id, next index, vouchers left) of each batch that sells a product."""
        product = self.catalogue.product(product_id)
        places = []
        for batch_id, (index, count) in sorted(self.journal.state.batches.items()):
            try:
                found, amount_minor, expiry, stored = self.stock.head(batch_id)
            except StockError:
                continue
            left = min(count, stored) - index
            if (
                product
                and left > 0
                and found == product_id
                and amount_minor == product.amount_minor
                and (not expiry or self._now() < expiry)
            ):
                places.append((batch_id, index, left))
        return places

    # --- selling ---

    def _append(self, kind, body):
        try:
            return self.journal.append(kind, body)
        except JournalFull:
            raise SaleRefused("journal_full")

    def _may_begin(self, product_id, shown):
        if self.blocked:
            raise SaleRefused("blocked")
        product = self.catalogue.product(product_id)
        if not product:
            raise SaleRefused("unknown_product")
        if shown and (shown.amount_minor, shown.commission_minor) != (
            product.amount_minor,
            product.commission_minor,
        ):
            raise SaleRefused("price_changed", product.amount_minor)
        unfinished = self.journal.state.unfinished
        if len(unfinished) >= MAX_OPEN:
            raise SaleRefused("pending_sale", unfinished[0][0])
        if product.debit_minor > self.float_minor:
            raise SaleRefused("no_float", self.float_minor)
        return product

    def _begin(self, kind, body):
        sequence = self._append(kind, body)
        if kind == OFFLINE:
            self._fresh[sequence] = False
        return self._sale(self.journal.state.entry(sequence))

    def begin_online(self, product_id, shown=None):
        """The intent of a sale that the server will fill, durable before it returns.

        `shown`: the product as the merchant saw it when he agreed; the price list may be new since.

        Raises:
            SaleRefused: see its codes; pending_sale also while another online sale has no answer.
        """
        product = self._may_begin(product_id, shown)
        for entry in self.journal.state.unfinished:
            if not entry[1]:
                raise SaleRefused("pending_sale", entry[0])
        return self._begin(ONLINE, [product_id, product.amount_minor, product.commission_minor])

    def begin_offline(self, product_id, shown=None):
        """The intent of a sale from stock: this voucher is sold for ever, before its PIN is known.

        `shown`: as for `begin_online`.

        Raises:
            SaleRefused: see its codes.
        """
        product = self._may_begin(product_id, shown)
        state = self.journal.state
        refusal = offline_refusal(self.catalogue, product.amount_minor, state, self._clock())
        if refusal:
            raise SaleRefused(*refusal)
        for batch_id, index, _ in self._places(product_id):
            try:
                self.stock.entry(batch_id, index)
            except StockError:
                self.stock.doubt(batch_id)
                continue
            return self._begin(
                OFFLINE,
                [product_id, product.amount_minor, product.commission_minor, batch_id, index],
            )
        raise SaleRefused("no_stock")

    def _pin_seal(self, sale, serial):
        # Should a journal be lost and its numbers come again: another voucher is another nonce.
        aad = b"duka/pin/1" + sale.product_id.encode() + serial.encode()
        return b"\x03" + sha256(sale.sequence.to_bytes(4, "big") + aad).digest()[:12], aad

    def delivered(self, sale, reply):
        """The server's answer (message kind 2): the PIN goes to flash, sealed. Harmless twice.

        Raises:
            messages.BadReply: the answer is not as specified; the sale stays without an answer.
        """
        pin = field(reply, 2, str, 1)
        serial = field(reply, 3, str)
        field({2: pin.encode()}, 2, bytes, MIN_PIN_BYTES, MAX_PIN_BYTES)
        field({3: serial.encode()}, 3, bytes, 1, MAX_SERIAL_BYTES)
        expiry = field(reply, 4, int, 0, UINT32)
        after = field(reply, 5, int, -FLOAT_MINOR, FLOAT_MINOR)
        entry = self.journal.state.entry(sale.sequence)
        here = self._sale(entry) if entry else None
        if here and not here.has_voucher:
            nonce, aad = self._pin_seal(sale, serial)
            sealed = cose.seal(self._key, nonce, aad, pin.encode())
            self._append(DELIVERED, [sale.sequence, sealed, serial, expiry, after])
            self._fresh[sale.sequence] = False
        if entry:
            sale.voucher_sequence = entry[1]

    def refused(self, sale, code):
        """The server's word that this online sale is none. Harmless twice."""
        entry = self.journal.state.entry(sale.sequence)
        if entry and not entry[1]:
            self._append(REFUSED, [sale.sequence, code[:32]])

    def voucher(self, sale):
        """The `Voucher` of a sale, its PIN in clear, to be printed as the original.

        Raises:
            SaleRefused: spoiled: the PIN was never seen, the sale is taken back in the journal;
                unreadable: it was.
                pending_sale: its answer is not here, or paper may be out already (use `reprint`).
        """
        opened = self._fresh.get(sale.sequence)
        if opened is None:
            raise SaleRefused("pending_sale", sale.sequence)
        try:
            voucher = self._open(sale)
        except SaleRefused:
            if not opened:
                self._give_back(sale)
            raise
        self._fresh[sale.sequence] = True
        return voucher

    def _give_back(self, sale):
        """Take a sale from stock back whose PIN was certainly never seen. Raises SaleRefused."""
        if not sale.online and self.journal.state.entry(sale.sequence):
            self._fresh.pop(sale.sequence, None)
            self._append(REFUSED, [sale.sequence, "spoiled"])
            raise SaleRefused("spoiled")

    def _open(self, sale):
        try:
            if sale.online:
                known = (self.journal.state.kept(sale.sequence) or [sale.known])[0]
                said = restated(self.journal.read, known)
                if not said or len(said) < 8:
                    raise SaleRefused("unreadable")
                sealed, serial, expiry = said[5:8]
                nonce, aad = self._pin_seal(sale, serial)
                pin = str(cose.unseal(self._key, nonce, aad, sealed), "utf-8")
            else:
                pin, serial, expiry = self.stock.open_pin(*sale.place)
        except (StockError, cose.SealError):
            if not sale.online:
                self.stock.doubt(sale.place[0])
            raise SaleRefused("unreadable")
        product = self.catalogue.product(sale.product_id) or _Gone(sale.product_id)
        return Voucher(pin, serial, expiry, product, sale.amount_minor, sale.sequence)

    def printed(self, sale, certain):
        """The printer's word: it is out (`certain`), or it may be. Ends the sale."""
        self._append(PRINTED, [sale.sequence, 0 if certain else 1])
        self._fresh.pop(sale.sequence, None)

    def reprint(self, sale):
        """The `Voucher` again, for a copy marked DUPLICATE; journaled before it is opened.

        Raises:
            SaleRefused: journal_full; pending_sale: its answer is not here; unreadable: the stock
                file is fetched again with the next check-in; spoiled: the voucher does not open in
                what the server sent either, so it never did, and the sale is taken back.
        """
        if not sale.has_voucher:
            raise SaleRefused("pending_sale", sale.sequence)
        self._append(REPRINT, [sale.sequence])
        was_opened = self._fresh.pop(sale.sequence, False)
        try:
            return self._open(sale)
        except SaleRefused:
            if not sale.online and not was_opened and self.stock.is_renewed(sale.place[0]):
                self._give_back(sale)
            raise

    # --- after a cut, and later ---

    def _sale(self, known):
        said = restated(self.journal.read, known)
        if not said:
            return None
        return Sale(known, said, bool(known[1]) and self._fresh.get(known[0], True))

    def unfinished(self):
        """Sales without an end, oldest first: to be asked for (no voucher) or handed over."""
        sales = [self._sale(entry) for entry in self.journal.state.unfinished]
        return [sale for sale in sales if sale]

    def give_up_lost(self):
        """End each open sale whose intent flash has lost, so that nothing waits for it for ever.

        The server gives its money back and calls a person. One that is being sold now is left.
        """
        for entry in list(self.journal.state.unfinished):
            if entry[0] in self._fresh:
                continue
            for _ in range(_READINGS):
                if restated(self.journal.read, entry):
                    break
            else:
                self._append(REFUSED, [entry[0], "lost"])

    def last_sale(self):
        """The newest sale with a voucher, or None."""
        last = self.journal.state.last_sale
        return self._sale(last) if last else None

    def booted(self, boot_count, release, reset_cause, is_blind=False):
        """Journal this start; a full journal does not keep the terminal from starting.

        `is_blind`: nobody knows how long the terminal was off (`firmware.policy`).
        """
        body = [boot_count, release, reset_cause]
        try:
            self.journal.append(BOOT, body + [1] if is_blind else body)
        except JournalFull:
            self.journal.state.blind_starts += is_blind

    def day_report(self, now, utc_offset_s=0):
        """The `DayReport` of the local day that `now` (Unix seconds, 0 unknown) is in."""
        now = (now or self._now()) + utc_offset_s
        start = now - now % 86400 - utc_offset_s
        report = DayReport()
        online = {}
        last_offline = (0, None)
        for sequence, kind, time, body, _ in self.journal.records(self.journal.first_since(start)):
            if not body:
                continue
            if kind == OFFLINE and time >= start:
                report.add(body[0], body[1], body[2], 1)
                last_offline = (sequence, body)
            elif kind == ONLINE and time >= start:
                online[sequence] = body
            elif kind == DELIVERED and body[0] in online:
                sold = online.pop(body[0])
                report.add(sold[0], sold[1], sold[2], 1)
            elif kind == REFUSED:
                online.pop(body[0], None)
                if body[0] == last_offline[0]:
                    sold = last_offline[1]
                    report.add(sold[0], sold[1], sold[2], -1)
            elif kind == REPRINT and time >= start:
                report.reprints += 1
        return report
