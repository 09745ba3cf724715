"""Terminals and offices that are wrong on purpose, each in a way that days show; lives must notice
every one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from unittest import mock

from updater_server.channels.promotion import Promotion

Edit = tuple[str, str, str]


@dataclass(frozen=True)
class WrongBuild:
    """`edits`: (file, old, new) of the firmware. What is broken within `days` has `says` in its
    text. `office`: what is wrong on the other side, while the lives last.
    """

    name: str
    edits: tuple[Edit, ...]
    days: int
    says: str
    terminals: tuple[int, ...] = (0,)
    seed: int = 1
    office: Callable[[], AbstractContextManager[object]] = nullcontext
    begins_s: float = 0
    """How long the chip has counted its ticks before the first day."""
    is_hosted: bool = True
    """What a small heap shows only MicroPython shows."""


def _without_deltas() -> AbstractContextManager[object]:
    real = Promotion.payloads
    return mock.patch.object(Promotion, "payloads", lambda *given: real(*given)[:1])


_SYNC, _CHECK_IN = "firmware/office/sync.py", "firmware/duties/check_in.py"

TICKS_WRAP_S = (1 << 30) / 1000
"""A board's counter of milliseconds begins anew after twelve days."""

WRONG_BUILDS = (
    WrongBuild(
        "a settlement is settled again, for ever",
        (
            (
                _SYNC,
                "journal.has_news(told, end) or (also_settled and end - told >= _SETTLEMENTS):",
                "True:",
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
        "an idle terminal checks in every ten minutes",
        ((_CHECK_IN, "apart(terminal.config.poll_s * 1000,", "apart(600000,"),),
        1,
        "check-ins on a day",
    ),
    WrongBuild(
        "a server that nobody reaches is asked every five minutes, day and night",
        (
            (
                "firmware/duties/radio.py",
                "_LONGEST_ALONE_MS = const(3600000)",
                "_LONGEST_ALONE_MS = const(300000)",
            ),
        ),
        1,
        "bytes in vain",
        terminals=(2,),
        seed=2,  # its first day is one without a server
    ),
    WrongBuild(
        "the float is off by a cent",
        (("firmware/sales/till.py", "state.float_minor\n", "state.float_minor + 1\n"),),
        1,
        "different floats",
    ),
    WrongBuild(
        "after its first sync it refuses each sale, in polite words",
        (
            (
                "firmware/flows/steps/reach.py",
                "if till.journal.state.in_the_way(desk.link.state == ONLINE):",
                "if till.journal.state.acknowledged:",
            ),
        ),
        1,
        "a sale came to 'refused'",
    ),
    WrongBuild(
        "the server's word that nothing is new is believed whatever it is",
        (("firmware/update/newest.py", "tag[1:].startswith(self.tag)", "tag"),),
        2,
        "not 2",
    ),
    WrongBuild(
        "a rollback is told to nobody",
        (
            (
                _CHECK_IN,
                "        if failure:\n            told =",
                "        if None:\n            told =",
            ),
        ),
        4,
        "nobody was told",
    ),
    WrongBuild(
        "a promoted release has no delta for those who run what its channel lists",
        (),
        2,
        "bytes of releases",
        office=_without_deltas,
    ),
    WrongBuild(
        "terminals that started together ask together",
        (
            (
                "firmware/duties/apart.py",
                "    return milliseconds - (milliseconds * random(1)[0] >> 10)\n",
                "    return milliseconds\n",
            ),
        ),
        3,
        "a storm",
        terminals=(0, 1, 2),
    ),
    WrongBuild(
        "each check-in leaves a line in a log on the disk",
        (
            (
                _CHECK_IN,
                "        terminal.link.reached()\n",
                '        terminal.link.reached()\n        with open("/data/log", "a") as kept:\n'
                '            kept.write("reached %d\\n" % now)\n',
            ),
        ),
        1,
        "a file that nobody knows",
    ),
    WrongBuild(
        "each check-in keeps a piece of the heap",
        (
            (
                _CHECK_IN,
                "        self._told = files\n",
                "        self._told = files\n"
                '        self._kept = [getattr(self, "_kept", None), bytearray(8192)]\n',
            ),
        ),
        3,
        "",
        is_hosted=False,
    ),
    WrongBuild(
        "the day begins at the midnight of Greenwich",
        (
            (
                "firmware/sales/tally.py",
                "    start = now - (now + utc_offset_s) % DAY_S\n",
                "    start = now - now % DAY_S\n",
            ),
        ),
        3,
        "the new day has sales",
    ),
    WrongBuild(
        "a terminal checks in once after each start, and never again",
        (
            (
                _CHECK_IN,
                "        return ticks_diff(ticks_ms(), self._due_ms) >= 0\n",
                "        return not self.done\n",
            ),
        ),
        2,
        "not heard of",
    ),
    WrongBuild(
        "a release that failed is tried again for ever",
        (
            (
                "firmware/update/record.py",
                "        return [int(number) for number, _ in self.refused]\n",
                "        return []\n",
            ),
        ),
        6,
        "restarts by itself",
    ),
    WrongBuild(
        "a counter of milliseconds is compared as if it never wrapped",
        (
            (
                _CHECK_IN,
                "        return ticks_diff(ticks_ms(), self._due_ms) >= 0\n",
                "        return ticks_ms() >= self._due_ms\n",
            ),
        ),
        1,
        "check-ins early",
        begins_s=TICKS_WRAP_S - 24 * 3600,  # it wraps at half past eleven in the first night
    ),
    WrongBuild(
        "files of stock that is sold out never go",
        (
            (
                "firmware/office/stock_delivery.py",
                "        stock.keep_only(set(_needed(journal)).union(journal.state.batches))\n",
                "        pass\n",
            ),
        ),
        9,
        "sold out long ago never go",
        terminals=(4,),
    ),
    WrongBuild(
        "the language that was chosen is forgotten with the next start",
        (
            (
                "firmware/main.py",
                'Words(memory.get("language", settings.language))',
                "Words(settings.language)",
            ),
        ),
        3,
        "who speaks sw knows",
        terminals=(1,),
    ),
    WrongBuild(
        "a restored server is told nothing that was told before",
        (
            (
                "firmware/office/check_in.py",
                "        await tell(journal, messenger, till, through)\n",
                "        messenger.told = journal.state.acknowledged\n",
            ),
        ),
        1,
        "not told everything",
        terminals=(3,),
    ),
)
