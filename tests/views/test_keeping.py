"""How long the log of sales and their counts are kept: months go for who reads in one moment, their
rows in pieces, and what is kept is what a rebuild makes.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from tests.matching.day import Day, sold_online, topped_up
from tests.server.engines import SQLITE_ALONE
from tests.views.test_views import counted, everything, folded, more, page
from updater_server.__main__ import cli
from updater_server.errors import InputError
from updater_server.store.engine import reading, writing
from updater_server.store.tables import sale_log
from updater_server.views import fold, keeping, sellers
from updater_server.views.log import Wanted

ON_BOTH_ENGINES = True
DAY_S = 86_400


def keep(day: Day, months: int) -> None:
    with writing(day.counter.service.engine) as connection:
        keeping.set_months(connection, months, "asha", day.shop.clock[0])


def dropped(day: Day) -> int:
    """What the worker takes away."""
    return keeping.drop_old(day.counter.service.engine, day.shop.clock[0])


def rebuilt(day: Day) -> int:
    return fold.rebuild(day.counter.service.engine, day.shop.clock[0])


def later(day: Day, days: int) -> None:
    """Days later; the terminal has said that it is there."""
    day.shop.clock[0] += days * DAY_S
    day.device.check_in()
    day.shop.clock[0] += 60


def two_months(day: Day) -> None:
    """Eight rows in September, two in November; the last fold is behind all of them."""
    more(day)
    folded(day)
    later(day, 60)
    sold_online(day.device)
    topped_up(day.device, "0744000001")
    day.shop.clock[0] += 60
    assert folded(day) == 2


def test_a_month_that_is_over_goes_and_what_is_kept_is_what_a_rebuild_makes(day: Day) -> None:
    two_months(day)
    assert dropped(day) == 0  # nobody said it
    keep(day, 1)
    assert len(page(day, Wanted())) == 2  # for who reads it is gone already
    assert dropped(day) == 8
    assert dropped(day) == 0
    live = everything(day)
    assert (len(live[0]), sum(row[-3] for row in live[1])) == (2, 2)
    assert folded(day) == 0
    assert rebuilt(day) == 2
    assert everything(day) == live
    with reading(day.counter.service.engine) as connection:
        ledger = connection.exec_driver_sql("SELECT COUNT(*) FROM ledger_transaction").scalar()
    assert ledger is not None and ledger > 10


@SQLITE_ALONE
def test_months_go_by_themselves_as_time_goes(day: Day) -> None:
    keep(day, 1)
    more(day)
    folded(day)
    assert dropped(day) == 0
    later(day, 35)
    assert dropped(day) == 0  # the end of October: September is kept
    later(day, 10)
    assert dropped(day) == 8


@SQLITE_ALONE
def test_a_time_that_is_not_kept_is_told_where_it_is(day: Day) -> None:
    two_months(day)
    keep(day, 1)
    terminal_id = day.device.terminal_id
    with reading(day.counter.service.engine) as connection:
        for asked in (
            lambda: page(day, Wanted(since=day.begins, until=day.ends)),
            lambda: counted(day, "day"),
            lambda: sellers.sold(connection, terminal_id, day.begins, day.ends),
        ):
            with pytest.raises(InputError, match=r"from 2026-10-01 on.*ledger.*reconcile export"):
                asked()
    assert len(page(day, Wanted("recipient", "0712345678"))) == 0
    assert len(page(day, Wanted("recipient", "0744000001"))) == 1


@SQLITE_ALONE
def test_more_months_and_a_rebuild_bring_back_what_went(day: Day) -> None:
    two_months(day)
    before = everything(day)
    keep(day, 1)
    assert dropped(day) == 8
    keep(day, 3)
    assert folded(day) == 0
    assert len(page(day, Wanted())) == 2
    assert rebuilt(day) == 10
    assert everything(day) == before
    keep(day, 1)
    dropped(day)
    keep(day, 0)
    assert rebuilt(day) == 10
    assert everything(day) == before


class Cut(BaseException):
    pass


def test_cut_between_two_pieces_it_goes_on(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    two_months(day)
    keep(day, 1)
    monkeypatch.setattr(keeping, "PIECE_ROWS", 3)
    piece = keeping._piece
    pieces: list[tuple[int, int]] = []

    def cut_after_two(*given: Any) -> tuple[int, int]:
        if len(pieces) == 2:
            raise Cut
        pieces.append(piece(*given))
        return pieces[-1]

    with monkeypatch.context() as cut, pytest.raises(Cut):
        cut.setattr(keeping, "_piece", cut_after_two)
        dropped(day)
    assert [gone for gone, _ in pieces] == [3, 3]
    assert len(page(day, Wanted())) == 2
    assert folded(day) == 0
    assert dropped(day) == 2
    live = everything(day)
    rebuilt(day)
    assert everything(day) == live


def test_where_nothing_is_kept_the_ledger_is_looked_through_once(day: Day) -> None:
    more(day)
    folded(day)
    later(day, 100)
    keep(day, 1)
    assert dropped(day) == 8
    engine, until = day.counter.service.engine, day.shop.clock[0]
    assert fold._step(engine, 2**40, until) == (0, 0)
    assert rebuilt(day) == 0
    assert fold._step(engine, 2**40, until) == (0, 0)  # and not from its beginning each time
    sold_online(day.device)
    day.shop.clock[0] += 60
    assert folded(day) == 1


@SQLITE_ALONE
@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_done_in_which_order_a_rebuild_is_equal(day: Day, seed: int) -> None:
    rng = random.Random(seed)
    keep(day, 2)
    for _ in range(14):
        what = rng.choice(["sell", "sell", "fold", "drop", "wait", "wait"])
        if what == "sell":
            sold_online(day.device)
        elif what == "fold":
            folded(day)
        elif what == "drop":
            dropped(day)
        else:
            later(day, rng.choice([1, 20, 45]))
    day.shop.clock[0] += 60
    folded(day)
    dropped(day)
    live = everything(day)
    rebuilt(day)
    assert everything(day) == live


@SQLITE_ALONE
def test_a_wrong_build_brings_back_what_went(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose rebuild does not know how far back they go."""
    two_months(day)
    keep(day, 1)
    dropped(day)
    live = everything(day)
    monkeypatch.setattr(keeping, "kept", lambda connection: keeping.Kept(None, 0, 0))
    rebuilt(day)
    assert everything(day) != live


@SQLITE_ALONE
def test_the_oldest_rows_are_found_by_an_index_alone(day: Day) -> None:
    query = (
        select(sale_log.c.id, sale_log.c.at)
        .where(sale_log.c.at >= 5, sale_log.c.at < 10)
        .order_by(sale_log.c.at, sale_log.c.id)
        .limit(keeping.PIECE_ROWS)
    )
    with reading(day.counter.service.engine) as connection:
        words = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
        (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}").all()
    assert "COVERING INDEX ix_sale_log_at_id" in str(plan[-1])


@SQLITE_ALONE
def test_an_operator_says_it_at_the_command_line(day: Day) -> None:
    two_months(day)

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--by", "asha", "--data", str(day.shop.folder)])

    assert "all that was ever sold" in command("sales", "keep").output
    said = command("sales", "keep", "12").output
    assert "12 months and this one, from 20" in said
    assert command("sales", "keep", "12").output == said
    for wrong in ("241", "-1", "many"):
        assert command("sales", "keep", wrong).exit_code == 2
    assert day.shop.sql("SELECT action, details FROM operator_log ORDER BY id DESC LIMIT 1") == [
        ("sales keep", "12 months")
    ]
