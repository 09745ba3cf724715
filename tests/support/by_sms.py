"""A terminal's sales by short message on simulated time: driver, modem, network, a simulated
service centre and the server's own hands, all on one loop. For tests.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

# Loaded before the clock is set: what is loaded by name later has the host's.
import firmware.net.modem.sms
import firmware.office.by_sms
import firmware.office.sms_box  # noqa: F401
from firmware.kept.memory import Memory
from firmware.net.link import ONLINE
from firmware.office.ask import ask
from firmware.office.messenger import NoNetwork
from hw_sim.network.sms_pdu import Message
from hw_sim.smsc.centre import Centre, Passed
from tests.server.shop import NOW, Shop
from tests.support.driven import Driven, drive
from tests.support.without_tcp import Counter, Till
from updater_server.fleet import terminals, texting
from updater_server.sms import answering
from updater_server.store.engine import reading, writing
from updater_server.store.tables import sale, voucher

MINE, OFFICE, THIEF = "+254700000001", "+254700000100", "+254711111111"


def data(number: str, content: bytes) -> Message:
    """A message of eight-bit data for that number."""
    return Message(number, 4, False, len(content), content)


class SmsTill(Till):
    """As the till: an answer that comes twice is taken once. `given`: how often any came."""

    def __init__(self) -> None:
        super().__init__()
        self.sales: dict[int, Any] = {}
        self.serials: dict[int, str] = {}
        self.given = 0
        self.blocked = False

    def unfinished(self) -> list[Any]:
        """Every sale so far: none is handed over here."""
        return list(self.sales.values())

    def give_up_lost(self) -> None:
        """Nothing is lost here."""

    def delivered(self, sale: Any, pin: str, *rest: Any) -> None:
        """A voucher."""
        self.given += 1
        sale.voucher_sequence = 1
        sale.has_voucher = True
        self.serials[sale.sequence] = rest[0]
        super().delivered(sale, pin, *rest)


class SmsCounter(Counter):
    """A counter where no data passes. `centre` is the operator's, `office_said` what the office
    answered.
    """

    def __init__(self, driven: Driven, shop: Shop, folder: Path, seed: int) -> None:
        super().__init__(driven, shop)
        self.till: SmsTill = SmsTill()
        self.messenger.coap_port = 0
        self.messenger.sms_to = OFFICE
        self.memory = Memory(str(folder / "merchant.json"))
        self.centre = Centre(driven.pace, seed)
        self.centre.join(MINE, driven.network.sms)
        self.centre.reach(OFFICE, self._at_office)
        self.office_said: list[bytes] = []
        terminal = driven.terminal
        terminal.messenger, terminal.till, terminal.memory = self.messenger, self.till, self.memory
        self.messenger.device_key = self.device.key
        terminal.now = lambda: shop.clock[0]
        driven.asking.hurry = lambda: None  # type: ignore[attr-defined]

    def _at_office(self, source: str, message: Message) -> None:
        said = answering.answer(self.shop.service, source, message.data)
        if said:
            self.office_said.append(said)
            self.centre.submit(OFFICE, source, data(source, said))

    @property
    def sent(self) -> list[Passed]:
        """What the terminal sent."""
        return [one for one in self.centre.passed if one.source == MINE]

    def sale(self) -> Any:
        """A sale that is begun."""
        self.sold += 1
        made = SimpleNamespace(
            sequence=self.sold + 1,
            product_id="air50",
            amount_minor=5000,
            commission_minor=250,
            time=1_790_000_000,
            recipient=None,
            has_voucher=False,
            voucher_sequence=0,
        )
        self.till.sales[made.sequence] = made
        return made

    async def ask(self, sale: Any) -> bool:
        """Ask for it with a short message; False if no answer came."""
        till: Any = self.till
        try:
            await ask(self.messenger, till, sale, by_sms=True)
        except NoNetwork as error:
            self.driven._note(f"sale: {error}")
            return False
        return True

    def word(self, says: int, shift_s: int = 0) -> bytes:
        """A word of the office to this terminal, as the worker would send it."""
        shop = self.shop
        with writing(shop.service.engine) as connection:
            terminal_id = self.device.terminal_id
            terminals.set_blocked(connection, terminal_id, says == texting.LOCK)
            texting.set_number(connection, terminal_id, MINE, "the office", NOW)
            texting.say(connection, terminal_id, says, "the office", shop.clock[0] + shift_s)
            (due,) = texting.due(connection, shop.service.key, shop.clock[0] + shift_s)
            texting.sent(connection, due.id, shop.clock[0])
        return due.data

    def bring(self, content: bytes, sender: str = OFFICE) -> None:
        """A message comes to the terminal, from whomever it says."""
        self.centre.bring(sender, MINE, data(MINE, content))

    def lost_and_doubled(self) -> tuple[int, int]:
        """As ever; and fails if a sale has another one's voucher."""
        asked = select(sale.c.sequence, voucher.c.serial).join_from(
            sale, voucher, sale.c.voucher_id == voucher.c.id
        )
        with reading(self.shop.service.engine) as connection:
            sold = {row.sequence: row.serial for row in connection.execute(asked)}
        for sequence, serial in self.till.serials.items():
            assert sold[sequence] == serial, "another sale's voucher"
        return super().lost_and_doubled()

    @property
    def on_card(self) -> int:
        """How many messages lie on the card."""
        card = self.driven.network.sim
        assert card is not None
        return sum(each is not None for each in card.messages)


def without_data(
    shop: Shop,
    story: Callable[[SmsCounter], Coroutine[Any, Any, Any]],
    folder: Path,
    seed: int = 1,
) -> Any:
    """Run `story` at a counter whose terminal was online, and has no data any more."""

    async def whole(driven: Driven) -> Any:
        counter = SmsCounter(driven, shop, folder, seed)
        await driven.until(lambda: driven.link.state == ONLINE, 120, "online")
        card = driven.network.sim
        assert card is not None
        card.gprs_contract = False
        driven.network.deactivate_pdp()
        await driven.until(lambda: driven.modem.trouble == "no_gprs", 600, "no data")
        await driven.until(lambda: driven.modem.registered, 120, "registered")
        return await story(counter)

    return drive(whole, seed=seed)
