"""A trade in one place: who stands where, and short words for what they do."""

from __future__ import annotations

from typing import Any

from tests.server.device import Device
from tests.server.shop import Shop
from updater_server.parties import days, movements, rates, tree
from updater_server.parties.days import Share
from updater_server.parties.movements import Order
from updater_server.sales import ledger
from updater_server.store.engine import reading, writing

DAY_S = 86400
ZONE = "Africa/Nairobi"


class Trade:
    """LAKE (distributor) → SHORE (agent) → ASHA, JOY (merchants); one terminal, ASHA's."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.now = shop.clock
        for code, kind, under in (
            ("LAKE", "distributor", ""),
            ("SHORE", "agent", "LAKE"),
            ("ASHA", "merchant", "SHORE"),
            ("JOY", "merchant", "SHORE"),
        ):
            self.add(code, kind, under)
        self.device: Device = shop.enrol()
        self.own(self.device, "ASHA")
        shop.stock_vault(count=60)

    def add(self, code: str, kind: str, under: str) -> tree.Party:
        with writing(self.shop.service.engine) as connection:
            name = f"{code.title()} & Sons"
            return tree.add(connection, code, name, kind, under, "asha", self.now[0])

    def own(self, device: Device, code: str) -> None:
        with writing(self.shop.service.engine) as connection:
            owner = tree.find(connection, code)
            tree.give_terminal(connection, device.terminal_id, owner, "asha", self.now[0])

    def order(self, amount: str, reference: str, bank_line: str = "") -> Order:
        return Order(amount, reference, "asha", self.now[0], bank_line)

    def deposit(self, code: str, amount: str, reference: str, line: str = "") -> dict[str, Any]:
        with writing(self.shop.service.engine) as connection:
            who = tree.find(connection, code)
            order = self.order(amount, reference, line)
            return movements.deposit(connection, self.shop.service.prices, who, order)

    def payback(self, code: str, amount: str, reference: str) -> dict[str, Any]:
        with writing(self.shop.service.engine) as connection:
            who = tree.find(connection, code)
            order = self.order(amount, reference)
            return movements.payback(connection, self.shop.service.prices, who, order)

    def transfer(self, giver: str, taker: str, amount: str, reference: str) -> dict[str, Any]:
        with writing(self.shop.service.engine) as connection:
            source = movements.holder(connection, giver)
            target = movements.holder(connection, taker)
            order = self.order(amount, reference)
            return movements.transfer(connection, self.shop.service.prices, source, target, order)

    def reverse(self, reference: str) -> dict[str, Any]:
        with writing(self.shop.service.engine) as connection:
            return movements.reverse(connection, reference, "wrong slip", self.order("", ""))

    def credit(self, code: str, minor: int, until: int) -> None:
        with writing(self.shop.service.engine) as connection:
            who = tree.find(connection, code)
            movements.set_credit(connection, who, minor, until, "season", self.order("", ""))

    def rate(self, code: str, words: str, first_day: str, product: str | None = None) -> None:
        with writing(self.shop.service.engine) as connection:
            who = tree.find(connection, code)
            rate_ppm = rates.parse(words)
            rates.add(connection, who, product, rate_ppm, first_day, "asha", self.now[0])

    def zone(self, name: str = ZONE) -> None:
        with writing(self.shop.service.engine) as connection:
            days.set_zone(connection, name, "asha", self.now[0])

    def close(self, day: str) -> list[Share]:
        with writing(self.shop.service.engine) as connection:
            return days.close(connection, day, "asha", self.now[0])

    def today(self) -> str:
        with reading(self.shop.service.engine) as connection:
            where = days.zone(connection)
        assert where is not None
        return days.day_of(self.now[0], where)

    def float_of(self, code: str) -> int:
        with reading(self.shop.service.engine) as connection:
            return ledger.balance_of_float(connection, tree.find(connection, code).account)

    @property
    def terminal(self) -> str:
        """The terminal as people name it."""
        return self.device.terminal_id.hex()
