"""The server's log in a bad night."""

from __future__ import annotations

import logging

import pytest

from updater_server import quiet_log
from updater_server.quiet_log import BURST, EACH_S, Repeats


def test_what_repeats_is_told_once_in_a_while_and_nothing_else_is_lost() -> None:
    clock = [0.0]
    quiet = Repeats(lambda: clock[0])
    written: list[str] = []

    def say(line: int, number: int) -> None:
        record = logging.LogRecord("duka", logging.ERROR, "x.py", line, "no %d", (number,), None)
        if quiet.filter(record):
            written.append(record.getMessage())

    for number in range(1000):
        say(1, number)
        clock[0] += EACH_S / 2000
    assert len(written) == BURST
    say(2, 7)
    assert written[-1] == "no 7"
    clock[0] += EACH_S
    say(1, 1000)
    assert written[-1] == f"no 1000 ({1000 - BURST} like this were left out)"
    for line in range(5000):  # as many places as it likes: no memory grows
        say(line, 1)
    assert len(quiet._places) <= 256


def test_what_a_library_says_of_each_step_is_not_in_an_operators_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    for name in ("tuf", "alembic", "httpx"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
    quiet_log.begin()
    assert not logging.getLogger("tuf.api._payload").isEnabledFor(logging.INFO)  # "no signature …"
    assert logging.getLogger("tuf").isEnabledFor(logging.WARNING)
    assert logging.getLogger("duka.startup").isEnabledFor(logging.INFO)
