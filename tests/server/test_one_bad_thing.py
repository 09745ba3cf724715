"""Whatever one terminal or one person sends: a typed answer, and everybody else goes on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from tests.server.device import Device, make_record
from tests.server.shop import NOW, Shop
from updater_server.faces.app import make_app
from updater_server.sales import booking, ledger

HUGE = [2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), -(2**63) - 1, -(2**64)]
GOOD_BODIES: dict[int, list[Any]] = {
    1: [1, 1, "power-on"],
    2: ["air50", 5000, 250, 1, 0],
    3: ["air50", 5000, 250],
    4: [1, b"x" * 24, "AIR50-000000", 0, 95_250],
    5: [1, "no_float"],
    6: [1, 0],
    7: [1],
    8: [100_000, 0, 0],
    9: [1, 3],
    10: ["language", "sw"],
}
ODD: list[Any] = [*HUGE, "", "a\0b", "ü" * 60, b"", [], [1], {}, None, True, -1, 0]

SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def cases() -> Iterator[tuple[int, int, Any]]:
    for kind, body in GOOD_BODIES.items():
        for at in range(len(body)):
            for value in ODD:
                yield kind, at, value


def test_a_record_with_anything_in_any_place_is_taken_in_and_the_next_ones_too(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device)
    for kind, at, value in cases():
        body = [batch if (kind, place) == (2, 3) else item
                for place, item in enumerate(GOOD_BODIES[kind])]  # fmt: skip
        body[at] = value
        device.record(kind, body)
    for first in range(0, len(device.journal), 40):
        reply = device.upload(first + 1, first + 40)
        assert reply[0] == 3, reply
        # What a terminal must be able to do after each of them.
        assert device.check_in(own_float=reply[2])[0] == 1
    assert shop.sql("SELECT acknowledged_through FROM terminal") == [(len(device.journal),)]
    sequence = device.record(3, ["air50", 5000, 250])
    assert device.sale(sequence)[1] == 0
    assert device.upload(sequence)[1] == sequence
    assert shop.problems() == []


def test_an_integer_of_2_to_the_63_in_a_record_does_not_stop_the_journal(shop: Shop) -> None:
    device = shop.enrol()
    device.record(2, ["air50", 5000, 250, 2**63, 0])
    device.record(4, [2**63, b"x", "s", 0, 0])
    device.record(5, [2**64 - 1, "no_float"])
    assert device.upload()[1] == 3
    assert shop.alarms() == ["journal_nonsense"] * 3
    for (text,) in shop.sql("SELECT text FROM alarm"):  # told by the reader, not by the net below
        assert "does not fit kind" in text
    assert device.check_in(own_float=100_000)[0] == 1


CONTENTS: list[dict[int, Any]] = [
    {0: 1, 1: 5, 2: 7, 3: "a", 4: False, 5: 1, 6: 3900, 7: 20, 8: [6, "crash"], 9: 0, 10: [1, 1]},
    {0: 2, 1: 1, 2: "air50", 3: 5000, 4: 0, 20: 250},
    {0: 3, 1: []},
    {0: 4, 1: 1},
    {0: 5, 1: 1, 2: bytes(32)},
]


@pytest.mark.parametrize("number", range(len(CONTENTS)))
def test_a_message_with_anything_in_any_place_gets_a_sealed_answer(shop: Shop, number: int) -> None:
    device = shop.enrol()
    shop.stock_vault()
    for key, good in CONTENTS[number].items():
        inside = [[*good[:at], odd, *good[at + 1 :]] for at in range(len(good)) for odd in ODD] \
            if isinstance(good, list) else []  # fmt: skip
        for value in [*ODD, *inside]:
            status, reply = device.post({**CONTENTS[number], key: value})
            assert status == 200, (key, value)
            assert reply[0] in (-1, 1, 2, 3, 4, 5)
    assert device.check_in(own_float=shop.float_of(device))[0] == 1
    assert shop.problems() == []


leaves = st.one_of(
    st.integers(-(2**64), 2**64 - 1), st.text(max_size=40), st.binary(max_size=40),
    st.booleans(), st.none(), st.sampled_from(HUGE),
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(0, 24) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(content=st.dictionaries(st.integers(0, 24), values, max_size=12), kind=st.integers(0, 6))
@SETTINGS
def test_any_sealed_content_gets_a_sealed_answer(
    shop: Shop, content: dict[int, Any], kind: int
) -> None:
    device = any_device(shop)
    status, reply = device.post({**content, 0: kind})
    assert status == 200
    assert reply[0] in (-1, kind)


@given(body=st.lists(values, max_size=6), kind=st.integers(1, 20), lost=st.booleans())
@SETTINGS
def test_any_record_that_fits_its_frame_is_taken_in(
    shop: Shop, body: list[Any], kind: int, lost: bool
) -> None:
    device = any_device(shop)
    if len(cbor2.dumps(body, canonical=True)) > 240:
        return
    at, tag = shop.sql("SELECT acknowledged_through, chain_tag FROM terminal")[0]
    raw, tag = make_record(kind, at + 1, body, tag or bytes(8))
    behind, _ = make_record(1, at + 3, [1, 1, "power-on"], tag)
    uploaded = [raw, *([b"", behind] if lost else [])]
    reply = device.ask({0: 3, 1: uploaded})
    assert reply[1] == at + len(uploaded)


def any_device(shop: Shop) -> Device:
    """The shop's one terminal; the examples of one test share it."""
    if not shop.sql("SELECT id FROM terminal"):
        shop.stock_vault(count=5)
        shop.enrol()
    device = Device((1).to_bytes(8, "big"), _key(1), shop.post)
    device.boot_count = shop.sql("SELECT last_counter FROM terminal")[0][0] // 2**24 + 1
    return device


