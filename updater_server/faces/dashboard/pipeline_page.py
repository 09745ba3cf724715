"""The pipeline as a page: a row a release, the newest first, a cell a stage. For `faces.board`."""

from __future__ import annotations

from html import escape
from pathlib import Path

from updater_server.channels import CHANNELS, pipeline
from updater_server.channels.history import History
from updater_server.channels.pipeline import Counted, Passage, Stage
from updater_server.channels.pipeline_table import state_of
from updater_server.faces.dashboard.board_parts import span
from updater_server.words import minute

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
ROWS = 100
"""Shown; all of them are in the CSV and the JSON."""


def html(found: History, now: int) -> str:
    """The whole page; every value escaped, no script."""
    passages = pipeline.passages(found)
    rows = "".join(_row(found, passage) for passage in passages[:ROWS])
    columns = "".join(f"<th>{channel}</th>" for channel in CHANNELS)
    empty = f'<tr><td colspan="{3 + len(CHANNELS)}" class="muted">no release yet</td></tr>'
    doubts = "".join(f'<p class="bad">{escape(text)}</p>' for text in found.doubts[:10])
    more = len(passages) - ROWS
    rest = f'<p class="muted">and {more:,} more</p>' if more > 0 else ""
    files = " · ".join(
        f'<a href="/pipeline?as={kind}">{kind.upper()}</a>' for kind in ("csv", "json")
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Duka pipeline</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><header><h1>Pipeline</h1><span>{minute(now)} UTC</span></header>
<main>
<section class="cards">{_cards(pipeline.counted(passages, now))}</section>
<section class="wide"><h2>Releases</h2><p class="muted">{files} · <a href="/board">board</a></p>
{doubts}<table><thead><tr><th>Release</th><th>Built</th>{columns}<th>State</th></tr></thead>
<tbody>{rows or empty}</tbody></table>{rest}</section>
</main></body></html>
"""


def _cards(found: Counted) -> str:
    share = "–" if found.halted_share is None else f"{100 * found.halted_share:.0f} %"
    leads = ", ".join(f"{name} {span(seconds)}" for name, seconds in found.lead_s.items())
    cards = [
        (
            "Releases a day",
            f"{found.a_day:.1f}",
            f"{found.releases} in {pipeline.WINDOW_DAYS} days",
        ),
        ("Halted", share, f"{found.halted} of {found.let_out} let out"),
        ("Time to halt", span(found.time_to_halt_s), "median, from the first terminal on"),
        ("Build to everybody", span(found.lead_s.get("everybody")), f"median: {leads or '–'}"),
    ]
    return "".join(
        f'<div class="card"><h2>{title}</h2><p>{value}</p><small>{escape(note)}</small></div>'
        for title, value, note in cards
    )


def _row(found: History, passage: Passage) -> str:
    entry = passage.entry
    state = state_of(found, passage)
    leads = passage.lead_s()
    cells = "".join(
        f"<td>{_cell(passage.stages.get(channel), leads.get(channel))}</td>" for channel in CHANNELS
    )
    bad = ' class="bad"' if passage.stopped is not None else ""
    named = f'<a href="/board/releases/{passage.release}"><b>{passage.release}</b></a>'
    return (
        f"<tr><td>{named} <span class='muted'>{escape(entry.version)}</span>"
        f"<div class='muted'><code>{escape(entry.commit[:10])}</code></div></td>"
        f"<td>{minute(entry.built)}</td>{cells}<td{bad}>{escape(state)}</td></tr>"
    )


def _cell(stage: Stage | None, lead_s: int | None) -> str:
    if stage is None:
        return '<span class="muted">–</span>'
    told = [f"{minute(stage.listed_at)} <span class='muted'>after {span(lead_s)}</span>"]
    if stage.everybody_at is not None:
        told.append(f"everybody {minute(stage.everybody_at)}")
    elif stage.out_at is not None:
        told.append(f"first {minute(stage.out_at)}")
    if stage.out_at is not None:
        told.append(f"<span class='muted'>{escape(stage.let_out_by)}</span>")
    if stage.halted_at is not None:
        told.append(
            f"<span class='bad'>halted {minute(stage.halted_at)}, {escape(stage.halted_by)}</span>"
        )
    if stage.resumed_at is not None:
        told.append(f"resumed {minute(stage.resumed_at)}")
    return "<br>".join(told)
