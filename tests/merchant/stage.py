"""Where scenes are played: a desk whose parts answer as a scene wants, and a screen that keeps all
pages; for `scenes` and `slips`.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Coroutine
from copy import copy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from bootloader.shared.hashes import pbkdf2_sha256
from firmware.drivers.battery import LOW_PERCENT
from firmware.flows import messages
from firmware.kept import people
from firmware.kept.files import Kept
from firmware.kept.people import CASHIER, TECHNICIAN, People
from firmware.net.link import OFFLINE, ONLINE, SEARCHING
from firmware.office.look_up import Answer
from firmware.sales.catalogue import Catalogue
from firmware.sales.sale import Sale, SaleRefused, Voucher
from firmware.sales.shifts import SHIFT_OPENED, Z_REPORT
from firmware.sales.state import DELIVERED, INTENT_ONLINE, REPRINT
from firmware.ui import dialogs
from firmware.ui.dialogs import Dialogs
from firmware.ui.money_and_dates import time_text
from firmware.ui.texts import Words
from tests.merchant.desk import Pages, desk_of
from tests.money.shop import CATALOGUE

NOW = 1_795_000_000
METER = "37123456784"


def _prices() -> Catalogue:
    table = json.loads(json.dumps(CATALOGUE))
    like = {**table["products"][0], "recipient": {"digits": [10, 10], "starts": ["07", "011"]}}
    bounds = {"min_minor": 1000, "max_minor": 500000, "step_minor": 500, "commission_permille": 50}
    table["products"] += [
        {**like, "id": "top", "name": "Savanna top-up", "kind": "topup", "open": bounds},
        {**like, "id": "water", "name": "Water bill", "operator": "City Water", "kind": "bill"},
    ]
    table["prefixes"] = {"Savanna": "07 0110", "Lakeside": "0711 011"}
    return Catalogue(json.dumps(table))


def many() -> Catalogue:
    """More products than there are keys, of two operators."""
    table = json.loads(json.dumps(CATALOGUE))
    like = table["products"][0]
    table["products"] = [
        {**like, "id": f"{operator}{n}", "name": f"{operator} {n}", "operator": operator}
        for operator in ("Savanna", "Lakeside")
        for n in range(20, 141, 10)
    ]
    return Catalogue(json.dumps(table))


class Keys:
    """Gives `keys`, one each time a page waits; a wait for work goes on until the work is done."""

    def __init__(self, keys: str) -> None:
        self._keys = list(keys)
        self.now_ms = 0

    def forget(self) -> None:
        pass

    async def get(self, timeout_ms: int) -> str | None:
        if timeout_ms <= 20 or not self._keys:
            await asyncio.sleep(0)
            self.now_ms += timeout_ms
            return None
        return self._keys.pop(0)


class Album(Pages):
    """Keeps the picture of every page."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[bytes] = []
        self._typed: tuple[str, bool] | None = None
        self._is_new = False

    def page(self, *args: Any, **named: Any) -> None:
        super().page(*args, **named)
        picture = bytes(self._canvas.buffer)
        big = named.get("big") or (args[3] if len(args) > 3 else "")
        typed = (args[0], big[:1] not in ("", "_")) if big else None
        if typed and typed == self._typed and self._is_new:
            self.pictures.pop()  # a digit more
        self._typed = typed if typed and typed[1] and big.endswith(" ") else None
        self._is_new = picture not in self.pictures
        if self._is_new:
            self.pictures.append(picture)


class Heard(Words):  # type: ignore[misc]  # device code is not typed here
    """Words that remember what they were asked for."""

    asked: set[str]

    def __call__(self, key: str, *filling: object) -> str:
        self.asked.add(key)
        text: str = super().__call__(key, *filling)
        return text


class _Memory(dict[str, Any]):
    put = dict.__setitem__


