"""What a terminal goes through while the power is cut, and what must be true of it afterwards.

A scenario plays on a `World` from a start that is made once a process. Everything it does is done
by the real bootloader, recovery and firmware.
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from hw_sim.flash import NorFlash
from tests.money import office
from tests.powercut import head_office, judge, of_people, publisher
from tests.powercut.files import Files
from tests.powercut.publisher import image
from tests.powercut.world import (
    CONFIG,
    FLASH_BYTES,
    LAYOUT,
    Answering,
    Broken,
    Life,
    Request,
    Reset,
    TechnicianTold,
    World,
)

Visit = Generator[Request, dict[str, Any], None]


@dataclass(frozen=True)
class Scenario:
    """`play` on a world that stands as `start` leaves it; `finish` says what must come of it."""

    name: str
    play: Callable[[World], None]
    start: str = "shop"
    ends_in_release: int = 1
    day: str = "first"
    """What the site has in the end; it may be known to the terminal only after the cut."""
    kept: Callable[[World], list[str]] = field(default=lambda world: [])
    also: Callable[[Life], None] = field(default=lambda life: None)
    """What the merchant does besides selling once the terminal is on again."""
    by_cable_bytes: int = 0
    """Payload that came by cable, and after a cut may come over the air instead."""


# --- the technician ---


def _ask(is_write: bool, group: int, command: int, **body: Any) -> Request:
    return is_write, group, command, body


def _upload(group: int, command: int, data: bytes, **first: Any) -> Visit:
    at = 0
    while at < len(data) or not data:
        body = {"off": at, "data": data[at : at + 480]}
        reply = yield (True, group, command, body | (first if at == 0 else {}) | _named(first))
        if "rc" in reply:
            raise TechnicianTold(f"the technician is told: {reply['rsn']}")
        at = reply["off"]


def _named(first: dict[str, Any]) -> dict[str, Any]:
    return {"name": first["name"]} if "name" in first else {}


def _settings(content: bytes) -> Visit:
    """Bring settings, with the server's permit."""
    name = "/data/config.json"
    file = hashlib.sha256(name.encode() + b"\0" + content).digest()
    reply = yield _ask(False, 64, 2)
    challenge = hashlib.sha256(reply["challenge"][:16] + file).digest()[:16]
    yield _ask(True, 64, 2, file=file, permit=office.permit("file", challenge))
    yield from _upload(8, 0, content, name=name, len=len(content))


def repair(world: World, release: int = 1) -> Visit:
    """A technician's visit: whatever is missing is made or brought, then the terminal restarts."""
    status = yield _ask(False, 64, 0)
    if status.get("terminal") is None or not world.has_control:
        reply = yield _ask(True, 64, 1, terminal=office.TERMINAL_ID)
        if "rc" in reply:
            raise TechnicianTold(f"the technician is told: {reply['rsn']}")
        if reply["key"] != office.DEVICE_KEY:
            raise Broken("the terminal tells another key than it made")
        world.has_control = True
    for role, content in publisher.publisher().trust_files(world.day).items():
        yield from _upload(8, 0, content, name=f"/data/trust/{role}.json", len=len(content))
    yield from _settings(CONFIG)
    content = image(release)
    digest = publisher.digest(release)
    yield from _upload(1, 1, content, len=len(content), sha=digest)
    for name in list(world.spoiled_slots):
        if world.cells("slot_" + name).startswith(content):
            world.spoiled_slots.remove(name)
    reply = yield _ask(True, 1, 0, hash=digest, confirm=False)
    if "rc" in reply:
        raise TechnicianTold(f"the technician is told: {reply['rsn']}")
    yield _ask(True, 0, 5)


def starts(world: World, cause: str = "power-on", limit: int = 16) -> Life:
    """The terminal after as many starts as it takes, mended by a technician where that is due."""
    for _ in range(limit):
        visit = repair(world) if world.needs_technician else None
        try:
            return world.power_on(cause, visit)
        except Reset as reset:
            cause = reset.cause
    raise Broken("the terminal starts again and again")


def ready(world: World, life: Life) -> None:
    world.needs_technician = False
    world.least_security_version = max(
        world.least_security_version, life.app.boot_info.control.state.security_version
    )


