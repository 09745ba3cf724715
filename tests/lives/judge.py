"""What must hold at each midnight, from outside: paper, books, flash, air, words to the server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from firmware.ui.texts import Words
from tests.lives import disk
from tests.lives.habits import LANGUAGES
from tests.support.merchant import pin_on
from tests.support.world import World
from updater_server.sales import checks
from updater_server.store.engine import open_engine, reading

_QUIET_MESSAGES = 8
"""A day without any deed takes four."""
_MESSAGES_A_DEED = 4
_CHECK_INS = (3, 24)
"""Of a day: every three hours makes eight, and each start one."""
_MISSED = 2
"""Of those, on a day on which its server was away for most of it."""
_MOST_EARLY = 6
"""A release that comes, is tried and confirmed tells of itself; so does stock that was fetched."""
_UNEXPECTED_ALARMS = ("journal", "float", "voucher", "reply", "message", "file")
_LATE_S = 6 * 3600
_IN_VAIN_BYTES = 1000
"""A question that nobody answers, with its name and headers; one an hour of who is left alone."""
_IN_VAIN_A_DEED = 9
"""After a start, and when the server is lost, the pauses between two grow from seconds to an hour.
"""
_UPDATE_BYTES = 60_000
"""A release that changes some lines comes as a delta; whole it is twice as much."""
_STORM_S = 30
_SERVED = ("sold", "from stock")
_KNOWN_AFTER_S = 900
"""When a terminal has found its network again, whatever was away."""
_DEAREST_MINOR = 30_000
_DAMAGED = "image damaged in flash"
"""What a terminal tells of a slot that was spoiled."""
_MOST_BATCHES = 9
"""Eight that it sells from or sold from last, and one that an open sale may still need."""
_RESTARTS_OF_A_VISIT = 2
"""Into the repaired program, or with new settings; and whom the technician's tool starts anew."""
_RESTARTS_FOR_A_RELEASE = 6
"""The switch; and of a bad one two crashes, the way back, and what power cuts repeat."""


@dataclass
class InVain:
    """When the server was lost, what had gone over the air by then, and what was done since."""

    since_s: float = 0
    on_air_bytes: int = 0
    deeds: int = 0
    """With that by which it was lost."""


@dataclass
class Today:
    """What was seen of a day from outside."""

    deeds: int
    times: Counter[str]
    """Messages by purpose."""
    bytes: Counter[str]
    restarts: int
    """That nobody's hand made."""
    has_release: bool
    """Whether one was offered."""
    visits: int = 0
    """How often a technician had it."""
    was_without_server: bool = False
    """Whether nobody reached it, from the morning on."""
    early_check_ins: int = 0
    """Those soon after the one before, though nothing was done to terminal or office meanwhile."""
    paid_in_minor: int = 0

    @property
    def untold_minor(self) -> int:
        """What was paid in on the morning of a day without a server: the check-in that brings word
        of it in the evening may be that day's last.
        """
        return self.paid_in_minor if self.was_without_server else 0


def money(world: World, paid_in_minor: int, untold_minor: int = 0) -> list[str]:
    """Broken promises of money; the terminal has told the server everything. `untold_minor` of what
    was paid in may have been told to the terminal by its last check-in, and so not by it.
    """
    books = world.books
    debits = books.debits_minor()
    engine = open_engine(world.server.database)
    with reading(engine) as connection:
        found = list(checks.problems(connection))
    engine.dispose()
    whole = [each for each in world.terminal.receipts() if len(pin_on(each)) == 16]
    copies = [word for language in LANGUAGES if (word := Words(language)("r_duplicate"))]
    originals = Counter(
        pin_on(each) for each in whole if not any(word in each.text for word in copies)
    )
    handed_out = {pin_on(each) for each in whole}
    twice = [pin for pin, count in originals.items() if count > 1]
    if books.float_minor() != paid_in_minor - sum(debits):
        found.append(f"the float is {books.float_minor()}, not {paid_in_minor} - {sum(debits)}")
    float_minor = books.float_minor()
    if books.check_in()["own_float_minor"] not in (float_minor, float_minor - untold_minor):
        found.append("terminal and ledger have different floats")
    if books.ledger_sum_minor() or books.assigned_twice():
        found.append("the books do not sum to zero, or a voucher was given twice")
    if twice:
        found.append(f"{len(twice)} PINs are on paper twice as originals")
    if not handed_out <= world.pins("air50") | world.pins("air100"):
        found.append("a PIN on paper was never in the vault")
    if len(handed_out) != len(debits):
        found.append(f"{len(handed_out)} PINs on paper, {len(debits)} debits in the books")
    found += [f"alarm {code}" for code in books.alarms() if code.startswith(_UNEXPECTED_ALARMS)]
    return found


