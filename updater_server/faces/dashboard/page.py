"""The dashboard's one page as a string: no script, no build step, every value escaped. For
`faces.operator`.

What it costs does not grow with the fleet: a page of terminals, a handful of questions to the
database, and one rendering for all who look within some seconds.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from updater_server.channels import CHANNELS
from updater_server.faces.dashboard.figures import TERMINALS, Figures, look
from updater_server.faces.dashboard.terminal_rows import terminal_row
from updater_server.fleet import listing
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.words import ago, minute

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_REFRESH_S = 60
_FRESH_S = 10.0
"""Whoever asks again sooner gets the page that was made last."""
_KEPT = 32
_PRODUCTS = 100
_RELEASES = 10


def _times(count: int) -> str:
    return f" <b>×{count}</b>" if count > 1 else ""


def _rows(rows: Iterable[str], columns: int, empty: str) -> str:
    return "".join(rows) or f'<tr><td colspan="{columns}" class="muted">{empty}</td></tr>'


def _hours_chart(hours: list[int]) -> str:
    highest = max(1, *hours)
    bars = "".join(
        f'<rect x="{10 * hour + 1}" y="{40 - 36 * count / highest:.1f}" width="8" rx="1.5" '
        f'height="{36 * count / highest:.1f}"><title>{hour:02d}:00 UTC: {count}</title></rect>'
        for hour, count in enumerate(hours)
    )
    marks = "".join(
        f'<text x="{10 * hour + 5}" y="52">{hour:02d}</text>' for hour in range(0, 24, 6)
    )
    return (
        '<svg class="hours" viewBox="0 0 240 54" role="img"><title>Sales by hour</title>'
        f'<line x1="0" y1="40.5" x2="240" y2="40.5"/>{bars}{marks}</svg>'
    )


def _channels(service: Service) -> str:
    try:
        repository = service.prices.repository()
    except PricesUnavailable as error:
        return f'<tr><td colspan="4" class="muted">{escape(str(error))}</td></tr>'
    rows = []
    for channel in CHANNELS:
        if channel in repository.damaged:
            text = escape(repository.damaged[channel])
            rows.append(
                f'<tr><td><span class="tag">{channel}</span></td>'
                f'<td colspan="3" class="bad">{text}</td></tr>'
            )
            continue
        for entry in repository.releases(channel)[:_RELEASES]:
            full = next((p.path for p in entry.payloads if p.kind == "full"), "")
            note = escape(entry.text.get("en", "")) or f"<span class='muted'>{escape(full)}</span>"
            rows.append(
                f'<tr><td><span class="tag">{channel}</span></td>'
                f"<td><b>{entry.release}</b> "
                f"<span class='muted'>{escape(entry.version)}</span></td>"
                f"<td><code>{escape(entry.commit[:10])}</code></td>"
                f"<td>{note}</td></tr>"
            )
    return _rows(rows, 4, "no release yet")


class Board:
    """The pages made last, for those who look at the same one. Safe to call from several
    threads.
    """

    def __init__(self, service: Service, clock: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._clock = clock
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[listing.Wanted, int], tuple[float, str, str]] = OrderedDict()

    def page(self, wanted: listing.Wanted, number: int) -> tuple[str, str]:
        """(page `number`, its strong ETag), some seconds old at most.

        Raises:
            InputError: nothing like that can be shown.
        """
        key = (wanted, number)
        with self._lock:  # two who ask for the same wait for one rendering
            now = self._clock()
            known = self._made.get(key)
            if known is None or now - known[0] >= _FRESH_S:
                html = page(self._service, wanted, number)
                digest = hashlib.sha256(html.encode()).hexdigest()[:32]
                known = (self._clock(), html, f'"{digest}"')
                self._made[key] = known
                self._made.move_to_end(key)
                while len(self._made) > _KEPT:
                    self._made.popitem(last=False)
            return known[1], known[2]


def _link(wanted: listing.Wanted, number: int, text: str) -> str:
    query = urlencode({"prefix": wanted.prefix, "only": wanted.only, "page": number})
    return f'<a href="/?{escape(query)}">{escape(text)}</a>'


def _ways(wanted: listing.Wanted, number: int, count: int) -> str:
    """Search, choices, and the pages before and after this one."""
    choices = "".join(
        f'<option value="{only}"{" selected" if only == wanted.only else ""}>'
        f"{only or 'all'}</option>"
        for only in ("", *listing.ONLY)
    )
    first = (number - 1) * TERMINALS
    last = min(first + TERMINALS, count)
    shown = f"{first + 1:,} to {last:,} of {count:,}" if last > first else f"none of {count:,}"
    ways = [_link(wanted, number - 1, "‹ before")] if number > 1 else []
    ways += [_link(wanted, number + 1, "next ›")] if last < count else []
    return (
        '<form action="/" method="get" class="ways">'
        f'<input name="prefix" value="{escape(wanted.prefix)}" placeholder="terminal id …" '
        f'maxlength="16"><select name="only">{choices}</select><button>Show</button> '
        f'<span class="muted">{shown}</span> {" ".join(ways)}</form>'
    )


def _alarm_rows(raised: list[dict[str, Any]], now: int) -> Iterator[str]:
    for item in raised:
        who = item["terminal_id"].hex() if item["terminal_id"] else "server"
        yield (
            f"<tr><td>{ago(item['last_at'], now)}</td>"
            f"<td><span class='tag bad'>{escape(item['code'])}</span></td>"
            f"<td><code>{who}</code></td>"
            f"<td>{escape(item['text'])}{_times(item['count'])}</td>"
            "</tr>"
        )


def _cards(shown: Figures) -> str:
    day = shown.day
    alarm_count = sum(kind.alarms for kind in shown.alarm_kinds)
    cards = [
        ("Terminals", f"{shown.total:,}", f"{shown.on_trial:,} on trial"),
        (
            "Sold today, online",
            f"{day.online:,}",
            f"{_sold(shown)} face value",
        ),
        ("Sold today, offline", f"{day.offline:,}", f"{day.refused:,} refused online"),
        (
            "Open alarms",
            f"{alarm_count:,}",
            ", ".join(f"{kind.alarms:,} {kind.code}" for kind in shown.alarm_kinds) or "all quiet",
        ),
    ]
    return "".join(
        f'<div class="card{" alert" if title == "Open alarms" and shown.alarms else ""}">'
        f"<h2>{title}</h2><p>{value}</p><small>{note}</small></div>"
        for title, value, note in cards
    )


def _sold(shown: Figures) -> str:
    sums = shown.day.online_minor or {shown.money.code: 0}
    return ", ".join(shown.kept.get(code, shown.money).show(sums[code]) for code in sums)


def page(service: Service, wanted: listing.Wanted = listing.EVERY, number: int = 1) -> str:
    """The page with the `number`th part of the terminals wanted, as it is now.

    Raises:
        InputError: nothing like that can be shown.
    """
    shown = look(service, wanted, number)
    now = shown.now
    hidden = sum(kind.alarms for kind in shown.alarm_kinds) - len(shown.alarms)
    free_rows = (
        f'<tr><td>{escape(product)}</td><td class="num">{count:,}</td></tr>'
        for product, count in islice(shown.free.items(), _PRODUCTS)
    )
    terminal_rows = _rows(
        (terminal_row(item, now, shown) for item in shown.terminals),
        7,
        "none like that" if shown.total else "none enrolled yet: `provision` one",
    )
    more = f'<p class="muted">and {hidden:,} more: close some</p>' if hidden > 0 else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Duka</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{_REFRESH_S}"><style>{_STYLE}</style></head><body>
<header><h1>Duka</h1><span>{minute(now)} UTC</span></header>
<main>
<section class="cards">{_cards(shown)}</section>
<section class="wide"><h2>Alarms</h2><table><tbody>
{_rows(_alarm_rows(shown.alarms, now), 4, "none")}</tbody></table>{more}</section>
<section class="wide"><h2>Terminals</h2>{_ways(wanted, number, shown.matching)}
<table><thead><tr><th>Terminal</th><th>Runs</th>
<th>Last seen</th><th class="num">Float</th><th class="num">Battery</th><th>Signal</th>
<th>Last failure</th></tr></thead><tbody>{terminal_rows}</tbody></table></section>
<section><h2>Sales by hour</h2>{_hours_chart(shown.day.hours)}</section>
<section><h2>Vouchers in the vault</h2><table><tbody>
{_rows(free_rows, 2, "empty: import a delivery")}</tbody></table></section>
<section class="wide"><h2>Releases</h2><table><tbody>{_channels(service)}</tbody></table></section>
</main></body></html>
"""
