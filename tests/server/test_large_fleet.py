"""Thirty thousand terminals: what people look at costs a page, and never a terminal's thread."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from tests.measure.counts import Counts, counted
from tests.server.device import Device
from tests.server.shop import NOW, Shop
from updater_server.__main__ import cli
from updater_server.faces import dashboard
from updater_server.faces.app import make_app
from updater_server.faces.dashboard import Board
from updater_server.fleet import listing
from updater_server.sales import ledger
from updater_server.store.engine import reading

FLEET = 30_000
STATEMENTS = 20
"""Of one page, with the technician's token; BEGIN and the like not counted."""
PAGE_BYTES = 120_000


def terminal_id(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()[:8]


def seed(shop: Shop, count: int) -> None:
    """`count` terminals with a check-in and a float each, past the server's own functions."""
    raw = sqlite3.connect(shop.folder / "duka.db")
    ids = [terminal_id(number) for number in range(count)]
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.executemany(
        "INSERT INTO terminal(id, key_sealed, hardware_class, hardware_revision, channel,"
        " catalogue, enrolled_at, enrolled_by, initial_float_minor, blocked, last_counter,"
        " last_seen_at, acknowledged_through) VALUES (?, x'00', 'duka-r1', 1, 'stable',"
        " 'catalogue/default.json', ?, 1, 100000, ?, 0, ?, 0)",
        ((name, NOW, number % 1000 == 0, NOW - number % 7200) for number, name in enumerate(ids)),
    )
    raw.executemany(
        "INSERT INTO check_in(terminal_id, at, terminal_time, release, slot, trial, boot_count,"
        " battery_mv, signal, own_float_minor, journal_oldest, journal_next, mismatches)"
        " VALUES (?, ?, ?, 7, 'a', ?, 1, 3900, 20, 100000, 1, 2, 0)",
        ((name, NOW, NOW, number % 100 == 0) for number, name in enumerate(ids)),
    )
    raw.execute("INSERT INTO account(id, name) VALUES (1000000, 'bank')")
    raw.executemany(
        "INSERT INTO account(id, name) VALUES (?, ?)",
        ((number + 1, f"float:{name.hex()}") for number, name in enumerate(ids)),
    )
    raw.executemany(
        "INSERT INTO ledger_entry(transaction_id, account_id, amount_minor, balance_after_minor)"
        " VALUES (?, ?, ?, ?)",
        (
            row
            for number in range(count)
            for row in (
                (number + 1, number + 1, 100_000 + number, 100_000 + number),
                (number + 1, 1_000_000, -100_000 - number, None),
            )
        ),
    )
    raw.executemany(
        "INSERT INTO ledger_transaction(id, kind, reference, created_at)"
        " VALUES (?, 'top_up', ?, ?)",
        ((number + 1, f"topup:{number}", NOW) for number in range(count)),
    )
    raw.executemany(
        "INSERT INTO alarm(terminal_id, code, text, first_at, last_at, count)"
        " VALUES (?, 'float_mismatch', 'seeded', ?, ?, 1)",
        ((name, NOW, NOW) for name in ids[:2000]),
    )
    raw.commit()
    raw.close()


@contextmanager
def statements(shop: Shop) -> Iterator[Counts]:
    """Every statement that the server sends to its database meanwhile."""
    with counted(shop.service.engine, steps=False) as counts:
        yield counts


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[Shop]:
    shop = Shop.open(tmp_path_factory.mktemp("large") / "data", signed / "repository")
    seed(shop, FLEET)
    yield shop
    shop.service.engine.dispose()


def test_a_page_of_thirty_thousand_costs_a_page(large: Shop) -> None:
    with statements(large) as sent:
        html = dashboard.page(large.service)
    assert len(sent.questions) <= STATEMENTS, len(sent.questions)
    assert len(html.encode()) <= PAGE_BYTES
    assert "30,000" in html
    assert "1 to 50 of 30,000" in html
    assert html.index("<h2>Alarms") < html.index("<h2>Terminals</h2><form")
    assert "and 1,900 more" in html


def test_asking_each_terminal_for_its_float_would_be_noticed(large: Shop) -> None:
    """The same count on a page that asks the ledger once a terminal: so it can fail."""
    with statements(large) as sent, reading(large.service.engine) as connection:
        found = listing.last_seen(connection, listing.EVERY, limit=50)
        for item in ledger.with_floats(connection, found):
            assert ledger.float_minor(connection, item["id"]) == item["float_minor"]
    assert len(sent.questions) > STATEMENTS


def test_every_page_of_the_list_together_names_each_terminal_once(large: Shop) -> None:
    seen: list[bytes] = []
    with reading(large.service.engine) as connection:
        after = b""
        while part := listing.listed(connection, listing.EVERY, after):
            assert len(part) <= listing.PAGE_LIMIT
            seen += [item["id"] for item in part]
            after = seen[-1]
    assert len(seen) == FLEET
    assert seen == sorted({terminal_id(number) for number in range(FLEET)})


def test_a_terminal_is_found_by_the_beginning_of_its_id_and_by_its_state(large: Shop) -> None:
    name = terminal_id(29_999).hex()
    with reading(large.service.engine) as connection:
        for digits in (3, 7, 16):
            wanted = listing.Wanted(name[:digits])
            found = listing.last_seen(connection, wanted)
            assert name in {item["id"].hex() for item in found}
            assert all(item["id"].hex().startswith(name[:digits]) for item in found)
        assert listing.counted(connection, listing.Wanted(only="trial")) == (300, 300)
        assert listing.counted(connection, listing.Wanted(only="blocked"))[0] == 30
        assert listing.counted(connection, listing.Wanted(only="failed"))[0] == 0
    assert name in dashboard.page(large.service, listing.Wanted(name.upper()), 1)


def test_eight_who_look_at_once_cost_one_rendering(large: Shop) -> None:
    clock = [0.0]
    board = Board(large.service, lambda: clock[0])
    with statements(large) as sent:
        pages = {board.page(listing.EVERY, 1) for _ in range(8)}
        assert len(pages) == 1
        assert len(sent.questions) <= STATEMENTS
        clock[0] = 60.0
        board.page(listing.EVERY, 1)
        assert len(sent.questions) > STATEMENTS // 2


def app_client(shop: Shop) -> httpx.AsyncClient:
    application: Any = make_app(shop.service)
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {shop.token}"}
    return httpx.AsyncClient(transport=transport, base_url="http://a", headers=headers)


def test_the_list_is_bounded_whoever_asks_for_how_much(large: Shop) -> None:
    async def main() -> None:
        async with app_client(large) as client:
            first = await client.get("/v1/terminals")
            assert len(first.json()) == 100
            following = re.fullmatch(r'<(.*)>; rel="next"', first.headers["link"])
            assert following
            second = await client.get(following[1])
            assert second.json()[0]["id"] > first.json()[-1]["id"]
            most = await client.get("/v1/terminals", params={"limit": 500, "only": "trial"})
            assert len(most.json()) == 300
            assert "link" not in most.headers
            for wrong in (
                {"limit": "501"}, {"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"after": "zz"},
                {"prefix": "%"}, {"prefix": "0" * 17}, {"only": "everything"}, {"limit": "9" * 30},
            ):  # fmt: skip
                answer = await client.get("/v1/terminals", params=wrong)
                assert answer.status_code == 422, wrong
                assert answer.json()["error"]

    asyncio.run(main())


def test_an_unchanged_page_is_not_sent_again(large: Shop) -> None:
    async def main() -> None:
        async with app_client(large) as client:
            auth = ("anyone", large.token)
            first = await client.get("/", auth=auth)
            assert len(first.content) <= PAGE_BYTES
            tag = first.headers["etag"]
            again = await client.get("/", auth=auth, headers={"if-none-match": tag})
            assert (again.status_code, again.content) == (304, b"")
            assert (await client.get("/", headers={"if-none-match": tag})).status_code == 401
            for wrong in ("page=0", "page=x", "page=99999999999", "prefix=<", "only=x"):
                assert (await client.get(f"/?{wrong}", auth=auth)).status_code == 422
            beyond = await client.get("/?page=1000000", auth=auth)
            assert beyond.status_code == 200

    asyncio.run(main())


def test_a_terminal_is_answered_while_every_page_hangs(
    large: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty pages and lists that never come: their threads are not the terminals'."""
    device = large.enrol(1)
    gate = threading.Event()

    def hangs(*_arguments: Any) -> Any:
        gate.wait(30)
        return "", ""

    monkeypatch.setattr(Board, "page", hangs)

    async def main() -> None:
        async with app_client(large) as client:
            auth = ("anyone", large.token)
            open_pages = [asyncio.create_task(client.get("/", auth=auth)) for _ in range(20)]
            await asyncio.sleep(0.2)
            try:
                for _ in range(3):
                    await asyncio.wait_for(_check_in(client, device), 10)
                refused = [task.result() for task in open_pages if task.done()]
                assert [answer.status_code for answer in refused] == [503] * 4
                assert all(int(answer.headers["retry-after"]) for answer in refused)
                assert (await client.get("/health")).text == "ok"
            finally:
                gate.set()
            await asyncio.gather(*open_pages)

    asyncio.run(main())


async def _check_in(client: httpx.AsyncClient, device: Device) -> None:
    content = {
        0: 1, 1: 0, 2: 7, 3: "a", 4: False, 5: 1, 6: 3900, 7: 20, 8: None, 9: 0, 10: [1, 1],
    }  # fmt: skip
    body, counter = device.seal(content)
    answer = await client.post("/m", content=body)
    assert answer.status_code == 200
    assert device.open(answer.content, counter)[0] == 1


def test_a_terminals_message_costs_the_same_among_thirty_thousand(large: Shop, shop: Shop) -> None:
    counts = []
    for server, number in ((shop, 1), (large, 2)):
        device = server.enrol(number)
        device.check_in()
        with statements(server) as sent:
            device.check_in()
        counts.append(len(sent.questions))
    assert counts[0] == counts[1] <= 25


def test_the_report_shows_a_screenful_and_says_how_to_see_more(large: Shop) -> None:
    shown = CliRunner().invoke(cli, ["report", "--data", str(large.folder)])
    assert shown.exit_code == 0, shown.output
    assert "more: ask for them with --prefix" in shown.output
    assert shown.output.count("confirmed") + shown.output.count("trial") <= 60
    name = terminal_id(77).hex()
    one = CliRunner().invoke(cli, ["report", "--prefix", name, "--data", str(large.folder)])
    assert name in one.output
    wrong = CliRunner().invoke(cli, ["report", "--only", "x", "--data", str(large.folder)])
    assert wrong.exit_code == 2
    assert "refused:" in wrong.output
