"""Who stands above the counters of a town: deposits, what goes down the tree and up again, credit,
reversals, rates, terminals that change hands, and days that are closed.

The model keeps a float for each party and currency and decides by itself what must be refused.
"""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING, Any

from tests.days.books import ABOVE, DAY_S, ZONE, Books, Moved, Rate, day_of
from tests.days.corner import Corner
from updater_server.errors import ConflictError, InputError
from updater_server.parties import days, movements, rates, tree
from updater_server.parties.movements import Order
from updater_server.sales import ledger
from updater_server.store.engine import reading, writing

if TYPE_CHECKING:
    from tests.days.keeper import Keeper
    from tests.days.town import Town

_KINDS = {"LAKE": "distributor", "SHORE": "agent", "ASHA": "merchant", "JOY": "merchant"}
CODES = ("KES", "UGX")
_BY = "asha"


class Trade(Corner):
    """LAKE (distributor) → SHORE (agent) → ASHA, JOY (merchants), who have the terminals."""

    share = 2.0
    steps = (
        "deposit", "deposit again", "pay back", "transfer", "transfer", "transfer", "too much",
        "reverse", "credit", "rate", "change hands",
    )  # fmt: skip

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.books: Books = Books()
        self._number = 0
        self._found: list[str] = []
        self._differs: list[str] = []
        self._said: list[str] = []
        self._is_refused = False
        with writing(self._engine) as connection:
            days.set_zone(connection, ZONE, _BY, self._now)
            for code, under in ABOVE.items():
                tree.add(connection, code, f"{code} & Sons", _KINDS[code], under, _BY, self._now)
        for keeper, owner in zip(town.keepers, ("ASHA", "JOY", "ASHA"), strict=False):
            self._give(keeper, owner)
        for who in ABOVE:
            for code in CODES:
                self._deposit(who, 900_000, code, f"opening-{who}-{code}")

    @property
    def _engine(self) -> Any:
        return self.town.shop.service.engine

    @property
    def _now(self) -> int:
        return self.town.shop.clock[0]

    def _next(self) -> str:
        self._number += 1
        return f"slip-{self._number}"

    def today(self, at: int | None = None) -> str:
        """The operator's day, by hand: that zone has no summer time."""
        return day_of(self._now if at is None else at)

    # --- what happens ---

    def step(self, name: str, chance: random.Random) -> None:
        """See `Corner.step`."""
        who, code = chance.choice(sorted(ABOVE)), chance.choice(CODES)
        minor = chance.randrange(100, 5000)
        if name == "deposit":
            self._deposit(who, minor, code, self._next())
        elif name == "deposit again":
            self._deposit_again(chance)
        elif name == "pay back":
            self._move("pay back", who, "bank", minor, code, self._next())
        elif name in ("transfer", "too much"):
            self._transfer(chance, minor + 10_000_000 * (name == "too much"), code)
        elif name == "reverse" and self.books.moved:
            self._reverse(chance.choice(sorted(self.books.moved)))
        elif name == "credit":
            self._credit(who, code, chance.randrange(0, 3000), chance.randrange(1, 4))
        elif name == "rate":
            product = chance.choice(("", "", "air50", "top", "power"))
            days_on = chance.randrange(0, 3)
            self._rate(who, product, chance.randrange(0, 30_000), days_on)
        elif name == "change hands":
            self._give(chance.choice(self.town.keepers), chance.choice(("ASHA", "JOY")))

    def _transfer(self, chance: random.Random, minor: int, code: str) -> None:
        pairs = [(under, who) for who, under in ABOVE.items() if under]
        for keeper in self.town.keepers:
            if keeper.currency == code:
                owner = self.books.owner(keeper.device.terminal_id, self._now)
                pairs.append((owner, keeper.device.terminal_id.hex()))
        upper, lower = chance.choice(pairs)
        giver, taker = (upper, lower) if chance.random() < 0.7 else (lower, upper)
        self._move("transfer", giver, taker, minor, code, self._next())

    def _deposit(self, who: str, minor: int, code: str, reference: str) -> None:
        self._move("deposit", "bank", who, minor, code, reference)

    def _move(
        self, kind: str, giver: str, taker: str, minor: int, code: str, reference: str
    ) -> None:
        """Refused if, and only if, the giver has not so much."""

        def move() -> bool:
            amount = f"{minor / 100:.2f} {code}" if code == "KES" else f"{minor} {code}"
            prices = self.town.shop.service.prices
            with writing(self._engine) as connection:
                order = Order(amount, reference, _BY, self._now)
                holders = [
                    None if one == "bank" else movements.holder(connection, one)
                    for one in (giver, taker)
                ]
                if kind == "transfer":
                    assert holders[0] and holders[1]
                    movements.transfer(connection, prices, holders[0], holders[1], order)
                else:
                    party = next(one.party for one in holders if one is not None)
                    assert party is not None
                    call = movements.deposit if kind == "deposit" else movements.payback
                    call(connection, prices, party, order)
            return True

        may = self._may_give(giver, code, minor) and not self._is_blocked(taker)
        self._must(move, may, lambda: self._moved(reference, Moved(giver, taker, minor, code)))

    def _must(self, run: Any, may: bool, then: Any) -> None:
        """A command that is refused if, and only if, the model says so."""

        def tried() -> bool:
            try:
                run()
            except InputError as error:
                self._said.append(str(error))
                return False
            return True

        def taken(done: bool) -> None:
            if done:
                then()

        if not may:
            self._found += ["refused"] * self.town.done(tried)
        elif not self.town.command(tried, taken):
            self._found.append("refused")

    def _may_give(self, giver: str, code: str, minor: int) -> bool:
        if giver == "bank":
            return True
        keeper = self._keeper(giver)
        if keeper is not None:  # what of its journal is here yet, the model does not know
            return self.town.done(lambda: self.town.shop.float_of(keeper.device)) >= minor
        credit, until = self.books.credits.get((giver, code), (0, 0))
        allowed = credit if until > self._now else 0
        return self.books.floats.get((giver, code), 0) + allowed >= minor

    def _keeper(self, name: str) -> Keeper | None:
        found = [one for one in self.town.keepers if one.device.terminal_id.hex() == name]
        return found[0] if found else None

    def _is_blocked(self, name: str) -> bool:
        keeper = self._keeper(name)
        return keeper is not None and keeper.blocked

    def _moved(self, reference: str, moved: Moved) -> None:
        self._post(moved, 1)
        self.books.moved[reference] = moved

    def _post(self, moved: Moved, sign: int) -> None:
        for name, minor in ((moved.giver, -moved.minor), (moved.taker, moved.minor)):
            keeper = self._keeper(name)
            if keeper is not None:
                keeper.paid_in_minor += sign * minor
            elif name != "bank":
                key = (name, moved.code)
                self.books.floats[key] = self.books.floats.get(key, 0) + sign * minor

    def _deposit_again(self, chance: random.Random) -> None:
        """The same slip changes nothing; with another amount it is refused."""
        deposits = [ref for ref, one in self.books.moved.items() if one.giver == "bank"]
        if not deposits:
            return
        reference = chance.choice(sorted(deposits))
        one = self.books.moved[reference]
        other = chance.random() < 0.5
        try:
            self.town.done(lambda: self._again(one, reference, other))
        except ConflictError:
            self._found += ["conflict"] * (not other)
        else:
            self._found += ["conflict"] * other

    def _again(self, one: Moved, reference: str, other: bool) -> None:
        minor = one.minor + other
        amount = f"{minor / 100:.2f} KES" if one.code == "KES" else f"{minor} UGX"
        prices = self.town.shop.service.prices
        with writing(self._engine) as connection:
            order = Order(amount, reference, _BY, self._now)
            movements.deposit(connection, prices, tree.find(connection, one.taker), order)

    def _reverse(self, reference: str) -> None:
        moved = self.books.moved[reference]

        def reverse() -> None:
            with writing(self._engine) as connection:
                order = Order("", "", _BY, self._now)
                movements.reverse(connection, reference, "wrong slip", order)

        def reversed_() -> None:
            # After a restore it is another object that says the same.
            known = self.books.moved[reference]
            if not known.undone:
                known.undone = True
                self._post(known, -1)

        may = moved.undone or self._may_give(moved.taker, moved.code, moved.minor)
        self._must(reverse, may, reversed_)

    def _credit(self, who: str, code: str, minor: int, for_days: int) -> None:
        until = self._now + for_days * DAY_S

        def credit() -> None:
            if until <= self._now:
                return  # it is done again after a restore, and has run out meanwhile
            with writing(self._engine) as connection:
                party = tree.find(connection, who)
                order = Order("", "", _BY, self._now)
                movements.set_credit(connection, party, minor, until, "season", order, code)

        def allowed(_: object) -> None:
            self.books.credits[who, code] = (minor, until)

        self.town.command(credit, allowed)

    def _rate(self, who: str, product: str, ppm: int, days_on: int) -> None:
        first_day = self.today(self._now + days_on * DAY_S)

        def rate() -> None:
            with writing(self._engine) as connection:
                party = tree.find(connection, who)
                rates.add(connection, party, product or None, ppm, first_day, _BY, self._now)

        def noted(_: object) -> None:
            self.books.rates.append(Rate(who, product, ppm, first_day))

        self.town.command(rate, noted)

    def _give(self, keeper: Keeper, owner: str) -> None:
        terminal_id = keeper.device.terminal_id

        def give() -> int:
            with writing(self._engine) as connection:
                party = tree.find(connection, owner)
                tree.give_terminal(connection, terminal_id, party, _BY, self._now)
            return self._now

        def given(at: int) -> None:
            if self.books.owner(terminal_id, at) != owner:
                self.books.owners.append((at, terminal_id, owner))

        self.town.command(give, given)

    # --- days that end ---

    def night(self) -> None:
        """Every day that is over is closed, and each share is in its float."""
        while True:
            day = self.town.done(self._next_open)
            if day is None:
                return
            self.town.command(functools.partial(self._close, day), self._earned)

    def _next_open(self) -> str | None:
        with reading(self._engine) as connection:
            return days.next_open(connection, self._now)

    def _close(self, day: str) -> str:
        with writing(self._engine) as connection:
            days.close(connection, day, _BY, self._now)
        return day

    def _earned(self, day: str) -> None:
        if day in self.books.closed:
            return
        self.books.closed.append(day)
        for (who, _, code), minor in self.books.shares(self.town, day).items():
            self.books.floats[who, code] = self.books.floats.get((who, code), 0) + minor

    # --- what must be ---

    def broken(self) -> list[str]:
        """Each float is what the model says; nothing was refused or taken that should not."""
        found, self._found = list(dict.fromkeys(self._found)), []
        self._is_refused = "refused" in found
        self._differs = [
            f"{who} has {here} {code}, should have {self.books.floats.get((who, code), 0)}"
            for who in ABOVE
            for code in CODES
            if (here := self._float_of(who, code)) != self.books.floats.get((who, code), 0)
        ]
        return found + ["party"] * bool(self._differs)

    def _float_of(self, who: str, code: str) -> int:
        with reading(self._engine) as connection:
            account = tree.find(connection, who).account
            return ledger.balance_of_float(connection, account, code)

    def words(self) -> list[str]:
        """See `Corner`."""
        return self._differs + self._said[-1:] * self._is_refused