def _flashing(world: World, release: int) -> Visit:
    """What `tech flash` does, with the lists of the day."""
    for role, content in publisher.publisher().trust_files(world.day).items():
        yield from _upload(8, 0, content, name=f"/data/trust/{role}.json", len=len(content))
    content = image(release)
    yield from _upload(1, 1, content, len=len(content), sha=publisher.digest(release))
    reply = yield _ask(True, 1, 0, hash=publisher.digest(release), confirm=False)
    if "rc" in reply:
        raise TechnicianTold(f"the technician is told: {reply['rsn']}")
    yield _ask(True, 0, 5)


def _with_star(world: World, visit: Visit) -> None:
    """Somebody holds `*` while switching on."""
    world.star_is_held = True
    try:
        world.power_on("power-on", visit)
    except (Answering, Reset):
        pass
    world.star_is_held = False


# --- where scenarios begin ---


@functools.cache
def _made(start: str) -> tuple[bytes, dict[str, Any]]:
    flash = NorFlash(None, size_bytes=FLASH_BYTES)
    world = World(flash, head_office.opened())
    world.has_control = False
    world.needs_technician = True
    if start != "blank":
        life = starts(world)
        life.prove_itself()
        ready(world, life)
        life.check_in()
        life.update()
        life.sell()
        life.sync()
    if start == "updated":
        world.day = "delta"
        to_release(world, life, 2)
    if start == "full":
        _fill(world)
    if start == "busy":
        for n in range(60):
            life.sell("air50", online=False)
            life.reprint()
            life.reprint()
            if n % 15 == 14:
                life.sync()
    if start == "nearly-full":
        while life.app.journal.free_sectors() > 2 or life.app.journal.ring.at < 3900:
            life.sell("air100" if life.app.till.stock_left("air50") < 9 else "air50", online=False)
            life.reprint()
            life.reprint()
    if start == "eight-batches":
        for _ in range(19):
            life.sell("air100", online=False)
        life.sync()
        for _ in range(5):
            world.server = world.server.with_stock("air50", 1, world.day)
        life.check_in()
    if start == "left-open":
        life.leave_open(online=True)
        life.leave_open(online=False)
        while life.app.journal.free_sectors() > 2 or life.app.journal.ring.at < 3700:
            fill(life)
            life.sync()
    if start == "bricked":
        for name in ("a", "b"):
            offset, _ = LAYOUT["slot_" + name]
            flash.damage(offset, bytes(64))
        world.spoiled_slots = {"a", "b"}
        world.needs_technician = True
    return flash.snapshot(), world.capture()


def _fill(world: World) -> None:
    """Leave no room under /data: uploads that never ended, and files that nobody knows."""
    files = Files(world.flash, *LAYOUT["data"])
    files.mount()
    for size, name in (
        (9000, "trust/stable.json.new"),
        (9000, "x.new"),
        *((4000, "") for _ in range(99)),
    ):
        try:
            with files.open(
                "/data/" + (name or f"fill{size}-{files.statvfs('/data')[3]}"), "wb"
            ) as file:
                file.write(bytes(size))
        except OSError:
            break
    else:
        raise Broken("/data is not full")
    for n in range(99):
        try:
            with files.open(f"/data/fill{n}", "wb") as file:
                file.write(bytes(100))
        except OSError:
            return
    raise Broken("/data is not full")


def begin(start: str) -> World:
    """A world of its own that stands at `start`."""
    cells, kept = _made(start)
    flash = NorFlash(None, size_bytes=FLASH_BYTES)
    flash.restore(cells)
    return World(flash, kept["server"]).outlive(kept)


def to_release(world: World, life: Life, release: int) -> Life:
    """Poll, fetch, switch, prove: until `release` runs and is confirmed."""
    for _ in range(8):
        try:
            if life.app.boot_info.release == release and life.prove_itself():
                ready(world, life)
                return life
            life.prove_itself()
            life.check_in()
            life.update()
        except Reset as reset:
            life = starts(world, reset.cause)
    raise Broken(f"release {release} never came to run")


# --- the scenarios ---


def provisioning(world: World) -> None:
    life = starts(world)
    ready(world, life)
    life.check_in()
    life.update()
    life.sell()


def sale_online(world: World) -> None:
    life = starts(world)
    life.check_in()
    life.sell()
    life.sell("air100")
    world.server = world.server.blocking(True)
    life.sell()
    world.server = world.server.blocking(False)
    life.sync()


def sale_offline(world: World) -> None:
    life = starts(world)
    life.check_in()
    for product in ("air50", "air100", "air50"):
        life.sell(product, online=False)
    world.mute_printer = True
    life.sell("air50", online=False)
    world.mute_printer = False