def _key(number: int) -> bytes:
    import hashlib

    return hashlib.sha256(b"%d" % number).digest()


def test_a_fault_of_ours_is_an_alarm_and_a_refusal_and_uses_the_message_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.enrol()

    def broken(*_arguments: object) -> int:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "float_minor", broken)
        body, counter = device.seal({0: 3, 1: []})
        status, answer = shop.post(body)
        assert status == 200
        assert device.open(answer, counter)[1] == "bad_message"
        assert shop.post(body)[0] == 409
    assert shop.alarms() == ["message_failed"]
    assert device.check_in()[0] == 1


def test_without_the_net_under_each_record_one_would_stop_the_journal(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same upload with effects applied bare: so the tests above can fail."""
    device = shop.enrol()
    device.record(2, ["air50", 5000, 250, 1, 0])

    def explodes(*_arguments: object) -> None:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")

    with monkeypatch.context() as patch:
        patch.setitem(booking._EFFECTS, 2, explodes)
        patch.setattr(booking, "apply", lambda *arguments: explodes())
        assert device.ask({0: 3, 1: device.journal})[1] == "bad_message"
    assert device.upload()[1] == 1


# --- people's endpoints ---

JSON_VALUES: list[Any] = [
    *HUGE, 10**30, 10**400, 1.5, 1e308, -1, "", "a\0b", "\ud800", "x" * 10_000, None, True, [], {},
    [[]], "ff" * 8, "00" * 32,
]  # fmt: skip
ENROLMENT = {
    "terminal": "aa" * 8, "key": "11" * 32, "class": "duka-r1", "revision": 1, "float_minor": 5,
    "channel": "stable", "catalogue": "catalogue/default.json",
}  # fmt: skip
BENCH = {
    "id": "b1", "at": 5, "terminal": "aa" * 8, "job": "provision", "result": "ok",
    "details": {"n": 1},
}  # fmt: skip


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient[Any]]:
    application: Any = make_app(shop.service)
    with TestClient(application, raise_server_exceptions=False) as made:
        made.headers["authorization"] = f"Bearer {shop.token}"
        yield made


def changed(good: dict[str, Any]) -> Iterator[bytes]:
    for name in good:
        for value in JSON_VALUES:
            yield json.dumps({**good, name: value}).encode()
    yield b"[" * 60_000
    yield b'{"details":' * 5_000
    yield b"\xff\xfe"
    yield b""
    yield b"9" * 5_000


def test_a_request_of_a_person_with_anything_in_any_place_gets_a_documented_status(
    client: TestClient[Any], shop: Shop
) -> None:
    shop.enrol(1)
    name = (1).to_bytes(8, "big").hex()
    asked = {
        "/v1/terminals": list(changed(ENROLMENT)),
        f"/v1/terminals/{name}/permit": list(changed({"action": "file", "challenge": "22" * 16})),
        f"/v1/terminals/{name}/journal": list(changed({"records": ["00"]})),
        "/v1/bench": [b"[" + body + b"]" for body in changed(BENCH)],
    }
    for path, bodies in asked.items():
        for body in bodies:
            answer = client.post(path, content=body)
            documented = (200, 201, 409, 422, 503 if b"catalogue" in body else 422)
            assert answer.status_code in documented, (path, body[:200], answer.text)
            if answer.status_code > 201:
                assert answer.json()["error"]
    for odd in ("zz", "00", "%00", "é", "a" * 300, "..%2f", "\N{ARABIC-INDIC DIGIT ONE}" * 16):
        for end in ("permit", "journal"):
            answer = client.post(f"/v1/terminals/{odd}/{end}", content=b"{}")
            assert answer.status_code in (404, 405, 422), (odd, answer.status_code)
    assert shop.problems() == []


@pytest.mark.parametrize(
    "token", ["", "x", "é", "\0", "a" * 5000, base64.b64encode(b"\xff:\xfe").decode(), "a:b:c"]
)
def test_no_credential_of_any_shape_is_an_error_of_ours(shop: Shop, token: str) -> None:
    application: Any = make_app(shop.service)
    with TestClient(application, raise_server_exceptions=False) as client:
        for scheme in ("Bearer", "Basic"):
            headers = {b"authorization": f"{scheme} {token}".encode()}
            for path in ("/", "/v1/terminals"):
                assert client.get(path, headers=headers).status_code == 401


def test_the_technicians_entry_of_the_largest_time_is_kept(
    client: TestClient[Any], shop: Shop
) -> None:
    shop.enrol(1)
    entry = {**BENCH, "terminal": (1).to_bytes(8, "big").hex(), "at": 2**32 - 1}
    assert client.post("/v1/bench", json=[entry]).json() == {"new": 1}
    refused = client.post("/v1/bench", json=[{**entry, "id": "b2", "at": 2**32}])
    assert refused.status_code == 422
    assert shop.sql("SELECT at, received_at FROM bench_entry") == [(2**32 - 1, NOW)]


def test_no_file_path_is_an_error_of_ours(client: TestClient[Any], tmp_path: Path) -> None:
    for path in ("%00", "a%00b", "targets/" + "a" * 5000, "metadata/%ff", "targets//x", "metadata"):
        answer = client.get(f"/tuf/{path}", headers={"range": "bytes=" + "9" * 40 + "-"})
        assert answer.status_code in (400, 404), path
