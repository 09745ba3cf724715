"""Questions that go to PostgreSQL past the driver's cursors."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from tests.server.engines import POSTGRESQL_ALONE
from tests.server.shop import NOW, Shop
from updater_server.store.engine import driver_connection, is_the_databases_fault, writing
from updater_server.store.exchange import Question, tell
from updater_server.store.prepared import Prepared
from updater_server.store.tables import terminal

pytestmark = POSTGRESQL_ALONE


def ask(connection: Any, words: str, **values: Any) -> list[Any]:
    found: list[Any] = (
        Question(words).ask(connection, driver_connection(connection), values).fetchall()
    )
    return found


def test_each_kind_of_value_comes_back_as_it_was(shop: Shop) -> None:
    values = {
        "whole": 2**62, "less": -1, "said": "it's 100% – ẹ", "raw": b"\0'\\\xff", "yes": True,
        "none": None,
    }  # fmt: skip
    with writing(shop.service.engine) as connection:
        ((*found, half),) = ask(
            connection,
            "SELECT %(whole)s::BIGINT, %(less)s::BIGINT, %(said)s::TEXT, %(raw)s::BYTEA,"
            " %(yes)s::BOOLEAN, %(none)s::BIGINT, 7 %% 4",
            **values,
        )
    assert (found, half) == ([*values.values()], 3)


def test_a_question_that_is_gone_leaves_its_name_to_nobody(shop: Shop) -> None:
    """A name that came again would ask a connection for what another had prepared there."""
    with writing(shop.service.engine) as connection:
        for number in range(200):
            assert ask(connection, f"SELECT {number} + %(more)s::BIGINT", more=1) == [(number + 1,)]
    names = {Question("SELECT 1")._name for _ in range(200)}
    assert len(names) == 200


@pytest.mark.parametrize(
    ("words", "error", "is_its_fault"),
    [
        ("SELECT nothing", ProgrammingError, False),
        ("INSERT INTO number VALUES ('ledger_transaction', 1), ('a', 1), ('a', 1)",
         IntegrityError, False),
        ("SELECT pg_terminate_backend(pg_backend_pid())", OperationalError, True),
    ],
)  # fmt: skip
def test_an_error_is_sqlalchemys(
    shop: Shop, words: str, error: type[Exception], is_its_fault: bool
) -> None:
    for way in (
        ask,
        lambda connection, words: tell(connection, driver_connection(connection), words),
    ):
        with pytest.raises(error) as caught, writing(shop.service.engine) as connection:
            connection.exec_driver_sql("RESET ROLE")  # who may end what is its own
            way(connection, words)
        assert is_the_databases_fault(caught.value) is is_its_fault
    with writing(shop.service.engine) as connection:
        assert ask(connection, "SELECT 1") == [(1,)]


def test_outside_a_transaction_the_driver_begins_one(shop: Shop) -> None:
    device = shop.enrol()
    found = Prepared(
        select(terminal.c.enrolled_at).where(terminal.c.id == bindparam("terminal_id"))
    )
    with shop.service.engine.connect() as connection:
        for _ in range(2):
            assert found.scalar(connection, terminal_id=device.terminal_id) == NOW
        connection.execute(text("UPDATE terminal SET blocked = TRUE"))
        connection.rollback()
    assert shop.sql("SELECT blocked FROM terminal") == [(False,)]
