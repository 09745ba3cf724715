"""The board: one page that stays open, on a wall or on a phone, and asks for its inside anew every
few seconds. For `faces.board`.

All who look share one rendering, some seconds old at most; what it shows of the fleet was counted
by the worker. So eight boards cost what one does, and no terminal waits for any.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from html import escape
from pathlib import Path

from updater_server.channels.history import History
from updater_server.faces.dashboard import board_metrics, board_parts
from updater_server.faces.dashboard.board_figures import Shown, look
from updater_server.service import Service

_HERE = Path(__file__).parent
_STYLE = "".join((_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "board.css"))
_SCRIPT = (_HERE / "board.js").read_text(encoding="utf-8")
_SCRIPT_SHA256 = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "
    f"form-action 'none'; frame-ancestors 'none'; script-src 'sha256-{_SCRIPT_SHA256}'"
)
"""Content-Security-Policy of the page: its own script and no other."""
FRESH_S = 2.0
SHARE = 20
"""Of the time at most a twentieth is spent on boards: in a storm of alarms they are older."""


class LiveBoard:
    """The inside made last, for everybody who looks. Safe to call from several threads."""

    def __init__(self, service: Service, clock: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._clock = clock
        self._lock = threading.Lock()
        self._made: tuple[str, str] | None = None
        self._until = 0.0
        self.history = History(service.folder.repository)

    def inside(self) -> tuple[str, str]:
        """(What stands in the page's `main`, its strong ETag)."""
        with self._lock:
            began = self._clock()
            if self._made is None or began >= self._until:
                html = inside(look(self._service, self.history))
                digest = hashlib.sha256(html.encode()).hexdigest()[:32]
                self._made = (html, f'"{digest}"')
                done = self._clock()
                self._until = done + max(FRESH_S, SHARE * (done - began))
            return self._made

    def forget(self) -> None:
        """What was made shows no more: somebody changed something just now."""
        with self._lock:
            self._made = None

    def page(self, name: str, may_halt: bool) -> str:
        """The whole page for somebody who is called `name`, with or without its red buttons."""
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Duka board</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body class="{"may-halt" if may_halt else ""}">
<header><h1>Duka</h1><nav><a href="/pipeline">Pipeline</a><a href="/">Fleet</a></nav>
<b id="said" role="status"></b><span id="live">…</span><small>{escape(name)}</small></header>
<main>{self.inside()[0]}</main><script>{_SCRIPT}</script></body></html>
"""


def inside(shown: Shown) -> str:
    """Everything below the head."""
    halts = sum(
        lane.passage is not None and lane.passage.stopped is not None for lane in shown.lanes
    )
    lanes = "".join(board_parts.lane(lane, shown) for lane in shown.lanes)
    return (
        f'<div class="lanes" data-halts="{halts}">{lanes}</div>'
        f'<div class="side">{board_parts.figures(shown)}{board_parts.lights(shown)}'
        f"{board_parts.alarms(shown)}</div>"
        f'<div class="below">{board_parts.adoption(shown)}{board_metrics.metrics(shown)}</div>'
        f"{board_parts.acts(shown)}"
    )