def said(answer: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def answered(*_: Any) -> Any:
        await asyncio.sleep(0)
        return answer

    return answered


def sale_of(product: str, number: str | None, has_voucher: bool, minor: int = 5000) -> Sale:
    said = [3, NOW - 600, product, minor, 250, number, b"", "S-000123", 0]
    return Sale([17, 18, 0, 1], said if has_voucher else said[:6], False)


def sold_of(desk: Any, name: str, pin: str, number: str | None = None) -> Voucher:
    product = desk.catalogue.product(name)
    details = [["customer", "Wanjiru Kamau"], ["units_kwh", "13.40"], ["tariff", "DC 25.71"]]
    details += [["tax", "KES 55.17"], ["arrears", "KES 0.00"], ["fixed_charge", "KES 50.00"]]
    details += [["free_units", "0.00"], ["meter_class", "A"]]
    details += [["key_change_1", "3" * 20], ["key_change_2", "4" * 20]]
    details = [*details, ["token_2", "2" * 20]] if name == "power" else []
    return Voucher((pin, "S-000123", NOW + 10**7), details, product, sale_of(name, number, True))


Sold = tuple[str, int, int, int, int]
Said = tuple[int, list[Any]]


def _records(sales: list[Sold], before: list[Said], after: list[Said]) -> list[list[Any]]:
    """Today's records of `sales`, (product, amount, commission, how many, whose), and of a copy;
    `before` and `after` them others, (kind, body)."""
    records: list[list[Any]] = []
    for kind, body in before:
        records.append([len(records) + 1, kind, NOW - 7200, body, 0])
    for product, minor, commission_minor, count, person in sales:
        intent = [product, minor, commission_minor, *([None, person] if person else [])]
        for _ in range(count):
            number = len(records) + 1
            records.append([number, INTENT_ONLINE, NOW - 600, intent, 0])
            records.append([number + 1, DELIVERED, NOW - 599, [number], 0])
    records.append([len(records) + 1, REPRINT, NOW - 60, [1], 0])
    for kind, body in after:
        records.append([len(records) + 1, kind, NOW - 30, body, 0])
    return records


TODAY = [("air50", 5000, 250, 12, 0), ("power", 50000, 1250, 3, 0)]
BY_THREE = [*TODAY[:1], ("air50", 5000, 250, 3, 1), ("power", 50000, 1250, 3, 7)]
"""Of the owner, of Ada, and of somebody who is gone."""
SHIFTS: list[Said] = [(SHIFT_OPENED, [20000, 0]), (SHIFT_OPENED, [5000, 1])]
Z_1: Said = (Z_REPORT, [1, 1, 15, 210000, 6750, bytes.fromhex("45d9ef790061dd62")])


def journal_of(
    sales: list[Sold], before: list[Said] | None = None, after: list[Said] | None = None
) -> SimpleNamespace:
    """A journal that has these sales of today."""
    records = _records(sales, before or [], after or [])
    return SimpleNamespace(
        state=SimpleNamespace(
            offline_count=0, offline_total_minor=0, settled_at=NOW, blind_starts=0, time_seen=0,
            entry=lambda sale: True, in_the_way=lambda is_online: 0,
        ),
        ring=SimpleNamespace(
            newest=0, sectors=1, first=[1], oldest=lambda: 1, head=lambda index: None,
            next_sequence=len(records) + 1, sector_of=lambda sequence: 0, chain=bytes(8),
        ),
        oldest=1,
        next_sequence=len(records) + 1,
        make_room=lambda size: None,
        room_for_sale=lambda: True,
        records=lambda first: records[first - 1 :],
        read=lambda sale: None,
        append=lambda kind, body: 1,
        copies=lambda sale: 1,
        unsent_sales=lambda: 3,
    )  # fmt: skip


def till_of(desk: Any, sold: Voucher) -> SimpleNamespace:
    """A till that sells `sold`; for a number, a meter or a reference, what was asked for."""
    sale = sale_of("air50", None, True)

    def begin_online(
        product: str, shown: Any = None, number: str | None = None, amount_minor: int = 0
    ) -> Sale:
        return sale_of(product, number, False, amount_minor or 5000)

    def voucher(sale: Sale) -> Voucher:
        if not sale.recipient:
            return sold
        made = sold_of(desk, sale.product_id, "1" * 20, sale.recipient)
        made.amount_minor = sale.amount_minor
        return made

    return SimpleNamespace(
        person=0,
        float_minor=1_234_567,
        blocked=False,
        stolen=False,
        stock_left=lambda name: 12,
        journal=journal_of(TODAY),
        unfinished=list,
        last_sale=lambda: sale,
        due_ms=lambda sale: 30_000,
        voucher=voucher,
        reprint=voucher,
        printed=lambda sale, certain: None,
        begin_online=begin_online,
        begin_offline=lambda product, *_: sale_of(product, None, True),
    )


class Flash(Kept):  # type: ignore[misc]  # device code is not typed here
    """Keeps who may use the terminal, until it takes nothing any more."""

    def __init__(self, people: bytes, is_full: bool = False) -> None:
        super().__init__(False)
        self.people = people
        self.is_full = is_full

    def load(self, read: Any, path: str) -> Any:
        return People(self.people)

    def put(self, path: str, data: bytes) -> None:
        if self.is_full:
            raise OSError(28)
        self.people = data


PIN = "2580"
PIN_HASH = pbkdf2_sha256(PIN.encode(), b"", 1)


def staff(is_full: bool = False) -> Flash:
    """A cashier and a technician beside the owner; everybody's PIN is `PIN`."""
    everybody = People()
    for role, name in ((CASHIER, "Ada"), (TECHNICIAN, "Wanjiru K.")):
        salt = bytes(16)
        secret = [salt, pbkdf2_sha256(PIN.encode(), salt, 1), 1]
        everybody.add(role, name).secret = secret
    return Flash(everybody.dump(), is_full)


async def noticed(desk: Any, here: list[tuple[tuple[int, int], list[Any]]]) -> None:
    """The flow of messages, with these notices: each its place, and what it says."""
    real = messages.notices
    said = dict(here)

    def mark(place: tuple[int, int]) -> tuple[int, int]:
        after = place[0], place[1] + 1
        said[after] = said.pop(place)
        return after

    messages.notices = SimpleNamespace(
        places=lambda: sorted(said), read=lambda place: said[place], mark=mark
    )
    try:
        await messages.run(desk)
    finally:
        messages.notices = real


def _quiet() -> SimpleNamespace:
    """A buzzer that can be heard by nobody."""
    return SimpleNamespace(key=int, good=int, bad=int, level=2, sound=int)


def desk_for(keys: str, to: str, changes: dict[str, Any]) -> Any:
    """A desk in the language `to`; `changes`: its parts by dotted name."""
    desk = desk_of(_prices(), SimpleNamespace(), keys, to)
    words = Heard(to)
    words.asked = set()
    desk.words = words
    desk.keys = Keys(keys)
    desk.ui = Dialogs(Album(), desk.keys, _quiet(), words)
    desk.now = lambda: NOW
    desk.terminal_id = "0011223344556677"
    desk.config = SimpleNamespace(
        utc_offset_s=10800,
        paper_mm=58,
        merchant_name="Mama Asha Shop",
        shop={"helpline": "0700 123 456"},
        pin_salt=b"",
        pin_hash=b"",
        pin_rounds=1,
        channel="stable",
        host="terminals.duka.example",
        port=8000,
        apn="internet",
    )
    desk.files = Flash(b"")
    desk.board = SimpleNamespace(
        random=bytes,
        lcd=SimpleNamespace(command=lambda data: None),
        BOOTLOADER_VERSION=1,
        HARDWARE_CLASS="duka-r1",
        HARDWARE_REVISION=2,
    )
    desk.sold = sold_of(desk, "air50", "1234567812345678")
    desk.till = till_of(desk, desk.sold)
    desk.link = SimpleNamespace(
        state=ONLINE, trouble="", signal=21, known=said(None), look=said(None)
    )
    desk.link.modem = SimpleNamespace(registered=True)
    desk.messenger = SimpleNamespace(sms_to="")
    desk.printer = SimpleNamespace(status=said("ok"), print=said((True, "ok")))
    desk.battery = SimpleNamespace(read=lambda: (3850, 68, False))
    desk.memory = _Memory()
    desk.boot_info = SimpleNamespace(release=3, trial=True, slot="a")
    desk.message = None
    desk.unread = 0
    desk.updates = SimpleNamespace(news=lambda to: "")
    desk.selling, desk.second_ms = False, 1
    desk.hear = said(None)
    desk.fetch_voucher = said("")
    desk.look_up = said(Answer("", "Wanjiru Kamau"))
    for name, value in changes.items():
        *parts, leaf = name.split(".")
        value = copy(value) if isinstance(value, Flash) else value
        setattr(functools.reduce(getattr, parts, desk), leaf, value)
    signs = "+" if changes.get("charging") else ""
    percent = desk.battery.read()[1]
    words_of = {ONLINE: "online", OFFLINE: "offline", SEARCHING: "searching"}
    desk.ui.screen.status(
        desk.link.signal if desk.link.state == ONLINE else 99,
        words(words_of[desk.link.state]),
        desk.till.journal.unsent_sales(),
        percent,
        signs or ("!" if percent <= LOW_PERCENT else ""),
        time_text(NOW, 10800),
        desk.unread,
    )
    return desk


@dataclass(frozen=True)
class Scene:
    """A few pages: `run` on a desk with `keys` pressed and its parts changed."""

    name: str
    keys: str
    run: Callable[[Any], Any]
    changes: dict[str, Any] = field(default_factory=dict)


async def _moment(ms: int) -> None:
    await asyncio.sleep(0)


def played(desk: Any, work: Coroutine[Any, Any, Any]) -> None:
    """Let `work` run on that desk, on its keys' clock, to its end or until the keys are used up."""
    real = dialogs.ticks_ms, people.exists
    vars(asyncio)["sleep_ms"] = _moment
    dialogs.ticks_ms = lambda: desk.keys.now_ms
    people.exists = lambda path: bool(desk.files.people)
    desk.ui._touched_ms = 0
    try:
        asyncio.run(work)
    except (SaleRefused, dialogs.Idle):
        pass  # the keys are used up
    finally:
        dialogs.ticks_ms, people.exists = real
        del vars(asyncio)["sleep_ms"]


def play(scene: Scene, to: str) -> tuple[list[bytes], Any]:
    """(the pages of a scene in the language `to`, as the display's 1,024 bytes; its desk)."""
    desk = desk_for(scene.keys, to, scene.changes)
    played(desk, scene.run(desk))
    return desk.ui.screen.pictures, desk
