"""A statement adds up to the ledger, on the screen, in a spreadsheet and on paper."""

from __future__ import annotations

import base64
import csv
import io
import random
from pathlib import Path

import pytest
from litestar.exceptions import NotAuthorizedException
from typer.testing import CliRunner

from tests.parties.test_days import at
from tests.parties.trade import Trade
from updater_server.__main__ import cli
from updater_server.errors import InputError
from updater_server.faces.operator import OperatorFace
from updater_server.parties import movements, statement_pdf, statements
from updater_server.parties.statements import Statement
from updater_server.sales import currency
from updater_server.store.engine import reading


def statement(trade: Trade, holder: str, first: str, last: str) -> Statement:
    with reading(trade.shop.service.engine) as connection:
        who = movements.holder(connection, holder)
        money = currency.shown(connection, trade.shop.service.prices)
        return statements.of_account(connection, who.name, who.account, money, first, last)


def lively(trade: Trade, seed: int) -> None:
    """Five days of deposits, transfers and sales; the server's clock is put back once."""
    chance = random.Random(seed)
    trade.zone()
    trade.now[0] = at("2026-12-01 00:00")
    trade.deposit("ASHA", "9000 KES", "FIRST")
    for n in range(40):
        trade.now[0] += chance.randrange(1, 20_000)
        if n == 20:
            trade.now[0] -= 30_000
        act = chance.randrange(3)
        if act == 0:
            trade.deposit("ASHA", f"{chance.randrange(1, 90)} KES", f"D-{n}")
        elif act == 1:
            trade.transfer("ASHA", trade.terminal, f"{chance.randrange(1, 90)} KES", f"T-{n}")
        else:
            trade.device.sale(n + 1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("holder", ["ASHA", "terminal"])
def test_statements_of_days_that_follow_add_up_to_the_ledger(
    trade: Trade, seed: int, holder: str
) -> None:
    lively(trade, seed)
    name = trade.terminal if holder == "terminal" else "ASHA"
    whole = statement(trade, name, "2000-01-01", "2030-01-01")
    is_now = trade.shop.float_of(trade.device) if holder == "terminal" else trade.float_of("ASHA")
    assert (whole.opening_minor, whole.closing_minor) == (0, is_now)
    at_hand = 0
    lines = 0
    for day in range(1, 32):
        one = statement(trade, name, f"2026-12-{day:02d}", f"2026-12-{day:02d}")
        before = statement(trade, name, "2000-01-01", f"2026-12-{day:02d}")
        assert one.closing_minor == before.closing_minor
        assert one.opening_minor + one.came_minor + one.went_minor == one.closing_minor
        at_hand, lines = one.closing_minor, lines + len(one.lines)
    assert at_hand == is_now
    late = [line for line in whole.lines if line.at < at("2026-12-01 00:00")]
    assert lines + len(late) == len(whole.lines)


def test_a_spreadsheet_has_what_the_statement_has(trade: Trade) -> None:
    lively(trade, 1)
    found = statement(trade, "ASHA", "2026-12-01", "2026-12-31")
    rows = list(csv.reader(io.StringIO(statements.as_csv(found))))
    assert rows[0] == ["time", "kind", "reference", "amount KES", "balance"]
    amounts = [round(float(row[3]) * 100) for row in rows[2:-1]]
    assert amounts == [line.amount_minor for line in found.lines]
    assert round(float(rows[-1][4]) * 100) == found.closing_minor == sum(amounts)


def test_paper_is_a_pdf_and_the_same_each_time(trade: Trade) -> None:
    lively(trade, 1)
    found = statement(trade, "ASHA", "2026-12-01", "2026-12-31")
    paper = statement_pdf.as_pdf(found)
    assert paper.startswith(b"%PDF-")
    assert paper == statement_pdf.as_pdf(found)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [("2026-12-02", "2026-12-01", "is before"), ("soon", "2026-12-01", "no day")],
)
def test_days_that_are_none_are_refused(trade: Trade, first: str, last: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        statement(trade, "ASHA", first, last)
    with pytest.raises(InputError, match="neither a party nor a terminal"):
        statement(trade, "NOBODY", "2026-12-01", "2026-12-01")


def run(trade: Trade, *words: str) -> tuple[int, str]:
    """A command as an operator gives it."""
    arguments = [*words, "--data", str(trade.shop.folder)]
    result = CliRunner(env={"COLUMNS": "100", "DUKA_OPERATOR": "asha"}).invoke(cli, arguments)
    return result.exit_code, result.output


def test_the_operator_does_it_all_by_command(trade: Trade, tmp_path: Path) -> None:
    for words in (
        "party add PIER Pier --kind agent --under LAKE",
        "party add KOFI Kofi --under PIER",
        f"party own {trade.terminal} KOFI",
        "day zone Africa/Nairobi",
        "party rate PIER 0.5% --from 2020-01-01",
        "party deposit PIER 500KES --reference SLIP-9 --bank-line 4711",
        "party transfer PIER KOFI 100KES --reference TR-9",
        f"party transfer KOFI {trade.terminal} 100KES --reference TR-10",
        "party reverse TR-10 --reason mistyped",
        "party credit KOFI 0 --until 2099-01-01",
        "party payback PIER 100KES --reference PB-9",
    ):
        status, said = run(trade, *words.split())
        assert status == 0, (words, said)
    status, tree = run(trade, "party", "list")
    assert status == 0
    assert "PIER (agent)" in tree
    assert "300.00" in tree
    csv_file, pdf = tmp_path / "s.csv", tmp_path / "s.pdf"
    asked = ["party", "statement", "PIER", "--from", "2000-01-01", "--to", "2099-01-01"]
    assert run(trade, *asked, "--csv", str(csv_file), "--pdf", str(pdf))[0] == 0
    assert "topup:SLIP-9" in csv_file.read_text()
    assert pdf.stat().st_size > 1000
    status, shown = run(trade, *asked)
    assert "balance after: 300.00 KES" in shown
    assert run(trade, "day", "close")[0] == 0
    assert run(trade, "day", "list")[0] == 0
    assert run(trade, "check")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ["party", "deposit", "LAKE", "-5 KES", "--reference", "A-1"],
        ["party", "deposit", "LAKE", "5 UGX", "--reference", "A-1"],
        ["party", "deposit", "NOBODY", "5 KES", "--reference", "A-1"],
        ["party", "deposit", "LAKE", "5 KES", "--reference", "A"],
        ["party", "rate", "LAKE", "200%", "--from", "2026-12-01"],
        ["party", "statement", "LAKE", "--from", "yesterday"],
        ["day", "close"],
        ["day", "close", "2026-99-01"],
        ["day", "zone", "Mars/Olympus"],
    ],
)
def test_what_is_wrong_is_refused_in_a_line(trade: Trade, words: list[str]) -> None:
    status, said = run(trade, *words)
    assert status == 2, said
    assert "Traceback" not in said
    assert trade.shop.sql("SELECT COUNT(*) FROM movement") == [(0,)]


