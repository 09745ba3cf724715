"""The update client: poll, verify, download, expand, wait for the gate, switch, in this order. What
may be trusted is decided by `bootloader.shared.tuf`, what may run by `bootloader.shared.release`.

Any step can be cut and repeated: metadata is stored by rename and only once verified, the payload
is resumed from what flash holds, and a slot counts for nothing until `start_trial` names it.
An expired signature stops installing, never fetching newer metadata.

At rest only this, `record`, `last_look` and `server` lie in the heap; `pieces` brings the rest.
"""

import asyncio

from bootloader.shared.compat import collect, const, sleep_ms
from firmware import counts
from firmware.kept.files import Kept, exists
from firmware.kept.store import Store
from firmware.lent import at_hand, give_back, load
from firmware.net.http import HttpError

from .errors import Interrupted, Missing, SaleFirst, StorageError, Untrusted
from .last_look import LastLook
from .newest import Newest
from .record import LONGEST_PAUSE_S, Record
from .server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.net.http_client import HttpClient

    from .found import Found
    from .gate import GateFacts
    from .offer import Offer
    from .record import Refusal
    from .taken import Taken

_PIECES = "firmware.update.pieces"
_PRICES = "catalogue.json"
_RETRY_S = const(30)
_LONGEST_RETRY_S = const(3600)
_GATE_S = const(5)
# A heap frays with the days, and only a start mends it: after so many runs in a row that found no
# room, and nobody at the terminal for so long.
_RUNS_WITHOUT_ROOM = const(3)
_NOBODY_THERE_S = const(600)
_LOG_ERRORS = const(22)
_OURS = ("memory", "storage")  # faults, of which none is the network's or the merchant's
# What may be this terminal's flash or somebody on the way, and not the release's fault.
_NOT_ITS_FAULT = ("payload_hash", "image_hash", "storage", "control")


