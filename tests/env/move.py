"""`inv env --move`: a server that sells from SQLite is moved to PostgreSQL under load, killed at
each step and taken back, killed at each step and gone on from there; what it cost terminals, and
how many sales a second there were before, meanwhile and after.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.env.parts import until
from tests.env.selling import Judged, Key, Trade, delivered, judge, selling
from tests.measure.load import fill, make_folder
from tests.server.shop import make_repository
from tests.server.test_server_process import Process
from tests.support.postgres import PostgresServer

MERCHANTS = 8
FREE = 30_000
PAST = 2_000
STEADY_S = 3.0
STEPS = ("begun", "copied", "followed", "compared", "whole")
"""Up to the last of them all of it can be taken back; then comes the rename."""
SLOWLY_S = 0.2
"""Between two sales of a terminal while the move is killed at each step."""
UP_S = 60.0
MOST_TRIES = 2
MOST_RUNS = 3


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


def killed_at(server: Process, step: str, url: str) -> str:
    """The move, killed at a step; what it said. It is run again where the machine is too busy for
    it to follow what is sold, as it says.
    """
    said = ""
    for _ in range(MOST_RUNS):
        done = subprocess.run(
            [sys.executable, "-m", "tests.env.mover", step,
             "migrate-store", "--data", str(server.folder), "--database", url],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
        )  # fmt: skip
        said += done.stdout
        if "run this again" not in done.stdout:
            break
    assert done.returncode == -signal.SIGKILL, (step, said)
    return said


def troubled(
    server: Process, url: str, merchants: range, back: Sequence[str], on: Sequence[str]
) -> tuple[Trade, list[str]]:
    """While terminals sell: killed at steps `back` and taken back, then at steps `on` and gone on
    from, and taken back in the end; what they sold, and what was said.
    """
    said = []
    with selling(server.port, merchants, SLOWLY_S) as trade:
        for step in back:
            killed_at(server, step, url)
            _take_back(server, url)
            said.append(f"killed when {step}, and taken back")
        for step in on:
            killed_at(server, step, url)
            said.append(f"killed when {step}, and gone on from there")
        _take_back(server, url)
    return trade, said


def _take_back(server: Process, url: str) -> None:
    done = server.command("migrate-store", "--database", url, "--abort")
    assert done.returncode == 0, done.stderr


def move_under_load(
    server: Process,
    url: str,
    merchants: int,
    steady_s: float,
    first: int = 1,
    dies_decided: bool = False,
    pause_s: float = 0.0,
) -> Seen:
    """Move a running server, whose terminals are numbered from `first` and sell with `pause_s`
    between two sales; `dies_decided`: killed when the one rename was made, and gone on from.
    """
    before = delivered(server.folder).keys()
    with selling(server.port, range(first, first + merchants), pause_s) as trade:
        time.sleep(steady_s)
        began_at = time.monotonic()
        said = killed_at(server, "decided", url) if dies_decided else ""
        done = server.command("migrate-store", "--database", url)
        moved_at = time.monotonic()
        until(lambda: trade.sold_since(moved_at) > merchants, UP_S, "sales on PostgreSQL")
        time.sleep(2 * steady_s)
        ended_at = time.monotonic()
    seen = judge(server.folder, [trade], before)
    books = server.quick("check", "--full")
    return Seen(
        said=said + done.stdout + done.stderr,
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
            server = make_folder(base / "data", base / "repository", 2 * MERCHANTS + 2)
            fill(server, PAST, 2, FREE)
            server.start()
            try:
                url = postgres.url(postgres.make())
                half = range(3, 3 + MERCHANTS)
                before, words = troubled(server, url, half, STEPS, STEPS)
                line("\n".join(words))
                line(f"meanwhile {len(before.sold)} sales, {before.most_tries(0)} tries at most")
                was_right = judge(server.folder, [before], _past(server, half)).is_right
                seen = move_under_load(
                    server, url, MERCHANTS, STEADY_S, first=half.stop, dies_decided=True
                )
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
    is_right = seen.is_right and was_right and seen.tries <= MOST_TRIES
    line("all is well" if is_right else "WRONG")
    return 0 if is_right else 1


def _past(server: Process, terminals: range) -> list[Key]:
    """What others than these terminals had sold."""
    own = {number.to_bytes(8, "big") for number in terminals}
    return [key for key in delivered(server.folder) if key[0] not in own]
