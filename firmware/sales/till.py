"""The till: every sale from its first record to its last. The flows call it, nothing else sells.

Synchronous, no network: the flow asks the server (`firmware.office.ask`) and the printer and
tells the till what they said. Each step is in flash before the call returns, so a cut leaves a sale
that `unfinished` knows. The order that makes it so: intent, then PIN, then paper, then `printed`.
"""

from hashlib import sha256

from bootloader.shared import cose
from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from firmware.lent import at_hand, give_back, load
from firmware.sales.catalogue import OFFLINE_LIMITS, PIN
from firmware.sales.journal import JournalFull
from firmware.sales.sale import Gone, Sale, SaleRefused, Voucher
from firmware.sales.state import (
    ANSWERED,
    BOOT,
    DELIVERED,
    INTENT_OFFLINE,
    INTENT_ONLINE,
    PENDING,
    PRINTED,
    REFUSED,
    REPRINT,
    restated,
)
from firmware.sales.stock import StockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.sales.catalogue import Catalogue
    from firmware.sales.journal import Journal
    from firmware.sales.product import Product
    from firmware.sales.stock import Stock

# Where in a sale as `restated` the server's answer is: sealed PIN, serial, expiry
_ANSWER = const(6)
_RECIPIENT = const(3)  # in the body of an intent; of one from stock there is more before that
_READINGS = const(3)  # one that is bad may be a glitch on the bus


def _pin_seal(sale: Sale, serial: str) -> tuple[bytes, bytes]:
    """(nonce, additional data) of the PIN that the server sent for an online sale."""
    # Should a journal be lost and its numbers come again: another voucher is another nonce.
    aad = b"duka/pin/1" + sale.product_id.encode() + serial.encode()
    return b"\x03" + sha256(sale.sequence.to_bytes(4, "big") + aad).digest()[:12], aad


def _of_details(what: str, till: "Till", *more: "Any") -> "Any":
    """What that function of `firmware.sales.details` gives, which is here only meanwhile."""
    name = "firmware.sales.details"
    try:
        return getattr(load(name), what)(till.journal, till.key, *more)
    finally:
        give_back((name,))


def _afford(till: "Till", debit_minor: int) -> None:
    if debit_minor > till.float_minor:
        raise SaleRefused("no_float", till.float_minor)


