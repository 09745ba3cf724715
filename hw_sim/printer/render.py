"""Draws printed paper as a picture: the dots as the head burnt them, on paper that looks thermal.

For `hw_sim.printer` only; the sole module here that needs Pillow. The type is DejaVu
Sans Mono from the python-barcode package (or the system), else Pillow's own bitmap face; the same
paper gives the same picture on one machine.
"""

from __future__ import annotations

import functools
import importlib.util
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from hw_sim.printer import code128
from hw_sim.printer.line import PAPER_WIDTH_DOTS, PaperLine, Style
from hw_sim.printer.qr import qr_matrix

_MARGIN_DOTS: Final = 40
"""58 mm paper is 464 dots wide; the head burns the middle 384."""

_INK: Final = (38, 36, 44)
_PAPER: Final = (250, 248, 243)
_DESK: Final = (214, 216, 220)
_TOOTH_DOTS: Final = 8
_Face = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_dots(lines: Sequence[PaperLine]) -> Image.Image:
    """The burnt dots, as wide as the head, black (0) on white (255), a pixel a dot."""
    height = sum(_height(line) for line in lines)
    width = max((line.paper_dots for line in lines), default=PAPER_WIDTH_DOTS)
    dots = Image.new("L", (width, max(1, height)), 255)
    y = 0
    for line in lines:
        strip = _draw_line(line)
        if strip is not None:
            dots.paste(strip.crop((0, 0, strip.width, _height(line))), (0, y))
        y += _height(line)
    return dots


