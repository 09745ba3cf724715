"""Puts a world on a panel: terminals, eyes on journal and air, jobs, and what people must know."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from hw_sim.panel.panel import Panel
from tools import errors
from tools.play import making
from tools.play.air import AirEyes
from tools.play.jobs import jobs
from tools.play.journal import JournalEyes
from tools.play.making import MakingFailed
from tools.play.world import World, default_folder

GUIDE = (
    ("Sign in", f"{making.MERCHANT_PIN}, then #"),
    ("Sell a voucher", "1, then 2, then #: watch the paper, the journal and the air"),
    ("Tear it off", "and keep it as a picture, under Receipts"),
    ("Lose the network", "switch Coverage off, sell Savanna 50 again: it comes from the stock"),
    ("Pull the battery while it prints", "put it in again: was the sale lost, doubled, made up?"),
    (
        "Sell to a number",
        f"2 in the menu, then {making.A_TELEPHONE}: the operator behind it is simulated",
    ),
    ("Sell electricity", f"3 in the menu, then meter {making.A_METER}: the token is printed"),
    ("Run out of paper", "and see that the merchant is asked before money moves"),
    ("Publish 1.1", "a release comes over GPRS, is tried, and confirmed by itself"),
    ("Publish a bad one", "it crashes at start: the terminal goes back, and says why"),
    ("Look at it from the office", "the server’s board, at the top"),
)
"""What a visitor may try, and how."""
EXPECTED: tuple[type[Exception], ...] = (*errors.EXPECTED, MakingFailed)
"""What is told to a person in one line."""


def explain(error: Exception) -> str:
    """That line."""
    return errors.explain(error)


class Play:
    """A world on `panel`. `open` makes what is not there yet, and tells how far it is."""

    def __init__(self, panel: Panel, folder: Path | None = None, *, fresh: bool = False) -> None:
        self.panel = panel
        folder = folder or default_folder()
        if fresh and (folder / "world.json").exists():
            (folder / "world.json").unlink()
        self.world = World(folder, self._tell)
        self._journals: list[JournalEyes] = []
        self._airs: list[AirEyes] = []
        self._pin = ""  # once somebody may sign in
        self.facts: dict[str, Any] = {}
        """What a person must know: pin, board, password, ports, folder."""

    def _tell(self, text: str) -> None:
        if not self.facts:  # from then on a job tells by its button what it does
            self.panel.feed.value("world", -1, making=text, pin=self._pin)

    def open(self, terminals: int = 1, state: str = "") -> None:
        """Server up, terminals on the bench and on.

        Raises:
            MakingFailed: the world cannot be made, or there is no such state.
        """
        world = self.world
        offered = jobs(world)
        if state and state not in {job.name for job in offered}:
            raise MakingFailed(f"no state {state!r}: {', '.join(job.name for job in offered)}")
        world.open()
        for _ in range(terminals):
            self._stand()
        whole = world.is_kept and all(terminal.terminal_id for terminal in world.terminals)
        if whole and not state:  # else each is switched off once more
            self._switch_on()
            self._pin = making.MERCHANT_PIN
            self._tell("Starting the server")
        world.wait()
        self._provision()
        if not world.is_kept:
            self._tell("The first day is remembered")
            world.keep()
        self.facts = {
            "pin": making.MERCHANT_PIN,
            "board": world.server.url,
            "password": world.token,
            "folder": str(world.folder),
            "ports": [terminal.parts.board.serial_port for terminal in world.terminals],
            "guide": GUIDE,
        }
        self.panel.offer(offered)
        self.panel.feed.value("world", -1, making="", **self.facts)
        self._switch_on()
        if state:
            self.panel.do_job(state, 0)

    def _stand(self) -> None:
        """One more terminal on the bench, off."""
        at = len(self.world.terminals)
        terminal = self.world.add_terminal()
        self._journals.append(JournalEyes(terminal.parts.board))
        self._airs.append(AirEyes(self.panel.feed, at, terminal, self.world.server.folder))
        self.panel.add(terminal.parts)

    def _provision(self) -> None:
        """Make terminals of blank boards; the first day is another one then."""
        for at, terminal in enumerate(self.world.terminals):
            if not terminal.terminal_id:
                self.world.provision(at)
                shutil.rmtree(self.world.folder / "kept", ignore_errors=True)

    def _switch_on(self) -> None:
        """Every terminal that sells; harmless where it is on."""
        for terminal in self.world.terminals:
            if terminal.terminal_id:
                terminal.parts.board.power_on()

    def look(self) -> None:
        """Tell the panel what is new in journals and on the air."""
        for at, terminal in enumerate(self.world.terminals):
            journal, air = self._journals[at], self._airs[at]
            for sequence, kind, text in journal.new():
                self.panel.feed.line("journal", at, sequence=sequence, what=kind, text=text)
            terminal.parts.board.call(air.settle)

    def close(self) -> None:
        """Switch everything off."""
        self.world.close()
