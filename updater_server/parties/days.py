"""A day is closed in the operator's time zone: what was sold under each party, and what it earns on
that, posted once. For the command line.

The share of a party is taken from the face value of each product sold under it, rounded down to a
minor unit. Closing is one transaction: cut short, nothing of it is there, and the same command
closes it. A sale belongs to the day on which the server learned of it, so a closed day never
changes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, insert, select, text

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import operators
from updater_server.parties import rates, tree
from updater_server.parties.tree import Party
from updater_server.sales import currency, ledger
from updater_server.store.tables import closed_day, closed_sum, day_share, server_constant

SETTLES_S = 300
"""A day is closed this long after its end: a transaction that was begun in it has ended by then."""
_ZONE = "time_zone"


@dataclass(frozen=True)
class Share:
    """What one party earned on one product; money in minor units, the rate in millionths."""

    party: Party
    product_id: str
    sold_minor: int
    rate_ppm: int
    share_minor: int
    currency: str


def zone(connection: Connection) -> ZoneInfo | None:
    """The operator's time zone; None before it was said."""
    name = connection.scalar(select(server_constant.c.value).where(server_constant.c.name == _ZONE))
    return None if name is None else ZoneInfo(name)


def set_zone(connection: Connection, name: str, operator: str, now: int) -> ZoneInfo:
    """Say once for ever in which time zone days begin.

    Raises:
        InputError: no such zone.
        ConflictError: another one was said.
    """
    try:
        found = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"{name[:40]!r} is no time zone: say it like Africa/Nairobi") from error
    known = zone(connection)
    if known is not None and known.key != name:
        raise ConflictError(f"days of these books begin in {known.key}")
    if known is None:
        connection.execute(insert(server_constant).values(name=_ZONE, value=name))
        operators.note(connection, operator, "time zone", "server", name, now)
    return found


def bounds(day: str, where: ZoneInfo) -> tuple[int, int]:
    """When a day begins and ends there (Unix time): 23, 24 or 25 hours apart.

    Raises:
        InputError: no day.
    """
    try:
        first = date.fromisoformat(day)
        following = first + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{day[:20]!r} is no day: say it like 2026-12-01") from error
    begins, ends = (
        int(datetime(at.year, at.month, at.day, tzinfo=where).timestamp())
        for at in (first, following)
    )
    return begins, ends


def day_of(at: int, where: ZoneInfo) -> str:
    """The day there at this Unix time."""
    return datetime.fromtimestamp(at, where).date().isoformat()


def close(connection: Connection, day: str, operator: str, now: int) -> list[Share]:
    """Close a day and post what each party earned; its shares. Closed already: the same shares.

    Raises:
        InputError: no time zone was said, it is no day, it is not over, or the first open day is
            another.
    """
    where = zone(connection)
    if where is None:
        raise InputError("say first in which time zone days begin: day zone Africa/Nairobi")
    begins, ends = bounds(day, where)
    if connection.scalar(select(closed_day.c.day).where(closed_day.c.day == day)):
        return shares(connection, day)
    if now < ends + SETTLES_S:
        raise InputError(f"{day} is not over in {where.key}: close it {SETTLES_S // 60} min later")
    newest = connection.scalar(select(closed_day.c.day).order_by(closed_day.c.day.desc()).limit(1))
    if newest is not None:
        following = (date.fromisoformat(newest) + timedelta(days=1)).isoformat()
        if day != following:
            raise InputError(f"{newest} was closed last: {following} comes next")
    sold = _sold(connection, begins, ends)
    found = _shares(connection, sold, day)
    connection.execute(
        insert(closed_day).values(
            day=day, begins_at=begins, ends_at=ends, closed_by=operator, closed_at=now
        )
    )
    earned = dict.fromkeys([*currency.all_of(connection), *(code for _, _, code in sold)], 0)
    for share in found:
        earned[share.currency] += share.share_minor
    for code, earned_minor in sorted(earned.items()):
        sold_minor = sum(minor for (_, _, other), minor in sold.items() if other == code)
        connection.execute(
            insert(closed_sum).values(
                day=day, currency=code, sold_minor=sold_minor, earned_minor=earned_minor
            )
        )
    _post(connection, day, found, now)
    words = ", ".join(f"{minor} {code}".rstrip() for code, minor in sorted(earned.items()))
    operators.note(connection, operator, "close", day, f"{words or 0} earned", now)
    return found


def _post(connection: Connection, day: str, found: list[Share], now: int) -> None:
    earned: dict[tuple[str, str], int] = defaultdict(int)
    for share in found:
        earned[share.party.account, share.currency] += share.share_minor
        connection.execute(
            insert(day_share).values(
                day=day,
                party_id=share.party.id,
                product_id=share.product_id,
                currency=share.currency,
                sold_minor=share.sold_minor,
                rate_ppm=share.rate_ppm,
                share_minor=share.share_minor,
            )
        )
    for (account, code), minor in sorted(earned.items()):
        if minor:
            ledger.post(
                connection,
                "share",
                share_reference(day, account, code),
                {account: minor, ledger.COMMISSION: -minor},
                terminal_id=None,
                sequence=None,
                now=now,
                currency=code,
            )