def lost_answer(world: World) -> None:
    life = starts(world)
    life.check_in()
    world.lose_replies = True
    life.sell()
    world.lose_replies = False
    world.server = world.server.paying_out(40_000, life.app.journal.next_sequence)
    life.check_in()
    life.sell("air50", online=False)
    life.recover()
    life.sell()


def reprints(world: World) -> None:
    life = starts(world)
    life.sell("air50", online=False)
    life.reprint()
    life.merchant.wants_copy = True
    life.sell()
    life.reprint()
    life = starts(world)
    life.reprint()


def last_sales(world: World) -> None:
    """Copies of older sales by their place in the list, and the answer to one that had none."""
    life = starts(world)
    life.sell("air50", online=False)
    life.sell()
    life.look_back("B#", copy=True)
    world.lose_replies = True
    life.sell()
    world.lose_replies = False
    life.look_back("#")
    life = starts(world)
    life.look_back("BB#", copy=True)
    life.look_back("B#", copy=True)


def cancelled(world: World) -> None:
    """Sales that the merchant asks to cancel: with an answer that is lost, one that is here, one
    that may be out, and one that is asked for by itself."""
    life = starts(world)
    life.check_in()
    world.lose_replies = True
    life.sell()
    world.lose_replies = False
    life.look_back("#", cancel=True)
    life.leave_open(online=True, product="air100")
    life.look_back("#", cancel=True)
    life.sync()  # with it the money comes back
    life.print_and_forget()
    life = starts(world)
    life.look_back("#", cancel=True)
    world.lose_replies = True
    life.sell()
    life.look_back("#", cancel=True)
    world.lose_replies = False
    life = starts(world)
    life.sync()


def shifts(world: World) -> None:
    """A shift and two Z reports, with a sale that has its answer only after the first."""
    life = starts(world)
    life.check_in()
    life.sell("air50", online=False)
    life.shift("200")
    life.sell("air50", online=False)
    life.app.till.person = 1
    life.sell("air100", online=False)
    life.app.till.person = 0
    world.lose_replies = True
    life.sell()
    world.lose_replies = False
    life.z_report()
    life.check_in()
    life.recover()
    life = starts(world)
    life.z_report()
    life.shift("260")
    life.sync()
    life.z_report(copy_of=1)


def _close_the_day(life: Life) -> None:
    life.z_report()
    life.shift("270")


def told(world: World) -> None:
    """Deposits and a message, by check-in and by sync, one answer lost; read and printed."""
    life = starts(world)
    life.check_in()
    world.server = world.server.with_deposit("BANK-1", life.app.journal.next_sequence)
    world.lose_replies = True
    life.check_in()
    world.lose_replies = False
    life.check_in()
    life.read(0)
    world.server = world.server.with_message("Closed on Friday")
    life.sell("air50", online=False)
    life.sync()
    life.read(0)
    world.server = world.server.with_deposit("BANK-2", life.app.journal.next_sequence)
    life = starts(world)
    life.check_in()
    life.read(0)
    life.read(2)


def _reads_all(life: Life) -> None:
    for at in range(3):
        life.read(at)


def _all_told(world: World) -> list[str]:
    numbers = [number for number, *_ in world.server.notices]
    if world.server.notices_through == max(numbers, default=0):
        return []
    return ["a notice never came"]


def away(world: World) -> None:
    """Stock is wiped while a sale from it is open; the terminal comes home and gets new stock."""
    life = starts(world)
    life.check_in()
    life.sell("air50", online=False)
    life.leave_open(online=False)
    life.app.check_in.wipe()
    life = starts(world)
    life.recover()
    life.app.check_in.wipe()
    life.check_in()
    life.sync()
    for product in ("air50", "air100"):
        life.sell(product)
    world.server = world.server.with_stock("air50", 10, world.day)
    life.check_in()
    life.sell("air50", online=False)


def _stocked(life: Life) -> None:
    life.world.server = life.world.server.with_stock("air50", 10, life.world.day)
    life.check_in()


def around(world: World) -> None:
    """What is done besides selling: settings after two wrong PINs, training, a test of the memory,
    copies of slips.
    """
    life = starts(world)
    life.app.memory.put("wrong", 2)
    life.set_sound(1)
    life.set_contrast("BB")
    life.practise()
    life.test_memory()
    life.shift("200")
    life.sell("air50", online=False)
    life.shift("250")
    life.copy_of_shift()
    life.copy_of_shift()
    life.z_report()
    life = starts(world)
    life.z_report(copy_of=1)
    life.copy_of_shift()


