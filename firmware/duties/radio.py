"""The way to the server: data service kept up, a check-in when it is due, the journal sent on."""

from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from firmware import lent
from firmware.bell import NOBODY_LOOKS_MS
from firmware.duties.apart import apart
from firmware.duties.check_in import take_notices
from firmware.log import log
from firmware.net.link import OFFLINE, ONLINE, SEARCHING
from firmware.net.modem.errors import ModemError
from firmware.office.messenger import BadReply, NoNetwork, ServerRefused
from firmware.sales.away import must_wipe
from firmware.sales.journal import JournalFull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.duties.check_in import CheckIn
    from firmware.duties.parts import Parts

NO_ANSWER = (NoNetwork, BadReply, ServerRefused)
_SYNC = "firmware.office.sync"
_WINDOWS = "firmware.office.windows"
_SMS_BOX = "firmware.office.sms_box"
_FOR_SMS = ("firmware.net.modem.sms", "firmware.office.by_sms", "firmware.office.ask")
_SIGNAL_MS = const(60000)
_FIRST_PAUSE_MS = const(5000)
_SEEK_MS = const(40000)
"""So seldom an idle terminal out of coverage looks whether there is a cell; a key makes it look."""
_LONGEST_PAUSE_MS = const(300000)
_LONGEST_ALONE_MS = const(3600000)
"""Between two questions that nobody answers: each costs its airtime, and who signs in has it asked
at once.
"""
_ASKED_MS = const(600000)
"""So long after its start a terminal that is away for too long wipes its stock."""
_ADRIFT_MS = const(120000)
"""So long without a network is a data context still believed in."""


class Radio:
    """`alive_ms`: ticks of the last sign of life, for the supervisor."""

    def __init__(self, terminal: "Parts", check_in: "CheckIn") -> None:
        self._terminal = terminal
        self._check_in = check_in
        self._pause_ms = _FIRST_PAUSE_MS
        self._adrift_ms = 0
        self._sync_due_ms = ticks_ms()
        self.alive_ms = ticks_ms()
        self._asked_from_ms = ticks_ms()
        self._has_asked = self._was_open = False

    async def run(self) -> None:
        """Keep the server and this terminal in touch, for ever."""
        terminal = self._terminal
        link = terminal.link
        while True:
            self.alive_ms = ticks_ms()
            self._look_at_policy()
            if link.modem.sms_waiting and link.modem.registered and terminal.messenger.sms_to:
                await self._read_sms()
            if link.modem.attached and not link.modem.registered:
                # out of coverage with the data context still up: asking costs no airtime
                link.state = OFFLINE
                pause_ms = _FIRST_PAUSE_MS if self._is_watched() else _SEEK_MS
                self._adrift_ms += pause_ms
                if self._adrift_ms > _ADRIFT_MS:
                    self._adrift_ms = 0
                    link.modem.attached = False  # the search for a network has bounds, this has not
                    continue
                await terminal.supervisor.rest(link.rest(pause_ms))
                await link.look()
                continue
            self._adrift_ms = 0
            if not await self._is_connected():
                continue
            try:
                await self._speak()
                await link.look()
            except NO_ANSWER as error:
                log("radio", str(error))
                link.lost()
                await self._pause()
                continue
            self._pause_ms = _FIRST_PAUSE_MS
            alone = not self._is_watched()
            look_ms = NOBODY_LOOKS_MS if alone else _SIGNAL_MS
            texts = bool(terminal.messenger.sms_to)
            look_ms = min(look_ms, terminal.config.sync_s * 1000)
            await terminal.supervisor.rest(link.watch(look_ms, alone, texts))

    async def _pause(self) -> None:
        """Nobody answered: wait, each time twice as long, till somebody is in a hurry or a short
        message has come.
        """
        terminal = self._terminal
        link = terminal.link
        most_ms = _LONGEST_PAUSE_MS if self._is_watched() else _LONGEST_ALONE_MS
        left_ms = apart(min(self._pause_ms, most_ms), terminal.board.random)
        self._pause_ms = min(2 * self._pause_ms, _LONGEST_ALONE_MS)
        while True:
            self.alive_ms = ticks_ms()
            step_ms = min(left_ms, _LONGEST_PAUSE_MS)
            left_ms -= step_ms
            if await terminal.supervisor.rest(link.rest(step_ms)) or left_ms <= 0:
                return
            await link.look()
            if link.modem.sms_waiting and terminal.messenger.sms_to:
                return

    def _look_at_policy(self) -> None:
        """Wipe the stock of a terminal that was away for too long. What a clock that went wrong
        says is put right by the server first: it has some minutes.
        """
        terminal = self._terminal
        state = terminal.journal.state
        if not self._has_asked:
            self._has_asked = ticks_diff(ticks_ms(), self._asked_from_ms) >= _ASKED_MS
        if not self._has_asked or not must_wipe(terminal.catalogue, state, terminal.now()):
            return
        is_open = bool(state.unfinished)  # its file stays till it has its end
        if is_open or self._was_open or not terminal.memory.get("wiped", False):
            self._was_open = is_open
            self._check_in.wipe()
            terminal.memory.put("wiped", True)

    async def _read_sms(self) -> None:
        """See to what lies on the card; a word of the office has it asked what holds now."""
        terminal = self._terminal
        try:
            box = lent.load(_SMS_BOX, _FOR_SMS).Box(
                terminal.messenger, terminal.till, terminal.memory
            )
            await box.read(terminal.now())
            if box.asks:
                self._check_in.hurry()
        except (ModemError, JournalFull, MemoryError) as error:
            log("radio", str(error))
        finally:
            box = None  # it keeps its module alive
            lent.give_back((_SMS_BOX,) + _FOR_SMS)

    def _is_watched(self) -> bool:
        return self._terminal.ui.idle_ms() < NOBODY_LOOKS_MS

    def _sells_by_sms(self) -> bool:
        """Whether somebody may want to sell by short message now: the whole ladder found no data,
        and climbing it again would take the network away that is there.
        """
        terminal = self._terminal
        is_without_data = terminal.link.modem.trouble == "no_gprs"
        return is_without_data and bool(terminal.messenger.sms_to) and self._is_watched()

    async def _is_connected(self) -> bool:
        """Whether data service is up, after an attempt to bring it up where it is not."""
        terminal = self._terminal
        link = terminal.link
        modem = link.modem
        if modem.attached and link.state == ONLINE:
            return True
        if link.state == ONLINE:  # it was, till the context went: no sale counts on it
            link.state = SEARCHING if modem.registered else OFFLINE
        try:
            config = terminal.config
            await modem.connect(config.apn, config.apn_login, self._sells_by_sms())
        except ModemError:
            link.lost()
            await terminal.supervisor.rest(link.rest(modem.retry_ms))
            return False
        return True

    async def _speak(self) -> None:
        """Check in and send the journal, each when it is due."""
        terminal = self._terminal
        has_checked_in = False
        if terminal.link.state != ONLINE or self._check_in.is_due():
            await self._check_in.run()
            self._sync_due_ms = ticks_ms()
            has_checked_in = True
        if ticks_diff(ticks_ms(), self._sync_due_ms) >= 0:
            # Many settlements go after a check-in; few wait, as the server compares without them.
            try:
                sync = lent.load(_SYNC, (_WINDOWS,))
                await sync.sync(terminal.journal, terminal.messenger, terminal.till, has_checked_in)
                take_notices(terminal)
            finally:
                lent.give_back((_SYNC, _WINDOWS))
            self._sync_due_ms = ticks_add(ticks_ms(), terminal.config.sync_s * 1000)
