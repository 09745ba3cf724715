"""Which credits a terminal surely knows: they are not walked through at each check-in again."""

from __future__ import annotations

from tests.server.shop import Shop
from updater_server.sales.reconcile import reckon
from updater_server.store.engine import reading

ON_BOTH_ENGINES = True


def agrees(shop: Shop) -> bool:
    ((found,),) = shop.sql("SELECT reconciled FROM check_in")
    return bool(found)


def figures(shop: Shop, terminal_id: bytes, before: int) -> set[int]:
    known = [row[0] or 0 for row in shop.sql("SELECT credits_known_through FROM check_in")]
    with reading(shop.service.engine) as connection:
        return set(reckon(connection, terminal_id, before, *known or [0]).figures)


def test_a_check_in_that_agrees_leaves_only_newer_credits_to_look_at(shop: Shop) -> None:
    device = shop.enrol(float_minor=100_000)
    for number in range(5):
        shop.top_up(device, 1_000, f"slip-{number}")
    assert len(figures(shop, device.terminal_id, 1)) == 7
    device.check_in(own_float=103_000)
    assert agrees(shop)
    assert figures(shop, device.terminal_id, 1) == {105_000, 104_000, 103_000}
    device.check_in(own_float=105_000)
    assert figures(shop, device.terminal_id, 1) == {105_000}


def test_a_credit_that_a_terminal_knew_is_not_unknown_to_it_later(shop: Shop) -> None:
    device = shop.enrol(float_minor=100_000)
    shop.top_up(device, 1_000, "slip")
    device.check_in(own_float=100_000)
    assert agrees(shop)
    device.check_in(own_float=101_000)
    assert agrees(shop)
    device.check_in(own_float=100_000)
    assert not agrees(shop)
    assert shop.alarms() == []  # poorer may pass once
    device.check_in(own_float=100_000)
    assert shop.alarms() == ["float_mismatch"]


def test_of_several_that_fit_the_terminal_is_taken_to_know_the_fewest(shop: Shop) -> None:
    """Taken to know the most, the next check-in would be a mismatch of the server's making."""
    device = shop.enrol(float_minor=100_000)
    device.check_in(own_float=100_000)
    shop.top_up(device, 5_000, "slip")
    shop.top_up(device, -5_000, "paid back")
    device.check_in(own_float=100_000)  # of none of the two, or of both
    device.check_in(own_float=105_000)  # it heard of the first
    assert agrees(shop)


def test_a_terminal_that_lost_a_record_may_have_forgotten_what_it_knew(shop: Shop) -> None:
    device = shop.enrol(float_minor=100_000)
    shop.top_up(device, 1_000, "slip")
    device.check_in(own_float=101_000)
    device.record(8, [101_000])
    device.record(1, [1, 7, "power-on"])
    device.ask({0: 3, 1: [b"", device.journal[1]]})
    device.check_in(own_float=100_000)
    assert agrees(shop)


def test_a_journal_that_was_put_back_may_have_forgotten_what_it_knew(shop: Shop) -> None:
    device = shop.enrol(float_minor=100_000)
    shop.top_up(device, 1_000, "slip")
    for _ in range(2):
        device.record(1, [1, 7, "power-on"])
    device.upload()
    device.check_in(own_float=101_000)
    device.check_in(own_float=100_000, _10=[1, 2])
    assert agrees(shop)
    assert shop.alarms() == ["journal_rewound"]
