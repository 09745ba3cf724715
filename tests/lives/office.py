"""What the office does for one terminal's life: releases on their way through the channels, prices,
deposits, stock, a server that goes down.
"""

from __future__ import annotations

import shutil
from enum import Enum

import msgspec

from tests.lives.workshop import Workshop
from tests.support.merchant import FLOAT_MINOR
from tests.support.world import PRICES
from tests.terminal.conftest import TerminalWorld

CHANNELS = ("alpha", "beta", "stable")
"""The way of a release. A terminal is on one of them."""
LOW_FLOAT_MINOR = 40_000
_TEXTS, _MAIN = "firmware/ui/languages/en.py", "firmware/main.py"
_START = "    log.start(board.console)\n"
_FIRST_THANKS = "|Thank you\n"


class Bad(Enum):
    """How a release is bad."""

    CRASHES = '    raise RuntimeError("no such display")\n'
    HANGS = "    while True:\n        pass\n"


def first_release_everywhere(world: TerminalWorld) -> None:
    """Release 1, which the factory listed on `stable`, is what runs on every channel."""
    for channel in CHANNELS[:-1]:
        world.manager.add(world.image(1), channel=channel)
    world.manager.publish()


class Office:
    """`release` is what the terminal should run; `bad` are the releases that must fail on it."""

    def __init__(self, world: TerminalWorld, channel: str, workshop: Workshop) -> None:
        self._world = world
        self._workshop = workshop
        self._channel = channel
        self._thanks = _FIRST_THANKS
        self.release = 1
        self.bad: list[int] = []
        self._newest = 1
        self.paid_in_minor = FLOAT_MINOR
        self._copies = world.folder / "copies"
        self.waits_for_terminals = False

    def publish(self) -> str:
        """Put into force what is signed, and sign anew what runs out."""
        self._world.manager.publish(self._world.now())
        return ""

    def offer(self, bad: Bad | None) -> str:
        """A new release on the first channel."""
        number = self._newest + 1
        self._newest = number
        manager = self._world.manager
        thanks = f"|Thank you {number}\n"
        manager.change(_TEXTS, self._thanks, thanks)
        self._thanks = thanks
        if bad:
            manager.change(_MAIN, _START, _START + bad.value)
        image = self._workshop.build(manager, number)
        if bad:
            manager.change(_MAIN, _START + bad.value, _START)
            self.bad.append(number)
        manager.add(image, channel=CHANNELS[0], gate_idle_s=600)
        self._reaches(CHANNELS[0], bad)
        return f"release {number}"

    def promote(self, to_channel: str, bad: Bad | None) -> str:
        """The newest release goes on to the next channel."""
        before = CHANNELS[CHANNELS.index(to_channel) - 1]
        self._world.manager.promote(self._newest, before, to_channel)
        self._reaches(to_channel, bad)
        return f"release {self._newest} to {to_channel}"

    def _reaches(self, channel: str, bad: Bad | None) -> None:
        self.publish()
        if channel == self._channel and not bad:
            self.release = self._newest

    def change_the_prices(self, number: int) -> str:
        """The second product is dearer from now on; after half a year it begins at its first price
        again, or no float would be enough for it.
        """
        second = PRICES.products[1]
        more_minor = 100 * (number % 180)
        dearer = msgspec.structs.replace(second, amount_minor=second.amount_minor + more_minor)
        prices = msgspec.structs.replace(
            PRICES, version=number + 2, products=[PRICES.products[0], dearer]
        )
        self._world.manager.set_prices(prices)
        return self.publish()

    def top_up(self) -> str:
        """A deposit, when the float is low."""
        if self._world.books.float_minor() >= LOW_FLOAT_MINOR:
            return "enough"
        self._world.deposit(FLOAT_MINOR)
        self.paid_in_minor += FLOAT_MINOR
        return "paid in"

    def deliver_stock(self, product: int, count: int) -> str:
        """Vouchers to sell without network."""
        self._world.assign_stock(PRICES.products[product - 1].product_id, count)
        return ""

    def back_up(self) -> str:
        """A copy of the server's database on another disk."""
        shutil.rmtree(self._copies, ignore_errors=True)
        self._world.server.command("backup", str(self._copies))
        return ""

    def restore(self) -> str:
        """The server comes back as it was at the back-up; what was sold since it has to be told."""
        server = self._world.server
        server.stop()
        [copy] = self._copies.iterdir()
        server.command("restore", str(copy))
        server.start()
        self.waits_for_terminals = True
        return ""

    def end_the_restore(self) -> str:
        """Let everything be sold again, once the terminal has told everything."""
        server = self._world.server
        told = server.command("restored", "status")
        if "1 of 1" not in told:
            return "not told everything"
        server.command("restored", "finish")
        self.waits_for_terminals = False
        return "told everything"
