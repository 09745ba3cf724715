"""The worker's job as a process: what was told is taken in, what is wrong is told, and a killed one
leaves nothing undone.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import cbor2

from tests.server.shop import NOW, Shop
from tests.server.test_channels import add
from tests.telemetry.fleet import Fleet
from updater_server.telemetry import spool
from updater_server.telemetry.store import Told
from updater_server.waves.worker import DAMAGED, KEPT_DAYS, REFUSED, STRANGE, Intake

HOUR_S = 3600


def a_window(release: int = 7) -> bytes:
    return cbor2.dumps([release, 0, NOW - HOUR_S, HOUR_S, {1: 3, 2: 3}], canonical=True)


def intake_of(shop: Shop) -> Intake:
    return Intake(shop.service, Told(shop.service.engine, shop.service.folder.telemetry))


def test_the_worker_is_a_process_that_takes_in_what_was_told_and_ends_when_it_is_told(
    shop: Shop,
) -> None:
    folder = shop.service.folder
    shop.service.spool.add(spool.WINDOWS, b"12345678", a_window())
    command = [sys.executable, "-m", "updater_server", "worker", "--only", "telemetry"]
    working = subprocess.Popen(
        [*command, "--data", str(folder.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert working.stdout and working.stdout.readline() == b"working\n"
        deadline = time.monotonic() + 60
        while list(folder.telemetry.glob("taken-*")) or (folder.telemetry / "spool").exists():
            assert time.monotonic() < deadline, "nothing was taken in"
            time.sleep(0.1)
    finally:
        working.terminate()
        _, said = working.communicate(timeout=60)
    assert working.returncode == 0, said
    told = Told(shop.service.engine, folder.telemetry)
    rows = [row for _, row in told.rows([b"12345678"], 0, int(time.time()) + HOUR_S)]
    assert [(row.release, row.heard_s, row.told) for row in rows] == [(7, NOW, a_window())]


def test_what_is_wrong_is_told_once_a_kind(shop: Shop, signed: Path) -> None:
    fleet = Fleet(shop, signed / "keys", [], chance=None)  # type: ignore[arg-type]
    repository, signers = fleet.office()
    add(repository, signers, 7)
    repository.publish(signers)
    intake = intake_of(shop)
    for number in range(50):
        shop.service.spool.add(spool.WINDOWS, bytes([number]) * 8, a_window())
        shop.service.spool.add(spool.WINDOWS, bytes([number]) * 8, b"\xff")
    taken = intake.take()
    assert (taken.rows, taken.refused["not_cbor"]) == (50, 50)
    assert shop.alarms() == [REFUSED]
    shop.service.spool.add(spool.WINDOWS, bytes(8), a_window(release=99))
    intake.take()
    assert shop.alarms() == [REFUSED, STRANGE]
    shop.service.spool.add(spool.WINDOWS, bytes(8), a_window())
    (path,) = shop.service.spool.take()
    path.write_bytes(path.read_bytes()[:-1])
    intake.take()
    assert shop.alarms() == [REFUSED, DAMAGED, STRANGE]


def test_days_are_given_up_when_they_are_old(shop: Shop) -> None:
    told = Told(shop.service.engine, shop.service.folder.telemetry)
    intake = Intake(shop.service, told)
    for day in range(KEPT_DAYS + 5):
        shop.clock[0] = NOW + day * 86400
        shop.service.spool.add(spool.RESTART, bytes(8), b"\0\0\0\7")
        intake.take()
    assert len(told.days()) == KEPT_DAYS + 1
