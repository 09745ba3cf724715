"""The judge: raw flash, paper and the server's books against what must always hold.

Shares no code with the terminal: the journal is read by `tests.money.oracle`, the control block
here, by docs/formats/control-block.md. Every check returns what is wrong, in words.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hw_sim.flash import SECTOR_BYTES, NorFlash
from hw_sim.printer.escpos import EscPosPrinter
from tests.money import office, oracle
from tests.powercut import reports
from tests.powercut.files import Files
from tests.powercut.publisher import SECURITY_VERSION

if TYPE_CHECKING:
    from tests.powercut.world import World

CHIP = b"\x01chip\x02ab"
_BLANK_PAGE = b"\xff" * 256
_STATES = ("empty", "good", "trial", "bad", "ready")


@dataclass(frozen=True)
class SlotRecord:
    state: str
    image_size: int
    release: int
    security_version: int
    sha256: bytes


@dataclass(frozen=True)
class ControlRecord:
    sequence: int
    boot_count: int
    active: str | None
    crashes: int
    boots_on_trial: int
    security_version: int
    failed_release: int
    failure_reason: str
    slots: dict[str, SlotRecord]


@functools.cache
def control_key(terminal_id: bytes, chip: bytes, device_key: bytes) -> bytes:
    """What boot records are sealed with."""
    return HKDF(SHA256(), 32, terminal_id + chip, b"duka control 1").derive(device_key)


@functools.lru_cache(4096)
def _control_page(page: bytes, key: bytes) -> ControlRecord | None:
    if page[:4] != b"DKC1":
        return None
    if hmac.digest(key, page[:223], "sha256") != page[224:]:
        return None
    sequence, boots, active, _, crashes, trials, _, security, failed, reason = struct.unpack_from(
        "<IIBBHHHII48s", page, 4
    )
    slots = {}
    for name, at in (("a", 76), ("b", 128)):
        state, _, _, size, release, version, _, digest = struct.unpack_from("<BBHIIII32s", page, at)
        slots[name] = SlotRecord(_STATES[state], size, release, version, digest)
    text = reason.rstrip(b"\0").decode()
    runs = (None, "a", "b")[active]
    return ControlRecord(sequence, boots, runs, crashes, trials, security, failed, text, slots)


def control_pages(cells: bytes) -> tuple[bytes, ...]:
    """The pages of this room's control partition; one that was torn is b"torn", whatever is left
    of it."""
    key = control_key(office.TERMINAL_ID, CHIP, office.DEVICE_KEY)
    pages = [cells[at : at + 256] for at in range(0, len(cells), 256)]
    return tuple(
        page if _control_page(page, key) or page == _BLANK_PAGE else b"torn" for page in pages
    )


def control(cells: bytes, key: bytes | None = None) -> ControlRecord | None:
    """The newest valid record of the control partition, of this room's terminal unless said."""
    key = key or control_key(office.TERMINAL_ID, CHIP, office.DEVICE_KEY)
    pages = [_control_page(cells[at : at + 256], key) for at in range(0, len(cells), 256)]
    found = [(record.sequence, at) for at, record in enumerate(pages) if record]
    return pages[max(found)[1]] if found else None


@dataclass(frozen=True)
class Receipt:
    pin: str
    sale: int
    is_copy: bool


@functools.lru_cache(8192)
def receipt(data: bytes) -> Receipt | None:
    """What a person reads on the paper that `data` makes on the simulated printer."""
    printer = EscPosPrinter(mm_per_s=None)
    printer.send = lambda _: None
    printer.on_power(True)
    printer.on_host_bytes(data)
    lines = printer.text().splitlines()
    pin = "".join(
        line.replace(" ", "") for line in lines if line.strip() and not line.strip(" 0123456789")
    )
    sales = [line.split()[1] for line in lines if line.startswith(("Sale ", "Vente "))]
    if not pin or not sales:
        return None
    return Receipt(pin, int(sales[0]), any("DUPLICAT" in line for line in lines))


