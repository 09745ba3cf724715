"""One terminal at work: its parts put together, and what flows may ask of it; made by `main`."""

import asyncio
import gc

from bootloader.shared.compat import const
from bootloader.shared.cose import derive_keys
from bootloader.shared.hashes import hkdf_sha256
from firmware import lent
from firmware.clock import Clock, unix_seconds
from firmware.drivers.battery import Battery
from firmware.drivers.buzzer import ALL, Buzzer
from firmware.drivers.keypad import Keypad
from firmware.drivers.printer import Printer
from firmware.duties import status_bar
from firmware.duties.apart import apart
from firmware.duties.check_in import CheckIn
from firmware.duties.radio import NO_ANSWER, Radio
from firmware.duties.supervisor import Supervisor
from firmware.flows.session import sessions
from firmware.kept.files import Kept
from firmware.log import log
from firmware.net.http_client import HttpClient
from firmware.net.link import Link
from firmware.net.modem.driver import Modem
from firmware.office.messenger import Messenger, http_post
from firmware.sales.catalogue import Catalogue, CatalogueError, load
from firmware.sales.journal import Journal
from firmware.sales.stock import Stock
from firmware.sales.till import Till
from firmware.service.console import serve
from firmware.ui.dialogs import Dialogs
from firmware.ui.money_and_dates import money
from firmware.update.client import UpdateClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.kept.config import Config
    from firmware.kept.memory import Memory
    from firmware.office.look_up import Answer
    from firmware.sales.sale import Sale
    from firmware.ui.screen import Screen
    from firmware.ui.texts import Words
    from firmware.update.gate import GateFacts

MODEM_BAUD = 115200
PRINTER_BAUD = 9600

# How much is allocated between sweeps while an update is made, as at the start: what others keep
# meanwhile would lie scattered over all the room that it needs, and leave no piece for a window.
_UPDATE_SWEEP_BYTES = const(4096)
_PRICES = "/data/catalogue.json"
_WINDOWS = "firmware.office.windows"
_NOTICES = "firmware.kept.notices"
_NOTHING_TO_SELL = (
    b'{"version": 1, "currency": "XXX", "minor_digits": 2, "products": [], "offline":'
    b' {"max_amount_minor": 0, "max_count": 0, "max_total_minor": 0, "max_age_s": 0}}'
)


