"""Call-backs: forged, doubled, contrary, out of order, about nobody's sale. None of them moves
money; at most the operator is asked.
"""

from __future__ import annotations

import dataclasses
import json
from urllib.parse import urlencode

import pytest
import sqlalchemy

from hw_sim.suppliers.faults import Faults
from tests.suppliers.counter import NAME, Counter, top_up
from updater_server.faces.supplier_reports import SupplierFace
from updater_server.sales import reports, vends
from updater_server.sales.suppliers.base import Delivered
from updater_server.sales.vending import Desk
from updater_server.store.engine import writing

PENDING = 2


def tell(counter: Counter, secret: str | None = None, **content: str) -> int:
    """A call-back with this content; its status."""
    body = urlencode({"phoneNumber": "+254712345678", "status": "Success", **content})
    return SupplierFace(counter.service).report(NAME, secret or counter.secret, body.encode())


def accepted(counter: Counter, delay_s: float = 60) -> str:
    """A sale that the operator has, and does not decide for a minute; its reference there."""
    counter.operator.settings.delay_s = delay_s
    counter.desk.patience_s = 0.1
    assert top_up(counter.shop.enrol(), 4)[1] == PENDING
    counter.until(lambda: ("sent", "answer") in counter.words())
    ((reference,),) = counter.shop.sql("SELECT supplier_reference FROM vend")
    return str(reference)


def test_a_report_under_another_secret_is_nobodys(counter: Counter) -> None:
    reference = accepted(counter)
    assert tell(counter, "guessed", requestId=reference) == 404
    assert SupplierFace(counter.service).report("nobody", counter.secret, b"{}") == 404
    assert counter.shop.sql("SELECT * FROM supplier_report") == []


@pytest.mark.parametrize("status", ["Success", "Failed"])
def test_a_report_under_the_right_secret_is_not_believed_either(
    counter: Counter, status: str
) -> None:
    reference = accepted(counter)
    assert tell(counter, requestId=reference, status=status) == 200
    counter.until(lambda: counter.shop.sql("SELECT tries FROM vend") == [(2,)])  # it was asked
    assert counter.states() == ["sent"]
    assert counter.balance("reserved") == 9_500


def test_a_report_that_reaches_another_process_is_told_where_a_terminal_waits(
    counter: Counter,
) -> None:
    counter.operator.settings.callback = ""
    reference = accepted(counter, delay_s=0.3)
    waiting = counter.desk.watch(1)
    uncommitted = counter.desk.watch(2)
    counter.desk.look()
    assert not waiting.done(), "it is not decided yet"
    there = Desk(counter.service.engine, counter.service.key, counter.service.now)
    counter.operator.courier.rest()
    number = "+254712345678"
    body = urlencode({"phoneNumber": number, "requestId": reference, "status": "Success"}).encode()
    other = SupplierFace(dataclasses.replace(counter.service, desk=there))
    assert other.report(NAME, counter.secret, body) == 200
    counter.until(lambda: counter.states() == ["delivered"])
    assert not waiting.done(), "nobody told this process"
    counter.desk.look()
    assert waiting.done()
    assert not uncommitted.done()
    there.close()


@pytest.mark.parametrize("fault", ["doubled", "forged", "contrary", "delayed", "early"])
def test_whatever_becomes_of_its_reports_a_sale_is_delivered_once(
    counter: Counter, fault: str
) -> None:
    counter.operator.settings.faults = Faults(0, {}, {}, {fault: 1.0})
    assert top_up(counter.shop.enrol(), 4)[1] == 0
    counter.operator.courier.rest()
    assert counter.operator.delivered == {"+254712345678": ["KES 100"]}
    assert counter.states() == ["delivered"]
    assert counter.shop.problems() == []
    assert counter.shop.alarms() == []
    kept = counter.shop.sql("SELECT body FROM supplier_report")
    assert len(kept) == len(set(kept))


def test_a_report_of_a_sale_that_is_unknown_here_changes_nothing(counter: Counter) -> None:
    reference = accepted(counter)
    assert tell(counter, requestId="ATQid_of_nobody") == 200
    assert tell(counter, requestId="ATQid_other", phoneNumber="+254700000000") == 200
    assert counter.shop.sql("SELECT supplier_reference FROM vend") == [(reference,)]


def test_a_report_that_fits_two_sales_is_left_to_the_statement(counter: Counter) -> None:
    counter.operator.settings.callback = ""
    counter.desk.patience_s = 0.1
    device = counter.shop.enrol()
    for sequence, amount in ((4, 10_000), (5, 20_000)):
        counter.operator.cut_next(cut_out=0)
        assert top_up(device, sequence, amount=amount)[1] == PENDING
        counter.until(lambda: counter.states()[-1] == "unknown")
    assert tell(counter, requestId="ATQid_which_one") == 200
    assert counter.shop.sql("SELECT supplier_reference FROM vend") == [(None,), (None,)]
    assert counter.shop.alarms() == ["supplier_answer"]


