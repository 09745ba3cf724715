"""A whole small world on real parts: server process, release managers, GSM network, one terminal.

For the story and for tests of whole flows. Everything lives in one folder, so a prepared world can
be copied and carried on from.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from hw_sim.description import REFERENCE
from hw_sim.loop_thread import LoopThread
from hw_sim.modem import GsmPart, Sim800
from hw_sim.network.datagram_tap import DatagramTap
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import GPRS, LinkProfile
from hw_sim.pacing import Pace
from hw_sim.printer import EscPosPrinter, Receipt
from hw_sim.qemu import QEMU_BOARD, QemuChip
from hw_sim.simulated import SimulatedPace, SimulatedThread
from hw_sim.threaded import SimulatedBoard
from tests.support import nursery
from tests.support.books import Books
from tests.support.cable import cable
from tests.support.computing import costs
from tests.support.lcd_reader import shows
from tests.support.tap import Tap
from tests.support.world_clock import WorldClock
from tools.errors import BuildError
from tools.release import adding, building, keys, publishing, rollout, steps, terms
from tools.release import image as images
from tools.release.image import ROOT
from tools.release.options import Desk, Manner
from tools.release.prices import sign_prices
from tools.technician.commands_making import provision
from tools.technician.provisioning import Merchant, ServerAccess
from updater_server import channels
from updater_server.channels import keys as key_files

PASSPHRASE = "correct horse"
MERCHANT_PIN = "2580"
SERVER_NAME = "duka.example"
SERVER_PORT = 80
COAP_PORT = 5683
SILENT = Console(quiet=True)

PRICES = channels.Catalogue(
    version=1,
    currency="KES",
    minor_digits=2,
    products=[
        channels.Product(
            "air50", "Savanna 50", "Savanna", 5000, 250, "Dial *130*PIN#", [4, 4, 4, 4]
        ),
        channels.Product(
            "air100", "Savanna 100", "Savanna", 10000, 500, "Dial *130*PIN#", [4, 4, 4, 4]
        ),
    ],
    offline=channels.OfflinePolicy(10000, 2, 20000, 259200),
)


class Server:
    """The server as its own process on `folder`; by `clock`, if one is given."""

    def __init__(self, folder: Path, clock: WorldClock | None = None) -> None:
        self.folder = folder
        self.answers_datagrams = False
        self._program = ["updater_server"]
        if clock:
            self._program = ["tests.support.world_clock", str(clock.path)]
        self._process: nursery.Program | None = None

    @property
    def repository(self) -> Path:
        """The folder of the channels."""
        return self.folder / "repository"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "duka.db"

    def command(self, *arguments: str) -> str:
        """Run `python -m updater_server …` on this folder; return what it printed."""
        at = arguments.index("--") if "--" in arguments else len(arguments)
        options = (*arguments[:at], "--data", str(self.folder), *arguments[at:])
        done = nursery.run(*self._program, *options)
        assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int((self.folder / "port").read_text())

    @property
    def coap_port(self) -> int:
        """The port on which it answers datagrams."""
        return int((self.folder / "coap-port").read_text())

    @property
    def url(self) -> str:
        """Where it is for a browser or a technician."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the process was started."""
        return self._process is not None

    def start(self) -> None:
        """Start the process; return when it answers."""
        (self.folder / "port").unlink(missing_ok=True)
        command = [*self._program, "serve", "--data", str(self.folder), "--port", "0"]
        if self.answers_datagrams:
            command += ["--coap", "0", "--coap-outside", str(COAP_PORT)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = nursery.start(*command, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not (self.folder / "port").exists():
            ended = self._process.poll() is not None
            assert not ended and time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def stop(self) -> None:
        """End the process; harmless when it does not run."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(20)
            self._process = None

    def log(self) -> str:
        """What it said."""
        return (self.folder / "server.log").read_text()


class ReleaseManager:
    """Keys and a checkout; builds, signs and publishes through the command line's own functions."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.keys = folder / "keys"
        self.images = folder / "images"
        self.checkout = folder / "checkout"
        self.repository = repository

    def create(self) -> None:
        """Make the keys and the empty, signed repository."""
        keys.create(self.keys, self.repository, PASSPHRASE)

    def check_out(self, source: Path = ROOT) -> None:
        """Take the firmware as it is in `source` into a checkout of this manager's own."""
        self.checkout.mkdir(parents=True)
        for room in ("bootloader", "firmware"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source / room, self.checkout / room, ignore=ignore)
        self._git("init", "-q", "-b", "main")
        self.commit("Firmware as it stands")

    def change(self, path: str, old: str, new: str) -> None:
        """Edit one file of the checkout and commit it."""
        file = self.checkout / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))
        self.commit(f"Change {path}")

    def commit(self, message: str) -> None:
        """Commit everything in the checkout."""
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)

    def _git(self, *arguments: str) -> None:
        git = shutil.which("git")
        assert git, "git is needed to build a release"
        who = ["-c", "user.name=Release Manager", "-c", "user.email=release@duka.example"]
        subprocess.run([git, "-C", str(self.checkout), *who, *arguments], check=True)

    def build(self, number: int, version: str) -> Path:
        """Build release `number` from the checkout; return the image's path."""
        building.build(number, version, self.images, self.checkout, "sim", 1)
        return self.images / f"duka-r1-{number}.romfs"

    @property
    def _desk(self) -> Desk:
        return Desk(self.repository, self.keys, PASSPHRASE)

    @property
    def boot_image(self) -> bytes:
        """The boot image of the last build."""
        return (self.images / "boot-sim.romfs").read_bytes()

    def add(
        self,
        image: Path,
        text: str = "",
        *,
        channel: str = "stable",
        gate_idle_s: int = 3,
        deltas: bool = True,
    ) -> None:
        """List an image on a channel, signed, and let it out there."""
        adding.sign_image(
            image,
            channel,
            self._desk,
            terms.Terms(
                trial=channels.TrialPolicy(selftest_deadline_s=60),
                gate=channels.InstallGate(idle_s=gate_idle_s),
                text={"en": text} if text else {},
            ),
            deltas=deltas,
            step=Manner(yes=True).step,
        )
        self.let_out(images.read_manifest(image.read_bytes()).release, channel)

    def promote(self, number: int, from_channel: str, to_channel: str) -> None:
        """List a published release of one channel on the next, and let it out there."""
        adding.promote(from_channel, to_channel, number, self._desk, Manner(yes=True))
        self.let_out(number, to_channel)

    def let_out(self, number: int, channel: str = "stable") -> None:
        """Let a release out to everybody on a channel: without a plan it is for nobody."""
        everybody = channels.EVERYBODY
        rollout.set_rollout(number, everybody, channel, self._desk, Manner(yes=True))

    def staged_entry(self, channel: str, number: int) -> dict[str, Any]:
        """The release entry of a staged, not yet published release, as TUF's `custom`."""
        staged = json.loads((self.repository / "staged" / f"{channel}.json").read_bytes())
        target = staged["signed"]["targets"][f"{channel}/duka-r1/{number}.full"]
        custom: dict[str, Any] = target["custom"]
        return custom

    def set_prices(self, prices: channels.Catalogue = PRICES) -> None:
        """Sign a price list."""
        file = self.images / "prices.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(prices.encode())
        sign_prices(file, self._desk, step=Manner(yes=True).step)

    def sign_release(self, image: bytes, number: int, **changes: Any) -> None:
        """List any bytes as an image on `stable`, with an entry changed at will, fully signed.

        What the command line would refuse: a manager who errs, or one who was bought.
        """
        entry = channels.ReleaseEntry(
            release=number,
            version=f"1.{number}.0",
            commit="0" * 40,
            built=1,
            security_version=1,
            hardware=channels.Hardware("duka-r1", [1]),
            image=channels.Image(len(image), hashlib.sha256(image).hexdigest()),
            gate=channels.InstallGate(idle_s=0),
            trial=channels.TrialPolicy(selftest_deadline_s=60),
        )
        channels.Repository.open(self.repository).add_release(
            "stable",
            msgspec.structs.replace(entry, **changes),
            channels.build_payloads(image),
            key_files.load_all(self.keys, PASSPHRASE, ["stable"]),
        )
        self.let_out(number)

    def publish(self, at: datetime | None = None) -> None:
        """Put what is signed into force, as of now or of another day."""
        if at is None:
            publishing.publish(self._desk, Manner(yes=True))
            return
        signers = key_files.load_all(self.keys, PASSPHRASE, ["snapshot", "timestamp"])
        channels.Repository.open(self.repository).publish(signers, at)

    @property
    def root(self) -> bytes:
        """The newest root metadata."""
        return channels.Repository.open(self.repository).published.root_bytes()


