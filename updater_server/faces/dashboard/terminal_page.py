"""One terminal's page: what it said it ran, change by change, newest first. For `faces.board`."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from updater_server.channels.history import History
from updater_server.fleet.as_of import Runs
from updater_server.words import ago, minute

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def html(
    owner: Any,
    told: list[Runs],
    heard_at: int | None,
    found: History,
    now: int,
    airtime: str,
    out_there: int = 0,
) -> str:
    """The whole page for the terminal with the row `owner`; every value escaped, no script.
    `heard_at`: its last check-in; `airtime`: that section, as HTML; `out_there`: vouchers that may
    be on one that was stolen.
    """
    name = bytes(owner.id).hex()
    rows = "".join(_row(each, owner.hardware_class, found) for each in told)
    empty = '<tr><td colspan="6" class="muted">it has told of nothing yet</td></tr>'
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Terminal {name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><header><h1>{name}</h1><span>{minute(now)} UTC</span></header>
<main><section class="wide"><h2>What it said it runs</h2>
<p class="muted">{escape(owner.hardware_class)} r{owner.hardware_revision}, channel
{escape(owner.channel)}, last check-in {ago(heard_at, now)} · <a href="/board">board</a></p>
{_stolen(owner, out_there)}
<table><thead><tr><th>Told</th><th>Changed</th><th>Runs</th><th>Commit</th><th>Channel, prices</th>
<th>Came back from</th></tr></thead><tbody>{rows or empty}</tbody></table></section>
{airtime}</main></body>
</html>
"""


def _stolen(owner: Any, out_there: int) -> str:
    if owner.stolen_at is None:
        return ""
    return (
        f'<p class="bad">Reported stolen {minute(owner.stolen_at)} UTC: {out_there} vouchers may '
        "be on it.</p>\n"
    )


def _row(runs: Runs, hardware_class: str, found: History) -> str:
    entry = found.entries.get((hardware_class, runs.release))
    if entry is None:
        commit = '<span class="bad">never published</span>'
    else:
        commit = f"<code>{escape(entry.commit[:10])}</code>"
        if runs.image not in (None, entry.image.sha256):
            commit += ' <span class="bad">another image</span>'
    since = f"after {minute(runs.heard_at)}" if runs.heard_at else "–"
    failed = "–"
    if runs.failure_release is not None:
        reason = escape(runs.failure_reason or "")
        failed = f'<span class="bad">{runs.failure_release}: {reason}</span>'
    state = "trial" if runs.trial else "confirmed"
    return (
        f"<tr><td>{minute(runs.at)}</td><td class='muted'>{since}</td>"
        f"<td><b>{runs.release}</b> <span class='muted'>slot {escape(runs.slot)}</span> "
        f'<span class="tag {state}">{"on trial" if runs.trial else "confirmed"}</span></td>'
        f"<td>{commit}</td><td>{escape(runs.channel or '–')}, {escape(runs.catalogue or '–')}</td>"
        f"<td>{failed}</td></tr>"
    )
