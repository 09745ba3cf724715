"""`inv bench running`: what a terminal that runs, all its tasks going on, holds of the heap of the
emulated Cortex-M3 in each state: at the sign-in page, in each flow, while it updates itself.

Sweeps come as often as `gc.threshold` can make them, so that the most after a sweep is what the
work needs; the world asks and syncs every second. Fails when a flow leaves less than the bar, or a
figure is worse than `tests/measure/running_budget.json` by more than `MARGIN_BYTES`.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hw_sim.qemu import PSRAM_BYTES, QemuChip
from hw_sim.suppliers.airtime import Operator
from hw_sim.suppliers.airtime import Settings as Airtime
from hw_sim.suppliers.utility import Settings as Power
from hw_sim.suppliers.utility import Utility
from tests.support.seeded import seeded
from tests.support.world import PRICES, eventually, quiet_tools
from tests.terminal.conftest import TerminalWorld, make_factory, make_ready, quick, simulated
from tools.lab import qemu
from tools.release.image import ROOT
from updater_server.channels.entry import Product, Recipient

BUDGET = Path(__file__).with_name("running_budget.json")
"""{state: most bytes in use after a sweep} as last accepted."""
HEAP_BYTES = 128_000
FREE_BYTES = 12 * 1024
"""The bar: so much is free in the largest flow, and while the terminal updates itself."""
MARGIN_BYTES = 3072
"""A sync, a check-in or a question may fall into a state or not: its work and its buffers."""
UPDATES = ("look", "full_image")
"""States in which nobody is in a flow."""
EVERY_DAY = ("start", "sign_in_page", "menu", "sell", "look")
"""States that the everyday tests measure: what is there at rest shows in each of them."""
_SHIFT = 3
_MAIN = "    asyncio.run(terminal.run())\n"
_WATCH = """    import machine

    async def watch():
        gc.threshold(4096)
        while True:
            await asyncio.sleep_ms(400)
            gc.collect()
            print("HEAP", gc.mem_alloc(), machine.heap_piece(), machine.heap_peak())

    if hasattr(machine, "heap_peak"):
        asyncio.create_task(watch())
