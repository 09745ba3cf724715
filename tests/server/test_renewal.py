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
from updater_server.fleet import alarms
from updater_server.service import Service
from updater_server.store.engine import reading, writing

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
            assert found.published.expires(role) - clock.at > 7 * DAY_S, role
    after = versions(service)
    assert after["timestamp"] - before["timestamp"] <= 3 * 365 // 15 + 12, "airtime is the cost"
    assert after["stable"] == before["stable"] and after["root"] == before["root"]
    assert found.audit()
    own = ("timestamp", "snapshot", "rollout")
    assert not any(f"channels' {role}" in text for text in raised(service) for role in own)


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


def test_a_server_without_a_passphrase_says_which_setting_it_lacks(
    open_server: Callable[..., Service], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = open_server("timestamp")
    monkeypatch.delenv(renewal.PASSPHRASE, raising=False)
    renewal.renew(service)
    assert renewal.PASSPHRASE in raised(service)[0]
    assert "timestamp-1.pem does not open: no passphrase was given" in raised(service)[0]


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


@pytest.mark.parametrize("spoil", ["cut", "another passphrase"])
def test_a_key_that_does_not_open_holds_up_nothing_that_the_others_sign(
    open_server: Callable[..., Service],
    clock: Clock,
    spoil: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    key = service.folder.online_keys / "rollout-1.pem"
    if spoil == "cut":
        key.write_bytes(key.read_bytes()[:40])
    else:
        monkeypatch.setenv(f"{renewal.PASSPHRASE}_ROLLOUT_1", "open sesame")
    clock.at += 20 * DAY_S
    assert renewal.renew(service) == ["timestamp"]
    assert "rollout-1.pem" in raised(service)[0]
    assert len(raised(service)) == 1


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


def test_weeks_before_a_list_runs_out_somebody_is_told_and_told_again_when_it_is_near(
    open_server: Callable[..., Service], clock: Clock
) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    start = clock.at
    first: dict[str, dict[str, int]] = {}
    for day in range(0, 5 * 365 + 30, 5):
        clock.at = start + day * DAY_S
        renewal.renew(service)
        with reading(service.engine) as connection:
            for alarm in alarms.open_alarms(connection, limit=1000):
                role = alarm["text"].split()[2]
                first.setdefault(role, {}).setdefault(alarm["code"], day)
    for role, whole in {"stable": 365, "catalogue": 365, "targets": 3 * 365, "root": 1825}.items():
        told = first[role]
        assert told["expiry_soon"] < told["expiry_near"] < whole <= told["expired"] < whole + 6
        assert whole - told["expiry_soon"] >= 55, "weeks before"
        assert whole - told["expiry_near"] >= 10
    assert set(first) == {"ci", "alpha", "beta", "stable", "catalogue", "targets", "root"}


def test_an_alarm_of_expiry_closes_when_people_sign_and_stays_closed_when_they_close_it(
    open_server: Callable[..., Service], clock: Clock, signed: Path
) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    for _ in range(32):
        clock.at += 10 * DAY_S
        renewal.renew(service)
    told = raised(service)
    assert sum("catalogue" in text for text in told) == 1
    with writing(service.engine) as connection:
        for alarm in alarms.open_alarms(connection):
            if "catalogue" in alarm["text"]:
                alarms.close_alarm(connection, alarm["id"], clock.at)
    renewal.renew(service)
    assert not any("catalogue" in text for text in raised(service))
    repository = channels.Repository.open(service.folder.repository)
    now = datetime.fromtimestamp(clock.at, UTC)
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    repository.date_anew("stable", signers, now)
    repository.publish(signers, now)
    renewal.renew(service)
    assert not any("stable" in text for text in raised(service))
    assert any("beta" in text for text in raised(service))


def days_left(service: Service, real: int) -> list[int]:
    repository = channels.Repository.open(service.folder.repository)
    roles = ("timestamp", "snapshot", "rollout-stable")
    return [(repository.published.expires(role) - real) // DAY_S for role in roles]


def test_a_clock_a_year_ahead_signs_nothing_and_says_so(
    open_server: Callable[..., Service], clock: Clock
) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    real, before = clock.at, versions(service)
    for off in (365, 3650, -365):
        clock.at = real + off * DAY_S
        assert renewal.renew(service) == []
        assert versions(service) == before
    assert any("set it, or if it is right, publish by hand" in text for text in raised(service))
    clock.at = real
    renewal.renew(service)
    assert raised(service) == [], "it is right again"
    assert max(days_left(service, real)) <= 365


def test_what_was_signed_by_a_clock_that_ran_ahead_is_dated_back_when_it_is_right(
    open_server: Callable[..., Service], clock: Clock
) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    real = clock.at
    clock.at = real + 40 * DAY_S  # not so far that it could be told
    assert renewal.renew(service) == ["timestamp"]
    clock.at = real + 3600
    renewal.renew(service)
    assert days_left(service, real)[0] <= 30
    for off in (-40, 0, 16):
        clock.at = real + off * DAY_S
        renewal.renew(service)
    assert 25 < days_left(service, clock.at)[0] <= 30
    assert raised(service) == []


def test_a_person_publishes_when_the_server_rightly_doubted_the_clock(
    open_server: Callable[..., Service], clock: Clock, signed: Path
) -> None:
    service = open_server("timestamp", "snapshot", "rollout")
    repository = channels.Repository.open(service.folder.repository)
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    wrong = datetime.fromtimestamp(clock.at + 365 * DAY_S, UTC)
    repository.publish(signers, wrong)  # on a machine whose clock ran ahead
    assert renewal.renew(service) == []
    assert any("before the last signature" in text for text in raised(service))
    repository.publish(signers, datetime.fromtimestamp(clock.at, UTC))
    clock.at += 16 * DAY_S
    assert "timestamp" in renewal.renew(service)
    assert max(days_left(service, clock.at)) <= 365
    assert raised(service) == []
