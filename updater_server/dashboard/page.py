"""The dashboard's one page as a string: no script, no build step, every value escaped. For
`app`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from updater_server.channels import CHANNELS
from updater_server.database import reading
from updater_server.fleet import alarms, terminals
from updater_server.sales import vouchers
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.tables import ledger_transaction, sale, stock_outcome

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_REFRESH_S = 15
_LATE_AFTER_S = 3600
_LOW_BATTERY_MV = 3600
_DAY_S = 86400


def money(minor: int | None, digits: int = 2) -> str:
    """Minor units as people write them."""
    if minor is None:
        return "–"
    sign, units = ("−" if minor < 0 else ""), abs(minor)
    whole, rest = divmod(units, 10**digits)
    return f"{sign}{whole:,}" + (f".{rest:0{digits}d}" if digits else "")


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


def _terminal_row(item: dict[str, Any], now: int) -> str:
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
        if item["failure_release"] is not None
        else '<span class="muted">none</span>'
    )
    own = item["own_float_minor"]
    unsynced = "" if own is None or own == item["float_minor"] else f"own {money(own)}"
    blocked = ' <span class="tag bad">blocked</span>' if item["blocked"] else ""
    return (
        f"<tr><td><code>{item['id'].hex()}</code>{blocked}"
        f"<div class='muted'>{escape(item['hardware_class'])} r{item['hardware_revision']} · "
        f"{escape(item['channel'])}</div></td>"
        f"<td>{runs}</td>"
        f'<td class="{late}">{ago(seen, now)}</td>'
        f'<td class="num">{money(item["float_minor"])}<div class="muted">{unsynced}</div></td>'
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
    posted = connection.scalars(
        select(ledger_transaction.c.created_at).where(
            ledger_transaction.c.created_at >= start,
            ledger_transaction.c.kind.in_(["sale", "stock_sale"]),
        )
    )
    hours = [0] * 24
    for at in posted:
        hours[(at - start) // 3600 % 24] += 1
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
        for entry in repository.releases(channel):
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


def page(service: Service) -> str:
    """The whole page as it is now."""
    now = service.now()
    with reading(service.engine) as connection:
        fleet = terminals.overview(connection)
        day = _sales_of_day(connection, now)
        raised = alarms.open_alarms(connection)
        kinds = alarms.kinds(connection)
        free = vouchers.free_counts(connection, now)
    on_trial = sum(1 for item in fleet if item["trial"])
    online_count, online_sum = day["online"]
    clock = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    cards = [
        ("Terminals", str(len(fleet)), f"{on_trial} on trial"),
        ("Sold today, online", str(online_count), f"{money(online_sum)} face value"),
        ("Sold today, offline", str(day["offline"]), f"{day['refused']} refused online"),
        (
            "Open alarms",
            str(sum(kind.alarms for kind in kinds)),
            ", ".join(f"{kind.alarms} {kind.code}" for kind in kinds) or "all quiet",
        ),
    ]
    shown_cards = "".join(
        f'<div class="card{" alert" if title == "Open alarms" and raised else ""}">'
        f"<h2>{title}</h2><p>{value}</p><small>{note}</small></div>"
        for title, value, note in cards
    )
    alarm_rows = (
        f"<tr><td>{ago(item['last_at'], now)}</td>"
        f"<td><span class='tag bad'>{escape(item['code'])}</span></td>"
        f"<td><code>{item['terminal_id'].hex() if item['terminal_id'] else 'server'}</code></td>"
        f"<td>{escape(item['text'])}{_times(item['count'])}</td>"
        "</tr>"
        for item in raised
    )
    free_rows = (
        f'<tr><td>{escape(product)}</td><td class="num">{count:,}</td></tr>'
        for product, count in free.items()
    )
    terminal_rows = _rows(
        (_terminal_row(item, now) for item in fleet), 7, "none enrolled yet: `provision` one"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Duka</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{_REFRESH_S}"><style>{_STYLE}</style></head><body>
<header><h1>Duka</h1><span>{clock}</span></header>
<main>
<section class="cards">{shown_cards}</section>
<section class="wide"><h2>Terminals</h2><table><thead><tr><th>Terminal</th><th>Runs</th>
<th>Last seen</th><th class="num">Float</th><th class="num">Battery</th><th>Signal</th>
<th>Last failure</th></tr></thead><tbody>{terminal_rows}</tbody></table></section>
<section><h2>Sales by hour</h2>{_hours_chart(day["hours"])}</section>
<section><h2>Vouchers in the vault</h2><table><tbody>
{_rows(free_rows, 2, "empty: import a delivery")}</tbody></table></section>
<section class="wide"><h2>Alarms</h2><table><tbody>
{_rows(alarm_rows, 4, "none")}</tbody></table></section>
<section class="wide"><h2>Releases</h2><table><tbody>{_channels(service)}</tbody></table></section>
</main></body></html>
"""