@dataclass
class TerminalSettings:
    """How one simulated terminal and its surroundings are made."""

    seed: int = 1
    unique_id: bytes = bytes.fromhex("e6614103e7451a2b")
    link: LinkProfile = GPRS
    time_scale: float = 1.0
    registration_delay_s: float = 1.0
    modem: type[GsmPart] = Sim800
    printer: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    board: dict[str, Any] = field(default_factory=dict)
    chip: QemuChip | None = None
    """The emulated Cortex-M3 instead of an interpreter of this host."""
    simulated: bool = False
    """On simulated time instead of the wall's."""
    speed: float = 0
    """Simulated seconds in one of the wall, for eyes; 0 is as fast as it goes."""
    begins_s: float = 0
    """How long the chip has counted its ticks when simulated time begins."""


class Terminal:
    """A simulated board with modem, printer and network, and a person's hands and eyes."""

    def __init__(
        self, flash: Path, settings: TerminalSettings | None = None, start_unix_s: float = 0
    ) -> None:
        self.settings = settings = settings or TerminalSettings()
        pace: Pace | None = None
        if settings.simulated:
            self.loop: LoopThread = SimulatedThread(settings.speed, settings.begins_s)
            pace = SimulatedPace(self.loop, start_unix_s)
        else:
            self.loop = LoopThread()
        self.network = GsmNetwork(
            seed=settings.seed,
            link=settings.link,
            time_scale=settings.time_scale,
            registration_delay_s=settings.registration_delay_s,
            pace=pace,
            **settings.network,
        )
        self.printer = EscPosPrinter(pace=pace, **settings.printer)
        self.modem = self.loop.call(lambda: settings.modem(self.network))
        self.board = SimulatedBoard(
            flash,
            loop_thread=self.loop,
            unique_id=settings.unique_id,
            seed=settings.seed,
            modem=self.modem,
            printer=self.printer,
            pace=pace,
            costs=costs() if settings.simulated else None,
            **settings.board,
            chip=settings.chip,
            description=QEMU_BOARD if settings.chip else REFERENCE,
        )

    def close(self) -> None:
        """Switch off and give everything back."""
        self.board.close()
        self.loop.close()

    def reach(self, server: Server | Tap) -> None:
        """Let the network carry the server's public name to where it (or a tap) really is."""
        if self.settings.simulated:
            assert isinstance(server, Tap), "simulated time stands still for a tap's server only"
            self.board.call(self.network.internet.serve, SERVER_NAME, SERVER_PORT, server.serve)
            return
        self.board.call(
            self.network.internet.route, SERVER_NAME, SERVER_PORT, ("127.0.0.1", server.port)
        )

    def now_s(self) -> float:
        """Seconds of its world's clock."""
        return self.board.call(self.board.board.pace.now_s)

    def set_coverage(self, on: bool) -> None:
        """Walk into or out of coverage."""
        self.board.call(self.network.set_coverage, on)

    def shows(self, text: str) -> bool:
        """Whether the display shows `text` now, on a picture that may be half drawn.

        To ask for what must be there is `wait_shows`; this one asks for what must not.
        """
        return shows(self.board.lcd_picture().rows, text)

    def wait_shows(self, *texts: str, timeout_s: float = 20) -> str:
        """Return the first of `texts` that the display shows.

        Raises:
            TimeoutError: none within `timeout_s`; the text shows display, console and events.
        """
        found: list[str] = []
        seen: list[object] = [None]

        def one_shows() -> bool:
            picture = self.board.lcd_picture()
            if picture is not seen[0]:  # looking is work: not twice at the same picture
                seen[0] = picture
                found[:] = [text for text in texts if shows(picture.rows, text)]
            return bool(found)

        self.board.wait_for(one_shows, timeout_s, what=" or ".join(map(repr, texts)) + " on show")
        return found[0]

    def wait_receipts(self, count: int, timeout_s: float = 30) -> list[Receipt]:
        """Return all receipts as soon as `count` are printed whole."""
        self.board.wait_for(
            lambda: sum(receipt.torn_off for receipt in self.receipts()) >= count,
            timeout_s,
            what=f"receipt number {count}",
        )
        return self.receipts()

    def receipts(self) -> list[Receipt]:
        """What is on paper."""
        return self.board.call(self.printer.receipts)

    def log(self) -> str:
        """What the terminal wrote on its console."""
        return self.board.console_log.decode(errors="replace")

    def wait_log(self, text: str, timeout_s: float = 30) -> None:
        """Return as soon as the console log has `text`."""
        self.board.wait_for_console(text.encode(), timeout_s)

    def slot_release(self, slot: str) -> int | None:
        """The release number in a slot, read from the raw flash; None when there is no image."""
        offset = {"a": 0x0D0000, "b": 0x170000}[slot]
        content = self.board.call(self.board.flash.read, offset, 0x0A0000)
        if not content.startswith(b"\xd2\xcd"):
            return None
        try:
            return images.read_manifest(content).release
        except BuildError:
            return None


