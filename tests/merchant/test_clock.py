"""What time it is before the server has said so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from firmware.clock import Clock, set_rtc, unix_seconds


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


@pytest.mark.parametrize(
    ("hint", "is_blind"),
    [
        (1795235057 + 9999, False),
        (1795235057 - 200, False),  # a slow crystal
        (1795235057 - 86400, True),  # set back
        (unix_seconds((2000, 1, 1, 5, 0, 0, 0, 0)), True),
        (unix_seconds((2021, 1, 1, 4, 0, 0, 0, 0)), True),  # where a chip without a cell begins
    ],
)
def test_a_clock_that_did_not_go_on_tells_nothing_of_how_long_it_was_off(
    hint: int, is_blind: bool
) -> None:
    assert Clock().start(hint, 1795235057) is is_blind


class _Rtc:
    def __init__(self, error: Exception | None = None) -> None:
        self.fields: tuple[int, ...] = ()
        self.error = error

    def datetime(self, fields: tuple[int, ...]) -> None:
        if self.error:
            raise self.error
        self.fields = fields


@pytest.mark.parametrize("unix", [951782400, 951868799, 1709164800, 1795235057, 4107542399])
def test_the_boards_clock_is_given_the_servers_time(unix: int) -> None:
    rtc = _Rtc()
    set_rtc(rtc, unix)
    at = datetime.fromtimestamp(unix, UTC)
    assert rtc.fields == (at.year, at.month, at.day, at.weekday(), at.hour, at.minute, at.second, 0)


@pytest.mark.parametrize("error", [OSError("no clock"), ValueError("2000 to 2099")])
def test_a_clock_that_cannot_be_set_stops_no_check_in(error: Exception) -> None:
    set_rtc(_Rtc(error), 1795235057)
