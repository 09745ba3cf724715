# mypy: ignore-errors
# Device code: MicroPython has no typing.
"""A merchant's long day, the same wherever it runs: every step comes from one seed and one clock.

Runs on CPython, on MicroPython and, as part of a release, on a board. Till, journal, stock, sync
and the sealed messages are the terminal's own; the server that answers them is here.
"""

from bootloader.shared import cbor, cose
from bootloader.shared.compat import collect
from bootloader.shared.partitions import Partition
from firmware.office import check_in, messenger, stock_delivery, sync
from firmware.office.ask import ask
from firmware.office.messenger import Messenger, NoNetwork
from firmware.sales import till as tills
from firmware.sales.catalogue import Catalogue
from firmware.sales.journal import Journal
from firmware.sales.sale import SaleRefused
from firmware.sales.stock import Stock
from firmware.sales.till import Till

SECTORS = 4
STEPS = 400
START = 1790000000
DEVICE_KEY = bytes(range(32))
TERMINAL_ID = bytes.fromhex("00112233445566aa")


def now_done(work):
    """Run what never really waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("it waited")


class Seed:
    """Numbers that are the same everywhere."""

    def __init__(self, seed):
        self._state = seed

    def below(self, limit):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 12) % limit


class Clock:
    def __init__(self):
        self.seconds = START

    def now(self):
        self.seconds += 7
        return self.seconds

    def ticks_ms(self):
        # What rests by the day's own clock goes the same way on a host that is slow.
        return (self.seconds - START) * 1000 & 0x3FFFFFFF


class Server:
    """Opens, answers and seals; believes every record."""

    def __init__(self, keys, batches, clock):
        self._keys = keys
        self._batches = batches
        self._clock = clock
        self._answers = {}
        self.records = 0
        self.ledger_minor = 2000000
        self.refuses = False
        self.reachable = True
        self.loses_reply = False
        self.feed = lambda: None

    async def post(self, body):
        self.feed()
        if not self.reachable:
            raise NoNetwork("no network")
        _, head, sealed = cbor.loads(body)
        salt, counter = head[6][:4], int.from_bytes(head[6][4:], "big")
        aad = cose._aad(cose._EXTERNAL_AAD)
        request = cbor.loads(cose.unseal(self._keys.up, cose._nonce(0, salt, counter), aad, sealed))
        reply = cbor.dumps(self._answer(request))
        if self.loses_reply:
            raise NoNetwork("the reply was lost")
        sealed = cose.seal(self._keys.down, cose._nonce(1, salt, counter), aad, reply)
        return 200, cbor.dumps([cose._PROTECTED, {}, sealed])

    def _answer(self, request):
        kind = request[0]
        if kind == messenger.CHECK_IN:
            waiting = sorted(self._batches)
            return {0: 1, 1: self._clock.now(), 2: self.ledger_minor, 3: self.records, 5: waiting}
        if kind == messenger.SALE:
            return self._sale(request)
        if kind == messenger.JOURNAL:
            for raw in request[1]:
                self._take(raw)
            return {0: 3, 1: self.records, 2: self.ledger_minor}
        if kind == messenger.STOCK:
            return {0: 4, 1: self._batches[request[1]]}
        del self._batches[request[1]]
        return {0: 5, 1: True}

    def _sale(self, request):
        sequence = request[1]
        if sequence not in self._answers:
            if self.refuses:
                self._answers[sequence] = {0: 2, 1: 1, 6: "no_vouchers", 7: "sold out"}
            else:
                self.ledger_minor -= request[3] - 250
                self._answers[sequence] = {
                    0: 2,
                    1: 0,
                    2: f"7{sequence:015d}",
                    3: f"N{sequence}",
                    4: 0,
                    5: self.ledger_minor,
                }
        return self._answers[sequence]

    def _take(self, raw):
        sequence = int.from_bytes(raw[2:6], "big")
        if sequence > self.records:
            self.records = sequence
            if raw[0] == 2:  # an intent from stock
                body = cbor.loads(raw[10:-12])
                self.ledger_minor -= body[1] - body[2]


class Day:
    """`counts` says how often what happened."""

    def __init__(self, flash, offset, folder, catalogue, batches):
        self._partition = Partition(flash, offset, SECTORS * 4096)
        self._folder = folder
        self._catalogue = Catalogue(catalogue)
        self._keys = cose.derive_keys(DEVICE_KEY, TERMINAL_ID)
        self._seed = Seed(20261121)
        self._clock = Clock()
        tills.ticks_ms = self._clock.ticks_ms
        self._server = Server(self._keys, batches, self._clock)
        self._boots = 0
        self.counts = {}
        self._steps = (
            self._online,
            self._online,
            self._offline,
            self._offline,
            self._refused_by_server,
            self._no_answer,
            self._reprint,
            self._refused_here,
            self._sync,
            self._power_cycle,
        )

    def run(self, feed):
        """The whole day; `feed()` is called between steps, and with each message: a step with many
        is longer than a watchdog waits.
        """
        self._server.feed = feed
        self._power_cycle()
        for _ in range(STEPS):
            feed()
            collect()
            self._steps[self._seed.below(len(self._steps))]()
        self._sync()

    def state(self):
        """What the terminal makes of its journal, as CBOR in hex."""
        state = self.journal.state.dump()
        return cbor.dumps([self.journal.oldest, self.journal.next_sequence, state]).hex()

    def _count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def _power_cycle(self):
        self._boots += 1
        self.journal = self.till = None
        collect()  # a start begins with an empty heap
        self.journal = Journal(self._partition, self._clock.now)
        self.journal.mount()
        stock = Stock(self._keys.stock, self._folder)
        self.till = Till(self.journal, stock, self._catalogue, self._keys, self._clock.now)
        self._messenger = Messenger(
            self._keys, TERMINAL_ID, self._boots, self._server.post, b"salt"
        )
        self.till.booted(self._boots, 1, "power-on")
        status = {1: 0, 2: 1, 3: "a", 4: False, 5: self._boots, 6: 3900, 7: 20, 8: None}
        reply = now_done(check_in.check_in(self.journal, self._messenger, self.till, status))
        _, _, waiting, _ = reply
        now_done(stock_delivery.fetch_stock(self.journal, self._messenger, stock, waiting))
        for sale in self.till.unfinished():
            if sale.has_voucher:
                self.till.reprint(sale)
                self.till.printed(sale, True)
                self._count("copies after power-off")
        self._count("starts")

    def _ask(self, sale):
        return now_done(ask(self._messenger, self.till, sale))

    def _print(self, sale):
        self.till.voucher(sale)
        if self._seed.below(6):  # else the power goes while it prints
            self.till.printed(sale, self._seed.below(4) > 0)

    def _online(self):
        try:
            sale = self.till.begin_online("air50")
        except SaleRefused as refused:
            self._count(refused.code)
            return
        if self._ask(sale) == "":
            self._print(sale)
            self._count("online")

    def _offline(self):
        try:
            sale = self.till.begin_offline("air50")
        except SaleRefused as refused:
            self._count(refused.code)
            return
        self._print(sale)
        self._count("offline")

    def _refused_by_server(self):
        self._server.refuses = True
        try:
            self._ask(self.till.begin_online("air100"))
            self._count("refused by the server")
        except SaleRefused as refused:
            self._count(refused.code)
        self._server.refuses = False

    def _no_answer(self):
        if self._seed.below(2):
            self._server.reachable = False
        else:
            self._server.loses_reply = True
        try:
            self._ask(self.till.begin_online("air50"))
        except SaleRefused as refused:
            self._count(refused.code)
        except NoNetwork:
            self._count("without an answer")
        self._server.reachable = True
        self._server.loses_reply = False

    def _reprint(self):
        sale = self.till.last_sale()
        if sale:
            self.till.reprint(sale)
            self._count("reprints")

    def _refused_here(self):
        for product in ("air900", "air100"):
            try:
                self.till.begin_offline(product)
            except SaleRefused as refused:
                self._count(refused.code)

    def _sync(self):
        now_done(sync.sync(self.journal, self._messenger, self.till))
        for sale in self.till.unfinished():
            if sale.has_voucher:
                self.till.reprint(sale)
                self.till.printed(sale, True)
        self._count("syncs")
