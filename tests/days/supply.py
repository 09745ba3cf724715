"""The suppliers of a town: its counters sell what they make, by telephone number or meter, and
each sale is held against what the telephone really got.

The adapter, its line and the desk are the product's; the supplier is the simulated one, with every
fault by its seed, on the same stage.
"""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING, Any

from hw_sim.suppliers import utility
from tests.days.corner import Corner
from tests.server.shop import NOW
from tests.suppliers.counter import NAME, meter, order
from tests.suppliers.judge import PENDING, REFUSED, Sold, Verdict, judge_one
from updater_server.fleet import alarms
from updater_server.sales import statements
from updater_server.store.engine import reading, writing

if TYPE_CHECKING:
    from tests.days.keeper import Keeper
    from tests.days.town import Town

DAY_S = 86_400
_LOOKS_S = (5, 30, 120, 600, 3600)
"""When a server that runs looks after what is open, after the counters close; it does so each
second."""


class Supply(Corner):
    """One supplier, of one kind."""

    share = 2.0
    steps = ("order", "order", "order", "order", "ask for an order", "look")

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._made = 0
        self._today: list[Sold] = []
        self._since_day = 0
        self._forgotten: list[Sold] = []
        """Refused in a time that the server forgot: its terminal does not ask for it again."""
        self._has_alone: list[Sold] = []
        """Delivered in such a time: what was delivered only the terminal has."""
        self._unsure: list[Sold] = []
        """Begun in such a time and not answered: refused after it, its supplier's list names it."""
        self.found = Verdict()

    def step(self, name: str, chance: random.Random) -> None:
        """See `Corner.step`."""
        if name == "order":
            self._order(chance.choice(self.town.keepers[:2]), chance)
        elif name == "look":
            self.town.done(self.town.counter.desk.look)
        elif open_ones := [sold for sold in self._today if not sold.first]:
            self._ask(chance.choice(open_ones))

    def _order(self, keeper: Keeper, chance: random.Random) -> None:
        self._made += 1
        counter, device = self.town.counter, keeper.device
        is_meter = isinstance(counter.operator, utility.Utility)
        digits = meter(self._made) if is_meter else f"07{self._made:08d}"
        product = "power" if is_meter else "top"
        now = self.town.shop.clock[0]
        content = order(0, digits, 1000 + 500 * chance.randrange(8), product) | {4: now}
        intent = [product, content[3], content[20], digits]
        content[1] = device.record(3, intent, now)
        sold = Sold(device, content, counter.spelled(digits))
        keeper.orders.append(sold)
        self._today.append(sold)
        self._ask(sold)
        if chance.random() < 0.3:
            self._ask(sold)

    def _ask(self, sold: Sold) -> None:
        """Ask, or ask again; what was decided first goes into the terminal's journal."""
        for _ in range(20):
            status, reply = sold.device.post(sold.content)
            if status == 200:
                break
            if self.town.is_restoring:  # nobody knows yet what became of it
                sold.last = {}
                return
            self.town.pass_time(3)
        else:
            raise AssertionError("no answer to twenty questions")
        if reply[1] == REFUSED and reply[6] == "restoring":
            sold.last = {}  # the server does not know of it; it is asked for again
            return
        sold.last = reply
        if reply[1] == PENDING or sold.first:
            return
        sold.first = reply
        sequence = sold.content[1]
        if reply[1] == REFUSED:
            sold.device.record(5, [sequence, reply[6]])
            return
        sold.device.record(4, [sequence, b"sealed", reply[3], reply[4], reply[5]])
        (keeper,) = [one for one in self.town.keepers if one.device is sold.device]
        keeper.told -= sold.content[3] - sold.content[20]

    def evening(self) -> None:
        """Each till asks for what it does not know; time goes by, and the server looks after it."""
        for sold in self._today:
            if not sold.first:
                self._ask(sold)
        for seconds in _LOOKS_S:
            self.town.pass_time(seconds)
            self.town.done(self.town.counter.desk.look)
        self.town.counter.operator.courier.rest()

    def night(self) -> None:
        """The supplier's list of the day; a second time changes nothing. Then all is decided."""
        sent = [sold.content[4] for sold in self._today if sold.first.get(1) is None]
        days = [(at - NOW) // DAY_S for at in sent if at >= NOW]  # those `supplier_open` names
        for day in range(min([self._since_day, *days]), self.town.day):
            for _ in range(2):
                self.town.done(functools.partial(self._take_statement, day))
        self._since_day = self.town.day
        for sold in self._today:
            if sold not in self._forgotten and sold not in self._has_alone:
                self._ask(sold)
        self.town.tell_all()

    def _take_statement(self, day: int) -> None:
        began = NOW + day * DAY_S
        data = self.town.counter.operator.statement(began, began + DAY_S)
        with writing(self.town.shop.service.engine) as connection:
            key = self.town.shop.service.key
            statements.take(connection, key, NAME, data, self.town.shop.clock[0])

    def broken(self) -> list[str]:
        """Of each sale of the day: what terminal, ledger and supplier say."""
        with reading(self.town.shop.service.engine) as connection:
            found = alarms.open_alarms(connection, limit=10**6)
        words, verdict = " ".join(str(item["text"]) for item in found), self.found
        late = [sold for sold in self._unsure if not sold.first]  # the next night decides it
        known = [sold for sold in self._today if sold.last and sold not in late]
        for sold in known:
            # as its supplier's list writes a number, with a + or without
            is_listed = any(f", {n}, " in words for n in (sold.number, sold.number.lstrip("+")))
            if sold in self._forgotten + self._unsure and is_listed:
                verdict.named += 1  # its supplier's list has it, and our books forgot it
            else:
                judge_one(sold, self.town.counter.operator, words, verdict)
        verdict.sales += len(known)
        self._today = [sold for sold in self._today if not sold.last or sold in late]
        names = {"lost": verdict.lost, "doubled": verdict.doubled, "pending": verdict.unresolved}
        return [name for name, found in names.items() if found]

    def words(self) -> list[str]:
        """See `Corner`."""
        return [] if self.found.is_sound() else [self.found.text(), *self.found.lost]

    def remember(self) -> Any:
        """On which day this is, and how long the journals are."""
        return self.town.day, [len(keeper.device.journal) for keeper in self.town.keepers]

    def put_back(self, remembered: Any) -> None:
        """The lists of the days since are taken again."""
        day, lengths = remembered
        self._since_day = min(self._since_day, day)
        for keeper, through in zip(self.town.keepers, lengths, strict=True):
            self._forgotten += [
                sold
                for sold in keeper.orders
                if sold.content[1] > through and sold.first.get(1) == REFUSED
            ]
            self._unsure += [
                sold for sold in keeper.orders if sold.content[1] > through and not sold.first
            ]
            self._has_alone += [
                sold
                for sold in keeper.orders
                if sold.content[1] > through and sold.first.get(1) not in (None, REFUSED)
            ]