def draw_paper(lines: Sequence[PaperLine], *, torn_off: bool, scale: float = 1.5) -> Image.Image:
    """The paper on a desk, `scale` pixels a dot; it hangs in the printer till it is torn off."""
    dots = draw_dots(lines)
    top, bottom = 36, 28
    width, height = dots.width + 2 * _MARGIN_DOTS, dots.height + top + bottom
    noise = random.Random(len(lines))  # noqa: S311 - paper grain

    ink = Image.new("L", (width, height), 0)
    ink.paste(ImageChops.invert(dots), (_MARGIN_DOTS, top))
    # heat spreads a little around each dot, and no line is burnt quite evenly
    ink = ImageChops.lighter(ink.point(lambda v: v * 92 // 100), ink.filter(ImageFilter.BoxBlur(1)))
    rough = (max(1, width // 2), max(1, height // 2))
    grain = Image.frombytes("L", rough, noise.randbytes(rough[0] * rough[1])).resize(ink.size)
    ink = ImageChops.multiply(ink, grain.point(lambda v: 222 + v * 33 // 255))

    paper = Image.new("RGB", (width, height), _PAPER)
    shade = Image.linear_gradient("L").rotate(90, expand=True).resize((width, height))
    curve = shade.point(lambda v: 255 - (abs(v - 128) ** 3) // 90000)
    paper = ImageChops.multiply(paper, Image.merge("RGB", (curve, curve, curve)))
    paper.paste(Image.new("RGB", paper.size, _INK), mask=ink)

    mask = Image.new("L", (width, height), 255)
    _tear(ImageDraw.Draw(mask), width, 0, _TOOTH_DOTS, noise)
    if torn_off:
        _tear(ImageDraw.Draw(mask), width, height, -_TOOTH_DOTS, noise)

    border = 24
    desk = Image.new("RGB", (width + 2 * border, height + 2 * border), _DESK)
    shadow = Image.new("L", desk.size, 0)
    shadow.paste(mask.point(lambda v: v * 100 // 255), (border + 2, border + 5))
    desk.paste((60, 62, 70), mask=shadow.filter(ImageFilter.GaussianBlur(7)))
    desk.paste(paper, (border, border), mask)
    if not torn_off:  # the paper still hangs in the printer's mouth
        slot = ImageDraw.Draw(desk)
        slot.rectangle((0, desk.height - border - 4, desk.width, desk.height), fill=(52, 54, 60))
        slot.line(
            (0, desk.height - border - 4, desk.width, desk.height - border - 4), (96, 98, 106), 2
        )
    size = (round(desk.width * scale), round(desk.height * scale))
    return desk.resize(size, Image.Resampling.LANCZOS)


def _height(line: PaperLine) -> int:
    return round(line.dots * line.burnt)


def _tear(draw: ImageDraw.ImageDraw, width: int, edge: int, depth: int, r: random.Random) -> None:
    """Teeth of the tear bar: points from `edge`, `depth` into the paper."""
    points: list[tuple[float, float]] = [(0, edge)]
    for x in range(0, width + _TOOTH_DOTS, _TOOTH_DOTS):
        points.append((x, edge + depth * (0.75 + 0.25 * r.random())))
        points.append((x + _TOOTH_DOTS / 2, edge + depth * 0.15 * r.random()))
    points.append((width, edge))
    draw.polygon(points, fill=0)


def _draw_line(line: PaperLine) -> Image.Image | None:
    if line.kind == "text" and line.runs:
        return _draw_text(line)
    if line.kind == "raster":
        return _placed(_draw_rows(line.rows), line)
    if line.kind == "qr":
        return _placed(_draw_qr(line), line)
    if line.kind == "barcode":
        return _placed(_draw_barcode(line), line)
    return None


def _placed(picture: Image.Image, line: PaperLine) -> Image.Image:
    strip = Image.new("L", (line.paper_dots, max(1, picture.height)), 255)
    free = max(0, line.paper_dots - line.left_margin_dots - picture.width)
    shift = {"left": 0, "center": free // 2, "right": free}[line.align]
    strip.paste(picture, (line.left_margin_dots + shift, 0))
    return strip


def _draw_text(line: PaperLine) -> Image.Image:
    height = max(run.height_dots for run in line.runs)
    width = sum(run.width_dots for run in line.runs)
    picture = Image.new("L", (max(1, width), max(height, line.dots)), 255)
    x = 0
    for run in line.runs:
        if run.dots:
            picture.paste(_draw_columns(run.dots), (x, height - run.height_dots))
            x += run.width_dots
            continue
        cell_width, cell_height = run.style.cell_dots
        for character in run.text:
            picture.paste(_glyph(character, run.style), (x, height - cell_height))
            x += cell_width
    return _placed(picture, line)


def _draw_columns(columns: Sequence[bytes]) -> Image.Image:
    picture = Image.new("L", (len(columns), 24), 255)
    for x, column in enumerate(columns):
        dots = int.from_bytes(column, "big")
        for y in range(24):
            if dots >> (23 - y) & 1:
                picture.putpixel((x, y), 0)
    return picture


@functools.lru_cache(maxsize=2048)
def _glyph(character: str, style: Style) -> Image.Image:
    face = _face(style.font)
    plain_width, plain_height = (12, 24) if style.font == "A" else (9, 17)
    # larger sizes are the same dots made larger on the head; drawn fine first, they stay smooth
    fine = max(style.width, style.height)
    big = Image.new("L", (plain_width * fine, plain_height * fine), 255)
    draw = ImageDraw.Draw(big)
    if isinstance(face, ImageFont.FreeTypeFont):
        sized = _sized(style.font, fine)
        baseline = round(plain_height * fine * 0.79)
        middle = (plain_width * fine / 2, baseline)
        draw.text(middle, character, font=sized, fill=0, anchor="ms")
        if style.bold:  # struck twice, a dot apart
            big = ImageChops.darker(big, ImageChops.offset(big, fine, 0))
    else:
        small = Image.new("L", (6, 11), 255)
        shown = character if ord(character) < 256 else "?"
        ImageDraw.Draw(small).text((0, 0), shown, font=face, fill=0)
        big.paste(small.resize((plain_width * fine, plain_height * fine * 22 // 24)), (0, 0))
    glyph = big.resize((plain_width * style.width, plain_height * style.height))
    cell = Image.new("L", style.cell_dots, 255)
    cell.paste(glyph.point(lambda v: 0 if v < 140 else 255), (0, 0))
    draw = ImageDraw.Draw(cell)
    for extra in range(style.underline):
        y = cell.height - 1 - extra
        draw.line((0, y, cell.width, y), fill=0)
    if style.reverse:
        cell = ImageChops.invert(cell)
    if style.upside_down:
        cell = cell.rotate(180)
    return cell


def _face(font: str) -> _Face:
    return _sized(font, 1)


@functools.lru_cache(maxsize=32)
def _sized(font: str, fine: int) -> _Face:
    size = 20 if font == "A" else 15
    for path in _font_files():
        try:
            return ImageFont.truetype(str(path), size * fine)
        except OSError:
            continue
    return ImageFont.load_default_imagefont()


def _font_files() -> list[Path]:
    files = [Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf")]
    barcode = importlib.util.find_spec("barcode")
    if barcode is not None and barcode.origin is not None:
        files.insert(0, Path(barcode.origin).parent / "fonts" / "DejaVuSansMono.ttf")
    return files


def _draw_rows(rows: Sequence[bytes]) -> Image.Image:
    width = max((len(row) for row in rows), default=0)
    packed = b"".join(row.ljust(width, b"\0") for row in rows)
    if not packed:
        return Image.new("L", (1, 1), 255)
    picture = Image.frombytes("1", (width * 8, len(rows)), packed)
    return ImageChops.invert(picture.convert("L"))


def _draw_qr(line: PaperLine) -> Image.Image:
    matrix = qr_matrix(line.data.encode(), line.error_correction) or [[False]]
    picture = Image.new("L", (len(matrix), len(matrix)), 255)
    for y, row in enumerate(matrix):
        for x, module in enumerate(row):
            if module:
                picture.putpixel((x, y), 0)
    side = len(matrix) * line.module_dots
    return picture.resize((side, side), Image.Resampling.NEAREST)


def _draw_barcode(line: PaperLine) -> Image.Image:
    widths = [int(width) * line.module_dots for width in code128.bars(list(line.rows[0]))]
    text_width = len(line.data) * 12
    total = max(sum(widths), text_width)
    above = 26 if line.human_readable in ("above", "both") else 0
    below = 26 if line.human_readable in ("below", "both") else 0
    picture = Image.new("L", (total, above + line.bar_height_dots + below), 255)
    draw = ImageDraw.Draw(picture)
    x = (total - sum(widths)) // 2
    for index, width in enumerate(widths):
        if index % 2 == 0:
            draw.rectangle((x, above, x + width - 1, above + line.bar_height_dots - 1), fill=0)
        x += width
    for y in ([1] if above else []) + ([above + line.bar_height_dots + 2] if below else []):
        for index, character in enumerate(line.data):
            picture.paste(_glyph(character, Style()), ((total - text_width) // 2 + index * 12, y))
    return picture