def early_s(poll_s: int) -> float:
    """What is asked again sooner is early: an interval is shortened by up to a quarter."""
    return poll_s * 2 / 3


def silence(today: Today) -> list[str]:
    """Whether more went out in a day than what was done there explains, or too little."""
    found = []
    messages = today.times["journal"] + today.times["settlements"]
    if messages > _QUIET_MESSAGES + _MESSAGES_A_DEED * today.deeds:
        found.append(f"{messages} journal messages on a day of {today.deeds} deeds")
    least, most = _CHECK_INS
    least -= _MISSED if today.was_without_server else 0
    check_ins = today.times["check-in"]
    if not least <= check_ins <= most + today.deeds:
        found.append(f"{check_ins} check-ins on a day of {today.deeds} deeds")
    if today.early_check_ins > _MOST_EARLY:
        found.append(f"{today.early_check_ins} check-ins early, and for no reason")
    if today.bytes["releases"] > _UPDATE_BYTES:
        found.append(f"{today.bytes['releases']} bytes of releases on a day")
    return found


def in_vain(lost: InVain, now_s: float, on_air_bytes: int) -> list[str]:
    """Whether more went out to a server that nobody reached than who is at the keys explains, and
    one look now and then.
    """
    hours = (now_s - lost.since_s) / 3600
    most = _IN_VAIN_BYTES * (_IN_VAIN_A_DEED * lost.deeds + hours)
    spent = on_air_bytes - lost.on_air_bytes
    return [f"{spent} bytes in vain in {hours:.0f} h"] if spent > most else []


def steadiness(today: Today) -> list[str]:
    """Whether it started anew without a reason."""
    most = _RESTARTS_OF_A_VISIT * today.visits
    most += _RESTARTS_FOR_A_RELEASE if today.has_release else 0
    return [f"{today.restarts} restarts by itself"] if today.restarts > most else []


def service(came_to: str, calm_s: float, float_minor: int) -> list[str]:
    """Whether a customer went without, though for `calm_s` network, server and power had been there
    and the float was enough.
    """
    if came_to in _SERVED or calm_s < _KNOWN_AFTER_S or float_minor < _DEAREST_MINOR:
        return []
    return [f"a sale came to {came_to!r}, {calm_s:.0f} s after all was there"]


def restore(waits_for_terminals: bool) -> list[str]:
    """Whether a server that was restored in the day knows by night what it had forgotten."""
    return ["the restored server was not told everything"] if waits_for_terminals else []


def presence(world: World) -> list[str]:
    """Whether the server has heard of the terminal lately."""
    silent_s = world.now_unix_s() - world.books.check_in()["at"]
    return [f"not heard of for {silent_s:.0f} s"] if silent_s > _LATE_S else []


def trust(world: World, wanted_release: int, bad: Sequence[int], repairs: int = 0) -> list[str]:
    """Broken promises of updates. `bad`: releases that were tried here, and must have failed;
    `repairs`: how often both slots were spoiled, and a technician mended them.
    """
    found = []
    check_in = world.books.check_in()
    if (check_in["release"], bool(check_in["trial"])) != (wanted_release, False):
        found.append(
            f"it runs release {check_in['release']}, trial {check_in['trial']},"
            f" not {wanted_release}; it waits for {world.books.waits()}"
        )
    failures = world.books.failures()
    damaged = sum(reason == _DAMAGED for _, reason in failures)
    if damaged != repairs:
        found.append(f"{damaged} damaged images were told of, {repairs} were repaired")
    failed = Counter(release for release, reason in failures if reason != _DAMAGED)
    for release in bad:
        if not failed[release]:
            found.append(f"nobody was told that release {release} failed")
    for release, count in failed.items():
        if release not in bad:
            reasons = [why for number, why in failures if number == release]
            found.append(f"release {release} failed: {reasons[-1]}")
        elif count > 1:
            found.append(f"release {release} was tried {count} times")
    return found


def flash(world: World) -> list[str]:
    """What lies on the disk and should not."""
    board = world.terminal.board
    found = disk.files(board.call(board.flash.read, 0, board.flash.size_bytes))
    said = disk.faults(found)
    batches = disk.batches(found)
    if len(batches) > _MOST_BATCHES:
        said.append(f"files of {len(batches)} batches: those sold out long ago never go")
    return said


def storm(second_check_ins_s: Sequence[float]) -> list[str]:
    """Whether terminals that started at one instant ask together, hours later."""
    if len(second_check_ins_s) < 2:
        return []
    spread_s = max(second_check_ins_s) - min(second_check_ins_s)
    return [f"a storm: all asked within {spread_s:.0f} s"] if spread_s < _STORM_S else []
