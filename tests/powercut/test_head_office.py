"""The server that a power cut takes back with it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys

from tests.powercut import head_office
from tools.release.image import ROOT


def _ledger_in_another_process() -> int:
    return head_office.opened().paying_out(3_000, 1).ledger_minor


def forked() -> None:
    """In a process without threads: what forks beside one may wait for ever for what it held."""
    first = head_office.opened()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_ledger_in_another_process) == first.ledger_minor - 3_000
    assert first.paying_out(1, 1).ledger_minor == first.ledger_minor - 1


def test_a_server_that_is_come_back_to_knows_nothing_of_what_came_after() -> None:
    first = head_office.opened()
    poorer, poorest = first.paying_out(1_000, 1), first.paying_out(2_000, 1)
    stocked = poorer.with_stock("air50", 5, "first")
    assert first.ledger_minor == head_office.FLOAT_MINOR
    assert poorer.ledger_minor == stocked.ledger_minor == first.ledger_minor - 1_000
    assert poorest.ledger_minor == first.ledger_minor - 2_000
    assert len(stocked.stock) == len(set(stocked.stock.values())) == len(first.stock) + 5
    assert first.alarms == stocked.alarms == ()


def test_a_process_that_was_forked_goes_on_with_a_server_of_its_own() -> None:
    asked = "from tests.powercut import test_head_office as here; here.forked()"
    subprocess.run([sys.executable, "-c", asked], check=True, cwd=ROOT, timeout=120)


def test_what_is_no_message_is_refused_and_changes_nothing() -> None:
    first = head_office.opened()
    status, reply, after = first.post(b"\x00", "first")
    assert (status, reply) == (400, b"")
    assert (after.ledger_minor, after.records, after.alarms) == (first.ledger_minor, (), ())


def test_books_that_do_not_add_up_are_an_alarm() -> None:
    first = head_office.opened()
    broken = first._after(
        lambda c: c.exec_driver_sql("UPDATE stock_batch SET count = count + 1 WHERE id = 1")
    )
    assert any("stock batch" in alarm for alarm in broken.alarms)