def answers_slowly(counter: Counter) -> None:
    """So slowly that a report overtakes it, and well within its deadline on any machine."""
    with writing(counter.service.engine) as connection:
        counter.secret = counter.put(connection, deadline_s=50.0).report_secret
    counter.operator.settings.slow_s = 4.0
    counter.operator.settings.faults = Faults(0, {"slow": 1.0}, {}, {})


def test_a_report_names_nobody_while_another_sale_may_claim_it(counter: Counter) -> None:
    """Two sales to one number: one answer is lost, the other is on its way. The report of the
    second must not become the name of the first.
    """
    counter.operator.settings.callback = ""
    counter.desk.patience_s = 0.1
    device = counter.shop.enrol()
    counter.operator.cut_next(cut_out=0)
    assert top_up(device, 4, amount=10_000)[1] == PENDING
    counter.until(lambda: counter.states() == ["unknown"])
    (first,) = counter.operator.statement(0, 2**40).splitlines()[:1]
    answers_slowly(counter)
    assert top_up(device, 5, amount=20_000)[1] == PENDING
    counter.until(lambda: counter.states() == ["unknown", "sent"])
    assert tell(counter, requestId=json.loads(first)["requestId"]) == 200
    assert ("unknown", "report") not in counter.words(), "it may be the second's"
    counter.until(lambda: counter.states()[0] == "delivered")  # when the second has its own name
    assert ("unknown", "report") in counter.words()
    assert counter.shop.alarms() == []


def test_two_reports_that_fit_one_sale_are_left_to_the_statement(counter: Counter) -> None:
    counter.operator.settings.callback = ""
    counter.desk.patience_s = 0.1
    answers_slowly(counter)
    counter.operator.cut_next(cut_out=0)
    assert top_up(counter.shop.enrol(), 4)[1] == PENDING
    counter.until(lambda: counter.states() == ["sent"])
    for reference in ("ATQid_one", "ATQid_two"):
        assert tell(counter, requestId=reference) == 200
    counter.until(lambda: counter.shop.alarms() == ["supplier_answer"])
    assert counter.shop.sql("SELECT supplier_reference FROM vend") == [(None,)]


def test_a_forged_name_for_a_lost_sale_brings_no_decision(counter: Counter) -> None:
    """Who knows the path gives the sale the name of another one's delivery."""
    device = counter.shop.enrol()
    top_up(device, 3, "0722000000")
    ((paid,),) = counter.shop.sql("SELECT supplier_reference FROM vend")
    counter.operator.settings.callback = ""
    counter.desk.patience_s = 0.1
    counter.operator.cut_next(cut_out=0)
    assert top_up(device, 4)[1] == PENDING
    counter.until(lambda: counter.states() == ["delivered", "unknown"])
    assert tell(counter, requestId=paid) == 200  # the other sale's: it says nothing new
    assert counter.states() == ["delivered", "unknown"]


def test_one_reference_is_one_sales_for_ever(counter: Counter) -> None:
    device = counter.shop.enrol()
    top_up(device, 3, "0722000000")
    ((paid,),) = counter.shop.sql("SELECT supplier_reference FROM vend")
    counter.operator.settings.delay_s = 60
    counter.desk.patience_s = 0.1
    assert top_up(device, 4)[1] == PENDING
    counter.until(lambda: len(counter.words()) == 7)
    key, now = counter.service.key, counter.shop.clock[0]
    with writing(counter.service.engine) as connection:
        assert vends.settle(connection, key, 2, Delivered(paid), "query", now) == "sent"
    assert counter.shop.alarms() == ["supplier_answer"]
    with (
        pytest.raises(sqlalchemy.exc.IntegrityError),
        writing(counter.service.engine) as connection,
    ):
        connection.exec_driver_sql(
            "UPDATE vend SET state = 'delivered', supplier_reference = ? WHERE id = 2", (paid,)
        )


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"requestId=", b"\xff", b'{"requestId": 5}', b"a" * 5000,
     b"requestId=None", json.dumps({"requestId": "x" * 100}).encode()],
)  # fmt: skip
def test_what_is_no_report_is_refused_and_not_kept(counter: Counter, body: bytes) -> None:
    assert SupplierFace(counter.service).report(NAME, counter.secret, body) == 422
    assert counter.shop.sql("SELECT * FROM supplier_report") == []


def test_reports_of_one_sale_do_not_fill_the_database(counter: Counter) -> None:
    reference = accepted(counter)
    for number in range(2 * reports.KEPT_OF_ONE):
        tell(counter, requestId=reference, note=str(number))
    assert len(counter.shop.sql("SELECT * FROM supplier_report")) == reports.KEPT_OF_ONE