def _copies(life: Life) -> None:
    life.copy_of_shift()
    if any(b"Z REPORT 1" in data for data in life.world.paper):
        life.z_report(copy_of=1)


def _remembers(
    world: World, in_their_order: tuple[str, ...] = ("wrong", "sound", "contrast")
) -> list[str]:
    """Whether a setting that was kept has taken one of before with it."""
    files = Files(world.flash, *LAYOUT["data"])
    files.mount()
    if left := [name for name in files.listdir("/data") if "test" in name]:
        return [f"of the self-test {left} is left"]
    try:
        with files.open("/data/merchant.json", "rb") as file:
            kept = json.loads(file.read())
    except OSError:
        kept = {}
    except ValueError:
        return ["what the terminal remembers cannot be read"]
    known = [name in kept for name in in_their_order]
    return [] if known == sorted(known, reverse=True) else [f"a setting was forgotten: {kept}"]


def people(world: World) -> None:
    """Who may use the terminal: PINs, names and a language change, one comes and one goes."""
    life = starts(world)
    life.own_pin("2580", _OWNERS[0])
    life.person(0, 0, "ADA", "2B3B2#", _OF_OTHERS[0])
    life.own_pin(_OWNERS[0], _OWNERS[1])
    life.speak(1)
    _each_sells(life)
    life.person(0, 1, keys="CC6B6B#")
    life.person(0, 0, "AMM", pin=_OF_OTHERS[1])
    life.person(1, 0, "EVE", "33B888B33#", _OF_OTHERS[2])
    life.person(0, 2)


_OWNERS = ("9173", "5926")
_OF_OTHERS = ("7391", "40408", "86420")
_PEOPLE = "/data/merchant.people"


def _each_sells(life: Life) -> None:
    for number in life.people():
        life.app.till.person = number
        life.sell("air50", online=False)
    life.app.till.person = 0


def _all_known(world: World) -> list[str]:
    files = Files(world.flash, *LAYOUT["data"])
    files.mount()
    try:
        with files.open(_PEOPLE, "rb") as file:
            raw = file.read()
    except OSError:
        raw = b""
    records = judge.Books(world).records
    wrong = of_people.of_file(raw, json.loads(CONFIG)["merchant"], _OWNERS, _OF_OTHERS, records)
    return wrong + of_people.of_records(records) + _remembers(world, ("wrong", "language"))


def ring_fills(world: World) -> None:
    life = starts(world)
    life.check_in()
    for _ in range(50):
        if life.sell("air50", online=False) == "journal_full":
            break
        for _ in range(8):
            life.reprint()
        if wrong := judge.money(world):
            raise Broken(wrong[0])
    else:
        raise Broken("the journal never fills")
    for _ in range(40):
        life.reprint()
    life.sync()
    life.sell("air50", online=False)


def ring_turns(world: World) -> None:
    life = starts(world)
    life.check_in()
    for n in range(10):
        life.sell("air50", online=False)
        for _ in range(6):
            life.reprint()
        if n % 4 == 3:
            life.sync()


def fill(life: Life) -> None:
    """Something long for the journal that changes nothing."""
    life.app.journal.append(10, ["padding", "." * 200])


def open_sales_over_a_turning_ring(world: World) -> None:
    life = starts(world)
    life.check_in()
    oldest_open = life.app.journal.state.unfinished[0][0]
    for n in range(80):
        if life.app.journal.oldest > oldest_open:
            break
        if n == 20:
            life = starts(world)
        if not life.app.journal.room_for_sale():
            raise Broken("the journal is full, and the server has all of it")
        fill(life)
        if n % 5 == 4:
            life.sync()
    else:
        raise Broken("the ring never turned")
    if wrong := judge.money(world):
        raise Broken(wrong[0])
    life.recover()
    if life.app.till.unfinished():
        raise Broken("a sale cannot be ended")


def eviction(world: World) -> None:
    life = starts(world)
    life.check_in()
    life.leave_open(online=False, product="air100")
    if life.app.till.stock_left("air100"):
        raise Broken("it was to be the last one of its batch")
    world.server = world.server.with_stock("air100", 5, world.day)
    life = starts(world)
    life.check_in()
    life.recover()
    if life.app.till.unfinished() or life.reprint():
        raise Broken("what was sold cannot be handed over")
    life.sell("air100", online=False)


