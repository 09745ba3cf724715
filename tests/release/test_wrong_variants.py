"""Wrong variants of what stands between people and a signature, each caught by the flow that is
there for it. Who takes one of the guards out will see these names.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.release import test_by_the_book as book
from tests.release import test_shown_is_signed as signed
from tests.release.desk import Desk
from tests.release.test_by_the_book import made
from tools.release import at_hand
from updater_server.channels import RepositoryError, carried, metadata_file, shown
from updater_server.channels.assembly import Assembly
from updater_server.channels.audit import AuditLog
from updater_server.channels.waiting import Waiting

__all__ = ["made"]


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Desk:
    return Desk(made).copied(tmp_path / "desk")


def nothing(*_: Any, **__: Any) -> None:
    """A check that checks nothing."""


def first_alone(given: str) -> Callable[[Path], str]:
    """One passphrase for all keys: the first that is typed."""
    known: list[str] = [given] if given else []

    def passphrase(path: Path) -> str:
        if not known:
            known.append(at_hand.secret("", path.name))
        return known[0]

    return passphrase


def whatever_is_there(keys: Path, roles: list[str]) -> list[str]:
    """`fitting` that passes over a slip."""
    return [role for role in roles if any(keys.glob(f"{role}-[0-9]*.pem"))]


HALT = ("release", "halt", "6", "--channel", "stable")
WRONG: dict[str, tuple[Any, str, Any, Callable[..., None], dict[str, Any]]] = {
    "a draft is staged on whatever lies there by then": (
        Waiting, "base", lambda self, role: "",
        signed.test_what_is_swapped_while_the_question_stands_is_not_signed,
        {"words": ("release", "promote", "beta", "stable", "8"), "role": "stable"},
    ),
    "what waits is signed as it lies there by then": (
        Waiting, "read_shown", lambda self, role, expect: self.read(role),
        signed.test_what_is_swapped_while_the_question_stands_is_not_signed,
        {"words": ("release", "sign", "beta"), "role": "beta"},
    ),
    "ids are free text where requests are read": (
        carried, "check_ids", nothing,
        signed.test_keys_under_honest_ids_are_refused_wherever_they_turn_up,
        {"change": signed.swap_keys},
    ),
    "ids are free text where changes wait": (
        metadata_file, "check_ids", nothing,
        signed.test_keys_under_honest_ids_are_refused_wherever_they_turn_up,
        {"change": signed.swap_keys},
    ),
    "texts are shown as they are": (
        shown, "_visible", lambda character: character,
        signed.test_no_shown_text_steers_the_terminal_or_reads_as_another, {"text": "x\u202ey"},
    ),
    "nothing signed names the log": (
        AuditLog, "newest", lambda self: "",
        signed.test_a_log_written_anew_is_noticed_by_what_people_signed, {},
    ),
    "all or nothing is published": (
        Assembly, "sound",
        lambda self, staged: (
            (dict(staged), {})
            if not (lacking := {
                role: missing for role, metadata in staged.items()
                if (missing := self._published.signing(staged).missing(role, metadata))
            })
            else ({}, lacking)
        ),
        book.test_a_halt_is_possible_at_once_whatever_waits, {"what": "a release"},
    ),
    "new keys come into force before what they must sign": (
        Assembly, "sound",
        lambda self, staged: (
            {role: found for role, found in staged.items()
             if not self._published.signing(staged).missing(role, found)},
            {},
        ),
        book.test_new_keys_come_into_force_with_what_they_must_sign_or_not_at_all, {},
    ),
    "what cannot be read stops everything": (
        Waiting, "read_all",
        lambda self: {
            role: found for role in self._published.metadata
            if (found := self.read(role)) is not None
        },
        book.test_a_halt_is_possible_at_once_whatever_waits, {"what": "rubbish"},
    ),
    "online keys sign what lies there": (
        Assembly, "_prepared", lambda self, role, signing: self._waiting.read(role),
        book.test_no_online_key_signs_what_somebody_laid_into_the_folder, {"role": "timestamp"},
    ),
    "a slip in --keys is passed over": (
        at_hand, "fitting", whatever_is_there,
        book.test_a_slip_in_keys_stages_nothing_and_says_so,
        {"words": HALT, "fault": "no folder"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_variant_is_caught(
    name: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, what, wrong, flow, arguments = WRONG[name]
    if "desk" in inspect.signature(flow).parameters and flow.__module__ == signed.__name__:
        desk.stage("stable", 7, "stable-1", "stable-2")
        desk.publish()
    fixtures = {"desk": desk, "tmp_path": tmp_path, "monkeypatch": monkeypatch} | arguments
    given = {n: fixtures[n] for n in inspect.signature(flow).parameters}
    monkeypatch.setattr(where, what, wrong)
    with pytest.raises((AssertionError, OSError, RepositoryError)):
        flow(**given)


def test_one_passphrase_for_all_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, an_image: Path
) -> None:
    office = book.Office(tmp_path)
    monkeypatch.setattr(at_hand, "Passphrases", first_alone)
    with pytest.raises(AssertionError):
        book.test_three_holders_sign_on_one_machine_with_three_passphrases(office, an_image)
    monkeypatch.undo()
    shutil.rmtree(office.folder / "together")
    book.test_three_holders_sign_on_one_machine_with_three_passphrases(office, an_image)


def test_the_right_variant_passes_every_flow_of_these(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no wrong variant is caught by an accident of this file."""
    for name, (_, _, _, flow, arguments) in WRONG.items():
        own = tmp_path / str(len(name))
        fresh = desk.copied(own / "desk")
        if flow.__module__ == signed.__name__:
            fresh.stage("stable", 7, "stable-1", "stable-2")
            fresh.publish()
        fixtures = {"desk": fresh, "tmp_path": own, "monkeypatch": monkeypatch} | arguments
        flow(**{n: fixtures[n] for n in inspect.signature(flow).parameters})
        shutil.rmtree(own)
