"""Commands that look at a terminal or make it work again: list, flash, recover, selftest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer

from tools.technician import parts, ports, repair
from tools.technician.options import (
    Channel,
    Folder,
    MaybeServer,
    OnePort,
    Ports,
    Root,
    console,
    run_jobs,
    signed_files,
)


def list_ports(
    port: Annotated[list[str] | None, typer.Option("--port", help="only these")] = None,
) -> None:
    """Name the serial ports of this computer and what is on each."""
    named = [(name, "") for name in port or []] or ports.serial_ports()
    if not named:
        console.print("No serial port. Is the cable in?")
        return
    with ThreadPoolExecutor(len(named)) as pool:
        found = pool.map(ports.probe, [name for name, _ in named])
        for (name, description), on_it in zip(named, found, strict=True):
            console.print(f"{name}  {on_it.words()}  {description}".rstrip(), soft_wrap=True)


def flash(
    context: typer.Context,
    port: Ports,
    server: MaybeServer = "",
    root: Root = None,
    folder: Folder = None,
    channel: Channel = "stable",
) -> None:
    """Put a release into the other slot and boot it on trial."""
    signed = signed_files(server, root, folder, channel)
    run_jobs(context.obj, "flash", port, lambda *given: repair.flash(given[0], signed, *given[1:]))


def recover(
    context: typer.Context,
    port: Ports,
    server: MaybeServer = "",
    root: Root = None,
    folder: Folder = None,
    channel: Channel = "stable",
) -> None:
    """Make a terminal work again whose slots are both spoiled."""
    signed = signed_files(server, root, folder, channel)
    run_jobs(
        context.obj, "recover", port, lambda *given: repair.recover(given[0], signed, *given[1:])
    )


class _AtKeyboard:
    """The technician who runs this command."""

    def sees(self, question: str) -> bool:
        return typer.confirm(question)

    def hears(self, text: str) -> None:
        console.print(text)


def selftest_command(context: typer.Context, port: OnePort) -> None:
    """Test every part of a terminal that runs, and print a slip."""
    run_jobs(
        context.obj,
        "selftest",
        [port],
        lambda name, job, row: parts.selftest(name, _AtKeyboard(), job, row),
    )
