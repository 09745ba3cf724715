"""A delivery of vouchers: looked at whole, taken in while the shop goes on, recalled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner, Result

from tests.server.shop import NOW, Shop, voucher_csv
from tests.support import nursery
from updater_server import server_key
from updater_server.__main__ import cli
from updater_server.errors import InputError, StateError
from updater_server.sales import delivery_file, import_recall, imports, incoming, vault
from updater_server.server_key import ServerKey
from updater_server.store import engine as database
from updater_server.store.engine import reading, writing

ON_BOTH_ENGINES = {
    "test_a_recalled_delivery_is_sold_no_more_and_what_is_gone_is_named",
    "test_one_pin_is_one_voucher_whatever_its_product_or_leading_zeros",
    "test_of_two_deliveries_one_after_the_other_comes_in",
    "test_the_database_refuses_to_release_an_import_that_is_not_whole",
}

HEAD = "product,pin,serial,expiry\n"
GOOD = [f"air50,{8_000_000_000_000_001 + 7 * n},S{n:05d},2027-12-31" for n in range(30)]


def look(shop: Shop, data: str | bytes, unlisted: tuple[str, ...] = ()) -> imports.Look:
    raw = data.encode() if isinstance(data, str) else data
    service = shop.service
    with reading(service.engine) as connection:
        return imports.look(connection, service.key, service.prices, raw, shop.clock[0], unlisted)


def run(shop: Shop, seen: imports.Look) -> int:
    service = shop.service
    return imports.run(service.engine, service.key, seen, "d.csv", "asha", shop.clock[0])


def delivery(*rows: str) -> str:
    return HEAD + "\n".join([*GOOD, *rows]) + "\n"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("air50,12E15,X1,", "scientific"),
        ("air50,1.2E+15,X1,", "scientific"),
        ("air50,8000000000000999.0,X1,", "decimal point"),
        ("air50,'8000000000000999,X1,", "quote"),
        ('air50,"=""8000000000000999""",X1,', "quote or ="),
        ("air50,８０００００００００００９９９９,X1,", "fullwidth digit"),
        ("air50,8000\u00a00000 0000 9999,X1,", "no-break space"),
        ("air50,8000\u20090000 0000 9999,X1,", "thin space"),
        ("air50,8000000000009999,S-,", "cut off"),
        ("air50,8000000000009999,,", "serial number is missing"),
        ("air50,,X1,", "PIN is missing"),
        ("air50,8000000000009999", "4 columns"),
        ("gold,8000000000009999,X1,", "no price list has a product gold"),
        ("Air50,8000000000009999,X1,", "no product id"),
        ("air50,8000000000009999,X1,2026-02-31", "no day of the calendar"),
        ("air50,8000000000009999,X1,31/12/2027", "2027-01-31"),
        ("air50,8000000000009999,X1,9999-12-31", "beyond 2106"),
        ("air50,8000000000009999,X1,1893456000000", "milliseconds"),
        ("air50,8000000000009999,X1," + "9" * 21, "beyond 2106"),
        ("air50,8000000000009999,X1,١٨٩٣٤٥٦٠٠٠", "no day"),
        ("air50,8000000000009999,X1,²", "no day"),
        ("air50,8000000000009999,X1,20271231", "expired"),
        (f"air50,8000000000009999,X1,{NOW + 3}", "within a day"),
        (GOOD[3].replace("S00003", "X1"), "twice"),
        (GOOD[3].replace("8000000000000022", "0008000000000000022"), "twice"),
        ("air50,8000000000009999,S00003,", "twice"),
        ('air50,"8000000000009999,X1,', "line 32"),
    ],
)
def test_a_line_that_is_wrong_keeps_the_whole_file_out_and_says_why(
    shop: Shop, row: str, says: str
) -> None:
    seen = look(shop, delivery(row))
    assert any(says in error for error in seen.delivery.errors), seen.delivery.errors
    assert not any("80000000" in error for error in seen.delivery.errors if "Unix" not in error)
    with pytest.raises(InputError):
        run(shop, seen)
    assert shop.sql("SELECT COUNT(*) FROM voucher") == [(0,)]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (delivery().encode("utf-16"), "UTF-16"),
        (delivery().encode("utf-16-le"), "UTF-16"),
        (delivery("air50,8000000000009999,é,").encode("latin-1"), "line 32 is not UTF-8"),
        (b"PK\x03\x04" + bytes(100), "Excel workbook"),
        (b"", "empty"),
        (b"pin,serial\n1,2\n", "first line must be"),
        (b"\xef\xbb\xbf" + b"product;pin\n", "first line must be"),
    ],
)
def test_a_file_that_is_no_utf_8_csv_is_named_for_what_it_is(
    shop: Shop, raw: bytes, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        look(shop, raw)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + delivery().encode(),
        delivery().replace(",", ";").encode(),
        delivery().replace(",", "\t").encode(),
        delivery().replace("\n", "\r\n").encode(),
        delivery().replace(HEAD, "Product, PIN ,Serial,EXPIRY\n").encode(),
        (
            HEAD + "\n".join('"{}"'.format('","'.join(row.split(","))) for row in GOOD) + "\n"
        ).encode(),
    ],
)
def test_a_delivery_in_another_dress_is_the_same_delivery(shop: Shop, data: bytes) -> None:
    seen = look(shop, data)
    assert (seen.delivery.errors, seen.delivery.doubts) == ([], [])
    run(shop, seen)
    assert shop.enrol().sale(1)[2] == "8000000000000001"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([*GOOD, "air50,80000000000099,S99999,"], "leading zeros"),
        ([row.replace("air50,8000", "air50,8") for row in GOOD], "its price list prints 16"),
        ([f"air50,{8 * 10**15 + 10 * n},S{n:05d}," for n in range(30)], "keeps only 15 digits"),
        ([*GOOD, "air50,8000000000009999,S0,"], "shorter than all others"),
        ([*GOOD, "air50,8000000000009999,S99999,2090-01-01"], "20 years"),
    ],
)
def test_what_looks_wrong_is_shown_to_a_person(shop: Shop, rows: list[str], says: str) -> None:
    seen = look(shop, HEAD + "\n".join(rows) + "\n")
    assert seen.delivery.errors == []
    assert any(says in doubt for doubt in seen.delivery.doubts), seen.delivery.doubts


