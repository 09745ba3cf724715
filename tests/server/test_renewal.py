"""The channels are kept fresh by the server's own keys, with nobody looking."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.server.shop import PASSPHRASE, a_release
from tests.server.test_server_process import Process
from tests.support.world import eventually
from updater_server import channels, renewal
from updater_server.database import reading
from updater_server.fleet import alarms
from updater_server.service import Service

DAY_S = 86400


class Clock:
    """Time that a test turns."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock(int(datetime.now(UTC).timestamp()))


@pytest.fixture
def open_server(
    tmp_path: Path, signed: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Service]:
    def make(*keys: str) -> Service:
        folder = tmp_path / "data"
        Process(folder).quick("init")
        shutil.copytree(signed / "repository", folder / "repository")
        for key in keys:
            (folder / "online-keys").mkdir(exist_ok=True)
            for file in (signed / "keys").glob(f"{key}-1.*"):
                shutil.copy(file, folder / "online-keys")
        monkeypatch.setenv(renewal.PASSPHRASE, PASSPHRASE)
        return Service.open(folder, clock)

    return make


def versions(service: Service) -> dict[str, int]:
    repository = channels.Repository.open(service.folder.repository)
    return {role: shown["version"] for role, shown in repository.show()["roles"].items()}


def raised(service: Service) -> list[str]:
    with reading(service.engine) as connection:
        return [alarm["text"] for alarm in alarms.open_alarms(connection)]


def test_for_three_years_nothing_that_the_server_signs_runs_out(
    open_server: Callable[..., Service], clock: Clock
) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    before = versions(service)
    for _ in range(3 * 365 // 10):
        clock.at += 10 * DAY_S
        renewal.renew(service)
        found = channels.Repository.open(service.folder.repository)
        for role in ("timestamp", "snapshot", "rollout-stable", "rollout-ci"):
            assert found.expires(role) - clock.at > 7 * DAY_S, role
    after = versions(service)
    assert after["timestamp"] - before["timestamp"] <= 3 * 365 // 15 + 12, "airtime is the cost"
    assert after["stable"] == before["stable"] and after["root"] == before["root"]
    assert raised(service) == []
    assert found.audit()


def test_while_nothing_is_due_nothing_is_signed(open_server: Callable[..., Service]) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    before = versions(service)
    assert renewal.renew(service) == []
    assert versions(service) == before


def test_what_people_have_staged_stays_staged(
    open_server: Callable[..., Service], clock: Clock
) -> None:
    service = open_server("timestamp", "snapshot")
    release = a_release(9)
    repository = channels.Repository.open(service.folder.repository)
    repository.add_release("stable", release.entry, channels.build_payloads(release.image))
    clock.at += 20 * DAY_S
    assert renewal.renew(service) == ["timestamp"]
    assert [change.role for change in repository.staged()] == ["stable"]


@pytest.mark.parametrize("fault", ["no keys", "wrong passphrase", "one key", "another key"])
def test_who_cannot_renew_says_so_once_and_in_time(
    open_server: Callable[..., Service],
    clock: Clock,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    signed: Path,
) -> None:
    keys = {"no keys": [], "one key": ["snapshot"]}.get(fault, ["timestamp", "snapshot"])
    service = open_server(*keys)
    if fault == "wrong passphrase":
        monkeypatch.setenv(renewal.PASSPHRASE, "open sesame")
    if fault == "another key":
        for file in (signed / "keys").glob("ci-1.*"):
            shutil.copy(file, service.folder.online_keys / f"timestamp-1{file.suffix}")
    clock.at += 24 * DAY_S
    for _ in range(3):
        assert renewal.renew(service) == []
        clock.at += 3600
    assert len(raised(service)) == 1
    assert ("runs out in" if fault == "no keys" else "cannot be renewed") in raised(service)[0]


def test_the_process_renews_when_it_starts(open_server: Callable[..., Service]) -> None:
    service = open_server("timestamp", "snapshot")
    repository = channels.Repository.open(service.folder.repository)
    long_ago = datetime.fromtimestamp(service.now() - 20 * DAY_S, UTC)
    signers = channels.keys.load_all(service.folder.online_keys, PASSPHRASE)
    repository.publish(signers, long_ago, roles=())
    version = versions(service)["timestamp"]
    server = Process(service.folder.path)
    server.start()
    try:

        def served() -> int:
            answer = httpx.get(f"{server.url}/tuf/metadata/timestamp.json")
            return int(answer.json()["signed"]["version"])

        eventually(lambda: served() == version + 1, 30, "a fresh timestamp")
    finally:
        server.end()