def sync_interrupted(world: World) -> None:
    life = starts(world)
    life.check_in()
    for _ in range(4):
        life.sell("air50", online=False)
        world.lose_replies = True
        life.sync()
        world.lose_replies = False
        life.sell("air50", online=False)
        life.sync()
        world.online = False
        life.sell("air100")
        life.sync()
        world.online = True
        life.check_in()


def stock_delivery(world: World) -> None:
    life = starts(world)
    for reply_is_lost in (False, True):
        world.server = world.server.with_stock("air50", 25, world.day)
        world.lose_replies = reply_is_lost
        life.check_in()
        world.lose_replies = False
        life.check_in()
        life.sell("air50", online=False)
    life.sync()


def _has_stock(world: World) -> list[str]:
    held = {r.body[0] for r in judge.Books(world).records.values() if r.kind == 9}
    lost = world.server.received - held
    return [f"batches {sorted(lost)} were taken from the server and cannot be sold"] if lost else []


def many_starts(world: World) -> None:
    for _ in range(18):
        life = starts(world)
    life.check_in()


def catalogue(world: World) -> None:
    life = starts(world)
    life.check_in()
    life.app.memory.put("language", "fr")
    world.day = "catalogue"
    life.update()
    life.app.memory.put("language", "en")
    life.sell("air50", online=False)
    world.needs_technician = True
    life.app.boot_info.control.request_recovery()
    changed = CONFIG.replace(b"Mama Asha Shop", b"Mama Asha Kiosk")
    try:
        world.power_on("soft", settings(changed))
    except Reset as reset:
        life = starts(world, reset.cause)
    ready(world, life)
    life.sell("air50", online=False)


def settings(content: bytes) -> Visit:
    yield from _settings(content)
    yield _ask(True, 0, 5)


def update_by_delta(world: World) -> None:
    life = starts(world)
    life.check_in()
    life.sell("air50", online=False)
    world.day = "delta"
    to_release(world, life, 2).sell("air50", online=False)


def update_in_full(world: World) -> None:
    life = starts(world)
    life.check_in()
    world.day = "security"
    life.line.drop_after(9000)
    life.update()
    to_release(world, life, 5)


def crash_in_trial(world: World) -> None:
    life = starts(world)
    life.check_in()
    world.day = "crashing"
    with_resets(world, life)


def hang_in_trial(world: World) -> None:
    life = starts(world)
    life.check_in()
    world.day = "hanging"
    with_resets(world, life)


def _was_told(release: int) -> Callable[[World], list[str]]:
    def kept(world: World) -> list[str]:
        if any(told == release for told, _ in world.server.told):
            return []
        return [f"the server was never told that release {release} failed"]

    return kept


def with_resets(world: World, life: Life) -> Life:
    """Let the update client have its way until it rests."""
    for _ in range(8):
        try:
            life.prove_itself()
            life.check_in()
            life.update()
            life.check_in()
            return life
        except Reset as reset:
            life = starts(world, reset.cause)
    raise Broken("updates never come to rest")


def plugs_pulled_in_trial(world: World) -> None:
    life = starts(world)
    life.check_in()
    world.day = "delta"
    try:
        life.update()
    except Reset:
        pass
    world.online = False
    for _ in range(4):
        life = starts(world, "power-on")
        life.prove_itself()
        life.sell("air50", online=False)
    world.online = True
    to_release(world, life, 2)


def report_fails_after_confirm(world: World) -> None:
    life = starts(world)
    life.check_in()
    world.day = "security"
    try:
        life.update()
    except Reset as reset:
        life = starts(world, reset.cause)
    life.prove_itself()
    ready(world, life)
    world.online = False
    for _ in range(3):
        life = starts(world)
        life.check_in()
        life.sell("air50", online=False)


def serial_recovery(world: World) -> None:
    life = starts(world)
    ready(world, life)
    life.check_in()
    life.sell("air50", online=False)