def test_a_last_line_without_an_end_may_be_cut_off(shop: Shop) -> None:
    assert "no line end" in look(shop, delivery()[:-1]).delivery.doubts[0]


def test_pins_of_another_length_than_the_vaults_look_wrong(shop: Shop) -> None:
    rows = "".join(f"gold,{10**11 + 7 * n},G{n:05d},\n" for n in range(9))
    run(shop, look(shop, HEAD + rows, ("gold",)))
    later = "".join(f"gold,{2 * 10**10 + 7 * n},H{n:05d},\n" for n in range(9))
    doubts = look(shop, HEAD + later, ("gold",)).delivery.doubts
    assert any("PINs of 11, but the vault has 12" in doubt for doubt in doubts)


def test_one_pin_is_one_voucher_whatever_its_product_or_leading_zeros(shop: Shop) -> None:
    run(shop, look(shop, HEAD + "air50,0012345678901234,S1,\n"))
    for row in ("air20,0012345678901234,S1,", "air50,12345678901234,S2,", "air50,7777,S1,"):
        seen = look(shop, HEAD + row + "\n")
        assert "already" in seen.delivery.errors[0], row
        with pytest.raises(InputError, match="already"), writing(shop.service.engine) as connection:
            incoming.import_csv(
                connection, shop.service.key, HEAD + row + "\n", NOW, seen.operators
            )
    assert shop.sql("SELECT COUNT(*) FROM voucher") == [(1,)]


def test_the_same_pin_of_another_operator_is_only_a_doubt(shop: Shop) -> None:
    run(shop, look(shop, HEAD + "air50,0012345678901234,S1,\n"))
    seen = look(shop, HEAD + "air50,5012345678901234,S2,\n")
    seen.operators["gold"] = "Other"
    rows = [delivery_file.Row(2, "gold", "0012345678901234", "G1", 0)]
    with reading(shop.service.engine) as connection:
        found = incoming.twins(connection, shop.service.key, rows, seen.operators)
    assert found == ([], 1)


def test_nothing_of_a_delivery_is_sold_before_all_of_it_is_there(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 7)
    device = shop.enrol()
    answers: list[Any] = []
    run_with = imports.run(
        shop.service.engine,
        shop.service.key,
        look(shop, delivery()),
        "d.csv",
        "asha",
        NOW,
        lambda stored: answers.append((stored, device.sale(100 + stored)[1])),
    )
    assert [stored for stored, _ in answers] == [7, 14, 21, 28, 30]
    assert {refused for _, refused in answers} == {1}
    assert device.sale(1)[1] == 0
    assert run_with == 1
    assert shop.problems() == []


class Killed(BaseException):
    """Where the process ends."""


