"""One terminal at work: its parts, its tasks, and what the flows may ask of it; made by `main`.

Tasks: keys, merchant, radio, updates, status bar, console, and the supervisor that feeds the
watchdog while merchant and radio show signs of life. A task that fails ends the program with its
error, so that the bootloader counts the crash.
"""

import asyncio
import gc

from bootloader.shared import breath
from bootloader.shared.compat import ticks_add, ticks_diff, ticks_ms
from bootloader.shared.control import OTHER, ControlError
from bootloader.shared.cose import derive_keys
from bootloader.shared.hashes import hkdf_sha256
from firmware import sync
from firmware.catalogue import Catalogue, CatalogueError, load
from firmware.clock import Clock, set_rtc, unix_seconds
from firmware.console import serve
from firmware.drivers.battery import Battery
from firmware.drivers.buzzer import Buzzer
from firmware.drivers.keypad import SCAN_MS, Keypad
from firmware.drivers.printer import Printer
from firmware.flows.session import session
from firmware.http import HttpClient
from firmware.journal import Journal, JournalFull
from firmware.kept import Kept
from firmware.log import log
from firmware.messages import BadReply, Messenger, NoNetwork, ServerRefused, http_post
from firmware.modem.ladder import ModemError
from firmware.modem.sim800 import Modem
from firmware.stock import Stock
from firmware.texts import money
from firmware.till import Till
from firmware.ui.dialogs import Dialogs
from firmware.ui.screen import OFFLINE, ONLINE, SEARCHING
from firmware.update.client import UpdateClient

MODEM_BAUD = 115200
PRINTER_BAUD = 9600
MERCHANT_SILENT_MS = 30000
RADIO_SILENT_MS = 1200000
SIGNAL_MS = 20000
FEED_MS = 500
STATUS_MS = 1000
BENCH_MS = 300000
FIRST_PAUSE_MS = 5000
LONGEST_PAUSE_MS = 300000
NO_ANSWER = (NoNetwork, BadReply, ServerRefused)

_PRICES = "/data/catalogue.json"
_NOTHING_TO_SELL = (
    b'{"version": 1, "currency": "XXX", "minor_digits": 2, "products": [], "offline":'
    b' {"max_amount_minor": 0, "max_count": 0, "max_total_minor": 0, "max_age_s": 0}}'
)


class SelfTestFailed(Exception):
    """A release on trial did not prove itself in time; leaves `run`, so that it is rolled back."""


