"""Panels on bare boards, and one world to play in for all tests that need one."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hw_sim.flash import NorFlash
from hw_sim.lcd import Picture
from hw_sim.network.gsm import GsmNetwork
from hw_sim.panel.bench import Parts
from hw_sim.panel.panel import Panel
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard
from tests.hardware.conftest import UNIQUE_ID, romfs
from tools.play.bench import Play
from tools.play.eyes import read

MakePanel = Callable[..., "Visitor"]
WAIT_S = 120
"""Boards run in real time, on hosts that may be busy."""


def eventually(check: Callable[[], object], what: str, timeout_s: float = WAIT_S) -> None:
    """Return as soon as it holds; the clock is the board's, which is the wall's."""
    from tests.support.world import eventually as wait

    wait(lambda: bool(check()), timeout_s, what)


def kind(of: str, **wanted: Any) -> Any:
    """Whether a message is of that kind, with these values."""
    return lambda told: told["kind"] == of and wanted.items() <= told.items()


@dataclass
class Visitor:
    """Asks a panel over HTTP, as its page does."""

    panel: Panel
    parts: Parts
    heard: list[dict[str, Any]] = field(default_factory=list)

    def ask(
        self, path: str, body: str | bytes | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, content and headers of the answer; a body makes it a POST."""
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.panel.url.rstrip("/") + path, data)
        for name, text in headers.items():
            request.add_header(name.replace("_", "-"), text)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as reply:
                return reply.status, reply.read(), dict(reply.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    def do(self, step: str) -> tuple[int, str]:
        """A step of the script."""
        status, content, _ = self.ask("/t/0/do", step)
        return status, content.decode()

    def key(self, key: str, *, down: bool) -> int:
        """A finger goes down on a key, or up."""
        return self.ask("/t/0/key", json.dumps({"key": key, "down": down}))[0]

    def stream(self, until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """What a page that opens now is told, up to the message that `until` waits for."""
        told: list[dict[str, Any]] = []
        with urllib.request.urlopen(self.panel.url + "stream", timeout=WAIT_S) as reply:
            for line in reply:
                if line.startswith(b"data: "):
                    told.append(json.loads(line[6:]))
                    if until(told[-1]):
                        return told
        raise AssertionError(f"the stream ended: {told[-3:]}")


@pytest.fixture
def make_panel(tmp_path: Path) -> Iterator[MakePanel]:
    """`make_panel(program)`: a panel with one board that runs it (None: blank), off."""
    made: list[Visitor] = []

    def make(
        program: str | None = None, read_as: Callable[[Picture], str] = lambda picture: ""
    ) -> Visitor:
        flash = NorFlash(None)
        if program is not None:
            flash.damage(0, romfs(tmp_path / f"romfs{len(made)}", program))
        network, printer = GsmNetwork(), EscPosPrinter(mm_per_s=None)
        board = SimulatedBoard(flash, unique_id=UNIQUE_ID, printer=printer)
        panel = Panel(read=read_as)
        parts = Parts("A shop", board, network, printer, {"#": "ok"})
        panel.add(parts)
        made.append(Visitor(panel, parts))
        return made[-1]

    yield make
    for visitor in made:
        visitor.panel.close()
        visitor.parts.board.close()


@pytest.fixture(scope="package")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """A world on a panel, made anew, with one terminal that is on. Tests leave it able to sell."""
    panel = Panel(read=read)
    made = Play(panel, tmp_path_factory.mktemp("world"))
    try:
        made.open()
        yield made
    finally:
        panel.close()
        made.close()
