"""`python -m tools.play`: open the front panel on a world that sells; `inv sim` calls it.

The panel is there at once; the world is made, or found, behind it.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from hw_sim.panel.panel import Panel
from tools.play.eyes import read

if TYPE_CHECKING:
    from tools.play.bench import Play

PORT = 8123
STATES = ("ready", "factory", "low", "empty", "trial", "spoiled", "locked", "recovery")
"""Of `jobs`, which is a second of imports."""
_LOOK_S = 0.2


def main() -> int:
    """Open it, and keep it open until somebody ends it."""
    started_s = time.monotonic()
    arguments = _arguments()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    panel = _panel(arguments.port)
    print(f"The front panel    {panel.url}", flush=True)
    panel.feed.value("world", -1, making="Opening the workshop")
    if arguments.browser:
        threading.Thread(target=webbrowser.open, args=(panel.url,), daemon=True).start()
    from tools.play.bench import EXPECTED, Play, explain  # server and tools: a second of imports

    play: Play | None = None
    try:
        play = Play(panel, arguments.folder, fresh=arguments.new)
        play.open(arguments.terminals, arguments.state)
        _say(play, time.monotonic() - started_s)
        while not ended.wait(_LOOK_S):
            play.look()
    except EXPECTED as error:
        panel.feed.value("world", -1, failed=explain(error))
        print(f"error: {explain(error)}", file=sys.stderr)
        return 1
    finally:
        panel.close()
        if play is not None:
            play.close()
    return 0


def _panel(port: int) -> Panel:
    with contextlib.suppress(OSError):
        return Panel(port=port, read=read)
    return Panel(read=read)  # that port is somebody else's


def _say(play: Play, seconds: float) -> None:
    print(f"Merchant's PIN     {play.facts['pin']}")
    print(f"The server's board {play.facts['board']}  password {play.facts['password']}")
    for line in play.facts["ports"]:
        print(f"Technician's port  {line}")
    print(f"The world is in    {play.facts['folder']}, ready after {seconds:.1f} s. End: Ctrl-C")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.play", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="of the panel; 0 is any free one")
    parser.add_argument("--terminals", type=int, default=1, choices=range(1, 5))
    parser.add_argument("--folder", type=Path, help="of the world; build/play unless said")
    parser.add_argument("--new", action="store_true", help="make the world anew")
    parser.add_argument("--state", default="", metavar="STATE", help=", ".join(STATES))
    parser.add_argument("--no-browser", dest="browser", action="store_false")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
