"""A verdict's sheet as a page: every guard with its interval and its boundary, the terminals that
add most, and its regions. For `faces.board`.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from updater_server.channels.sheets import Line, Sheet
from updater_server.faces.dashboard import ratio
from updater_server.words import ago, minute

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_WIDE = 240
_KINDS = {"pass": "good", "hold": "warn", "halt": "bad"}


def html(channel: str, release: int, sheet: Sheet, now: int) -> str:
    """The whole page; every value escaped, no script."""
    lines = sorted(sheet.lines, key=lambda line: line.score - (line.bound or 0.0), reverse=True)
    rows = "".join(_row(line) for line in lines)
    shares = "".join(_shares(line) for line in lines if line.most and line.score > 0)
    aside = "".join(
        f"<li>{count:,} windows set aside: {escape(reason)}</li>"
        for reason, count in sheet.set_aside.items()
    )
    why = "; ".join(sheet.reasons) or "nothing against it"
    kind = _KINDS.get(sheet.ruling, "muted")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Verdict on {release} on {escape(channel)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><header><h1>Release {release} on {escape(channel)}</h1><span>{minute(now)} UTC</span></header>
<main><section class="wide"><h2>Verdict {sheet.number} of wave {sheet.wave}</h2>
<p><b class="{kind}">{escape(sheet.ruling)}</b>: {escape(why)}</p>
<p class="muted">hour {sheet.hours}, {ago(sheet.at_s, now)}; {sheet.in_beta:,} install,
{sheet.in_control:,} restart · <code>verdict replay {sheet.trial}</code> ·
<a href="/board/releases/{release}">release</a> · <a href="/board">board</a></p>
<table><thead><tr><th>Guard</th><th>Beta</th><th>Expected</th><th>Control</th>
<th>Ratio, {ratio.END}</th><th>Score</th><th>Halts at</th><th>To widen it lacks</th></tr>
</thead><tbody>{rows}</tbody></table><ul>{aside}</ul></section>{shares}</main></body></html>
"""


def _row(line: Line) -> str:
    bound = "–" if line.bound is None else f"{line.bound:.1f}"
    bad = ' class="bad"' if line.bound is not None and line.score > line.bound else ""
    return (
        f"<tr><td><b>{escape(line.guard)}</b></td><td>{line.in_beta:,}</td>"
        f"<td>{line.expected:,.1f}</td><td>{line.in_control:,}</td>"
        f"<td>{ratio.interval(line, _WIDE)}</td>"
        f"<td{bad}>{line.score:.1f}</td><td>{bound}</td>"
        f"<td class='muted'>{escape(line.lacks or 'nothing')}</td></tr>"
    )


def _shares(line: Line) -> str:
    """Who adds most to a guard that beta has more of, and in which region."""
    rows = "".join(
        f'<tr><td><a href="/board/terminals/{one.terminal}">{one.terminal}</a></td>'
        f"<td>{one.region}</td><td>{one.counted:,}</td><td>{one.expected:.1f}</td>"
        f"<td>{one.adds:.2f}</td></tr>"
        for one in line.most
    )
    regions = "".join(
        f"<tr><td>{one.region}</td><td>{one.terminals:,}</td><td>{one.counted:,}</td>"
        f"<td>{one.expected:.1f}</td></tr>"
        for one in line.regions
    )
    return (
        f'<section class="wide"><h2>{escape(line.guard)}: who adds most, and where</h2>'
        "<table><thead><tr><th>Terminal</th><th>Region</th><th>Counted</th><th>Expected</th>"
        f"<th>Adds</th></tr></thead><tbody>{rows}</tbody></table>"
        "<table><thead><tr><th>Region</th><th>Terminals of beta</th><th>Counted</th>"
        f"<th>Expected</th></tr></thead><tbody>{regions}</tbody></table></section>"
    )
