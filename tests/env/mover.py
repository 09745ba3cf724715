"""`python -m tests.env.mover STEP migrate-store …`: the command as it is, which kills itself
(`kill -9`) the moment that it says STEP.
"""

from __future__ import annotations

import os
import signal
import sys

from updater_server.__main__ import cli
from updater_server.cli import moving, shared


def main(step: str, arguments: list[str]) -> None:
    """Does not return where the step is reached."""

    def say(text: str) -> None:
        shared.say(text)
        if text.startswith(step):
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(moving, "say", say)  # noqa: B010 it is another module's name there
    cli(arguments)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
