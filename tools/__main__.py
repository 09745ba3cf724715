"""`python -m tools`: the release manager's and the technician's command lines."""

from __future__ import annotations

import sys

import typer

from tools import keys, promotion, release, technician
from tools.errors import EXPECTED, explain
from tools.steps import plain

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Duka's tools for people.")
release.app.add_typer(promotion.rollout_app, name="rollout")
app.add_typer(keys.app, name="keys")
app.add_typer(release.app, name="release")
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
