"""What came by short message while nobody waited for it: late answers to sales, and words of the
office. In the heap only while the card is read (`duties.radio`).

An answer is for the sale whose question had its counter, and the till takes it once, however often
and in whatever order it comes. A word is the office's under a key of its own, and counts up, so
that none is heeded twice: it can lock a terminal, and ask it to check in. Letting it go again is
said by a check-in's answer only. Format: docs/formats/messages.md, "By short message".
"""

from bootloader.shared import cbor
from bootloader.shared.compat import const
from firmware.log import log
from firmware.net.modem import sms
from firmware.office.ask import settled
from firmware.office.by_sms import WORD_BYTES, opened, word
from firmware.office.messenger import SALE, BadReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.kept.memory import Memory
    from firmware.office.messenger import Messenger
    from firmware.sales.till import Till

_KIND = const(0)
_WORD_AGE_S = const(604800)
LOCK = const(1)
CHECK_IN = const(2)


class Box:
    """What lies on the card, read by the duty once something came (`read`)."""

    def __init__(self, messenger: "Messenger", till: "Till", memory: "Memory") -> None:
        self._messenger = messenger
        self._till = till
        self._memory = memory
        self.asks = False  # whether a word asks for a check-in
        self._answers: list[tuple[int, bytes]] = []
        self._words: list[bytes] = []

    async def read(self, now: int) -> None:
        """Read and empty the card, and do what it says. `now`: Unix seconds, 0 if unknown.

        Raises:
            LinkError: the modem failed.
        """
        messenger = self._messenger
        if messenger.client is None:
            return
        modem: Any = messenger.client.transport
        async with modem.lock:
            await sms.take(modem, self._sort)
        for data in self._words:
            self._heed(data, now)
        for sequence, content in self._answers:
            self._settle(sequence, content)

    def _sort(self, data: bytes) -> bool:
        found = opened(self._messenger, data)
        if found:
            self._answers.append(found)
        elif len(data) == WORD_BYTES:
            self._words.append(data)
        return True

    def _heed(self, data: bytes, now: int) -> None:
        """A word that is new is taken once; whatever it is, the office is asked what holds now."""
        memory = self._memory
        found = word(self._messenger, data)
        if not found:
            return
        counter, says = found
        if counter <= memory.get("word", 0) or (now and counter < now - _WORD_AGE_S):
            log("radio", "an old word by SMS")
            return
        if says == LOCK:
            memory.put("held", True)
            self._till.blocked = True
        memory.put("word", counter)
        self.asks = True
        log("radio", "a word by SMS: " + ("lock" if says == LOCK else "check in"))

    def _settle(self, sequence: int, content: bytes) -> None:
        """An answer that came late goes to its sale, if that is still open."""
        for sale in self._till.unfinished():
            if sale.sequence == sequence and not sale.has_voucher:
                try:
                    reply: Any = cbor.loads(content)
                    if isinstance(reply, dict) and reply.get(_KIND) == SALE:
                        settled(self._till, sale, reply)
                        log("sale", "{} answered by SMS".format(sequence))
                except (ValueError, BadReply) as error:
                    log("sale", "{} by SMS: {}".format(sequence, error))
