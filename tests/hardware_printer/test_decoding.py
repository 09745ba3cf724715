"""The printer understands what an independent encoder (python-escpos) writes."""

from __future__ import annotations

from typing import Any

import pytest
from barcode.charsets import code128 as published  # type: ignore[import-untyped]
from escpos.printer import Dummy
from PIL import Image

from hw_sim.printer import EscPosPrinter, Style, code128
from hw_sim.printer.qr import qr_matrix


@pytest.fixture
def printer() -> EscPosPrinter:
    printer = EscPosPrinter(mm_per_s=None)
    printer.on_power(True)
    return printer


@pytest.fixture
def encoder() -> Any:
    return Dummy()


def _give(printer: EscPosPrinter, encoder: Any) -> None:
    printer.on_host_bytes(encoder.output)


def test_a_whole_receipt_reads_as_it_was_written(printer: EscPosPrinter, encoder: Any) -> None:
    encoder.hw("INIT")
    encoder.set(align="center", bold=True, double_height=True, double_width=True)
    encoder.text("SAVANNA 50\n")
    encoder.set(align="left", bold=False, normal_textsize=True)
    encoder.text("Airtime Savanna        KES 50.00\n")
    encoder.set(align="right")
    encoder.text("Sale 123\n")
    encoder.cut()
    _give(printer, encoder)
    (receipt,) = printer.receipts()
    assert receipt.torn_off
    assert receipt.text == "SAVANNA 50\nAirtime Savanna        KES 50.00\nSale 123"
    assert receipt.layout.splitlines() == [
        "      SAVANNA 50",
        "Airtime Savanna        KES 50.00",
        "                        Sale 123",
    ]
    title = receipt.lines[0]
    assert title.runs[0].style == Style(bold=True, width=2, height=2)
    assert title.dots == 48
    assert receipt.lines[1].dots == 30
    assert printer.unknown == []


def test_styles_of_the_encoder_are_seen(printer: EscPosPrinter, encoder: Any) -> None:
    for settings in (
        {"bold": True},
        {"underline": 1},
        {"underline": 2},
        {"invert": True},
        {"font": "b"},
        {"custom_size": True, "width": 3, "height": 4},
        {"flip": True},
    ):
        encoder.set_with_default(**settings)
        encoder.text("x\n")
    _give(printer, encoder)
    styles = [line.runs[0].style for line in printer.paper]
    assert styles == [
        Style(bold=True),
        Style(underline=1),
        Style(underline=2),
        Style(reverse=True),
        Style(font="B"),
        Style(width=3, height=4),
        Style(upside_down=True),
    ]


@pytest.mark.parametrize("text", ["Ärger für Çelik ½", "£5 ñandú", "prix: 12 € ©"])
def test_code_pages_give_the_letters_back(printer: EscPosPrinter, encoder: Any, text: str) -> None:
    page, codec = (19, "cp858") if "€" in text or "©" in text else (0, "cp437")
    encoder._raw(bytes((0x1B, ord("t"), page)) + text.encode(codec) + b"\n")
    _give(printer, encoder)
    assert printer.receipts()[0].text == text


def test_a_long_line_goes_on_in_the_next_one(printer: EscPosPrinter) -> None:
    printer.on_host_bytes(b"0123456789" * 4 + b"\n")
    assert [line.text for line in printer.paper] == ["01234567890123456789012345678901", "23456789"]


def test_double_width_leaves_sixteen_columns(printer: EscPosPrinter) -> None:
    printer.on_host_bytes(b"\x1d!\x10" + b"0123456789ABCDEFG\n")
    assert [line.text for line in printer.paper] == ["0123456789ABCDEF", "G"]


def test_tabs_go_to_every_eighth_column_or_where_they_were_set(printer: EscPosPrinter) -> None:
    printer.on_host_bytes(b"a\tb\n\x1bD\x05\x0a\x00c\td\te\n")
    assert [line.text for line in printer.paper] == ["a       b", "c    d    e"]


def test_alignment_changes_at_the_start_of_a_line_only(printer: EscPosPrinter) -> None:
    printer.on_host_bytes(b"left\x1ba\x02still left\n\x1ba\x02right\n")
    assert [line.align for line in printer.paper] == ["left", "right"]


