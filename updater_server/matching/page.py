"""The page of a day: what was sold by the ledger, what agreed, what did not; signed, and chained to
the page before it. For the runs, and for whoever checks one.

A page is text. What is written depends on the run's cut alone, so that it is the same to the byte
whenever it is written. It is signed with a key that is derived from the server's; its public half
is printed by `reconcile key` and needs no secret to check with.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, insert, select

from updater_server.errors import InputError
from updater_server.matching import day_rows, findings
from updater_server.parties import days
from updater_server.sales import questions
from updater_server.sales.statements import SPARE_S
from updater_server.server_key import ServerKey
from updater_server.store.tables import matching_page, matching_run, supplier_file

_PURPOSE = "day page"
_SIGNED = "signed "
FORM = "duka day page 1"


@dataclass(frozen=True)
class Run:
    """One look at one day. Times are Unix seconds; `cut` is what it looks at."""

    id: int
    day: str
    round: int
    begins_at: int
    ends_at: int
    cut: dict[str, Any]
    begun_by: str
    begun_at: int

    def has_news(self, connection: Connection) -> bool:
        """Whether a file that speaks of this day came after the look at it had begun."""
        since, until = self.begins_at - SPARE_S, self.ends_at + SPARE_S
        newer = select(supplier_file.c.id).where(
            supplier_file.c.id > self.cut["files"],
            supplier_file.c.until > since,
            supplier_file.c.since < until,
        )
        return connection.scalar(newer.limit(1)) is not None


@dataclass(frozen=True)
class Sides:
    """What a step came to: where the next one of its stage begins ([]: it is done), and counts."""

    at: list[int]
    counts: dict[str, int]


_SUMS = """
    SELECT t.kind, CASE WHEN substr(a.name, 1, 6) = 'float:' THEN 'floats' ELSE a.name END AS what,
        a.currency, COUNT(DISTINCT t.id) AS times, SUM(e.amount_minor) AS minor
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN account a ON a.id = e.account_id
    WHERE t.created_at >= :begins AND t.created_at < :ends AND t.id <= :transactions
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def write(connection: Connection, run: Run, counts: dict[str, int]) -> str:
    """The page of a run whose steps are done."""
    where = days.zone(connection)
    zone = where.key if where else "UTC"
    values = {
        "begins": run.begins_at, "ends": run.ends_at, "transactions": run.cut["transactions"],
    }  # fmt: skip
    lines = [
        FORM,
        f"day {run.day} in {zone}, from {_utc(run.begins_at)} up to {_utc(run.ends_at)}",
        f"round {run.round}, begun {_utc(run.begun_at)} by {run.begun_by}",
        f"page before {run.cut['previous']}",
        "",
        "ledger, in minor units",
    ]
    for row in connection.execute(questions.asked(connection, _SUMS), values):
        lines.append(f"  {row.kind} {row.what}: {row.minor} {row.currency} in {row.times}")
    lines += ["", "held against each other"]
    lines += [f"  {name}: {number}" for name, number in sorted(counts.items())]
    found = findings.of_run(connection, run.id)
    lines += ["", f"found: {sum(row.kind != findings.LATE for row in found)} to decide"]
    for row in found:
        lines.append(f"  {findings.WORDS[row.kind]}, {row.subject}: {row.text}")
        lines += [f"    would post: {row.entries}"] if row.entries != "{}" else []
    rows = day_rows.digest(connection, run)
    lines += ["", f"rows {rows.rows} sha256 {rows.sha256}", ""]
    return "\n".join(lines)


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_there(connection: Connection, run_id: int) -> bool:
    """Whether a run came to its end."""
    known = select(matching_page.c.run_id).where(matching_page.c.run_id == run_id)
    return connection.scalar(known) is not None


def keep(connection: Connection, key: ServerKey, run_id: int, content: str) -> None:
    """Sign a page and keep it."""
    signature = key.signing_key(_PURPOSE).sign(content.encode())
    connection.execute(
        insert(matching_page).values(run_id=run_id, content=content, signature=signature)
    )


def newest_digest(connection: Connection) -> str:
    """What the next page names as the one before it; zeros: there is none."""
    content = connection.scalar(
        select(matching_page.c.content)
        .join(matching_run, matching_run.c.id == matching_page.c.run_id)
        .order_by(matching_run.c.id.desc())
        .limit(1)
    )
    return "0" * 64 if content is None else hashlib.sha256(str(content).encode()).hexdigest()


def signed(connection: Connection, run_id: int) -> str:
    """A page with its signature, as it is handed out.

    Raises:
        InputError: the run did not come to its end.
    """
    row = connection.execute(
        select(matching_page).where(matching_page.c.run_id == run_id)
    ).one_or_none()
    if row is None:
        raise InputError("this look at the day did not come to its end: run it again")
    return f"{row.content}{_SIGNED}{row.signature.hex()}\n"


def summary(connection: Connection, run: Run) -> str:
    """A run in one line."""
    found = findings.of_run(connection, run.id)
    late = sum(row.kind == findings.LATE for row in found)
    return f"{run.day}, round {run.round}: {len(found) - late} found, {late} late"


def public_key(key: ServerKey) -> str:
    """What pages are checked with, in hex."""
    public = key.signing_key(_PURPOSE).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def verify(text: str, public_hex: str) -> str:
    """The first two lines of a page that the key has signed.

    Raises:
        InputError: it is none, or not as it was signed.
    """
    content, found, signature = text.rpartition(_SIGNED)
    try:
        known = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex.strip()))
        known.verify(bytes.fromhex(signature.strip()), content.encode())
    except (InvalidSignature, ValueError) as error:
        raise InputError("this page is not as it was signed, or another key signed it") from error
    if not found or not content.startswith(FORM):
        raise InputError("this is no page of a day")
    return "\n".join(content.splitlines()[1:3])
