"""`python -m tools`: the release manager's and the technician's command lines."""

from __future__ import annotations

import sys

import typer

from tools.errors import EXPECTED, explain
from tools.release import commands, keys
from tools.release.steps import plain
from tools.technician import commands as technician

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Duka's tools for people.")
app.add_typer(keys.app, name="keys")
app.add_typer(commands.app, name="release")
app.add_typer(technician.app, name="tech")


def main() -> int:
    """Run the command line; an expected error is one line on stderr and exit code 1."""
    try:
        app()
    except EXPECTED as error:
        print(plain(f"error: {explain(error)}"), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