class World:
    """Server, release manager, technician and terminal in one folder."""

    def __init__(self, folder: Path, settings: TerminalSettings | None = None) -> None:
        self.folder = folder
        self._settings = settings or TerminalSettings()
        self._clock = WorldClock(folder / "time") if self._settings.simulated else None
        self.server = Server(folder / "server", self._clock)
        self.manager = ReleaseManager(folder / "manager", self.server.repository)
        self.flash = folder / "flash.bin"
        self._terminal: Terminal | None = None
        self._tap: Tap | None = None
        self.datagram_tap: DatagramTap | None = None

    def now_unix_s(self) -> float:
        """What this world's calendar says."""
        if self._settings.simulated and self._terminal:
            return self._terminal.board.board.pace.unix_s()
        return self._clock.read() if self._clock else time.time()

    def now(self) -> datetime:
        """The same, as a date."""
        return datetime.fromtimestamp(self.now_unix_s(), UTC)

    def digest(self) -> str:
        """Of all that can be seen of the terminal from outside: its events and their times, its
        log, flash, paper, and what went over the air. Equal in each run of a simulated world, on
        MicroPython and on CPython.
        """
        if self._terminal is None:
            return ""
        board = self._terminal.board
        found = hashlib.sha256()
        for event in board.events:
            found.update(f"{event.time_s:.6f} {event.kind} {event.detail}\n".encode())
        found.update(re.sub(rb"\d+ bytes of heap free", b"", board.console_log))
        found.update(board.call(board.flash.read, 0, board.flash.size_bytes))
        for receipt in self._terminal.receipts():
            found.update(receipt.layout.encode())
        for exchange in self._tap.exchanges if self._tap else ():
            found.update(f"{exchange.method} {exchange.path} {exchange.headers}\n".encode())
            found.update(exchange.body + exchange.reply)
        for seen in self.datagram_tap.exchanges if self.datagram_tap else ():
            found.update(seen.asked + b"".join(seen.answers))
        found.update(f"{self._terminal.network.traffic.modelled_total_bytes}".encode())
        return found.hexdigest()[:16]

    @property
    def terminal(self) -> Terminal:
        """The board on the bench; made, switched off, when first asked for."""
        if self._terminal is None:
            start_unix_s = self._clock.read() if self._clock else 0
            self._terminal = Terminal(self.flash, self._settings, start_unix_s)
        return self._terminal

    @property
    def tap(self) -> Tap:
        """A box between network and server; put there when first asked for."""
        if self._tap is None:
            self._tap = Tap(self.terminal.loop, self.server, self._tell_time)
            self.terminal.reach(self._tap)
        return self._tap

    def start_with_datagrams(self) -> DatagramTap:
        """Start the server so that it answers datagrams, too, and let the network carry them to it,
        past a box that sees each.
        """
        self.server.answers_datagrams = True
        self.server.start()
        if self.datagram_tap is None:
            self.datagram_tap = DatagramTap(
                self.terminal.loop, lambda: self.server.coap_port, self._tell_time
            )
        internet, tap = self.terminal.network.internet, self.datagram_tap
        self.terminal.board.call(internet.serve_datagrams, SERVER_NAME, COAP_PORT, tap.host)
        return tap

    def reach(self) -> None:
        """Let the network lead to the server: past the tap if there is one, as there always is on
        simulated time, which stands still while the server is asked.
        """
        if self._settings.simulated:
            self.terminal.reach(self.tap)
        else:
            self.terminal.reach(self._tap or self.server)

    def _tell_time(self) -> None:
        """Let the server know what time it is in this world."""
        if self._clock:
            self._clock.write(self.now_unix_s())

    def eventually(
        self, check: Callable[[], object], timeout_s: float = 20, what: str = "it"
    ) -> None:
        """Return as soon as `check()` holds; AssertionError after `timeout_s` of this world."""
        pace = self.terminal.board.board.pace
        happened = pace.wait_until(check, timeout_s, look_s=0.25)  # whoever checks opens databases
        assert happened, f"{what} did not happen in {timeout_s} s"

    @property
    def terminal_id(self) -> str:
        """The id that provisioning gave it."""
        return (self.folder / "terminal-id").read_text()

    @property
    def books(self) -> Books:
        """The server's database, read from outside."""
        return Books(self.server.database, self.terminal_id)

    @property
    def token(self) -> str:
        """The technician's credential."""
        return (self.folder / "token").read_text()

    def found_server(self) -> None:
        """Initialise the server's folder and keep the technician's credential."""
        said = self._command("init")
        token = re.search(r"token[^\n]*?:?\s+(\S{20,})", said)
        assert token, said
        (self.folder / "token").write_text(token[1])

    def fill_vault(self, per_product: int = 20) -> None:
        """Bring vouchers into the server's vault, and more of them the next time: PINs are distinct
        and easy to recognise."""
        head = "product,pin,serial,expiry\n"
        kept = self.folder / "vouchers.csv"
        if not kept.exists():
            kept.write_text(head)
        first = len(self.pins(PRICES.products[0].product_id))
        lines = ""
        for number, product in enumerate(PRICES.products, start=1):
            for n in range(first, first + per_product):
                pin = f"{number}{n:03d}"
                left = 16 - len(pin)
                pin += f"{(n * 7919 + 104729) % 10**left:0{left}d}"
                lines += f"{product.product_id},{pin},SN{number}{n:05d},0\n"
        delivery = self.folder / "delivery.csv"
        delivery.write_text(head + lines)
        self._command("vouchers", "import", str(delivery), "--yes")
        kept.write_text(kept.read_text() + lines)

    def assign_stock(self, product_id: str, count: int) -> None:
        """Set vouchers aside for the terminal to sell offline."""
        reference = f"stock-{secrets.token_hex(8)}"
        self._command(
            "stock", "assign", self.terminal_id, product_id, str(count), "--reference", reference
        )

    def pay_back(self, amount_minor: int) -> None:
        """Give the merchant some of his float back."""
        self._money("payback", amount_minor)

    def deposit(self, amount_minor: int) -> None:
        """Take money of the merchant in."""
        self._money("deposit", amount_minor)

    def _command(self, *arguments: str) -> str:
        if self._terminal is not None:
            self._tell_time()
        return self.server.command(*arguments)

    def _money(self, command: str, amount_minor: int) -> None:
        amount = f"{amount_minor / 100:.2f} {PRICES.currency}"
        reference = f"slip-{secrets.token_hex(8)}"
        self._command("terminal", command, self.terminal_id, amount, "--reference", reference)

    def pins(self, product_id: str) -> set[str]:
        """All PINs of a product that were ever brought in."""
        rows = (self.folder / "vouchers.csv").read_text().splitlines()[1:]
        return {row.split(",")[1] for row in rows if row.startswith(product_id + ",")}

    def cable(self) -> AbstractContextManager[None]:
        """The technician's cable; within, tools of this process reach the terminal."""
        return cable(self.terminal.board) if self._settings.simulated else nullcontext()

    def provision(self, float_minor: int = 100_000, out: Console = SILENT, **settings: Any) -> None:
        """Turn the blank board into a terminal that sells, as the technician's tool does."""
        if float_minor:
            amount = f"{float_minor / 100:.2f} KES"
            self._command("technician", "allow", "first technician", amount)
        self._tell_time()
        self.terminal.board.power_on()
        with self.cable():
            terminal_id = provision(
                self.terminal.board.serial_port,
                ServerAccess(self.server.url, self.token, SERVER_NAME, SERVER_PORT),
                self.manager.root,
                None if self._settings.chip else self.manager.boot_image,
                Merchant("Mama Asha Shop", MERCHANT_PIN),
                float_minor=float_minor,
                settings={"poll_s": 3, "sync_s": 2, **settings},
                out=out,
            )
        (self.folder / "terminal-id").write_text(terminal_id)

    def close(self) -> None:
        """Switch everything off."""
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None
        if self.datagram_tap is not None:
            self.datagram_tap.close()
        self.server.stop()


@contextmanager
def quiet_tools() -> Iterator[None]:
    """Keep the command lines' own words out of a test's or a story's output."""
    before = steps.console
    steps.console = SILENT
    try:
        yield
    finally:
        steps.console = before


def eventually(check: Callable[[], bool], timeout_s: float = 20, what: str = "it") -> None:
    """Return as soon as `check()` holds; AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, f"{what} did not happen in {timeout_s} s"
        time.sleep(0.05)