def share_reference(day: str, account: str, code: str) -> str:
    """Under what a party's share of a day in one currency is posted. (Days that were closed before
    there were several do not have it in theirs.)
    """
    return f"share:{day}:{account.rpartition(':')[2]}:{code}"


def _shares(
    connection: Connection, sold: dict[tuple[int | None, str, str], int], day: str
) -> list[Share]:
    under: dict[tuple[int, str, str], int] = defaultdict(int)
    known = {one.id: one for one in tree.all_parties(connection)}
    for (owner, product_id, code), minor in sold.items():
        above = owner
        while above is not None:
            under[above, product_id, code] += minor
            above = known[above].parent_id
    table = rates.of_day(connection, day)
    found = []
    for (party_id, product_id, code), minor in sorted(under.items()):
        rate_ppm = rates.rate(table, party_id, product_id)
        if minor and rate_ppm:
            share_minor = minor * rate_ppm // 1_000_000
            found.append(Share(known[party_id], product_id, minor, rate_ppm, share_minor, code))
    return found


_SOLD = """
    SELECT (SELECT o.party_id FROM terminal_owner o WHERE o.terminal_id = t.terminal_id
            AND o.since <= t.created_at ORDER BY o.id DESC LIMIT 1) AS owner,
        COALESCE(s.product_id, d.product_id, '') AS product_id,
        CASE WHEN t.kind IN ('refund', 'void') THEN t.reference ELSE '' END AS given_back,
        SUM(e.amount_minor) AS sold_minor, a.currency
    FROM ledger_transaction t
    JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN account a ON a.id = e.account_id AND a.name = 'voucher_sales'
    LEFT JOIN sale s ON s.terminal_id = t.terminal_id AND s.sequence = t.sequence
    LEFT JOIN (SELECT b.terminal_id, o.sequence, b.product_id FROM stock_outcome o
            JOIN stock_batch b ON b.id = o.batch_id
            WHERE o.created_at >= :begins AND o.created_at < :ends) d
        ON d.terminal_id = t.terminal_id AND d.sequence = t.sequence
    WHERE t.created_at >= :begins AND t.created_at < :ends
    GROUP BY 1, 2, 3, a.currency"""
_OF_SALE = "SELECT product_id FROM sale WHERE terminal_id = :terminal_id AND sequence = :sequence"


def _sold(connection: Connection, begins: int, ends: int) -> dict[tuple[int | None, str, str], int]:
    """What was sold in that time by (owner, product, currency), minor units; of refunds, too."""
    sold: dict[tuple[int | None, str, str], int] = defaultdict(int)
    rows = connection.execute(text(_SOLD), {"begins": begins, "ends": ends})
    for owner, product_id, given_back, minor, code in rows:
        product = product_id or _given_back(connection, given_back)
        sold[owner, product, code] += int(minor)
    return dict(sold)


def _given_back(connection: Connection, reference: str) -> str:
    """The product of an online sale that was given back under this reference; "" if of none."""
    parts = reference.split(":")
    if len(parts) != 3:
        return ""
    asked = {"terminal_id": bytes.fromhex(parts[1]), "sequence": int(parts[2])}
    return str(connection.execute(text(_OF_SALE), asked).scalar() or "")


def shares(connection: Connection, day: str) -> list[Share]:
    """What each party earned on a day that is closed."""
    rows = connection.execute(
        select(day_share)
        .where(day_share.c.day == day)
        .order_by(day_share.c.party_id, day_share.c.product_id, day_share.c.currency)
    )
    return [
        Share(
            tree.by_id(connection, row.party_id),
            row.product_id,
            row.sold_minor,
            row.rate_ppm,
            row.share_minor,
            row.currency,
        )
        for row in rows
    ]


def newest(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The days that were closed last, newest first, a row for each currency."""
    last = select(closed_day).order_by(closed_day.c.day.desc()).limit(limit).subquery()
    rows = connection.execute(
        select(last, closed_sum.c.currency, closed_sum.c.sold_minor, closed_sum.c.earned_minor)
        .join(closed_sum, closed_sum.c.day == last.c.day, isouter=True)
        .order_by(last.c.day.desc(), closed_sum.c.currency)
    )
    return [dict(row) for row in rows.mappings()]


def next_open(connection: Connection, now: int) -> str | None:
    """The first day that can be closed now; None if there is none, or no time zone was said."""
    where = zone(connection)
    if where is None:
        return None
    last = connection.scalar(select(closed_day.c.day).order_by(closed_day.c.day.desc()).limit(1))
    if last is None:
        yesterday = date.fromisoformat(day_of(now - SETTLES_S, where)) - timedelta(days=1)
        return yesterday.isoformat()
    following = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    _, ends = bounds(following, where)
    return following if now >= ends + SETTLES_S else None
