"""A technician at work: the command line in this process, terminals on ptys, a person's eyes."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hw_sim.description import REFERENCE
from tests.support import nursery
from tests.support.lcd_reader import shows
from tests.support.world import SERVER_NAME, SERVER_PORT, Terminal
from tests.terminal.conftest import Manner, TerminalWorld, make_world, quick, shop, states
from tools import __main__ as command_line
from tools.release.image import ROOT
from tools.technician.signed_files import fetch_signed_files

__all__ = ["make_world", "shop", "states"]

SLOTS = {"a": 0x0D0000, "b": 0x170000}
PASSPHRASE = "a bench in Kisumu"


@pytest.fixture
def manner() -> Manner:
    """The technician's tools count real seconds."""
    return quick


class Technician:
    """The technician of `world`, with a log of their own. Commands run in this process, which
    is quicker, unless `own_process` is set."""

    own_process = False

    def __init__(self, world: TerminalWorld, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.log = folder / "bench.json"
        self.root = folder / "root.json"
        self.boot = folder / "boot.romfs"
        folder.mkdir(exist_ok=True)
        self.root.write_bytes(world.manager.root)
        self.boot.write_bytes(world.manager.boot_image)

    @property
    def port(self) -> str:
        """The cable to the terminal."""
        return self.world.terminal.board.serial_port

    def tech(self, *words: str) -> str:
        """Run `python -m tools tech …`; what it printed. It must end well."""
        code, said = self.run(*words)
        assert code == 0, said
        return said

    def refused(self, *words: str) -> str:
        """The same for a job that must not end well: its one line of error."""
        code, said = self.run(*words)
        assert code != 0, said
        errors = [line for line in said.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, said
        return errors[0]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`python -m tools tech …` as a process of its own, under way."""
        return subprocess.Popen(
            [sys.executable, "-m", "tools", *self._arguments(words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _arguments(self, words: Sequence[str]) -> list[str]:
        return ["tech", "--bench-log", str(self.log), "--who", "Wanjiru", *words]

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and output of `python -m tools tech …`."""
        if self.own_process:
            done = nursery.run("tools", *self._arguments(words), timeout_s=300)
            return done.returncode, done.stdout + done.stderr
        said = io.StringIO()
        before, sys.argv = sys.argv, ["tools", *self._arguments(words)]
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = command_line.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            sys.argv = before
        return code, said.getvalue()

    @property
    def server(self) -> list[str]:
        """Options of a job that needs server and token."""
        return ["--server", self.world.server.url, "--token", self.world.token]

    @property
    def channel(self) -> list[str]:
        """Options of a job that takes signed files from the server."""
        return ["--server", self.world.server.url, "--root", str(self.root)]

    def provision_options(self) -> list[str]:
        """Everything `provision` needs to know; the office allows the float."""
        allowed = ("technician", "allow", "first technician", "1000.00 KES")
        self.world.server.command(*allowed)
        return [
            *(*self.server, "--root", str(self.root), "--boot-image", str(self.boot)),
            *("--merchant", "Mama Asha Shop", "--merchant-pin", "2580"),
            *("--server-for-terminal", f"{SERVER_NAME}:{SERVER_PORT}", "--float-minor", "100000"),
        ]

    def signed_folder(self) -> Path:
        """Signed files as `tech fetch` leaves them."""
        out = self.folder / "signed"
        fetch_signed_files(self.world.server.url, self.world.manager.root, "stable").save(out)
        return out

    def brick(self) -> None:
        """Spoil both slots of the terminal and switch it on."""
        board = self.world.terminal.board
        board.power_off()
        for address in SLOTS.values():
            board.flash.damage(address + 0x1000, b"\0" * 64)
        board.power_on()


class Eyes:
    """A person who looks at the simulated display and paper, and has a finger on the keys."""

    def __init__(self, terminal: Terminal, broken_key: str = "") -> None:
        self.terminal = terminal
        self.broken_key = broken_key
        self.told: list[str] = []

    def hears(self, text: str) -> None:
        """Press every key, as asked."""
        self.told.append(text)
        keys = "".join(REFERENCE.keypad_layout).replace(self.broken_key, "")
        board = self.terminal.board
        board.call(board.loop.create_task, board.board.finger.type(keys))

    def sees(self, question: str) -> bool:
        """Look."""
        self.told.append(question)
        if "dark" in question:
            return all(all(row) for row in self.terminal.board.lcd_picture().rows)
        if "text" in question:
            return shows(self.terminal.board.lcd_picture().rows, "sharp")
        return "modem: ok" in self.terminal.receipts()[-1].text


@pytest.fixture
def technician_of(tmp_path: Path) -> Iterator[Callable[[TerminalWorld], Technician]]:
    """`technician_of(world)`: its technician."""
    yield lambda world: Technician(world, tmp_path / "technician")
