"""A program is tried in a sandbox: the same calls, and nothing that is in it can leave it, nor
anything real come in. The operator makes it with two commands.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from tests.parties.trade import Trade
from tests.partners.program import Program
from tests.server.engines import Store, as_owner
from tests.server.shop import NOW, Shop, voucher_csv
from updater_server import sandbox
from updater_server.__main__ import cli
from updater_server.errors import InputError, StateError
from updater_server.faces import app
from updater_server.faces.front import Front
from updater_server.parties import tokens
from updater_server.sales import incoming
from updater_server.sales import sandbox as mark
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.store.tables import vend

NUMBER = "+254712345678"
AIRTIME = "http://duka.example/api/version1/airtime/send"
FIND = "http://duka.example/api/version1/query/transaction/find"


def command(shop: Shop, *words: str) -> str:
    done = CliRunner().invoke(cli, [*words, "--data", str(shop.folder), "--by", "asha"])
    assert done.exit_code == 0, done.output
    return done.output


class Tried:
    """A server with a sandbox, and what a program meets there."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.clock[0] = int(time.time())  # the commands' own
        self.made = command(shop, "sandbox", "make")
        self.token = command(shop, "sandbox", "program", "SHORE-APP").partition("token: ")[2]
        self.token = self.token.strip()

    def at_work(self, front: Front) -> Program:
        return Program(front, self.token)


@pytest.fixture
def tried(tmp_path: Path, with_top_ups: Path) -> Iterator[Tried]:
    shop = Shop.open(tmp_path / "tried", with_top_ups / "repository")
    yield Tried(shop)
    shop.service.engine.dispose()


@pytest.fixture
def served(tried: Tried) -> Iterator[tuple[Service, Program]]:
    """The sandbox as it runs, and a program that asks the server."""
    with sandbox.opened(tried.shop.service) as whole:
        assert whole.sandbox is not None
        with tried.at_work(app.make_app(whole)) as program:
            yield whole.sandbox, program


def send(program: Program, number: str = NUMBER, amount: str = "KES 100") -> dict[str, Any]:
    """One number's entry in the answer."""
    recipients = json.dumps([{"phoneNumber": number, "amount": amount}])
    told = program.raw(
        "POST",
        AIRTIME,
        headers={"apikey": program.token},
        data={"username": "SHORE-APP", "recipients": recipients},
    )
    assert told.status_code == 201, told.text
    assert told.headers["duka-sandbox"]
    (entry,) = told.json()["responses"]
    return dict(entry)


def state_of(program: Program, reference: str) -> str:
    asked = {"username": "SHORE-APP", "transactionId": reference}
    told = program.raw("GET", FIND, headers={"apikey": program.token}, params=asked)
    return str(told.json()["data"]["status"])


def until(holds: Callable[[], bool]) -> None:
    latest = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < latest, "it did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "ends"),
    [
        (NUMBER, "Success"),
        ("+254712345601", "Failed"),
        ("+254712345602", "Success"),
        ("+254712345603", "Failed"),
        ("+254712345604", "Success"),
    ],
)
def test_the_last_digits_of_the_number_are_how_a_sale_ends(
    tried: Tried, served: tuple[Service, Program], number: str, ends: str
) -> None:
    inside, program = served
    assert inside.desk is not None
    reference = send(program, number)["requestId"]
    desk = inside.desk

    def is_decided() -> bool:
        with reading(inside.engine) as connection:
            state = connection.scalar(select(vend.c.state))
        if state in ("sent", "unknown"):
            tried.shop.clock[0] += 60
            desk.look()
        return state in ("delivered", "rejected")

    until(is_decided)
    assert state_of(program, reference) == ends
    till = reference.split("_")[1]
    kept = 9_500 if ends == "Success" else 0
    closing = program.get(f"/statements/{till}").json()["closing_minor"]
    assert closing == sandbox.FLOAT_MINOR - kept


def test_what_is_sold_in_a_sandbox_is_nowhere_in_the_real_books(
    tried: Tried, served: tuple[Service, Program]
) -> None:
    send(served[1])
    for table in ("ledger_entry", "vend", "sale", "terminal", "party", "api_token"):
        assert tried.shop.sql(f"SELECT 1 FROM {table}") == [], table
    assert tried.shop.problems() == []


def test_a_real_token_meets_real_money_and_a_sandboxs_never_does(
    trade: Trade, tried: Tried, front: Front
) -> None:
    """`front` is a server without a sandbox."""
    with Program(front, tried.token) as program:
        refused = program.get("/parties")
        assert refused.status_code == 401
        assert "a token of a sandbox opens nothing here" in refused.json()["detail"]
    with sandbox.opened(tried.shop.service) as whole:
        real = token_of_shop(tried.shop)
        with Program(app.make_app(whole), real) as program:
            told = program.get("/parties")
            assert (told.status_code, told.json()) == (200, [])
            assert "duka-sandbox" not in told.headers


def token_of_shop(shop: Shop) -> str:
    with writing(shop.service.engine) as connection:
        return tokens.add(connection, "ours", None, True, "asha", NOW)


