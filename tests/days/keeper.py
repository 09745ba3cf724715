"""A merchant beside whose server the power fails, and what an independent sum says it must have."""

from __future__ import annotations

import contextlib
import hashlib
import random
from typing import TYPE_CHECKING, Any

import cbor2
from sqlalchemy.exc import IntegrityError

from tests.days.corner import Corner
from tests.days.cuts import Crashed
from tests.days.prices import UGANDA
from tests.server.device import Device
from tests.server.merchant import STEPS, Merchant
from tests.suppliers.judge import REFUSED, Sold
from updater_server.errors import InputError
from updater_server.wire.journal_record import RecordKind

if TYPE_CHECKING:
    from tests.days.town import Town

OPENING_MINOR, FACE_MINOR = 9_000, 5000
RECORDS_A_MESSAGE = 40
_TRIES = 5
ASKED_AGAIN = 4
"""So many sales of days before are asked for again each evening."""


class PatientDevice(Device):
    """Asks again, in a new message, what a server that ended did not answer."""

    town: Town

    def post(self, content: object) -> tuple[int, dict[int, Any]]:
        """As `Device.post`; a server that is too busy is asked again, too."""
        for _ in range(_TRIES):
            try:
                status, reply = super().post(content)
            except Crashed:
                self.town.restart()
                continue
            if status != 503:
                break
        return status, reply


class Keeper(Merchant):
    """What was paid in and what it sold are all that the model knows: no word of the server's."""

    def __init__(self, town: Town, number: int, catalogue: str) -> None:
        self.town = town
        self.currency = "UGX" if catalogue == UGANDA else "KES"
        self.paid_in_minor = OPENING_MINOR
        self.spent_minor = 0
        self.conflicts = 0
        self.known_through = 0
        self.has_alone: set[int] = set()
        """Sales of a time that the server forgot, whose vouchers the terminal has."""
        self.orders: list[Sold] = []
        self.files: dict[int, dict[int, Any]] = {}
        self.digests: dict[int, bytes] = {}
        self.wrong: list[str] = []
        self.is_held = self.was_held = False
        """A blocked terminal is told that it has no float: it does not know what it has."""
        super().__init__(town.shop, number, OPENING_MINOR, catalogue)
        assert isinstance(self.device, PatientDevice)

    def expected_minor(self) -> int:
        """What its float must be once all of its journal is told: each PIN that it has and each
        order that was not refused costs its price, and nothing else costs anything.
        """
        ordered: int = sum(
            sold.content[3] - sold.content[20]
            for sold in self.orders
            if sold.last.get(1, REFUSED) != REFUSED
        )
        return self.paid_in_minor - self.spent_minor - ordered

    # --- what a terminal does ---

    def check_in(self) -> None:
        """As `Merchant.check_in`; a file that it has is not fetched again."""
        reply = self.device.check_in(own_float=self.own_float())
        for batch in reply[5]:
            if batch not in self.files:
                file = self.device.ask({0: 4, 1: batch})[1]
                self.files[batch] = cbor2.loads(file)
                self.digests[batch] = hashlib.sha256(file).digest()
                opened = self.device.open_stock(file)
                self.vouchers += [(batch, index) for index in range(len(opened))]
                self.stock_pins |= {(batch, index): pin for index, (_, pin) in enumerate(opened)}
                self.device.record(RecordKind.STOCK, [batch, len(opened)])
            assert self.device.ask({0: 5, 1: batch, 2: self.digests[batch]})[1] is True
        self._heard(reply, reply[3])

    def upload(self, upto: int | None = None, since: int | None = None) -> None:
        """As `Merchant.upload`, in messages that a terminal would send."""
        first = self.uploaded + 1 if since is None else since
        upto = len(self.device.journal) if upto is None else upto
        reply = self.device.upload(first, min(upto, first + RECORDS_A_MESSAGE - 1))
        if reply[0] == 3:
            for batch in reply.get(6, []):
                self._name(batch)
            self._heard(reply, reply[1])

    def _heard(self, reply: dict[int, Any], acknowledged: int) -> None:
        """A server that was put back has less than it once had: it is told again, and nothing is
        taken over before it has.
        """
        self.uploaded = acknowledged
        if acknowledged >= self.known_through:
            self.known_through = acknowledged
            self.settle(reply[2], acknowledged)
            self.is_held = reply.get(7) is True
            self.was_held |= self.is_held

    def _name(self, batch: int) -> None:
        file = self.files[batch]
        serials = [serial for serial, _ in file[5]]
        held = {0: 6, 1: batch, 2: file[2], 3: file[3], 4: file[4], 5: len(serials), 6: 0}
        assert self.device.ask({**held, 7: serials})[1] is True

    def tell_all(self) -> None:
        """Until the server has all of its journal."""
        self.check_in()
        for _ in range(100):
            if self.uploaded == len(self.device.journal):
                break
            self.upload()
        self.check_in()
        self.check_in()

    def answer(self, sequence: int) -> None:
        """As `Merchant.answer`; *restoring* is none, and what it has is not asked for."""
        if sequence in self.has_alone:
            return
        if self.town.is_restoring and sequence not in self.answers:
            probe = self.device.sale(sequence, commission=self.asked[sequence])
            if probe[1] == 1 and probe[6] == "restoring":
                return
        had = len(self.pins)
        super().answer(sequence)
        if len(self.pins) > had:
            self.spent_minor += FACE_MINOR - self.asked[sequence]
            reply = self.answers[sequence]
            self.wrong += self.town.vault.unfit(reply[3], reply[4])

    def offline(self, spoiled: bool) -> None:
        """As `Merchant.offline`; what has run out is passed over."""
        now = self.shop.clock[0]
        while self.vouchers and 0 < self.files[self.vouchers[0][0]][4] <= now:
            self.vouchers.pop(0)
        had = len(self.pins)
        super().offline(spoiled)
        if len(self.pins) > had:
            self.spent_minor += FACE_MINOR - self.commission_minor

    def wipe(self) -> None:
        """It was away for too long: what it has not opened is gone."""
        for batch in sorted({batch for batch, _ in self.vouchers}):
            first = min(index for mine, index in self.vouchers if mine == batch)
            self.device.record(9, [batch, first, 1])
        self.vouchers = []

    def forget(self, through: int) -> None:
        """The server has forgotten what came behind this record: what it refused then is no answer
        for ever any more, and nobody asks for it again; nor for what was delivered, which the
        terminal has, and whose delivery may have run out before it could come in again.
        """
        for sequence in [s for s in self.answers if s > through]:
            if self.answers[sequence][1] == 1:
                del self.answers[sequence]
            else:
                self.has_alone.add(sequence)

    # --- what happens there ---

    def step(self, name: str, chance: random.Random) -> None:
        """As `Merchant.step`; what an operator's command did not say is done, is asked again."""
        if name == "top up":
            self._pay_in(chance.randint(1, 9000), f"{chance.random()}")
            return
        if name == "vouchers":
            self.town.vault.bring(5)
            return
        if self.town.is_restoring and name in ("ask otherwise", "ask again", "stock", "take back"):
            return
        self.conflicts += name == "ask otherwise" and bool(self.answers)
        try:
            super().step(name, chance)
        except InputError:  # no stock for anybody: the vault has not so much
            assert name == "stock"
        except Crashed:
            self.town.restart()

    def block(self, blocked: bool) -> None:
        """As `Merchant.block`, until it is done."""
        self.town.command(lambda: super(Keeper, self).block(blocked), lambda _: None)

    def _pay_in(self, amount_minor: int, reference: str) -> None:
        def pay() -> None:
            with contextlib.suppress(IntegrityError):  # the database has the reference
                self.shop.top_up(self.device, amount_minor, reference)

        def paid(_: object) -> None:
            self.paid_in_minor += amount_minor

        self.town.command(pay, paid)

    def evening(self, chance: random.Random, today: int) -> None:
        """All is told; what was asked for today, and some of before, is asked for again."""
        self.block(False)
        self.tell_all()
        known = sorted(self.answers)
        before = [sequence for sequence in known if sequence <= today]
        again = chance.sample(before, min(ASKED_AGAIN, len(before)))
        for sequence in [*again, *known[len(before) :]]:
            self.answer(sequence)


