"""What a technician's token can do, and what it cannot: by HTTP, as a thief of one would try."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from tests.server.device import Device, make_record
from tests.server.shop import NOW, Shop
from updater_server.errors import InputError
from updater_server.faces.app import make_app
from updater_server.fleet import technicians
from updater_server.store.engine import writing

OFFICE = "the office"


@dataclass
class Counter:
    """The shop's server, and somebody with the token of the technician Juma at its door."""

    shop: Shop
    http: TestClient[Any]
    token: str

    def post(self, path: str, body: Any, token: str | None = None) -> httpx.Response:
        who = {"Authorization": f"Bearer {token or self.token}"}
        if isinstance(body, bytes):
            return self.http.post(path, headers=who, content=body)
        return self.http.post(path, headers=who, json=body)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {self.token}"})

    def bring(self, device: Device, parts: list[dict[str, Any]]) -> httpx.Response:
        return self.post(f"/v1/terminals/{device.terminal_id.hex()}/journal", {"parts": parts})

    def ask_permit(
        self, device: Device, action: str, challenge: bytes, **more: Any
    ) -> httpx.Response:
        body = {"action": action, "challenge": challenge.hex(), **more}
        return self.post(f"/v1/terminals/{device.terminal_id.hex()}/permit", body)

    def new_terminal(self) -> tuple[Device, dict[str, Any]]:
        device = Device(secrets.token_bytes(8), secrets.token_bytes(32), self.shop.post)
        body = {
            "terminal": device.terminal_id.hex(),
            "key": device.key.hex(),
            "class": "duka-r1",
            "revision": 1,
        }
        return device, body


@pytest.fixture
def counter(shop: Shop) -> Iterator[Counter]:
    with writing(shop.service.engine) as connection:
        token = technicians.add(connection, "Juma", technicians.BENCH, OFFICE, NOW)
    app: Any = make_app(shop.service)
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Counter(shop, http, token)


def change(shop: Shop, what: Any, *arguments: Any) -> Any:
    with writing(shop.service.engine) as connection:
        return what(connection, *arguments, OFFICE, shop.clock[0])


# --- records that nobody but the technician vouches for ---


def forged_sale(batch: int) -> list[bytes]:
    tag, made = bytes(8), []
    bodies: list[tuple[int, list[Any]]] = [
        (9, [batch, 3]),
        (2, ["air50", 5000, 250, batch, 0]),
        (6, [2, 0]),
    ]
    for number, (kind, body) in enumerate(bodies, 1):
        raw, tag = make_record(kind, number, body, tag)
        made.append(raw)
    return made


def test_a_technician_books_no_sale_that_the_terminal_did_not_seal(counter: Counter) -> None:
    shop = counter.shop
    shop.stock_vault()
    victim = shop.enrol(1)
    records = forged_sale(shop.assign(victim))
    unsealed = [{"first": 1, "records": [raw.hex() for raw in records], "seal": "00" * 32}]
    answer = counter.bring(victim, unsealed)
    assert answer.status_code == 422
    assert "seal" in answer.json()["error"]
    assert shop.float_of(victim) == 100_000
    other = shop.enrol(2)
    assert counter.bring(victim, other.exported(records)).status_code == 422
    assert shop.sql("select count(*) from journal_record") == [(0,)]


def test_a_sealed_export_is_booked_once_and_the_technician_is_noted(counter: Counter) -> None:
    shop = counter.shop
    shop.stock_vault()
    device = shop.enrol(1)
    batch = shop.assign(device)
    device.record(9, [batch, 3])
    device.record(2, ["air50", 5000, 250, batch, 0])
    device.record(6, [2, 0])
    for _ in range(2):
        answer = counter.bring(device, device.exported(device.journal))
        assert answer.json() == {"acknowledged": 3}, answer.text
    assert shop.float_of(device) == 100_000 - 4750
    noted = shop.sql(
        "select t.name, b.job from bench_entry b join technician t on t.id = b.technician_id"
    )
    assert noted == [("Juma", "journal")] * 2


@pytest.mark.parametrize("spoil", ["record", "order", "first", "cut", "added"])
def test_a_sealed_export_that_was_changed_on_the_way_is_refused(
    counter: Counter, spoil: str
) -> None:
    device = counter.shop.enrol(1)
    for number in range(1, 4):
        device.record(1, [number, 1, "power-on"])
    [part] = device.exported(device.journal)
    records = part["records"]
    if spoil == "record":
        records[1] = records[1][:-2] + f"{int(records[1][-2:], 16) ^ 1:02x}"
    elif spoil == "order":
        records[0], records[1] = records[1], records[0]
    elif spoil == "first":
        part["first"] = 2
    elif spoil == "cut":
        del records[2]
    else:
        records.append("")
    assert counter.bring(device, [part]).status_code == 422
    assert counter.shop.sql("select count(*) from journal_record") == [(0,)]


