"""Run a simulated supplier: `python -m hw_sim.suppliers --kind xmlvend --port 8900`."""

from __future__ import annotations

import argparse
import sys
import threading

from hw_sim.suppliers import switch, utility
from hw_sim.suppliers.airtime import Operator, Settings
from hw_sim.suppliers.faults import Faults

KINDS = ("airtime", "iso8583", "xmlvend")


def main() -> None:
    """Read the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m hw_sim.suppliers", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0])
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--callback", default="", help="of airtime: where call-backs go")
    parser.add_argument("--username", default="duka")
    parser.add_argument("--api-key", default="atsk_simulated", help="its key, password, or our id")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--often", type=float, default=0.0, help="of 1: how often something fails")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds from order to call-back")
    asked = parser.parse_args()
    sys.stdout.write(f"{asked.kind} {_begun(asked)}\n")
    sys.stdout.flush()
    threading.Event().wait()


def _begun(asked: argparse.Namespace) -> str:
    """Where it listens from now on."""
    faults = Faults.all(asked.seed, asked.often)
    if asked.kind == "iso8583":
        host = switch.Settings(asked.api_key, slow_s=30.0, faults=faults)
        return f"127.0.0.1:{switch.Switch(host, port=asked.port).port}"
    if asked.kind == "xmlvend":
        ours = utility.Settings(
            operator=asked.username, password=asked.api_key, slow_s=30.0, faults=faults
        )
        return utility.Utility(ours, port=asked.port).url
    settings = Settings(
        asked.username, asked.api_key, asked.callback, delay_s=asked.delay, slow_s=30.0,
        faults=faults,
    )  # fmt: skip
    return Operator(settings, port=asked.port).url


if __name__ == "__main__":
    main()
