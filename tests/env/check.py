"""`inv env --check`: up, a hundred vouchers sold through the balancer, down; what was seen."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.env.keeper import at_work_in
from tests.env.parts import until
from tests.env.selling import judge, sell
from tests.env.whole import UP_S, Whole, whole
from tests.server.test_server_process import Process
from updater_server.fleet.alarms import raise_alarm
from updater_server.service import Service
from updater_server.store.engine import writing

MERCHANTS = 5
EACH = 20


def raise_an_alarm(made: Whole, code: str) -> None:
    """Something that a person is to be told of; of one code there is one mail in five minutes."""
    service = Service.open(made.data())
    with writing(service.engine) as connection:
        raise_alarm(connection, None, code, "a check of the whole", service.now())
    service.engine.dispose()


def check(line: Callable[[str], None], up_in_s: float = UP_S) -> int:
    """0 if everything was as it should be, and up within `up_in_s`."""
    wrong = []
    started = time.monotonic()
    with whole() as made:
        up_s = time.monotonic() - started
        line(f"up in {up_s:.0f} s: {', '.join(made.parts)}")
        line(f"PostgreSQL: {made.primary()} is the primary, {made.standby()} its standby")
        raise_an_alarm(made, "checked")
        trade = sell(made.balancer_port, range(1, MERCHANTS + 1), EACH)
        seen = judge(made.data(), [trade])
        took_s = time.monotonic() - trade.began_at
        line(f"sold {seen.answered} vouchers through the balancer in {took_s:.1f} s")
        line(f"lost {len(seen.lost)}, doubled {len(seen.doubled)}, made up {len(seen.made_up)}")
        tries = Counter(sale.tries for sale in trade.sold)
        line("tries for a sale: " + ", ".join(f"{n} × {tries[n]}" for n in sorted(tries)))
        until(lambda: made.mails() > 0, 60, "mail of an alarm")
        line(f"mails about an alarm: {made.mails()}")
        line(f"files from the store, as from a server: {made.same_in_store()}")
        books = Process(made.data()).quick("check", "--full")
        line("check --full: " + " ".join(books.output.split()))
        folder = made.folder
        if not seen.is_right or seen.answered != MERCHANTS * EACH or books.exit_code:
            wrong.append("the books")
        if up_s > up_in_s:
            wrong.append(f"it took longer than {up_in_s:.0f} s to come up")
    left = at_work_in(folder)
    line(f"taken away: {len(left)} processes left, folder {_there(folder)}")
    if left or folder.exists():
        wrong.append("something was left behind")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = used.ru_utime + used.ru_stime + own.ru_utime + own.ru_stime
    line(f"{time.monotonic() - started:.0f} s in all, {cpu_s:.0f} s of CPU of this program")
    line("WRONG: " + ", ".join(wrong) if wrong else "all is well")
    return 1 if wrong else 0


def _there(folder: Path) -> str:
    return "still there" if folder.exists() else "gone"
