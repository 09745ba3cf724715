"""A merchant whose days are random: what a terminal does, keeps and knows."""

from __future__ import annotations

import hashlib
import random
from typing import Any

from tests.server.device import Device
from tests.server.shop import Shop
from updater_server.fleet import terminals
from updater_server.sales import returns
from updater_server.store.engine import writing

STEPS = (
    "sell", "sell", "sell unheard", "ask again", "ask otherwise", "offline", "offline", "spoil",
    "upload", "upload part", "upload old", "check in", "top up", "stock", "vouchers", "replay",
    "block", "unblock", "take back", "skip",
)  # fmt: skip


class Merchant:
    """A terminal that keeps its own float as docs/formats/journal.md says, and never cheats."""

    def __init__(
        self,
        shop: Shop,
        number: int,
        float_minor: int = 60_000,
        catalogue: str = "catalogue/default.json",
    ) -> None:
        self.shop = shop
        self.device: Device = shop.enrol(number, float_minor, catalogue)
        self.told = 0
        self.commission_minor = 250
        self.asked: dict[int, int] = {}
        self.unposted: dict[int, int] = {}
        self.answers: dict[int, dict[int, Any]] = {}
        self.sealed_before: list[bytes] = []
        self.vouchers: list[tuple[int, int]] = []
        self.stock_pins: dict[tuple[int, int], str] = {}
        self.pins: list[str] = []
        self.blocked = False
        self.uploaded = 0
        self.check_in()

    def own_float(self) -> int:
        return self.told - sum(self.unposted.values())

    def check_in(self) -> None:
        reply = self.device.check_in(own_float=self.own_float())
        for batch in reply[5]:
            file = self.device.ask({0: 4, 1: batch})[1]
            digest = hashlib.sha256(file).digest()
            assert self.device.ask({0: 5, 1: batch, 2: digest})[1] is True
            opened = self.device.open_stock(file)
            self.vouchers += [(batch, index) for index in range(len(opened))]
            self.stock_pins |= {(batch, index): pin for index, (_, pin) in enumerate(opened)}
        self.settle(reply[2], reply[3])

    def settle(self, ledger_float: int, acknowledged: int) -> None:
        self.told = ledger_float
        self.unposted = {s: debit for s, debit in self.unposted.items() if s > acknowledged}

    def sell(self, heard: bool) -> None:
        sequence = self.device.record(3, ["air50", 5000, self.commission_minor])
        self.asked[sequence] = self.commission_minor
        self.answer(sequence)
        if not heard:  # the reply is lost; it asks again
            self.answer(sequence)

    def answer(self, sequence: int) -> None:
        reply = self.device.sale(sequence, commission=self.asked[sequence])
        if sequence in self.answers:
            assert reply == self.answers[sequence]
            return
        self.answers[sequence] = reply
        if reply[1] == 0:
            self.pins.append(reply[2])
            self.told -= 5000 - self.asked[sequence]
            self.device.record(4, [sequence, b"sealed", reply[3], reply[4], reply[5]])
        else:
            self.device.record(5, [sequence, reply[6]])

    def offline(self, spoiled: bool) -> None:
        cost_minor = 5000 - self.commission_minor
        if not self.vouchers or self.own_float() < cost_minor:
            return
        batch, index = self.vouchers.pop(0)
        sequence = self.device.record(2, ["air50", 5000, self.commission_minor, batch, index])
        self.unposted[sequence] = cost_minor
        if spoiled:
            self.device.record(5, [sequence, "spoiled"])  # the next settlement gives it back
        else:
            self.pins.append(self.stock_pins[batch, index])
            self.device.record(6, [sequence, 1])

    def upload(self, upto: int | None = None, since: int | None = None) -> None:
        first = self.uploaded + 1 if since is None else since
        reply = self.device.upload(first, upto)
        if reply[0] == 3 and reply[1] >= self.uploaded:
            self.uploaded = reply[1]
            self.settle(reply[2], reply[1])

    def block(self, blocked: bool) -> None:
        self.blocked = blocked
        with writing(self.shop.service.engine) as connection:
            terminals.set_blocked(connection, self.device.terminal_id, blocked)

    def take_back(self) -> None:
        """What no terminal has, and what this one passed over, as the supplier says nobody loaded
        it."""
        with writing(self.shop.service.engine) as connection:
            mine = returns.places(connection, self.device.terminal_id)
            passed = [place.serial for place in mine if place.state == "passed"]
            returns.give_back(
                connection, self.device.terminal_id, "asha", "asked", 1, unused=passed
            )

    def step(self, name: str, chance: random.Random) -> None:
        shop = self.shop
        if name == "sell":
            self.sell(heard=True)
        elif name == "sell unheard":
            self.sell(heard=False)
        elif name == "ask again" and self.answers:
            self.answer(chance.choice(sorted(self.answers)))
        elif name == "ask otherwise" and self.answers:
            sequence = chance.choice(sorted(self.answers))
            assert self.device.sale(sequence, amount=4999)[1] == "conflict"
        elif name in ("offline", "spoil"):
            self.offline(spoiled=name == "spoil")
        elif name == "upload":
            self.upload()
        elif name == "upload part":
            self.upload(upto=chance.randint(self.uploaded, len(self.device.journal)))
        elif name == "upload old":
            self.upload(since=chance.randint(1, self.uploaded + 1))
        elif name == "check in":
            self.check_in()
        elif name == "top up":
            shop.top_up(self.device, chance.randint(1, 9000), f"{chance.random()}")
        elif name == "stock":
            free = shop.sql("SELECT COUNT(*) FROM voucher WHERE free")[0][0]
            if free >= 2 and not self.blocked:
                shop.assign(self.device, count=2)
        elif name in ("block", "unblock"):
            self.block(name == "block")
        elif name == "take back":
            self.take_back()
        elif name == "skip" and self.vouchers:
            self.vouchers.pop(0)  # as after a spoiled place in its journal
        elif name == "vouchers":
            shop.stock_vault(count=5, start=shop.sql("SELECT COUNT(*) FROM voucher")[0][0])
        elif name == "replay":
            body, _ = self.device.seal({0: 1})
            shop.post(body)
            assert shop.post(body) == (409, b"")
