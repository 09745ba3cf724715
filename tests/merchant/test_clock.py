"""What time it is before the server has said so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from firmware.clock import Clock, unix_seconds


@pytest.mark.parametrize("unix", [0, 951782400, 951868799, 1709164800, 1795235057, 4107542399])
def test_the_boards_clock_is_read_as_unix_seconds(unix: int) -> None:
    at = datetime.fromtimestamp(unix, UTC)
    fields = (at.year, at.month, at.day, at.weekday(), at.hour, at.minute, at.second, 0)
    assert unix_seconds(fields) == unix


def test_a_dead_clock_does_not_make_the_terminal_younger_than_its_journal() -> None:
    clock = Clock()
    clock.start(unix_seconds((2000, 1, 1, 5, 0, 0, 0, 0)), 1795235057)
    assert clock.now() == 1795235057


def test_a_good_clock_is_believed_from_the_first_moment() -> None:
    clock = Clock()
    clock.start(1795235999, 1795235057)
    assert clock.now() == 1795235999


def test_a_new_terminal_knows_no_time_until_the_server_says_it() -> None:
    clock = Clock()
    clock.start(unix_seconds((2000, 1, 1, 5, 0, 0, 0, 0)), 0)
    assert clock.now() == 0
    clock.set(1795235057)
    assert clock.now() >= 1795235057
