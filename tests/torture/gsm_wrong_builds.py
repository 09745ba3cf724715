"""Drivers that are wrong on purpose, each as one that was: a run of the torture must notice every
one.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

from firmware.net.modem import climb, driver, joining, standard, start
from firmware.net.modem.chat import Chat
from firmware.net.modem.ladder import Ladder
from tests.torture import gsm
from tests.torture.gsm_trade import Report

Edit = tuple[Any, str, str, str]
"""(class or module, method or function, old, new)."""


@dataclass(frozen=True)
class WrongBuild:
    """`edits` make it of the right one."""

    name: str
    edits: tuple[Edit, ...]
    only: tuple[str, ...]
    """The faults that are enough to show it: a run with these alone is short."""


WRONG_BUILDS = (
    WrongBuild(
        "the ladder has no bound: a search goes on until it finds",
        ((joining, "register", ">= search_ms", ">= 1 << 29"),),
        ("no coverage for 3 h",),
    ),
    WrongBuild(
        "the deadline is looked at only in silence",
        ((Chat, "wait", "if left_ms <= 0:", "if left_ms <= 0 and not count:"),),
        ("a line that never pauses, of a part that answers nothing",),
    ),
    WrongBuild(
        "who rings is not refused, and not hung up on",
        (
            (start, "_wake", "part.REFUSE_CALLS", 'b"AT"'),
            (driver.Modem, "_on_ring", "= True", "= False"),
        ),
        ("somebody rings for an hour",),
    ),
    WrongBuild(
        "the registration is believed, and the bearer",
        (
            (standard.Cell, "refresh", 'b"+CREG: 0,"', 'b"+CREG: 9,"'),
            (Ladder, "outcome", "if answered:", "if True:"),
        ),
        ("silent restart", "comes up refusing all, till the radio was off"),
    ),
    WrongBuild(
        "a refused card is never asked about again",
        ((climb, "climb", "modem.first_rung = error.next_rung", "modem.first_rung = 0"),),
        ("denied, and admitted again after 15 min",),
    ),
)


def edited(owner: Any, name: str, old: str, new: str) -> FunctionType:
    """That method with `old` made `new`; fails where there is no `old`."""
    method = getattr(owner, name)
    text = textwrap.dedent(inspect.getsource(method))
    assert old in text, f"{owner.__name__}.{name} has no {old!r}"
    module = owner if isinstance(owner, ModuleType) else sys.modules[owner.__module__]
    made: dict[str, Any] = {}
    exec(text.replace(old, new), dict(vars(module)), made)  # our own source
    # by the module's own names, so that its clock and its errors are the ones in use
    return FunctionType(made[name].__code__, vars(module), name, method.__defaults__)


@contextmanager
def built(wrong: WrongBuild) -> Iterator[None]:
    """The driver is that build, within."""
    patches = [mock.patch.object(edit[0], edit[1], edited(*edit)) for edit in wrong.edits]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def look_at(wrong: WrongBuild, seed: int = 1) -> Report:
    """A short run of it, under the faults that show it."""
    with built(wrong):
        return gsm.run(seed, 0, wrong.only)


def look_at_all(seed: int, say: Callable[[str], None] = print) -> int:
    """Look at each; 1 if one was not noticed."""
    missed = 0
    for wrong in WRONG_BUILDS:
        report = look_at(wrong, seed)
        shown = (report.hangs or [str(report.longest_s)])[0].splitlines()[0]
        if report.is_clean:
            missed += 1
        say(f"wrong build: {wrong.name}: {'NOT CAUGHT' if report.is_clean else 'caught'} {shown}")
    say(f"wrong builds caught: {len(WRONG_BUILDS) - missed} of {len(WRONG_BUILDS)}")
    return int(missed > 0)
