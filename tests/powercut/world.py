"""One terminal in this process, on the real bootloader, recovery and firmware, and its world.

The board is thin: flash, a printer's head, a technician's cable. What happens in flash can be cut;
everything else (paper, server, what was promised as durable) outlives the cut.
"""

from __future__ import annotations

import binascii
import functools
import itertools
import json
import marshal
import pickle
import sys
import tomllib
import types
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

from hw_sim.flash import NorFlash
from tests.money import office
from tests.powercut import device, judge, publisher
from tests.powercut.files import Files
from tests.powercut.head_office import Server

with device.own():
    import firmware.clock
    import firmware.drivers.printer
    import firmware.flows.language
    import firmware.flows.last_sales
    import firmware.flows.messages
    import firmware.flows.my_pin
    import firmware.flows.people
    import firmware.flows.shift
    import firmware.flows.shift_copy
    import firmware.flows.sound_display
    import firmware.flows.steps.self_test
    import firmware.flows.training
    import firmware.flows.z_report
    import firmware.kept.config
    import firmware.kept.files
    import firmware.kept.memory
    import firmware.kept.notices
    import firmware.kept.people
    import firmware.kept.store
    import firmware.office.ask
    import firmware.office.check_in
    import firmware.office.stock_delivery
    import firmware.sales.by_others
    import firmware.sales.catalogue
    import firmware.sales.journal
    import firmware.sales.mounting
    import firmware.sales.price_list
    import firmware.sales.ring
    import firmware.sales.scan
    import firmware.sales.seller
    import firmware.sales.shifts
    import firmware.sales.stock
    import firmware.sales.tally
    import firmware.sales.till
    import firmware.terminal
    import firmware.update.choice
    import firmware.update.client
    import firmware.update.metadata
    import firmware.update.prepare
    import firmware.update.prices
    import firmware.update.switch
    import firmware.update.verified
    from bootloader import boot, crash
    from bootloader.plan import Repair
    from bootloader.recovery import entropy, file_commands, smp, trust, uploads
    from bootloader.recovery import visit as recovery
    from bootloader.shared import canonical, cbor, tidy
    from bootloader.shared.control import ControlBlock
    from bootloader.shared.crypto import signatures
    from bootloader.shared.hashes import pbkdf2_sha256
    from bootloader.shared.partitions import mount_data, table
    from firmware.duties import check_in, trial
    from firmware.flows import recover, reprint, sell
    from firmware.flows.steps import hand_over
    from firmware.net.link import OFFLINE, ONLINE
    from firmware.office import sync
    from firmware.office.messenger import BadReply, NoNetwork, ServerRefused
    from firmware.sales.sale import SaleRefused
    from firmware.ui.texts import Words

LAYOUT = {
    "boot": (0x00000, 0x01000),
    "control": (0x01000, 0x02000),
    "identity": (0x03000, 0x02000),
    "journal": (0x05000, 0x06000),
    "slot_a": (0x0B000, 0x03000),
    "slot_b": (0x0E000, 0x03000),
    "download": (0x11000, 0x04000),
    "data": (0x15000, 0x2B000),
}
FLASH_BYTES = 0x40000
CONFIG = json.dumps(
    {
        "server": {"host": "127.0.0.1", "port": 80},
        "apn": "internet",
        "channel": publisher.CHANNEL,
        "catalogue": publisher.CATALOGUE,
        "merchant": {
            "name": "Mama Asha Shop",
            "pin_salt": "00" * 16,
            "pin_hash": pbkdf2_sha256(b"2580", bytes(16), 10).hex(),
            "pin_rounds": 10,
        },
        "language": "en",
        "poll_s": 900,
        "sync_s": 300,
    }
).encode()
_ON_DATA: list[types.ModuleType] = [
    firmware.flows.steps.self_test,
    firmware.sales.catalogue,
    firmware.kept.config,
    firmware.kept.files,
    firmware.kept.memory,
    firmware.kept.notices,
    firmware.kept.people,
    firmware.sales.stock,
    firmware.kept.store,
    firmware.update.client,
    firmware.update.prices,
    file_commands,
    tidy,
    trust,
    uploads,
]
# no loop runs here: what would be a task of its own is done by whoever waits for it
firmware.update.client.asyncio = types.SimpleNamespace(create_task=lambda work: work)
_SAID_NO = (NoNetwork, BadReply, ServerRefused)
words = functools.cache(Words)