def test_the_token_says_what_it_is_wherever_it_stands(served: tuple[Service, Program]) -> None:
    _, program = served
    told = program.raw("POST", f"/ussd/{program.token}", data={"phoneNumber": NUMBER, "text": ""})
    assert (told.status_code, told.text[:3]) == (200, "CON")
    assert told.headers["duka-sandbox"]
    stranger: httpx.Response = program.raw(
        "GET", "/parties", headers={"authorization": "Bearer duka_sandbox_guessed"}
    )
    assert stranger.status_code == 401


def test_a_sandbox_is_made_once_and_brought_up_to_date(tried: Tried) -> None:
    assert "sells top, top100" in " ".join(tried.made.split()) or "top" in tried.made
    again = command(tried.shop, "sandbox", "make")
    assert again == tried.made
    real = tried.shop.service
    with pytest.raises(InputError, match="are real"), writing(real.engine) as connection:
        sandbox.add_program(real, connection, "X1", "", "asha", NOW)


def test_a_spoiled_sandbox_stops_nothing_that_is_real(tried: Tried) -> None:
    (tried.shop.folder / "sandbox" / "duka.db").write_bytes(b"spoiled" * 1000)
    with sandbox.opened(tried.shop.service) as whole:
        assert whole.sandbox is None
        with Program(app.make_app(whole), token_of_shop(tried.shop)) as program:
            assert program.get("/parties").status_code == 200


# --- what the database holds, on both engines ---


@pytest.fixture(params=["sqlite", "postgresql"])
def new_books(request: pytest.FixtureRequest, tmp_path: Path, signed: Path) -> Callable[[], Shop]:
    """Empty books, as often as asked."""
    store, given = Store(request.param), iter(range(9))

    def made() -> Shop:
        shop = Shop.open(tmp_path / str(next(given)), signed / "repository", store.new_url())
        request.addfinalizer(shop.service.engine.dispose)
        return shop

    return made


def declared(shop: Shop) -> Shop:
    with writing(shop.service.engine) as connection:
        mark.declare(connection)
        mark.declare(connection)  # once for ever
    return shop


def written(shop: Shop, statement: str) -> None:
    """By whoever owns the database, past all that the server itself refuses."""

    def do(connection: Connection) -> None:
        connection.execute(text(statement))

    with as_owner(shop.folder) as connection:
        do(connection)


SUPPLIER = (
    "INSERT INTO supplier (name, kind, settings, secrets_sealed, stopped, changed_at, changed_by)"
    " VALUES ('{kind}', '{kind}', '', '', {false}, 1, 'mallory')"
)


def test_a_voucher_of_a_sandbox_never_leaves_it_and_no_real_one_comes_in(
    new_books: Callable[[], Shop],
) -> None:
    real, inside = new_books(), declared(new_books())
    csv = voucher_csv("air50", range(2))
    made = csv.replace("AIR50-", mark.SERIAL)
    with writing(real.service.engine) as connection:
        incoming.import_csv(connection, real.service.key, csv, NOW)
        with pytest.raises(InputError, match="voucher of a sandbox: it never leaves it"):
            incoming.import_csv(connection, real.service.key, made, NOW)
    with writing(inside.service.engine) as connection:
        incoming.import_csv(connection, inside.service.key, made, NOW)
        with pytest.raises(InputError, match="nothing real comes into a sandbox"):
            incoming.import_csv(connection, inside.service.key, csv, NOW)
    copied = (
        "INSERT INTO voucher (product_id, serial, pin_sealed, pin_digest, expires_at, imported_at,"
        " free) SELECT product_id, '{serial}', pin_sealed, '{digest}', 0, 1, free FROM voucher"
        " LIMIT 1"
    )
    digest = "x" * 32
    for shop, serial in ((real, "SANDBOX-9"), (inside, "AIR50-9")):
        with pytest.raises(IntegrityError, match="never leaves it"):
            written(shop, copied.format(serial=serial, digest=digest))


def test_a_sandbox_has_no_real_terminal_and_no_real_supplier(
    new_books: Callable[[], Shop],
) -> None:
    real, inside = new_books(), declared(new_books())
    real.enrol()
    with pytest.raises(IntegrityError, match="no real terminal"):
        inside.enrol()
    false = "0" if real.service.engine.dialect.name == "sqlite" else "false"
    written(real, SUPPLIER.format(kind="airtime", false=false))
    written(inside, SUPPLIER.format(kind="sandbox", false=false))
    for shop, wrong in ((real, "sandbox"), (inside, "airtime")):
        with pytest.raises(IntegrityError, match="nobody else has it"):
            written(shop, SUPPLIER.format(kind=wrong, false=false))
        with pytest.raises(IntegrityError, match="nobody else has it"):
            written(shop, f"UPDATE supplier SET kind = '{wrong}'")


def test_no_sandbox_is_made_of_books_that_were_begun(new_books: Callable[[], Shop]) -> None:
    shop = new_books()
    shop.enrol()
    with pytest.raises(StateError, match="begun"), writing(shop.service.engine) as connection:
        mark.declare(connection)
    with pytest.raises(IntegrityError, match="begun"):
        written(shop, "INSERT INTO server_constant (name, value) VALUES ('books', 'sandbox')")
    inside = declared(new_books())
    with pytest.raises(IntegrityError, match="append-only"):
        written(inside, "DELETE FROM server_constant WHERE name = 'books'")