@pytest.mark.parametrize("size", [(8, 8), (100, 40), (384, 50)])
def test_a_raster_image_has_the_dots_of_the_picture(
    printer: EscPosPrinter, encoder: Any, size: tuple[int, int]
) -> None:
    picture = Image.new("1", size, 1)
    for x in range(size[0]):
        for y in range(size[1]):
            if (x * 7 + y * 3) % 5 == 0:
                picture.putpixel((x, y), 0)
    encoder.image(picture, impl="bitImageRaster", center=False)
    _give(printer, encoder)
    (image,) = [line for line in printer.paper if line.kind == "raster"]
    assert len(image.rows) == image.dots == size[1]
    for y, row in enumerate(image.rows):
        for x in range(size[0]):
            black = bool(row[x // 8] & 0x80 >> x % 8)
            assert black == (picture.getpixel((x, y)) == 0)


def test_two_images_are_two_and_a_doubled_one_is_larger(
    printer: EscPosPrinter, encoder: Any
) -> None:
    picture = Image.new("1", (16, 4), 0)
    encoder.image(picture, impl="bitImageRaster", center=False)
    encoder.image(
        picture,
        impl="bitImageRaster",
        high_density_vertical=False,
        high_density_horizontal=False,
        center=False,
    )
    _give(printer, encoder)
    images = [line for line in printer.paper if line.kind == "raster"]
    assert [len(image.rows) for image in images] == [4, 8]
    assert [len(image.rows[0]) for image in images] == [2, 4]


def test_a_qr_code_is_read_and_drawn_at_its_size(printer: EscPosPrinter, encoder: Any) -> None:
    encoder.qr("https://duka.example/v/4821", native=True, size=5)
    _give(printer, encoder)
    (receipt,) = printer.receipts()
    assert receipt.qr_codes == ["https://duka.example/v/4821"]
    (line,) = [line for line in receipt.lines if line.kind == "qr"]
    matrix = qr_matrix(b"https://duka.example/v/4821", "L")
    assert matrix is not None
    assert line.dots == len(matrix) * 5
    assert line.module_dots == 5


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("{BSN-778812", "SN-778812"),
        ("{A12 AB", "12 AB"),
        ("{Ba{{b", "a{b"),
        ("{B12{C\x22\x38", "123456"),
    ],
)
def test_code128_is_read(printer: EscPosPrinter, encoder: Any, data: str, text: str) -> None:
    encoder._raw(b"\x1dw\x02\x1dk\x49" + bytes((len(data),)) + data.encode("latin-1"))
    _give(printer, encoder)
    assert printer.receipts()[0].barcodes == [text]


def test_code128_of_the_encoder_is_read(printer: EscPosPrinter, encoder: Any) -> None:
    encoder.barcode("{BDUKA-42", "CODE128", height=60, width=2, function_type="B", pos="BELOW")
    _give(printer, encoder)
    (line,) = [line for line in printer.paper if line.kind == "barcode"]
    assert line.data == "DUKA-42"
    assert (line.bar_height_dots, line.module_dots, line.human_readable) == (60, 2, "below")


def test_the_bar_patterns_are_the_published_ones() -> None:
    for value in range(106):
        widths = code128.bars([value])[:6]
        modules = "".join(
            ("1" if index % 2 == 0 else "0") * int(width) for index, width in enumerate(widths)
        )
        assert modules == published.CODES[value]
    values = code128.encode_set_b("DUKA")
    assert values[-1] == (104 + 1 * 36 + 2 * 53 + 3 * 43 + 4 * 33) % 103


@pytest.mark.parametrize(
    "data", [b"", b"12", b"{", b"{B", b"{Bx{", b"{Bx{9", b"{C\x64", b"{A{{", b"{B\x01", b"{Z1"]
)
def test_bad_code128_prints_nothing_and_is_recorded(printer: EscPosPrinter, data: bytes) -> None:
    printer.on_host_bytes(b"\x1dk\x49" + bytes((len(data),)) + data)
    assert printer.paper == []
    assert len(printer.unknown) == 1


def test_what_it_does_not_do_is_recorded_and_does_not_print_as_rubbish(
    printer: EscPosPrinter,
) -> None:
    sequences = [
        b"\x1bL",
        b"\x1b$\x41\x42",
        b"\x1b*\x20\x02\x00ABCDEF",
        b"\x1dk\x02123456789012\x00",
        b"\x1d(L\x04\x000AAA",
        b"\x1cC\x41",
        b"\x1bt\x63",
        b"\x1d!\xff",
        b"\x1bp\x00AB",
        b"\x1dv0\x00\x00\x00\x05\x00",
    ]
    for sequence in sequences:
        printer.on_host_bytes(sequence)
    assert len(printer.unknown) == len(sequences)
    printer.on_host_bytes(b"end\n")
    assert printer.receipts()[0].text == "end"
    assert [entry.offset for entry in printer.unknown][:3] == [0, 2, 6]


def test_an_unknown_command_is_recorded_and_its_parameters_print_as_on_hardware(
    printer: EscPosPrinter,
) -> None:
    printer.on_host_bytes(b"\x1bzA\x01\x7f\n")
    assert [entry.data for entry in printer.unknown] == [b"\x1bz", b"\x01"]
    assert printer.receipts()[0].text == "A\x7f"


def test_initialising_sets_the_style_back_but_not_the_paper(printer: EscPosPrinter) -> None:
    printer.on_host_bytes(b"\x1bE\x01bold\nhalf a line\x1b@plain\n")
    assert [line.text for line in printer.paper] == ["bold", "plain"]
    assert not printer.paper[1].runs[0].style.bold


def test_receipts_are_parted_by_cuts_and_long_feeds_but_not_by_blank_lines(
    printer: EscPosPrinter,
) -> None:
    printer.on_host_bytes(b"one\n\n\n\n\nstill one\n\x1bd\x03two\n\x1dV\x00\x1bJ\x50three\n")
    assert [(r.text, r.torn_off) for r in printer.receipts()] == [
        ("one\n\n\n\n\nstill one", True),
        ("two", True),
        ("three", False),
    ]