class Reset(BaseException):
    """The terminal starts again by itself."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Answering(BaseException):
    """The terminal is in serial recovery, and the technician has nothing more to ask."""


class OutOfService(Exception):
    """The terminal says that it cannot work."""


class TechnicianTold(Exception):
    """Recovery refuses what a technician must be able to do."""


class Broken(Exception):
    """A promise was not kept."""


class _Instant:
    """`asyncio` for device code that need not wait here."""

    class Event:
        def set(self) -> None:
            pass

    @staticmethod
    @types.coroutine
    def sleep_ms(duration_ms: int) -> Generator[None, None, None]:
        yield


class _NoSleep:
    @staticmethod
    def sleep(duration_s: float) -> None:
        pass


def _remembered(work: Callable[..., Any], key: Callable[[Any], bytes]) -> Callable[..., Any]:
    """The same metadata is read and written at every start: do it once a process."""
    known: dict[tuple[Any, ...], bytes] = {}

    def remembered(value: Any, *rest: Any) -> Any:
        place = (key(value), *rest)
        if place not in known:
            known[place] = pickle.dumps(work(value, *rest))
        return pickle.loads(known[place])

    return remembered


@functools.cache
def settle_in() -> None:
    """Let this room's device modules wait for nothing, and judge a signature once."""
    for module in (firmware.terminal, trial, firmware.drivers.printer):
        module.__dict__["asyncio"] = _Instant
    firmware.drivers.printer.__dict__["ANSWER_MS"] = 0
    entropy.__dict__["make_key"] = lambda noise, random: office.DEVICE_KEY  # the server knows it
    ticks = itertools.count()  # a slow machine must not look like a slow network
    for module in device.MODULES.values():
        if "ticks_ms" in module.__dict__:
            module.__dict__["ticks_ms"] = ticks.__next__
    firmware.clock.__dict__["ticks_ms"] = lambda: 0
    for module in (boot, recovery):
        module.__dict__["time"] = _NoSleep
    for module in device.MODULES.values():  # CPython's heap is not what is tried here
        if "gc" in module.__dict__:
            module.__dict__["gc"] = Nothing()
        if "collect" in module.__dict__:
            module.__dict__["collect"] = Nothing().collect
    canonical.__dict__["encode"] = _remembered(canonical.encode, marshal.dumps)
    canonical.__dict__["loads"] = _remembered(canonical.loads, bytes)
    smp.__dict__["crc16"] = lambda data: binascii.crc_hqx(data, 0)  # the same, at once
    verify = functools.lru_cache(4096)(signatures._verify_ed25519)
    signatures.__dict__["_verify_ed25519"] = lambda *of: verify(*map(bytes, of))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never really waits."""
    while True:
        try:
            work.send(None)
        except StopIteration as done:
            return done.value


class Head:
    """The printer's UART: each receipt's bytes go to the world's paper."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._replies = bytearray()
        self._job = bytearray()

    def any(self) -> int:
        return len(self._replies)

    def read(self, size: int) -> bytes:
        got = bytes(self._replies[:size])
        del self._replies[:size]
        return got

    def write(self, data: Any) -> int:
        data = bytes(data)
        mute = self._world.mute_printer
        if data[:2] == b"\x10\x04":
            if not mute:
                self._replies.append(0x12)
        elif data == b"\x1dr\x01":
            self._world.paper.append(bytes(self._job))
            self._job = bytearray()
            if not mute:
                self._replies.append(0)
        else:
            self._job += data
        return len(data)


