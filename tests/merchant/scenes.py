"""Every page that the terminal can show, by the flow that shows it; drawn by `screens`.

Each scene is a real flow, or a step of one, on a desk whose parts answer as the scene wants: the
pages are the product's own, in the language of the desk.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from firmware.drivers.battery import LOW_PERCENT
from firmware.flows import (
    bill,
    day_report,
    float,
    info,
    language,
    last_sales,
    menu,
    messages,
    meter,
    reprint,
    sell,
    sign_in,
    topup,
)
from firmware.flows.steps import ask_server, explain, finish, hand_over, paper, reach
from firmware.net.link import OFFLINE, ONLINE, SEARCHING
from firmware.office.ask import PENDING
from firmware.office.look_up import Answer
from firmware.paper import receipt
from firmware.sales.catalogue import Catalogue
from firmware.sales.day import DayReport
from firmware.sales.sale import Sale, SaleRefused, Voucher
from firmware.ui import dialogs
from firmware.ui.dialogs import Dialogs
from firmware.ui.money_and_dates import time_text
from firmware.ui.texts import Words
from tests.merchant.desk import Pages, desk_of
from tests.money.shop import CATALOGUE

NOW = 1_795_000_000
CODES = (
    *("no_float", "offline_amount", "offline_count", "offline_total", "offline_age", "no_stock"),
    *("unknown_product", "journal_full", "pending_sale", "spoiled", "unreadable", "conflict"),
    *("price_changed", "no_vouchers", "bad_recipient", "supplier_refused", "supplier_down"),
    *("restoring", "blocked", "of_later_times"),
)
TROUBLES = ("no_sim", "sim_locked", "denied", "no_gprs", "no_modem")
PRINTERS = ("paper_out", "cover_open", "error")
METER = "37123456784"


def _prices() -> Catalogue:
    table = json.loads(json.dumps(CATALOGUE))
    like = {**table["products"][0], "recipient": {"digits": [10, 10], "starts": ["07", "011"]}}
    bounds = {"min_minor": 1000, "max_minor": 500000, "step_minor": 500, "commission_permille": 50}
    table["products"] += [
        {**like, "id": "top", "name": "Savanna top-up", "kind": "topup", "open": bounds},
        {**like, "id": "water", "name": "Water bill", "operator": "City Water", "kind": "bill"},
    ]
    return Catalogue(json.dumps(table))


def _many() -> Catalogue:
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

    def page(self, *args: Any, **named: Any) -> None:
        super().page(*args, **named)
        picture = bytes(self._canvas.buffer)
        big = named.get("big") or (args[3] if len(args) > 3 else "")
        typed = (args[0], big[:1] not in ("", "_")) if big else None
        if typed and typed == self._typed:
            self.pictures.pop()  # a digit more
        self._typed = typed if typed and typed[1] and big.endswith(" ") else None
        if picture not in self.pictures:
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


def _said(answer: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def answered(*_: Any) -> Any:
        await asyncio.sleep(0)
        return answer

    return answered


def _sale(product: str, number: str | None, has_voucher: bool, minor: int = 5000) -> Sale:
    said = [3, NOW - 600, product, minor, 250, number, b"", "S-000123", 0]
    return Sale([17, 18, 0, 1], said if has_voucher else said[:6], False)


def _sold(desk: Any, name: str, pin: str, number: str | None = None) -> Voucher:
    product = desk.catalogue.product(name)
    details = [["customer", "Wanjiru Kamau"], ["units_kwh", "13.40"], ["tariff", "DC 25.71"]]
    details += [["tax", "KES 55.17"], ["arrears", "KES 0.00"], ["free_units", "0.00"]]
    details += [["meter_class", "A"], ["key_change_1", "3" * 20], ["key_change_2", "4" * 20]]
    details = [*details, ["token_2", "2" * 20]] if name == "power" else []
    return Voucher((pin, "S-000123", NOW + 10**7), details, product, _sale(name, number, True))


def _till(desk: Any, sold: Voucher) -> SimpleNamespace:
    report = DayReport()
    report.products = [("air50", 12, 60000), ("power", 3, 150000)]
    report.count, report.total_minor, report.commission_minor, report.reprints = 15, 210000, 6750, 1
    sale = _sale("air50", None, True)
    return SimpleNamespace(
        float_minor=1_234_567,
        blocked=False,
        stock_left=lambda name: 12,
        journal=SimpleNamespace(
            state=SimpleNamespace(
                offline_count=0, offline_total_minor=0, settled_at=NOW, blind_starts=0, time_seen=0
            ),
            copies=lambda sale: 1,
            unsent_sales=lambda: 3,
        ),
        day_report=lambda now, offset_s: report,
        unfinished=list,
        last_sale=lambda: sale,
        due_ms=lambda sale: 30_000,
        voucher=lambda sale: sold,
        reprint=lambda sale: sold,
        printed=lambda sale, certain: None,
        begin_online=lambda product, *_: _sale(product, None, False),
        begin_offline=lambda product, *_: _sale(product, None, True),
    )


def desk_for(keys: str, to: str, changes: dict[str, Any]) -> Any:
    """A desk in the language `to`; `changes`: its parts by dotted name."""
    desk = desk_of(_prices(), SimpleNamespace(), keys, to)
    words = Heard(to)
    words.asked = set()
    desk.words = words
    desk.keys = Keys(keys)
    desk.ui = Dialogs(Album(), desk.keys, SimpleNamespace(key=int, good=int, bad=int), words)
    desk.now = lambda: NOW
    desk.terminal_id = "0011223344556677"
    desk.config = SimpleNamespace(
        utc_offset_s=10800,
        merchant_name="Mama Asha Shop",
        shop={"helpline": "0700 123 456"},
        pin_salt=b"",
        pin_hash=b"",
        pin_rounds=1,
    )
    desk.sold = _sold(desk, "air50", "1234567812345678")
    desk.till = _till(desk, desk.sold)
    desk.link = SimpleNamespace(
        state=ONLINE, trouble="", signal=21, known=_said(None), look=_said(None)
    )
    desk.printer = SimpleNamespace(status=_said("ok"), print=_said((True, "ok")))
    desk.battery = SimpleNamespace(read=lambda: (3850, 68, False))
    desk.memory = _Memory()
    desk.boot_info = SimpleNamespace(release=3, trial=True, slot="a")
    desk.message = None
    desk.updates = SimpleNamespace(news=lambda to: "")
    desk.selling, desk.second_ms = False, 1
    desk.hear = _said(None)
    desk.fetch_voucher = _said("")
    desk.look_up = _said(Answer("", "Wanjiru Kamau"))
    for name, value in changes.items():
        *parts, leaf = name.split(".")
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
    )
    return desk


@dataclass(frozen=True)
class Scene:
    """A few pages: `run` on a desk with `keys` pressed and its parts changed."""

    name: str
    keys: str
    run: Callable[[Any], Any]
    changes: dict[str, Any] = field(default_factory=dict)


def _product(name: str) -> Callable[[Any], Any]:
    return lambda desk: desk.catalogue.product(name)


async def _starting(desk: Any) -> None:
    desk.ui.screen.page("Duka", [desk.words("starting")], ())


async def _service(desk: Any) -> None:
    for key, line in (("s_config", ""), ("s_journal", "Tel. 0700 123 456"), ("s_catalogue", "")):
        lines = dialogs.wrap(desk.words(key), 126)
        desk.ui.screen.page(desk.words("service"), lines + ([line] if line else []), ())


async def _menu(desk: Any) -> None:
    await menu.menu(desk)


async def _listed(desk: Any) -> None:
    """The last sales, one in each state, and what is known of each."""
    states = ("st_out", "st_doubt", "st_ready", "st_waits", "st_refused", "st_back", "st_unread")
    sales = [_sale("air50", None, stands != "st_waits") for stands in states]
    sales[1].online = False
    found = SimpleNamespace(
        number=lambda at: 23 - at,
        sale=lambda at: sales[at] if states[at] != "st_unread" else None,
        stands=lambda at, sale: states[at],
        is_open=lambda at: states[at] in ("st_ready", "st_waits"),
        reason=lambda at: "blocked",
        serial=lambda at, sale: "S-000123",
        where=lambda number: None,
    )
    await last_sales._choose(desk, found, 0, len(states))
    for at in range(len(states)):
        desk.keys._keys = list("BB*")
        await last_sales._open(desk, found, at)


async def _no_sales(desk: Any) -> None:
    await desk.ui.busy(
        _said(None)(), desk.words("m_sales"), desk.words("wait_sales"), 30000, ("*", "stop")
    )
    await desk.ui.ask(desk.words("m_sales"), desk.words("no_last"), (("*", "back"),))


async def _unfinished(desk: Any) -> None:
    for sale in (_sale("power", METER, True), _sale("air50", None, False)):
        await finish.finish(desk, sale)


def _refused(code: str) -> Callable[[Any], Any]:
    return lambda desk: explain.explain(desk, code)


def _asked(desk: Any) -> Any:
    return ask_server.ask_server(desk, _sale("air50", None, False))


def _undecided(desk: Any) -> Any:
    left = [PENDING, ""]

    async def answered(*_: Any) -> Any:
        return left.pop(0)

    desk.fetch_voucher = answered
    return _asked(desk)


def _handed(desk: Any) -> Any:
    return hand_over.hand_over(desk, _sale("air50", None, True), False, True)


def _stock(desk: Any) -> Any:
    return sell.offer_stock(desk, desk.catalogue.product("air50"))


def _broken(status: str) -> dict[str, Any]:
    return {"printer.print": _said((True, status))}


async def _tokens(desk: Any) -> None:
    desk.sold = _sold(desk, "power", "1" * 20, METER)
    desk.till = _till(desk, desk.sold)
    await hand_over.show(desk, _sale("power", METER, True))
    await hand_over.done(desk, desk.sold, True, False)


SCENES = [
    Scene("start", "", _starting),
    Scene("out of service", "", _service),
    Scene("sign in", "2580#", sign_in.run, {"till.unfinished": list}),
    Scene("sign in, sales to finish", "1#", sign_in.run, {"till.unfinished": lambda: [1, 2]}),
    Scene("locked", "", lambda desk: sign_in._wait_out(desk, 1)),
    Scene("menu", "BBBBBBBBB*", _menu),
    Scene("menu, a sale to finish", "*", _menu, {"till.unfinished": lambda: [1]}),
    Scene("sell", "1#0*", sell.run, {"till.journal.unsent_sales": lambda: 0}),
    Scene("sell, a long list", "1B1*", sell.run, {"catalogue": _many()}),
    Scene("sell from stock", "1##", sell.run, {"link.state": OFFLINE}),
    Scene("no network, from stock", "#", _stock, {"link.state": OFFLINE}),
    *[
        Scene(f"no network: {trouble}", "#", _stock, {"link.trouble": trouble})
        for trouble in TROUBLES
    ],
    Scene("looking for the network", "", reach.wait_for_network, {"link.state": SEARCHING}),
    Scene(
        "asking the office",
        "#",
        lambda desk: reach.refusal(desk, desk.catalogue.product("air50"), 1),
        {"till.blocked": True},
    ),
    Scene("battery weak", "*", paper.may_begin, {"battery.read": lambda: (3450, 7, False)}),
    *[
        Scene(f"printer: {status}", "*", paper.is_ready, {"printer.status": _said(status)})
        for status in PRINTERS
    ],
    *[Scene(f"not sold: {code}", "B#", _refused(code)) for code in CODES],
    Scene("no answer", "*", _asked, {"fetch_voucher": _said(None)}),
    Scene("not decided yet", "*", _undecided),
    Scene("sold", "#", _handed),
    Scene("sold, unsure", "#", _handed, {"printer.print": _said((True, "unknown"))}),
    *[Scene(f"not printed: {status}", "*", _handed, _broken(status)) for status in PRINTERS],
    Scene("shown on the screen", "D##", _handed, _broken("error")),
    Scene("tokens", "#BB##", _tokens),
    Scene("top up", "0712345678#", topup.run),
    Scene("top up, to the end", "1" + "0712345678#" + "50#" + "0712345678#" + "##", topup.run),
    Scene("top up, wrong number", "1" + "12#" + "#" + "0000000000##**", topup.run),
    Scene("top up, not twice the same", "1" + "0712345678#50#0712345670##", topup.run),
    Scene("top up, wrong amount", "1" + "0712345678#7##*", topup.run),
    Scene("top up, no network", "#", topup.run, {"link.state": OFFLINE}),
    Scene("meter", "1" + METER + "#50###", meter.run),
    Scene("meter, wrong digit", "1" + "37123456785##*", meter.run),
    Scene("meter, nobody knows", "1" + METER + "#50#*", meter.run, {"look_up": _said(None)}),
    Scene(
        "meter, arrears first",
        "1" + METER + "#50##B#*",
        meter.run,
        {"look_up": _said(Answer("", "Wanjiru Kamau", 20000, 90000))},
    ),
    Scene("bill", "1" + "0712345678###", bill.run),
    Scene("unfinished", "**", _unfinished),
    Scene("reprint", "#", reprint.run),
    Scene("reprint, nothing", "*", reprint.run, {"till.last_sale": lambda: None}),
    Scene("last sales", "BBBBBB0123##*", _listed),
    Scene("last sales, none", "*", _no_sales),
    Scene("float", "*", float.run),
    Scene("day report", "BB#", day_report.run),
    Scene("day report, not printed", "##", day_report.run, _broken("error")),
    Scene("messages", "*", messages.run),
    Scene("language", "B*", language.run),
    Scene("this terminal", "B*", info.run),
]


async def _moment(ms: int) -> None:
    await asyncio.sleep(0)


SHOP = {
    "place": "Stall 14, Gikomba Market, Nairobi",
    "telephone": "0700 555 010",
    "tax_number": "P051234567X",
    "helpline": "0700 123 456",
    "number": "12",
    "vat_permille": 160,
    "terms": {"en": "A voucher that was handed over is not taken back."},
}
"""What a shop may say of itself."""


def _slip(name: str, pin: str, number: str | None, **how: Any) -> Callable[[str], bytes]:
    def made(to: str) -> bytes:
        desk = desk_for("", to, {"config.shop": SHOP})
        sold = _sold(desk, name, pin, number)
        sold.product.dial = "*130*PIN#" if name == "air50" else ""
        sold.product.helpline = "100"
        sold.copy = how.get("copy", 0)
        is_copy = sold.copy > 0
        data: bytes = receipt.voucher(
            desk.words, desk.config, desk.catalogue, desk.terminal_id, sold, NOW, is_copy,
            how.get("offline", False),
        )  # fmt: skip
        return data

    return made


def _report(to: str) -> bytes:
    desk = desk_for("", to, {"config.shop": SHOP})
    rows, title = day_report._rows(desk, REPORT), desk.words("r_day")
    data: bytes = receipt.report(desk.words, desk.config, title, rows, desk.terminal_id, NOW)
    return data


SLIPS: dict[str, Callable[[str], bytes]] = {
    "voucher": _slip("air50", "1234567812345678", None),
    "voucher from stock, a copy": _slip("air50", "1234567812345678", None, copy=2, offline=True),
    "electricity": _slip("power", "1" * 20, METER),
    "top-up": _slip("top", "R-778899", "0712345678"),
    "bill": _slip("water", "R-778899", "0712345678"),
    "day report": _report,
}


def play(scene: Scene, to: str) -> tuple[list[bytes], Any]:
    """(the pages of a scene in the language `to`, as the display's 1,024 bytes; its desk)."""
    desk = desk_for(scene.keys, to, scene.changes)
    real = dialogs.ticks_ms
    vars(asyncio)["sleep_ms"] = _moment
    dialogs.ticks_ms = lambda: desk.keys.now_ms
    desk.ui._touched_ms = 0
    try:
        asyncio.run(scene.run(desk))
    except (SaleRefused, dialogs.Idle):
        pass  # the keys are used up
    finally:
        dialogs.ticks_ms = real
        del vars(asyncio)["sleep_ms"]
    return desk.ui.screen.pictures, desk
