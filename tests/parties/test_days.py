"""Days end at the operator's midnight, and what each party earned is posted once."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.parties.trade import DAY_S, Trade
from updater_server.errors import ConflictError, InputError
from updater_server.parties import days, rates, tree
from updater_server.sales import check_points, checks, ledger
from updater_server.store.engine import reading, writing

NAIROBI = ZoneInfo("Africa/Nairobi")


def at(words: str, zone: ZoneInfo = NAIROBI) -> int:
    return int(datetime.fromisoformat(words).replace(tzinfo=zone).timestamp())


def test_each_party_earns_on_what_is_sold_under_it(trade: Trade) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    trade.rate("LAKE", "1%", "2026-12-01")
    trade.rate("SHORE", "0.5%", "2026-12-01")
    trade.rate("SHORE", "2%", "2026-12-01", product="air20")
    trade.shop.stock_vault("air20", 5, start=1000)
    for sequence in (1, 2, 3):
        assert trade.device.sale(sequence)[1] == 0
    assert trade.device.sale(4, "air20", 2000)[1] == 0
    trade.now[0] = at("2026-12-02 00:05")
    found = {(s.party.code, s.product_id): s.share_minor for s in trade.close("2026-12-01")}
    assert found == {
        ("LAKE", "air50"): 150, ("LAKE", "air20"): 20,
        ("SHORE", "air50"): 75, ("SHORE", "air20"): 40,
    }  # fmt: skip
    assert (trade.float_of("LAKE"), trade.float_of("SHORE"), trade.float_of("ASHA")) == (
        170,
        115,
        0,
    )
    assert trade.shop.problems() == []


def test_a_day_is_closed_once_whoever_closes_it_again(trade: Trade) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    trade.rate("LAKE", "1%", "2026-12-01")
    trade.device.sale(1)
    trade.now[0] = at("2026-12-02 00:05")
    first = trade.close("2026-12-01")
    trade.device.sale(2)
    assert trade.close("2026-12-01") == first
    assert trade.float_of("LAKE") == 50


@pytest.mark.parametrize(
    ("sold_at", "day"),
    [
        ("2026-12-01 23:59:59", "2026-12-01"),
        ("2026-12-02 00:00:00", "2026-12-02"),
        ("2026-12-02 02:59:59", "2026-12-02"),  # still the first in UTC
    ],
)
def test_a_sale_belongs_to_the_operators_day(trade: Trade, sold_at: str, day: str) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 08:00")
    trade.rate("LAKE", "1%", "2026-12-01")
    trade.now[0] = at(sold_at)
    trade.device.sale(1)
    trade.now[0] = at("2026-12-03 00:05")
    closed = {one: bool(trade.close(one)) for one in ("2026-12-01", "2026-12-02")}
    assert [one for one, sold in closed.items() if sold] == [day]


def test_a_day_with_an_hour_more_or_less_has_all_its_sales() -> None:
    zone = ZoneInfo("Europe/Lisbon")
    lengths = [days.bounds(day, zone) for day in ("2026-03-28", "2026-03-29", "2026-10-25")]
    assert [(ends - begins) // 3600 for begins, ends in lengths] == [24, 23, 25]
    assert lengths[0][1] == lengths[1][0]


def test_a_day_that_is_not_over_or_not_next_is_not_closed(trade: Trade) -> None:
    with pytest.raises(InputError, match="say first in which time zone"):
        trade.close("2026-12-01")
    trade.zone()
    trade.now[0] = at("2026-12-02 00:04:59")
    with pytest.raises(InputError, match="is not over"):
        trade.close("2026-12-01")
    trade.now[0] += 1
    trade.close("2026-12-01")
    trade.now[0] += 5 * DAY_S
    with pytest.raises(InputError, match="2026-12-02 comes next"):
        trade.close("2026-12-03")
    with pytest.raises(InputError, match="no day"):
        trade.close("2026-13-01")


def test_the_time_zone_is_said_once(trade: Trade) -> None:
    trade.zone("Africa/Lagos")
    trade.zone("Africa/Lagos")
    with pytest.raises(ConflictError, match="begin in Africa/Lagos"):
        trade.zone("Africa/Nairobi")
    for wrong in ("Nairobi/Africa", "", "../etc/passwd", "x" * 200):
        with pytest.raises(InputError, match="no time zone"):
            trade.zone(wrong)


def test_a_sale_that_is_given_back_takes_its_share_back(trade: Trade) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    trade.rate("LAKE", "1%", "2026-12-01", product="air50")
    trade.device.record(3, ["air50", 5000, 250])
    trade.device.sale(1)
    trade.now[0] = at("2026-12-02 00:05")
    trade.close("2026-12-01")
    trade.device.record(5, [1, "lost"])  # its flash has lost what was sold
    trade.device.upload()
    trade.now[0] = at("2026-12-03 00:05")
    (share,) = trade.close("2026-12-02")
    assert (share.product_id, share.sold_minor, share.share_minor) == ("air50", -5000, -50)
    assert trade.float_of("LAKE") == 0
    assert trade.shop.problems() == []


def test_a_sale_from_stock_counts_with_its_product(trade: Trade) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    trade.rate("ASHA", "3%", "2026-12-01", product="air50")
    batch = trade.shop.assign(trade.device)
    trade.device.record(1, [1, 7, "power-on"])
    trade.device.record(2, ["air50", 5000, 250, batch, 0])
    trade.device.upload()
    trade.now[0] = at("2026-12-02 00:05")
    assert [share.share_minor for share in trade.close("2026-12-01")] == [150]


def test_who_had_the_terminal_at_the_hour_earns(trade: Trade) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    for code in ("ASHA", "JOY"):
        trade.rate(code, "1%", "2026-12-01")
    trade.device.sale(1)
    trade.now[0] += 3600
    trade.own(trade.device, "JOY")
    trade.device.sale(2)
    trade.device.sale(3)
    trade.now[0] = at("2026-12-02 00:05")
    trade.close("2026-12-01")
    assert (trade.float_of("ASHA"), trade.float_of("JOY")) == (50, 100)


def test_a_rate_holds_from_its_day_on_and_never_for_a_closed_one(trade: Trade) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    trade.rate("LAKE", "1%", "2026-12-01")
    trade.rate("LAKE", "2%", "2026-12-02")
    for day in ("2026-12-01", "2026-12-02"):
        trade.now[0] = at(f"{day} 12:00")
        trade.device.sale(int(day[-1]))
        trade.now[0] += DAY_S
        trade.close(day)
    assert trade.float_of("LAKE") == 50 + 100
    with pytest.raises(InputError, match="is closed: a rate begins on a later day"):
        trade.rate("LAKE", "3%", "2026-12-02")


def test_all_on_one_way_down_earn_no_more_than_was_sold(trade: Trade) -> None:
    trade.zone()
    trade.rate("LAKE", "60%", "2026-12-01")
    trade.rate("JOY", "40%", "2026-12-01")
    trade.rate("ASHA", "30%", "2026-12-01")
    with pytest.raises(InputError, match=r"ASHA and those above it would earn 100\.0001%"):
        trade.rate("SHORE", "10.0001%", "2026-12-01", product="air50")
    with pytest.raises(InputError, match="would earn"):
        trade.rate("SHORE", "10.0001%", "2026-12-05")


@pytest.mark.parametrize("words", ["", "1", "1.00001%", "-1%", "100.0001%", "1e1%", "٣%", "1,5%"])
def test_a_rate_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(InputError, match="rate"):
        rates.parse(words)


@pytest.mark.parametrize("rate_ppm", [0, 1, 5000, 10_000, 123_456, 1_000_000])
def test_a_rate_is_read_as_it_is_shown(rate_ppm: int) -> None:
    assert rates.parse(rates.show(rate_ppm)) == rate_ppm


def random_days(trade: Trade, seed: int) -> tuple[dict[str, int], dict[str, int]]:
    """Three days of sales under random rates: what parties have, and what a sum of its own says."""
    chance = random.Random(seed)
    trade.zone()
    trade.now[0] = at("2026-12-01 06:00")
    above = {"ASHA": ["ASHA", "SHORE", "LAKE"], "JOY": ["JOY", "SHORE", "LAKE"]}
    ppm = {code: chance.randrange(0, 30_000) for code in ("LAKE", "SHORE", "ASHA", "JOY")}
    for code, rate_ppm in ppm.items():
        trade.rate(code, rates.show(rate_ppm), "2026-12-01")
    owner, sequence = "ASHA", 0
    paid = dict.fromkeys(ppm, 0)
    trade.shop.top_up(trade.device, 500_000, "plenty")
    for day in range(1, 4):
        sold: dict[str, int] = defaultdict(int)
        for _ in range(chance.randrange(4, 9)):
            trade.now[0] += chance.randrange(1, 9000)
            if chance.random() < 0.3:
                owner = chance.choice(["ASHA", "JOY"])
                trade.own(trade.device, owner)
            sequence += 1
            assert trade.device.sale(sequence)[1] == 0
            for code in above[owner]:
                sold[code] += 5000
        for code, minor in sold.items():
            paid[code] += minor * ppm[code] // 1_000_000
        trade.now[0] = at(f"2026-12-0{day + 1} 00:05")
    for day in range(1, 4):
        trade.close(f"2026-12-0{day}")
    return {code: trade.float_of(code) for code in ppm}, paid


@pytest.mark.parametrize("seed", range(6))
def test_random_days_pay_what_an_independent_sum_says(trade: Trade, seed: int) -> None:
    has, should_have = random_days(trade, seed)
    assert has == should_have
    assert trade.shop.problems() == []


def _in_utc(day: str, _where: ZoneInfo) -> tuple[int, int]:
    return BOUNDS(day, ZoneInfo("UTC"))


BOUNDS = days.bounds
WRONG_BUILDS: dict[str, tuple[str, object]] = {
    "a day is that of UTC": ("bounds", _in_utc),
    "who has the terminal now earns": ("_SOLD", days._SOLD.replace("o.since <= t.created_at", "1")),
    "a day has no end": ("_SOLD", days._SOLD.replace("t.created_at < :ends", "1")),
    "nothing goes further up": ("tree", None),
}


@pytest.mark.parametrize("name", WRONG_BUILDS)
def test_a_wrong_build_pays_something_else(
    trade: Trade, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, wrong = WRONG_BUILDS[name]
    if what == "tree":
        alone = [replace(one, parent_id=None) for one in _parties(trade)]
        monkeypatch.setattr(tree, "all_parties", lambda _connection: alone)
    else:
        monkeypatch.setattr(days, what, wrong)
    try:
        has, should_have = random_days(trade, 1)
    except InputError:  # its day is not over when it should be
        return
    assert has != should_have


def _parties(trade: Trade) -> list[tree.Party]:
    with reading(trade.shop.service.engine) as connection:
        return tree.all_parties(connection)


WRONG = {
    "a share posted by hand": ("share_minor", "share of a day"),
    "a sale posted into a closed day": ("sale", "something else than the ledger"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_check_finds_a_day_that_does_not_add_up(trade: Trade, name: str) -> None:
    what, words = WRONG[name]
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    trade.rate("LAKE", "1%", "2026-12-01")
    trade.device.sale(1)
    trade.now[0] = at("2026-12-02 00:05")
    trade.close("2026-12-01")
    with writing(trade.shop.service.engine) as connection:
        if what == "sale":
            ledger.post(
                connection, "top_up", "wrong", {"bank": -5, ledger.VOUCHER_SALES: 5},
                terminal_id=None, sequence=None, now=at("2026-12-01 13:00"), currency="KES",
            )  # fmt: skip
        else:
            connection.exec_driver_sql(
                "INSERT INTO day_share SELECT day, party_id, 'air20', currency, 5000, 1, 7"
                " FROM day_share"
            )
    assert any(words in problem for problem in trade.shop.problems())


def test_a_sale_posted_to_a_closed_day_is_found_from_the_last_check_on(trade: Trade) -> None:
    trade.zone()
    trade.now[0] = at("2026-12-01 12:00")
    trade.device.sale(1)
    trade.now[0] = at("2026-12-02 00:05")
    trade.close("2026-12-01")
    assert trade.shop.problems() == []  # and a point is made
    trade.now[0] = at("2026-12-01 14:00")  # the server's clock was put back
    trade.device.sale(2)
    with writing(trade.shop.service.engine) as connection:
        since, _, why = check_points.newest(connection, trade.shop.service.key)
        assert why == ""
        found = checks.problems(connection, since)
    assert "a closed day sold something else than the ledger has" in " ".join(found)
