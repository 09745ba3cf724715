"""Paper, cover, heat, power and silence: what the printer says, and what is on paper afterwards."""

from __future__ import annotations

import asyncio

import pytest

from hw_sim.printer import EscPosPrinter
from tests.support.at_person import run


class Wire:
    """Collects the printer's replies."""

    def __init__(self, printer: EscPosPrinter) -> None:
        self.said = b""
        self._printer = printer
        printer.send = self._take
        printer.on_power(True)

    def _take(self, data: bytes) -> None:
        self.said += data

    def ask(self, question: bytes) -> bytes:
        self.said = b""
        self._printer.on_host_bytes(question)
        return self.said

    def statuses(self) -> list[int]:
        return [value for n in (1, 2, 3, 4) for value in self.ask(bytes((0x10, 0x04, n)))]


def _instant() -> tuple[EscPosPrinter, Wire]:
    printer = EscPosPrinter(mm_per_s=None)
    return printer, Wire(printer)


def test_a_healthy_printer_says_so() -> None:
    _, wire = _instant()
    assert wire.statuses() == [0x12, 0x12, 0x12, 0x12]
    assert wire.ask(b"\x1dr\x01") == b"\x00"


def test_paper_out_is_told_and_printing_waits_for_a_new_roll() -> None:
    printer, wire = _instant()
    printer.run_out_of_paper()
    assert wire.statuses() == [0x1A, 0x32, 0x12, 0x7E]
    assert wire.ask(b"PIN 1234\n\x1dr\x01") == b""
    assert printer.paper == []
    assert printer.printing
    printer.load_paper()
    assert wire.said == b"\x00"
    assert printer.text() == "PIN 1234"
    assert wire.statuses() == [0x12, 0x12, 0x12, 0x12]


def test_paper_that_ends_in_the_middle_of_a_receipt_leaves_two_pieces() -> None:
    printer, wire = _instant()
    printer.set_paper_left(mm=10)
    printer.on_host_bytes(b"line 1\nline 2\nline 3\nline 4\n\x1bd\x04")
    assert [line.text for line in printer.paper] == ["line 1", "line 2"]
    assert wire.statuses()[3] == 0x7E
    printer.load_paper()
    assert [receipt.text for receipt in printer.receipts()] == ["line 1\nline 2", "line 3\nline 4"]


def test_near_end_is_told_while_printing_goes_on() -> None:
    printer, wire = _instant()
    printer.set_paper_left(mm=300)
    assert wire.statuses() == [0x12, 0x12, 0x12, 0x1E]
    assert wire.ask(b"x\n\x1dr\x01") == b"\x03"
    assert printer.text() == "x"


def test_an_open_cover_stops_and_a_closed_one_goes_on() -> None:
    printer, wire = _instant()
    printer.open_cover()
    printer.on_host_bytes(b"later\n")
    assert wire.statuses() == [0x1A, 0x16, 0x12, 0x12]
    assert printer.paper == []
    printer.close_cover()
    assert printer.text() == "later"


def test_a_hot_head_stops_till_it_is_cool() -> None:
    printer, wire = _instant()
    printer.overheat()
    printer.on_host_bytes(b"later\n")
    assert wire.statuses() == [0x1A, 0x52, 0x52, 0x12]
    assert printer.paper == []
    printer.cool_down()
    assert printer.text() == "later"


def test_changes_are_told_by_themselves_when_asked_for() -> None:
    printer, wire = _instant()
    assert wire.ask(b"\x1da\x0f") == b"\x10\x00\x00\x00"
    wire.said = b""
    printer.open_cover()
    assert wire.said == b"\x38\x00\x00\x00"
    wire.said = b""
    printer.close_cover()
    printer.run_out_of_paper()
    assert wire.said == b"\x10\x00\x00\x00" + b"\x18\x00\x0f\x00"


def test_a_mute_printer_prints_and_never_replies() -> None:
    printer, wire = _instant()
    printer.mute = True
    assert wire.statuses() == []
    assert wire.ask(b"\x1da\x0fhello\n\x1dr\x01") == b""
    assert printer.text() == "hello"


def test_a_dead_printer_does_nothing() -> None:
    printer, wire = _instant()
    printer.dead = True
    assert wire.statuses() == []
    printer.on_host_bytes(b"hello\n")
    assert printer.paper == []


def test_without_power_it_does_nothing() -> None:
    printer, wire = _instant()
    printer.on_power(False)
    assert wire.ask(b"\x10\x04\x01hello\n") == b""
    printer.on_power(True)
    assert printer.paper == []