class Books:
    """Journal in flash and at the server, together, with the vouchers they speak of."""

    def __init__(self, world: World) -> None:
        self.in_flash = oracle.read(world.cells("journal"))
        known = {r.sequence: r for r in world.server.records if r}
        self.records = {**known, **self.in_flash}
        self.sale_of_pin: dict[str, int] = {}
        self.wrong: list[str] = []
        for record in self.records.values():
            if record.kind == 2:
                pin = world.server.stock.get((record.body[3], record.body[4]))
                if pin is None:
                    self.wrong.append(f"record {record.sequence} sold what no batch has")
                    continue
                if pin in self.sale_of_pin:
                    self.wrong.append(f"PIN {pin} is in two intents")
                self.sale_of_pin[pin] = record.sequence
        for sequence, given in world.server.online.items():
            if given is not None:
                self.sale_of_pin[given] = sequence


def money(world: World) -> list[str]:
    """What is wrong with records, chain and paper, as they are at this instant."""
    books = Books(world)
    wrong = books.wrong + oracle.check_chain(books.in_flash)
    for sequence, raw in world.durable:
        found = books.records.get(sequence)
        if found is None or found.raw != raw:
            wrong.append(f"record {sequence} was durable and is gone or other")
    originals = set()
    copies = {r.sequence: r.body[0] for r in books.records.values() if r.kind == 7}
    may_be_copied = list(copies.values())
    for data in world.paper:
        paper = receipt(data)
        if b"SALE CANCELLED" in data:
            wrong += _cancelled(data, books)
            continue
        if b"Z REPORT" in data or b"SHIFT CLOSED" in data or b"TRAINING" in data:
            continue
        if paper is None:
            wrong.append("a receipt cannot be read")
            continue
        if books.sale_of_pin.get(paper.pin) != paper.sale or paper.sale not in books.records:
            wrong.append(f"PIN {paper.pin} is on paper for sale {paper.sale} without its intent")
        if paper.is_copy:
            if paper.sale in may_be_copied:
                may_be_copied.remove(paper.sale)
            else:
                wrong.append(f"a copy of sale {paper.sale} is on paper without its record")
        else:
            if paper.pin in originals:
                wrong.append(f"PIN {paper.pin} was printed twice as an original")
            originals.add(paper.pin)
    wrong += reports.of_records(books.records) + reports.of_paper(books.records, world.paper)
    wrong += reports.of_copies(books.records, world.paper)
    wrong += reports.of_training(world.paper, {*books.sale_of_pin, *world.server.stock.values()})
    wrong += world.server.alarms
    # littlefs looks at the next 32 bytes only before it writes on, reads back, and moves away
    if any(address < world.data_at for address in world.flash.violated):
        wrong.append("a written place was written again with other content")
    return wrong


def _cancelled(data: bytes, books: Books) -> list[str]:
    """What is wrong with the slip of a cancelled sale."""
    (number,) = re.findall(rb"^Sale (\d+) ", data, re.MULTILINE)
    ends = [r.body for r in books.records.values() if r.kind == 5]
    if [int(number), "cancelled"] not in [list(body[:2]) for body in ends]:
        return [f"sale {int(number)} is called cancelled on paper, and has no such end"]
    return []


def _own_float(records: list[oracle.Record]) -> int:
    """What the terminal must hold its float to be: the fold of docs/formats/journal.md, exactly."""
    ledger_minor = offline_minor = 0
    unanswered: dict[int, int] = {}
    for record in sorted(records, key=lambda r: r.sequence):
        body = record.body
        if record.kind == 2:
            offline_minor += body[1] - body[2]
        elif record.kind == 3:
            unanswered[record.sequence] = body[1] - body[2]
        elif record.kind == 4 and body[0] in unanswered:
            ledger_minor = min(ledger_minor - unanswered.pop(body[0]), body[4])
        elif record.kind in (5, 6):
            unanswered.pop(body[0], None)
        elif record.kind == 14:  # it counts as unanswered; what it cost is paid, if it was
            unanswered.setdefault(body[0], 0)
        elif record.kind == 8:
            ledger_minor, offline_minor = body[1], body[5]
    return ledger_minor - offline_minor - sum(unanswered.values())


