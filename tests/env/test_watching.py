"""The board is read as a person reads it: what is off, what is open, how long nothing came."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.env.watching import Board, Look, read
from tests.server.shop import Shop
from updater_server.faces.board import BoardFace
from updater_server.fleet.alarms import raise_alarm
from updater_server.store.engine import writing


def test_the_servers_own_page_is_read_light_by_light_and_alarm_by_alarm(
    tmp_path: Path, signed: Path
) -> None:
    shop = Shop.open(tmp_path / "data", signed / "repository")
    with writing(shop.service.engine) as connection:
        raise_alarm(connection, None, "low_stock", "air50 lasts a day", shop.clock[0])
    token = base64.b64encode(f"wall:{shop.token}".encode()).decode()
    html, _ = BoardFace(shop.service).inside(f"Basic {token}")
    seen = read(html, 1.0)
    assert seen.alarms == {"low_stock"}
    assert {"NOT worker looks", "NOT books agree"} == seen.lights


def test_only_what_is_new_is_told_and_the_longest_darkness() -> None:
    board = Board(0, "")
    old = frozenset({"expired"})
    board.looks = [
        Look(1.0, alarms=old),
        Look(2.0, "no answer"),
        Look(3.0, "HTTP 503"),
        Look(4.0, alarms=old | {"ours", "notice_failed"}, lights=frozenset({"NOT worker looks"})),
        Look(5.0, "no answer"),
        Look(6.0, alarms=old),
    ]
    said = board.said(1.5, frozenset({"ours"}))
    assert said == "no page for 2 s; light: NOT worker looks; alarm: notice_failed"
    assert board.said(5.5) == "as before"


def test_a_board_that_never_came_back_is_dark_to_the_end() -> None:
    board = Board(0, "")
    board.looks = [Look(1.0), Look(2.0, "no answer"), Look(3.0, "no answer")]
    assert board.said(1.5) == "no page for 2 s"


@pytest.mark.parametrize("html", ["", "<p>nothing of ours</p>"])
def test_a_page_that_says_nothing_shows_nothing(html: str) -> None:
    assert read(html, 0.0) == Look(0.0)