"""
TOP_UP = Product(
    "top50", "Savanna top-up 50", "Savanna", 5000, 250, "Dial *144#", [4],
    kind="topup", recipient=Recipient((10, 10), ["07"]),
)  # fmt: skip
METER = Product(
    "kwh50", "Power 50", "City Power", 5000, 100, "Type the token into the meter", [4],
    kind="meter", recipient=Recipient((11, 13), ["0"]),
)  # fmt: skip
NUMBER = "0712345678"
METER_NUMBER = "01234561403"
"""Of a customer who owes, needs new keys and has a right to free units: the longest answer."""

Figures = dict[str, dict[str, int]]
"""{state: {"peak": most in use after a sweep, "in_use": the least, "piece": the largest that is
free, at its smallest}}"""


def prepare(folder: Path) -> Path:
    """A provisioned terminal whose release watches its heap; everything is off."""
    watched = [("firmware/main.py", _MAIN, _WATCH + _MAIN)]
    # Simulated time runs ahead of a quiet host: what was looked at in the future is looked at anew.
    make_factory(folder, watched, begin_unix_s=time.time() - 3600)
    world = TerminalWorld(folder, simulated())
    with seeded("running", world.now_unix_s):
        products = [*PRICES.products, TOP_UP, METER]
        world.manager.set_prices(msgspec.structs.replace(PRICES, version=2, products=products))
        world.manager.publish()
        make_ready(world)
    content = world.flash.read_bytes()
    world.flash.write_bytes(content + b"\xff" * (PSRAM_BYTES - len(content)))
    return folder


class Watch:
    """Reads what the terminal prints of its heap."""

    def __init__(self, world: TerminalWorld) -> None:
        self._world = world
        self.figures: Figures = {}

    def rest(self, state: str) -> None:
        """Note a state that lasts."""
        self.during(state, lambda: None, 6)

    def during(self, state: str, work: Callable[[], object], lines: int = 1) -> None:
        """Note the state in which `work` is done, until so many lines came after it."""
        log = self._world.new_log()
        work()
        after = self._world.new_log()
        self._world.terminal.board.wait_for(
            lambda: len(_lines(after())) >= lines, 120, what="figures of the heap"
        )
        found = _lines(log())
        self.figures[state] = {
            "peak": max(peak for _, _, peak in found),
            "in_use": min(used for used, _, _ in found),
            "piece": min(piece for _, piece, _ in found),
        }


def _lines(text: str) -> list[tuple[int, int, int]]:
    found = []
    for line in text.splitlines()[:-1]:
        words = line.split()
        if len(words) == 4 and words[0] == "HEAP" and all(w.isdigit() for w in words[1:]):
            found.append((int(words[1]), int(words[2]), int(words[3])))
    return found


@contextmanager
def suppliers(world: TerminalWorld, calls_back: bool = False) -> Iterator[Operator]:
    """Who makes a top-up, and who sells electricity; the server knows them. Unless the operator
    `calls_back`, the server has to ask what became of a top-up.
    """
    operator = Operator(Airtime())
    utility = Utility(Power())
    try:
        for name, kind, key, product, settings in (
            ("savanna", "airtime", operator.settings.api_key, TOP_UP,
             {"url": operator.url, "username": "duka", "country": "254"}),
            ("city", "xmlvend", utility.settings.password, METER,
             {"url": utility.url, "username": "duka", "client": utility.settings.client}),
        ):  # fmt: skip
            file = world.folder / f"{name}.key"
            file.write_text(key + "\n")
            told = [f"--setting={key}={value}" for key, value in settings.items()]
            said = world.server.command(
                "supplier", "set", name, "--kind", kind, "--key-file", str(file), *told,
                "--setting=deadline_s=5", "--by", "Asha",
            )  # fmt: skip
            path = re.search(r"(/v1/suppliers/savanna/reports/\S+)", said)
            if calls_back and path:
                operator.settings.callback = world.server.url + path[1]
            route = (product.product_id, "--supplier", name, "--by", "Asha")
            world.server.command("supplier", "route", *route)
        yield operator
    finally:
        operator.close()
        utility.close()


def measure(folder: Path, firmware: Path, is_whole: bool = True) -> Figures:
    """Every state of a terminal prepared in `folder`, one after the other; unless `is_whole`, those
    of `EVERY_DAY`, for a third of the CPU.
    """
    world = TerminalWorld(folder, quick(chip=QemuChip(firmware, instruction_shift=_SHIFT)))
    try:
        world.open_shop()
        with suppliers(world):
            watch = Watch(world)
            watch.during("start", world.wait_online)
            world.terminal.wait_shows("Your PIN, then #", timeout_s=60)
            watch.rest("sign_in_page")
            world.merchant.sign_in()
            watch.rest("menu")
            watch.during("sell", world.merchant.sell)
            if is_whole:
                _flows(world, watch)
        _update(world, watch, is_whole)
        return watch.figures
    finally:
        world.close()


def _flows(world: TerminalWorld, watch: Watch) -> None:
    watch.during("topup", lambda: _topup(world))
    watch.during("meter", lambda: _meter(world))
    watch.during("reprint", lambda: _reprint(world))
    watch.during("day_report", lambda: _report(world))
    watch.during("people", lambda: _people(world))


def _topup(world: TerminalWorld) -> None:
    merchant, terminal = world.merchant, world.terminal
    merchant.press("2", "Sell what?")
    merchant.press("1", "Type the number")
    terminal.board.type(NUMBER + "#")
    terminal.wait_shows("Once more")
    terminal.board.type(NUMBER + "#")
    terminal.wait_shows("Sell Savanna top-up 50?")
    _to_its_slip(world)


def _meter(world: TerminalWorld) -> None:
    world.merchant.press("3", "Sell what?")
    world.merchant.press("1", "Type the meter")
    world.terminal.board.type(METER_NUMBER + "#")
    world.terminal.wait_shows("Is it", timeout_s=60)
    world.merchant.press("#", "Sell Power 50?")
    slip = _to_its_slip(world)
    assert "1 of 2" in slip or "2 of 2" in slip, slip


def _to_its_slip(world: TerminalWorld) -> str:
    before = len(world.terminal.receipts())
    world.merchant.press("#", "Sold", timeout_s=120)
    slip = world.terminal.wait_receipts(before + 1)[-1].text
    world.merchant.press("#", "Menu")
    return slip


def _reprint(world: TerminalWorld) -> None:
    world.merchant.press("4", "Last sales")
    world.terminal.wait_shows("Power 50", timeout_s=60)
    world.merchant.press("#", "State")
    world.merchant.press("D", "Sold", timeout_s=60)
    world.merchant.press("#", "Last sales")
    world.merchant.press("*", "Menu")


def _report(world: TerminalWorld) -> None:
    before = len(world.terminal.receipts())
    world.merchant.press("6", "1 Today")
    world.merchant.press("1", "Print", timeout_s=60)
    world.merchant.press("#")
    world.terminal.wait_receipts(before + 1)
    world.terminal.wait_shows("Menu")


def _people(world: TerminalWorld) -> None:
    world.terminal.board.type("AAAA")  # past training, service and sound
    world.merchant.press("#", "Add a person")
    world.merchant.press("*", "Menu")


def _update(world: TerminalWorld, watch: Watch, is_whole: bool) -> None:
    world.merchant.press("*", "Your PIN")
    world.offer(2)
    log = world.new_log()
    # What is behind the look and before the image is expanded takes 15 KB less than either.
    end = "expanding" if is_whole else "bytes are here"
    watch.during("look", lambda: world.wait_logged(log, end, timeout_s=600))
    if is_whole:
        watch.during(
            "full_image",
            lambda: eventually(lambda: world.running() == (2, False), 600, "release 2"),
        )


def worse(figures: Figures, states: Iterable[str] | None = None) -> list[str]:
    """What leaves too little, or needs more than its budget, in words; of all `states`."""
    budget: dict[str, int] = json.loads(BUDGET.read_text())
    problems = []
    for state in budget if states is None else states:
        peak = figures[state]["peak"] if state in figures else sys.maxsize
        if peak > budget[state] + MARGIN_BYTES:
            problems.append(f"{state}: {peak} against a budget of {budget[state]}")
        if peak > HEAP_BYTES - FREE_BYTES:
            problems.append(f"{state}: {HEAP_BYTES - peak} bytes free, the bar is {FREE_BYTES}")
    return problems


def main() -> int:
    """Print the figures and what is worse than its budget; `--accept` makes them the budget."""
    with tempfile.TemporaryDirectory(prefix="duka-running-") as folder, quiet_tools():
        figures = measure(prepare(Path(folder) / "world"), qemu.firmware())
    if "--accept" in sys.argv:
        peaks = {state: figures[state]["peak"] for state in sorted(figures)}
        BUDGET.write_text(json.dumps(peaks, indent=2) + "\n")
    for state, found in figures.items():
        free = HEAP_BYTES - found["peak"]
        print(
            f"{state:<16} most in use {found['peak']:>7,}, free {free:>6,}; at rest "
            f"{found['in_use']:>7,}, largest piece {found['piece']:>6,}"
        )
    problems = worse(figures)
    for problem in problems:
        print("worse:", problem)
    print(f"running: {len(problems)} figures worse than {BUDGET.relative_to(ROOT)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
