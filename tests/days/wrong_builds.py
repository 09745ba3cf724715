"""Servers that are wrong on purpose, each in one way; the judge must name each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest import mock

from sqlalchemy.engine.default import DefaultDialect

from tests.server.engines import forge
from tests.server.shop import Shop
from updater_server.sales import ledger, online, vault


@dataclass(frozen=True)
class WrongBuild:
    """`says`: the broken promise by which it is noticed, among what else breaks with it."""

    name: str
    says: str
    made: Callable[[], AbstractContextManager[object]] = nullcontext
    spoil: Callable[[Shop], object] = lambda shop: None
    seed: int = 1
    alone: bool = False
    """No other promise notices it."""


def _one_pin_for_all() -> AbstractContextManager[object]:
    real, real_reveal = vault.take_open, vault.reveal
    first: list[str] = []

    def take_open(*args: Any) -> Any:
        taken = real(*args)
        first.extend(item.pin for item in taken)
        return [item._replace(pin=first[0]) for item in taken]

    def reveal(*args: Any) -> Any:
        return real_reveal(*args)._replace(pin=first[0])

    return mock.patch.multiple(vault, take_open=take_open, reveal=reveal)


def _answers_otherwise() -> AbstractContextManager[object]:
    real = online._stored_answer

    def stored_answer(*args: Any) -> Any:
        answer = real(*args)
        if isinstance(answer, online.Delivered):
            return dataclasses.replace(answer, float_after_minor=answer.float_after_minor + 1)
        return answer

    return mock.patch.object(online, "_stored_answer", stored_answer)


def _sells_beyond_the_float() -> AbstractContextManager[object]:
    real = online._why_not

    def why_not(*args: Any) -> str | None:
        code = real(*args)
        return None if code == "no_float" else code

    return mock.patch.object(online, "_why_not", why_not)


def _charges_one_more() -> AbstractContextManager[object]:
    real = ledger.sale_entries

    def entries(terminal_id: bytes, amount_minor: int, commission_minor: int) -> dict[str, int]:
        return real(terminal_id, amount_minor + 1, commission_minor)

    return mock.patch.object(ledger, "sale_entries", entries)


def _tells_nobody() -> AbstractContextManager[object]:
    return mock.patch.object(online, "raise_alarm", lambda *args: None)


def _takes_another_body() -> AbstractContextManager[object]:
    return mock.patch.object(online, "_is_the_same", lambda stored, request: True)


def _tells_another_float() -> AbstractContextManager[object]:
    real = ledger.told_float_minor

    def told_float_minor(*args: Any) -> int:
        return real(*args) + 1

    return mock.patch.object(ledger, "told_float_minor", told_float_minor)


def _answers_before_it_commits() -> AbstractContextManager[object]:
    """Every seventh commit is a rollback that says nothing."""
    real: Any = DefaultDialect.do_commit
    count = [0]

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        count[0] += 1
        if count[0] % 7:
            real(self, connection)
        else:
            connection.rollback()

    return mock.patch.object(DefaultDialect, "do_commit", do_commit)


def _writes_anew(statement: str) -> Callable[[Shop], None]:
    def spoil(shop: Shop) -> None:
        if shop.sql("SELECT COUNT(*) FROM ledger_transaction WHERE kind = 'sale'")[0][0]:
            forge(shop.folder, statement)

    return spoil


_FIRST_SALE = "(SELECT MIN(id) FROM ledger_transaction WHERE kind = 'sale')"
WRONG_BUILDS = [
    WrongBuild("one PIN for all", "pin", _one_pin_for_all),
    WrongBuild("another answer the second time", "answer", _answers_otherwise),
    WrongBuild("sells beyond the float", "limit", _sells_beyond_the_float),
    WrongBuild("charges one more", "named", _charges_one_more),
    WrongBuild("a conflict that nobody is told of", "conflict", _tells_nobody),
    WrongBuild("answers before it commits", "party", _answers_before_it_commits),
    WrongBuild(
        "writes history anew",
        "rows",
        spoil=_writes_anew(
            f"UPDATE ledger_transaction SET created_at = created_at + 1 WHERE id = {_FIRST_SALE}"
        ),
    ),
    WrongBuild(
        "an entry alone",
        "sums",
        spoil=_writes_anew(
            "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE id = "
            f"(SELECT MIN(id) FROM ledger_entry WHERE transaction_id = {_FIRST_SALE})"
        ),
    ),
    WrongBuild(
        "books one key twice",
        "key",
        spoil=_writes_anew(
            "INSERT INTO ledger_transaction "
            "(id, kind, reference, terminal_id, sequence, created_at) "
            "SELECT (SELECT MAX(id) + 1 FROM ledger_transaction), kind, reference || '+', "
            f"terminal_id, sequence, created_at FROM ledger_transaction WHERE id = {_FIRST_SALE}"
        ),
    ),
    WrongBuild("another body under a used key", "answer", _takes_another_body),
    WrongBuild("tells a terminal another float", "told", _tells_another_float),
]
