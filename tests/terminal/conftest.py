"""A whole small world for each test, copied from one that was made once: server, release manager,
keys, and a terminal in a named state.

- `factory`: the server and its first release are there, the board is blank.
- `ready`: provisioned, on release 1, with a float and a little stock; polls and syncs every second.
- `calm`: as `ready`, but it asks the server for news only when it is switched on.

Release images 2 (good), 3 (crashes at start) and 4 (hangs at start) are built, but not signed.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hw_sim.network.link import WIRE
from tests.support.merchant import FLOAT_MINOR, Merchant
from tests.support.seeded import seeded
from tests.support.sources import CheckoutSources
from tests.support.world import ReleaseManager, TerminalSettings, World, quiet_tools
from tests.support.world_clock import BEGIN_UNIX_S, WorldClock
from tests.terminal.engines import engine_of, with_engine

STOCK = {"air50": 4, "air100": 2}
VOUCHERS = 12
STATES = {"ready": 1, "calm": 3600}
"""Provisioned states, and the seconds between their polls."""

MakeWorld = Callable[..., "TerminalWorld"]
Manner = Callable[..., TerminalSettings]
States = Callable[[bool], Path]
"""Whether on simulated time → the folder of prepared worlds."""


def simulated(**changes: Any) -> TerminalSettings:
    """A terminal on simulated time; its network and printer take what they really take."""
    return TerminalSettings(simulated=True, **changes)


def quick(**changes: Any) -> TerminalSettings:
    """A terminal whose network and printer are quick, and its watchdog patient with busy hosts."""
    printer = {"time_scale": 20.0, **changes.pop("printer", {})}
    board = {"watchdog_stretch": 10.0, **changes.pop("board", {})}
    values = {"time_scale": 20.0, "link": WIRE, "printer": printer, "board": board, **changes}
    return TerminalSettings(**values)


class TerminalWorld(World):
    """A world with a merchant at the terminal. `is_repeatable`: whether its digest says a thing."""

    is_repeatable = True

    @property
    def merchant(self) -> Merchant:
        """Who sells on the terminal."""
        return Merchant(self.terminal)

    def open_shop(self) -> TerminalWorld:
        """Server up, terminal switched on."""
        if not self.server.running:
            self.server.start()
        self.reach()
        self.terminal.board.power_on()
        return self

    def wait_online(self) -> None:
        """Return once the terminal has reached the server since it was last switched on."""
        self.terminal.wait_shows("Online", timeout_s=60)

    def new_log(self) -> Callable[[], str]:
        """What the terminal logs from now on."""
        seen = len(self.terminal.log())
        return lambda: self.terminal.log()[seen:]

    def wait_logged(self, log: Callable[[], str], *texts: str, timeout_s: float = 60) -> None:
        """Return as soon as all `texts` are in what `log` gives."""
        self.terminal.board.wait_for(
            lambda: all(text in log() for text in texts), timeout_s, what=f"{texts} in the log"
        )

    def running(self) -> tuple[int, bool]:
        """(release, on trial) as the terminal last told the server."""
        check_in = self.books.check_in()
        return int(check_in["release"]), bool(check_in["trial"])

    def image(self, number: int) -> Path:
        """A release image that was built when the world was made."""
        return self.manager.images / f"duka-r1-{number}.romfs"

    def offer(self, number: int, **options: Any) -> None:
        """Sign and publish one of the images."""
        self.manager.add(self.image(number), deltas=False, **{"gate_idle_s": 0, **options})
        self.manager.publish()


def make_factory(
    folder: Path,
    edits: Sequence[tuple[str, str, str]] = (),
    begin_unix_s: float = BEGIN_UNIX_S,
    later_images: bool = True,
) -> None:
    """Server, keys and the images, provisioned nowhere. `edits`: (file, old, new) that make the
    firmware a wrong build. The world begins then. Without `later_images` there is but release 1.
    """
    folder.mkdir(parents=True, exist_ok=True)
    WorldClock(folder / "time").write(begin_unix_s)
    world = World(folder, simulated())
    with seeded("factory", world.now_unix_s):
        _make_factory(world, edits)
        if later_images:
            _build_later_images(world.manager)


def _make_factory(world: World, edits: Sequence[tuple[str, str, str]]) -> None:
    manager = world.manager
    world.found_server()
    manager.create()
    manager.check_out()
    for edit in edits:
        manager.change(*edit)
    manager.add(manager.build(1, "1.0.0"))
    manager.set_prices()
    manager.publish()
    world.fill_vault(VOUCHERS)


def _build_later_images(manager: ReleaseManager) -> None:
    start = "    log.start(board.console)\n"
    manager.change("firmware/ui/languages/en.py", "|Thank you", "|Thank you, come again")
    manager.build(2, "1.1.0")
    crash = start + '    raise RuntimeError("no such display")\n'
    manager.change("firmware/main.py", start, crash)
    manager.build(3, "1.2.0")
    manager.change("firmware/main.py", crash, start + "    while True:\n        pass\n")
    manager.build(4, "1.3.0")


def _make_provisioned(states: Path, state: str) -> None:
    shutil.copytree(states / "factory", states / state)
    # What runs it leaves the same, and nobody asks here for what only MicroPython shows.
    hosted = CheckoutSources(states / state / "manager" / "checkout")
    world = TerminalWorld(states / state, simulated(board={"hosted": hosted}))
    with seeded(state, world.now_unix_s):
        make_ready(world, STATES[state])


def make_ready(world: TerminalWorld, poll_s: int = 1) -> None:
    """Provision the blank terminal of a world that has a first release; everything is off then."""
    try:
        world.server.start()
        tap = world.tap
        world.provision(FLOAT_MINOR, poll_s=poll_s, sync_s=1)
        world.terminal.board.power_off()  # both batches are to wait when it first asks
        for product, count in STOCK.items():
            world.assign_stock(product, count)
        world.terminal.board.power_on()
        world.terminal.wait_log("2 new batches", 120)
        # two stock records and the boot record: everything the terminal has to tell
        world.eventually(lambda: world.books.acknowledged_through() >= 3, 60, "an empty journal")
        # what is signed has been verified and stored: the next start has nothing to verify
        for _ in range(5):
            world.terminal.board.pause(30)  # verifying takes its time
            world.terminal.board.power_cycle()
            asked = len(tap.exchanges)
            world.terminal.wait_shows("Online", timeout_s=60)
            world.terminal.board.pause(10)
            if not any(e.status == 200 and e.path != "/m" for e in tap.exchanges[asked:]):
                return
        raise AssertionError(world.terminal.board.summary())
    finally:
        world.close()


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> States:
    """The folder of prepared worlds that begin then, made by whichever worker comes first."""
    base = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        base = base.parent

    @cache
    def made(is_simulated: bool) -> Path:
        folder = base / ("terminal-worlds" if is_simulated else "terminal-worlds-of-today")
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "made").exists():
                shutil.rmtree(folder, ignore_errors=True)
                begin_unix_s = BEGIN_UNIX_S if is_simulated else time.time()
                with quiet_tools():
                    make_factory(folder / "factory", begin_unix_s=begin_unix_s)
                    for state in STATES:
                        _make_provisioned(folder, state)
                (folder / "made").touch()
        return folder

    return made


@pytest.fixture
def manner() -> Manner:
    """How the worlds' terminals are made; a folder that needs real time has another."""
    return simulated


