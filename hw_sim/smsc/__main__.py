"""Run a service centre: `python -m hw_sim.smsc --account duka:secret:+254700000100`.

Prints a line of JSON with its ports when it is there: `{"smpp": …, "cells": …}`.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import sys

from hw_sim.pacing import Pace
from hw_sim.smsc import cells
from hw_sim.smsc.centre import Centre
from hw_sim.smsc.face import Account, Face


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hw_sim.smsc", description=__doc__)
    parser.add_argument("--smpp-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--cells-port", type=int, default=0, help="0: any free one")
    parser.add_argument(
        "--account", action="append", default=[], help="system id:password:number of a service"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lost", type=float, default=0.0, help="share of messages that are lost")
    parser.add_argument("--doubled", type=float, default=0.0, help="that come twice")
    parser.add_argument("--late", type=float, default=0.0, help="that come up to an hour late")
    parser.add_argument("--transit-s", type=float, default=4.0, help="what any message takes")
    parser.add_argument(
        "--time-scale", type=float, default=1.0, help="so much faster than the wall"
    )
    return parser.parse_args()


async def _run(asked: argparse.Namespace) -> None:
    pace = Pace(asked.time_scale)
    centre = Centre(pace, asked.seed)
    for name in ("lost", "doubled", "late", "transit_s"):
        setattr(centre.weather, name, getattr(asked, name))
    accounts = {}
    for text in asked.account:
        name, password, number = text.split(":")
        accounts[name] = Account(number, password)
    face = Face(centre, pace, accounts)
    smpp = await asyncio.start_server(face.serve, "127.0.0.1", asked.smpp_port)
    network = await asyncio.start_server(
        functools.partial(cells.serve, centre), "127.0.0.1", asked.cells_port
    )
    ports = {
        "smpp": smpp.sockets[0].getsockname()[1],
        "cells": network.sockets[0].getsockname()[1],
    }
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(_run(_arguments()))
    except KeyboardInterrupt:
        pass
