"""A merchant asks from any telephone, through a network's USSD gateway: with his number and his
PIN, and about what is his alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from litestar.exceptions import NotAuthorizedException, TooManyRequestsException

from tests.parties.trade import Trade
from tests.partners.program import Program, token_of
from updater_server.errors import ConflictError, InputError
from updater_server.faces.front import Front
from updater_server.faces.partners import access
from updater_server.faces.partners.ussd import LETTERS, Ussd
from updater_server.parties import telephones, tree
from updater_server.store.engine import writing

NUMBER = "+254712345678"
NOTHING = "END Not possible. Ask your agent."


class Telephone:
    """One that types into sessions of the gateway."""

    def __init__(self, trade: Trade, number: str = NUMBER) -> None:
        self.number = number
        self.token = token_of(trade, f"gateway {number}", "", False)
        self.clock = [0.0]
        pace = access.Pace(lambda: self.clock[0], a_second=0.2, at_once=12)
        self.face = Ussd(trade.shop.service, pace)

    def types(self, text: str) -> str:
        """What the screen says then."""
        body = f"sessionId=1&serviceCode=*123%23&phoneNumber=%2B{self.number[1:]}&text={text}"
        self.clock[0] += 60
        return self.face.answer(self.token, body.encode())


def register(trade: Trade, number: str = NUMBER, code: str = "ASHA") -> str:
    """Its PIN."""
    with writing(trade.shop.service.engine) as connection:
        whose = tree.find(connection, code)
        return telephones.add(connection, number, whose, "asha", trade.now[0])


@pytest.fixture
def telephone(trade: Trade) -> Iterator[Telephone]:
    yield Telephone(trade)


def test_a_merchant_asks_for_floats_last_sales_and_one_sale(
    trade: Trade, telephone: Telephone
) -> None:
    pin = register(trade)
    trade.device.sale(1)
    trade.device.sale(2, amount=7777)
    assert telephone.types("") == "CON Duka\n1 Float\n2 Last sales\n3 One sale"
    assert telephone.types("1") == "CON Your PIN"
    floats = telephone.types(f"1*{pin}")
    assert floats == f"END ASHA: 0.00 KES\n{trade.terminal[-4:]}: 952.50"
    assert telephone.types(f"2*{pin}") == "END 2 77.77 not sold\n1 50.00 sold"
    assert telephone.types("3").startswith("CON Number")
    assert telephone.types("3*1") == "CON Your PIN"
    assert "air50 50.00 sold" in telephone.types(f"3*1*{pin}")
    assert telephone.types(f"3*9*{pin}") == "END No such sale"


def test_no_pin_of_a_voucher_is_ever_on_a_screen(trade: Trade, telephone: Telephone) -> None:
    pin = register(trade)
    voucher_pin = trade.device.sale(1)[2]
    for text in (f"1*{pin}", f"2*{pin}", f"3*1*{pin}"):
        told = telephone.types(text)
        assert voucher_pin not in told
        assert len(told) <= LETTERS


@pytest.mark.parametrize(
    "text", ["1*000000", "4", "1*{pin}*5", "2*", "3**{pin}", "1*" + "9" * 200, "1*%00", "9*{pin}"]
)
def test_what_is_wrong_is_told_nothing(trade: Trade, telephone: Telephone, text: str) -> None:
    pin = register(trade)
    told = telephone.types(text.format(pin=pin))
    assert told in (NOTHING, "END No such sale")


def test_a_number_that_nobody_registered_is_told_nothing(
    trade: Trade, telephone: Telephone
) -> None:
    pin = register(trade, "+254799999999")
    assert telephone.types(f"1*{pin}") == NOTHING


def test_after_five_wrong_pins_the_right_one_opens_nothing(
    trade: Trade, telephone: Telephone
) -> None:
    pin = register(trade)
    wrong = f"{(int(pin) + 1) % 10**6:06d}"
    for _ in range(telephones.PINS):
        assert telephone.types(f"1*{wrong}") == NOTHING
    assert telephone.types(f"1*{pin}") == NOTHING
    assert trade.shop.alarms() == ["telephone_locked"]
    again = register(trade)
    assert telephone.types(f"1*{again}").startswith("END ASHA")


def test_a_right_pin_forgives_the_wrong_ones_before(trade: Trade, telephone: Telephone) -> None:
    pin = register(trade)
    for _ in range(3):
        for _ in range(telephones.PINS - 1):
            telephone.types(f"1*{(int(pin) + 1) % 10**6:06d}")
        assert telephone.types(f"1*{pin}").startswith("END ASHA")


def test_another_merchants_sales_are_not_told(trade: Trade, telephone: Telephone) -> None:
    pin = register(trade, code="JOY")
    trade.device.sale(1)
    assert telephone.types(f"2*{pin}") == "END No sales"
    assert telephone.types(f"3*1*{pin}") == "END No such sale"
    assert trade.terminal[-4:] not in telephone.types(f"1*{pin}")


def test_a_telephone_that_asks_too_often_waits(trade: Trade, telephone: Telephone) -> None:
    body = f"phoneNumber=%2B{NUMBER[1:]}&text=".encode()
    with pytest.raises(TooManyRequestsException):
        for _ in range(20):
            telephone.face.answer(telephone.token, body)


def test_who_is_not_the_gateway_is_turned_away(trade: Trade, telephone: Telephone) -> None:
    with pytest.raises(NotAuthorizedException):
        telephone.face.answer("duka_guessed", b"phoneNumber=%2B254712345678&text=")


def test_a_telephone_is_one_partys_until_it_is_withdrawn(trade: Trade) -> None:
    register(trade)
    with pytest.raises(ConflictError):
        register(trade, code="JOY")
    with writing(trade.shop.service.engine) as connection:
        telephones.withdraw(connection, NUMBER, "asha", 1)
        with pytest.raises(InputError):
            telephones.withdraw(connection, NUMBER, "asha", 1)
    register(trade, code="JOY")
    with pytest.raises(InputError, match="no number"):
        register(trade, "0712345678")


def test_over_http_a_session_is_answered_in_plain_text(trade: Trade, front: Front) -> None:
    token = token_of(trade, "gateway", "", False)
    with Program(front, "") as gateway:
        form = {"sessionId": "1", "phoneNumber": NUMBER, "text": ""}
        told = gateway.raw("POST", f"/ussd/{token}", data=form)
        assert (told.status_code, told.text[:8]) == (200, "CON Duka")
        assert re.match("text/plain", told.headers["content-type"])
        assert gateway.raw("POST", "/ussd/guessed", data=form).status_code == 401
