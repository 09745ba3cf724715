"""What a terminal counts and tells: numbers of the one table, differences told once, and a window
that the server takes, whatever befell.
"""

from __future__ import annotations

import ast
import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cbor2
import pytest

from firmware import counts, lent
from firmware.drivers.battery import Battery
from firmware.office import sync
from firmware.office import windows as told_by
from firmware.office.messenger import NoNetwork
from tests.money.shop import TIME, open_shop, run
from updater_server.telemetry import metrics, windows

ROOT = Path(__file__).resolve().parents[2]
TABLE = tomllib.loads((ROOT / "docs/formats/metrics.toml").read_text("utf-8"))
HOUR_S = 3600
HOUR_MS = 1000 * HOUR_S
BAR_BYTES = 120


@pytest.fixture(autouse=True)
def clock() -> Iterator[SimpleNamespace]:
    """A terminal that has just started and knows the time."""
    clock = SimpleNamespace(now_s=TIME, heap=0)
    told_by.begin(7, lambda: clock.now_s, lambda: clock.heap)
    yield clock
    told_by.begin(0, int, int)


def passes(clock: SimpleNamespace, hours: float) -> None:
    clock.now_s += int(hours * HOUR_S)
    counts.add(0, int(hours * HOUR_MS))


def taken(told: bytes | None, clock: SimpleNamespace) -> list[windows.Window]:
    """As the server takes it in, which refuses nothing of it."""
    assert told
    found, refused = windows.read(told, clock.now_s)
    assert refused == []
    return found


def number_of(name: str) -> int | None:
    for section in ("counter", "least", "histogram"):
        if name in TABLE[section]:
            return int(TABLE[section][name]["id"])
    return None


