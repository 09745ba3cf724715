"""Every slip that the terminal can print, as the bytes for the printer; drawn by `screens`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

from firmware.flows import day_report, service, shift, shift_copy, training, z_report
from firmware.flows.steps import cancel
from firmware.paper import receipt
from firmware.sales.shifts import SHIFT_CLOSED, SHIFT_OPENED
from tests.merchant.scenes_around import CLOSED, Chat, modem_of
from tests.merchant.stage import (
    BY_THREE,
    METER,
    NOW,
    SHIFTS,
    TODAY,
    Z_1,
    desk_for,
    journal_of,
    played,
    sale_of,
    sold_of,
    staff,
)

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
        sold = sold_of(desk, name, pin, number)
        sold.product.dial = "*130*PIN#" if name == "air50" else ""
        sold.product.helpline = "100"
        sold.copy = how.get("copy", 0)
        sold.seller = how.get("seller", "")
        is_copy = sold.copy > 0
        data: bytes = receipt.voucher(
            desk.words, desk.config, desk.catalogue, desk.terminal_id, sold, NOW, is_copy,
            how.get("offline", False),
        )  # fmt: skip
        return data

    return made


def printed(desk: Any, work: Coroutine[Any, Any, Any]) -> bytes:
    """The one slip that `work` prints on that desk."""
    slips: list[bytes] = []

    async def keep(data: bytes) -> tuple[bool, str]:
        slips.append(data)
        return True, "ok"

    desk.printer.print = keep
    played(desk, work)
    (slip,) = slips
    return slip


def _of(run: Callable[[Any], Any], keys: str = "#", **changes: Any) -> Callable[[str], bytes]:
    """What a flow prints when these keys are pressed."""

    def made(to: str) -> bytes:
        desk = desk_for(keys, to, {"config.shop": SHOP})
        desk.till.journal = changes.get("journal", desk.till.journal)
        desk.files = changes.get("files", desk.files)
        return printed(desk, run(desk))

    return made


def _with_a_shift() -> SimpleNamespace:
    """A journal that has all of a shift of the owner."""
    opened: list[Any] = [20000, 0]
    closed = (SHIFT_CLOSED, [1, 79500, 80000, 12, 0, 0])
    journal = journal_of(BY_THREE, [(SHIFT_OPENED, opened)], [closed])
    journal.read = lambda number: (SHIFT_OPENED, NOW - 7200, opened) if number == 1 else None
    return journal


def _service(desk: Any) -> Any:
    desk.link.modem = modem_of(Chat(b"1"), b"1")
    return service.run(desk)


def _cancelled(desk: Any) -> Any:
    return cancel.slip(desk, sale_of("water", "0712345678", False))


SLIPS: dict[str, Callable[[str], bytes]] = {
    "voucher": _slip("air50", "1234567812345678", None),
    "voucher from stock, a copy": _slip("air50", "1234567812345678", None, copy=2, offline=True),
    "voucher of a cashier": _slip("air50", "1234567812345678", None, seller="Wanjiru Kamau"),
    "electricity": _slip("power", "1" * 20, METER),
    "top-up": _slip("top", "R-778899", "0712345678"),
    "bill": _slip("water", "R-778899", "0712345678"),
    "day report": _of(day_report.run, "1#"),
    "day report by person": _of(day_report.run, "1#", files=staff(), journal=journal_of(BY_THREE)),
    "report of the week": _of(day_report.run, "3#"),
    "X report": _of(day_report.run, "4#"),
    "Z report": _of(z_report.run, "1#"),
    "Z report, a copy": _of(z_report.run, "21#", journal=journal_of(TODAY, [], [Z_1])),
    "shift": _of(shift.run, "1240##", files=staff(), journal=journal_of(BY_THREE, SHIFTS)),
    "copy of a shift": _of(shift_copy.run, "1", files=staff(), journal=_with_a_shift()),
    "copy of a shift, in part": _of(shift_copy.run, "1", journal=journal_of([], [CLOSED[-1]])),
    "service": _of(_service, "4*"),
    "training": _of(training.run, "#11##*"),
    "training, a meter": _of(training.run, "#31" + METER + "#50###*"),
    "cancelled": _of(_cancelled),
}
