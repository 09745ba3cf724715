"""Another secret that seals: everything is sealed anew under it while servers sell, and the one
before goes only when nothing needs it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner, Result

from tests.server.device import Device
from tests.server.engines import SQLITE_ALONE
from tests.server.shop import NOW, Shop, voucher_csv
from updater_server import resealing, server_key, wrapped
from updater_server.__main__ import cli
from updater_server.errors import InputError, KeyMissing, StateError, VaultError
from updater_server.faces import serving
from updater_server.faces.health import Health
from updater_server.parties import webhooks
from updater_server.resealing import KNOWN_AFTER_S, PIECE_ROWS, PLACES
from updater_server.sales import incoming, supplier_setup, vault, vend_rows
from updater_server.server_key import FOREVER, ServerKey
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.store.tables import metadata, terminal, vend, voucher, webhook, wrapped_secret

ON_BOTH_ENGINES = True
LATER = NOW + KNOWN_AFTER_S


def command(shop: Shop, *arguments: object) -> Result:
    words = [str(each) for each in arguments]
    return CliRunner().invoke(cli, [*words, "--data", str(shop.folder)])


def another(shop: Shop) -> Shop:
    """The same shop as another process has it; its clock is the first one's."""
    clock = shop.clock
    return Shop(shop.folder, Service.open(shop.folder, lambda: clock[0]), shop.token, clock)


def sealed_everywhere(shop: Shop) -> Device:
    """Something in each place where anything is sealed, and a sale."""
    device = shop.enrol()
    shop.stock_vault(count=6)
    assert device.sale(1)[1] == 0
    key = shop.service.key
    with writing(shop.service.engine) as connection:
        settings = {"url": "http://127.0.0.1:9", "username": "duka"}
        supplier_setup.put(
            connection, key, "at", "airtime", settings, {"api_key": "atsk_x"}, "asha", NOW
        )
        webhooks.put(connection, key, "till", "https://example.com/in", None, "asha", NOW)
        for number, answer in enumerate((["1234", []], None)):
            row = {"reference": f"R{number}"}
            sealed = key.seal(
                vend_rows.PURPOSE, vend_rows.context(row), json.dumps(answer).encode()
            )
            connection.execute(
                insert(vend).values(
                    terminal_id=device.terminal_id, sequence=900 + number, supplier="at", code="",
                    recipient="254700000001", amount_minor=5000, currency="KES", minor_digits=2,
                    reference=row["reference"], state="delivered" if answer else "sent", tries=0,
                    next_at=0, supplier_reference=f"S{number}" if answer else None,
                    created_at=NOW, decided_at=NOW if answer else None,
                    answer_sealed=sealed if answer else None,
                )
            )  # fmt: skip
    return device


def all_opened(shop: Shop) -> list[tuple[str, bytes]]:
    """What every sealed thing holds."""
    found = []
    with reading(shop.service.engine) as connection:
        for place in PLACES:
            (own,) = place.table.primary_key.columns
            for row in connection.execute(select(place.table).order_by(own)).mappings():
                if row[place.column.name]:
                    value = shop.service.key.open(
                        place.purpose, place.context(row), row[place.column.name]
                    )
                    found.append((place.table.name, value))
    return found


def renewed(shop: Shop) -> list[resealing.Counted]:
    resealing.add(shop.service, "asha")
    return resealing.reseal(shop.service, lambda _: None)


@SQLITE_ALONE
def test_every_place_where_something_is_sealed_is_known(shop: Shop) -> None:
    sealed = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith("_sealed")
    }
    assert sealed == {(place.table.name, place.column.name) for place in PLACES}


def test_everything_is_sealed_anew_and_says_what_it_said(shop: Shop) -> None:
    device = sealed_everywhere(shop)
    before = all_opened(shop)
    assert {name for name, _ in before} == {place.table.name for place in PLACES}
    sold = device.sale(1)
    done = command(shop, "key", "renew", "--by", "asha")
    assert done.exit_code == 0, done.output
    assert "voucher: 6 looked at, 6 sealed anew" in done.output
    assert all_opened(shop) == before
    assert device.sale(1) == sold  # a server that runs opens what another one sealed
    assert device.sale(2)[1] == 0
    assert "device_key" not in shop.alarms()
    again = another(shop)
    assert all_opened(again) == before
    for place in PLACES:
        for (value,) in shop.sql(f"SELECT {place.column.name} FROM {place.table.name}"):
            assert value is None or server_key.number_of(bytes(value)) == 2, place.table.name


