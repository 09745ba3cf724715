"""Cuts the power at every flash operation of a scenario, in every way, and judges what is left.

One golden run a scenario records its flash operations and, before each, everything that outlives
a cut. A case sets the flash to the instant of its operation, lets the operation go wrong, and
switches the terminal on again. `tests.powercut.__main__` is the command, `test_power_cut` the
everyday form.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import random
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hw_sim.flash import ERASE_CUTS, PROGRAM_CUTS, SECTOR_BYTES, NorFlash, Operation, PowerCut
from tests.powercut import judge
from tests.powercut.head_office import Server
from tests.powercut.scenarios import (
    SCENARIOS,
    Answering,
    Scenario,
    begin,
    go_on,
    live_on,
    start_again,
)
from tests.powercut.world import LAYOUT, Life, OutOfService, Reset, TechnicianTold, World

WAITS: Final = "it waits in recovery for a technician"
FAULTS: Final = ("silent", "worn")
DOUBT_EVERY: Final = 32
"""Of so many cases whose place is known, one is followed to rest all the same."""
_CONTROL, _DATA = (
    range(offset // SECTOR_BYTES, (offset + size) // SECTOR_BYTES)
    for offset, size in (LAYOUT["control"], LAYOUT["data"])
)


class CutDidNotFire(AssertionError):
    """A case that proves nothing: the operation it cuts did not happen."""


class NotOnePlace(AssertionError):
    """Two terminals that were taken to stand at one place went different ways: see `_holds`."""


@dataclass
class Golden:
    """An undisturbed run: `operations[n]` happened when the world stood as `instants[n]`.

    `payload_bytes` came over the air until everything was at rest.
    """

    scenario: Scenario
    start: bytes
    operations: list[Operation]
    instants: list[dict[str, Any]]
    payload_bytes: int


@dataclass
class Found:
    """What cases came to. `states` are hashes of the flash at the cut."""

    states: set[bytes] = field(default_factory=set)
    judged: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    """Of processor time."""

    def add(self, other: Found) -> None:
        self.states |= other.states
        self.judged += other.judged
        self.broken += other.broken
        self.seconds += other.seconds


def modes(operation: Operation) -> tuple[str, ...]:
    """Every way this operation can go wrong."""
    return (*ERASE_CUTS, "worn") if operation[1] is None else (*PROGRAM_CUTS, "silent")


@functools.cache
def golden(name: str) -> Golden:
    """The golden run of a scenario, made once a process.

    Raises:
        AssertionError: the judge finds fault with it; no cut is needed to see that it is broken.
    """
    scenario = SCENARIOS[name]
    world = begin(scenario.start)
    start = world.flash.snapshot()
    instants: list[dict[str, Any]] = []
    world.flash.log = []
    world.flash.on_operation = lambda *_: instants.append(world.capture())
    try:
        scenario.play(world)
        world.flash.on_operation = None
        operations, world.flash.log = world.flash.log, None
        wrong = judge.money(world) + judge.boots(world)
        world.online = True
        wrong += live_on(world, scenario)
    except Answering:
        wrong = [WAITS]
    if wrong:
        raise AssertionError(f"{name}, undisturbed: {wrong[0]}")
    return Golden(scenario, start, operations, instants, world.payload_bytes)


def _seed(case: str) -> int:
    return int.from_bytes(hashlib.sha256(case.encode()).digest()[:8], "big")


class Explorer:
    """Walks through one golden run, from operation to operation, on one flash."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.golden = golden(name)
        self.flash = NorFlash(None, size_bytes=len(self.golden.start))
        self.flash.restore(self.golden.start)
        sectors = range(self.flash.size_bytes // 4096)
        self._prints = [self.flash.cells.fingerprint(sector) for sector in sectors]
        self._at = 0
        self._seen: set[tuple[bytes, int, Server]] = set()
        self._known: Known = {}
        self._contents: dict[bytes, bytes] = {}
        self._only: str | None = None
        self.replayed: set[str] = set()
        self.found = Found()

    def _sectors(self, before: Iterable[int]) -> list[bytes]:
        prints = list(self._prints)
        for sector in self.flash.cells.changed_sectors().union(before):
            prints[sector] = self.flash.cells.fingerprint(sector)
        return prints

    def _key(self, before: Iterable[int] = ()) -> bytes:
        return hashlib.blake2b(b"".join(self._sectors(before)), digest_size=12).digest()

    def _holds(self, before: Iterable[int]) -> bytes:
        """As `_key`, but of boot records that were torn only that they were, and of /data only what
        its files hold: the rest is what littlefs left behind. Where cells are weak, every byte."""
        prints = self._sectors(before)
        weak = {at // SECTOR_BYTES for at in self.flash.cells.weak}
        for sectors, held in ((_DATA, self._files), (_CONTROL, self._boot_records)):
            if weak.isdisjoint(sectors):
                prints[sectors.start] = held(prints)
                prints[sectors.start + 1 : sectors.stop] = [b""] * (len(sectors) - 1)
        return hashlib.blake2b(repr(prints).encode(), digest_size=16).digest()

    def _files(self, prints: list[bytes]) -> bytes:
        physically = b"".join(prints[_DATA.start : _DATA.stop])
        if physically not in self._contents:
            self._contents[physically] = repr(judge.contents(self._cells(_DATA))).encode()
        return self._contents[physically]

    def _boot_records(self, prints: list[bytes]) -> bytes:
        return repr(judge.control_pages(self._cells(_CONTROL))).encode()

    def _cells(self, sectors: range) -> bytes:
        start, stop = sectors.start * SECTOR_BYTES, sectors.stop * SECTOR_BYTES
        return bytes(self.flash.cells.memory[start:stop])

    def go_to(self, operation: int) -> None:
        """Set the flash to the instant before a (1-based) operation of the golden run."""
        while self._at < operation - 1:
            done = self.golden.operations[self._at]
            self.flash.cells.redo(done)
            sector = done[0] // 4096
            self._prints[sector] = self.flash.cells.fingerprint(sector)
            self._at += 1

    def _changes_nothing(self, operation: Operation) -> bool:
        """A program of what is there already: however it is cut, nothing differs."""
        address, data = operation
        flash = self.flash
        if data is None or any(address <= at < address + len(data) for at in flash.cells.weak):
            return False
        return flash.cells.memory[address : address + len(data)] == data

    def fire(self, operation: Operation, mode: str) -> None:
        """Let the operation be cut.

        Raises:
            CutDidNotFire: it was not.
        """
        flash = self.flash
        flash.cut_power_at(flash.operations + 1, mode)  # type: ignore[arg-type]
        try:
            if operation[1] is None:
                flash.erase(operation[0])
            else:
                flash.program(operation[0], operation[1])
        except PowerCut:
            if not flash.cut_pending:
                return
        raise CutDidNotFire(f"{self.name}: the cut of {operation[0]:#x} {mode} did not fire")

    def _judge(
        self, case: str, world: World, known: Known | None = None, before: Iterable[int] = ()
    ) -> None:
        """The flash is as the cut left it (other than at the start in the sectors `before` and in
        those changed since the newest mark); see what comes of it."""
        if self._only and case != self._only and not self._only.startswith(case + ":"):
            return
        self.found.judged += 1
        if self._only:
            self.replayed.add(case)
        doubt = _seed(case) % DOUBT_EVERY == 0
        wrong = verdict(world, self.golden, known, lambda: self._holds(before), doubt=doubt)
        if wrong:
            self.found.broken.append((case, wrong))

    def _is_new(self, kept: dict[str, Any]) -> bool:
        key = self._key()
        self.found.states.add(key)
        # Paper and server may differ over one content of the flash.
        whole = (key, len(kept["paper"][0][: kept["paper"][1]]), kept["server"])
        if whole in self._seen:
            return False
        self._seen.add(whole)
        return True

    def explore(
        self,
        first: int,
        last: int,
        second_every: int,
        stop_at_broken: bool = False,
        only: str | None = None,
    ) -> Found:
        """All cases of operations `first` to `last`; of every `second_every`-th (0: none) the
        recovery is cut in its turn, at each of its operations. `only`: that case alone."""
        began = time.process_time()
        # A fault without a cut needs the whole scenario: of long ones a part of the operations, and
        # always the first program of a sector, which holds heads.
        fault_every = max(1, len(self.golden.operations) // 40)
        for number in range(first, last + 1):
            self.go_to(number)
            operation = self.golden.operations[number - 1]
            kept = self.golden.instants[number - 1]
            if not only and number > 1 and self._changes_nothing(operation):
                continue
            for mode in modes(operation):
                case = f"{self.name}:{number}.{mode}"
                if only and not (only + ":").startswith(case + ":"):
                    continue
                self._only = only
                if mode in FAULTS:
                    begins = number > 1 and self.golden.operations[number - 2][1] is None
                    if only or begins or number % fault_every == 0:
                        self._fault(number, mode, case)
                else:
                    second = second_every > 0 and _seed(case) % second_every == 0
                    self._cut(operation, mode, kept, case, second)
                if stop_at_broken and self.found.broken:
                    return self.found
        self.found.seconds = time.process_time() - began
        return self.found

    def _cut(
        self, operation: Operation, mode: str, kept: dict[str, Any], case: str, second: bool
    ) -> None:
        flash = self.flash
        flash.mark()
        flash.cells.set_chance(_seed(case))
        self.fire(operation, mode)
        spoiled = flash.cells.changed_sectors()
        recovery: list[tuple[Operation, dict[str, Any]]] = []
        if self._is_new(kept):
            flash.mark()
            world = World(flash, kept["server"]).outlive(kept)
            if second:
                instants: list[dict[str, Any]] = []
                flash.log = []
                flash.on_operation = lambda *_: instants.append(world.capture())
            self._judge(case, world, None if second else self._known, spoiled)
            if second:
                flash.on_operation = None
                log, flash.log = flash.log or [], None
                recovery = list(zip(log, instants, strict=False))
            flash.rewind()
        if recovery:
            self._second(recovery, case)
        flash.rewind()

    def _second(self, recovery: list[tuple[Operation, dict[str, Any]]], case: str) -> None:
        flash = self.flash
        for number, (operation, kept) in enumerate(recovery, 1):
            if not self._only and number > 1 and self._changes_nothing(operation):
                continue
            for mode in modes(operation):
                if mode in FAULTS:
                    continue
                deeper = f"{case}:{number}.{mode}"
                before = flash.cells.changed_sectors()
                flash.mark()
                flash.cells.set_chance(_seed(deeper))
                self.fire(operation, mode)
                key = self._key(before)
                if key not in self.found.states:
                    self.found.states.add(key)
                    world = World(flash, kept["server"]).outlive(kept)
                    self._judge(deeper, world, self._known, before)
                flash.rewind()
            flash.cells.redo(operation)

    def _fault(self, number: int, mode: str, case: str) -> None:
        """The scenario once more, from its start, with an operation that fails without a cut."""
        world = begin(self.golden.scenario.start)
        flash = world.flash
        flash.cells.set_chance(_seed(case))
        flash.fail_at(flash.operations + number, mode)  # type: ignore[arg-type]
        log: list[Operation] = []
        flash.log = log
        trouble: BaseException | None = None
        try:
            self.golden.scenario.play(world)
        except (Reset, Answering, Exception) as error:  # what matters is what is left
            trouble = error
        flash.log = None
        if not flash.fault_fired:
            pairs = zip(self.golden.operations, log, strict=False)
            same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
            where = f"{case}: the fault did not happen; the run went another way after {same}"
            raise CutDidNotFire(where) from trouble
        kept = world.capture()
        key = hashlib.blake2b(flash.snapshot(), digest_size=12).digest()
        self.found.states.add(key)
        self.found.judged += 1
        if self._only:
            self.replayed.add(case)
        world = World(flash, kept["server"]).outlive(kept)
        wrong = verdict(world, self.golden, may_refuse=mode == "worn")
        if wrong:
            self.found.broken.append((case, wrong))


Known = dict[tuple[Any, ...], tuple[list[str], int]]
"""Of terminals that stood at one place after a start: what was wrong later, and how many bytes of
payload came. Cuts that differ in what a start, or an update, mends lead to one place."""


def verdict(
    world: World,
    of: Golden,
    known: Known | None = None,
    key: Callable[[], bytes] = bytes,
    may_refuse: bool = False,
    doubt: bool = False,
) -> str:
    """What is wrong with a world after a cut; "" if every promise holds.

    `known` is filled and used; `key` gives the flash's. `may_refuse`: the flash itself is worn out,
    so a terminal that says that it cannot work, and has lost nothing, does what it can. `doubt`:
    follow it to rest even if another one stood at its place.

    Raises:
        NotOnePlace: and what came of it was not the same.
    """
    try:
        wrong = judge.money(world) + judge.boots(world) + judge.files(world)
        if not wrong:
            life, wrong = start_again(world, of.scenario)
        if not wrong:
            wrong = _to_rest(world, life, of, {} if known is None else known, key, doubt)
        limit = of.payload_bytes + world.cuts * 4096 + 1024 + of.scenario.by_cable_bytes
        if not wrong and world.payload_bytes > limit:
            wrong = [f"{world.payload_bytes} bytes of payload came, {limit} are enough"]
    except Answering:
        wrong = [WAITS]
    except (OutOfService, TechnicianTold) as error:
        wrong = [str(error)]
    except NotOnePlace:
        raise
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        wrong = [f"{type(error).__name__}: {error} ({line.name}:{line.lineno})"]
    if wrong and may_refuse:
        wrong = judge.money(world) + judge.boots(world)
    return "; ".join(wrong)


def _to_rest(
    world: World, life: Life, of: Golden, known: Known, key: Callable[[], bytes], doubt: bool
) -> list[str]:
    """What is wrong until a terminal is at rest, or was with the one that stood at its place."""
    steps = go_on(world, life, of.scenario)
    passed: list[tuple[tuple[Any, ...], int]] = []
    others: dict[tuple[Any, ...], tuple[list[str], int]] = {}
    while True:
        try:
            life, progress = next(steps)
        except StopIteration as rest:
            wrong = list(rest.value)
            break
        place = (key(), life.remembers(), progress, *world.standing())
        if place in known:
            if not doubt:
                wrong, more = known[place]
                world.payload_bytes += more
                break
            others[place] = known[place]
        passed.append((place, world.payload_bytes))
    for place, came in passed:
        known[place] = wrong, world.payload_bytes - came
        if others.get(place, known[place]) != known[place]:
            raise NotOnePlace(f"{others[place]}, and then {known[place]}")
    return wrong


def pieces(names: list[str], share: int = 12, seed: int = 1) -> Iterator[tuple[str, int, int]]:
    """The scenarios' operations in portions for workers, mixed so that all end together."""
    made = []
    for name in names:
        count = len(golden(name).operations)
        made += [(name, at, min(at + share - 1, count)) for at in range(1, count + 1, share)]
    random.Random(seed).shuffle(made)
    yield from made