def test_the_office_reads_a_statement_as_page_spreadsheet_and_paper(trade: Trade) -> None:
    lively(trade, 2)
    face = OperatorFace(trade.shop.service)
    token = "Basic " + base64.b64encode(f"any:{trade.shop.token}".encode()).decode()
    trade.now[0] = at("2026-12-05 09:00")
    body, kind, name = face.statement(token, {"holder": "ASHA"})
    assert kind.startswith("text/html")
    assert b"2026-11-29 to 2026-12-05, Africa/Nairobi" in body
    found = statement(trade, "ASHA", "2026-11-29", "2026-12-05")
    assert found.money.figures(found.closing_minor).encode() in body
    assert name == ""
    asked = {"holder": trade.terminal, "from": "2026-12-01", "to": "2026-12-02"}
    body, kind, name = face.statement(token, {**asked, "as": "csv"})
    assert body.decode() == statements.as_csv(
        statement(trade, trade.terminal, "2026-12-01", "2026-12-02")
    )
    assert name == f"statement-{trade.terminal}-2026-12-01-2026-12-02.csv"
    body, kind, _ = face.statement(token, {**asked, "as": "pdf"})
    assert (kind, body[:5]) == ("application/pdf", b"%PDF-")
    for wrong in ({"holder": ""}, {**asked, "to": "x"}, {**asked, "as": "exe"}):
        with pytest.raises(InputError):
            face.statement(token, wrong)
    with pytest.raises(NotAuthorizedException):
        face.statement("", asked)