class Terminal:
    """Flows know it as `firmware.flows.desk.Desk`, duties as `firmware.duties.parts.Parts`.

    `message`: the server's last text for the merchant, or None. `unread`: notices that nobody read
    yet. `selling`: a flow is open.
    """

    second_ms = 1000

    def __init__(
        self,
        board: "Board",
        boot_info: "BootInfo",
        config: "Config",
        memory: "Memory",
        words: "Words",
        screen: "Screen",
        files: Kept | None = None,
    ) -> None:
        """Put the parts together; nothing waits here.

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
        self.terminal_id = boot_info.identity.terminal_id.hex()
        self.message: str | None = None
        self.selling = False
        self._open_books()
        self.battery = Battery(board)
        self.keypad = Keypad(board.keypad_rows, board.keypad_columns)
        self.printer = Printer(board.uart("printer", PRINTER_BAUD), PRINTER_BAUD)
        self.ui = Dialogs(screen, self.keypad, Buzzer(board, memory.get("sound", ALL)), words)
        self._reach_out()
        self.check_in = CheckIn(self)
        self.updates.on_restart = self.check_in.run
        self.radio = Radio(self, self.check_in)
        self.supervisor = Supervisor(board, boot_info, self.keypad, self.ui, self.radio)

    def _open_books(self) -> None:
        """Clock, journal, stock, till and price list."""
        board = self.board
        boot = self.boot_info
        who = boot.identity
        self.clock = Clock()
        # A simulated board says nothing of its heap: that is its host's.
        windows = lent.load(_WINDOWS)
        windows.begin(boot.release, self.clock.now, getattr(board, "heap_free", int))
        self.journal = Journal(board.partitions["journal"], self.clock.now)
        self.journal.mount()
        hint = unix_seconds(board.rtc.datetime())
        is_blind = self.clock.start(hint, self.journal.state.time_seen)
        if boot.reset_cause in ("soft", "watchdog"):
            is_blind = False  # it was never off
        self._keys = derive_keys(who.device_key, who.terminal_id)
        self.stock = Stock(self._keys.stock)
        self.catalogue = self._read_catalogue()
        self.till = Till(self.journal, self.stock, self.catalogue, self._keys, self.clock.now)
        self.till.booted(boot.boot_count, boot.release, boot.reset_cause, is_blind)

    def _reach_out(self) -> None:
        """Modem, link, messenger and update client."""
        board = self.board
        boot = self.boot_info
        config = self.config
        who = boot.identity
        modem = Modem(board.uart("modem", MODEM_BAUD), board.modem_power_key, _modem_log)
        self.link = Link(modem)
        self.http = HttpClient(modem, config.host, config.port)
        self.http.told = modem.outcome
        self.messenger = Messenger(
            self._keys, who.terminal_id, boot.boot_count, http_post(self.http), board.random(4)
        )
        self.messenger.client = self.http
        self.messenger.random = board.random
        self.messenger.device_key = who.device_key
        self.messenger.sms_to = self.memory.get("sms_to", "")
        self.messenger.notice, self.unread = lent.load(_NOTICES).standing()
        lent.give_back((_NOTICES,))
        self.till.blocked = self.memory.get("held", False)
        self.till.stolen = self.memory.get("stolen", False)
        self.stock.wiped_through = self.memory.get("wiped_through", 0)
        self.updates = UpdateClient(
            self.http,
            board,
            boot,
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
        self.messenger.on_newest = self.updates.newest.told
        lent.at_hand(_WINDOWS).started(boot, self.updates.record)
        lent.give_back((_WINDOWS,))

    # what the flows ask

    def now(self) -> int:
        """Unix seconds, 0 if unknown."""
        return self.clock.now()

    def money(self, amount_minor: int) -> str:
        """An amount as people write it, without the currency."""
        return money(amount_minor, self.catalogue.minor_digits)

    def price(self, amount_minor: int) -> str:
        """An amount with its currency."""
        return self.catalogue.currency + " " + self.money(amount_minor)

    async def fetch_voucher(self, sale: "Sale", by_sms: bool = False) -> str | None:
        """Ask the server for the voucher of `sale`: "" when the till holds it, the code of a
        refusal, or None when no answer came. `by_sms`: with a short message, which is paid for.
        """
        name = "firmware.office.ask"
        module = lent.load(name)
        self.till.under_way = sale.sequence
        try:
            found: str | None = await self._asked(
                module.ask(self.messenger, self.till, sale, by_sms)
            )
            return found
        finally:
            self.till.under_way = 0
            lent.give_back((name,))

    async def look_up(self, product_id: str, recipient: str, amount_minor: int) -> "Answer | None":
        """Ask the server who a meter or a reference belongs to; None when no answer came."""
        name = "firmware.office.look_up"
        module = lent.load(name)
        question = module.look_up(self.messenger, product_id, recipient, amount_minor)
        try:
            found: Answer | None = await self._asked(question)
            return found
        finally:
            lent.give_back((name,))

    async def _asked(self, question: "Awaitable[Any]") -> "Any":
        self.http.sales += 1  # downloads stand aside
        try:
            return await question
        except NO_ANSWER as error:
            log("sale", "no answer: {}".format(error))
            self.link.lost()
            self.link.hurry()
            return None
        finally:
            self.http.sales -= 1

    async def hear(self) -> None:
        """Return once the office has said anew how this terminal stands."""
        await self.check_in.hear()

    def new_catalogue(self) -> None:
        """Read the price list anew; the till sells by it from now on."""
        self.catalogue = self.till.catalogue = self._read_catalogue()

    def _read_catalogue(self) -> Catalogue:
        """The price list; without one there is nothing to sell, but everything else works."""
        try:
            catalogue: Catalogue = self.files.load(load, _PRICES)
        except CatalogueError:
            catalogue = Catalogue(_NOTHING_TO_SELL)
        why = self.files.refused.get("catalogue.json")
        if why:
            log("main", why)
        return catalogue

    # what the update client asks

    def gate_facts(self) -> "GateFacts":
        """Whether a switch to another release would disturb anyone."""
        return {
            "open_sale": self.selling or self.printer.busy,
            "idle_s": self.ui.idle_ms() // 1000,
            "battery_mv": self.battery.read()[0],
            "unsynced_records": self.till.unsynced_count,
        }

    # the tasks

    async def run(self) -> None:
        """Run all tasks until one of them fails; raises what it raised."""
        always = [self.keypad.run(), serve(self.board, self.boot_info, self)]
        selling = [sessions(self), self.radio.run(), self._updates(), status_bar.show(self)]
        if self.boot_info.trial:
            from firmware.duties.trial import prove

            selling.append(prove(self, self.check_in))
        gc.collect()
        log("main", "{} bytes of heap free".format(gc.mem_free()))
        await self.supervisor.run(always, selling)

    async def _updates(self) -> None:
        while not self.check_in.done:
            await asyncio.sleep_ms(500)
        while True:
            sweep_at = gc.threshold()
            gc.threshold(_UPDATE_SWEEP_BYTES)
            pause_s = await self.updates.run_once()
            gc.threshold(sweep_at)
            pause_ms = apart(int(pause_s * 1000), self.board.random)
            await self.supervisor.rest(self.updates.newest.rest(pause_ms))


def _modem_log(text: str) -> None:
    log("radio", text.replace("modem: ", ""))


def _update_log(text: str) -> None:
    log("update", text)
