"""A terminal as a row of the page's table. For `page`."""

from __future__ import annotations

from html import escape
from typing import Any

from updater_server.faces.dashboard.figures import Figures
from updater_server.fleet import updates
from updater_server.words import ago

_LATE_AFTER_S = 3600
_LOW_BATTERY_MV = 3600


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


def terminal_row(item: dict[str, Any], now: int, shown: Figures) -> str:
    """One terminal of `Figures.terminals`; its money with the currency, if there are several."""
    money = shown.kept.get(item["currency"], shown.money)
    amount = money.figures if len(shown.kept) < 2 else money.show
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
    unsynced = "" if own is None or own == item["float_minor"] else f"own {amount(own)}"
    number = item["id"].hex()
    is_stolen = item["stolen_at"] is not None
    blocked = f' <span class="tag bad">{"stolen" if is_stolen else "blocked"}</span>'
    blocked = blocked if item["blocked"] else ""
    return (
        f'<tr><td><a href="/statement?holder={number}"><code>{number}</code></a>{blocked}'
        f"<div class='muted'>{escape(item['hardware_class'])} r{item['hardware_revision']} · "
        f"{escape(item['channel'])}</div></td>"
        f"<td>{runs}</td>"
        f'<td class="{late}">{ago(seen, now)}</td>'
        f'<td class="num">{amount(item["float_minor"])}'
        f'<div class="muted">{unsynced}</div></td>'
        f'<td class="num">{_battery(item["battery_mv"])}</td>'
        f"<td>{_signal(item['signal'])}</td>"
        f"<td>{failure}</td></tr>"
    )
