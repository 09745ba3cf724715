"""The dashboard's one page as a string: no script, no build step, every value escaped. For
`app`.

What it costs does not grow with the fleet: a page of terminals, a handful of questions to the
database, and one rendering for all who look within some seconds.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Integer, cast, func, select

from updater_server.channels import CHANNELS
from updater_server.database import reading
from updater_server.fleet import alarms, terminals, updates
from updater_server.sales import currency, vouchers
from updater_server.sales.currency import Currency
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.tables import ledger_transaction, sale, stock_outcome

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_REFRESH_S = 60
_FRESH_S = 10.0
"""Whoever asks again sooner gets the page that was made last."""
_KEPT = 32
TERMINALS = 50
"""Shown at once."""
_PRODUCTS = 100
_RELEASES = 10
_LATE_AFTER_S = 3600
_LOW_BATTERY_MV = 3600
_DAY_S = 86400


def ago(then: int | None, now: int) -> str:
    """How long ago, in one word."""
    if not then:
        return "never"
    seconds = max(0, now - then)
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name} ago"
    return "just now"


def _signal(level: int | None) -> str:
    """27.007 section 8.5 signal quality (0–31, 99 unknown) as four bars."""
    known = level is not None and level <= 31
    lit = 0 if level is None or not known else min(4, (level + 7) // 8)
    bars = "".join(
        f'<rect x="{5 * n}" y="{12 - 3 * (n + 1)}" width="3" height="{3 * (n + 1)}" rx="1"'
        f' class="{"on" if n < lit else "off"}"/>'
        for n in range(4)
    )
    title = f"{level} of 31" if known else "unknown"
    return (
        f'<svg class="signal" viewBox="0 0 18 12" role="img"><title>Signal {title}</title>'
        f"{bars}</svg>"
    )


def _battery(millivolts: int | None) -> str:
    if millivolts is None:
        return "–"
    low = ' class="bad"' if millivolts < _LOW_BATTERY_MV else ""
    return f"<span{low}>{millivolts / 1000:.2f} V</span>"


def _waits_for(release: int, code: str) -> str:
    what = f"release {release}" if release else "the update"
    return f"{what} waits: {escape(updates.WAITS.get(code, code))}"


def _terminal_row(item: dict[str, Any], now: int, money: Currency) -> str:
    seen = item["last_seen_at"]
    late = " bad" if seen is None or now - seen > _LATE_AFTER_S else ""
    if item["release"] is None:
        runs = '<span class="muted">not reported</span>'
    else:
        state = "trial" if item["trial"] else "confirmed"
        runs = (
            f"<b>{item['release']}</b> <span class='muted'>slot {escape(item['slot'])}</span> "
            f'<span class="tag {state}">{"on trial" if item["trial"] else "confirmed"}</span>'
        )
    failure = (
        f"<span class='bad'>release {item['failure_release']}: "
        f"{escape(item['failure_reason'] or '')}</span>"
        f"<div class='muted'>{ago(item['failure_at'], now)}</div>"
        if item["failure_release"] is not None
        else '<span class="muted">none</span>'
    )
    if item["wait_code"]:
        runs += (
            f"<div class='muted'>{_waits_for(item['wait_release'], item['wait_code'])}, "
            f"since {ago(item['wait_since'], now)}</div>"
        )
    own = item["own_float_minor"]
    unsynced = "" if own is None or own == item["float_minor"] else f"own {money.figures(own)}"
    blocked = ' <span class="tag bad">blocked</span>' if item["blocked"] else ""
    return (
        f"<tr><td><code>{item['id'].hex()}</code>{blocked}"
        f"<div class='muted'>{escape(item['hardware_class'])} r{item['hardware_revision']} · "
        f"{escape(item['channel'])}</div></td>"
        f"<td>{runs}</td>"
        f'<td class="{late}">{ago(seen, now)}</td>'
        f'<td class="num">{money.figures(item["float_minor"])}'
        f'<div class="muted">{unsynced}</div></td>'
        f'<td class="num">{_battery(item["battery_mv"])}</td>'
        f"<td>{_signal(item['signal'])}</td>"
        f"<td>{failure}</td></tr>"
    )


def _times(count: int) -> str:
    return f" <b>×{count}</b>" if count > 1 else ""


def _rows(rows: Iterable[str], columns: int, empty: str) -> str:
    return "".join(rows) or f'<tr><td colspan="{columns}" class="muted">{empty}</td></tr>'


def _sales_of_day(connection: Connection, now: int) -> dict[str, Any]:
    start = now - now % _DAY_S
    online = connection.execute(
        select(
            sale.c.state, func.count().label("count"), func.sum(sale.c.amount_minor).label("sum")
        )
        .where(sale.c.created_at >= start)
        .group_by(sale.c.state)
    ).all()
    by_state = {row.state: (row.count, int(row.sum or 0)) for row in online}
    offline = connection.scalar(
        select(func.count()).where(
            stock_outcome.c.created_at >= start, stock_outcome.c.outcome == "sold"
        )
    )
    hour = (ledger_transaction.c.created_at - start) / 3600  # `cast` cuts to whole ones
    posted = connection.execute(
        select(cast(hour, Integer), func.count())
        .where(
            ledger_transaction.c.created_at >= start,
            ledger_transaction.c.kind.in_(["sale", "stock_sale"]),
        )
        .group_by(cast(hour, Integer))
    )
    hours = [0] * 24
    for number, count in posted:
        hours[number % 24] += count
    return {
        "online": by_state.get("delivered", (0, 0)),
        "refused": by_state.get("refused", (0, 0))[0],
        "offline": offline or 0,
        "hours": hours,
    }


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
        self._made: OrderedDict[tuple[terminals.Wanted, int], tuple[float, str, str]] = (
            OrderedDict()
        )

    def page(self, wanted: terminals.Wanted, number: int) -> tuple[str, str]:
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


def _link(wanted: terminals.Wanted, number: int, text: str) -> str:
    query = urlencode({"prefix": wanted.prefix, "only": wanted.only, "page": number})
    return f'<a href="/?{escape(query)}">{escape(text)}</a>'


def _ways(wanted: terminals.Wanted, number: int, count: int) -> str:
    """Search, choices, and the pages before and after this one."""
    choices = "".join(
        f'<option value="{only}"{" selected" if only == wanted.only else ""}>'
        f"{only or 'all'}</option>"
        for only in ("", *terminals.ONLY)
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


def page(service: Service, wanted: terminals.Wanted = terminals.EVERY, number: int = 1) -> str:
    """The page with the `number`th part of the terminals wanted, as it is now.

    Raises:
        InputError: nothing like that can be shown.
    """
    now = service.now()
    with reading(service.engine) as connection:
        total, on_trial = terminals.counted(connection, terminals.EVERY)
        matching = total
        if wanted != terminals.EVERY:
            matching, _ = terminals.counted(connection, wanted)
        fleet = terminals.last_seen(connection, wanted, (number - 1) * TERMINALS, TERMINALS)
        day = _sales_of_day(connection, now)
        raised = alarms.open_alarms(connection)
        kinds = alarms.kinds(connection)
        free = vouchers.free_counts(connection, now)
        money = currency.shown(connection, service.prices)
    online_count, online_sum = day["online"]
    clock = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    alarm_count = sum(kind.alarms for kind in kinds)
    hidden = alarm_count - len(raised)
    cards = [
        ("Terminals", f"{total:,}", f"{on_trial:,} on trial"),
        ("Sold today, online", f"{online_count:,}", f"{money.show(online_sum)} face value"),
        ("Sold today, offline", f"{day['offline']:,}", f"{day['refused']:,} refused online"),
        (
            "Open alarms",
            f"{alarm_count:,}",
            ", ".join(f"{kind.alarms:,} {kind.code}" for kind in kinds) or "all quiet",
        ),
    ]
    shown_cards = "".join(
        f'<div class="card{" alert" if title == "Open alarms" and raised else ""}">'
        f"<h2>{title}</h2><p>{value}</p><small>{note}</small></div>"
        for title, value, note in cards
    )
    free_rows = (
        f'<tr><td>{escape(product)}</td><td class="num">{count:,}</td></tr>'
        for product, count in islice(free.items(), _PRODUCTS)
    )
    terminal_rows = _rows(
        (_terminal_row(item, now, money) for item in fleet),
        7,
        "none like that" if total else "none enrolled yet: `provision` one",
    )
    more = f'<p class="muted">and {hidden:,} more: close some</p>' if hidden > 0 else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Duka</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{_REFRESH_S}"><style>{_STYLE}</style></head><body>
<header><h1>Duka</h1><span>{clock}</span></header>
<main>
<section class="cards">{shown_cards}</section>
<section class="wide"><h2>Alarms</h2><table><tbody>
{_rows(_alarm_rows(raised, now), 4, "none")}</tbody></table>{more}</section>
<section class="wide"><h2>Terminals</h2>{_ways(wanted, number, matching)}
<table><thead><tr><th>Terminal</th><th>Runs</th>
<th>Last seen</th><th class="num">Float</th><th class="num">Battery</th><th>Signal</th>
<th>Last failure</th></tr></thead><tbody>{terminal_rows}</tbody></table></section>
<section><h2>Sales by hour</h2>{_hours_chart(day["hours"])}</section>
<section><h2>Vouchers in the vault</h2><table><tbody>
{_rows(free_rows, 2, "empty: import a delivery")}</tbody></table></section>
<section class="wide"><h2>Releases</h2><table><tbody>{_channels(service)}</tbody></table></section>
</main></body></html>
"""