class Counters(Corner):
    """The merchants of a town."""

    share = 5.0
    steps = STEPS

    def __init__(self, town: Town, catalogues: list[str]) -> None:
        super().__init__(town)
        self.keepers = [Keeper(town, n, name) for n, name in enumerate(catalogues, 1)]
        self._today = [0] * len(self.keepers)

    def step(self, name: str, chance: random.Random) -> None:
        """See `Keeper.step`."""
        chance.choice(self.keepers).step(name, chance)

    def evening(self) -> None:
        """See `Keeper.evening`."""
        for place, keeper in enumerate(self.keepers):
            keeper.evening(self.town.chance, self._today[place])
            self._today[place] = len(keeper.device.journal)

    def broken(self) -> list[str]:
        """Of the terminals: what they have, what they are said to have, and what they should."""
        found = []
        pins = [pin for keeper in self.keepers for pin in keeper.pins]
        if len(pins) != len(set(pins)):
            found.append("pin")
        for keeper in self.keepers:
            floats = self.town.shop.float_of(keeper.device)
            found += ["named"] * (floats != keeper.expected_minor())
            found += ["told"] * (floats != keeper.own_float())
            found += keeper.wrong
        alarmed = "sale_conflict" in self.town.shop.alarms()
        if any(keeper.conflicts for keeper in self.keepers) != alarmed:
            found.append("conflict")
        return found

    def words(self) -> list[str]:
        """See `Corner`."""
        return [
            f"{k.device.terminal_id.hex()}: here {floats}, should be {k.expected_minor()}, says "
            f"{k.own_float()}"
            for k in self.keepers
            if len({floats := self.town.shop.float_of(k.device), k.expected_minor(), k.own_float()})
            > 1
        ]

    def remember(self) -> Any:
        """What a restore takes away."""
        return [
            (k.paid_in_minor, k.conflicts, k.blocked, len(k.device.journal)) for k in self.keepers
        ]

    def put_back(self, remembered: Any) -> None:
        """See `Corner`."""
        for keeper, (paid_in, conflicts, blocked, through) in zip(
            self.keepers, remembered, strict=True
        ):
            keeper.paid_in_minor, keeper.conflicts = paid_in, conflicts
            keeper.blocked = blocked
            keeper.was_held = keeper.is_held
            keeper.forget(through)