class UpdateClient:
    """`run_once()` is called again and again; what it returns says when.

    http: an `HttpClient`. catalogue: the target of the price list. time_s(): trusted Unix seconds,
    0 if unknown. gate_facts(): as `gate_blocks` takes. on_catalogue(): a new `catalogue.json` was
    stored. data: the mounted data partition's path. note_key: what the note of verified files is
    sealed with; without one, they are verified with every refresh. files: the `Kept` that knows
    what is refused. Set beside: `on_restart(release)` tells the server that the terminal starts
    into that release now, or raises as `Messenger.exchange`.

    For the check-in: `refusal` is None or [release, reason]; `waits` None or [release or 0, code].
    """

    def __init__(
        self,
        http: "HttpClient",
        board: "Board",
        boot_info: "BootInfo",
        channel: str,
        catalogue: str,
        poll_s: int,
        log: "Callable[[str], object]",
        time_s: "Callable[[], int]",
        gate_facts: "Callable[[], GateFacts]",
        on_catalogue: "Callable[[], object] | None" = None,
        data: str = "/data",
        note_key: bytes | None = None,
        files: Kept | None = None,
    ) -> None:
        self.server = Server(http)
        self._board = board
        self._boot = boot_info
        self._channel = channel
        self._catalogue = catalogue
        self._poll_s = poll_s
        self._log = log
        self._time_s = time_s
        self._gate_facts = gate_facts
        self._on_catalogue = on_catalogue
        self._note_key = note_key
        self._kept = files or Kept(False)
        self._trust = Store(data + "/trust")
        self._files = Store(data)
        self.record = Record(self._files, log, time_s)
        self.record.learn(boot_info)
        self._last = LastLook(self.record, self._trust, self._files, time_s, self._circumstances)
        self.offer: Offer | None = None
        self._retry_s = _RETRY_S
        self._full = 0  # runs in a row that found no room in flash
        self._cramped = 0  # and in the heap
        self._asked_s = 0
        self._news: Found | None = None  # what came and found no room yet
        self.newest = Newest(time_s, 2 * poll_s)
        self._why: str | None = None
        self.waits: list[int | str] | None = None
        self.on_restart: Callable[[int], Awaitable[None]] | None = None

    @property
    def refusal(self) -> "Refusal | None":
        """The release that was refused and why, until the server was told."""
        return self.record.refusal

    def reported(self, refusal: "Refusal | None") -> None:
        """The server accepted a check-in that told of `refusal`."""
        self.record.reported(refusal)

    def news(self, language: str) -> str:
        """What a release says to the merchant, in `language` or else in English; or ""."""
        if self.offer and not self.offer.sham:
            return self.offer.release.merchant_text(language)
        return self.record.news.get(language) or self.record.news.get("en") or ""

    def _circumstances(self) -> tuple[object, ...]:
        """All but files that decides what a look leads to."""
        security_version = self._boot.control.state.security_version
        who = (self._channel, self._catalogue, self._boot.release)
        return who + (security_version, self._board.BOOTLOADER_VERSION)

    # One run

    async def run_once(self) -> int:
        """Do what can be done now. Returns the seconds until the next call; does not return when
        the terminal switches to a new release (`board.reset`).
        """
        self._why = None
        seconds = self._poll_s
        try:
            seconds = await self._run()
            self._retry_s = _RETRY_S
            self._full = self._cramped = 0
        except Untrusted as error:
            self._why = error.why
            self._log("metadata refused: " + str(error))
        except SaleFirst:
            self._why = "gate_sale"
            seconds = min(_GATE_S, self._poll_s)
        except (HttpError, Missing, Interrupted) as error:
            if isinstance(error, (Interrupted, Missing)):
                why = getattr(error, "why", None)
                self._why = why or ("payload" if self.offer else "metadata")
            elif self.offer:
                self._why = "link"
            self._log("update waits: " + str(error))
            seconds = min(self._retry_s, self._poll_s)
            self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S)
        except (OSError, StorageError) as error:
            self._why = "storage"
            self._log("update storage: " + str(error))
            # What came could not be kept, and would have to come again: not at every poll.
            seconds = min(self._poll_s << min(self._full, 8), LONGEST_PAUSE_S)
            self._full += 1
        except MemoryError:
            # An update that finds no room now must not end the merchant's day.
            self._why = "memory"
            self._log("update waits: no memory")
            self._cramped += 1
            if self.offer:
                # The next look finds it anew, and what came of it is in flash; now it takes room.
                self.offer = None
                self.record.pending = True
        finally:
            offer = self.offer
            number = 0 if offer is None or offer.sham else offer.release.release
            self.waits = [number, self._why] if self._why else None
            counts.add(_LOG_ERRORS, self._why in _OURS)
            collect()
        if self._cramped >= _RUNS_WITHOUT_ROOM:
            self._make_room()
        return seconds

    def _make_room(self) -> None:
        """Start anew, where that disturbs nobody; on trial it is for the trial to judge."""
        facts = self._gate_facts()
        if self._boot.trial or facts["open_sale"] or facts["idle_s"] < _NOBODY_THERE_S:
            return
        self._log("starting anew, for room")
        self._board.reset()

    async def _run(self) -> int:
        # What is ready and waits for its moment needs the server no more often than else.
        is_sure = False
        if self.offer and self.offer.is_ready:
            is_sure = not self._gate_closed(self.offer)
            if not is_sure and 0 < self._time_s() - self._asked_s < self._poll_s:
                return min(_GATE_S, self._poll_s)
        await self._poll(is_sure)
        if self.offer is None:
            return self._poll_s
        return await self._install(self.offer, is_sure and self.offer.is_ready)

    async def _poll(self, is_sure: bool = False) -> None:
        """Nothing where the server's last answer named what is here, else one request, with a
        condition if it may; when anything is new, the workflow of TUF, section 5. With `is_sure`
        nothing that anybody could have answered before is believed.
        """
        if self._is_at_work():
            raise SaleFirst
        try:
            news, self._news = self._news, None
            if news is None or is_sure:
                news = await self._ask(is_sure)
            is_whole = True
            if news and news.is_any:
                is_whole = await self._look(news)
                self._last.note(news.told, is_whole)
            self._asked_s = self._time_s()
        finally:
            self._tidy()

    async def _ask(self, is_sure: bool) -> "Found | None":
        """What the server says is new; None, or nothing in it, if that is nothing."""
        tag = "" if is_sure or self._must_look() else self._last.tag()
        if self.newest.has(tag):
            return None
        by = (self.server, self._trust, self._channel, self._time_s, tag, self.record.coded)
        news: Found = await load("firmware.update.news", ("firmware.update.found",)).ask(*by)
        give_back(("firmware.update.news",))
        return news

    def _tidy(self) -> None:
        at_hand(_PIECES).tidy(self.offer)

    def _must_look(self) -> bool:
        """Whether the answer "nothing new" would leave something undone that can be done."""
        if self.offer is None:
            if self.record.pending:
                return True  # the reset took what was known of it
        elif self._time_s() >= self.offer.fresh_until_s:
            return True
        is_usable = _PRICES not in self._kept.refused and exists(self._files.path(_PRICES))
        return not is_usable and not self.record.unread_prices

    def _is_at_work(self) -> bool:
        return self._gate_facts()["open_sale"]

    async def _stand_aside(self) -> None:
        """Let others work. Raises SaleFirst where a merchant has begun something meanwhile."""
        await sleep_ms(0)
        if self._is_at_work():
            raise SaleFirst

    async def _look(self, news: "Found") -> bool:
        """Take in all that is new. Whether nothing is left to be asked for again. What came is not
        lost where the heap has no room for it now.
        """
        try:
            is_whole = await self._take_in(news)
        except Untrusted as error:
            news.mistrust(error)
            raise
        except (SaleFirst, MemoryError):
            self._news = news
            raise
        news.end()
        return is_whole

    async def _take_in(self, news: "Found") -> bool:
        """Metadata, prices, then what to run; as `_look`."""
        taken, is_whole = await self._verified(news)
        # What verified makes room. The event loop's frame keeps the task that ended last: now this.
        await asyncio.create_task(self._stand_aside())
        self._tidy()
        load("firmware.update.prices")
        from .prices import Prices

        of = (self.server, self._files, self._kept, self._catalogue, self.record, self._log)
        prices = Prices(*of)
        if not await prices.update(taken):
            is_whole = False
            self._why = "prices"
        if prices.are_new and self._on_catalogue:
            self._on_catalogue()
        at_hand(_PIECES).bring("choice")
        from .choice import Choice

        choice = Choice(self._board, self._boot, self._channel, self.record, self._log)
        self.offer = choice.choose(taken, self.offer)
        return is_whole

    async def _verified(self, news: "Found") -> "tuple[Taken, bool]":
        """What was found, and whether nothing of it is left undone; raises as `_look`."""
        at_hand(_PIECES).bring("metadata")
        from .metadata import Metadata
        from .verified import Verified

        verified = Verified(self._files, self._note_key, self._log)
        take = (self._trust, news.fetch, self._log, True, verified.known, self._stand_aside)
        metadata = Metadata(*take)
        try:
            # A task of its own begins at the bottom of the stack, which a board has little of.
            by = (self._channel, self._catalogue, self._time_s(), news.timestamp)
            await asyncio.create_task(metadata.take_channel(*by))
        finally:
            verified.keep()
        for words in metadata.expired:
            self._why = "expired"
            self._log("nothing is installed: " + words)
        taken = metadata.taken
        if taken.forked:
            self._why = "fork"
            self._log("the server has another timestamp of the known version")
        return taken, not metadata.expired and not taken.forked

    # Installing

    async def _install(self, offer: "Offer", is_asked: bool) -> int:
        """`is_asked`: the server was asked just now, without a condition."""
        if not self._may_install(offer):
            return self._poll_s
        if self.record.must_wait(offer.release.release):
            self._why = self.record.held
            return self._poll_s
        if not offer.is_ready:
            await self._prepare()
            if not offer.is_ready:
                return self._poll_s
        if self._gate_closed(offer):
            return min(_GATE_S, self._poll_s)
        from .switch import is_newest

        # It may have been halted since: nothing but a fresh answer will do. The server's to the
        # word that the terminal restarts is one, under its seal.
        said = (self.on_restart, offer, self._boot.release, self.newest, self._last.stem, self._log)
        if not is_asked and not await is_newest(*said):
            await self._poll(True)
            if self.offer is not offer:
                return 1
        if not self._may_install(offer) or self._gate_closed(offer):
            return min(_GATE_S, self._poll_s)
        if is_asked:
            await is_newest(*said)
            if self._gate_closed(offer):
                return min(_GATE_S, self._poll_s)
        return self._switch(offer)

    def _may_install(self, offer: "Offer") -> bool:
        stale = offer.stale(self._time_s())
        if stale:
            self._why, words = stale
            self._log("not installed: " + words)
        return not stale

    def _gate_closed(self, offer: "Offer") -> bool:
        """Whether the switch must wait; says so, once for each reason."""
        blocked = offer.blocked(self._gate_facts())
        if blocked:
            self._why, words = blocked
            if words != offer.waits_for:
                self._log("update ready, waits: " + words)
            offer.waits_for = words
        return bool(blocked)

    async def _prepare(self) -> None:
        """Bring what is offered into the other slot; without success the offer is gone."""
        offer = self.offer
        if offer is None:
            return
        try:
            at_hand(_PIECES).bring("prepare")
            from .prepare import Preparation

            preparation = Preparation(self.server, self._board, self._boot, self.record, self._log)
            reason = await preparation.run(offer)
        finally:
            self._tidy()
        if not reason:
            return
        # The ways are found anew with the next look at the metadata.
        self.offer = None
        self.record.pending = True
        if reason in _NOT_ITS_FAULT or offer.is_over_quote:
            self._why = "storage"
            self.record.postpone(offer.release.release, reason)
        else:
            self.record.refuse(offer.release.release, reason)

    def _switch(self, offer: "Offer") -> int:
        from .switch import switch

        begun = switch(self._boot, offer, self.record, self._log)
        self._tidy()
        if begun:
            self._board.reset()
        elif offer.sham:
            self.offer = None
        return self._poll_s
