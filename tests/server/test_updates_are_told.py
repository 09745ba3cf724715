"""What a terminal tells of its updates stays until a person has seen it."""

from __future__ import annotations

import pytest

from tests.server.shop import Shop
from updater_server.faces import dashboard
from updater_server.fleet import alarms, listing, updates
from updater_server.store.engine import reading


def raised(shop: Shop, code: str) -> list[tuple[str, int]]:
    with reading(shop.service.engine) as connection:
        found = alarms.open_alarms(connection)
    return [(alarm["text"], alarm["count"]) for alarm in found if alarm["code"] == code]


def test_a_rollback_is_known_and_raises_an_alarm_until_the_release_holds(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(own_float=100_000, _2=7, _8=[9, "RuntimeError: no such display"])
    told_at = shop.clock[0]
    for _ in range(3):
        shop.clock[0] += 900
        device.check_in(own_float=100_000, _2=7)
    with reading(shop.service.engine) as connection:
        (shown,) = listing.last_seen(connection, listing.EVERY)
    assert (shown["failure_release"], shown["failure_at"]) == (9, told_at)
    assert "release 9: RuntimeError: no such display" in dashboard.page(shop.service)
    assert raised(shop, "rollback") == [("release 9: RuntimeError: no such display", 1)]
    assert not raised(shop, "fork")
    device.check_in(own_float=100_000, _2=9, _4=True)
    assert "no such display" in dashboard.page(shop.service), "on trial is not held"
    device.check_in(own_float=100_000, _2=9, _4=False)
    with reading(shop.service.engine) as connection:
        (shown,) = listing.last_seen(connection, listing.EVERY)
    assert shown["failure_release"] is None
    assert raised(shop, "rollback"), "a person closes it"
    history = shop.sql("SELECT release, trial, failure_release FROM running_history ORDER BY id")
    assert history == [(7, 0, 9), (9, 1, None), (9, 0, None)]


def test_the_same_failure_of_many_terminals_is_one_alarm_that_counts_terminals(shop: Shop) -> None:
    devices = [shop.enrol(1), shop.enrol(2), shop.enrol(3)]
    for _ in range(2):  # each tells it twice: tried again after a rest
        for device in devices:
            device.check_in(_8=[9, "self-test: no printer"])
            device.check_in()
    devices[0].check_in(_8=[10, "self-test: no printer"])
    assert sorted(raised(shop, "rollback")) == [
        ("release 10: self-test: no printer", 1),
        ("release 9: self-test: no printer", 3),
    ]


def test_a_release_that_never_ran_is_shown_and_calls_nobody(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_8=[9, "hardware_revision"])
    device.check_in()
    assert "release 9: hardware_revision" in dashboard.page(shop.service)
    assert raised(shop, "rollback") == []


@pytest.mark.parametrize("code", updates.WAITS)
def test_the_office_sees_what_an_update_waits_for_and_since_when(shop: Shop, code: str) -> None:
    device = shop.enrol()
    device.check_in(_12=[9, code])
    since = shop.clock[0]
    shop.clock[0] += 7200
    device.check_in(_12=[9, code])
    with reading(shop.service.engine) as connection:
        (shown,) = listing.last_seen(connection, listing.EVERY)
    assert (shown["wait_release"], shown["wait_code"], shown["wait_since"]) == (9, code, since)
    assert f"release 9 waits: {updates.WAITS[code]}, since 2 h ago" in dashboard.page(shop.service)
    device.check_in()
    assert "waits:" not in dashboard.page(shop.service)


def test_a_code_of_a_newer_terminal_is_shown_as_it_is_and_nonsense_is_refused(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_12=[0, "<moon>"])
    assert "the update waits: &lt;moon&gt;" in dashboard.page(shop.service)
    for nonsense in ([9], [9, ""], [9, "x" * 17], [-1, "battery"], ["9", "battery"], 3, [9, 9]):
        assert device.check_in(_12=nonsense)[1] == "bad_message"
    assert device.check_in(_12=None)[0] == 1


def test_terminals_that_know_a_lost_history_raise_one_alarm(shop: Shop) -> None:
    for device in (shop.enrol(1), shop.enrol(2)):
        device.check_in(_12=[0, "fork"])
        device.check_in(_12=[0, "fork"])
    ((text, count),) = raised(shop, "fork")
    assert "restored from a copy" in text
    assert count == 2