def named_in(source: str) -> list[tuple[str, str, int]]:
    """(`add`, `took` or `least`, metric, its number there) of each place that counts."""
    tree = ast.parse(source)
    numbers: dict[str, Any] = {
        node.targets[0].id: node.value.args[0].value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and node.value.args
        and isinstance(node.value.args[0], ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("counts."):
            how, named = ast.unparse(node.func).removeprefix("counts."), node.args[:1]
            if how in ("air", "spent"):
                continue  # bytes, and what they were for: `purposes_in`
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "counts.values":
            how, named = "least", [node.slice]
        else:
            continue
        for name in (one for part in named for one in ast.walk(part) if isinstance(one, ast.Name)):
            if name.id in numbers and name.id not in ("_ON_MS", "_MINUTES_ON"):
                metric = name.id.removeprefix("_").lower()
                found.append((how, metric, int(numbers[name.id])))
    return found


def wrong_names(source: str) -> list[str]:
    sections = {"add": "counter", "least": "least", "took": "histogram"}
    return [
        metric
        for how, metric, number in named_in(source)
        if number_of(metric) != number or metric not in TABLE[sections[how]]
    ]


def purposes_in(source: str) -> dict[str, int]:
    """{purpose of the ledger: its place} of each constant that names one."""
    named = re.findall(r"^_AIR_([A-Z_]+) = const\((\d+)\)", source, re.MULTILINE)
    known = metrics.LEDGER["air"].purposes
    return {name.lower(): int(place) for name, place in named if name.lower() in known}


def test_the_terminal_spends_airtime_by_the_tables_places() -> None:
    places = {name: at for at, name in enumerate(metrics.LEDGER["air"].purposes, 1)}
    found: dict[str, int] = {}
    for file in sorted((ROOT / "firmware").rglob("*.py")):
        named = purposes_in(file.read_text("utf-8"))
        assert named.items() <= places.items(), file
        found |= named
    assert found == places
    assert not purposes_in("_AIR_SYNC = const(1)").items() <= places.items(), "it would be noticed"


def test_what_went_over_the_air_is_told_by_purpose_and_nothing_is_rounded_away(
    clock: SimpleNamespace,
) -> None:
    spent = {1: 0, 3: 0, 7: 0}
    told_units = dict.fromkeys(spent, 0)
    chance = random.Random(4)
    for _ in range(40):
        for purpose in spent:
            size = chance.randrange(90)
            counts.air(size)
            counts.air(size)
            counts.spent(purpose)
            spent[purpose] += 2 * size
        passes(clock, 20)
        (window,) = taken(told_by.due(), clock)
        told_by.answered(counts.told)
        told: Any = window.values.get(34, [])
        units = [*told, *[0] * 8]
        for purpose in spent:
            told_units[purpose] += units[purpose - 1]
    for purpose, size in spent.items():
        assert 0 <= size - 32 * told_units[purpose] < 32
    counts.spent(2)
    assert counts.values[53] == 0, "nothing was on the air"


def test_more_than_a_modem_can_carry_is_held_to_what_the_server_takes(
    clock: SimpleNamespace,
) -> None:
    for purpose in range(1, 9):
        counts.air(1 << 30)
        counts.spent(purpose)
    passes(clock, 3)
    (window,) = taken(told_by.due(), clock)
    assert window.values[34] == [3 * metrics.LEDGER["air"].most] * 8


def test_the_terminal_counts_by_the_tables_numbers() -> None:
    counted = set()
    for file in sorted((ROOT / "firmware").rglob("*.py")):
        source = file.read_text("utf-8")
        assert wrong_names(source) == [], file
        counted |= {metric for _, metric, _ in named_in(source)}
    told = {name for part in ("counter", "least", "histogram") for name in TABLE[part]}
    never_counted = {
        "bytes_up",  # of releases before the ledger
        "bytes_down",
        "crashes",  # a task that fails ends the program here
        "minutes_on",  # the length of the window
    }
    assert told - counted == never_counted


@pytest.mark.parametrize(
    "source",
    [
        "_SALES_TRIED = const(2)\ncounts.add(_SALES_TRIED)",
        "_ANSWER = const(33)\ncounts.add(_ANSWER)",
        "_SALES = const(1)\ncounts.add(_SALES)",
    ],
    ids=["number", "kind", "name"],
)
def test_another_number_or_name_would_be_noticed(source: str) -> None:
    assert len(wrong_names(source)) == 1


@pytest.mark.parametrize("name", metrics.HISTOGRAMS)
def test_each_bucket_is_the_tables(name: str, clock: SimpleNamespace) -> None:
    histogram = metrics.HISTOGRAMS[name]
    seconds = [0, *histogram.bounds]
    for n, bound_s in enumerate(seconds):
        for _ in range(n + 1):
            counts.took(histogram.id, bound_s * 1000 + 1)
        counts.took(histogram.id, bound_s * 1000)  # up to a bound, and with it
    passes(clock, 3)
    (window,) = taken(told_by.due(), clock)
    buckets = window.values[histogram.id]
    expected = [n + 1 for n in range(len(seconds))]
    for bound_s in seconds:
        expected[next((i for i, b in enumerate(histogram.bounds) if bound_s <= b), -1)] += 1
    assert buckets == expected
    assert set(window.values) == {16, histogram.id}, "and no other is touched"


def test_the_bounds_of_the_terminal_are_the_tables(clock: SimpleNamespace) -> None:
    """Counted far too often, every metric is held to the most that the server takes."""
    clock.heap = 1 << 29
    for number in range(1, 51):
        counts.add(number, 1 << 29)
        counts.add(number, 1 << 29)
    passes(clock, 3)
    (window,) = taken(told_by.due(), clock)
    for counter in metrics.COUNTERS.values():
        if counter.id not in (16, 21):
            assert window.values[counter.id] == 3 * counter.most or counter.most >= 1000
    for least in metrics.LEAST.values():
        assert window.values[least.id] == least.bounds[1]


def test_windows_of_a_start_grow_to_a_days(clock: SimpleNamespace) -> None:
    lengths: list[int] = []
    for _ in range(120):
        passes(clock, 1)
        told = told_by.due()
        if told:
            (window,) = taken(told, clock)
            assert window.start_s + window.length_s == clock.now_s
            assert window.sequence == len(lengths)
            lengths.append(window.length_s // HOUR_S)
            told_by.answered(told)
    assert lengths == [3, 6, 12, 20, 20, 20, 20]


def test_who_is_in_an_arm_tells_each_hour(clock: SimpleNamespace) -> None:
    counts.is_hourly = True
    for _ in range(3):
        passes(clock, 0.9)
        assert told_by.due() is None
        passes(clock, 0.1)
        told_by.answered(told_by.due())
    assert counts.sequence == 3


def test_a_lost_answer_is_told_again_to_the_byte_and_counts_once(clock: SimpleNamespace) -> None:
    counts.add(1, 5)
    passes(clock, 3)
    told = told_by.due()
    counts.add(1)
    passes(clock, 30)
    assert told_by.due() == told, "whatever was counted since"
    told_by.answered(told)
    following = told_by.due()
    assert following is None, "30 hours were too long to be told"
    counts.add(1, 2)
    passes(clock, 20)
    (window,) = taken(told_by.due(), clock)
    assert (window.sequence, window.values[1]) == (2, 2), "a gap in the numbers says so"


def test_the_answer_to_an_older_message_settles_no_newer_window(clock: SimpleNamespace) -> None:
    passes(clock, 3)
    first = told_by.due()
    told_by.answered(first)
    passes(clock, 6)
    second = told_by.due()
    told_by.answered(first)
    assert told_by.due() == second


def test_who_does_not_know_the_time_keeps_the_window(clock: SimpleNamespace) -> None:
    now_s, clock.now_s = clock.now_s, 0
    counts.add(0, 5 * HOUR_MS)
    counts.add(1)
    assert told_by.due() is None
    clock.now_s = now_s
    (window,) = taken(told_by.due(), clock)
    assert (window.length_s, window.values[1]) == (5 * HOUR_S, 1)


def test_before_a_restart_all_is_told(clock: SimpleNamespace) -> None:
    passes(clock, 3)
    waiting = told_by.due()
    assert waiting
    counts.add(2)
    passes(clock, 0.5)
    told = told_by.due(at_once=True)
    first, second = taken(told, clock)
    assert first.told == waiting
    assert (second.length_s, second.values[2]) == (HOUR_S // 2, 1)
    for _ in range(20):  # it says so again and again, and nobody answers
        passes(clock, 0.1)
        again = told_by.due(at_once=True)
        assert again
        assert len(taken(again, clock)) <= metrics.WINDOWS[1]
        assert len(again) <= metrics.TOLD_BYTES[1]


def test_a_start_is_counted_by_what_it_was_for() -> None:
    saved: list[int] = []

    def start(cause: str, crashes: int = 0, restarted: bool = False) -> list[int]:
        told_by.begin(7, int, int)
        control = SimpleNamespace(state=SimpleNamespace(crashes=crashes))
        boot: Any = SimpleNamespace(reset_cause=cause, control=control)
        record: Any = SimpleNamespace(
            is_hourly=False, flags=[], restarted=restarted, save=lambda: saved.append(1)
        )
        told_by.started(boot, record)
        assert not record.restarted
        return [number for number in range(1, 51) if counts.values[number]]

    table = TABLE["counter"]
    assert start("power-on") == start("brownout") == [table["boots_power"]["id"]]
    assert start("watchdog") == [table["boots_watchdog"]["id"]]
    assert start("soft", crashes=1) == [table["boots_crash"]["id"]]
    assert saved == [], "no start without need writes to flash"
    assert start("soft", restarted=True) == [table["boots_update"]["id"]]
    assert saved == [1]
    assert start("soft") == [], "a technician's"


def test_counting_never_ends_a_program() -> None:
    for _ in range(5):
        counts.add(22, (1 << 30) - 1)
        counts.air((1 << 30) - 1)
        counts.spent(1)
    assert counts.values[22] == counts.values[52] == (1 << 30) - 1


def test_the_least_is_the_least_of_what_was_measured(clock: SimpleNamespace) -> None:
    board: Any = SimpleNamespace(battery_mv=lambda: clock.now_s, charging=lambda: False)
    clock.now_s = 3900
    battery = Battery(board)
    for clock.now_s, clock.heap in ((3900, 50_000), (3500, 20_000), (4100, 30_000)):
        battery.read()
        lent.load("firmware.office.windows")
    assert counts.values[25] == 3800, "smoothed"
    assert counts.values[26] == 20_000
    clock.heap = 0  # a board that does not tell
    told_by.begin(7, int, int)
    lent.load("firmware.office.windows")
    assert counts.values[26] == 0


def test_windows_ride_on_journal_messages_and_survive_lost_ones(
    tmp_path: Path, clock: SimpleNamespace
) -> None:
    shop = open_shop(tmp_path / "stock")
    sent: list[dict[int, Any]] = []
    exchange = shop.messenger.exchange

    async def note(kind: int, fields: dict[int, Any]) -> dict[int, Any]:
        sent.append(fields)
        reply: dict[int, Any] = await exchange(kind, fields)
        return reply

    shop.messenger.exchange = note
    shop.sell_offline()
    counts.add(5)
    passes(clock, 3)
    shop.lose_replies = True
    for _ in range(2):
        with pytest.raises(NoNetwork):
            shop.sync()
    shop.lose_replies = False
    shop.sell_online()
    shop.sync()
    journals = [fields for fields in sent if isinstance(fields[1], list)]
    told = [fields.get(13) for fields in journals]
    assert told[0]
    assert told[:3] == [told[0]] * 3
    assert told[3:] == [None] * len(told[3:])
    (window,) = taken(told[0], clock)
    assert window.values[5] == 1
    passes(clock, 6)
    (following,) = taken(told_by.due(), clock)
    assert 5 not in following.values
    assert following.values[2] == 1
    assert following.values[13] == 2
    assert following.values[12] in (3, 4)
    run(sync.sync(shop.journal, shop.messenger, shop.till))


def test_a_days_window_is_small(clock: SimpleNamespace) -> None:
    """20 sales a day, some of which fail, as `made_window` has them."""
    chance = random.Random(3)
    sizes = []
    for _ in range(300):
        counts.sequence, counts.told = chance.randrange(3, 2000), None
        for number in (1, 2, 6, 10, 12):
            counts.add(number, chance.randrange(10, 30))
        for number in (3, 4, 5, 7, 9, 11, 13, 14, 15, 17, 22, 29):
            counts.add(number, chance.random() < 0.4)
        counts.add(8, 4)
        for purpose, size in enumerate((4200, 3600, 1900, 250, 900, 9000, 700), 1):
            counts.air(chance.randrange(size // 2, 2 * size))
            counts.spent(purpose)
        counts.values[25] = 3600 + chance.randrange(500)
        counts.values[26] = 20_000 + chance.randrange(9000)
        for number, name in ((30, "key_to_paper"), (31, "attach"), (32, "connect"), (33, "answer")):
            assert metrics.HISTOGRAMS[name].id == number
            for _ in range(20):
                counts.took(number, int(chance.expovariate(1 / 5000)))
        passes(clock, 20)
        told = told_by.due()
        taken(told, clock)
        sizes.append(len(cbor2.dumps({13: told})) - 1)
    assert sorted(sizes)[285] <= BAR_BYTES, sorted(sizes)[285]
