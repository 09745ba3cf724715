"""The operator's own Python client, unchanged, at the simulated operator: what we simulate is the
service that it was written for.
"""

from __future__ import annotations

from collections.abc import Iterator

import africastalking
import pytest

from hw_sim.suppliers.airtime import Operator, Settings


@pytest.fixture
def operator() -> Iterator[Operator]:
    made = Operator(Settings(username="ours", api_key="atsk_of_ours"))
    yield made
    made.close()


@pytest.fixture
def airtime(operator: Operator) -> object:
    africastalking.initialize("ours", "atsk_of_ours")
    service = africastalking.Airtime
    service._baseUrl = f"{operator.url}/version1/airtime"  # where the live service is otherwise
    return service


def test_the_client_sells_and_reads_the_answer(operator: Operator, airtime: object) -> None:
    told = airtime.send(  # type: ignore[attr-defined]
        phone_number="+254711000111", amount="10", currency_code="KES", idempotency_key="order-0001"
    )
    assert (told["numSent"], told["errorMessage"]) == (1, "None")
    (entry,) = told["responses"]
    assert (entry["status"], entry["amount"]) == ("Sent", "KES 10.0000")
    assert entry["requestId"].startswith("ATQid_")
    operator.courier.rest()
    assert operator.delivered == {"+254711000111": ["KES 10"]}


def test_a_key_that_comes_again_is_carried_out_once(operator: Operator, airtime: object) -> None:
    for _ in range(2):
        told = airtime.send(  # type: ignore[attr-defined]
            phone_number="+254711000111", amount="10", currency_code="KES",
            idempotency_key="order-0002",
        )  # fmt: skip
        assert told["numSent"] == 1
    operator.courier.rest()
    assert operator.delivered == {"+254711000111": ["KES 10"]}


def test_several_numbers_in_one_order(operator: Operator, airtime: object) -> None:
    told = airtime.send(  # type: ignore[attr-defined]
        recipients=[
            {"phoneNumber": f"+25471100011{n}", "amount": str(n), "currency_code": "KES"}
            for n in (5, 6)
        ]
    )
    assert told["totalAmount"] == "KES 11.0000"
    operator.courier.rest()
    assert operator.delivered == {"+254711000115": ["KES 5"], "+254711000116": ["KES 6"]}


def test_another_key_is_refused_as_the_service_does(operator: Operator) -> None:
    africastalking.initialize("ours", "another")
    service = africastalking.Airtime
    service._baseUrl = f"{operator.url}/version1/airtime"
    with pytest.raises(Exception, match="authentication"):
        service.send(phone_number="+254711000111", amount="10", currency_code="KES")
    assert operator.delivered == {}