@SQLITE_ALONE
def test_what_is_done_is_not_done_again(shop: Shop) -> None:
    sealed_everywhere(shop)
    assert sum(counted.anew for counted in renewed(shop)) == 10
    rows = shop.sql("SELECT pin_sealed FROM voucher ORDER BY id")
    assert sum(counted.anew for counted in renewed(shop)) == 0
    assert shop.sql("SELECT pin_sealed FROM voucher ORDER BY id") == rows
    assert shop.sql("SELECT COUNT(*) FROM wrapped_secret") == [(3,)]


@SQLITE_ALONE
def test_cut_between_two_pieces_it_is_gone_on_with(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=PIECE_ROWS + 5)

    class Cut(BaseException):
        pass

    def cut(counted: resealing.Counted) -> None:
        raise Cut

    resealing.add(shop.service, "asha")
    with pytest.raises(Cut):
        resealing.reseal(shop.service, cut)
    assert device.sale(1)[1] == 0
    assert device.sale(2)[1] == 0
    shop.clock[0] = LATER
    with pytest.raises(StateError, match="is sealed under secret 1 yet"):
        resealing.drop(shop.service, "asha")
    again = another(shop)
    found = {counted.name: counted.anew for counted in renewed(again)}
    assert found["voucher"] == 5
    assert resealing.drop(again.service, "asha") == 1
    assert shop.problems() == []


def test_the_secret_of_before_goes_when_nothing_is_sealed_under_it(shop: Shop) -> None:
    device = sealed_everywhere(shop)
    before = all_opened(shop)
    renewed(shop)
    with pytest.raises(StateError, match="again in 5 min"):
        resealing.drop(shop.service, "asha")
    shop.clock[0] = LATER
    assert resealing.drop(shop.service, "asha") == 1
    with pytest.raises(StateError, match="`key renew` makes another"):
        resealing.drop(shop.service, "asha")
    again = another(shop)
    assert all_opened(again) == before
    assert device.sale(1)[1] == 0
    shop.stock_vault(count=2, start=50)
    again.stock_vault(count=2, start=60)
    assert resealing.add(again.service, "asha") == 3  # and so on
    with reading(shop.service.engine) as connection:
        counted = {row["number"]: row["sealed"] for row in resealing.listed(connection)}
    assert counted[2]["voucher"] == 10 and counted[3]["voucher"] == 0


@SQLITE_ALONE
def test_equal_pins_are_found_across_secrets(shop: Shop) -> None:
    """Digests keep their secret: what finds a PIN that was sold before must not change with it."""
    sealed_everywhere(shop)
    renewed(shop)
    with (
        writing(shop.service.engine) as connection,
        pytest.raises(InputError, match="already"),
    ):
        csv = "product,pin,serial,expiry\nair50,7000000000000003,OTHER,\n"
        incoming.import_csv(connection, shop.service.key, csv, NOW)


@SQLITE_ALONE
def test_how_long_pins_are_is_known_under_either_secret(shop: Shop) -> None:
    shop.stock_vault(count=3)
    renewed(shop)
    shop.stock_vault(count=3, start=10)
    with reading(shop.service.engine) as connection:
        assert incoming.usual_lengths(connection, "air50") == {16}


# --- what the database itself refuses ---


def test_no_secret_goes_under_which_anything_is_sealed(shop: Shop) -> None:
    sealed_everywhere(shop)
    for number, place in enumerate(PLACES, 1):
        resealing.add(shop.service, "asha")
        shop.clock[0] += KNOWN_AFTER_S
        for other in PLACES:
            if other is not place:
                resealing._reseal(shop.service, other, lambda _: None)
        with pytest.raises(StateError, match=f"is sealed under secret {number} yet"):
            resealing.drop(shop.service, "asha")
        resealing.reseal(shop.service, lambda _: None)
        for kept in (0, number + 1):
            with (
                writing(shop.service.engine) as connection,
                pytest.raises(IntegrityError, match="would be lost"),
            ):
                connection.execute(delete(wrapped_secret).where(wrapped_secret.c.number == kept))
        assert resealing.drop(shop.service, "asha") == number


def test_nothing_is_written_under_a_secret_that_is_gone(shop: Shop) -> None:
    """By a server that has not heard of it, say: it is refused, and not lost."""
    device = sealed_everywhere(shop)
    late = ServerKey(*old_secrets(shop))
    renewed(shop)
    shop.clock[0] = LATER
    resealing.drop(shop.service, "asha")
    with (
        writing(shop.service.engine) as connection,
        pytest.raises(IntegrityError, match="under a secret that is not here"),
    ):
        incoming.import_csv(connection, late, voucher_csv("air50", [70]), NOW)
    for table, column in ((terminal, "key_sealed"), (webhook, "secret_sealed")):
        with (
            writing(shop.service.engine) as connection,
            pytest.raises(IntegrityError, match="under a secret that is not here"),
        ):
            sealed = late.seal("device key", device.terminal_id, device.key)
            connection.execute(update(table).values({column: sealed}))


