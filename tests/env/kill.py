"""`inv env --kill`: each part killed while terminals sell; what that cost them, and what a person
at the board saw meanwhile, as a table.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.env.check import raise_an_alarm
from tests.env.parts import until
from tests.env.selling import Trade, judge, selling
from tests.env.watching import Board, watching
from tests.env.whole import UP_S, Whole, whole
from tests.server.test_server_process import Process

MERCHANTS = range(1, 5)
PAUSE_S = 0.1
VOUCHERS = 20_000
WARM_S = 2.0
SETTLED_S = 3.0
BACK_S = 30.0
"""Sales go on within so many seconds, whatever was killed."""
MOST_TRIES = 2
"""For one sale, where the database stays."""


@dataclass(frozen=True)
class Blow:
    """Something done to a part. `away_s`: how long its machine stays away."""

    name: str
    which: Callable[[Whole], str]
    away_s: float = 0.0
    politely: bool = False
    hangs: bool = False
    """It stands still for so long, and is not killed."""
    tells: bool = False
    """An alarm is raised while it is away, and a mail must come."""
    database: bool = False
    """Sales cannot go on before another one is primary."""
    then: Callable[[Whole], object] = lambda _whole: None
    """What an operator does when it is back."""


def _named(name: str) -> Callable[[Whole], str]:
    return lambda _whole: name


def _fill_again(made: Whole) -> None:
    """The store forgets everything with its end: it is a copy, and filled anew."""
    made.fill_store()
    assert made.refresh_from_store(), "servers give terminals different files"


BLOWS = (
    Blow("server, kill -9", _named("server-1"), away_s=5),
    Blow("server, restarted", _named("server-2"), politely=True),
    Blow("worker, kill -9", _named("worker"), away_s=130, tells=True),  # missed after 120
    Blow("mail, kill -9", _named("mail"), away_s=60, tells=True),  # told of at its third failure
    Blow("balancer, kill -9", _named("balancer")),
    Blow("object store", _named("store"), away_s=5, then=_fill_again),
    Blow("etcd, kill -9", _named("etcd"), away_s=25),
    Blow("standby's machine", Whole.standby, away_s=20, database=True),
    Blow("primary's machine", Whole.primary, away_s=40, database=True),
    Blow("primary hangs", Whole.primary, away_s=50, hangs=True, database=True),
    Blow("primary, back at once", Whole.primary, database=True),
)


@dataclass
class Row:
    """What one blow cost."""

    blow: Blow
    answered: int
    gap_s: float
    tries: int
    whole_s: float
    lost: int
    doubled: int
    made_up: int
    mails: int
    board: str

    @property
    def wrong(self) -> list[str]:
        """What must not be."""
        found = []
        if self.lost or self.doubled or self.made_up:
            found.append("the books")
        if self.gap_s > BACK_S:
            found.append(f"no sale for more than {BACK_S:.0f} s")
        if not self.blow.database and self.tries > MOST_TRIES:
            found.append("more than one retry")
        if self.blow.tells and not self.mails:
            found.append("no mail")
        return found

    def __str__(self) -> str:
        mail = f", mail {'came' if self.mails else 'DID NOT COME'}" * self.blow.tells
        return (
            f"{self.blow.name:<21} {self.answered:>6} {self.lost:>5} {self.doubled:>8}"
            f" {self.made_up:>8} {self.gap_s:>9.1f} s {self.tries:>6} {self.whole_s:>9.0f} s"
            f"   {self.board}{mail}"
        )


HEAD = (
    f"{'killed':<21} {'sales':>6} {'lost':>5} {'doubled':>8} {'made up':>8}"
    f" {'no answer':>11} {'tries':>6} {'whole in':>11}   the board"
)


def strike(made: Whole, blow: Blow, trade: Trade, board: Board) -> Row:
    """One blow under load, until everything is whole again."""
    time.sleep(WARM_S)
    had, mails, name = len(trade.sold), made.mails(), blow.which(made)
    part = made.parts[name]
    began_at = time.monotonic()
    if blow.politely:
        part.end(signal.SIGTERM)
        part.start()
    elif blow.hangs:
        part.hang()
        time.sleep(blow.away_s)
        part.hang(is_over=True)
    else:
        part.is_wanted = blow.away_s == 0
        part.kill()
        if blow.tells:
            raise_an_alarm(made, name)
        time.sleep(blow.away_s)
        if blow.away_s:
            part.start()
    until(made.is_whole, 2 * UP_S, f"everything after {blow.name}")
    blow.then(made)
    whole_s = time.monotonic() - began_at - blow.away_s
    if blow.tells:
        until(lambda: made.mails() > mails, UP_S, f"mail after {blow.name}")
    time.sleep(SETTLED_S)
    ended_at = time.monotonic()
    seen = judge(made.data(), [trade])
    return Row(
        blow,
        answered=len(trade.sold) - had,
        gap_s=trade.longest_gap(began_at, ended_at),
        tries=trade.most_tries(began_at),
        whole_s=whole_s,
        lost=len(seen.lost),
        doubled=len(seen.doubled),
        made_up=len(seen.made_up),
        mails=made.mails() - mails,
        board=board.said(began_at, frozenset({name})),
    )


def table(line: Callable[[str], None], blows: Sequence[Blow] = BLOWS) -> int:
    """Print a row for each blow; 0 if none cost what it may not."""
    wrong = []
    with whole(terminals=len(MERCHANTS), vouchers=VOUCHERS) as made:
        line("up; terminals sell through the balancer while each part is killed in its turn")
        line(HEAD)
        with (
            watching(made.balancer_port, made.viewer) as board,
            selling(made.balancer_port, MERCHANTS, PAUSE_S) as trade,
        ):
            for blow in blows:
                row = strike(made, blow, trade, board)
                line(str(row))
                wrong += [f"{blow.name}: {words}" for words in row.wrong]
        seen = judge(made.data(), [trade])
        line(
            f"{seen.answered} sales: lost {len(seen.lost)}, doubled {len(seen.doubled)},"
            f" made up {len(seen.made_up)}"
        )
        books = Process(made.data()).quick("check", "--full")
        line("check --full: " + " ".join(books.output.split()))
        if not seen.is_right or books.exit_code:
            wrong.append("the books at the end")
    line("WRONG: " + "; ".join(wrong) if wrong else "all is well")
    return 1 if wrong else 0
