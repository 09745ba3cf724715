"""Telling the server how this terminal is, and doing what its answer says."""

import asyncio

from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from bootloader.shared.control import ControlError
from firmware import counts, lent
from firmware.clock import set_rtc
from firmware.duties.apart import apart
from firmware.log import log
from firmware.sales.journal import JournalFull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.duties.parts import Parts
    from firmware.office.check_in import Answer

_SYNC = "firmware.office.sync"
_CHECK_IN = "firmware.office.check_in"
_STOCK = "firmware.office.stock_delivery"
_WINDOWS = "firmware.office.windows"
_NOTICES = "firmware.kept.notices"
_CONFIG = "/data/config.json"
_LOG_ERRORS = const(22)
_NO_ROOM_MESSAGES = const(32)
"""About a day's: so often what could not be kept is told again."""


class CheckIn:
    """`done`: the server has been reached since the start."""

    def __init__(self, terminal: "Parts") -> None:
        self._terminal = terminal
        self._due_ms = ticks_ms()
        self._told: dict[str, str] | None = None  # the refused files that the server knows of
        self.done = False
        if not terminal.boot_info.trial:  # that one shows that it has the road of the next release
            terminal.messenger.coap_port = terminal.memory.get("coap_port", 0)
        self._heard = asyncio.Event()

    def is_due(self) -> bool:
        """Whether it is time for the next one."""
        return ticks_diff(ticks_ms(), self._due_ms) >= 0

    def hurry(self) -> None:
        """Something has happened that the server is to hear of at once."""
        self._due_ms = ticks_ms()

    async def hear(self) -> None:
        """Return once the server has answered a check-in from now on; for ever, without network."""
        self._heard.clear()
        self.hurry()
        self._terminal.link.hurry()
        await self._heard.wait()

    async def run(self, restarts: int = 0) -> None:
        """Check in once. `restarts`: the release that the terminal starts into now.

        Raises:
            NoNetwork, BadReply, ServerRefused: the server does not know; said again next time.
        """
        terminal = self._terminal
        self._due_ms = ticks_add(
            ticks_ms(), apart(terminal.config.poll_s * 1000, terminal.board.random)
        )
        boot = terminal.boot_info
        failure = boot.last_failure
        told: list[int | str] | None = terminal.updates.refusal
        if failure:
            told = [failure["release"], failure["reason"]]
        files = dict(terminal.files.refused)
        now, terminal.message, waiting, recalled = await self._ask(told, files, restarts)
        self._told = files
        take_notices(terminal)
        self._heard.set()
        terminal.link.reached()
        self._remember()
        terminal.clock.set(now)
        set_rtc(terminal.board.rtc, now)
        if failure:
            _record(boot.control.clear_failure)
            boot.last_failure = None
        else:
            terminal.updates.reported(told)
        if not self.done:
            self.done = True
            _record(boot.control.running_well)
            log("radio", "server reached, time {}".format(now))
        if terminal.till.stolen:
            self.wipe()
        elif not restarts:
            waiting = [n for n in waiting if "stock/%d" % n not in files]
            await self._stock(waiting, recalled)

    def _remember(self) -> None:
        """What the office said holds after a restart without a network, too."""
        terminal = self._terminal
        memory = terminal.memory
        messenger = terminal.messenger
        till = terminal.till
        told: tuple[tuple[str, Any], ...] = (
            ("sms_to", messenger.sms_to),
            ("coap_port", messenger.coap_port),
            ("held", till.blocked),
            ("stolen", till.stolen),
            ("wiped", False),
        )
        for name, says in told:
            if memory.get(name, type(says)()) != says:
                memory.put(name, says)

    async def _ask(
        self, told: list[int | str] | None, files: dict[str, str], restarts: int
    ) -> "Answer":
        """What the server answers to how this terminal is."""
        terminal = self._terminal
        boot = terminal.boot_info
        changed = files != self._told
        try:
            check_in = lent.load(_CHECK_IN, (_WINDOWS, _SYNC))
            status = check_in.status(
                time=terminal.now(),
                release=boot.release,
                slot=boot.slot,
                trial=boot.trial,
                boot_count=boot.boot_count,
                battery_mv=terminal.battery.mv,
                signal=terminal.link.signal,
                failure=told,
                files=[[name, files[name]] for name in sorted(files)] if changed else None,
                waits=terminal.updates.waits,
                restarts=restarts,
                runs=None if self.done else check_in.runs(boot, terminal.files.in_use(_CONFIG)),
            )
            answer: Answer = await check_in.check_in(
                terminal.journal, terminal.messenger, terminal.till, status
            )
            return answer
        finally:
            lent.give_back((_CHECK_IN, _SYNC, _WINDOWS))

    async def _stock(self, waiting: list[int], recalled: list[int]) -> None:
        """Fetch the batches that wait, and sell no more from those that were recalled."""
        terminal = self._terminal
        try:
            stock_delivery = lent.load(_STOCK)
            stock_delivery.stop_batches(terminal.journal, recalled)
            new = await stock_delivery.fetch_stock(
                terminal.journal, terminal.messenger, terminal.stock, waiting, self._refused_batch
            )
            if new:
                log("radio", "{} new batches".format(new))
        except JournalFull as error:
            log("radio", "stock: " + str(error))
        finally:
            lent.give_back((_STOCK,))

    def wipe(self) -> None:
        """Wipe the stock; a file that cannot be removed is tried again at the next occasion."""
        terminal = self._terminal
        stock = terminal.stock
        stock.wiped_through = max(list(terminal.journal.state.batches) + [stock.wiped_through])
        terminal.memory.put("wiped_through", stock.wiped_through)
        try:
            if lent.load(_STOCK).wipe(terminal.journal, stock):
                log("radio", "stock wiped")
        finally:
            lent.give_back((_STOCK,))

    def _refused_batch(self, batch_id: int, why: str) -> None:
        log("radio", "batch {}: {}".format(batch_id, why))
        self._terminal.files.refuse("stock/%d" % batch_id, why)
        self.hurry()  # told at once, so that a person hears of it


def take_notices(terminal: "Parts") -> None:
    """Keep what the last answer told the merchant."""
    messenger = terminal.messenger
    told = messenger.notices
    if told:
        messenger.notices = None
        try:
            before = messenger.notice
            messenger.notice, terminal.unread, is_left = lent.load(_NOTICES).take(told)
            if messenger.notice == before:  # it would be told with each answer, in vain
                if is_left:
                    messenger.no_room = _NO_ROOM_MESSAGES
                else:
                    messenger.notice_told = -1  # an office that was put back has not heard of it
        finally:
            lent.give_back((_NOTICES,))


def _record(change: "Callable[[], None]") -> None:
    # A boot record that is not taken costs a word told twice, or a count; selling goes on.
    try:
        change()
    except (ControlError, OSError) as error:
        counts.add(_LOG_ERRORS)
        log("main", "boot records: " + str(error))
