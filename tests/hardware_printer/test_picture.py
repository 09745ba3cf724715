"""The receipt as a picture: every dot where it belongs."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from hw_sim.printer import EscPosPrinter
from hw_sim.printer.line import PAPER_WIDTH_DOTS, PaperLine, Run
from hw_sim.printer.qr import qr_matrix
from hw_sim.printer.render import draw_dots

RECEIPT = (
    b"\x1b@\x1ba\x01\x1b!\x30SAVANNA 50\n\x1b!\x00Mama Asha Shop\n\x1ba\x00"
    b"Airtime Savanna        KES 50.00\n\x1ba\x01\x1bE\x01PIN 4821 9930 1175\n\x1bE\x00"
    b"\x1d(k\x03\x001C\x04\x1d(k\x0b\x001P0duka.tld\x1d(k\x03\x001Q0"
    b"\x1dw\x02\x1dh\x30\x1dH\x02\x1dk\x49\x08{BSN-778\x1dV\x42\x28"
)


def _printer() -> EscPosPrinter:
    printer = EscPosPrinter(mm_per_s=None)
    printer.on_power(True)
    return printer


def _box_of_ink(picture: Image.Image) -> tuple[int, int, int, int]:
    box = picture.point(lambda value: 255 - value).getbbox()
    assert box is not None
    return box


def test_a_receipt_is_drawn_to_a_file(tmp_path: Path) -> None:
    printer = _printer()
    printer.on_host_bytes(RECEIPT)
    (receipt,) = printer.receipts()
    path = receipt.png(tmp_path / "receipt.png")
    with Image.open(path) as picture:
        assert picture.width == round((PAPER_WIDTH_DOTS + 80 + 48) * 1.5)
        assert picture.height > 400
        again = receipt.png(tmp_path / "again.png")
        with Image.open(again) as other:
            assert picture.tobytes() == other.tobytes()


def test_the_picture_is_as_high_as_the_paper_that_came_out() -> None:
    printer = _printer()
    printer.on_host_bytes(RECEIPT)
    assert draw_dots(printer.paper).height == sum(line.dots for line in printer.paper)


def test_text_lies_where_it_is_aligned() -> None:
    boxes = {}
    for align, code in (("left", 0), ("center", 1), ("right", 2)):
        printer = _printer()
        printer.on_host_bytes(bytes((0x1B, ord("a"), code)) + b"HHHH\n")
        boxes[align] = _box_of_ink(draw_dots(printer.paper))
    assert boxes["left"][0] < 12
    assert abs((boxes["center"][0] + boxes["center"][2]) / 2 - PAPER_WIDTH_DOTS / 2) <= 2
    assert boxes["right"][2] > PAPER_WIDTH_DOTS - 12


def test_double_size_is_twice_as_large_and_bold_has_more_ink() -> None:
    def box_and_ink(data: bytes) -> tuple[int, int, int]:
        printer = _printer()
        printer.on_host_bytes(data)
        picture = draw_dots(printer.paper)
        left, top, right, bottom = _box_of_ink(picture)
        return right - left, bottom - top, picture.histogram()[0]

    width, height, ink = box_and_ink(b"HH\n")
    wide, high, _ = box_and_ink(b"\x1d!\x11HH\n")
    assert abs(wide - 2 * width) <= 3
    assert abs(high - 2 * height) <= 3
    assert box_and_ink(b"\x1bE\x01HH\n")[2] > ink


def test_the_qr_code_on_paper_has_the_modules_of_the_standard_encoder() -> None:
    printer = _printer()
    printer.on_host_bytes(b"\x1d(k\x03\x001C\x03\x1d(k\x0b\x001P0duka.tld\x1d(k\x03\x001Q0")
    picture = draw_dots(printer.paper)
    matrix = qr_matrix(b"duka.tld", "L")
    assert matrix is not None
    for y, row in enumerate(matrix):
        for x, module in enumerate(row):
            assert (picture.getpixel((x * 3 + 1, y * 3 + 1)) == 0) == module


def test_a_line_cut_by_a_power_failure_shows_its_upper_part_only() -> None:
    whole = draw_dots([PaperLine("text", 30, runs=(Run("HHH"),))])
    part = draw_dots([PaperLine("text", 30, runs=(Run("HHH"),), burnt=0.5)])
    assert part.height == 15
    assert part.tobytes() == whole.crop((0, 0, PAPER_WIDTH_DOTS, 15)).tobytes()


def test_an_empty_strip_can_be_drawn_too() -> None:
    assert draw_dots([]).size == (PAPER_WIDTH_DOTS, 1)
