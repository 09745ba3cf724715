"""`inv screens`: every page in every language and every slip, as contact sheets; what changed, old
beside new; and the pins that a test holds (`screens.txt`).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from firmware.ui.texts import LANGUAGES
from hw_sim.printer import EscPosPrinter
from hw_sim.printer.render import draw_dots
from tests.merchant.scenes import SCENES
from tests.merchant.slips import SLIPS
from tests.merchant.stage import play
from tools.release.image import unpack

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).with_name("screens.txt")
PICTURES = ROOT / "docs" / "pictures"
_HEAD = f"""\
# What every scene of tests/merchant/scenes.py shows in {" ".join(LANGUAGES)}: the first digits
# of a SHA-256 over its pages, or over the bytes of a slip. `inv screens` shows old beside new; when
# the new is right, `inv screens --accept`.
"""
_DIGITS = 10
_WIDE, _HIGH = 128, 64
_COLUMNS = 7
_EDGE = 8
_CAPTION = 12
_GREYS = 8
_IN_YORUBA = ("sell", "top up, to the end", "last sales")

Pictures = dict[str, dict[str, list[bytes]]]
"""By language and scene: pages as the display takes them, or the bytes that a printer gets."""


def all_pictures() -> Pictures:
    """Everything, drawn now."""
    made: Pictures = {}
    for to in LANGUAGES:
        made[to] = {scene.name: play(scene, to)[0] for scene in SCENES}
        made[to].update({f"slip: {name}": [slip(to)] for name, slip in SLIPS.items()})
    return made


def pins(pictures: Pictures) -> str:
    """The text of the pin file."""
    lines = []
    for name in pictures[LANGUAGES[0]]:
        digests = [hashlib.sha256(b"".join(pictures[to][name])).hexdigest() for to in LANGUAGES]
        lines.append(" ".join(digest[:_DIGITS] for digest in digests) + "  " + name + "\n")
    return _HEAD + "".join(lines)


def page_image(page: bytes) -> Image.Image:
    """A page, a pixel a dot, dark on light."""
    image = Image.new("L", (_WIDE, _HIGH), 225)
    for y in range(_HIGH):
        for x in range(_WIDE):
            if page[(y >> 3) * _WIDE + x] >> (y & 7) & 1:
                image.putpixel((x, y), 25)
    return image


def slip_image(name: str, data: bytes) -> Image.Image:
    """The paper that these bytes print, a pixel a dot; by the name of its scene how wide it is."""
    printer = EscPosPrinter(mm_per_s=None, paper_dots=576 if name.endswith("80 mm") else 384)
    printer.send = lambda _: None
    printer.on_power(True)
    printer.on_host_bytes(data)
    (receipt,) = printer.receipts()
    return draw_dots(receipt.lines)


def image_of(name: str, content: bytes) -> Image.Image:
    """A page or a slip, by the name of its scene."""
    return slip_image(name, content) if name.startswith("slip: ") else page_image(content)


def sheet_of_pages(scenes: dict[str, list[bytes]]) -> Image.Image:
    """All pages of one language, each once, under the scene that shows it first."""
    shown: dict[bytes, str] = {}
    for name, contents in scenes.items():
        if not name.startswith("slip: "):
            for page in contents:
                shown.setdefault(page, name)
    cell_wide, cell_high = 2 * _WIDE + _EDGE, 2 * _HIGH + _CAPTION + _EDGE
    rows = -(-len(shown) // _COLUMNS)
    sheet = Image.new("L", (_COLUMNS * cell_wide + _EDGE, rows * cell_high + _EDGE), 120)
    draw = ImageDraw.Draw(sheet)
    for n, (page, name) in enumerate(shown.items()):
        x, y = _EDGE + n % _COLUMNS * cell_wide, _EDGE + n // _COLUMNS * cell_high
        draw.text((x, y - 2), name, fill=255)
        big = page_image(page).resize((2 * _WIDE, 2 * _HIGH), Image.Resampling.NEAREST)
        sheet.paste(big, (x, y + _CAPTION))
    return sheet


def sheet_of_slips(pictures: Pictures, names: list[str]) -> Image.Image:
    """Slips of some kinds, a language a column."""
    rows = [[slip_image(name, pictures[to][name][0]) for to in pictures] for name in names]
    heights = [max(slip.height for slip in row) + 2 * _EDGE for row in rows]
    wide = max(len(row) for row in rows) * (rows[0][0].width + 2 * _EDGE)
    sheet = Image.new("L", (wide, sum(heights)), 190)
    y = 0
    for row, height in zip(rows, heights, strict=True):
        for n, slip in enumerate(row):
            sheet.paste(slip, (_EDGE + n * (slip.width + 2 * _EDGE), y + _EDGE))
        y += height
    return sheet


def draw_for_docs(pictures: Pictures) -> None:
    """The sheets that docs show: all pages in English, some in Yoruba; a voucher and electricity in
    all languages, at half their size.
    """
    sheet_of_pages(pictures["en"]).save(PICTURES / "screens-en.png", optimize=True)
    some = {name: pictures["yo"][name][-_COLUMNS:] for name in _IN_YORUBA}
    sheet_of_pages(some).save(PICTURES / "screens-yo.png", optimize=True)
    for file, name in (
        ("slips.png", "voucher"),
        ("slips-electricity.png", "electricity"),
        ("slips-80mm.png", "voucher, 80 mm"),
    ):
        sheet = sheet_of_slips(pictures, [f"slip: {name}"])
        half = sheet.reduce(2).quantize(_GREYS)
        half.save(PICTURES / file, optimize=True)


def changes(old: Pictures, new: Pictures) -> str:
    """A page that shows old and new of all that differs, side by side."""
    parts = [
        "<!doctype html><meta charset=utf-8><title>Screens that changed</title>"
        "<style>body{font:14px sans-serif;background:#888}img{margin:4px;vertical-align:top}"
        "td{vertical-align:top;background:#999}</style>"
    ]
    count = 0
    for to, scenes in new.items():
        for name, contents in scenes.items():
            before = old.get(to, {}).get(name, [])
            if before != contents:
                count += 1
                sides = "".join(f"<td>{_images(name, side)}</td>" for side in (before, contents))
                parts.append(f"<h3>{to}: {html.escape(name)}</h3><table><tr>{sides}</tr></table>")
        gone = [name for name in old.get(to, {}) if name not in scenes]
        parts += [f"<h3>{to}: {html.escape(name)} is gone</h3>" for name in gone]
    return "".join([parts[0], f"<h1>{count} changed; old left, new right</h1>", *parts[1:]])


def _images(name: str, contents: list[bytes]) -> str:
    tags = []
    for content in contents:
        image = image_of(name, content)
        if image.width == _WIDE:
            image = image.resize((2 * _WIDE, 2 * _HIGH), Image.Resampling.NEAREST)
        file = io.BytesIO()
        image.save(file, "PNG")
        data = base64.b64encode(file.getvalue()).decode()
        tags.append(f'<img src="data:image/png;base64,{data}">')
    return "".join(tags)


def pictures_at(commit: str) -> Pictures:
    """Everything as that commit draws it; nothing if it is from before there were scenes."""
    with tempfile.TemporaryDirectory() as folder:
        check_out(commit, Path(folder))
        if not (Path(folder) / "tests/merchant/scenes.py").exists():
            return {}
        told = ask_at(Path(folder), "--dump")
    return {
        to: {name: [base64.b64decode(one) for one in contents] for name, contents in scenes.items()}
        for to, scenes in json.loads(told).items()
    }


def check_out(commit: str, folder: Path) -> None:
    """All of that commit, for whatever its drawing needs is known to it alone."""
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        unpack(tar, folder)


def ask_at(folder: Path, option: str) -> bytes:
    """What this command says there. CalledProcessError, after it has said why on the terminal."""
    command = [sys.executable, "-m", "tests.merchant.screens", option]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout


def dump(pictures: Pictures) -> str:
    """As JSON, for `pictures_at`."""
    return json.dumps(
        {
            to: {name: [base64.b64encode(one).decode() for one in contents]
                 for name, contents in scenes.items()}
            for to, scenes in pictures.items()
        }
    )  # fmt: skip


def main(arguments: list[str]) -> int:
    """The command; 1 when something is not as pinned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "screens")
    parser.add_argument("--against", default="HEAD", help="the commit whose screens are the old")
    parser.add_argument("--accept", action="store_true", help="pin what is drawn; docs show it")
    parser.add_argument("--dump", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    new = all_pictures()
    if asked.dump:
        print(dump(new))
        return 0
    if asked.accept:
        PINS.write_text(pins(new))
        draw_for_docs(new)
        print(f"pinned: {PINS.relative_to(ROOT)}; drawn: docs/pictures")
        return 0
    asked.out.mkdir(parents=True, exist_ok=True)
    for to, scenes in new.items():
        sheet_of_pages(scenes).save(asked.out / f"{to}.png")
    for name in SLIPS:
        sheet = sheet_of_slips(new, [f"slip: {name}"])
        sheet.save(asked.out / f"slips-{name.replace(' ', '-').replace(',', '')}.png")
    (asked.out / "changes.html").write_text(changes(pictures_at(asked.against), new))
    is_pinned = PINS.exists() and PINS.read_text() == pins(new)
    pages = sum(len(set().union(*scenes.values())) for scenes in new.values())
    print(f"{pages} pages and slips in {asked.out}; changes.html has old beside new")
    if not is_pinned:
        print("not all is as pinned: look, then `inv screens --accept`")
    return 0 if is_pinned else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