def test_thousands_of_lost_records_do_not_end_a_terminal(counter: Counter) -> None:
    device = counter.shop.enrol(1)
    device.record(1, [1, 1, "power-on"])
    device.upload()
    path = f"/v1/terminals/{device.terminal_id.hex()}/journal"
    for body in (
        {"records": [""] * 3000},
        {"parts": [{"first": 2, "records": [""] * 3000, "seal": "00" * 32}]},
    ):
        assert 400 <= counter.post(path, body).status_code < 500
    assert device.check_in(100_000)[3] == 1


# --- float and terminals that exist only on paper ---


def test_a_technician_hands_out_no_float_that_the_office_did_not_allow(counter: Counter) -> None:
    shop = counter.shop
    _, body = counter.new_terminal()
    refused = counter.post("/v1/terminals", {**body, "float_minor": 10**9})
    assert refused.status_code == 422
    assert "ask the office" in refused.json()["error"]
    assert shop.sql("select count(*) from terminal") == [(0,)]
    change(shop, technicians.allow_float, "Juma", 150_000)
    assert counter.post("/v1/terminals", {**body, "float_minor": 100_000}).status_code == 201
    assert counter.post("/v1/terminals", {**body, "float_minor": 100_000}).status_code == 200
    _, second = counter.new_terminal()
    assert counter.post("/v1/terminals", {**second, "float_minor": 100_000}).status_code == 422
    assert counter.post("/v1/terminals", {**second, "float_minor": 50_000}).status_code == 201
    assert shop.problems() == []


def test_an_allowance_said_twice_counts_once(counter: Counter) -> None:
    for _ in range(2):
        change(counter.shop, technicians.allow_float, "Juma", 50_000)
    [(allowed,)] = counter.shop.sql("select allowance_minor from technician where name = 'Juma'")
    assert allowed == 50_000
    with pytest.raises(InputError):
        change(counter.shop, technicians.allow_float, "Juma", -1)


