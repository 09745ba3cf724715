"""The log of sales is walked by an index alone and paged by key; each sale is counted once; a
rebuild is equal to what was live.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from tests.matching.day import Day, sold_online, topped_up
from tests.server.engines import POSTGRESQL_ALONE, SQLITE_ALONE, as_owner
from tests.suppliers.counter import NAME
from updater_server.__main__ import cli
from updater_server.errors import InputError
from updater_server.parties import tree
from updater_server.store.engine import reading, writing
from updater_server.views import counts, fold, log
from updater_server.views.log import Wanted

ON_BOTH_ENGINES = True


def folded(day: Day) -> int:
    """Take in what there is."""
    return fold.fold(day.counter.service.engine, day.shop.clock[0])


def page(day: Day, wanted: Wanted, limit: int = 50) -> list[dict[str, Any]]:
    with reading(day.counter.service.engine) as connection:
        return log.page(connection, wanted, limit)


def counted(day: Day, each: str, *by: str) -> list[dict[str, Any]]:
    with reading(day.counter.service.engine) as connection:
        return counts.rows(connection, day.name, day.name, each, list(by))


def everything(day: Day) -> tuple[list[Any], list[Any]]:
    """Log and counts, all columns."""
    return (
        day.shop.sql("SELECT * FROM sale_log ORDER BY id"),
        sorted(day.shop.sql("SELECT * FROM sale_count")),
    )


def trade(day: Day) -> None:
    """LAKE (agent, of the North) over ASHA (merchant), who has the terminal."""
    now = day.shop.clock[0]
    with writing(day.counter.service.engine) as connection:
        lake = tree.add(connection, "LAKE", "Lake", "agent", "", "x", now)
        asha = tree.add(connection, "ASHA", "Asha", "merchant", "LAKE", "x", now)
        tree.give_terminal(connection, day.device.terminal_id, asha, "x", now)
        tree.set_region(connection, lake, "North", "x", now)


def more(day: Day) -> None:
    """A day later: one from the vault, one top-up, and a sale that is given back."""
    day.shop.clock[0] += 3600
    trade(day)
    day.device.check_in()
    day.shop.clock[0] += 60
    sold_online(day.device)
    topped_up(day.device, "0744000000")
    lost = day.device.record(3, ["air50", 5000, 250])
    day.device.sale(lost)
    day.device.record(5, [lost, "lost"])
    day.device.upload(first=len(day.device.journal) - 7)
    day.shop.clock[0] += 60


def test_each_row_says_what_was_sold_to_whom_by_whose_name(day: Day) -> None:
    more(day)
    assert folded(day) == 4 + 4
    rows = {(row["kind"], row["sequence"]): row for row in page(day, Wanted())}
    stock = rows["stock_sale", day.stock]
    assert (stock["product_id"], stock["face_minor"], stock["commission_minor"]) == (
        "air50", 5000, 250,
    )  # fmt: skip
    assert stock["serial"].startswith("AIR50-")
    assert (stock["supplier"], stock["party_id"], stock["currency"]) == ("", None, "KES")
    top = rows["sale", day.tops[0]]
    assert (top["supplier"], top["recipient"]) == (NAME, "0712345678")
    assert top["supplier_reference"].startswith("ATQid_")
    (back,) = [row for row in rows.values() if row["kind"] == "refund"]
    assert (back["face_minor"], back["product_id"]) == (-5000, "air50")
    assert rows["sale", back["sequence"]]["serial"] == back["serial"]
    assert back["party_id"] is not None


WAYS: dict[str, int | str] = {
    "party_id": 1,
    "recipient": "0712345678",
    "serial": "AIR50-000000",
    "supplier_reference": "ATQid_0",
    "": "",
}


def plans(connection: Connection, wanted: Wanted) -> str:
    """How the database would find the rows of a page."""
    query = log.keys(wanted, 20)
    words = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}").all()
        return "\n".join(str(row[-1]) for row in rows)
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    return "\n".join(str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {words}"))


@pytest.mark.parametrize("before", [None, (1_790_000_000, 3)])
@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_walked_by_an_index_alone(
    day: Day, way: str, before: tuple[int, int] | None
) -> None:
    folded(day)
    with reading(day.counter.service.engine) as connection:
        plan = plans(connection, Wanted(way, WAYS[way], 0, 1_800_000_000, before))
    index = f"ix_sale_log_{way}_at_id" if way else "ix_sale_log_at_id"
    assert index in plan
    lines = plan.splitlines()
    if connection.dialect.name == "sqlite":
        assert len(lines) == 1, plan
        assert lines[0].startswith("SEARCH sale_log USING COVERING INDEX"), plan
    else:
        assert "Index Only Scan Backward" in plan, plan
        assert "Sort" not in plan, plan


@SQLITE_ALONE
def test_without_its_index_a_way_would_be_noticed(day: Day) -> None:
    with as_owner(day.shop.folder) as connection:
        connection.execute(text("DROP INDEX ix_sale_log_recipient_at_id"))
        plan = plans(connection, Wanted("recipient", "0712345678"))
    assert "COVERING INDEX ix_sale_log_recipient" not in plan


@pytest.mark.parametrize("limit", [1, 3])
def test_pages_are_the_whole_log_once(day: Day, limit: int) -> None:
    more(day)
    folded(day)
    whole = page(day, Wanted())
    assert [row["at"] for row in whole] == sorted((row["at"] for row in whole), reverse=True)
    seen: list[dict[str, Any]] = []
    wanted = Wanted()
    while rows := page(day, wanted, limit):
        seen += rows
        wanted = Wanted(before=(rows[-1]["at"], rows[-1]["id"]))
    assert seen == whole


def test_each_way_finds_its_own(day: Day) -> None:
    more(day)
    folded(day)
    first = page(day, Wanted("recipient", "0712345678"))
    assert [row["sequence"] for row in first] == [day.tops[0]]
    (one,) = page(day, Wanted("supplier_reference", first[0]["supplier_reference"]))
    assert one == first[0]
    assert page(day, Wanted("serial", one["serial"])) == [one]
    with reading(day.counter.service.engine) as connection:
        asha = tree.find(connection, "ASHA").id
    assert len(page(day, Wanted("party_id", asha))) == 4
    assert len(page(day, Wanted(since=day.begins, until=day.ends))) == 4
    with pytest.raises(InputError):
        page(day, Wanted("terminal_id", 1))


def test_what_is_counted_is_what_the_ledger_has(day: Day) -> None:
    more(day)
    folded(day)
    for table in ("sale_log", "sale_count"):
        number = "number" if table == "sale_count" else "1"
        ((total, face),) = day.shop.sql(f"SELECT SUM({number}), SUM(face_minor) FROM {table}")
        ((ledger_face,),) = day.shop.sql(
            "SELECT SUM(e.amount_minor) FROM ledger_entry e JOIN account a ON a.id = e.account_id"
            " WHERE a.name = 'voucher_sales'"
        )
        assert (int(total), int(face)) == (8, int(ledger_face))


def test_a_rebuild_is_equal_to_what_was_live(day: Day) -> None:
    """Taken in bit by bit, while owners, regions and releases change in between."""
    folded(day)
    more(day)
    folded(day)
    with writing(day.counter.service.engine) as connection:
        lake = tree.find(connection, "LAKE")
        tree.set_region(connection, lake, "South", "x", day.shop.clock[0])
    day.device.check_in(_2=8)
    day.shop.clock[0] += 60
    sold_online(day.device)
    day.shop.clock[0] += 60
    folded(day)
    live = everything(day)
    assert len(live[0]) == 9
    assert len({row[4] for row in live[1]}) == 3  # "", North, South
    assert len({row[6] for row in live[1]}) == 3  # 0, 7, 8
    assert fold.rebuild(day.counter.service.engine, day.shop.clock[0]) == 9
    assert everything(day) == live


def test_a_wrong_build_counts_something_else(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """A region as it is now, and not as it was: the rebuild is another."""
    monkeypatch.setattr(
        fold._Trade, "region", lambda self, party_id, at: str(sorted(self.regions.items()))[:32]
    )
    more(day)
    folded(day)
    live = everything(day)
    with writing(day.counter.service.engine) as connection:
        tree.set_region(connection, tree.find(connection, "ASHA"), "South", "x", 1)
    fold.rebuild(day.counter.service.engine, day.shop.clock[0])
    assert everything(day) != live


def test_what_is_taken_in_twice_is_refused_whole(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    folded(day)
    live = everything(day)
    monkeypatch.setattr(fold, "_NEW", fold._NEW.replace("id > :after", "id > 0 AND :after >= 0"))
    with pytest.raises(IntegrityError):
        folded(day)
    assert everything(day) == live


def test_nothing_is_taken_in_before_all_of_its_second_stands(day: Day) -> None:
    folded(day)
    sold_online(day.device)
    assert folded(day) == 0
    day.shop.clock[0] += fold.LAG_S
    assert folded(day) == 1


@POSTGRESQL_ALONE
def test_no_message_waits_for_the_log_and_it_for_none(day: Day) -> None:
    engine, until = day.counter.service.engine, day.shop.clock[0]
    with writing(engine, beside=True) as message:
        message.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
        assert fold._step(engine, 2**40, until) == (4, 4)
        message.exec_driver_sql("UPDATE terminal SET last_counter = last_counter + 1")


def test_hours_and_days_are_told_apart_and_add_up(day: Day) -> None:
    folded(day)
    whole = counted(day, "day")
    assert [(row["kind"], row["number"], row["face_minor"]) for row in whole] == [
        ("sale", 3, 25_000), ("stock_sale", 1, 5000),
    ]  # fmt: skip
    assert whole[0]["begins"] == day.name
    parts = counted(day, "hour", "product", "supplier", "agent", "region", "release")
    assert {(row["product"], row["supplier"]): row["number"] for row in parts} == {
        ("air50", ""): 1, ("top", NAME): 2,
    }  # fmt: skip
    assert sum(row["face_minor"] for row in parts) == 30_000
    assert all(row["begins"].startswith(f"{day.name}T") for row in parts)
    assert all(row["begins"].endswith(":00+03:00") for row in parts)
    read = list(csv.DictReader(io.StringIO(counts.as_csv(whole))))
    assert [row["face_minor"] for row in read] == ["25000", "5000"]
    assert json.loads(counts.as_json(whole)) == whole
    for each, by in (("week", ()), ("day", ("shop",))):
        with pytest.raises(InputError):
            counted(day, each, *by)


@SQLITE_ALONE
def test_the_commands_show_log_and_counts(day: Day) -> None:
    folded(day)

    def command(*arguments: str) -> str:
        made = CliRunner().invoke(cli, ["sales", *arguments, "--data", str(day.shop.folder)])
        assert made.exit_code == 0, made.output
        return made.output

    first = command("log", "--limit", "3")
    assert "more: --before " in first
    rest = command("log", "--limit", "3", "--before", first.rpartition("--before ")[2].strip())
    assert "more" not in rest
    assert "2026-" in command("log", "--recipient", "0712345678", "--day", day.name)
    told = json.loads(command("counts", "--from", day.name, "--to", day.name, "--as", "json"))
    assert sum(row["number"] for row in told) == 4
    assert command("rebuild") == "4 rows\n"