def figures(world: World, own_minor: int) -> list[str]:
    """Whether the terminal's own float is what its records add up to, and what the server's books
    say less what only the journal holds.

    It may be poorer than the books by exactly the debit of one sale: the online one that has no
    answer on the terminal, or whose answer came after the last settlement. Never richer.
    """
    books = Books(world)
    records = list(books.records.values())
    settled = max([0] + [r.sequence for r in records if r.kind == 8])
    if not settled:
        return []  # the server has not told it yet
    added_up = _own_float(records)
    if own_minor != added_up:
        return [f"the terminal holds its float to be {own_minor}, its records say {added_up}"]
    answered: dict[int, int] = {}
    for record in sorted(records, key=lambda r: r.sequence):
        if record.kind in (4, 5):
            answered[record.body[0]] = record.sequence
        elif record.kind == 14:
            answered.pop(record.body[0], None)
    expected: int = world.server.ledger_minor
    expected += sum(amount for since, amount in world.server.paid_out if settled < since)
    in_flight = {0}
    for record in records:
        if record.kind == 2 and record.sequence > len(world.server.records):
            expected -= record.body[1] - record.body[2]
        if record.kind == 3 and answered.get(record.sequence, settled + 1) > settled:
            debit_minor = record.body[1] - record.body[2]
            in_flight.add(debit_minor)
            if record.sequence not in answered and record.sequence not in world.server.online:
                expected -= debit_minor
    told = books.records[settled].body[1]
    if world.server.blocked and told <= 0:
        expected += told - world.server.ledger_minor  # a blocked terminal is told it has no float
    if expected - own_minor not in in_flight:
        return [f"the terminal holds its float to be {own_minor}, it is {expected}"]
    return []


@functools.lru_cache(64)
def contents(cells: bytes) -> dict[str, bytes | None]:
    """SHA-256 by path of every file in a /data partition, read by littlefs from these cells; None
    for a folder and for what cannot be read."""
    flash = NorFlash(None, size_bytes=len(cells))
    flash.restore(cells)
    files = Files(flash, 0, len(cells), cache_bytes=SECTOR_BYTES)
    found: dict[str, bytes | None] = {}
    folders = ["/data"]
    try:
        files.mount()
    except OSError:
        return found
    while folders:
        folder = folders.pop()
        try:
            names = files.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = f"{folder}/{name}"
            try:
                found[path] = files.digest(path)
            except OSError:
                found[path] = None
                folders.append(path)
    return found


def files(world: World) -> list[str]:
    """What is wrong under /data: a file that was stored is whole, as it was or as it was to be."""
    if not world.stored:
        return []
    held = contents(world.cells("data"))
    return [
        f"{path} was stored and is gone or other"
        for path, may_hold in world.stored.items()
        if held.get(path) not in may_hold
    ]


def boots(world: World) -> list[str]:
    """What is wrong with control block and slots, as they are at this instant."""
    record = control(world.cells("control"))
    if record is None:
        return ["the control block does not parse"] if world.has_control else []
    wrong = []
    for name, slot in record.slots.items():
        if slot.state in ("good", "trial", "ready") and name not in world.spoiled_slots:
            held = world.cells("slot_" + name)[: slot.image_size]
            if hashlib.sha256(held).digest() != slot.sha256:
                wrong.append(f"slot {name} is called {slot.state} and does not hold its image")
    allowed = max([SECURITY_VERSION[number] for number in world.proven_releases()], default=0)
    if record.security_version > allowed:
        wrong.append(f"security version {record.security_version} rose before a confirm")
    if record.security_version < world.least_security_version:
        wrong.append("the security version fell")
    active = record.slots.get(record.active or "")
    if active and active.state == "good" and active.release not in world.proven_releases():
        wrong.append(f"release {active.release} is confirmed and has proved nothing")
    if active and active.state == "trial":
        caused = world.crashes.get(active.release, 0)
        if record.crashes > caused:
            wrong.append(f"{record.crashes} crashes are counted in a trial that had {caused}")
    newest = max((n for n in world.confirmed if n in (1, 2, 5)), default=0)
    if active and newest and active.release < newest:
        wrong.append(f"release {newest} was confirmed and release {active.release} runs")
    return wrong
