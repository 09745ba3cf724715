"""Programs of the operator and of parties: what they see and what they move."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar.exceptions import TooManyRequestsException
from typer.testing import CliRunner

from tests.parties.trade import Trade
from tests.partners.program import Program
from updater_server.__main__ import cli
from updater_server.faces.front import Front
from updater_server.faces.partners import access
from updater_server.parties import tokens
from updater_server.store.engine import writing

DEPOSIT = {"party": "LAKE", "amount_minor": 500_000, "currency": "KES", "reference": "SLIP-1"}


def problem(response: httpx.Response, status: int) -> str:
    """The detail of a problem, which is well formed."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert body["status"] == status
    return str(body["detail"])


def transfer(giver: str, taker: str, minor: int, reference: str) -> dict[str, Any]:
    return {
        "giver": giver, "taker": taker, "amount_minor": minor, "currency": "KES",
        "reference": reference,
    }  # fmt: skip


def test_money_goes_from_the_bank_to_the_terminal_and_all_adds_up(
    trade: Trade, ours: Program
) -> None:
    posted = ours.post("/deposits", **DEPOSIT, bank_line="4711")
    assert posted.status_code == 201
    assert posted.json()["taker"] == "LAKE"
    for giver, taker in (("LAKE", "SHORE"), ("SHORE", "ASHA"), ("ASHA", trade.terminal)):
        sent = ours.post("/transfers", **transfer(giver, taker, 100_000, f"T-{giver}"))
        assert sent.status_code == 201, sent.text
    assert trade.shop.float_of(trade.device) == 200_000
    assert trade.device.sale(1)[1] == 0
    statement = ours.get(f"/statements/{trade.terminal}").json()
    assert statement["opening_minor"] + sum(
        line["amount_minor"] for line in statement["lines"]
    ) == statement["closing_minor"] == 200_000 - 4750  # fmt: skip
    parties = {one["code"]: one for one in ours.get("/parties").json()}
    assert (parties["LAKE"]["float_minor"], parties["SHORE"]["under"]) == (400_000, "LAKE")
    assert trade.shop.problems() == []


def test_what_is_asked_twice_is_done_once_and_otherwise_refused(
    trade: Trade, ours: Program
) -> None:
    first = ours.post("/deposits", **DEPOSIT)
    again = ours.post("/deposits", **DEPOSIT)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    detail = problem(ours.post("/deposits", **{**DEPOSIT, "amount_minor": 1}), 409)
    assert "posted before" in detail
    assert trade.float_of("LAKE") == 500_000


def test_a_party_sees_itself_and_what_stands_under_it(trade: Trade, front: Front) -> None:
    trade.add("PIER", "agent", "LAKE")
    with Program.new(trade, front, "shore", "SHORE") as shore:
        assert [one["code"] for one in shore.get("/parties").json()] == ["SHORE", "ASHA", "JOY"]
        assert shore.get(f"/statements/{trade.terminal}").status_code == 200
        for beyond in ("/parties/LAKE", "/parties/PIER", "/statements/LAKE", "/parties/NOBODY"):
            assert "within reach" in problem(shore.get(beyond), 404)
    with Program.new(trade, front, "joy", "JOY") as joy:
        for what in ("sales", "z-reports", "shifts"):
            problem(joy.get(f"/terminals/{trade.terminal}/{what}"), 404)
        problem(joy.get(f"/statements/{trade.terminal}"), 404)


def test_a_party_gives_only_what_is_its_own(trade: Trade, front: Front) -> None:
    trade.deposit("SHORE", "100 KES", "SLIP-1")
    trade.deposit("ASHA", "100 KES", "SLIP-2")
    with Program.new(trade, front, "shore", "SHORE", may_move=True) as shore:
        assert shore.post("/transfers", **transfer("SHORE", "ASHA", 10, "T-1")).status_code == 201
        refused = shore.post("/transfers", **transfer("ASHA", "SHORE", 10, "T-2"))
        assert "only what is its own" in problem(refused, 403)
        assert "by the operator" in problem(shore.post("/deposits", **DEPOSIT), 403)
        assert "above the other" in problem(
            shore.post("/transfers", **transfer("SHORE", trade.terminal, 10, "T-3")), 422
        )
    assert (trade.float_of("SHORE"), trade.float_of("ASHA")) == (9_990, 10_010)


def test_a_token_that_only_reads_moves_nothing(trade: Trade, front: Front) -> None:
    with Program.new(trade, front, "reader", "") as reader:
        assert "only reads" in problem(reader.post("/deposits", **DEPOSIT), 403)
        assert "only reads" in problem(
            reader.post("/transfers", **transfer("LAKE", "SHORE", 1, "T-1")), 403
        )
    assert trade.float_of("LAKE") == 0


