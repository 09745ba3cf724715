"""The rows of the threat table of terminals that tell counters of their own, against the server and
the worker in this process: a good release on a wave of some thirty, and a few liars in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from tests.attacks.scene import Gained
from tests.attacks.whole import Played
from tests.server.shop import PASSPHRASE, Shop
from tests.telemetry.fleet import CHANNEL, NEW, Fleet
from updater_server.channels import rollout, sheets
from updater_server.channels.sheets import Line

Attack = Callable[[Fleet], None]
ROWS: list[tuple[str, Attack]] = []
TERMINALS, WAVE, HOURS = 80, 4000, 8
MOST_OF_ONE = 5.0
"""No terminal adds more to a score; `verdict.expectation.residual` bounds it."""
NAMED = 8
"""Of ten liars so many at least must be among the ten that the sheet names."""


def row(name: str) -> Callable[[Attack], Attack]:
    """An attack of this name."""

    def kept(attack: Attack) -> Attack:
        ROWS.append((name, attack))
        return attack

    return kept


def _lie(fleet: Fleet, liars: int) -> set[str]:
    """Let so many terminals of the wave say, for some hours, that all of their sales failed."""
    fleet.let_out(WAVE)
    fleet.work()
    takes = [d.terminal_id for d in fleet.devices if fleet.plan().allows(NEW, d.terminal_id)]
    fleet.lying = set(sorted(takes)[:liars])
    for _ in range(HOURS):
        fleet.hour()
    return {one.hex() for one in fleet.lying}


def _failed(fleet: Fleet) -> Line:
    """The guard that they lie about, on the newest sheet."""
    sheet = sheets.read(fleet.shop.service.folder.repository)[CHANNEL][str(NEW)]
    return next(line for line in sheet.lines if line.guard == "sale_failed")


@row("counters: one terminal of a wave says that every sale of its failed")
def one_liar(fleet: Fleet) -> None:
    (liar,) = _lie(fleet, 1)
    if "halt" in fleet.rulings():
        raise Gained("one terminal halts a release")
    adds = [one.adds for one in _failed(fleet).most if one.terminal == liar]
    if adds and adds[0] > MOST_OF_ONE:
        raise Gained(f"one terminal adds {adds[0]}")


@row("counters: ten of a wave say that every sale of theirs failed")
def ten_liars(fleet: Fleet) -> None:
    liars = _lie(fleet, 10)
    if "halt" not in fleet.rulings():
        return
    if "verdict_halt" not in fleet.shop.alarms():
        raise Gained("a release is halted and nobody is told")
    named = liars & {one.terminal for one in _failed(fleet).most}
    if len(named) < NAMED:
        raise Gained(f"a release is halted, and of ten liars the sheet names {len(named)}")


@row("counters: bytes that are none, and of a release that nobody published")
def nonsense(fleet: Fleet) -> None:
    device = fleet.devices[0]
    for told in (b"", b"\xff" * 900, b"\x00" * 2000, "text", [1] * 50):
        if 2 not in device.check_in(_2=6, _13=told):
            raise Gained("what rides on a message spoils it")
    fleet.intake.take()
    if "telemetry" not in fleet.shop.alarms():
        raise Gained("nobody is told of rubbish")


def play(row_: tuple[str, Attack], signed: Path, folder: Path) -> Played:
    """One row, in a world of its own."""
    name, attack = row_
    salt = SimpleNamespace(token_hex=lambda size: "5a" * size)
    with (
        mock.patch.dict("os.environ", DUKA_ONLINE_PASSPHRASE=PASSPHRASE),
        mock.patch.object(rollout, "secrets", salt),
    ):
        fleet = Fleet.open(Shop.open(folder, signed / "repository"), signed / "keys", TERMINALS)
        fleet.give_keys("timestamp-1", "snapshot-1", "rollout-1")
        try:
            attack(fleet)
        except Gained as gained:
            return Played(name, str(gained), "")
        finally:
            fleet.told.close()
            fleet.shop.service.engine.dispose()
    return Played(name, "", (fleet.rulings() or ["no verdict"])[-1])