def old_secrets(shop: Shop) -> tuple[bytes, dict[int, bytes]]:
    """As a server has them that has not heard of newer ones."""
    found = wrapped._secrets(shop.service.folder.server_key, shop.service.engine)
    return found.pop(FOREVER), found


def test_a_pin_and_a_delivery_change_in_no_other_way(shop: Shop) -> None:
    sealed_everywhere(shop)
    old = ServerKey(*old_secrets(shop))
    key = shop.service.key

    def refused(table: Table, **values: Any) -> None:
        with writing(shop.service.engine) as connection, pytest.raises(IntegrityError):
            connection.execute(update(table).where(table.c.id == 1).values(values))

    refused(voucher, pin_sealed=old.seal("voucher", b"air50\0AIR50-000000", b"1"))
    refused(vend, answer_sealed=old.seal("vend", b"R0", b"[]"))
    renewed(shop)
    refused(voucher, pin_sealed=old.seal("voucher", b"air50\0AIR50-000000", b"1"))
    refused(voucher, pin_sealed=key.seal("voucher", b"air50\0AIR50-000000", b"1"))
    refused(vend, answer_sealed=key.seal("vend", b"R0", b"[]"))
    shop.clock[0] = LATER
    resealing.drop(shop.service, "asha")
    resealing.add(shop.service, "asha")
    answer = key.seal("vend", b"R0", b"[]")
    refused(vend, answer_sealed=answer, amount_minor=1)
    refused(vend, answer_sealed=answer, state="rejected")
    refused(voucher, pin_sealed=key.seal("voucher", b"x", b"1"), serial="OTHER")


# --- a machine that was not brought the new server.key ---


def test_a_server_with_an_old_key_file_sets_nothing_aside(shop: Shop) -> None:
    """It sells what it can open; of the rest it says: ask again. It is the same sale later."""
    device = shop.enrol()
    shop.stock_vault(count=6)
    assert device.sale(1)[1] == 0
    file = shop.folder / "server.key"
    other, before = another(shop), file.read_bytes()
    wrapped.change(file, other.service.engine, NOW, lambda _, __: None)
    renewed(other)
    after = file.read_bytes()
    file.write_bytes(before)
    asked = {0: 2, 1: 2, 2: "air50", 3: 5000, 4: NOW, 20: 250}
    assert device.post(asked)[0] == 503
    with reading(shop.service.engine) as connection, pytest.raises(KeyMissing, match="fingerprint"):
        vault.reveal(connection, shop.service.key, 1)
    assert shop.sql("SELECT COUNT(*) FROM voucher_aside") == [(0,)]
    assert shop.sql("SELECT COUNT(*) FROM sale") == [(1,)]
    (trouble,) = Health(shop.service).problems()
    assert "fingerprint" in trouble  # so that a balancer asks another one
    file.write_bytes(after)
    serving._learn_keys(shop.service)
    assert Health(shop.service).problems() == []
    assert device.post(asked)[1][1] == 0
    assert shop.problems() == []


@SQLITE_ALONE
def test_a_mark_that_no_secret_has_is_damage_like_any_other(shop: Shop) -> None:
    """A rotten byte in it stands in nobody's way."""
    key = shop.service.key
    sealed = server_key.mark(7) + key.seal("voucher", b"air50\0A", b"1")
    with pytest.raises(VaultError):
        key.open("voucher", b"air50\0A", sealed)


@SQLITE_ALONE
def test_what_looks_marked_by_chance_opens_under_the_first_secret(shop: Shop) -> None:
    """What was sealed before there were marks begins with a random nonce, which may be anything."""
    renewed(shop)
    secret = old_secrets(shop)[1][1]
    key = ServerKey(secret, {1: secret, 2: bytes(32)})
    nonce = server_key.mark(2) + b"rest"
    sealed = AESGCM(key._key("voucher", 1, secret)).encrypt(nonce, b"1234", b"air50\0A")
    assert key.open("voucher", b"air50\0A", nonce + sealed) == b"1234"


@SQLITE_ALONE
def test_a_server_learns_within_its_minute(shop: Shop) -> None:
    renewed(another(shop))
    assert shop.service.key.newest == 1
    serving._learn_keys(shop.service)
    assert shop.service.key.newest == 2
