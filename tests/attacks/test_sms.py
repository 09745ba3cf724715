"""Who sends short messages gains nothing, and the judges of that are awake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.office import by_sms, sms_box
from tests.attacks import sms_rows
from tests.attacks.sms_rows import ROWS, Attack
from tests.server.conftest import signed
from tests.server.shop import NOW
from updater_server.sms import answering

__all__ = ["signed"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1].__name__)
def test_who_sends_short_messages_gains_nothing(
    row: tuple[str, Attack], signed: Path, tmp_path: Path
) -> None:
    assert sms_rows.play(row, signed, tmp_path).gained == ""


def _answers_everybody(patch: pytest.MonkeyPatch) -> None:
    honest = answering.answer
    patch.setattr(answering, "answer", lambda *given: honest(*given) or b"No.")


def _forgets_what_was_said(patch: pytest.MonkeyPatch) -> None:
    heed = sms_box.Box._heed

    def forgets(self: sms_box.Box, content: bytes, now: int) -> None:
        self._memory.put("word", 0)
        heed(self, content, now)

    patch.setattr(sms_box.Box, "_heed", forgets)


def _looks_at_no_seal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sms_box, "word", lambda messenger, content: (NOW, sms_box.CHECK_IN))


def _settles_whatever_waits(patch: pytest.MonkeyPatch) -> None:
    settle = sms_box.Box._settle
    patch.setattr(sms_box.Box, "_settle", lambda self, n, said: settle(self, n + 1, said))


def _leaves_words_unread(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(by_sms, "word", lambda messenger, content: len(content) == by_sms.WORD_BYTES)


@pytest.mark.parametrize(
    ("attack", "wrong"),
    [
        (sms_rows.forged_sender, _answers_everybody),
        (sms_rows.replayed_answer, _settles_whatever_waits),
        (sms_rows.replayed_word, _forgets_what_was_said),
        (sms_rows.words_of_his_own, _looks_at_no_seal),
        (sms_rows.flood, _leaves_words_unread),
    ],
    ids=lambda part: part.__name__,
)
def test_where_one_side_is_careless_it_is_found(
    attack: Attack,
    wrong: Callable[[Any], None],
    signed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong(monkeypatch)
    assert sms_rows.play(("careless", attack), signed, tmp_path).gained
