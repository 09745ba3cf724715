"""`inv front-panel`: pictures of the front panel, on a desk and on a telephone, and of the display
and a slip alone, for the docs.

A world of its own is made, a merchant sells in it, and Chromium looks at the page.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from PIL import Image

from hw_sim.panel.panel import Panel
from tests.house.tree import ROOT
from tests.panel.chromium import Chromium, installed
from tests.panel.hands import Hands
from tools.play.bench import Play
from tools.play.eyes import read

COLOURS = 256
FEW = 32
DITHER = Image.Dither.FLOYDSTEINBERG
"""A page of few colours needs no more; the pictures stay small."""


@contextmanager
def playing(folder: Path) -> Iterator[Play]:
    """A panel on a world in `folder`, with one terminal that is switched on."""
    panel = Panel(read=read)
    play = Play(panel, folder)
    try:
        play.open()
        yield play
    finally:
        panel.close()
        play.close()


def main() -> int:
    """Draw them. Ends with 1 when there is no Chromium."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    out = parser.parse_args().out
    if not installed():
        print("No Chromium here: inv setup.browser", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="duka-pictures-") as folder,
        playing(Path(folder)) as play,
        closing(Chromium(1320, 940)) as browser,
    ):
        hands = Hands(browser, play)
        hands.open()
        parts = play.world.terminals[0].parts
        hands.wait_shows("Online")
        hands.sign_in()
        hands.settle()
        parts.board.lcd_picture().save_png(out / "menu.png")
        hands.press("*")
        hands.wait_shows("Your PIN")
        hands.sell()
        browser.wait(lambda: not browser.js("document.querySelector('.tear').hidden"), "the slip")
        slip = parts.board.call(parts.printer.receipts)[-1].png(out / "receipt.png")
        Image.open(slip).quantize(FEW).save(slip, optimize=True)
        play.look()
        browser.js("document.getElementById('tab-air').click()")
        hands.settle()
        browser.save(out / "panel-desk.png", COLOURS, DITHER, 1320)
        browser.resize(390, 844, 2, phone=True)
        browser.open(play.panel.url)
        hands.wait_shows("Sold")
        hands.settle()
        browser.save(out / "panel-telephone.png", COLOURS, DITHER, 390)
    return 0


if __name__ == "__main__":
    sys.exit(main())
