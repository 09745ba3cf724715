"""A server that ends between two arrows: the next one goes on from what was committed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect

from tests.suppliers.counter import NAME, Counter, order, top_up
from updater_server.sales import restoring, statements, vends
from updater_server.sales.supplier_setup import Kept
from updater_server.sales.suppliers.base import Order, Outcome, Supplier
from updater_server.store import engine as database
from updater_server.store.engine import writing

PENDING = 2


class Ending:
    """The adapter of a server that ends before, or after, the operator was asked."""

    def __init__(self, real: Supplier, before: bool) -> None:
        self._real = real
        self._before = before

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def send(self, order: Order) -> Outcome:
        if not self._before:
            self._real.send(order)
        raise SystemExit  # ends a thread as the end of its process would: nothing is written


def ends(counter: Counter, before: bool) -> None:
    def made(kept: Kept) -> Supplier:
        return Ending(kept.adapter(), before)  # type: ignore[return-value]

    counter.how["patience_s"] = 0.2
    counter.open_desk(made)


def test_what_was_reserved_and_not_sent_is_given_back(counter: Counter) -> None:
    device = counter.shop.enrol()
    counter.desk.close()  # begins nothing any more
    counter.desk.patience_s = 0.05
    counter.desk.takes = lambda name: True  # type: ignore[method-assign]
    assert top_up(device, 4)[1] == PENDING
    counter.crash()
    assert counter.states() == ["reserved"]
    counter.pass_time(vends.UNSENT_S)
    assert top_up(device, 4)[6] == "supplier_down"
    assert counter.shop.float_of(device) == 100_000
    assert counter.operator.delivered == {}
    assert counter.shop.problems() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("before", [True, False], ids=["before it was sent", "before its answer"])
def test_what_was_sent_is_asked_about_and_never_sent_again(counter: Counter, before: bool) -> None:
    counter.operator.settings.callback = ""
    ends(counter, before)
    device = counter.shop.enrol()
    assert top_up(device, 4)[1] == PENDING
    counter.until(lambda: counter.states() == ["sent"])
    counter.how["patience_s"] = 0.2
    counter.crash()
    counter.pass_time(vends.LOST_S)
    counter.until(lambda: counter.states() == ["unknown"])
    for _ in range(5):
        counter.pass_time(700)
        assert top_up(device, 4)[1] == PENDING
    counter.operator.courier.rest()
    assert counter.operator.delivered == ({} if before else {"+254712345678": ["KES 100"]})
    assert counter.shop.float_of(device) == 90_500
    assert counter.shop.problems() == []


def test_a_restored_server_sends_nothing_that_it_may_have_sent(counter: Counter) -> None:
    device = counter.shop.enrol()
    counter.desk.patience_s = 0.1
    with writing(counter.service.engine) as connection:
        restoring.begin(connection, "a test", counter.shop.clock[0], counter.shop.clock[0])
    late = counter.shop.enrol(2)
    reply = top_up(late, 4)
    assert (reply[1], counter.states()) == (PENDING, ["unknown"])
    assert counter.operator.delivered == {}
    with pytest.raises(AssertionError, match="503"):
        top_up(device, 4)  # to the same number: it is not refused for that, either
    began_later = order(5, "0712345679") | {4: counter.shop.clock[0] + 600}
    assert device.ask(began_later)[6] == "restoring"


def test_a_sale_of_a_forgotten_time_is_not_sent_again_when_the_restore_is_over(
    counter: Counter,
) -> None:
    """Its terminal has told its intent, and asks what became of it later than all is settled."""
    device = counter.shop.enrol()
    counter.desk.patience_s = 0.1
    now = counter.shop.clock[0]
    with writing(counter.service.engine) as connection:
        restoring.begin(connection, "a test", now, now)
    device.record(3, ["top", 10_000, 500, "0712345678"])
    device.check_in(own_float=100_000)
    device.upload()
    with writing(counter.service.engine) as connection:
        restoring.settle(connection, False, "the office", now)
    reply = top_up(device, 1)
    assert (reply[1], counter.states()) == (PENDING, ["unknown"])
    assert counter.operator.delivered == {}
    assert top_up(device, 2, "0712345679")[1] != 1
    counter.until(lambda: counter.states()[1] == "delivered")


def test_no_list_of_a_later_day_says_that_a_forgotten_sale_was_never_made(counter: Counter) -> None:
    counter.desk.patience_s = 0.1
    counter.shop.clock[0] += 3 * 86_400  # it was sold, and sent, three days ago
    now = counter.shop.clock[0]
    with writing(counter.service.engine) as connection:
        restoring.begin(connection, "a test", now, now)
    device = counter.shop.enrol(2)
    assert top_up(device, 4)[1] == PENDING
    data = counter.operator.statement(now - 86_400, now + 86_400)
    with writing(counter.service.engine) as connection:
        statements.take(connection, counter.service.key, NAME, data, now)
    assert counter.states() == ["unknown"]
    assert counter.shop.float_of(device) == 90_500
    data = counter.operator.statement(now - 4 * 86_400, now - 2 * 86_400)  # of its own day
    with writing(counter.service.engine) as connection:
        statements.take(connection, counter.service.key, NAME, data, now)
    assert counter.states() == ["rejected"]


def test_the_database_itself_lets_no_sale_go_back(counter: Counter) -> None:
    top_up(counter.shop.enrol(), 4)
    for change in (
        "state = 'sent'", "state = 'unknown'", "state = 'rejected'", "recipient = '1'",
        "amount_minor = 1", "reference = 'x'", "supplier_reference = NULL",
    ):  # fmt: skip
        with (
            pytest.raises(Exception, match="only moves forward"),
            writing(counter.service.engine) as connection,
        ):
            connection.exec_driver_sql(f"UPDATE vend SET {change}")
    for table in ("vend", "vend_event", "supplier_report"):
        with (
            pytest.raises(Exception, match=r"kept for ever|append-only"),
            writing(counter.service.engine) as connection,
        ):
            connection.exec_driver_sql(f"DELETE FROM {table}")


def test_a_database_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    engine = database.open_engine(tmp_path / "duka.db")
    database.migrate(engine, "0014")
    database.migrate(engine)
    found = inspect(engine)
    assert {"vend", "vend_event", "supplier", "supplier_product"} <= set(found.get_table_names())
    assert "recipient" in [column["name"] for column in found.get_columns("sale")]
    engine.dispose()