def recovery_in_trial(world: World) -> None:
    """With a release on trial somebody comes with a cable: noise, then one that crashes."""
    life = starts(world)
    life.check_in()
    world.day = "delta"
    try:
        life.update()
    except Reset:
        pass
    before = judge.control(world.cells("control"))
    _with_star(world, _nothing_that_may_be_taken())
    if judge.control(world.cells("control")) != before:
        raise Broken("what nobody signed for changed the boot records")
    world.day = "crashing"
    _with_star(world, _flashing(world, 3))
    record = judge.control(world.cells("control"))
    if record is None or not any(slot.state == "good" for slot in record.slots.values()):
        raise Broken("what was confirmed before the trial is gone")
    with_resets(world, starts(world))
    world.day = "security"
    _with_star(world, _flashing(world, 5))
    to_release(world, starts(world), 5)


def _nothing_that_may_be_taken() -> Visit:
    content = image(2)
    yield _ask(True, 1, 1, off=0, data=content[:480], len=len(content))
    yield _ask(True, 1, 1, off=0, data=content[:480], len=len(content), sha=bytes(32))
    yield _ask(True, 1, 5)
    yield _ask(True, 1, 0, confirm=True)


def full_data(world: World) -> None:
    """No room under /data: it sells, takes an update in, and can be mended."""
    life = starts(world)
    life.check_in()
    life.app.memory.put("wrong", 1)
    life.sell("air50", online=False)
    world.server = world.server.with_stock("air50", 10, world.day)
    life.check_in()
    world.day = "delta"
    to_release(world, life, 2)
    world.day = "security"
    _with_star(world, _flashing(world, 5))
    to_release(world, starts(world), 5)


def records_decay(world: World) -> None:
    """The newest boot record decays while the power is off, and again."""
    for _ in range(2):
        life = starts(world)
        if not life.check_in():
            raise Broken("the server takes an honest message for a replay")
        life.sell("air50", online=False)
        cells = world.cells("control")
        pages = [cells[at : at + 256] for at in range(0, len(cells), 256)]
        newest = max(
            (record.sequence, at)
            for at, page in enumerate(pages)
            if (record := judge.control(page)) is not None
        )[1]
        world.flash.damage(LAYOUT["control"][0] + 256 * newest, bytes(256))
    life = starts(world)
    if not life.check_in():
        raise Broken("the server takes an honest message for a replay")


def any_day(seed: int) -> Callable[[World], None]:
    """A day made of everything, in an order that follows from `seed`."""

    def play(world: World) -> None:
        chance = random.Random(seed)
        life = starts(world)
        life.check_in()
        days = ["catalogue", "delta", "crashing", "security"]
        for _ in range(14):
            move = chance.randrange(10)
            try:
                if move < 3:
                    life.sell(chance.choice(("air50", "air100")), chance.random() < 0.4)
                elif move == 3:
                    life.reprint()
                elif move == 4:
                    world.lose_replies = True
                    life.sell()
                    world.lose_replies = False
                elif move == 5:
                    life.recover()
                    life.sync()
                elif move == 6:
                    life = starts(world)
                elif move == 7:
                    world.server = world.server.with_stock("air50", 10, world.day)
                    life.check_in()
                elif move == 8 and days:
                    world.day = days.pop(0)
                    life.check_in()
                    life.update()
                else:
                    life.prove_itself()
                    ready(world, life)
                    life.sync()
            except Reset as reset:
                life = starts(world, reset.cause)

    return play


SCENARIOS: dict[str, Scenario] = {
    s.name: s
    for s in (
        Scenario("provisioning", provisioning, "blank"),
        Scenario("sale-online", sale_online),
        Scenario("sale-offline", sale_offline),
        Scenario("lost-answer", lost_answer),
        Scenario("reprint", reprints),
        Scenario("last-sales", last_sales),
        Scenario("cancelled", cancelled),
        Scenario("shifts", shifts, also=_close_the_day),
        Scenario("notices", told, also=_reads_all, kept=_all_told),
        Scenario("away", away, also=_stocked),
        Scenario("around", around, also=_copies, kept=_remembers),
        Scenario("people", people, also=_each_sells, kept=_all_known),
        Scenario("sync-interrupted", sync_interrupted),
        Scenario("stock", stock_delivery, kept=_has_stock),
        Scenario("many-starts", many_starts),
        Scenario("catalogue", catalogue, day="catalogue"),
        Scenario("ring-turns", ring_turns, "busy"),
        Scenario("ring-fills", ring_fills, "nearly-full"),
        Scenario("open-sales", open_sales_over_a_turning_ring, "left-open"),
        Scenario("eviction", eviction, "eight-batches", kept=_has_stock),
        Scenario("delta", update_by_delta, "shop", 2, "delta"),
        Scenario("full-security", update_in_full, "shop", 5, "security"),
        Scenario("crash-in-trial", crash_in_trial, "updated", 2, "crashing", _was_told(3)),
        Scenario("hang-in-trial", hang_in_trial, "updated", 2, "hanging", _was_told(4)),
        Scenario("plugs-in-trial", plugs_pulled_in_trial, "shop", 2, "delta"),
        Scenario("report-fails", report_fails_after_confirm, "shop", 5, "security"),
        Scenario("serial-recovery", serial_recovery, "bricked"),
        Scenario(
            "recovery-in-trial", recovery_in_trial, "shop", 5, "security", by_cable_bytes=9000
        ),
        Scenario("full-data", full_data, "full", 5, "security", by_cable_bytes=9000),
        Scenario("records-decay", records_decay),
        *(Scenario(f"any-day-{n}", any_day(n), "shop", 0, "security") for n in range(6)),
    )
}

