"""What terminals tell reaches the tables once, whatever it is and whoever is killed on the way, and
no message ever suffers for it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tests.server.shop import NOW, Shop
from tests.telemetry.making import made_window
from updater_server.telemetry import intake, metrics, spool, store, windows
from updater_server.telemetry.spool import Spool
from updater_server.telemetry.store import Told, day_of

ON_BOTH_ENGINES = True
HOUR_S = 3600
RELEASE = 7


def a_window(start_s: int = NOW - HOUR_S, length_s: int = HOUR_S, **values: Any) -> list[Any]:
    counts = {int(key[1:]): value for key, value in values.items()} or {1: 20, 2: 19, 3: 1}
    return [RELEASE, 0, start_s, length_s, counts]


def encoded(*told: Any) -> bytes:
    return b"".join(cbor2.dumps(one, canonical=True) for one in told)


def taken(shop: Shop) -> tuple[intake.Taken, Told]:
    told = Told(shop.service.engine, shop.service.folder.telemetry)
    return intake.take_in(shop.service.spool, told, lambda: shop.clock[0]), told


def kept(shop: Shop, told: Told) -> list[tuple[int, store.Row]]:
    ids = [number.to_bytes(8, "big") for number in range(1, 5)]
    return sorted(told.rows(ids, 0, shop.clock[0] + 10**7))


def test_counters_ride_on_a_sale_a_journal_and_a_check_in(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    sale = {0: 2, 1: 1, 2: "air50", 3: 5000, 4: NOW, 20: 250}
    windows = [a_window(NOW - n * HOUR_S) for n in (3, 2, 1)]
    assert device.ask({**sale, 13: encoded(windows[0])})[1] == 0
    device.record(1, [1, 7, "power-on"])
    assert device.ask({0: 3, 1: device.journal, 13: encoded(windows[1])})[1] == 1
    assert device.check_in(_13=encoded(windows[2]), _14=RELEASE + 1)[1] == NOW
    shop.clock[0] += 30
    report, told = taken(shop)
    assert (report.rows, dict(report.refused), report.releases) == (4, {}, {RELEASE})
    rows = kept(shop, told)
    assert {known_s for known_s, _ in rows} == {NOW + 30}
    assert {row.heard_s for _, row in rows} == {NOW}
    assert [row.release for _, row in rows if row.kind == store.RESTART] == [RELEASE + 1]
    counted = [row for _, row in rows if row.kind == store.WINDOW]
    assert sorted(row.start_s for row in counted) == [one[2] for one in windows]
    assert {cbor2.loads(row.told)[4][1] for row in counted} == {20}


RUBBISH: dict[str, tuple[Any, str]] = {
    "nothing": (b"", "too_long"),
    "15 KiB of counters": (b"\xa1" * 15_000, "too_long"),
    "a number": (7, "too_long"),
    "deep": (b"\x81" * 1000, "not_cbor"),
    "cut short": (encoded(a_window())[:-1], "not_cbor"),
    "a bomb": (bytes.fromhex("9b000000ffffffffff"), "not_cbor"),
    "a float": (encoded([RELEASE, 0, NOW - 60, 60, {1: 1.5}]), "counts"),
    "no window": (encoded({1: 2}), "shape"),
    "four items": (encoded(a_window()[:4]), "shape"),
    "a negative start": (encoded(a_window(-5)), "shape"),
    "release 0": (encoded([0, *a_window()[1:]]), "release"),
    "without length": (encoded(a_window(length_s=0)), "length"),
    "of a month": (encoded(a_window(length_s=30 * 86400)), "length"),
    "a clock at 0": (encoded(a_window(0)), "clock"),
    "a clock years behind": (encoded(a_window(NOW - 3 * 365 * 86400)), "clock"),
    "a clock years ahead": (encoded(a_window(NOW + 3 * 365 * 86400)), "clock"),
    "counters that fall": (encoded(a_window(_1=-3)), "counts"),
    "more than an hour holds": (encoded(a_window(_1=3601)), "counts"),
    "a counter as buckets": (encoded(a_window(_1=[1, 2])), "counts"),
    "buckets as a counter": (encoded(a_window(_30=5)), "buckets"),
    "a bucket too many": (encoded(a_window(_30=[1] * 7)), "buckets"),
    "buckets that fall": (encoded(a_window(_30=[1, -1])), "counts"),
    "a metric without number": (encoded([*a_window()[:4], {"sales": 1}]), "metrics"),
    "100 metrics": (encoded([*a_window()[:4], dict.fromkeys(range(100, 200), 1)]), "metrics"),
}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", RUBBISH)
def test_rubbish_is_refused_by_name_and_costs_no_sale(shop: Shop, what: str) -> None:
    told, reason = RUBBISH[what]
    device = shop.enrol()
    shop.stock_vault()
    reply = device.ask({0: 2, 1: 1, 2: "air50", 3: 5000, 4: NOW, 20: 250, 13: told})
    assert reply[1] == 0, "the sale was not delivered"
    report, tables = taken(shop)
    assert dict(report.refused) == {reason: 1}
    assert report.rows == 0
    assert tables.refusals(day_of(NOW)) == [(reason, 1)]
    assert shop.problems() == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_bad_window_costs_none_beside_it(shop: Shop) -> None:
    device = shop.enrol()
    good, other = a_window(NOW - 7200), a_window(NOW - 3600)
    device.check_in(_13=encoded(good, a_window(0), other, *[good] * 9))
    report, told = taken(shop)
    assert dict(report.refused) == {"clock": 1, "too_many": 1}
    assert len(kept(shop, told)) == 7


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_this_server_does_not_know_is_kept(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_13=encoded(a_window(_1=3, _200=7, _201=[1, 2, 3])))
    report, told = taken(shop)
    assert not report.refused
    assert [cbor2.loads(row.told)[4][201] for _, row in kept(shop, told)] == [[1, 2, 3]]


def test_a_batch_is_kept_once_whoever_is_killed(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_13=encoded(a_window()))
    told = Told(shop.service.engine, shop.service.folder.telemetry)
    (path,) = shop.service.spool.take()
    copy = path.read_bytes()
    path.rename(path)  # a worker that was killed here leaves the file
    assert intake.take_in(shop.service.spool, told, lambda: NOW + 5).rows == 1
    path.write_bytes(copy)  # and one that was killed after its transaction does, too
    intake.take_in(shop.service.spool, told, lambda: NOW + 99)
    assert [known_s for known_s, _ in kept(shop, told)] == [NOW + 5]
    assert shop.service.spool.take() == []


def test_a_batch_never_becomes_known_before_another_that_is(shop: Shop) -> None:
    told = Told(shop.service.engine, shop.service.folder.telemetry)
    row = store.Row(b"12345678", store.RESTART, NOW, 7)
    assert told.take("one", NOW + 50, [row]) == NOW + 50
    assert told.take("two", NOW - 900, [row]) == NOW + 50  # a clock that went back
    assert told.take("one", NOW + 999, [row]) == NOW + 50


def test_a_day_is_given_up_whole(shop: Shop) -> None:
    told = Told(shop.service.engine, shop.service.folder.telemetry)
    row = store.Row(b"12345678", store.RESTART, NOW, 7)
    for day in range(3):
        told.take(f"day {day}", NOW + day * 86400, [row])
    assert told.days() == [day_of(NOW + n * 86400) for n in range(3)]
    assert told.drop_before(day_of(NOW + 2 * 86400)) == [day_of(NOW), day_of(NOW + 86400)]
    assert told.days() == [day_of(NOW + 2 * 86400)]
    assert [known_s for known_s, _ in told.rows([b"12345678"], 0, NOW + 10**7)] == [NOW + 2 * 86400]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_server_that_is_killed_keeps_what_it_was_told(shop: Shop, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from updater_server.telemetry.spool import RESTART, Spool\n"
        "spool = Spool(Path(sys.argv[1]), lambda: 5)\n"
        "[spool.add(RESTART, bytes([n]) * 8, b'\\0\\0\\0\\7') for n in range(50)]\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
        assert done.returncode == -9
    told = Told(shop.service.engine, tmp_path)
    assert intake.take_in(Spool(tmp_path, lambda: 6), told, lambda: 7).rows == 100


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_spool_that_is_damaged_gives_what_stands_before_it(shop: Shop) -> None:
    waiting = shop.service.spool
    for n in range(3):
        waiting.add(spool.RESTART, bytes([n]) * 8, b"\0\0\0\7")
    (path,) = waiting.take()
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    report, _ = taken(shop)
    assert (report.rows, len(report.trouble)) == (2, 1)
    assert waiting.take() == []
    assert [one.name for one in path.parent.glob("damaged-*")] == [f"damaged-{path.name}"]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_full_disk_costs_no_message(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    device = shop.enrol()

    def full(_: int, data: bytes) -> int:
        real = os.write
        monkeypatch.undo()
        return real(shop.service.spool._descriptor, data[:5])  # as the kernel does: a part of it

    monkeypatch.setattr("updater_server.telemetry.spool.os.write", full)
    assert device.check_in(_13=encoded(a_window()))[1] == NOW
    device.check_in(_13=encoded(a_window()))
    assert shop.service.spool.lost == 1
    report, _ = taken(shop)
    assert (report.rows, report.trouble) == (1, [])


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_three_write_while_a_worker_takes_is_all_there_once(
    shop: Shop, tmp_path: Path
) -> None:
    each, told = 400, Told(shop.service.engine, tmp_path)

    def write(number: int) -> None:
        mine = Spool(tmp_path, lambda: NOW)  # as another process would: a file of its own
        for n in range(each):
            mine.add(spool.RESTART, bytes([number]) * 4 + n.to_bytes(4, "big"), b"\0\0\0\7")
        mine.close()

    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write, number) for number in range(3)]
        rows = 0
        while not all(one.done() for one in writing):
            rows += intake.take_in(Spool(tmp_path, lambda: NOW), told, lambda: NOW).rows
        rows += intake.take_in(Spool(tmp_path, lambda: NOW), told, lambda: NOW).rows
    ids = [bytes([a]) * 4 + n.to_bytes(4, "big") for a in range(3) for n in range(each)]
    assert rows == 3 * each
    assert sorted(row.terminal for _, row in told.rows(ids, 0, NOW)) == sorted(ids)


def test_spoiled_windows_are_refused_or_fit_and_nothing_else() -> None:
    chance = random.Random(11)
    reasons = set()
    for _ in range(4000):
        told = bytearray(encoded(made_window(chance, 1, NOW - HOUR_S)))
        for _ in range(chance.randrange(1, 4)):
            told[chance.randrange(len(told))] = chance.randrange(256)
        found, refused = windows.read(bytes(told), NOW)
        reasons.update(refused)
        assert len(found) + len(refused) <= metrics.WINDOWS[1] + 1
        for window in found:
            counted = windows.guards(windows.values_of(window.told))
            assert all(0 <= failed <= tried < 2**33 for tried, failed in counted.values())
    assert reasons >= {"not_cbor", "shape", "counts", "buckets", "clock"}
    assert reasons <= windows.REASONS.keys()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_more_counters_than_a_message_may_have_cost_no_sale(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    sale = {0: 2, 1: 1, 2: "air50", 3: 5000, 4: NOW, 20: 250}
    assert device.post({**sale, 13: bytes(60_000)})[0] == 413
    assert device.ask(sale)[1] == 0
    assert taken(shop)[0].rows == 0
