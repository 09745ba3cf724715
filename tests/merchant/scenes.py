"""Every page that the terminal can show, by the flow that shows it; drawn by `screens`.

Each scene is a real flow, or a step of one, on a desk whose parts answer as the scene wants
(`stage`): the pages are the product's own, in the language of the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

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
    my_pin,
    people,
    reprint,
    sell,
    shift,
    sign_in,
    topup,
    z_report,
)
from firmware.flows.steps import (
    ask_server,
    cancel,
    explain,
    finish,
    hand_over,
    paper,
    pin,
    reach,
    report,
)
from firmware.kept.people import OWNER, TECHNICIAN
from firmware.net.link import OFFLINE, SEARCHING
from firmware.office.look_up import Answer
from firmware.sales.sale import PENDING
from firmware.ui import dialogs
from tests.merchant.scenes_around import AROUND
from tests.merchant.stage import (
    BY_THREE,
    METER,
    PIN,
    PIN_HASH,
    SHIFTS,
    TODAY,
    Z_1,
    Flash,
    Scene,
    journal_of,
    many,
    said,
    sale_of,
    sold_of,
    staff,
    till_of,
)

CODES = (
    *("no_float", "offline_amount", "offline_count", "offline_total", "offline_age", "no_stock"),
    *("unknown_product", "journal_full", "pending_sale", "spoiled", "unreadable", "conflict"),
    *("price_changed", "no_vouchers", "bad_recipient", "supplier_refused", "supplier_down"),
    *("restoring", "blocked", "cancelled", "of_later_times"),
)
TROUBLES = ("no_sim", "sim_locked", "denied", "no_gprs", "no_modem")
REPORTS = ("yesterday", "this week", "X")
PRINTERS = ("paper_out", "cover_open", "error")


async def _starting(desk: Any) -> None:
    desk.ui.screen.page("Duka", [desk.words("starting")], ())


async def _service(desk: Any) -> None:
    for key, line in (("s_config", ""), ("s_journal", "Tel. 0700 123 456"), ("s_catalogue", "")):
        lines = dialogs.wrap(desk.words(key), 126)
        desk.ui.screen.page(desk.words("service"), lines + ([line] if line else []), ())


async def _menu(desk: Any) -> None:
    await menu.menu(desk, OWNER)


async def _menu_of_a_technician(desk: Any) -> None:
    await menu.menu(desk, TECHNICIAN)


async def _nobody(*_: Any) -> None:
    raise dialogs.Idle


def _locked(number: int, may_leave: bool) -> Callable[[Any], Any]:
    async def locked(desk: Any) -> None:
        pin.note(desk.memory, number, pin.FREE_TRIES, True)
        await pin.wait_out(desk, number, may_leave)

    return locked


def _found(states: tuple[str, ...], reason: str) -> SimpleNamespace:
    """Sales of before, one in each of `states`."""
    sales = [sale_of("air50", None, stands != "st_waits") for stands in states]
    for sale, stands in zip(sales, states, strict=True):
        sale.online = stands != "st_doubt"
    return SimpleNamespace(
        number=lambda at: 23 - at,
        sale=lambda at: sales[at] if states[at] != "st_unread" else None,
        stands=lambda at, sale: states[at],
        is_open=lambda at: states[at] in ("st_ready", "st_waits"),
        reason=lambda at: reason,
        serial=lambda at, sale: "S-000123",
        where=lambda number: None,
    )


async def _listed(desk: Any) -> None:
    """The last sales, one in each state, and what is known of each."""
    states = ("st_out", "st_doubt", "st_ready", "st_waits", "st_refused", "st_back", "st_unread")
    found = _found(states, "blocked")
    await last_sales._choose(desk, found, 0, len(states))
    for at in range(len(states)):
        desk.keys._keys = list("BB*")
        await last_sales._open(desk, found, at)


def _one_sale(stands: str) -> Callable[[Any], Any]:
    return lambda desk: last_sales._open(desk, _found((stands,), cancel.CANCELLED), 0)


def _looking(desk: Any) -> Any:
    return report.looked(desk, said(None)())


async def _no_sales(desk: Any) -> None:
    await desk.ui.busy(
        said(None)(), desk.words("m_sales"), desk.words("wait_sales"), 30000, ("*", "stop")
    )
    await desk.ui.ask(desk.words("m_sales"), desk.words("no_last"), (("*", "back"),))


async def _unfinished(desk: Any) -> None:
    for sale in (sale_of("power", METER, True), sale_of("air50", None, False)):
        await finish.finish(desk, sale)


def _refused(code: str) -> Callable[[Any], Any]:
    return lambda desk: explain.explain(desk, code)


_SMS = {"messenger.sms_to": "+254700000100"}
"""The office answers short messages."""


def _asked(desk: Any) -> Any:
    return ask_server.ask_server(desk, sale_of("air50", None, False))


def _undecided(desk: Any) -> Any:
    left = [PENDING, ""]

    async def answered(*_: Any) -> Any:
        return left.pop(0)

    desk.fetch_voucher = answered
    return _asked(desk)


def _handed(desk: Any) -> Any:
    return hand_over.hand_over(desk, sale_of("air50", None, True), False, True)


def _stock(desk: Any) -> Any:
    return sell.offer_stock(desk, desk.catalogue.product("air50"))


def _broken(status: str) -> dict[str, Any]:
    return {"printer.print": said((True, status))}


def _sold_by(person: int) -> dict[str, Any]:
    """Whoever is signed in, on a day on which three people sold."""
    return {"files": staff(), "till.person": person, "till.journal": journal_of(BY_THREE)}


async def _tokens(desk: Any) -> None:
    desk.sold = sold_of(desk, "power", "1" * 20, METER)
    desk.till = till_of(desk, desk.sold)
    await hand_over.show(desk, sale_of("power", METER, True))
    await hand_over.done(desk, desk.sold, True, False)


_CANCEL = "C#"
_NEW_PIN = "7391#7391#"

CANCELLING = [
    Scene("cancel, asked", "C*", _one_sale("st_waits")),
    Scene("cancelled", _CANCEL + "#", _one_sale("st_waits"), {"fetch_voucher": said("cancelled")}),
    Scene(
        "cancelled, no paper",
        _CANCEL + "#*",
        _one_sale("st_waits"),
        {"fetch_voucher": said("cancelled"), **_broken("paper_out")},
    ),
    Scene("cancel, no answer", _CANCEL + "#", _one_sale("st_ready"), {"fetch_voucher": said(None)}),
    Scene("cancel, not done", _CANCEL + "##", _one_sale("st_ready")),
    Scene("cancelled before", "BB*", _one_sale("st_refused")),
]

OF_PEOPLE = [
    Scene("who signs in", "B2" + PIN + "#", sign_in.run, {"files": staff()}),
    Scene("wrong PIN of a cashier", "21111##", sign_in.run, {"files": staff()}),
    Scene(
        "sales to finish, of a cashier",
        "2*",
        sign_in.run,
        {"files": staff(), "till.unfinished": lambda: [1]},
    ),
    Scene("locked, others may", "*", _locked(1, True), {"second_ms": 1000}),
    Scene("menu of a technician", "B*", _menu_of_a_technician),
    Scene("my PIN", PIN + "#" + _NEW_PIN + "#", my_pin.run, {"config.pin_hash": PIN_HASH}),
    Scene(
        "my PIN, not taken",
        PIN + "#" + "91#" + "#" + "1234#" + "#" + "9173#9174#" + "#" + "*",
        my_pin.run,
        {"config.pin_hash": PIN_HASH},
    ),
    Scene(
        "my PIN, not kept",
        PIN + "#" + _NEW_PIN + "#",
        my_pin.run,
        {"config.pin_hash": PIN_HASH, "files": Flash(b"", True)},
    ),
    Scene("people", "BB*", people.run, {"files": staff()}),
    Scene("people, none", "*", people.run),
    Scene("people, added", "11" + "2B3B2#" + _NEW_PIN + "#*", people.run),
    Scene("people, a new PIN", "11" + _NEW_PIN + "#*", people.run, {"files": staff()}),
    Scene("people, renamed", "12" + "CCC6B6B#" + "#*", people.run, {"files": staff()}),
    Scene("people, removed", "2" + "3##*", people.run, {"files": staff()}),
    Scene("people, not kept", "2" + "3##*", people.run, {"files": staff(True)}),
    Scene("day report, by person", "1BB*", day_report.run, _sold_by(0)),
    Scene("day report of a cashier", "1B*", day_report.run, _sold_by(1)),
    Scene("float, by person", "*", float.run, _sold_by(0)),
]

SCENES = [
    Scene("start", "", _starting),
    Scene("out of service", "", _service),
    Scene("sign in", "2580#", sign_in.run, {"till.unfinished": list}),
    Scene("sign in, sales to finish", "1#", sign_in.run, {"till.unfinished": lambda: [1, 2]}),
    Scene("locked", "", _locked(0, False), {"ui.key_within": _nobody}),
    Scene("menu", "BBBBBBBBBBBBBB*", _menu),
    Scene("menu, a sale to finish", "*", _menu, {"till.unfinished": lambda: [1]}),
    Scene("sell", "1#0*", sell.run, {"till.journal.unsent_sales": lambda: 0}),
    Scene("sell, a long list", "1B1*", sell.run, {"catalogue": many()}),
    Scene("sell from stock", "1##", sell.run, {"link.state": OFFLINE}),
    Scene("no network, from stock", "#", _stock, {"link.state": OFFLINE}),
    *[
        Scene(f"no network: {trouble}", "#", _stock, {"link.trouble": trouble})
        for trouble in TROUBLES
    ],
    Scene("no network, by SMS", "#", sell.offer_sms, {"link.trouble": "no_gprs"}),
    Scene("looking for the network", "", reach.wait_for_network, {"link.state": SEARCHING}),
    Scene(
        "asking the office",
        "#",
        lambda desk: reach.refusal(desk, desk.catalogue.product("air50"), 1),
        {"till.blocked": True},
    ),
    Scene("battery weak", "*", paper.may_begin, {"battery.read": lambda: (3450, 7, False)}),
    *[
        Scene(f"printer: {status}", "*", paper.is_ready, {"printer.status": said(status)})
        for status in PRINTERS
    ],
    *[Scene(f"not sold: {code}", "B#", _refused(code)) for code in CODES],
    Scene("no answer", "*", _asked, {"fetch_voucher": said(None)}),
    Scene("no answer, by SMS", "0*", _asked, {"fetch_voucher": said(None), **_SMS}),
    Scene("not decided yet", "*", _undecided),
    Scene("sold", "#", _handed),
    Scene("sold, unsure", "#", _handed, {"printer.print": said((True, "unknown"))}),
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
    Scene("meter, nobody knows", "1" + METER + "#50#*", meter.run, {"look_up": said(None)}),
    Scene(
        "meter, arrears first",
        "1" + METER + "#50##B#*",
        meter.run,
        {"look_up": said(Answer("", "Wanjiru Kamau", 20000, 90000))},
    ),
    Scene("bill", "1" + "0712345678###", bill.run),
    Scene("unfinished", "**", _unfinished),
    Scene("reprint", "#", reprint.run),
    Scene("reprint, nothing", "*", reprint.run, {"till.last_sale": lambda: None}),
    Scene("last sales", "BBBBBB0123##*", _listed),
    Scene("last sales, none", "*", _no_sales),
    Scene("float", "*", float.run),
    Scene("reports", "BBBBBBB*", day_report.run),
    Scene("day report", "1BB#", day_report.run),
    Scene("day report, not printed", "1##", day_report.run, _broken("error")),
    *[Scene(f"report: {name}", f"{n}*", day_report.run) for n, name in enumerate(REPORTS, 2)],
    Scene("a look through the journal", "", _looking),
    Scene("shift, opened", "200##", shift.run),
    Scene("shift, closed", "#240#BB##", shift.run, {"till.journal": journal_of(TODAY, SHIFTS)}),
    Scene("shifts", "BB*", shift.run, {"files": staff(), "till.journal": journal_of([], SHIFTS)}),
    Scene("Z report", "1BB#", z_report.run),
    Scene("Z report, a copy", "21#", z_report.run, {"till.journal": journal_of(TODAY, [], [Z_1])}),
    Scene("Z report, none", "27##", z_report.run),
    Scene("messages", "*", messages.run),
    Scene("language", "B*", language.run),
    Scene("this terminal", "B*", info.run),
    *CANCELLING,
    *OF_PEOPLE,
    *AROUND,
]