@pytest.mark.parametrize("token", ["", "duka_nothing", "\u00e9", "x" * 5000])
def test_who_has_no_token_is_told_nothing(trade: Trade, front: Front, token: str) -> None:
    with Program(front, "") as stranger:
        header = {"authorization": f"Bearer {token}".encode()}
        answer = stranger.raw("GET", "/parties", headers=header)
        assert "token is needed" in problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_that_was_withdrawn_opens_nothing(trade: Trade, ours: Program) -> None:
    assert ours.get("/parties").status_code == 200
    with writing(trade.shop.service.engine) as connection:
        tokens.withdraw(connection, "ours", "asha", trade.now[0])
    problem(ours.get("/parties"), 401)
    assert (
        trade.shop.sql("SELECT COUNT(*) FROM api_token WHERE token_sha256 = ?1") if False else True
    )


def test_sales_are_told_newest_first_page_by_page_and_never_their_pins(
    trade: Trade, ours: Program
) -> None:
    for sequence in range(1, 8):
        trade.device.sale(sequence)
    trade.device.sale(9, "nothing", 100)
    path = f"/terminals/{trade.terminal}/sales"
    first = ours.get(path, limit=3).json()
    assert [one["sequence"] for one in first["sales"]] == [9, 7, 6]
    assert (first["sales"][0]["state"], first["sales"][0]["refusal"]) == (
        "refused",
        "unknown_product",
    )
    rest = ours.get(path, before=first["next_before"]).json()
    assert [one["sequence"] for one in rest["sales"]] == [5, 4, 3, 2, 1]
    assert rest["next_before"] is None
    one = ours.get(f"{path}/7")
    assert one.json()["serial"].startswith("AIR50-")
    assert "70000000000000" not in one.text
    assert "no sale 8" in problem(ours.get(f"{path}/8"), 404)


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(
    trade: Trade, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    pace = access.Pace(lambda: now[0])
    monkeypatch.setattr(access, "AT_ONCE", 3.0)
    for _ in range(3):
        pace.ask(1)
    with pytest.raises(TooManyRequestsException):
        pace.ask(1)
    pace.ask(2)
    now[0] += 1 / access.A_SECOND
    pace.ask(1)
    monkeypatch.setattr(access, "A_SECOND", 0.0)  # however slowly this machine answers
    with Program.new(trade, front, "fast", "") as fast:
        answers = [fast.get("/parties") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 3
    assert answers[3].headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", 0), ("amount_minor", -5), ("amount_minor", 1.5), ("amount_minor", "100"),
        ("amount_minor", 10**15 + 1), ("amount_minor", 2**63), ("amount_minor", True),
        ("currency", "kes"), ("currency", "KESX"), ("reference", "x"), ("reference", "a b c"),
        ("reference", "x" * 41), ("party", ""), ("party", "../.."), ("bank_line", "x" * 65),
        ("colour", "red"),
    ],
)  # fmt: skip
def test_a_body_that_is_wrong_is_refused_by_its_field(
    trade: Trade, ours: Program, field: str, value: object
) -> None:
    detail = problem(ours.post("/deposits", **{**DEPOSIT, field: value}), 400)
    assert detail
    assert trade.float_of("LAKE") == 0


def test_another_currency_is_refused(trade: Trade, ours: Program) -> None:
    assert "kept in KES" in problem(ours.post("/deposits", **{**DEPOSIT, "currency": "UGX"}), 422)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"party":',
        b"\xff\xfe",
        b'{"party": {"party": 1}}' + b" " * 20000,
    ],
)
def test_what_is_no_json_of_ours_is_refused(ours: Program, content: bytes) -> None:
    answer = ours.raw(
        "POST", "/deposits", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 413)
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_the_operator_makes_and_withdraws_tokens(trade: Trade) -> None:
    def run(*words: str) -> tuple[int, str]:
        result = CliRunner(env={"COLUMNS": "100", "DUKA_OPERATOR": "asha"}).invoke(
            cli, [*words, "--data", str(trade.shop.folder)]
        )
        return result.exit_code, result.output

    status, said = run("token", "add", "shore-app", "--party", "SHORE", "--move")
    assert (status, said.startswith("token: duka_")) == (0, True)
    assert run("token", "add", "shore-app")[0] == 1
    assert "SHORE" in run("token", "list")[1]
    assert run("token", "withdraw", "shore-app")[0] == 0
    assert run("token", "withdraw", "shore-app")[0] == 2
    assert "withdrawn" in run("token", "list")[1]


def test_z_reports_and_shifts_are_told_with_what_differs(trade: Trade, ours: Program) -> None:
    device = trade.device
    shift = device.record(15, [20000, 0])
    device.record(16, [shift, 19000, 20000, 0, 0, 0])
    device.record(15, [0, 1])
    device.record(17, [1, 1, 0, 0, 0, device.tag])
    device.record(17, [3, 5, 0, 0, 0, bytes(8)])
    device.upload()
    second, first = ours.get(f"/terminals/{trade.terminal}/z-reports").json()
    assert (first["number"], first["first_record"], first["last_record"]) == (1, 1, 3)
    assert first["differs"] == [] and len(first["digest"]) == 16
    assert second["differs"] == [
        *("numbers 2 to 2 are missing", "its digest is not that of record 4"),
    ]
    still_open, closed = ours.get(f"/terminals/{trade.terminal}/shifts").json()
    assert still_open["closed_at"] is None and still_open["person"] == 1
    assert closed["cash_counted_minor"] - closed["cash_expected_minor"] == -1000
