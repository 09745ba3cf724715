"""Whatever is asked of recovery, in whatever state: afterwards a version that sells is in reach,
and nothing is confirmed that has not proved itself. On the real bootloader, recovery and firmware.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.money import office
from tests.powercut import device, judge, publisher
from tests.powercut.scenarios import Visit, _ask, _upload, begin, ready, repair, starts
from tests.powercut.world import LAYOUT, Answering, Reset, TechnicianTold, World

with device.own():
    from bootloader.recovery import slots
    from bootloader.shared import control

SELLS = (1, 2, 5)


# --- the states in which somebody may come with a cable ---


def on_trial(world: World) -> None:
    """Release 2 on trial beside the confirmed release 1."""
    world.day = "delta"
    life = starts(world)
    life.check_in()
    with pytest.raises(Reset):
        life.update()


def interrupted_upload(world: World) -> None:
    visit(world, first_piece(2))


def ready_but_not_chosen(world: World) -> None:
    visit(world, whole(2))


def expanded_but_not_tried(world: World) -> None:
    """The image is in the other slot, and the boot records do not know it yet."""
    world.flash.damage(LAYOUT["slot_b"][0], publisher.image(2))


def records_lost(world: World) -> None:
    """Two releases that were confirmed one after the other, and no boot records any more."""
    world.flash.damage(LAYOUT["control"][0], bytes(LAYOUT["control"][1]))


def mended_and_not_proved(world: World) -> None:
    """As a technician leaves it who had no network."""
    world.online = False
    world.needs_technician = True
    starts(world)


def as_it_is(world: World) -> None:
    pass


STATES: dict[str, tuple[str, Callable[[World], None]]] = {
    "blank": ("blank", as_it_is),
    "one confirmed": ("shop", as_it_is),
    "confirmed and old confirmed": ("updated", as_it_is),
    "confirmed and trial": ("shop", on_trial),
    "confirmed and ready": ("shop", ready_but_not_chosen),
    "confirmed and half an upload": ("shop", interrupted_upload),
    "confirmed and expanded": ("shop", expanded_but_not_tried),
    "records lost": ("updated", records_lost),
    "both spoiled": ("bricked", as_it_is),
    "mended, not proved": ("bricked", mended_and_not_proved),
}


# --- what may be asked ---


def first_piece(release: int, **changes: Any) -> Visit:
    content = publisher.image(release)
    yield from lists(RELEASES[release])
    body = {"off": 0, "data": content[:480], "len": len(content), "sha": publisher.digest(release)}
    body.update(changes)
    yield _ask(True, 1, 1, **{key: value for key, value in body.items() if value is not None})


def lists(day: str) -> Visit:
    """Whoever comes brings what is signed; what the terminal has may be newer."""
    for role, content in publisher.publisher().trust_files(day).items():
        try:
            yield from _upload(8, 0, content, name=f"/data/trust/{role}.json", len=len(content))
        except TechnicianTold:
            pass


def whole(release: int) -> Visit:
    content = publisher.image(release)
    yield from lists(RELEASES[release])
    yield from _upload(1, 1, content, len=len(content), sha=publisher.digest(release))


def flashed(release: int) -> Visit:
    """What `tech flash` does."""
    yield from whole(release)
    yield _ask(True, 1, 0, hash=publisher.digest(release), confirm=False)


def file(name: str, content: bytes, size: int | None = None) -> Visit:
    length = len(content) if size is None else size
    yield _ask(True, 8, 0, name=name, off=0, data=content[:300], len=length)


def one(is_write: bool, group: int, command: int, **body: Any) -> Callable[[], Visit]:
    def asked() -> Visit:
        yield _ask(is_write, group, command, **body)

    return asked


RELEASES = {1: "first", 2: "delta", 3: "crashing", 5: "security"}
"""And the day whose lists name them as the newest. 3 crashes as soon as it starts."""
COMMANDS: dict[str, Callable[[], Visit]] = {
    "echo": one(True, 0, 0, d="x"),
    "reset": one(True, 0, 5),
    "parameters": one(False, 0, 6),
    "status": one(False, 64, 0),
    "challenge": one(False, 64, 2),
    "the key": one(True, 64, 1, terminal=office.TERMINAL_ID),
    "list": one(False, 1, 0),
    "confirm what runs": one(True, 1, 0, confirm=True),
    "choose nothing": one(True, 1, 0),
    "erase": one(True, 1, 5),
    "erase a": one(True, 1, 5, slot=0),
    "erase b": one(True, 1, 5, slot=1),
    "no hash": lambda: first_piece(2, sha=None),
    "a hash that nobody signed": lambda: first_piece(2, sha=bytes(32)),
    "another length": lambda: first_piece(2, len=100),
    "a file without end": lambda: file("/data/x", b"x", 60_000),
    "metadata without end": lambda: file("/data/trust/stable.json", b"{", 12_000),
    "broken metadata": lambda: file("/data/trust/timestamp.json", b"{}"),
    "unknown": one(True, 77, 7),
}
for number in RELEASES:
    digest = publisher.digest(number)
    COMMANDS[f"begin {number}"] = partial(first_piece, number)
    COMMANDS[f"upload {number}"] = partial(whole, number)
    COMMANDS[f"flash {number}"] = partial(flashed, number)
    COMMANDS[f"test {number}"] = one(True, 1, 0, hash=digest, confirm=False)
    COMMANDS[f"confirm {number}"] = one(True, 1, 0, hash=digest, confirm=True)
AGAIN = ("erase", "no hash", "begin 3", "flash 2", "flash 3", "flash 5")
"""What is asked after something else was: after one of `FIRST`."""
FIRST = ("erase", "begin 2", "upload 3", "flash 2", "flash 3", "flash 5", "test 1")


def one_after_the_other(*asked: Visit) -> Visit:
    """Refusals are borne."""
    for each in asked:
        try:
            yield from each
        except TechnicianTold:
            pass


def visit(world: World, *asked: Visit) -> None:
    """Somebody holds `*` at power-on, asks, and pulls the plug."""
    held = world.star_is_held
    world.star_is_held = True
    try:
        world.power_on("power-on", one_after_the_other(*asked))
    except (Answering, Reset):
        pass
    world.star_is_held = held


def confirmed_alone(world: World) -> set[int]:
    """The release that is confirmed, if no other is: it must stay."""
    record = judge.control(world.cells("control"))
    good = {s.release for s in record.slots.values() if s.state == "good"} if record else set()
    return good if len(good) == 1 and not world.spoiled_slots else set()


def wrong_after(world: World, sold_before: bool, must_stay: set[int]) -> str:
    """What a person would find: does it sell again, by itself or by a technician's `recover`?"""
    proven = world.proven_releases()
    record = judge.control(world.cells("control"))
    for slot in record.slots.values() if record else ():
        if slot.state == "good" and slot.release not in proven:
            return f"release {slot.release} is confirmed and has proved nothing"
    good = {s.release for s in record.slots.values() if s.state == "good"} if record else set()
    if not must_stay <= good:
        return f"release {must_stay} was the only confirmed one and is gone"
    world.has_control = record is not None
    world.needs_technician = world.star_is_held = not sold_before
    world.online = True
    world.day = "security"
    cause = "power-on"
    for _ in range(8):
        try:
            life = world.power_on(cause, repair(world, 5) if world.needs_technician else None)
        except Reset as reset:
            cause = reset.cause
            world.star_is_held = False
            continue
        except (Answering, TechnicianTold) as stuck:
            return f"it needs a technician: {stuck!r}"
        if life.app.boot_info.release not in SELLS:
            return "what runs does not sell"
        life.check_in()
        if not life.prove_itself():
            return "it does not prove itself"
        ready(world, life)
        if not life.app.catalogue.products:
            try:
                life.update()
            except Reset as reset:
                cause = reset.cause
                continue
        return "" if life.sell() == "" else "it sells nothing"
    return "it never comes to rest"


