"""`inv bench sale`: from the merchant's last key to the slip, for what is sold by each road; the
pictures that the display is given for a key; the heap that the largest flow leaves.

Simulated time has the waits (keypad, modem, network, printer and its wire) and what a Cortex-M3
computes for the sale itself (tests/support/computing.py). Heap is what `inv bench running` last
accepted.
Fails when the largest flow leaves less than its bar, or a sale is slow by docs/formats/metrics.md.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from hw_sim.uart import UartPeer
from tests.measure import running
from tests.measure.roads import SALE_BAR_S
from tests.support.seeded import seeded
from tests.support.sources import CheckoutSources
from tests.support.world import PRICES, quiet_tools
from tests.terminal.conftest import TerminalWorld, make_factory, make_ready, simulated

ONLINE, FROM_STOCK = 3, 2
"""Sales of each kind; the offline policy allows two from stock."""
_SENT = "        self._send(changed)\n"
_TOLD = '        print("DRAWN", len(changed))\n'
_STATUS_QUESTION = b"\x10\x04"
"""DLE EOT: prints nothing."""
_QUIET_S = 60.0
_SETTLED_S = 0.5
_NO_POLL_S = 3600
_DEPOSIT_MINOR = 200_000


class Ear:
    """On the wire to the printer: when the first byte of a slip passed, by `now_s`."""

    def __init__(self, printer: UartPeer, now_s: Callable[[], float]) -> None:
        self._printer = printer
        self._now_s = now_s
        self.send = printer.send
        self.first_byte_s: float | None = None

    def on_host_bytes(self, data: bytes) -> None:
        """What the CPU sent; a question for the printer's status is no slip."""
        if self.first_byte_s is None and not data.startswith(_STATUS_QUESTION):
            self.first_byte_s = self._now_s()
        self._printer.on_host_bytes(data)

    def on_power(self, on: bool) -> None:
        """The printer's supply."""
        self._printer.on_power(on)


class Key(NamedTuple):
    """What one key did: pictures given to the display, bands of eight rows sent for them, and how
    long its page took.
    """

    pictures: int
    bands: int
    page_s: float


class Sale(NamedTuple):
    """One sale: its keys from the menu to *Sold*; seconds from the touch of the last of them to the
    first byte of the slip.
    """

    keys: Sequence[Key]
    first_byte_s: float

    @property
    def sold_s(self) -> float:
        """From the last key until *Sold* is on show."""
        return self.keys[-1].page_s

    @property
    def before_s(self) -> float:
        """The longest wait at a key before the last."""
        return max(key.page_s for key in self.keys[:-1])

    @property
    def pictures(self) -> list[int]:
        """For each key but the last, whose waits have pictures of their own."""
        return [key.pictures for key in self.keys[:-1]]


Road = tuple[str, str]
"""What is sold, and how."""


def drawn(log: str) -> tuple[int, int]:
    """(pictures, bands sent) that a terminal told of in whole lines of its log."""
    bands = [
        int(words[1])
        for line in log.splitlines(keepends=True)
        if line.endswith("\n") and len(words := line.split()) == 2 and words[0] == "DRAWN"
    ]
    return len(bands), sum(bands)


class Counter:
    """A merchant's hands at a terminal that tells of its pictures, with a watch in view."""

    def __init__(self, world: TerminalWorld) -> None:
        self._terminal = world.terminal
        self._new_log = world.new_log
        self._keys: list[Key] = []
        board = self._terminal.board.board
        wire = board.uarts[board.description.printer_uart]
        assert wire.peer is not None
        self._ear = Ear(wire.peer, board.pace.now_s)
        wire.peer = self._ear

    def press(self, key: str, *then: str) -> str:
        """One key; return which of `then` the display shows."""
        log = self._new_log()
        begun_s = self._terminal.now_s()
        self._terminal.board.press(key)
        shown = self._terminal.wait_shows(*then, timeout_s=60) if then else ""
        page_s = self._terminal.now_s() - begun_s
        self._terminal.board.pause(_SETTLED_S)
        self._keys.append(Key(*drawn(log()), page_s))
        return shown

    def type(self, digits: str, then: str) -> None:
        """A number and OK."""
        for digit in digits:
            self.press(digit)
        self.press("#", then)

    def sell(
        self, choose: Callable[[Counter], None], before: Callable[[], None] = lambda: None
    ) -> Sale:
        """From a quiet menu to *Sold* and back, `choose` up to the question whether to sell;
        `before` is done when the customer comes.
        """
        self._terminal.board.pause(_QUIET_S)
        before()
        self._keys = []
        choose(self)
        while True:
            self._ear.first_byte_s = None
            begun_s = self._terminal.now_s()
            if self.press("#", "Sold", "Sell from the stock in") == "Sold":
                break
        assert self._ear.first_byte_s is not None
        sale = Sale(self._keys, self._ear.first_byte_s - begun_s)
        self._terminal.board.press("#")
        self._terminal.wait_shows("Menu")
        return sale


def pin(counter: Counter) -> None:
    """A voucher of the menu's first product."""
    counter.press("1", "Sell what?")
    counter.press("1", f"Sell {PRICES.products[0].name}?")


def top_up(counter: Counter) -> None:
    """A number, typed twice."""
    counter.press("2", "Sell what?")
    counter.press("1", "Type the number")
    counter.type(running.NUMBER, "Once more")
    counter.type(running.NUMBER, f"Sell {running.TOP_UP.name}?")


