"""A merchant beside whose server the power fails, and what an independent sum says it must have."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import IntegrityError

from tests.days.cuts import Crashed
from tests.server.device import Device, Transport
from tests.server.merchant import Merchant
from tests.server.shop import Shop

OPENING_MINOR, COST_MINOR = 60_000, 4750


class PatientDevice(Device):
    """Asks again, in a new message, what a server that ended did not answer."""

    def __init__(
        self, restart: Callable[[], None], terminal_id: bytes, key: bytes, transport: Transport
    ) -> None:
        super().__init__(terminal_id, key, transport)
        self._restart = restart

    def post(self, content: object) -> tuple[int, dict[int, Any]]:
        """As `Device.post`."""
        try:
            return super().post(content)
        except Crashed:
            self._restart()
            return super().post(content)


class Keeper(Merchant):
    """`paid_in_minor` and what it sold are all that the model knows: no word of the server's."""

    def __init__(self, shop: Shop, number: int, restart: Callable[[], None]) -> None:
        self.paid_in_minor = OPENING_MINOR
        self.restart = restart
        self.conflicts = 0
        super().__init__(shop, number)

    def expected_minor(self) -> int:
        """What its float must be once all of its journal is told: each PIN that it has costs its
        price, and nothing else costs anything.
        """
        return self.paid_in_minor - COST_MINOR * len(self.pins)

    def step(self, name: str, chance: random.Random) -> None:
        """As `Merchant.step`; what an operator's command did not say is done, is asked again."""
        if name == "top up":
            self._pay_in(chance.randint(1, 9000), f"{chance.random()}")
            return
        self.conflicts += name == "ask otherwise" and bool(self.answers)
        try:
            super().step(name, chance)
        except Crashed:
            self.restart()

    def block(self, blocked: bool) -> None:
        """As `Merchant.block`, until it is done."""
        try:
            super().block(blocked)
        except Crashed:
            self.restart()
            super().block(blocked)

    def _pay_in(self, amount_minor: int, reference: str) -> None:
        try:
            self.shop.top_up(self.device, amount_minor, reference)
        except Crashed:
            self.restart()
            try:
                self.shop.top_up(self.device, amount_minor, reference)
            except IntegrityError:  # the database has the reference
                pass
        self.paid_in_minor += amount_minor
