"""The byte ledger as people read it: a section of a terminal's page, and the fleet's page. For
`faces.board` and `faces.airtime`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from updater_server.telemetry.air import PURPOSES, Month, Operator
from updater_server.words import minute

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def section(months: Sequence[Month], prices: Mapping[str, Operator], of_fleet: bool = False) -> str:
    """A row a month: bytes by purpose, their sum, and what each operator asks for that."""
    heads = "".join(f"<th>{escape(name.replace('_', '-'))}</th>" for name in PURPOSES)
    costs = "".join(f"<th>at {escape(name)}</th>" for name in prices)
    rows = "".join(_row(month, prices, of_fleet) for month in months)
    columns = len(PURPOSES) + 2 + len(prices) + of_fleet
    empty = f'<tr><td colspan="{columns}" class="muted">nothing was told yet</td></tr>'
    return (
        '<section class="wide"><h2>Airtime</h2><p class="muted">bytes both ways with all headers, '
        "as the terminal counts them; of SMS, messages</p><table><thead><tr><th>Month</th>"
        f"{'<th>Terminals</th>' if of_fleet else ''}{heads}<th>Bytes</th>{costs}</tr></thead>"
        f"<tbody>{rows or empty}</tbody></table></section>"
    )


def html(months: Sequence[Month], prices: Mapping[str, Operator], now: int) -> str:
    """The fleet's page; every value escaped, no script."""
    ways = "".join(
        f'<a href="/board/air?month={one.month}&amp;as=csv">{_name(one)} by terminal</a> '
        for one in months
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Airtime</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><header><h1>Airtime</h1><span>{minute(now)} UTC</span></header>
<main>{section(months, prices, of_fleet=True)}
<p class="muted">{ways}<a href="/board">board</a></p></main></body></html>
"""


def _name(month: Month) -> str:
    return f"{month.month // 100}-{month.month % 100:02d}"


def _row(month: Month, prices: Mapping[str, Operator], of_fleet: bool) -> str:
    cells = [f"{size:,}" for size in (*month.spent.values(), month.total_bytes)]
    if of_fleet:
        cells.insert(0, f"{month.terminals:,}")
    cells += [escape(one.words(one.of(month))) for one in prices.values()]
    numbers = "".join(f'<td class="num">{cell}</td>' for cell in cells)
    return f"<tr><td>{_name(month)}</td>{numbers}</tr>"
