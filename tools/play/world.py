"""The world: one folder, a server process on it, and terminals on the bench.

Made once and used again, until the product's code is another. `tools.play.__main__` opens it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from hw_sim.modem import Sim800
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.tap import Tap
from hw_sim.panel.bench import Parts
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard
from tools.play import making
from tools.play.makers import Makers
from tools.play.making import MakingFailed, Releases, operator
from tools.release.image import ROOT

SHOPS = ("Mama Asha Shop", "Duka la Juma", "Chez Aminata", "Kiosk Wanjiru")
LEGENDS = {"#": "ok", "*": "back", "A": "up", "B": "down", "C": "clear", "D": "copy"}
"""What the keys of the product say (docs/merchant.md)."""
_MADE_OF = ("bootloader", "firmware", "updater_server", "tools/play")
_SERVER_STARTS_S = 60
_SERVER_ENDS_S = 20

Tell = Callable[[str], None]
"""Hears, in a few words, what is being done."""


def fingerprint() -> str:
    """Of the code that a world is made with: another one needs another world."""
    found = hashlib.sha256()
    for room in _MADE_OF:
        for file in sorted((ROOT / room).rglob("*.py")):
            found.update(file.relative_to(ROOT).as_posix().encode())
            found.update(file.read_bytes())
    return found.hexdigest()


class Server:
    """The server as its own process on `folder`, on the same port as the last time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """Where people find it."""
        return f"http://127.0.0.1:{self._port}"

    def begin(self) -> None:
        """Start the process; `wait` returns when it answers. One that was left behind by a world
        that was killed is ended first.
        """
        self._end_old()
        (self.folder / "port").unlink(missing_ok=True)
        command = [sys.executable, "-m", "updater_server", "serve", "--data", str(self.folder)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port)], cwd=ROOT, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._mark.write_text(str(self._process.pid))

    @property
    def _mark(self) -> Path:
        return self.folder.with_suffix(".pid")

    def _end_old(self) -> None:
        try:
            pid = int(self._mark.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return
        if str(self.folder).encode() in command:  # and not another program with its number
            os.kill(pid, signal.SIGTERM)
            deadline_s = time.monotonic() + _SERVER_ENDS_S
            while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline_s:
                time.sleep(0.05)

    def wait(self) -> None:
        """Return when it answers. MakingFailed when it ended, or does not."""
        deadline_s = time.monotonic() + _SERVER_STARTS_S
        while not (self.folder / "port").exists():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline_s:
                last = (self.folder / "server.log").read_text().splitlines()[-1:]
                raise MakingFailed(f"the server does not start: {' '.join(last)}")
            time.sleep(0.02)
        self._port = int((self.folder / "port").read_text())

    def stop(self) -> None:
        """End the process; harmless when it does not run."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
            self._mark.unlink(missing_ok=True)


@dataclass
class Terminal:
    """One terminal of the world: what stands on the bench, the tap in its air, and its id."""

    parts: Parts
    tap: Tap
    terminal_id: str = ""


class World:
    """Everything in `folder`. One process at a time: MakingFailed when another is at it."""

    def __init__(self, folder: Path, tell: Tell = lambda text: None) -> None:
        self.folder = folder
        self.tell = tell
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stack = ExitStack()
        lock = self._stack.enter_context((folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MakingFailed(f"a world is open in {folder} already") from error
        self.server = Server(folder / "server")
        self.releases = Releases(folder / "manager", folder / "server" / "repository")
        self.makers = Makers(folder)
        self.terminals: list[Terminal] = []
        self._closing = threading.Lock()

    # made, or used again

    def open(self) -> None:
        """Have a server that starts on what is here, or a world made new; then `wait` for it."""
        if self.is_new:
            self._make()
        else:
            self.tell("Starting the server")
            self.server.begin()

    def wait(self) -> None:
        """Return when the server answers and knows who makes what is sold to a number.

        Raises:
            MakingFailed: it ended, or does not answer.
        """
        self.server.wait()
        self.tell("An operator and an electricity utility")
        self.makers.introduce(self.command, self.server.url)

    def _facts(self) -> dict[str, object]:
        try:
            found = json.loads((self.folder / "world.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def token(self) -> str:
        """The dashboard's password, and the technician's credential."""
        return str(self._facts()["token"])

    @property
    def is_new(self) -> bool:
        """Whether there is no world here, or one of other code."""
        return self._facts().get("fingerprint") != fingerprint()

    def _make(self) -> None:
        for old in self.folder.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
            elif old.name != "lock":
                old.unlink()
        with making.quiet():
            self.tell("A server's database and keys")
            token = making.found_server(self.server.folder)
            self.tell("Release managers' keys, in a ceremony of one")
            self.releases.found()
            self.server.begin()  # it starts while the release is built
            self.tell("Firmware 1.0: built, signed, published")
            self.releases.release(1, "1.0.0", "First release")
            self.releases.sign_prices()
            self.releases.publish()
        self.tell("Vouchers for the vault")
        delivery = self.folder / "delivery.csv"
        delivery.write_text(making.vouchers())
        self.server.wait()
        operator(self.server.folder, "vouchers", "import", str(delivery), "--yes")
        operator(
            self.server.folder, "technician", "allow", "first technician",
            f"{len(SHOPS) * making.FLOAT_MINOR / 100:.2f} {making.CURRENCY}",
        )  # fmt: skip
        (self.folder / "world.json").write_text(
            json.dumps({"fingerprint": fingerprint(), "token": token})
        )

    # terminals

    def add_terminal(self) -> Terminal:
        """One more terminal on the bench, off: its flash as it was left, or blank."""
        number = len(self.terminals)
        network = GsmNetwork(seed=number)
        printer = EscPosPrinter()
        modem = Sim800(network, battery_mv=lambda: board.battery.mv)
        board = SimulatedBoard(
            self.folder / f"flash-{number}.bin",
            unique_id=bytes.fromhex("d0ca00000000") + number.to_bytes(2, "big"),
            seed=number,
            modem=modem,
            printer=printer,
        )
        name = SHOPS[number % len(SHOPS)]
        tap = Tap(board.loop_thread, self.server)
        board.call(network.internet.serve, making.SERVER_NAME, making.SERVER_PORT, tap.serve)
        terminal = Terminal(Parts(name, board, network, printer, LEGENDS), tap)
        known = self.folder / f"terminal-{number}"
        if known.exists():
            terminal.terminal_id = known.read_text()
        self.terminals.append(terminal)
        return terminal

    def provision(self, number: int) -> None:
        """Make the blank board a terminal that sells, as a technician does; it is on then.

        Raises:
            LinkError: the board does not answer, or is not blank.
        """
        terminal = self.terminals[number]
        board = terminal.parts.board
        board.power_on()
        self.tell(f"{terminal.parts.name}: a technician makes the board a terminal")
        terminal.terminal_id = making.make_terminal(
            board, self.releases, self.server.url, self.token, terminal.parts.name
        )
        (self.folder / f"terminal-{number}").write_text(terminal.terminal_id)
        self.assign_stock(number)

    def assign_stock(self, number: int, count: int = making.STOCK) -> None:
        """Set vouchers aside for a terminal to sell offline."""
        self.command(
            "stock", "assign", self.terminals[number].terminal_id, making.STOCKED, str(count),
            "--reference", new_reference(),
        )  # fmt: skip

    def move_money(self, how: str, number: int, amount_minor: int) -> None:
        """Into a terminal's float, or out of it: `how` is an operator's `deposit` or `payback`."""
        amount = f"{amount_minor / 100:.2f} {making.CURRENCY}"
        terminal_id = self.terminals[number].terminal_id
        self.command("terminal", how, terminal_id, amount, "--reference", new_reference())

    def command(self, *arguments: str) -> str:
        """An operator's command on this server."""
        return operator(self.server.folder, *arguments)

    # as it was made

    def keep(self) -> None:
        """Remember the world as it is now, for `go_back`. Terminals are off from then on."""
        kept = self.folder / "kept"
        for terminal in self.terminals:
            terminal.parts.board.power_off()
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        but_database = shutil.ignore_patterns("duka.db*", "port", ".serving")
        for name in ("server", "manager"):
            shutil.copytree(self.folder / name, kept / name, ignore=but_database)
        database = "duka.db"
        with (
            closing(sqlite3.connect(self.server.folder / database)) as now,
            closing(sqlite3.connect(kept / "server" / database)) as then,
        ):
            now.backup(then)  # as it is at one instant, though the server runs
        for number, terminal in enumerate(self.terminals):
            (kept / f"flash-{number}.bin").write_bytes(terminal.parts.board.flash.snapshot())
            (kept / f"terminal-{number}").write_text(terminal.terminal_id)

    def go_back(self) -> None:
        """Everything is as it was when it was kept: what was sold since never was."""
        kept = self.folder / "kept"
        if not kept.exists():
            raise MakingFailed("nothing was kept")
        for terminal in self.terminals:
            terminal.parts.board.power_off()
        self.server.stop()
        for name in ("server", "manager"):
            shutil.rmtree(self.folder / name)
            shutil.copytree(kept / name, self.folder / name)
        for number, terminal in enumerate(self.terminals):
            flash = kept / f"flash-{number}.bin"
            if flash.exists():
                board = terminal.parts.board
                board.call(board.flash.restore, flash.read_bytes())
                terminal.terminal_id = (kept / f"terminal-{number}").read_text()
                (self.folder / f"terminal-{number}").write_text(terminal.terminal_id)
        self.server.begin()
        self.server.wait()
        self.makers.behave()
        self.makers.introduce(self.command, self.server.url)
        for terminal in self.terminals:
            terminal.parts.board.power_on()

    @property
    def is_kept(self) -> bool:
        """Whether there is something to go back to."""
        return (self.folder / "kept" / "server").exists()

    def close(self) -> None:
        """Switch everything off. Harmless when done twice."""
        with self._closing:
            for terminal in self.terminals:
                terminal.tap.close()
                terminal.parts.board.close()
            self.terminals.clear()
            self.server.stop()
            self.makers.close()
            self._stack.close()


def new_reference() -> str:
    """A reference that no slip has had."""
    return f"play-{secrets.token_hex(6)}"


def default_folder() -> Path:
    """Where the world is unless somebody says so."""
    return Path(os.environ.get("DUKA_PLAY", ROOT / "build" / "play"))
