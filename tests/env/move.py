"""`inv env --move`: a server that sells from SQLite is moved to PostgreSQL under load; what it cost
terminals, and how many sales a second there were before, meanwhile and after.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.env.parts import until
from tests.env.selling import Judged, Trade, delivered, judge, selling
from tests.measure.load import fill, make_folder
from tests.server.shop import make_repository
from tests.server.test_server_process import Process
from tests.support.postgres import PostgresServer

MERCHANTS = 8
FREE = 30_000
PAST = 2_000
STEADY_S = 3.0
UP_S = 60.0


@dataclass
class Seen:
    """What a move under load came to."""

    said: str
    judged: Judged
    before: float
    """Sales a second."""
    meanwhile: float
    after: float
    gap_s: float
    """The longest time in which nobody was answered, from the first word of it to the end."""
    tries: int
    books: str
    is_right: bool


def move_under_load(
    server: Process, url: str, merchants: int, steady_s: float, first: int = 1
) -> Seen:
    """Move a running server, whose terminals are numbered from `first`."""
    before = delivered(server.folder).keys()
    with selling(server.port, range(first, first + merchants), pause_s=0.0) as trade:
        time.sleep(steady_s)
        began_at = time.monotonic()
        done = server.command("migrate-store", "--database", url)
        moved_at = time.monotonic()
        until(lambda: trade.sold_since(moved_at) > merchants, UP_S, "sales on PostgreSQL")
        time.sleep(2 * steady_s)
        ended_at = time.monotonic()
    seen = judge(server.folder, [trade], before)
    books = server.quick("check", "--full")
    return Seen(
        said=done.stdout + done.stderr,
        judged=seen,
        before=_rate(trade, began_at - steady_s / 2, began_at),
        meanwhile=_rate(trade, began_at, moved_at),
        after=_rate(trade, ended_at - steady_s, ended_at),
        gap_s=trade.longest_gap(began_at, ended_at),
        tries=trade.most_tries(began_at),
        books=" ".join(books.output.split()),
        is_right=seen.is_right and books.exit_code == 0 and done.returncode == 0,
    )


def _rate(trade: Trade, since: float, until: float) -> float:
    count = sum(since <= sale.answered_at < until for sale in trade.sold)
    return count / (until - since)


def move(line: Callable[[str], None]) -> int:
    """Print what a move under load came to; 0 if nothing was lost, doubled or made up."""
    postgres = PostgresServer()
    try:
        with tempfile.TemporaryDirectory(prefix="duka-move-") as place:
            base = Path(place)
            make_repository(base / "repository", base / "keys")
            server = make_folder(base / "data", base / "repository", MERCHANTS + 2)
            fill(server, PAST, 2, FREE)
            server.start()
            try:
                url = postgres.url(postgres.make())
                seen = move_under_load(server, url, MERCHANTS, STEADY_S, first=3)
            finally:
                server.end()
    finally:
        postgres.end()
    line(seen.said.rstrip())
    line(
        f"sales a second: {seen.before:.0f} on SQLite, {seen.meanwhile:.0f} while it moved, "
        f"{seen.after:.0f} on PostgreSQL"
    )
    line(f"no answer for {seen.gap_s:.1f} s at most; tries for one sale: {seen.tries} at most")
    judged = seen.judged
    line(
        f"{judged.answered} sales: lost {len(judged.lost)}, doubled {len(judged.doubled)}, "
        f"made up {len(judged.made_up)}; check --full: {seen.books}"
    )
    line("all is well" if seen.is_right else "WRONG")
    return 0 if seen.is_right else 1
