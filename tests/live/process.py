"""`python -m tests.live.process serve|work FOLDER CLOCK`: the server, or the worker's two jobs, as
`updater_server serve` and `worker` run them, but by the clock in a file.

The worker does both jobs once for each line on its stdin, and answers with a line: so whoever turns
the clock knows that an hour is done.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

from tests.live.clock import Clock
from updater_server.channels import rollout
from updater_server.faces.serving import Ways, serve
from updater_server.service import Service
from updater_server.telemetry.store import Told
from updater_server.waves.looking import Looker
from updater_server.waves.worker import Intake


def say(text: str) -> None:
    """A line for whoever started this."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Run until stopped."""
    job, folder, clock = sys.argv[1], Path(sys.argv[2]), Clock(Path(sys.argv[3]))
    service = Service.open(folder, clock.now)
    if job == "serve":
        serve(service, Ways("127.0.0.1", 0), lambda port: say(str(port)))
        return
    # What the worker draws is a function of the run, as all else is.
    drawn = SimpleNamespace(token_hex=lambda size: Random(folder.parent.name).randbytes(size).hex())
    setattr(rollout, "secrets", drawn)  # noqa: B010 the product has no switch for it
    told = Told(service.engine, service.folder.telemetry)
    intake, looker = Intake(service, told), Looker(service, told)
    say("working")
    for line in sys.stdin:
        intake.take()
        if line.strip() == "look":
            looker.look()
        say("done")


if __name__ == "__main__":
    main()
