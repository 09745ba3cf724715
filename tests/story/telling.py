"""How the story is told: steps, claims, the display and the paper, for a terminal of any width."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.text import Text

from hw_sim.printer import Receipt
from tests.support.world import Terminal


class ClaimFailed(Exception):
    """Something the story says did not hold."""


class Teller:
    """Prints the story and counts what held."""

    def __init__(self, console: Console, now_s: Callable[[], float]) -> None:
        """`now_s`: the time of the world that is told of."""
        self.console = console
        self._now_s = now_s

    def title(self, number: int, text: str) -> None:
        """Begin a step."""
        minutes, seconds = divmod(int(self._now_s()), 60)
        self.console.print()
        self.console.rule(
            f"[bold]{number}. {text}[/bold] [dim]{minutes}:{seconds:02d}[/dim]", align="left"
        )

    def say(self, text: str) -> None:
        """Tell what happens."""
        self.console.print(text, style="default", markup=False)

    def claim(self, holds: bool, text: str) -> None:
        """Say something that was checked from outside.

        Raises:
            ClaimFailed: it does not hold.
        """
        if not holds:
            self.console.print(f"  [bold red]✗[/bold red] {text}", highlight=False)
            raise ClaimFailed(text)
        self.console.print(f"  [green]✓[/green] {text}", highlight=False)

    def display(self, terminal: Terminal, receipt: Receipt | None = None) -> None:
        """Show the terminal's display as it is now, and a receipt beside it."""
        art = terminal.board.lcd_picture().braille()
        panels = [Panel.fit(Text(art, style="green"), title="display", padding=0)]
        if receipt is not None:
            panels.append(self._paper(receipt))
        self.console.print(Columns(panels, padding=(0, 1)))

    def paper(self, receipt: Receipt) -> None:
        """Show a receipt."""
        self.console.print(self._paper(receipt))

    def _paper(self, receipt: Receipt) -> Panel:
        return Panel.fit(Text(receipt.layout), title="paper", padding=(0, 1))

    @contextmanager
    def watching(
        self, name: str, done: Callable[[], int], total: int
    ) -> Iterator[Callable[[], None]]:
        """A progress bar over bytes; call what it yields as often as you like."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            bar = progress.add_task(name, total=total)
            yield lambda: progress.update(bar, completed=min(done(), total))
            progress.update(bar, completed=total)