class Terminal:
    """What flows see: `ui words till catalogue printer battery memory config boot_info`, and below.

    `network` is ONLINE, SEARCHING or OFFLINE, `signal` 0 to 31 or 99, `message` the server's last
    text for the merchant or None.
    """

    second_ms = 1000

    def __init__(self, board, boot_info, config, memory, words, screen, files=None):
        """Put the parts together; nothing waits here. `files`: a `Kept`.

        Raises:
            JournalDamaged: the journal cannot be trusted; nothing may be sold.
        """
        self.board = board
        self.boot_info = boot_info
        self.config = config
        self.memory = memory
        self.words = words
        self.screen = screen
        self.files = files or Kept(not boot_info.trial)
        who = boot_info.identity
        self.terminal_id = who.terminal_id.hex()
        self.clock = Clock()
        self.journal = Journal(board.partitions["journal"], self.clock.now)
        self.journal.mount()
        hint = unix_seconds(board.rtc.datetime())
        is_blind = self.clock.start(hint, self.journal.state.time_seen)
        if boot_info.reset_cause in ("soft", "watchdog"):
            is_blind = False  # it was never off
        keys = derive_keys(who.device_key, who.terminal_id)
        self.stock = Stock(keys.stock)
        self.catalogue = None
        self.till = Till(self.journal, self.stock, None, keys, self.clock.now)
        self.new_catalogue()
        self.till.booted(boot_info.boot_count, boot_info.release, boot_info.reset_cause, is_blind)
        self.battery = Battery(board)
        self.keypad = Keypad(board.keypad_rows, board.keypad_columns)
        self.printer = Printer(board.uart("printer", PRINTER_BAUD), PRINTER_BAUD)
        self.ui = Dialogs(screen, self.keypad, Buzzer(board), words)
        self.modem = Modem(board.uart("modem", MODEM_BAUD), board.modem_power_key, _modem_log)
        self.http = HttpClient(self.modem, config.host, config.port)
        self.messenger = Messenger(
            keys, who.terminal_id, boot_info.boot_count, http_post(self.http), board.random(4)
        )
        self.updates = UpdateClient(
            self.http,
            board,
            boot_info,
            config.channel,
            config.catalogue,
            config.poll_s,
            _update_log,
            self.now,
            self.gate_facts,
            self.new_catalogue,
            note_key=hkdf_sha256(who.device_key, who.terminal_id, b"duka verified 1", 32),
            files=self.files,
        )
        self.network = SEARCHING
        self.message = None
        self.selling = False
        self._wake = asyncio.Event()
        self._checked_in = False
        self._told = None
        self._check_in_due_ms = ticks_ms()
        self._pause_ms = FIRST_PAUSE_MS
        self._radio_alive_ms = ticks_ms()
        self._failed = None
        self._bench_ms = None
        self._supervised_ms = self._breath_ms = ticks_ms()
        breath.use(self._breathe)

    # what the flows ask

    @property
    def signal(self):
        """Signal strength, 0 to 31, 99 unknown."""
        return self.modem.signal

    @property
    def trouble(self):
        """Why the modem has no link: the code of its error, or ""."""
        return self.modem.trouble

    def now(self):
        """Unix seconds, 0 if unknown."""
        return self.clock.now()

    def money(self, amount_minor):
        """An amount as people write it, without the currency."""
        return money(amount_minor, self.catalogue.minor_digits)

    def price(self, amount_minor):
        """An amount with its currency."""
        return self.catalogue.currency + " " + self.money(amount_minor)

    async def network_known(self):
        """Return once it is known whether there is a network."""
        while self.network == SEARCHING:
            await asyncio.sleep_ms(100)

    async def look(self):
        """Ask the modem whether the network is still there; sends nothing over the air."""
        try:
            await self.modem.refresh()
        except ModemError:
            pass
        if not self.modem.registered:
            self.network = OFFLINE

    async def exchange(self, sale):
        """Ask the server for the voucher of `sale`: "" when the till holds it, the code of a
        refusal, or None when no answer came.
        """
        self.http.sales += 1  # downloads stand aside
        try:
            return await sync.ask(self.messenger, self.till, sale)
        except NO_ANSWER as error:
            log("sale", "{}: {}".format(sale.sequence, error))
            self.network = OFFLINE
            self._wake.set()
            return None
        finally:
            self.http.sales -= 1

    async def to_bench(self):
        """Stop selling for a technician's tests, until the next restart or `BENCH_MS` of silence.

        A cut in the middle of any of these tasks is what they are made for.
        """
        if self._bench_ms is None:
            for task in self._tasks[2:]:  # keypad and console stay
                task.cancel()
            await asyncio.sleep_ms(0)
            self.keypad.forget()
        self._bench_ms = ticks_ms()

    # what the update client asks

    def gate_facts(self):
        """Whether a switch to another release would disturb anyone."""
        return {
            "open_sale": self.selling or self.printer.busy,
            "idle_s": self.ui.idle_ms() // 1000,
            "battery_mv": self.battery.mv,
            "unsynced_records": self.till.unsynced_count,
        }

    def new_catalogue(self):
        """Read the catalogue; without one there is nothing to sell, but everything else works."""
        try:
            self.catalogue = self.files.load(load, _PRICES)
        except CatalogueError:
            self.catalogue = Catalogue(_NOTHING_TO_SELL)
        why = self.files.refused.get("catalogue.json")
        if why:
            log("main", why)
        self.till.catalogue = self.catalogue

    # the tasks

    async def run(self):
        """Run all tasks until one of them fails; raises what it raised."""
        work = [
            self.keypad.run(),
            serve(self.board, self.boot_info, self),
            self._merchant(),
            self._radio(),
            self._updates(),
            self._status(),
        ]
        if self.boot_info.trial:
            work.append(self._self_test())
        gc.collect()
        log("main", "{} bytes of heap free".format(gc.mem_free()))
        self._tasks = [asyncio.create_task(self._watched(task)) for task in work]
        await self._supervise()

    async def _watched(self, work):
        try:
            await work
        except Exception as error:
            self._failed = error

    async def _supervise(self):
        silent = None
        while True:
            if self._failed:
                raise self._failed
            now = ticks_ms()
            if self._bench_ms is not None:
                if ticks_diff(now, self._bench_ms) > BENCH_MS:
                    log("bench", "left alone: back to selling")
                    self.board.reset()
            elif ticks_diff(now, self.ui.alive_ms) > MERCHANT_SILENT_MS:
                silent = "merchant"
            elif ticks_diff(now, self._radio_alive_ms) > RADIO_SILENT_MS:
                silent = "radio"
            if silent is None:
                self.boot_info.watchdog.feed()
                self._supervised_ms = now
            else:
                # no more feeding, even if the task comes back: its state is not to be trusted
                breath.use(None)
                log("main", silent + " task hangs, waiting for the watchdog")
            await asyncio.sleep_ms(FEED_MS)

    def _breathe(self):
        # In the middle of long arithmetic no task runs: keys are taken all the same. The watchdog
        # is kept quiet as long as a silent merchant task would be borne, so a hang still ends.
        now = ticks_ms()
        if ticks_diff(now, self._breath_ms) >= SCAN_MS:
            self._breath_ms = now
            self.keypad.step()
            if ticks_diff(now, self._supervised_ms) < MERCHANT_SILENT_MS:
                self.boot_info.watchdog.feed()

    async def _merchant(self):
        while True:
            gc.collect()
            if not self.catalogue.products and not self.till.unfinished():
                self.ui.tell(self.words("service"), self.words("s_catalogue"))
                await self.ui.key("", 1000)
                continue
            await session(self)

    async def _status(self):
        while True:
            _, percent, charging = self.battery.read()
            word = ("offline", "searching", "online")[self.network]
            self.screen.status(
                self.signal if self.modem.registered else 99,
                self.words(word),
                self.till.unsynced_count,
                percent,
                charging,
            )
            self.now()
            await asyncio.sleep_ms(STATUS_MS)

    # radio

    async def _radio(self):
        sync_due_ms = ticks_ms()
        while True:
            self._radio_alive_ms = ticks_ms()
            if self.modem.attached and not self.modem.registered:
                # out of coverage with the data context still up: asking costs no airtime
                self.network = OFFLINE
                await self._sleep(FIRST_PAUSE_MS)
                await self.look()
                continue
            if not self.modem.attached or self.network != ONLINE:
                if self.network == ONLINE:  # it was, till the context went: no sale counts on it
                    self.network = SEARCHING if self.modem.registered else OFFLINE
                try:
                    await self.modem.connect(self.config.apn)
                except ModemError:
                    self.network = OFFLINE
                    await self._sleep(self.modem.retry_ms)
                    continue
            try:
                if self.network != ONLINE or ticks_diff(ticks_ms(), self._check_in_due_ms) >= 0:
                    self._check_in_due_ms = ticks_add(ticks_ms(), self.config.poll_s * 1000)
                    await self._check_in()
                    sync_due_ms = ticks_ms()
                if ticks_diff(ticks_ms(), sync_due_ms) >= 0:
                    await sync.sync(self.journal, self.messenger, self.till)
                    sync_due_ms = ticks_add(ticks_ms(), self.config.sync_s * 1000)
                await self.look()
            except NO_ANSWER as error:
                log("radio", str(error))
                self.network = OFFLINE
                await self._sleep(self._pause_ms)
                self._pause_ms = min(2 * self._pause_ms, LONGEST_PAUSE_MS)
                continue
            self._pause_ms = FIRST_PAUSE_MS
            await self._sleep(min(SIGNAL_MS, self.config.sync_s * 1000))

    async def _sleep(self, ms):
        try:
            await asyncio.wait_for_ms(self._wake.wait(), ms)
        except asyncio.TimeoutError:
            pass
        self._wake.clear()

    async def _check_in(self):
        boot = self.boot_info
        failure = boot.last_failure
        told = [failure["release"], failure["reason"]] if failure else self.updates.refusal
        status = {
            1: self.now(),
            2: boot.release,
            3: boot.slot,
            4: boot.trial,
            5: boot.boot_count,
            6: self.battery.mv,
            7: self.signal,
            8: told,
        }
        if self.updates.waits:
            status[12] = self.updates.waits
        files = dict(self.files.refused)
        if files != self._told:
            status[11] = [[name, files[name]] for name in sorted(files)]
        reply = await sync.check_in(self.journal, self.messenger, self.till, status)
        self._told = files
        self.network = ONLINE
        self.clock.set(reply[1])
        set_rtc(self.board.rtc, reply[1])
        self.message = reply.get(4)
        if failure:
            _record(boot.control.clear_failure)
            boot.last_failure = None
        else:
            self.updates.reported(told)
        if not self._checked_in:
            self._checked_in = True
            _record(boot.control.running_well)
            log("radio", "server reached, time {}".format(reply[1]))
        waiting = [n for n in reply[5] if "stock/%d" % n not in files]
        try:
            sync.stop_batches(self.journal, reply.get(6, ()))
            new = await sync.fetch_stock(
                self.journal, self.messenger, self.stock, waiting, self._refused_batch
            )
            if new:
                log("radio", "{} new batches".format(new))
        except JournalFull as error:
            log("radio", "stock: " + str(error))

    def _refused_batch(self, batch_id, why):
        log("radio", "batch {}: {}".format(batch_id, why))
        self.files.refuse("stock/%d" % batch_id, why)
        self._check_in_due_ms = ticks_ms()  # told at once, so that a person hears of it

    async def _updates(self):
        while not self._checked_in:
            await asyncio.sleep_ms(500)
        while True:
            pause_s = await self.updates.run_once()
            await asyncio.sleep_ms(int(pause_s * 1000))

    # a release on trial

    async def _self_test(self):
        boot = self.boot_info
        slots = boot.control.state.slots
        deadline_ms = slots[boot.slot].selftest_deadline_s * 1000
        # The first release of a terminal has nothing to give way to: it waits for its network.
        way_back = slots[OTHER[boot.slot]].state in ("good", "ready")
        started = ticks_ms()
        await self._walk_journal()
        missing = "keypad"
        while missing:
            missing = self._missing()
            late = way_back and ticks_diff(ticks_ms(), started) > deadline_ms
            if missing and late and not self.selling:
                raise SelfTestFailed("self-test: no " + missing)
            await asyncio.sleep_ms(500)
        # the printer may be mute, out of paper or switched off: that is no fault of a release
        log("test", "printer " + await self.printer.status())
        boot.control.confirm()
        boot.trial = False
        # the server learns it at once; whether it does changes nothing here
        self._check_in_due_ms = ticks_ms()
        self._wake.set()
        log("test", "release {} confirmed".format(boot.release))

    async def _walk_journal(self):
        count = 0
        for _ in self.journal.records(self.journal.oldest):
            count += 1
            if count % 32 == 0:
                await asyncio.sleep_ms(1)
        log("test", "{} records, {} spoiled".format(count, self.journal.unreadable))

    def _missing(self):
        """What has not shown yet that it works; None when everything has."""
        if self.keypad.any_down():
            return "keypad at rest"
        if not self.modem.registered:
            return "network"
        return None if self._checked_in else "check-in"


def _record(change):
    # A boot record that is not taken costs a word told twice, or a count; selling goes on.
    try:
        change()
    except (ControlError, OSError) as error:
        log("main", "boot records: " + str(error))


def _modem_log(text):
    log("radio", text.replace("modem: ", ""))


def _update_log(text):
    log("update", text)


async def out_of_service(board, boot_info, screen, words, key):
    """Say why this terminal cannot work, and keep it alive for the technician."""
    from firmware.ui.canvas import wrap

    screen.page(words("service"), wrap(words(key), 126), ())
    _console = asyncio.create_task(serve(board, boot_info))
    while not _console.done():
        boot_info.watchdog.feed()
        await asyncio.sleep_ms(FEED_MS)
