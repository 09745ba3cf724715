"""The vault of a town: deliveries, recalls of a whole one, terminals that are stolen or away for
too long, and the keys that seal, which change in the middle of a day.
"""

from __future__ import annotations

import contextlib
import random
import re
from typing import TYPE_CHECKING, Any

from tests.days.corner import Corner
from updater_server import resealing, wrapped
from updater_server.errors import InputError, StateError
from updater_server.fleet import terminals
from updater_server.sales import import_recall, incoming, returns, stolen
from updater_server.store.engine import writing

if TYPE_CHECKING:
    from tests.days.keeper import Keeper
    from tests.days.town import Town

DAY_S = 86_400
A_DAY = 10
_BY = "asha"


class Vault(Corner):
    """`books`: the numbers of vouchers in deliveries that were recalled."""

    share = 0.7
    steps = ("recall", "wipe", "wipe", "stolen")

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.books: set[int] = set()
        self._deliveries: list[range] = []
        self._made = 0

    def step(self, name: str, chance: random.Random) -> None:
        """See `Corner.step`."""
        keeper = chance.choice(self.town.keepers)
        if name == "recall" and self._deliveries:
            self._recall(self._deliveries[-chance.randint(1, min(4, len(self._deliveries)))])
        elif name == "wipe":
            keeper.wipe()
        elif name == "stolen" and not self.town.is_restoring:
            self._stolen(keeper)

    def bring(self, count: int) -> None:
        """A delivery; some run out within days."""
        numbers = range(self._made, self._made + count)
        self._made += count
        chance, now = self.town.chance, self._now
        expiry = now + int(chance.uniform(1.5, 5) * DAY_S) if chance.random() < 0.4 else 0
        rows = [f"air50,{7_000_000_000_000_000 + n},AIR50-{n:06d},{expiry}" for n in numbers]
        csv = "\n".join(["product,pin,serial,expiry", *rows, ""])

        def bring() -> None:
            with (
                contextlib.suppress(InputError),  # it is there, or has run out meanwhile
                writing(self.town.shop.service.engine) as connection,
            ):
                incoming.import_csv(connection, self.town.shop.service.key, csv, self._now)

        self.town.command(bring, lambda _: None)
        self._deliveries.append(numbers)

    @property
    def _now(self) -> int:
        return self.town.shop.clock[0]

    def _recall(self, numbers: range) -> None:
        def recall() -> None:
            shop = self.town.shop
            serial = f"AIR50-{numbers[0]:06d}"
            found = shop.sql("SELECT import_id FROM voucher WHERE serial = :s", s=serial)
            if found and found[0][0] is not None:
                import_recall.recall(shop.service.engine, found[0][0], _BY, "bad", self._now)

        self.town.command(recall, lambda _: self.books.update(numbers))

    def unfit(self, serial: str, expiry: int) -> list[str]:
        """What is wrong with a voucher that is sold online now."""
        number = int(re.sub(r"\D", "", serial.removeprefix("AIR50-")))
        is_over = 0 < expiry <= self._now
        return ["expired"] * is_over + ["recalled"] * (number in self.books)

    def _stolen(self, keeper: Keeper) -> None:
        """It is found again: it wiped its stock, and what it had not opened comes back."""
        terminal_id = keeper.device.terminal_id

        def report() -> None:
            with writing(self.town.shop.service.engine) as connection:
                stolen.report(connection, terminal_id, _BY, self._now)

        def give_back() -> None:
            with writing(self.town.shop.service.engine) as connection:
                returns.give_back(connection, terminal_id, _BY, "found", self._now, wiped=True)

        def unblock() -> None:
            with writing(self.town.shop.service.engine) as connection:
                terminals.set_blocked(connection, terminal_id, False)

        self.town.command(report, lambda _: None)
        keeper.tell_all()
        keeper.wipe()
        keeper.tell_all()
        self.town.command(give_back, lambda _: None)
        self.town.command(unblock, lambda _: None)
        keeper.blocked = False


class Keys(Corner):
    """`server.key` changes, and so does the secret that seals, and the one before goes."""

    share = 0.4
    steps = ("change", "renew", "renew", "drop", "drop")

    def step(self, name: str, chance: random.Random) -> None:
        """See `Corner.step`. A restore brings the keys of the back-up back."""
        self.town.done(getattr(self, f"_{name}"))

    def _change(self) -> None:
        service = self.town.shop.service
        now = self.town.shop.clock[0]
        wrapped.change(service.folder.server_key, service.engine, now, lambda *_: None)

    def _renew(self) -> None:
        resealing.add(self.town.shop.service, _BY)
        resealing.reseal(self.town.shop.service, lambda _: None)

    def _drop(self) -> None:
        with contextlib.suppress(StateError):  # there is one alone, or it is too young
            resealing.drop(self.town.shop.service, _BY)

    def broken(self) -> list[str]:
        """Nothing is sealed so that it does not open."""
        service: Any = self.town.shop.service
        shut = sum(counted.shut for counted in resealing.reseal(service, lambda _: None))
        return ["shut"] * bool(shut)