class Pin:
    """`is_low` is asked when it is read."""

    def __init__(self, is_low: Callable[[], bool] = lambda: False) -> None:
        self._is_low = is_low

    def value(self, level: int | None = None) -> int:
        return int(not self._is_low())


class Nothing:
    """A part that is there and does nothing."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *_, **__: 0


class Rtc:
    """A clock whose cell is flat."""

    def datetime(self, *_: Any) -> tuple[int, ...]:
        return 2000, 1, 1, 5, 0, 0, 0, 0


class Radio:
    """A modem that is registered."""

    registered = True
    attached = True
    signal = 20
    trouble = "no_modem"

    async def refresh(self) -> None:
        pass


_REFUSALS = Path(__file__).parents[2] / "docs/formats/refusals.toml"
_CODES = {
    words("en")(row["text"]): code
    for code, row in tomllib.loads(_REFUSALS.read_text())["sale"].items()
}
"""What a merchant is told of a sale that was refused: its code."""


class Merchant:
    """The keypad and the screen: a merchant who sells what is asked for and prints what is left."""

    def __init__(self) -> None:
        self.wants = 0
        self.key_at_no_answer = "*"
        self.wants_copy = self.wants_cancel = False
        self.types: dict[str, str | list[str]] = {}
        """By title; a list: one each time."""
        self.chooses: list[int | None] = []
        """What is picked of lists; with none left what is to be sold."""
        self.keys = ""
        """What is pressed on a page that is no question; with none left the way back."""
        self.screen = self
        self.mark = ""
        self.told = ""
        """The last that was told of what went wrong."""
        self.buzzer = types.SimpleNamespace(sound=int, level=2)

    def page(self, *_: Any, **__: Any) -> None:
        pass

    tell = page

    async def key(self, wanted: str) -> str:
        key, self.keys = self.keys[:1] or "*", self.keys[1:]
        return key

    def idle_ms(self) -> int:
        return 99_000

    async def choose(self, title: str, items: Any, *_: Any, **__: Any) -> int | None:
        return self.chooses.pop(0) if self.chooses else self.wants

    async def digits(self, title: str, *_: Any, **__: Any) -> str:
        typed = self.types[title]
        return typed if isinstance(typed, str) else typed.pop(0)

    def titled(self, text: str) -> tuple[str, list[Any]]:
        return text, []

    async def ask(self, title: str, text: Any, hints: Any = (), *_: Any, **__: Any) -> str:
        if self.wants_copy and ("D", "copy") in hints:
            self.wants_copy = False
            return "D"
        if self.wants_cancel and ("C", "cancel") in hints:
            self.wants_cancel = False
            return "C"
        return "#"

    async def bad(self, title: str, text: Any, hints: Any = (), *_: Any, **__: Any) -> str:
        self.told = text
        return "*" if title == words("en")("no_answer") else "#"

    async def busy(self, work: Any, *_: Any) -> tuple[bool, Any]:
        return True, await work

    def good(self) -> None:
        pass


Request = tuple[bool, int, int, dict[str, Any]]


class Cable:
    """The technician's end of the console; `visit` yields requests and is sent the replies."""

    def __init__(self, visit: Generator[Request, dict[str, Any], None] | None) -> None:
        self._visit = visit
        self._reader = smp.LineReader()
        self._waiting: list[dict[str, Any]] = []
        self._started = False

    def read(self, size: int) -> bytes:
        if self._visit is None:
            raise Answering
        try:
            if not self._started:
                self._started = True
                request = next(self._visit)
            elif self._waiting:
                request = self._visit.send(self._waiting.pop(0))
            else:
                return b""
        except StopIteration:
            raise Answering from None
        is_write, group, command, body = request
        payload = cbor.dumps(body)
        head = bytes((2 if is_write else 0, 0)) + len(payload).to_bytes(2, "big")
        return bytes(smp.to_lines(head + group.to_bytes(2, "big") + bytes((0, command)) + payload))

    def write(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            self._waiting.append(cbor.loads(message[8:]))


class Board:
    """What `docs/architecture.md` promises of a board, as far as these scenarios need it."""

    HARDWARE_CLASS = "duka-r1"
    HARDWARE_REVISION = 1
    BOOTLOADER_VERSION = 1

    def __init__(self, world: World, cause: str, console: Cable) -> None:
        self.flash = world.flash
        self.partitions = table(world.flash, LAYOUT)
        self.console = console
        self.keypad_rows = [Pin()] * 4
        self.keypad_columns = [Pin(lambda: world.star_is_held), Pin(), Pin(), Pin()]
        self.modem_power_key = Pin()
        self.lcd = Nothing()
        self.rtc = Rtc()
        self._world = world
        self._cause = cause

    def unique_id(self) -> bytes:
        return judge.CHIP

    def random(self, size: int) -> bytes:
        return bytes(range(1, size + 1))

    noise = random

    def reset_cause(self) -> str:
        return self._cause

    def reset(self) -> None:
        raise Reset("soft")

    def watchdog(self, timeout_ms: int) -> Any:
        return Nothing()

    def uart(self, name: str, baud: int) -> Any:
        return Head(self._world) if name == "printer" else Nothing()

    def battery_mv(self) -> int:
        return 4100

    def charging(self) -> bool:
        return True

    def buzzer(self, freq_hz: int, ms: int) -> None:
        pass

    def data_vfs(self, may_format: bool = False) -> None:
        sys.modules["vfs"] = _Vfs(self._world)  # type: ignore[assignment]
        try:
            mount_data(self.partitions["data"], may_format)
        finally:
            del sys.modules["vfs"]


class _Vfs:
    """MicroPython's `vfs`, for `mount_data`."""

    def __init__(self, world: World) -> None:
        class VfsLfs2(Files):
            def __init__(self, block_device: Any, mtime: bool) -> None:
                assert not mtime, "a file's own time would be a clock's that may be wrong"
                part = block_device.partition
                held = (world.stored, world.coming, block_device.seen)
                super().__init__(world.flash, part.offset, part.size_bytes, *held)
                self.mount()

            @staticmethod
            def mkfs(block_device: Any) -> None:
                part = block_device.partition
                Files(world.flash, part.offset, part.size_bytes).format()

        self.VfsLfs2 = VfsLfs2

    @staticmethod
    def mount(files: Files, path: str) -> None:
        files.give_to(_ON_DATA)


class World:
    """Flash, paper, server and site; `power_on` gives the terminal that runs on them."""

    def __init__(self, flash: NorFlash, server: Server) -> None:
        settle_in()
        self.flash = flash
        self.server = server
        self.paper: list[bytes] = []
        self.durable: list[tuple[int, bytes]] = []
        self.stored: dict[str, tuple[bytes | None, ...]] = {}
        self.coming: dict[str, bytes] = {}
        self.day = "first"
        self.online = True
        self.lose_replies = False
        self.mute_printer = False
        self.payload_bytes = 0
        self.crashes: dict[int, int] = {}
        self.confirmed: set[int] = set()
        self.has_control = True
        self.spoiled_slots: set[str] = set()
        self.least_security_version = 0
        self.needs_technician = False
        self.star_is_held = False
        self.cuts = 0
        self.data_at = LAYOUT["data"][0]

    # what outlives a cut

    _KEPT = (
        "server",
        "day",
        "online",
        "lose_replies",
        "mute_printer",
        "payload_bytes",
        "has_control",
        "least_security_version",
        "needs_technician",
        "cuts",
    )

    def capture(self) -> dict[str, Any]:
        """Everything outside the flash at this instant, to be given to `outlive`."""
        kept = {name: getattr(self, name) for name in self._KEPT}
        kept["paper"] = (self.paper, len(self.paper))
        kept["durable"] = (self.durable, len(self.durable))
        kept["stored"] = dict(self.stored)
        kept["coming"] = dict(self.coming)
        kept["crashes"] = tuple(self.crashes.items())
        kept["confirmed"] = frozenset(self.confirmed)
        kept["spoiled_slots"] = frozenset(self.spoiled_slots)
        return kept

    def outlive(self, kept: dict[str, Any]) -> World:
        """The same world after a cut at the instant that was captured; shares only the flash."""
        new = World(self.flash, kept["server"])
        for name in self._KEPT:
            setattr(new, name, kept[name])
        new.paper = kept["paper"][0][: kept["paper"][1]]
        new.durable = kept["durable"][0][: kept["durable"][1]]
        new.stored = dict(kept["stored"])
        for path, content in kept["coming"].items():  # the cut leaves the one or the other
            new.stored[path] = (*new.stored.get(path, (None,)), content)
        new.crashes = dict(kept["crashes"])
        new.confirmed = set(kept["confirmed"])
        new.spoiled_slots = set(kept["spoiled_slots"])
        new.cuts += 1
        new.online = True
        new.lose_replies = False
        return new

    def standing(self) -> tuple[Any, ...]:
        """All that will matter beside the flash and what the program remembers."""
        return (
            *(getattr(self, name) for name in self._KEPT if name != "payload_bytes"),
            tuple(self.paper),
            tuple(self.durable),
            tuple(self.stored.items()),
            tuple(self.crashes.items()),
            frozenset(self.confirmed),
            frozenset(self.spoiled_slots),
            tuple(self.flash.violated),
        )

    def cells(self, name: str) -> bytes:
        """What a partition physically holds."""
        offset, size = LAYOUT[name]
        return bytes(self.flash.cells.memory[offset : offset + size])

    def proven_releases(self) -> set[int]:
        """Releases that reached the server, or that a technician chose."""
        return {1} | self.server.seen_releases | self.confirmed

    # power

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """`POST /m`."""
        if not self.online:
            raise NoNetwork("no network")
        status, reply, self.server = self.server.post(body, self.day)
        if self.lose_replies:
            raise NoNetwork("the reply was lost")
        return status, reply

    def power_on(
        self,
        cause: str = "power-on",
        visit: Generator[Request, dict[str, Any], None] | None = None,
    ) -> Life:
        """Through the bootloader into the release.

        Raises:
            Reset: the release ended at once; its cause is the next start's.
            Answering: the terminal is in serial recovery.
            OutOfService, Broken: it does not work.
        """
        self.flash.power_cycle()
        board = Board(self, cause, Cable(visit))
        plan = boot.run(board)
        if isinstance(plan, Repair):
            recovery.run(board, plan)
        info = plan.info
        held = bytes(board.partitions["slot_" + info.slot].read(0, plan.image_size))
        if held != publisher.image(info.release):
            raise Broken(f"slot {info.slot} was booted and does not hold release {info.release}")
        behaviour = publisher.BEHAVIOUR[info.release]
        if behaviour == publisher.CRASHES:
            self.crashes[info.release] = self.crashes.get(info.release, 0) + 1
            crash.record_crash(board, plan.control_key, "ValueError: made to crash")
            raise Reset("soft")
        if behaviour == publisher.HANGS:
            self.crashes[info.release] = self.crashes.get(info.release, 0) + 1
            raise Reset("watchdog")
        info.watchdog = Nothing()
        info.control = ControlBlock(board.partitions["control"], plan.control_key)
        info.control.load()
        return Life(self, board, info)

    def settled(self, limit: int = 12, cause: str = "power-on") -> Life:
        """The terminal after as many starts as it takes until a release stays."""
        for _ in range(limit):
            try:
                return self.power_on(cause)
            except Reset as reset:
                cause = reset.cause
        raise Broken("the terminal starts again and again")


class Life:
    """A terminal between two losses of power: the real program, its waiting left out."""

    def __init__(self, world: World, board: Board, info: Any) -> None:
        self.world = world
        try:
            board.data_vfs()
            tidy.at_start()
            kept = firmware.kept.files.Kept(not info.trial)
            settings = kept.load(firmware.kept.config.load, "/data/config.json")
        except (firmware.kept.config.ConfigError, OSError) as error:
            raise OutOfService(str(error)) from error
        memory = firmware.kept.memory.Memory()
        try:
            self.app = firmware.terminal.Terminal(
                board, info, settings, memory, words(memory.get("language", "en")), Nothing(), kept
            )
        except firmware.sales.ring.JournalDamaged as error:
            raise OutOfService("journal: " + str(error)) from error
        app = self.app
        self._watch(app.journal)
        self.merchant = Merchant()
        app.ui = self.merchant
        app.link.modem = Radio()
        app.messenger.post, app.messenger.client = world.post, None
        app.check_in.hear = self._hear
        self.line = publisher.Line(world)
        app.http = firmware.terminal.HttpClient(self.line, "127.0.0.1", 80)
        app.updates.server.http = app.http

    def _watch(self, journal: Any) -> None:
        append = journal.append

        def watched(kind: int, body: list[Any]) -> int:
            sequence: int = append(kind, body)
            held = journal.ring.record
            self.world.durable.append((sequence, bytes(held[: 22 + held[1]])))
            return sequence

        journal.append = watched

    def remembers(self) -> str:
        """What the program holds in RAM that its next steps follow from."""
        app = self.app
        journal = app.journal
        ring = journal.ring
        place = (ring.newest, ring.at, ring.chain, ring.next_sequence)
        control = app.boot_info.control.state
        return repr(
            (
                journal.state.dump(),
                place,
                journal.unreadable,
                bytes(ring.first),
                app.till._fresh,
                (sorted(app.stock._doubtful), sorted(app.stock._asked.items())),
                {**vars(app.boot_info), "identity": 0, "control": 0, "watchdog": 0},
                {**vars(control), "slots": [vars(s) for s in control.slots.values()]},
                [v for v in vars(app.updates).values() if isinstance(v, (str, list, bool, dict))],
                {**vars(app.updates.record), "_files": 0, "_log": 0, "_time_s": 0},
                app.memory._kept,
            )
        )

    # what the merchant and the tasks do

    def _flow(self, flow: Any) -> str:
        app = self.app
        app.link.state = ONLINE if self.world.online else OFFLINE
        app.selling = True
        try:
            run(flow(app))
        except SaleRefused as refused:
            return str(refused.code)
        finally:
            app.selling = False
        return ""

    def sell(self, product: str = "air50", online: bool | None = None) -> str:
        """One sale by the real flow; "" when its slip came out, else the code with which it was
        refused, or "not_sold".
        """
        world = self.world
        was, slips = world.online, len(world.paper)
        self.merchant.told = ""
        if online is not None:
            world.online = online
        self.merchant.wants = [p.id for p in self.app.catalogue.products].index(product)
        try:
            refused = self._flow(sell.run) or _CODES.get(self.merchant.told, "")
        finally:
            world.online = was
        return refused or ("" if len(world.paper) > slips else "not_sold")

    def leave_open(self, online: bool, product: str = "air50") -> None:
        """A sale that gets its voucher, and then nobody prints it."""
        till = self.app.till
        sale = till.begin_online(product) if online else till.begin_offline(product)
        if online and run(self.app.fetch_voucher(sale)) != "":
            raise Broken("no voucher came")

    def print_and_forget(self) -> None:
        """An online sale whose slip comes out, and the power goes before anything is noted."""
        till = self.app.till
        self.leave_open(online=True)
        sale = till.unfinished()[-1]
        run(hand_over._print(self.app, sale, till.voucher(sale), False))

    def recover(self) -> None:
        self._flow(recover.run)

    def reprint(self) -> str:
        return self._flow(reprint.run)

    def look_back(self, keys: str, copy: bool = False, cancel: bool = False) -> str:
        """The list of last sales: `keys` choose one; what it has to offer is done, a copy or the
        request to cancel it only if that is wanted.
        """
        self.merchant.keys, self.merchant.wants_copy = keys, copy
        self.merchant.wants_cancel = cancel
        return self._flow(firmware.flows.last_sales.run)

    def shift(self, cash: str) -> str:
        """The owner opens a shift, or closes the one that is open, and types that much cash."""
        title = words("en")
        self.merchant.types = {title("shift_open"): cash, title("shift_close"): cash}
        return self._flow(firmware.flows.shift.run)

    def z_report(self, copy_of: int = 0) -> str:
        """The next Z report, or a copy of one of before."""
        self.merchant.chooses = [1 if copy_of else 0]
        self.merchant.types = {words("en")("z_copy"): str(copy_of)}
        return self._flow(firmware.flows.z_report.run)

    def read(self, at: int) -> str:
        """The notice at that place of the list, the newest first; a deposit's slip is printed."""
        self.merchant.chooses = [at, None]
        try:
            return self._flow(firmware.flows.messages.run)
        finally:
            self.merchant.chooses = []  # with no notice at all there is no list

    def copy_of_shift(self) -> str:
        """The slip of the shift that was closed last, again."""
        self.merchant.chooses = [0]
        return self._flow(firmware.flows.shift_copy.run)

    def own_pin(self, old: str, new: str) -> None:
        """The owner gives himself another PIN."""
        self.merchant.types = {words("en")("m_pin"): [old, new, new]}
        self._flow(firmware.flows.my_pin.run)

    def person(self, at: int, what: int, name: str = "", keys: str = "", pin: str = "") -> str:
        """Of people: the one at that place, or behind all of them a new one, and what is chosen
        then; `name` as it is by then, `keys` that spell one.
        """
        self.merchant.chooses, self.merchant.keys = [at, what, None], keys
        self.merchant.types = {name: pin}
        return self._flow(firmware.flows.people.run)

    def speak(self, at: int) -> None:
        """Another language, by its place in the list."""
        self.merchant.chooses = [at]
        self._flow(firmware.flows.language.run)

    def people(self) -> list[int]:
        """The numbers of all who may sign in besides the owner."""
        everybody = firmware.kept.people.load(self.app.files)
        return [one.number for one in everybody.others]

    def test_memory(self) -> None:
        """The self-test's look at what /data takes."""
        if run(firmware.flows.steps.self_test._memory(self.app)):
            raise Broken("/data keeps nothing")

    def set_sound(self, level: int) -> None:
        self.merchant.chooses = [0, level]
        self._flow(firmware.flows.sound_display.run)

    def set_contrast(self, keys: str) -> None:
        self.merchant.chooses, self.merchant.keys = [1], keys + "#"
        self._flow(firmware.flows.sound_display.run)

    def practise(self) -> None:
        """A sale in training, which must leave nothing."""
        before = self.world.flash.operations
        self.merchant.chooses = [0, 0, None]
        try:
            self._flow(firmware.flows.training.run)
        except firmware.flows.training.Idle:
            pass
        if self.world.flash.operations != before:
            raise Broken("training wrote to flash")

    async def _hear(self) -> None:
        """As the radio task does for a merchant who waits."""
        self.check_in()

    def check_in(self) -> bool:
        """As the radio task; False when no answer came."""
        try:
            run(self.app.check_in.run())
        except _SAID_NO:
            return False
        return True

    def sync(self) -> bool:
        app = self.app
        try:
            run(sync.sync(app.journal, app.messenger, app.till))
            check_in.take_notices(app)
        except _SAID_NO:
            return False
        return True

    def update(self) -> None:
        """One run of the update client; raises Reset when it switches."""
        with device.present():  # what looks and installs is imported when it is needed
            run(self.app.updates.run_once())

    def prove_itself(self) -> bool:
        """The self-test of a release on trial beside the radio task, and the report of it.

        False while it has not passed.
        """
        app = self.app
        if not app.boot_info.trial:
            return True
        test = trial.prove(app, app.check_in)
        try:
            for _ in range(8):  # it begins before anything came from the server
                test.send(None)
            if not self.check_in():
                test.close()
                return False
            run(test)
        except StopIteration:
            pass
        self.world.confirmed.add(app.boot_info.release)
        self.check_in()
        return True