@pytest.fixture
def make_world(
    states: States, tmp_path: Path, manner: Manner, request: pytest.FixtureRequest
) -> Iterator[MakeWorld]:
    """`make_world(state, **settings)`: a world of its own, terminal and server still off.

    One on simulated time is a function of the test's name; its digest is told at the end.
    """
    worlds: list[TerminalWorld] = []
    tell: list[tuple[str, object]] = request.node.user_properties
    with ExitStack() as stack:
        stack.enter_context(quiet_tools())

        def make(state: str = "ready", **changes: Any) -> TerminalWorld:
            settings = manner(**changes)
            folder = tmp_path / f"world{len(worlds)}"
            shutil.copytree(states(settings.simulated) / state, folder)
            world = TerminalWorld(folder, with_engine(settings, request.node, folder))
            if settings.simulated and not worlds:
                stack.enter_context(seeded(request.node.name, world.now_unix_s))
            worlds.append(world)
            return world

        yield make
        for world in worlds:
            if manner().simulated and world.is_repeatable:
                tell.append(("digest", world.digest()))
                tell.append(("engine", engine_of(request.node)))
            world.close()


@pytest.fixture
def shop(make_world: MakeWorld) -> MakeWorld:
    """As `make_world`, with the server up and the terminal switched on."""

    def make(state: str = "ready", **settings: Any) -> TerminalWorld:
        return make_world(state, **settings).open_shop()

    return make