@pytest.mark.parametrize("at", range(11))
def test_an_import_killed_anywhere_is_gone_on_with_and_comes_in_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 7)
    left = [at]
    give_way = imports.give_way

    def killed(begun: float) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        give_way(begun)

    monkeypatch.setattr(imports, "give_way", killed)
    try:
        run(shop, look(shop, delivery()))
        assert at == 10
    except Killed:
        assert shop.problems() == []
    monkeypatch.setattr(imports, "give_way", give_way)
    seen = look(shop, delivery())
    assert seen.is_complete == (at == 10)
    if not seen.is_complete:
        assert run(shop, seen) == 1
    with reading(shop.service.engine) as connection:
        assert vault.free_counts(connection, NOW) == {"air50": 30}
    assert shop.sql("SELECT COUNT(*), MAX(state) FROM voucher_import") == [(1, "complete")]
    assert shop.problems() == []


def stop(stored: int) -> None:
    raise KeyboardInterrupt


def begin(shop: Shop, data: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        imports.run(
            shop.service.engine, shop.service.key, look(shop, data), "d", "joy", shop.clock[0], stop
        )


def test_an_unfinished_import_is_finished_even_when_its_vouchers_are_about_to_expire(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 7)
    begin(shop, delivery())
    shop.clock[0] += 2 * 366 * 86400  # behind their expiry
    seen = look(shop, delivery())
    assert seen.delivery.errors == []
    assert run(shop, seen) == 1
    assert shop.enrol().sale(1)[6] == "no_vouchers"
    assert shop.problems() == []


def test_of_two_deliveries_one_after_the_other_comes_in(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 7)
    begin(shop, delivery())
    second = HEAD + "air50,8000000000009999,S99999,\n"
    with pytest.raises(StateError, match=r"import 1 .* is unfinished"):
        run(shop, look(shop, second))
    assert run(shop, look(shop, delivery())) == 1
    assert run(shop, look(shop, second)) == 2
    assert shop.problems() == []


def test_two_runs_of_one_import_do_not_store_a_voucher_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 7)
    first = look(shop, delivery())

    def other(stored: int) -> None:
        if stored == 14:
            run(shop, look(shop, delivery()))

    with pytest.raises(StateError, match="another run"):
        imports.run(shop.service.engine, shop.service.key, first, "d", "joy", NOW, other)
    assert shop.sql("SELECT COUNT(*) FROM voucher WHERE free") == [(30,)]
    assert shop.problems() == []


def test_the_database_refuses_to_release_an_import_that_is_not_whole(shop: Shop) -> None:
    with writing(shop.service.engine) as connection:
        incoming.begin_import(connection, look(shop, delivery()).delivery, "", "", "storing", NOW)
    with pytest.raises(IntegrityError, match="whole"), writing(shop.service.engine) as connection:
        connection.execute(text("UPDATE voucher_import SET state = 'releasing'"))


def test_a_recalled_delivery_is_sold_no_more_and_what_is_gone_is_named(shop: Shop) -> None:
    shop.stock_vault(count=3)
    import_id = run(shop, look(shop, delivery()))
    device, other = shop.enrol(1), shop.enrol(2)
    sold = device.sale(1)[3]
    sent = shop.assign(device, count=2)
    held = [serial for serial, _ in device.open_stock(device.ask({0: 4, 1: sent})[1])]
    waiting = shop.assign(other, count=2)
    done = import_recall.recall(shop.service.engine, import_id, "asha", "supplier asked", NOW)
    assert done.set_aside == 27
    assert done.batches_taken_back == [(waiting, other.terminal_id)]
    assert [(item["serial"], item["where"]) for item in done.gone] == [
        (sold, "sold"), (held[0], "in stock"), (held[1], "in stock"),
    ]  # fmt: skip
    assert device.sale(2)[3].startswith("AIR50-")  # another delivery's
    assert other.check_in()[5] == []
    assert "recalled" in look(shop, delivery()).delivery.errors[0]
    assert import_recall.recall(shop.service.engine, import_id, "asha", "", NOW).set_aside == 27
    assert shop.problems() == []


def test_an_import_that_was_never_finished_can_be_recalled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 7)
    begin(shop, delivery())
    assert import_recall.recall(shop.service.engine, 1, "asha", "", NOW).set_aside == 7
    assert shop.problems() == []


# --- at the command line ---


@pytest.fixture
def server(shop: Shop) -> Iterator[Shop]:
    shop.clock[0] = int(time.time())
    yield shop


