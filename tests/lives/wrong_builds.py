"""Firmware that is wrong on purpose, each in a way that days show; lives must notice every one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WrongBuild:
    """`edits`: (file, old, new). What is broken within `days` has `says` in its text."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    days: int
    says: str


WRONG_BUILDS = (
    WrongBuild(
        "a settlement is settled again, for ever",
        (
            (
                "firmware/office/sync.py",
                "if also_settled or journal.has_news(told, journal.next_sequence - 1):",
                "if True:",
            ),
            (
                "firmware/sales/journal.py",
                "if not self.has_news(state.acknowledged, through):",
                "if through == state.acknowledged:",
            ),
        ),
        1,
        "journal messages",
    ),
    WrongBuild(
        "the float is off by a cent",
        (("firmware/sales/till.py", "state.float_minor\n", "state.float_minor + 1\n"),),
        1,
        "different floats",
    ),
    WrongBuild(
        "the server's word that nothing is new is believed whatever it is",
        (
            (
                "firmware/update/newest.py",
                "tag[1:].startswith(self._tag)",
                "tag",
            ),
        ),
        2,
        "not 2",
    ),
    WrongBuild(
        "a rollback is told to nobody",
        (
            (
                "firmware/duties/check_in.py",
                "        if failure:\n            told =",
                "        if None:\n            told =",
            ),
        ),
        4,
        "nobody was told",
    ),
)
