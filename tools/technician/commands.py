"""The technician's command line: `python -m tools tech --help`; docs/technician.md is its manual.

Here are only the commands' names; what each asks for is in `commands_*`, what it does in a module
of its own. Every job goes into the log.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from tools.technician import commands_custody, commands_making, commands_repair
from tools.technician.log import JobLog

app = typer.Typer(no_args_is_help=True, help="Terminals on a serial cable.")


@app.callback()
def options(
    context: typer.Context,
    log_file: Annotated[
        Path,
        typer.Option("--bench-log", envvar="DUKA_BENCH_LOG", help="what was done at this bench"),
    ] = Path("~/.duka/bench.json"),
    who: Annotated[str, typer.Option(envvar="DUKA_TECHNICIAN", help="your name in it")] = "",
) -> None:
    """Terminals on a serial cable."""
    context.obj = JobLog(log_file.expanduser(), who or getpass.getuser())


app.command("list")(commands_repair.list_ports)
app.command()(commands_making.fetch)
app.command("provision")(commands_making.provision_boards)
app.command()(commands_making.enrol)
app.command()(commands_repair.flash)
app.command()(commands_repair.recover)
app.command("selftest")(commands_repair.selftest_command)
app.command()(commands_custody.logs)
app.command()(commands_custody.configure)
app.command()(commands_custody.unlock)
app.command()(commands_custody.retire)
app.command()(commands_custody.sync)
app.command()(commands_custody.history)
app.command("conform")(commands_making.conform_command)
