"""`inv board`: pictures of the board for the docs, a quiet day, a wave and a halt.

A fleet of its own is made for each, and Chromium looks at the page.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec

from tests.board.scene import Scene, begin, give_online_keys, settle, token, two_weeks
from tests.board.served import served
from tests.house.tree import ROOT
from tests.panel.chromium import Chromium, installed
from tests.server.shop import PASSPHRASE, Shop, make_signed
from tests.telemetry.fleet import NEW, Fleet
from updater_server import halting
from updater_server.channels import sheets, verdicts
from updater_server.channels.sheets import Sheet
from updater_server.channels.verdicts import Standing
from updater_server.fleet.alarms import raise_alarm
from updater_server.lookout import picture
from updater_server.lookout.picture import Probe, Probes
from updater_server.lookout.worker import Lookout
from updater_server.store.engine import writing

FLEET = 30_000
COLOURS = 128
"""A page of few colours needs no more; the pictures stay small."""


def quiet(folder: Path, signed: Path) -> Scene:
    """Every release is everybody's, and nothing is wrong."""
    scene = begin(folder, signed)
    two_weeks(scene, FLEET, wave=0)
    settle(scene, FLEET, bad=0)
    return scene


def wave(folder: Path, signed: Path) -> Scene:
    """Release 28 goes to its second wave on beta; a terminal or two do not like it."""
    scene = begin(folder, signed)
    two_weeks(scene, FLEET)
    settle(scene, FLEET)
    return scene


def judged(scene: Scene, shown: Sheet) -> None:
    """Let release 28 have been judged on beta as `shown`, four minutes ago."""
    folder, at_s = scene.shop.service.folder.repository, scene.shop.clock[0] - 240
    one = msgspec.structs.replace(shown, at_s=at_s)
    sheets.put(folder, "beta", 28, one, 5)
    standing = Standing(one.wave, one.number, one.ruling, one.reasons, at_s)  # type: ignore[arg-type]
    verdicts.write(folder, {"beta": {"28": standing}})


def halt(folder: Path, signed: Path) -> Scene:
    """A fifth of those that took it came back, and somebody has just halted it."""
    scene = begin(folder, signed)
    two_weeks(scene, FLEET)
    give_online_keys(scene, signed)
    settle(scene, FLEET, bad=0.2)
    service = scene.shop.service
    with writing(service.engine) as connection:
        text = "release 28: self-test: no printer"
        raise_alarm(connection, None, "rollback", text, scene.shop.clock[0] - 900)
    halting.halt(service, "beta", 28, "Rehema")
    return scene


def main() -> int:
    """Draw them. Ends with 1 when there is no Chromium."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    out = parser.parse_args().out
    if not installed():
        print("No Chromium here: inv setup.browser", file=sys.stderr)
        return 1
    os.environ["DUKA_ONLINE_PASSPHRASE"] = PASSPHRASE
    with (
        tempfile.TemporaryDirectory(prefix="duka-board-") as made,
        closing(Chromium(1280, 720)) as browser,
    ):
        signed = Path(made) / "signed"
        signed.mkdir()
        make_signed(signed)
        bad = sheet(Path(made) / "sheet", signed, browser, out)
        good = told(Path(made) / "good", signed, 0.02)
        for make in (quiet, wave, halt):
            name = make.__name__
            scene = make(Path(made) / name, signed)
            Lookout(scene.shop.service).look()
            robots(scene)
            if make is not quiet:
                judged(scene, bad if make is halt else good)
            opened = token(scene.shop, "release", "Rehema")
            with served(scene.shop.service) as port:
                browser.resize(1280, 720)
                browser.open(f"http://any:{opened}@127.0.0.1:{port}/board")
                browser.wait(lambda: "live" in browser.text("#live"), "the board")
                browser.save(out / f"board-{name}.png", COLOURS)
                if make is halt:
                    browser.resize(390, 844, 1, phone=True)
                    browser.open(f"http://127.0.0.1:{port}/board")
                    browser.wait(lambda: "live" in browser.text("#live"), "the board")
                    browser.save(out / "board-phone.png", COLOURS)
            scene.shop.service.engine.dispose()
    return 0


def played(folder: Path, signed: Path, failing: float) -> Fleet:
    """Twelve hours of a wave among 120 terminals, its release failing so often."""
    fleet = Fleet.open(Shop.open(folder, signed / "repository"), signed / "keys", 120)
    fleet.failing[NEW] = failing
    fleet.give_keys("timestamp-1", "snapshot-1", "rollout-1")
    fleet.let_out(4000)
    fleet.work()
    for _ in range(12):
        fleet.hour()
    return fleet


def told(folder: Path, signed: Path, failing: float) -> Sheet:
    """The newest sheet of such a wave."""
    fleet = played(folder, signed, failing)
    found = newest(fleet)
    fleet.told.close()
    fleet.shop.service.engine.dispose()
    return found


def newest(fleet: Fleet) -> Sheet:
    """The newest verdict's."""
    return sheets.read(fleet.shop.service.folder.repository)["stable"][str(NEW)]


def sheet(folder: Path, signed: Path, browser: Chromium, out: Path) -> Sheet:
    """What a verdict that halts was made of, from terminals of a bad release; and a picture."""
    fleet = played(folder, signed, 0.2)
    opened = token(fleet.shop, "viewer", "The wall")
    with served(fleet.shop.service) as port:
        browser.resize(1280, 720)
        browser.open(f"http://any:{opened}@127.0.0.1:{port}/board")  # it asks for the password
        browser.open(f"http://127.0.0.1:{port}/board/verdicts/stable/{NEW}")
        browser.wait(lambda: "Verdict" in browser.text("h2"), "the sheet")
        browser.save(out / "board-sheet.png", COLOURS)
    found = newest(fleet)
    fleet.told.close()
    fleet.shop.service.engine.dispose()
    return found


def robots(scene: Scene) -> None:
    """Let robots have come back a minute ago."""
    now = scene.shop.clock[0]
    probes = [Probe("savanna", "", "", 1840, now - 60), Probe("lake-power", "", "", 3120, now - 55)]
    with writing(scene.shop.service.engine) as connection:
        picture.keep(connection, Probes(probes), now - 55)


if __name__ == "__main__":
    sys.exit(main())