def stand(state: str) -> tuple[World, bool]:
    """A world in that state; whether it sold by itself."""
    start, get_there = STATES[state]
    world = begin(start)
    world.day = "security" if start == "blank" else world.day
    get_there(world)
    return world, start not in ("blank", "bricked") or state == "mended, not proved"


@pytest.mark.parametrize("state", STATES)
def test_whatever_is_asked_of_recovery_a_version_that_sells_stays_in_reach(state: str) -> None:
    world, sold_before = stand(state)
    cells, kept = world.flash.snapshot(), world.capture()
    must_stay = confirmed_alone(world)
    asked = [[name] for name in COMMANDS] + [[one, two] for one in FIRST for two in AGAIN]
    for names in asked:
        world.flash.restore(cells)
        tried = world.outlive(kept)
        visit(tried, *(COMMANDS[name]() for name in names))
        assert wrong_after(tried, sold_before, must_stay) == "", (state, names)


def test_that_would_show_a_recovery_that_overwrites_what_a_trial_goes_back_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slots.Slots, "is_needed", lambda self, name: False)
    world, sold_before = stand("confirmed and trial")
    must_stay = confirmed_alone(world)
    visit(world, COMMANDS["flash 3"]())
    assert "was the only confirmed one and is gone" in wrong_after(world, sold_before, must_stay)


def test_that_would_show_a_recovery_that_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    confirming = control.ControlBlock.adopt

    def adopt(block: Any, *terms: Any) -> None:
        confirming(block, *terms)
        block.confirm()

    monkeypatch.setattr(control.ControlBlock, "adopt", adopt)
    world, sold_before = stand("one confirmed")
    visit(world, COMMANDS["flash 3"]())
    assert "confirmed and has proved nothing" in wrong_after(world, sold_before, set())
