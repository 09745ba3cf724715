"""A merchant asks by a text what he may ask by USSD: the answer goes to his own telephone, and who
forges its number learns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar.exceptions import NotAuthorizedException

from tests.notices.town import Listener
from tests.parties.trade import Trade
from tests.partners.program import Program, token_of
from tests.partners.test_telephones import NUMBER, register
from tests.server.shop import ROOT
from updater_server.errors import BusyError, StateError
from updater_server.faces.front import Front
from updater_server.faces.partners import access
from updater_server.faces.partners.texts import FILE, LETTERS, Gateway, Texts
from updater_server.parties import telephones

TOKEN = {"DUKA_TEXTS_TOKEN": "atsk_of_ours"}
SETTINGS = 'url = "{url}"\nusername = "duka"\nsender = "DUKA"\ntoken_env = "DUKA_TEXTS_TOKEN"\n'


class Network:
    """Brings texts, and takes the answers: a gateway in the shape of Africa's Talking's."""

    def __init__(self, trade: Trade) -> None:
        self.out = Listener()
        self.settings = trade.shop.folder / FILE
        self.settings.write_text(SETTINGS.format(url=self.out.url))
        self.token = token_of(trade, "texts", "", False)
        self.clock = [0.0]
        pace = access.Pace(lambda: self.clock[0], a_second=0.02, at_once=6)
        self.face = Texts(trade.shop.service, pace, TOKEN)
        self._ids = iter(range(1000))

    def brings(self, text: str, number: str = NUMBER, message_id: str = "") -> list[str]:
        """What goes out then."""
        before = len(self.out.forms())
        body = (
            f"id={message_id or next(self._ids)}&from=%2B{number[1:]}&to=20880&text="
            f"{text.replace(' ', '+')}&date=2026-11-27"
        )
        self.face.take(self.token, body.encode())
        return [form["message"] for form in self.out.forms()[before:]]

    def close(self) -> None:
        self.out.hangs.set()
        self.out.server.shutdown()
        self.out.server.server_close()


@pytest.fixture
def network(trade: Trade) -> Iterator[Network]:
    made = Network(trade)
    yield made
    made.close()


def test_a_merchant_asks_by_text_what_he_may_ask_by_ussd(trade: Trade, network: Network) -> None:
    pin = register(trade)
    trade.device.sale(1)
    trade.device.sale(2, amount=7777)
    floats = f"ASHA: 0.00 KES\n{trade.terminal[-4:]}: 952.50"
    assert network.brings(f"float {pin}") == [floats]
    assert network.brings(f"Sales  {pin}") == ["2 77.77 not sold\n1 50.00 sold"]
    (one,) = network.brings(f"SALE 1 {pin}")
    assert "air50 50.00 sold" in one
    assert network.brings(f"sale 9 {pin}") == ["No such sale"]
    form = network.out.forms()[0]
    assert (form["username"], form["to"], form["from"]) == ("duka", NUMBER, "DUKA")
    assert network.out.headers[0]["apikey"] == TOKEN["DUKA_TEXTS_TOKEN"]


def test_no_pin_of_a_voucher_is_ever_in_a_text(trade: Trade, network: Network) -> None:
    pin = register(trade)
    voucher_pin = trade.device.sale(1)[2]
    for text in (f"float {pin}", f"sales {pin}", f"sale 1 {pin}"):
        (told,) = network.brings(text)
        assert voucher_pin not in told
        assert len(told) <= LETTERS


@pytest.mark.parametrize(
    "text",
    ["float 000000", "float", "float {pin} 5", "hello {pin}", "sale {pin}", "x" * 500, "%00"],
)
def test_what_is_not_understood_or_wrong_is_not_answered(
    trade: Trade, network: Network, text: str
) -> None:
    pin = register(trade)
    assert network.brings(text.format(pin=pin)) == []


def test_the_answer_goes_to_the_number_and_to_nobody_who_forges_it(
    trade: Trade, network: Network
) -> None:
    """A forged text is one whose sender reads nothing: all that goes out goes to the real one."""
    pin = register(trade)
    assert network.brings(f"float {pin}", "+254799999999") == []
    network.brings(f"float {pin}")
    for _ in range(5):
        network.brings("float 111111")
    assert {form["to"] for form in network.out.forms()} == {NUMBER}
    assert len(network.out.forms()) == 1


def test_five_wrong_pins_by_text_lock_the_telephone_for_ussd_too(
    trade: Trade, network: Network
) -> None:
    pin = register(trade)
    for _ in range(telephones.PINS):
        assert network.brings(f"float {(int(pin) + 1) % 10**6:06d}") == []
        network.clock[0] += 100
    assert network.brings(f"float {pin}") == []
    assert trade.shop.alarms() == ["telephone_locked"]


def test_a_telephone_that_asks_too_often_is_not_answered(trade: Trade, network: Network) -> None:
    pin = register(trade)
    answered = [bool(network.brings(f"float {pin}")) for _ in range(8)]
    assert answered == [True] * 6 + [False] * 2
    network.clock[0] += 51
    assert network.brings(f"float {pin}")


def test_a_text_that_comes_twice_is_answered_once(trade: Trade, network: Network) -> None:
    pin = register(trade)
    assert network.brings(f"float {pin}", message_id="m1")
    assert network.brings(f"float {pin}", message_id="m1") == []


def test_an_answer_that_does_not_go_out_is_asked_for_again(trade: Trade, network: Network) -> None:
    pin = register(trade)
    network.out.answers = 500
    with pytest.raises(BusyError, match="500"):
        network.brings(f"float {pin}", message_id="m1")
    network.out.answers = 200
    assert network.brings(f"float {pin}", message_id="m1")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "token_env is missing"),
        ('url = "http://far.example/"\nusername = "u"\ntoken_env = "DUKA_TEXTS_TOKEN"', "https"),
        ('url = "http://localhost/"\nusername = "u"\ntoken_env = "NOBODY"', "NOBODY is not set"),
        ("url = 4", "url is unknown, or mistyped"),
        ("token = 'x'", "token is unknown"),
        ("= ", "texts.toml"),
    ],
)
def test_settings_that_are_wrong_are_told(
    trade: Trade, network: Network, settings: str, words: str
) -> None:
    pin = register(trade)
    network.settings.write_text(settings)
    with pytest.raises(StateError, match=words):
        network.brings(f"float {pin}")


def test_the_example_of_the_docs_can_be_used() -> None:
    found = Gateway.of(ROOT / "docs", TOKEN)
    assert (found.username, found.token) == ("duka", TOKEN["DUKA_TEXTS_TOKEN"])


def test_over_http_only_the_gateway_may_bring_texts(
    trade: Trade, front: Front, network: Network
) -> None:
    form = {"id": "1", "from": NUMBER, "to": "20880", "text": "hello", "date": ""}
    network.settings.unlink()
    with Program(front, "") as gateway:
        assert gateway.raw("POST", "/texts/guessed", data=form).status_code == 401
        told = gateway.raw("POST", f"/texts/{network.token}", data=form)
        assert (told.status_code, told.json()["detail"][:10]) == (503, FILE)
    with pytest.raises(NotAuthorizedException):
        network.face.take("duka_guessed", b"from=%2B254712345678&text=hello")