def test_a_full_buffer_loses_bytes_and_still_answers_real_time_questions() -> None:
    printer = EscPosPrinter(mm_per_s=None, buffer_bytes=100)
    wire = Wire(printer)
    printer.run_out_of_paper()
    printer.on_host_bytes(b"0123456789abcdefgh\n" * 10)
    assert printer.buffered_bytes == 100
    assert printer.lost_bytes == 90
    assert wire.statuses() == [0x1A, 0x32, 0x12, 0x7E]
    printer.load_paper()
    assert printer.text() == "\n".join(["0123456789abcdefgh"] * 5)


def test_a_status_request_is_answered_while_lines_wait_and_gs_r_only_after_them() -> None:
    async def scenario() -> None:
        printer = EscPosPrinter(mm_per_s=50, time_scale=20)
        wire = Wire(printer)
        printer.on_host_bytes(b"a line\n" * 8 + b"\x1dr\x01\x10\x04\x04")
        assert wire.said == b"\x12"
        assert printer.paper == []
        while len(wire.said) < 2:
            await asyncio.sleep(0.002)
        assert wire.said == b"\x12\x00"
        assert len(printer.paper) == 8
        assert not printer.printing

    run(scenario())


def test_power_cut_in_the_middle_keeps_what_is_on_paper_and_loses_the_rest() -> None:
    async def scenario() -> None:
        printer = EscPosPrinter(mm_per_s=50, time_scale=10)
        Wire(printer)
        printer.on_host_bytes(b"".join(b"line %d\n" % n for n in range(20)))
        while len(printer.paper) < 5:
            await asyncio.sleep(0.001)
        printer.on_power(False)
        cut_at = len(printer.paper)
        assert 5 <= cut_at < 20
        assert printer.buffered_bytes == 0
        printer.on_power(True)
        printer.on_host_bytes(b"after\n")
        while printer.printing:
            await asyncio.sleep(0.002)
        assert [line.text for line in printer.paper[cut_at:]] == ["after"]
        for line in printer.paper[:5]:
            assert line.burnt == 1.0

    run(scenario())


@pytest.mark.parametrize("burnt", [0.3, 0.8])
def test_a_line_cut_while_it_burns_is_there_in_part(burnt: float) -> None:
    async def scenario() -> None:
        printer = EscPosPrinter(mm_per_s=12.5)  # a line of 3.75 mm takes 300 ms
        Wire(printer)
        printer.on_host_bytes(b"PIN 4821\n")
        begin = asyncio.get_running_loop().time()
        await asyncio.sleep(0.3 * burnt)
        share = (asyncio.get_running_loop().time() - begin) / 0.3
        printer.on_power(False)
        if share >= 1:
            pytest.skip("this machine was too slow to cut the line in the middle")
        (line,) = printer.paper
        assert abs(line.burnt - share) < 0.1
        if abs(share - 0.6) > 0.1:
            assert line.legible == (share > 0.6)
            assert (printer.text() == "PIN 4821") == (share > 0.6)

    run(scenario())


def test_lines_that_wait_for_paper_do_not_outlive_a_power_cut() -> None:
    printer, _ = _instant()
    printer.run_out_of_paper()
    printer.on_host_bytes(b"0123456789" * 7 + b"\n")
    printer.set_paper_left(mm=4)  # one of the three lines
    assert len(printer.paper) == 1
    printer.on_power(False)
    printer.load_paper()
    printer.on_power(True)
    printer.on_host_bytes(b"after\n")
    assert [line.text for line in printer.paper if line.kind == "text"][1:] == ["after"]


def test_an_image_cut_in_the_middle_keeps_its_upper_rows() -> None:
    async def scenario() -> None:
        printer = EscPosPrinter(mm_per_s=50, time_scale=2)
        Wire(printer)
        printer.on_host_bytes(b"\x1dv0\x00\x01\x00\x64\x00" + b"\xff" * 100)
        while not printer.paper or len(printer.paper[0].rows) < 10:
            await asyncio.sleep(0.001)
        printer.on_power(False)
        (image,) = printer.paper
        assert 10 <= len(image.rows) < 100
        assert image.dots == len(image.rows)

    run(scenario())


def test_it_prints_no_faster_than_its_motor() -> None:
    async def scenario() -> None:
        printer = EscPosPrinter(mm_per_s=60, time_scale=10)
        Wire(printer)
        begin = asyncio.get_running_loop().time()
        printer.on_host_bytes(b"x\n" * 32)  # 120 mm, 2 s
        while printer.printing:
            await asyncio.sleep(0.002)
        assert asyncio.get_running_loop().time() - begin >= 0.2
        assert printer.paper_left_mm == 30_000 - 120

    run(scenario())


def test_an_impossible_speed_is_refused() -> None:
    with pytest.raises(ValueError, match="mm_per_s"):
        EscPosPrinter(mm_per_s=0)
