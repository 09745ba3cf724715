"""A town whose mains come back: its terminals start at one instant and must not go on as one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.duties.apart import apart
from firmware.duties.check_in import CheckIn
from firmware.duties.radio import Radio
from firmware.net.link import ONLINE, Link
from firmware.office.messenger import NoNetwork
from tests.support.driven import NoWatchdog

POLL_MS = 900_000


@pytest.mark.parametrize("wait_ms", [0, 1, 1000, POLL_MS, 86_400_000])
def test_no_wait_is_longer_than_asked_for_nor_shorter_by_more_than_a_quarter(wait_ms: int) -> None:
    waits = [apart(wait_ms, lambda count, byte=byte: bytes([byte] * count)) for byte in range(256)]
    assert max(waits) == wait_ms
    assert min(waits) >= wait_ms * 3 // 4


def test_an_hour_after_they_woke_together_a_towns_terminals_ask_at_different_times() -> None:
    chance = random.Random(1)
    asked_at_ms = [0] * 1000
    while min(asked_at_ms) < 3_600_000:
        asked_at_ms = [at + apart(POLL_MS, chance.randbytes) for at in asked_at_ms]
    most = max(Counter(at // 10_000 for at in asked_at_ms).values())
    assert most < 50, "of a thousand within ten seconds"


class _Rested(Exception):
    """The radio rests; the test has seen for how long."""


@pytest.mark.parametrize(("byte", "first_ms"), [(0, 5000), (255, 3755)])
def test_whom_a_server_did_not_answer_asks_again_after_a_time_of_their_own(
    byte: int, first_ms: int
) -> None:
    rests: list[int] = []

    async def rest(milliseconds: int) -> None:
        rests.append(milliseconds)
        if len(rests) == 2:
            raise _Rested

    async def unanswered() -> None:
        raise NoNetwork("the server is busy")

    async def connect(apn: str, login: tuple[str, str], gently: bool) -> None:
        pass

    modem = SimpleNamespace(
        attached=True, registered=True, connect=connect, sms_waiting=False, trouble=""
    )
    link = Link(modem)
    link.rest = rest
    link.state = ONLINE
    app: Any = SimpleNamespace(
        link=link,
        config=SimpleNamespace(apn="internet", apn_login=("", ""), sync_s=300),
        board=SimpleNamespace(random=lambda count: bytes([byte] * count)),
        supervisor=NoWatchdog(),
        journal=SimpleNamespace(state=None),
        ui=SimpleNamespace(idle_ms=lambda: 0),
    )
    check_in: Any = SimpleNamespace(run=unanswered, is_due=lambda: True)
    with pytest.raises(_Rested):
        asyncio.run(Radio(app, check_in).run())
    assert rests == [first_ms, apart(10_000, app.board.random)]


def test_the_next_check_in_is_due_at_a_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    app: Any = SimpleNamespace(
        config=SimpleNamespace(poll_s=900),
        board=SimpleNamespace(random=lambda count: b"\xff" * count),
        boot_info=SimpleNamespace(last_failure=None, trial=True),
    )
    now_ms = [1000]
    monkeypatch.setattr("firmware.duties.check_in.ticks_ms", lambda: now_ms[0])
    check_in = CheckIn(app)
    with pytest.raises(AttributeError):  # it goes on to ask, with nobody there
        asyncio.run(check_in.run())
    now_ms[0] += POLL_MS * 3 // 4
    assert not check_in.is_due()
    now_ms[0] += POLL_MS // 256
    assert check_in.is_due()