def electricity(counter: Counter) -> None:
    """A meter; the slip has new keys and two tokens, the longest there is."""
    counter.press("3", "Sell what?")
    counter.press("1", "Type the meter")
    counter.type(running.METER_NUMBER, "Is it")
    counter.press("#", f"Sell {running.METER.name}?")


KINDS = {"airtime PIN": pin, "top-up": top_up, "electricity": electricity}


def measure(folder: Path) -> dict[Road, list[Sale]]:
    """Every kind by every road that it has, at a terminal that tells of its pictures."""
    telling = ("firmware/drivers/lcd.py", _SENT, _SENT + _TOLD)
    make_factory(folder, [telling], later_images=False)
    settings = simulated(board={"hosted": CheckoutSources(folder / "manager" / "checkout")})
    world = TerminalWorld(folder, settings)
    with seeded("ready", world.now_unix_s):
        products = [*PRICES.products, running.TOP_UP, running.METER]
        world.manager.set_prices(msgspec.structs.replace(PRICES, version=2, products=products))
        world.manager.publish()
        make_ready(world, _NO_POLL_S)
    world = TerminalWorld(folder, settings)
    with seeded("sale", world.now_unix_s):
        try:
            world.deposit(_DEPOSIT_MINOR)
            world.fill_vault()
            return _by_every_road(world)
        finally:
            world.close()


def _by_every_road(world: TerminalWorld) -> dict[Road, list[Sale]]:
    found: dict[Road, list[Sale]] = {}
    world.open_shop()
    counter = Counter(world)
    with running.suppliers(world, calls_back=True) as operator:
        _come_online(world)
        for kind, choose in KINDS.items():
            found[kind, "HTTP, kept"] = [counter.sell(choose) for _ in range(ONLINE)]
            found[kind, "HTTP, cold"] = [
                counter.sell(choose, lambda: _hang_up(world)) for _ in range(ONLINE)
            ]
        world.terminal.set_coverage(False)
        world.terminal.wait_shows("No network", timeout_s=60)
        found["airtime PIN", "from stock"] = [counter.sell(pin) for _ in range(FROM_STOCK)]
        world.terminal.set_coverage(True)
        before = world.server.url
        world.server.stop()
        world.start_with_datagrams()
        settings = operator.settings
        settings.callback = settings.callback.replace(before, world.server.url)
        world.terminal.board.power_cycle()
        _come_online(world)
        for kind, choose in KINDS.items():
            found[kind, "datagram"] = [counter.sell(choose) for _ in range(ONLINE)]
    return found


def _come_online(world: TerminalWorld) -> None:
    world.wait_online()
    world.merchant.sign_in()


def _hang_up(world: TerminalWorld) -> None:
    world.terminal.board.call(world.terminal.network.reset_connections)
    world.terminal.board.pause(_SETTLED_S)


def largest_flow(budget: Mapping[str, int]) -> tuple[str, int]:
    """(state, bytes of the heap that it leaves), of those in which somebody is in a flow."""
    flows = {state: peak for state, peak in budget.items() if state not in running.UPDATES}
    state = max(flows, key=lambda name: flows[name])
    return state, running.HEAP_BYTES - flows[state]


def worse(found: Mapping[Road, Sequence[Sale]], budget: Mapping[str, int]) -> list[str]:
    """What does not keep its bar, in words."""
    problems = [
        f"{kind}, {how}: {first_s:.1f} s to the first byte; the bar is {SALE_BAR_S:.0f}"
        for (kind, how), sales in found.items()
        if (first_s := max(sale.first_byte_s for sale in sales)) > SALE_BAR_S
    ]
    state, free = largest_flow(budget)
    if free < running.FREE_BYTES:
        problems.append(f"{state}: {free} bytes free, the bar is {running.FREE_BYTES}")
    return problems


def line(road: Road, sales: Sequence[Sale]) -> str:
    """A row of the table; of several sales the median, of pictures all keys."""
    kind, how = road
    first_s = statistics.median(sale.first_byte_s for sale in sales)
    most_s = max(sale.first_byte_s for sale in sales)
    sold_s = statistics.median(sale.sold_s for sale in sales)
    before_s = statistics.median(sale.before_s for sale in sales)
    pictures = [count for sale in sales for count in sale.pictures]
    bands = [key.bands for sale in sales for key in sale.keys[:-1]]
    last = statistics.median(sale.keys[-1].pictures for sale in sales)
    return (
        f"| {kind} | {how} | {len(sales[0].keys)} | {before_s:.1f} s "
        f"| {first_s:.2f} s, at most {most_s:.2f} | {sold_s:.1f} s "
        f"| {statistics.mean(pictures):.1f}, at most {max(pictures)} "
        f"| {statistics.mean(bands):.1f} | {last:.0f} |"
    )


def main() -> int:
    """Print the table; 1 if a bar is not kept."""
    with tempfile.TemporaryDirectory(prefix="duka-sale-") as folder, quiet_tools():
        found = measure(Path(folder) / "world")
    print(
        "| what | by | keys | longest wait before | last key to first byte "
        "| to *Sold* | pictures a key | bands a key | pictures after the last |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for road in sorted(found):
        print(line(road, found[road]))
    budget: dict[str, int] = json.loads(running.BUDGET.read_text())
    state, free = largest_flow(budget)
    print(
        f"heap: {state} is the largest flow and leaves {free:,} bytes; bar {running.FREE_BYTES:,}"
    )
    problems = worse(found, budget)
    for problem in problems:
        print("worse:", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
