"""Sales through a host that speaks ISO 8583, and our messages against another library's coder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.suppliers import switch
from hw_sim.suppliers.faults import Faults
from tests.suppliers.counter import Counter, opened, top_up
from updater_server.sales.suppliers import iso8583 as adapter
from updater_server.sales.suppliers import iso8583_fields as iso
from updater_server.sales.suppliers.base import NotAReport

DELIVERED, REFUSED, PENDING = 0, 1, 2


@pytest.fixture
def host(tmp_path: Path, signed: Path) -> Iterator[Counter]:
    """A server and a host that does what it should."""
    with opened(tmp_path / "counter", signed, switch.Settings()) as made:
        yield made


def test_a_sale_is_answered_in_one_exchange(host: Counter) -> None:
    device = host.shop.enrol()
    reply = top_up(device, 4)
    assert reply[1] == DELIVERED
    assert host.operator.delivered == {"0712345678": ["KES 100"]}
    assert reply[3] == f"{adapter.retrieval_reference(_ours(device.terminal_id, 4))}-000000"
    assert top_up(device, 4) == reply
    assert top_up(device, 5, "0722000000")[1] == DELIVERED  # on the connection that is kept
    assert host.words()[:3] == [
        ("reserved", "terminal"), ("sent", "server"), ("delivered", "answer"),
    ]  # fmt: skip
    assert host.shop.problems() == []


def _ours(terminal_id: bytes, sequence: int) -> str:
    return f"duka-{terminal_id.hex()}-{sequence}"


@pytest.mark.parametrize(("fault", "code"), [("refuses", "14"), ("no_credit", "51")])
def test_a_host_that_declines_is_a_refusal(host: Counter, fault: str, code: str) -> None:
    host.operator.settings.faults = Faults(0, {fault: 1.0}, {}, {})
    device = host.shop.enrol()
    assert top_up(device, 4)[6] == "supplier_refused"
    assert host.shop.float_of(device) == 100_000
    assert f"code {code}" in host.shop.sql("SELECT note FROM vend_event ORDER BY id DESC")[0][0]


@pytest.mark.parametrize("fault", ["cut_request", "cut_answer", "error_500", "swapped", "garbage"])
def test_what_is_unclear_is_taken_back(host: Counter, fault: str) -> None:
    host.operator.settings.faults = Faults(0, {fault: 1.0}, {}, {})
    host.desk.patience_s = 0.1
    device = host.shop.enrol()
    assert top_up(device, 4)[1] == PENDING
    host.until(lambda: host.states() == ["unknown"])
    host.pass_time(10)
    host.until(lambda: host.states() == ["rejected"])
    assert host.operator.delivered.get("0712345678", []) == []
    assert top_up(device, 4)[1] == REFUSED
    assert host.shop.float_of(device) == 100_000


def test_a_sale_that_comes_after_its_reversal_is_declined(host: Counter) -> None:
    host.operator.settings.faults = Faults(0, {"late": 1.0}, {}, {})
    host.operator.settings.slow_s = 1.0
    host.desk.patience_s = 0.1
    assert top_up(host.shop.enrol(), 4)[1] == PENDING
    host.until(lambda: host.states() == ["unknown"])
    host.pass_time(10)
    host.until(lambda: host.states() == ["rejected"])
    host.operator.courier.rest()
    assert host.operator.delivered == {}


def test_an_answer_that_comes_twice_is_not_the_next_sales(host: Counter) -> None:
    host.operator.settings.faults = Faults(0, {}, {}, {"doubled": 1.0})
    device = host.shop.enrol()
    first, second = top_up(device, 4), top_up(device, 5, "0722000000")
    assert (first[1], second[1]) == (DELIVERED, DELIVERED)
    assert first[3] != second[3]


def test_who_does_not_let_us_sign_on_was_sent_nothing(host: Counter) -> None:
    host.operator.cut_next(cut_out=5)
    assert top_up(host.shop.enrol(), 4)[6] == "supplier_down"
    assert host.operator.delivered == {}


# --- the coder ---

_VALUES = {
    2: st.from_regex("[0-9]{4,19}", fullmatch=True),
    3: st.from_regex("[0-9]{6}", fullmatch=True),
    4: st.from_regex("[0-9]{12}", fullmatch=True),
    7: st.from_regex("[0-9]{10}", fullmatch=True),
    11: st.from_regex("[0-9]{6}", fullmatch=True),
    37: st.from_regex("[0-9A-Z]{12}", fullmatch=True),
    38: st.from_regex("[0-9A-Z]{6}", fullmatch=True),
    39: st.from_regex("[0-9A-Z]{2}", fullmatch=True),
    41: st.from_regex("[0-9A-Z ]{8}", fullmatch=True),
    48: st.from_regex("[ -~]{1,200}", fullmatch=True),
    49: st.from_regex("[A-Z]{3}", fullmatch=True),
    70: st.from_regex("[0-9]{3}", fullmatch=True),
    90: st.from_regex("[0-9]{42}", fullmatch=True),
}
_MESSAGES = st.sampled_from(sorted(iso.NEEDED)).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.fixed_dictionaries(
            {number: _VALUES[number] for number in iso.NEEDED[kind]},
            optional={
                number: value for number, value in _VALUES.items() if number not in iso.NEEDED[kind]
            },
        ),
    )
)


@settings(max_examples=60, deadline=None)
@given(_MESSAGES)
def test_another_library_writes_and_reads_the_same_bytes(
    message: tuple[str, dict[int, str]],
) -> None:
    kind, values = message
    data = iso.write(kind, values)
    theirs = {"t": kind, **{str(number): value for number, value in values.items()}}
    assert bytes(iso8583.encode(dict(theirs), spec=switch._SPEC)[0]) == data
    read, _ = iso8583.decode(data, spec=switch._SPEC)
    assert {name: value for name, value in read.items() if name not in ("h", "p", "1")} == theirs
    assert iso.read(data) == (kind, values)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), _MESSAGES, st.data())
def test_bytes_of_a_stranger_are_a_message_or_refused(
    noise: bytes, message: tuple[str, dict[int, str]], data: st.DataObject
) -> None:
    whole = iso.write(*message)
    at = data.draw(st.integers(0, len(whole)))
    for spoiled in (
        noise,
        whole[:at],
        whole[:at] + noise + whole[at:],
        whole[:at] + whole[at + 1 :],
    ):
        try:
            kind, values = iso.read(spoiled)
        except iso.NotAMessage:
            continue
        assert iso.write(kind, values).upper() == spoiled.upper()


def test_half_a_statement_is_none() -> None:
    reader = adapter.Iso8583(adapter.Host("127.0.0.1", 1, "DUKA0001"))
    whole = "A-1;0712345678;100;5;delivered;duka-1\nEND;0;10;1"
    assert len(reader.read_statement(whole.encode()).lines) == 1
    for broken in (
        "", whole.splitlines()[0], whole.replace(";1", ";2"), whole.replace("delivered", "x"),
        whole.replace("100", "a"), "END;0;10;1",
    ):  # fmt: skip
        with pytest.raises(NotAReport):
            reader.read_statement(broken.encode())
