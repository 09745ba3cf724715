"""A statement as a page, its spreadsheet and its paper one click away. For `faces.operator`."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import urlencode

from updater_server.parties import statements
from updater_server.parties.statements import Statement

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def html(found: Statement) -> str:
    """The whole page; every value escaped, no script."""
    money = found.money
    cards = "".join(
        f'<div class="card"><h2>{title}</h2><p>{escape(money.figures(minor))}</p>'
        f"<small>{escape(money.code)}</small></div>"
        for title, minor in (
            ("Balance before", found.opening_minor),
            ("Came in", found.came_minor),
            ("Went out", found.went_minor),
            ("Balance after", found.closing_minor),
        )
    )
    rows = "".join(
        f"<tr><td>{escape(time)}</td><td>{escape(what)}</td><td><code>{escape(reference)}</code></td>"
        f'<td class="num">{escape(amount)}</td><td class="num">{escape(balance)}</td></tr>'
        for time, what, reference, amount, balance in statements.rows(found)
    )
    empty = '<tr><td colspan="5" class="muted">nothing moved in these days</td></tr>'
    asked = {"holder": found.holder, "from": found.first_day, "to": found.last_day}
    files = " · ".join(
        f'<a href="/statement?{escape(urlencode({**asked, "as": kind}))}">{kind.upper()}</a>'
        for kind in ("csv", "pdf")
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Statement of {escape(found.holder)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><header><h1>{escape(found.holder)}</h1>
<span>{found.first_day} to {found.last_day}, {escape(found.zone.key)}</span></header>
<main>
<section class="cards">{cards}</section>
<section class="wide"><h2>Statement</h2><form action="/statement" method="get" class="ways">
<input name="holder" value="{escape(found.holder)}" placeholder="party or terminal" maxlength="32">
<input type="date" name="from" value="{found.first_day}">
<input type="date" name="to" value="{found.last_day}"><button>Show</button>
<span class="muted">{files} · <a href="/">fleet</a></span></form>
<table><thead><tr><th>Time</th><th>What</th><th>Reference</th><th class="num">Amount</th>
<th class="num">Balance</th></tr></thead><tbody>{rows or empty}</tbody></table></section>
</main></body></html>
"""
