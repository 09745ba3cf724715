"""Run a simulated supplier: `python -m hw_sim.suppliers --port 8900 --callback URL`."""

from __future__ import annotations

import argparse
import sys
import threading

from hw_sim.suppliers.airtime import Operator, Settings
from hw_sim.suppliers.faults import Faults


def main() -> None:
    """Read the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m hw_sim.suppliers", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--callback", default="", help="where call-backs go")
    parser.add_argument("--username", default="duka")
    parser.add_argument("--api-key", default="atsk_simulated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--often", type=float, default=0.0, help="of 1: how often something fails")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds from order to call-back")
    asked = parser.parse_args()
    settings = Settings(
        asked.username, asked.api_key, asked.callback, delay_s=asked.delay, slow_s=30.0,
        faults=Faults.all(asked.seed, asked.often),
    )  # fmt: skip
    operator = Operator(settings, port=asked.port)
    sys.stdout.write(f"operator {operator.url}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