def command(shop: Shop, *arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(cli, [*arguments, "--data", str(shop.folder)])


def test_a_file_comes_in_only_as_somebody_confirmed_it(server: Shop, tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_text(delivery())
    asked = command(server, "vouchers", "import", str(file))
    assert asked.exit_code == 2
    assert "--yes" in asked.stderr
    file.write_text(delivery()[:-1])
    doubtful = command(server, "vouchers", "import", str(file), "--yes")
    assert doubtful.exit_code == 2
    shown = doubtful.stderr.split("--sha256 ")[1].strip()
    file.write_text(delivery("air50,8000000000009999,S99999,"))
    swapped = command(server, "vouchers", "import", str(file), "--sha256", shown)
    assert swapped.exit_code == 2
    assert server.sql("SELECT COUNT(*) FROM voucher") == [(0,)]
    file.write_text(delivery()[:-1])
    done = command(server, "vouchers", "import", str(file), "--sha256", shown, "--by", "asha")
    assert done.exit_code == 0, done.stderr
    again = command(server, "vouchers", "import", str(file), "--sha256", shown)
    assert (again.exit_code, "nothing was done" in again.stdout) == (0, True)
    assert "complete" in command(server, "vouchers", "imports").stdout
    assert command(server, "vouchers", "recall", "1").exit_code == 0
    assert "recalled" in command(server, "vouchers", "import", str(file), "--yes").stderr
    assert "asha: import import 1" in command(server, "audit").stdout
    assert server.problems() == []


@pytest.mark.slow
def test_sales_go_on_while_a_delivery_comes_in_and_survive_its_kill(
    server: Shop, tmp_path: Path
) -> None:
    server.stock_vault(count=400)
    device = server.enrol(float_minor=10**8)
    file = tmp_path / "d.csv"
    file.write_text(voucher_csv("air50", range(10_000, 22_000)))
    program = ["updater_server", "vouchers", "import", str(file), "--yes"]
    program += ["--data", str(server.folder)]

    def start() -> nursery.Program:
        return nursery.start(*program, stdout=subprocess.DEVNULL, stderr=2)

    first = start()
    sequence = 0
    longest_s = 0.0
    while first.poll() is None and sequence < 300:
        sequence += 1
        begun = time.monotonic()
        assert device.sale(sequence)[1] == 0
        longest_s = max(longest_s, time.monotonic() - begun)
        stored = server.sql("SELECT COUNT(*) FROM voucher")[0][0]
        if stored > 3000:
            os.kill(first.pid, signal.SIGKILL)
            break  # killed twice it may be gone already
        time.sleep(0.02)
    assert first.wait(60) == -signal.SIGKILL
    assert longest_s < 2  # one transaction of the import, on however busy a machine
    assert server.problems() == []
    second = start()
    assert second.wait(120) == 0
    assert server.sql("SELECT COUNT(*) FROM voucher") == [(12_400,)]
    assert server.problems() == []


# --- a database of before ---


def test_vouchers_of_before_are_marked_when_the_database_is_brought_up_to_date(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    key = ServerKey(server_key.create(folder / "server.key").secret)
    engine = database.open_engine(folder / "duka.db")
    database.migrate(engine, "0003")
    with writing(engine) as connection:
        for number, (product, pin, free) in enumerate(
            [("air50", "0012345678", 1), ("air20", "0012345678", 1), ("air50", "5555666677", 1)]
        ):
            sealed = key.seal("voucher", f"{product}\0S{number}".encode(), pin.encode())
            connection.exec_driver_sql(
                "INSERT INTO voucher (product_id, serial, pin_sealed, pin_digest, expires_at, "
                "imported_at, free) VALUES (?, ?, ?, ?, 0, 1, ?)",
                (product, f"S{number}", sealed, bytes([number]) * 32, free),
            )
    engine.dispose()
    made = CliRunner().invoke(cli, ["init", "--data", str(folder)])
    assert made.exit_code == 0, made.output
    engine = database.open_engine(folder / "duka.db")
    with writing(engine) as connection:
        rows = connection.exec_driver_sql("SELECT serial, free FROM voucher ORDER BY id").all()
        assert [tuple(row) for row in rows] == [("S0", 1), ("S1", 0), ("S2", 1)]
        for again in ("air20,5555666677,X1,", "gold,12345678,X1,"):
            with pytest.raises(InputError, match="already"):
                incoming.import_csv(connection, key, HEAD + again + "\n", NOW, {"gold": "Other"})
    engine.dispose()
    assert CliRunner().invoke(cli, ["check", "--data", str(folder)]).exit_code == 0