class Till:
    """`journal` is mounted, `stock` a `Stock`, `keys` a `cose.Keys`, `clock()` gives Unix seconds.

    `catalogue` may be replaced at any time.
    """

    def __init__(
        self,
        journal: "Journal",
        stock: "Stock",
        catalogue: "Catalogue",
        keys: "cose.Keys",
        clock: "Callable[[], int]",
    ) -> None:
        self.journal = journal
        self.stock = stock
        self.catalogue = catalogue
        self.key = keys.stock
        self._clock = clock
        # Sales whose voucher came since power-on and has no `printed` yet: True once it was opened.
        self._fresh: dict[int, bool] = {}
        # When (ticks) to ask again for sales that the server has and could not answer yet.
        self._again: dict[int, Any] = {}  # ticks of the clock
        self.under_way = 0  # the sale that its merchant is asking the server for
        self.blocked = False  # the office's last word
        self.stolen = False  # as well
        self.person = 0  # who sells: a number of `firmware.kept.people`, 0 the owner

    # --- figures ---

    @property
    def float_minor(self) -> int:
        """What the merchant can sell for; never more than the server's ledger will say."""
        return self.journal.state.float_minor

    @property
    def unsynced_count(self) -> int:
        """Records since the last acknowledgement, up to the last that is part of a sale."""
        state = self.journal.state
        return max(0, state.last_money - state.acknowledged)

    def _now(self) -> int:
        return max(self._clock(), self.journal.state.time_seen)

    def stock_left(self, product_id: str) -> int:
        """How many vouchers of a product can be sold from stock."""
        product = self.catalogue.product(product_id)
        if not product or product.kind != PIN:
            return 0
        places = self.stock.places(self.journal.state.batches, product, self._now)
        return sum([left for _, _, left in places])

    # --- selling ---

    def _append(self, kind: int, body: "list[Any]") -> int:
        try:
            return self.journal.append(kind, body)
        except JournalFull:
            raise SaleRefused("journal_full")

    def _may_begin(self, product_id: str, shown: "Product | None", is_online: bool) -> "Product":
        if self.blocked:
            raise SaleRefused("blocked")
        product = self.catalogue.product(product_id)
        if not product:
            raise SaleRefused("unknown_product")
        if shown and (shown.kind, shown.terms()) != (product.kind, product.terms()):
            raise SaleRefused("price_changed", product.amount_minor)
        open_sale = self.journal.state.in_the_way(is_online)
        if open_sale:
            raise SaleRefused("pending_sale", open_sale)
        return product

    def _begin(self, kind: int, body: "list[Any]") -> Sale:
        if self.person:
            body = body + [None] * (_RECIPIENT + 1 - len(body)) + [self.person]
        sequence = self._append(kind, body)
        if kind == INTENT_OFFLINE:
            self._fresh[sequence] = False
        entry = self.journal.state.entry(sequence)
        sale = self._sale(entry) if entry else None
        if not sale:  # flash does not give what it just took: it is open, and ends as any other
            raise SaleRefused("unreadable")
        return sale

    def begin_online(
        self,
        product_id: str,
        shown: "Product | None" = None,
        recipient: str | None = None,
        amount_minor: int | None = None,
    ) -> Sale:
        """The intent of a sale that the server will fill, durable before it returns.

        `shown`: the product as the merchant saw it when he agreed; the price list may be new since.
        `recipient`: the number that it is for, of all but vouchers. `amount_minor`: as typed, of a
        product with an open amount.

        Raises:
            SaleRefused: see its codes; pending_sale also while another online sale has no answer,
                unless the server has it and said to ask later.
        """
        product = self._may_begin(product_id, shown, True)
        if amount_minor is None:
            amount_minor = product.amount_minor
        if not (
            product.open.takes(amount_minor)
            if product.open
            else amount_minor == product.amount_minor
        ):
            raise SaleRefused("price_changed", product.amount_minor)
        if product.recipient:
            if not recipient or not product.recipient.takes(recipient):
                raise SaleRefused("bad_recipient")
        elif recipient is not None:
            raise SaleRefused("bad_recipient")
        commission_minor = product.commission_of(amount_minor)
        _afford(self, amount_minor - commission_minor)
        body: list[Any] = [product_id, amount_minor, commission_minor]
        return self._begin(INTENT_ONLINE, body + [recipient] if recipient else body)

    def begin_offline(self, product_id: str, shown: "Product | None" = None) -> Sale:
        """The intent of a sale from stock: this voucher is sold for ever, before its PIN is known.

        `shown`: as for `begin_online`.

        Raises:
            SaleRefused: see its codes.
        """
        product = self._may_begin(product_id, shown, False)
        if product.kind != PIN:
            raise SaleRefused("no_stock")
        _afford(self, product.debit_minor)
        state = self.journal.state
        limits = at_hand(OFFLINE_LIMITS)
        refusal = limits.offline_refusal(self.catalogue, product, self.journal, self._clock())
        if refusal:
            raise SaleRefused(*refusal)
        for batch_id, index, _ in self.stock.places(state.batches, product, self._now):
            try:
                self.stock.entry(batch_id, index)
            except StockError:
                self.stock.doubt(batch_id)
                continue
            return self._begin(
                INTENT_OFFLINE,
                [product_id, product.amount_minor, product.commission_minor, batch_id, index],
            )
        raise SaleRefused("no_stock")

    def delivered(
        self,
        sale: Sale,
        pin: str,
        serial: str,
        expiry: int,
        after_minor: int,
        details: "list[list[str]] | None" = None,
    ) -> None:
        """The server's answer, as `office.ask` read it: the PIN goes to flash, sealed. Harmless
        twice. `after_minor`: the float on the server's ledger then. `details`: pairs (label, value)
        that go with it, sealed too.
        """
        entry = self.journal.state.entry(sale.sequence)
        here = self._sale(entry) if entry else None
        if here and not here.has_voucher:
            nonce, aad = _pin_seal(sale, serial)
            sealed = cose.seal(self.key, nonce, aad, pin.encode())
            body: list[Any] = [sale.sequence, sealed, serial, expiry, after_minor]
            if details:
                body.append(_of_details("put_down", self, sale, serial, pin, details))
            self._append(DELIVERED, body)
            self._fresh[sale.sequence] = False
        self._again.pop(sale.sequence, None)
        if entry:
            _, sale.voucher_sequence, _, _ = entry

    def pending(self, sale: Sale, again_s: int) -> None:
        """The server has this sale and its money, and cannot answer yet: ask again in `again_s`
        seconds. Journaled the first time.
        """
        self._again[sale.sequence] = ticks_add(ticks_ms(), again_s * 1000)
        entry = self.journal.state.entry(sale.sequence)
        if entry:
            _, held_at, debit_minor, _ = entry
            if debit_minor and not held_at:
                self._append(PENDING, [sale.sequence])

    def rest(self, sale: Sale) -> None:
        """Its answer decided nothing: asked again unbidden after half its age, at most an hour."""
        again_s = min(max(60, (self._now() - sale.time) // 2), 3600)
        self._again[sale.sequence] = ticks_add(ticks_ms(), again_s * 1000)

    def due_ms(self, sale: Sale) -> int:
        """In how many milliseconds an open sale may be asked for again; 0: now."""
        at = self._again.get(sale.sequence)
        return 0 if at is None else max(0, ticks_diff(at, ticks_ms()))

    def refused(self, sale: Sale, code: str) -> None:
        """The server's word that this online sale is none. Harmless twice."""
        entry = self.journal.state.entry(sale.sequence)
        if not entry:
            return
        _, held_at, _, _ = entry
        if not held_at:
            self._append(REFUSED, [sale.sequence, code[:32]])
        self._again.pop(sale.sequence, None)

    def voucher(self, sale: Sale) -> Voucher:
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

    def _give_back(self, sale: Sale) -> None:
        """Take a sale from stock back whose PIN was certainly never seen. Raises SaleRefused."""
        if not sale.online and self.journal.state.entry(sale.sequence):
            self._fresh.pop(sale.sequence, None)
            self._append(REFUSED, [sale.sequence, "spoiled"])
            raise SaleRefused("spoiled")

    def _open(self, sale: Sale) -> Voucher:
        details: list[list[str]] = []
        try:
            if sale.online:
                known = (self.journal.state.kept(sale.sequence) or [sale.known])[0]
                said = restated(self.journal.read, known)
                if not said or len(said) < ANSWERED:
                    raise SaleRefused("unreadable")
                sealed, serial, expiry = said[_ANSWER:ANSWERED]
                nonce, aad = _pin_seal(sale, serial)
                pin = str(cose.unseal(self.key, nonce, aad, sealed), "utf-8")
                if len(said) > ANSWERED:
                    details = _of_details("pick_up", self, sale, serial, pin, said[ANSWERED])
            else:
                pin, serial, expiry = self.stock.open_pin(*sale.place)
        except (StockError, cose.SealError):
            if not sale.online:
                batch_id, _ = sale.place
                self.stock.doubt(batch_id)
            raise SaleRefused("unreadable")
        product = self.catalogue.product(sale.product_id) or Gone(sale.product_id)
        return Voucher((pin, serial, expiry), details, product, sale)

    def printed(self, sale: Sale, certain: bool) -> None:
        """The printer's word: it is out (`certain`), or it may be. Ends the sale."""
        self._append(PRINTED, [sale.sequence, 0 if certain else 1])
        self._fresh.pop(sale.sequence, None)

    def reprint(self, sale: Sale) -> Voucher:
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
            voucher = self._open(sale)
            voucher.copy = self.journal.copies(sale.sequence)
            return voucher
        except SaleRefused:
            if not sale.online and not was_opened:
                batch_id, _ = sale.place
                if self.stock.is_renewed(batch_id):
                    self._give_back(sale)
            raise

    # --- after a cut, and later ---

    def _sale(self, known: list[int]) -> Sale | None:
        said = restated(self.journal.read, known)
        if not said:
            return None
        sequence, held_at = known[:2]
        return Sale(known, said, bool(held_at) and self._fresh.get(sequence, True))

    def unfinished(self) -> list[Sale]:
        """Sales without an end, oldest first: to be asked for (no voucher) or handed over."""
        sales = [self._sale(entry) for entry in self.journal.state.unfinished]
        return [sale for sale in sales if sale]

    def give_up_lost(self) -> None:
        """End each open sale whose intent flash has lost, so that nothing waits for it for ever.

        The server gives its money back and calls a person. One that is being sold now is left.
        """
        for entry in list(self.journal.state.unfinished):
            sequence, _, _, _ = entry
            if sequence in self._fresh:
                continue
            for _ in range(_READINGS):
                if restated(self.journal.read, entry):
                    break
            else:
                self._append(REFUSED, [sequence, "lost"])

    def last_sale(self) -> Sale | None:
        """The newest sale with a voucher, or None."""
        last = self.journal.state.last_sale
        return self._sale(last) if last else None

    def booted(
        self, boot_count: int, release: int, reset_cause: str, is_blind: bool = False
    ) -> None:
        """Journal this start; a full journal does not keep the terminal from starting.

        `is_blind`: nobody knows how long the terminal was off (`firmware.sales.away`).
        """
        body = [boot_count, release, reset_cause]
        try:
            self.journal.append(BOOT, body + [1] if is_blind else body)
        except JournalFull:
            self.journal.state.blind_starts += is_blind
