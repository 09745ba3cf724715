"""What `inv bench sale` reads from a terminal, and that a bar which is missed is named."""

from __future__ import annotations

import json

from tests.measure import running, sale
from tests.measure.roads import SALE_BAR_S

BUDGET: dict[str, int] = json.loads(running.BUDGET.read_text())
KEYS = [sale.Key(1, 7, 0.1), sale.Key(2, 5, 1.5), sale.Key(9, 30, 4.0)]


class Printer:
    """Hears."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.send = self.heard.append
        self.is_on = False

    def on_host_bytes(self, data: bytes) -> None:
        self.heard.append(data)

    def on_power(self, on: bool) -> None:
        self.is_on = on


def sold(first_byte_s: float) -> dict[sale.Road, list[sale.Sale]]:
    """One kind by one road, sold once."""
    return {("airtime PIN", "datagram"): [sale.Sale(KEYS, first_byte_s)]}


def test_the_first_byte_of_a_slip_is_no_question_for_the_printers_status() -> None:
    printer = Printer()
    now_s = iter([7.0, 8.0])
    ear = sale.Ear(printer, lambda: next(now_s))
    said = [b"\x10\x04\x02", b"\x10\x04\x04", b"\x1b@Savanna 50", b"\n", b"\x1dr\x01"]
    for data in said[:2]:
        ear.on_host_bytes(data)
    assert ear.first_byte_s is None
    for data in said[2:]:
        ear.on_host_bytes(data)
    assert ear.first_byte_s == 7.0, "a later byte of it is not the first"
    ear.on_power(True)
    assert (printer.heard, printer.is_on) == (said, True), "the printer hears all of it"


def test_pictures_are_counted_from_whole_lines_that_tell_of_them() -> None:
    log = "12 sale: 10 printed, head says ok\nDRAWN 7\nnot DRAWN 3\nDRAWN 0\nDRAWN 12\nDRAWN 1"
    assert sale.drawn(log) == (3, 19)
    assert sale.drawn("") == (0, 0)


def test_a_row_tells_medians_and_the_longest() -> None:
    ((road, sales),) = sold(1.0).items()
    cells = [cell.strip() for cell in sale.line(road, sales).strip("|").split("|")]
    assert cells[:4] == ["airtime PIN", "datagram", "3", "1.5 s"]
    assert cells[4] == "1.00 s, at most 1.00"
    assert cells[5] == "4.0 s"
    assert cells[6:] == ["1.5, at most 2", "6.0", "9"], "the last key's pictures stand apart"


def test_the_largest_flow_is_one_that_somebody_is_in() -> None:
    state, free = sale.largest_flow({"menu": 80_000, "meter": 102_032, "look": 111_744})
    assert (state, free) == ("meter", running.HEAP_BYTES - 102_032)


def test_bars_are_kept_and_one_that_is_missed_is_named() -> None:
    assert sale.worse(sold(1.0), BUDGET) == []
    assert sale.worse(sold(SALE_BAR_S - 0.01), BUDGET) == []
    (slow,) = sale.worse(sold(SALE_BAR_S + 0.01), BUDGET)
    assert slow.startswith("airtime PIN, datagram: ")
    most = running.HEAP_BYTES - running.FREE_BYTES
    assert sale.worse({}, {**BUDGET, "meter": most}) == []
    (full,) = sale.worse({}, {**BUDGET, "meter": most + 1})
    assert full == f"meter: {running.FREE_BYTES - 1} bytes free, the bar is {running.FREE_BYTES}"