def test_terminals_made_up_on_a_laptop_end_at_the_days_limit(counter: Counter) -> None:
    shop = counter.shop
    change(shop, technicians.set_daily_limit, "Juma", 3)
    answers = [counter.post("/v1/terminals", counter.new_terminal()[1]) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
    assert "office allows you" in answers[3].json()["error"]
    assert shop.alarms() == ["technician_limit"]
    shop.clock[0] += technicians.DAY_S + 1
    assert counter.post("/v1/terminals", counter.new_terminal()[1]).status_code == 201


@pytest.mark.parametrize(
    "other", [{"channel": "beta"}, {"catalogue": "catalogue/north.json"}, {"merchant": "Duka B"}]
)
def test_an_enrolment_that_says_something_else_the_second_time_is_a_conflict(
    counter: Counter, signed: Any, other: dict[str, str]
) -> None:
    _, body = counter.new_terminal()
    body |= {"merchant": "Duka A"}
    assert counter.post("/v1/terminals", body).status_code == 201
    again = counter.post("/v1/terminals", {**body, **other})
    if "catalogue" in other:  # a price list that nobody signed is refused even before
        assert again.status_code in (409, 503)
    else:
        assert again.status_code == 409
    [(channel, shop_name)] = counter.shop.sql("select channel, merchant_name from terminal")
    assert (channel, shop_name) == ("stable", "Duka A")


# --- permits ---


def test_no_permit_for_a_terminal_that_is_not_on_the_cable(counter: Counter) -> None:
    shop = counter.shop
    victim = shop.enrol(1)
    drawn = secrets.token_bytes(16)
    for challenge in (drawn, drawn + secrets.token_bytes(16), shop.enrol(2).challenge(drawn)):
        for action in ("unlock", "retire"):
            assert counter.ask_permit(victim, action, challenge).status_code == 422
    assert shop.sql("select count(*) from terminal where blocked") == [(0,)], "none was stopped"


def test_a_permit_fits_the_terminals_own_challenge_and_is_noted_whatever_was_noted_before(
    counter: Counter,
) -> None:
    shop = counter.shop
    device = shop.enrol(1)
    drawn = secrets.token_bytes(16)
    for entry_id in (f"permit-{drawn.hex()}", f"permit:{drawn.hex()}"):
        counter.post(
            "/v1/bench",
            [{"id": entry_id, "at": 1, "terminal": "", "job": "selftest", "result": "ok"}],
        )
    content = secrets.token_bytes(32)
    got = counter.ask_permit(device, "file", device.challenge(drawn), content=content.hex())
    assert bytes.fromhex(got.json()["permit"]) == device.permit("file", drawn, content)
    noted = shop.sql(
        "select job, details from bench_entry where terminal_id = :id and result = 'permitted'",
        id=device.terminal_id,
    )
    assert noted == [("file", f'{{"content": "{content.hex()}"}}')]
    again = counter.ask_permit(device, "file", device.challenge(drawn), content=content.hex())
    assert again.status_code == 200
    assert len(shop.sql("select 1 from bench_entry where result = 'permitted'")) == 2


@pytest.mark.parametrize(
    ("action", "content"),
    [("file", None), ("settings", None), ("unlock", "00" * 32), ("file", "00"), ("reset", None),
     ("challenge", None), ("", None)],
)  # fmt: skip
def test_a_permit_that_makes_no_sense_is_refused(
    counter: Counter, action: str, content: str | None
) -> None:
    device = counter.shop.enrol(1)
    challenge = device.challenge(secrets.token_bytes(16))
    assert counter.ask_permit(device, action, challenge, content=content).status_code == 422


def test_permits_end_at_the_days_limit(counter: Counter) -> None:
    change(counter.shop, technicians.set_daily_limit, "Juma", 2)
    device = counter.shop.enrol(1)
    codes = [
        counter.ask_permit(device, "unlock", device.challenge(secrets.token_bytes(16))).status_code
        for _ in range(3)
    ]
    assert codes == [200, 200, 429]
    assert counter.shop.alarms() == ["technician_limit"]


def test_new_settings_tell_the_office_where_the_terminal_belongs(counter: Counter) -> None:
    device = counter.shop.enrol(1)
    place = {"channel": "beta", "merchant": "Duka la Juma"}
    drawn = device.challenge(secrets.token_bytes(16))
    answer = counter.ask_permit(device, "settings", drawn, content="11" * 32, place=place)
    assert answer.status_code == 200
    [row] = counter.shop.sql("select channel, catalogue, merchant_name from terminal")
    assert row == ("beta", "catalogue/default.json", "Duka la Juma")
    wrong = {"channel": "gamma"}
    answer = counter.ask_permit(device, "settings", drawn, content="11" * 32, place=wrong)
    assert answer.status_code == 422


# --- the token itself ---


def test_a_token_taken_back_opens_nothing_and_a_renewed_one_does(counter: Counter) -> None:
    shop = counter.shop
    _, body = counter.new_terminal()
    change(shop, technicians.withdraw, "Juma")
    assert counter.post("/v1/terminals", body).status_code == 401
    assert counter.post("/v1/bench", []).status_code == 401
    token = change(shop, technicians.renew, "Juma")
    assert counter.post("/v1/terminals", body).status_code == 401, "the old one stays dead"
    assert counter.post("/v1/terminals", body, token).status_code == 201
    events = [what for (what,) in shop.sql("select what from technician_event where at > 0")]
    assert events[-2:] == ["token withdrawn", "token renewed"]


def test_a_bench_token_reads_neither_the_fleet_nor_the_dashboard(counter: Counter) -> None:
    assert counter.get("/v1/terminals").status_code == 403
    assert counter.http.get("/", auth=("anyone", counter.token)).status_code == 403
    assert counter.http.get("/", auth=("anyone", counter.shop.token)).status_code == 200
    change(counter.shop, technicians.set_role, "Juma", technicians.OFFICE)
    assert counter.get("/v1/terminals").status_code == 200
    with pytest.raises(InputError, match="no role"):
        change(counter.shop, technicians.set_role, "Juma", "boss")


@pytest.mark.parametrize(
    "body",
    [
        [{"id": "x1", "at": 2**63, "terminal": "", "job": "j", "result": "r"}],
        [{"id": "x1", "at": -1, "terminal": "", "job": "j", "result": "r"}],
        [{"id": "permit:x", "at": 1, "terminal": "", "job": "j", "result": "r"}],
        [{"id": "", "at": 1, "terminal": "", "job": "j", "result": "r"}],
        b'[{"id":"\\ud800","at":1,"terminal":"","job":"j","result":"r"}]',
        b'[{"id":"x","at":1,"terminal":"","job":"\\ud800","result":"r"}]',
        b'[{"id":"x3","at":1,"terminal":"","job":"j","result":"r","details":{"a":'
        + b"[" * 5000 + b"]" * 5000 + b"}}]",
        b"\xff\xfe", b"{}", b"null",
    ],
)  # fmt: skip
def test_odd_entries_of_a_bench_are_refused_in_words(counter: Counter, body: Any) -> None:
    answer = counter.post("/v1/bench", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]
    assert counter.shop.sql("select count(*) from bench_entry") == [(0,)]
