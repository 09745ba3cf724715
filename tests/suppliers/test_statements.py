"""The operator's list of a day against our books: it decides what is open and only names what
differs.
"""

from __future__ import annotations

import pytest

from hw_sim.suppliers.faults import Faults
from tests.server.device import Device
from tests.suppliers.counter import NAME, Counter, top_up
from updater_server.errors import InputError
from updater_server.sales import statements
from updater_server.sales.statements import Found
from updater_server.store.engine import writing

DAY_S = 86_400
PENDING = 2


def take(counter: Counter, data: bytes | None = None) -> Found:
    """The statement of the day around now."""
    now = counter.shop.clock[0]
    if data is None:
        data = counter.operator.statement(now - DAY_S, now + DAY_S)
    with writing(counter.service.engine) as connection:
        return statements.take(connection, counter.service.key, NAME, data, now)


def lost(counter: Counter, sequence: int = 4, **cut: int) -> Device:
    """A sale whose answer is lost, and whose call-back never comes."""
    counter.operator.settings.callback = ""
    counter.desk.patience_s = 0.1
    counter.operator.cut_next(**cut)
    device = counter.shop.enrol()
    assert top_up(device, sequence)[1] == PENDING
    counter.until(lambda: counter.states() == ["unknown"])
    counter.operator.courier.rest()
    return device


def test_a_lost_sale_that_is_listed_was_delivered(counter: Counter) -> None:
    device = lost(counter, cut_out=10)
    found = take(counter)
    assert (found.decided, found.differences) == (1, [])
    assert top_up(device, 4)[1] == 0
    assert counter.shop.float_of(device) == 90_500
    assert take(counter).summary() == "1 agree, 0 decided by it, 0 still open, 0 differ"
    assert counter.shop.problems() == []


def test_a_lost_sale_that_is_not_listed_never_came_there(counter: Counter) -> None:
    device = lost(counter, cut_in=100)
    assert take(counter).decided == 1
    assert top_up(device, 4)[6] == "supplier_refused"
    assert counter.shop.float_of(device) == 100_000
    assert counter.operator.delivered == {}
    assert counter.shop.problems() == []


def test_a_sale_at_the_edge_of_a_statement_waits_for_the_next(counter: Counter) -> None:
    lost(counter, cut_in=100)
    now = counter.shop.clock[0]
    assert take(counter, counter.operator.statement(now - DAY_S, now + 60)).waiting == 1
    assert counter.states() == ["unknown"]


@pytest.mark.parametrize("keep", [0, 1])
def test_half_a_statement_is_none(counter: Counter, keep: int) -> None:
    lost(counter, cut_in=100)
    top_up(counter.shop.enrol(2), 4, "0722000000")
    now = counter.shop.clock[0]
    lines = counter.operator.statement(now - DAY_S, now + DAY_S).splitlines(keepends=True)
    assert len(lines) == 2
    with pytest.raises(InputError, match="not whole"):
        take(counter, lines[keep] if keep == 0 else b"".join(lines[1:]))
    assert counter.states()[0] == "unknown"


def test_an_operator_that_said_no_and_delivered_is_named(counter: Counter) -> None:
    counter.operator.settings.faults = Faults(0, {"lies_failed": 1.0}, {}, {})
    device = counter.shop.enrol()
    assert top_up(device, 4)[6] == "supplier_refused"
    counter.operator.courier.rest()
    found = take(counter)
    assert len(found.differences) == 1, found
    assert "statement_differs" in counter.shop.alarms()
    assert counter.states() == ["rejected"]
    assert counter.shop.float_of(device) == 100_000


def test_what_only_the_operator_lists_is_named(counter: Counter) -> None:
    top_up(counter.shop.enrol(), 4)
    now = counter.shop.clock[0]
    whole = counter.operator.statement(now - DAY_S, now + DAY_S)
    strange = whole.replace(b"ATQid_", b"ATQid-").replace(b"+254712345678", b"+254799999999")
    found = take(counter, strange)
    assert [line.split(": ")[1] for line in found.differences] == [
        "only in its statement", "delivered by our books, and not in its statement",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [((b"KES 100", b"KES 90"), "another amount"), ((b"Success", b"Failed"), "rejected by its")],
)
def test_another_amount_or_end_is_named_and_changes_nothing(
    counter: Counter, change: tuple[bytes, bytes], words: str
) -> None:
    device = counter.shop.enrol()
    first = top_up(device, 4)
    now = counter.shop.clock[0]
    found = take(counter, counter.operator.statement(now - DAY_S, now + DAY_S).replace(*change))
    assert words in " ".join(found.differences)
    assert top_up(device, 4) == first
    assert counter.shop.problems() == []
