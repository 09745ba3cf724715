"""The worst metrics of what is judged, each as ratio with its interval. For `board`. Pure."""

from __future__ import annotations

from html import escape

from updater_server.faces.dashboard import ratio
from updater_server.faces.dashboard.board_figures import Metric, Shown
from updater_server.words import ago

_WIDE = 80


def metrics(shown: Shown) -> str:
    """The four; nothing where nothing is judged, or has failed."""
    if not shown.metrics:
        return ""
    rows = "".join(_row(one, shown.now) for one in shown.metrics)
    return (
        '<section class="metrics"><h2>Worst of what is judged <span>times control, '
        f"{ratio.END}</span></h2><table>{rows}</table></section>"
    )


def _row(one: Metric, now: int) -> str:
    line = one.line
    bad = " bad" if line.bound is not None and line.score > line.bound else ""
    return (
        f'<tr class="metric{bad}" title="score {line.score:.1f}, {ago(one.at_s, now)}"><td>'
        f'<a href="/board/verdicts/{one.channel}/{one.release}">{escape(line.guard)}</a>'
        f" <small>{one.channel}</small></td><td>{ratio.interval(line, _WIDE)}</td></tr>"
    )
