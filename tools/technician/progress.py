"""A bar for each terminal, several at once; and the same job on several ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from tools.errors import EXPECTED, explain
from tools.technician.recovery_link import Progress as LinkProgress


class Row:
    """The bar of one terminal."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name
        self._bar = progress.add_task(name, total=None)

    def step(self, what: str) -> LinkProgress:
        """Begin a step; call what is returned with (bytes done, bytes in all)."""
        text = f"{self._name}  {what}"
        self._progress.update(self._bar, description=text, completed=0, total=None)
        return lambda done, total: self._progress.update(self._bar, completed=done, total=total)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take all bars off the screen while a person is asked or told something."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def end(self, what: str) -> None:
        """Say how it ended."""
        self._progress.update(
            self._bar, description=f"{self._name}  {what}", completed=1, total=1, refresh=True
        )


def on_each_port(
    ports: list[str], job: Callable[[str, Row], str], out: Console
) -> dict[str, str | Exception]:
    """Run `job` on all ports at once; what it returned, or the expected error it raised, by port.

    An error on one port stops no other.
    """
    columns = (
        TextColumn("  {task.description:<44}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    results: dict[str, str | Exception] = {}

    def run(port: str, row: Row) -> None:
        try:
            results[port] = job(port, row)
            row.end("done")
        except EXPECTED as error:
            results[port] = error
            row.end("stopped: " + explain(error))

    with (
        Progress(*columns, console=out) as progress,
        ThreadPoolExecutor(max_workers=len(ports)) as pool,
    ):
        list(pool.map(run, ports, [Row(progress, port) for port in ports]))
    return results