# --- after a cut ---


def live_on(world: World, scenario: Scenario) -> list[str]:
    """The terminal is switched on again and goes on until it is at rest; what was wrong, in words.

    Judged at the first start, and once everything is sent, after one more power-off.
    """
    life, wrong = start_again(world, scenario)
    if wrong:
        return wrong
    steps = go_on(world, life, scenario)
    while True:
        try:
            next(steps)
        except StopIteration as rest:
            return list(rest.value)


def start_again(world: World, scenario: Scenario) -> tuple[Life, list[str]]:
    """The first start after a cut, judged."""
    world.day = scenario.day
    life = starts(world)
    wrong = judge.figures(world, life.app.till.float_minor) + judge.money(world)
    wrong += judge.boots(world)
    return life, wrong


def go_on(
    world: World, life: Life, scenario: Scenario
) -> Generator[tuple[Life, tuple[int, ...]], None, list[str]]:
    """From the first start to rest; returns what was wrong.

    Yields the terminal after each start, with what there is to know of how far it came.
    """
    wrong: list[str] = []
    ready(world, life)
    offline_sold = online_sold = also_done = False
    yield life, (0,)
    for round_number in range(10):
        if round_number and world.server.blocked:  # it sells nothing until the operator allows it
            world.server = world.server.blocking(False)
        try:
            life.check_in()
            life.recover()
            if life.prove_itself():
                ready(world, life)
            if not life.app.catalogue.products:
                life.update()
            if not also_done:
                scenario.also(life)
                also_done = True
            if not offline_sold:
                offline_sold = life.sell("air50", online=False) == ""
            if not life.sync():
                return ["the journal cannot be sent"]
            if not online_sold:
                online_sold = life.sell() == ""
            life.update()
            runs = life.app.boot_info.release
            is_there = not life.app.boot_info.trial and scenario.ends_in_release in (0, runs)
            if is_there and offline_sold and online_sold:
                break
        except Reset as reset:
            life = starts(world, reset.cause)
            yield life, (1, round_number, offline_sold, online_sold, also_done)
    if not (offline_sold and online_sold):
        wrong.append("nothing can be sold any more")
    life.check_in()
    life.sync()
    life.check_in()
    life = starts(world)
    ready(world, life)
    yield life, (2, len(wrong))
    return wrong + _at_rest(world, life, scenario)


def _at_rest(world: World, life: Life, scenario: Scenario) -> list[str]:
    wrong = judge.figures(world, life.app.till.float_minor) + judge.money(world)
    wrong += judge.boots(world) + judge.files(world) + scenario.kept(world)
    runs = life.app.boot_info.release
    if scenario.ends_in_release not in (0, runs):
        wrong.append(f"release {runs} runs, not {scenario.ends_in_release}")
    if life.app.till.unsynced_count:
        wrong.append("sales were left unsent")
    sold = world.server.sold_from_stock
    sold |= {s for s, given in world.server.online.items() if given is not None}
    never = sold - {paper.sale for paper in map(judge.receipt, world.paper) if paper}
    if never:
        wrong.append(f"sold and never handed over: {sorted(never)}")
    for release, count in world.crashes.items():
        if count > 2 + world.cuts:
            wrong.append(f"release {release} crashed {count} times and was tried again")
    return wrong


__all__ = ("SCENARIOS", "Answering", "Scenario", "begin", "go_on", "live_on", "start_again")
