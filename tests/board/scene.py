"""A fleet with a past, made at once: releases that went from channel to channel on given days, and
terminals that say what they run. For tests of the board, its pictures and its benchmark.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from securesystemslib.signer import Signer
from sqlalchemy import Connection, insert, select

from tests.server.shop import NOW, PASSPHRASE, Shop, a_release
from updater_server import channels
from updater_server.channels import CHANNELS, EVERYBODY, history
from updater_server.channels.rollout import RolloutPlan
from updater_server.channels.waves import reach
from updater_server.fleet import technicians
from updater_server.service import Service
from updater_server.store.engine import writing
from updater_server.store.tables import check_in, running_history, technician, terminal

HOUR_S, DAY_S = 3600, 86_400
SHARES = {"ci": 0.001, "alpha": 0.004, "beta": 0.095, "stable": 0.9}
_BATCH = 5_000


@dataclass
class Scene:
    """A shop whose repository has a history, and all of its keys."""

    shop: Shop
    repository: channels.Repository
    signers: Sequence[Signer]

    def publish(self, at: int) -> None:
        self.repository.publish(self.signers, _time(at))

    def put_on(self, release: int, channel: str, at: int) -> None:
        """List it there: built now, or the same bytes as on the channels before."""
        published = self.repository.published
        known = [e for name in CHANNELS for e in published.releases(name) if e.release == release]
        commit = hashlib.sha256(b"%d" % release).hexdigest()[:40]
        made = a_release(release, commit=commit, built=known[0].built if known else at - 900)
        payloads = channels.build_payloads(made.image)
        self.repository.add_release(channel, made.entry, payloads, self.signers, _time(at))
        self.publish(at)

    def let_out(
        self, release: int, channel: str, at: int, threshold: int = EVERYBODY, within: int = 0
    ) -> None:
        salt = hashlib.sha256(f"salt {release} {channel}".encode()).hexdigest()
        with patch("secrets.token_hex", lambda size: salt[: 2 * size]):
            self.repository.set_rollout(
                channel, release, threshold, self.signers, _time(at), within=within
            )
        self.publish(at)

    def halt(self, release: int, channel: str, at: int, by: str = "asha") -> None:
        self.repository.halt(channel, release, self.signers, _time(at), by)
        self.publish(at)

    def plan(self, channel: str) -> RolloutPlan:
        return self.repository.published.rollout(channel)


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def begin(folder: Path, signed: Path, url: str = "") -> Scene:
    """A shop with the keys of its channels beside it, and tokens of every role."""
    shop = Shop.open(folder, signed / "repository", url)
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    return Scene(shop, channels.Repository.open(shop.service.folder.repository), signers)


def again(folder: Path, signed: Path) -> Scene:
    """A folder that `begin` made, opened anew on a clock at `NOW`."""
    clock = [NOW]
    shop = Shop(folder, Service.open(folder, lambda: clock[0]), "", clock)
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    return Scene(shop, channels.Repository.open(shop.service.folder.repository), signers)


def give_online_keys(scene: Scene, signed: Path) -> None:
    """What the server needs to halt by itself (`DUKA_ONLINE_PASSPHRASE` is `PASSPHRASE`)."""
    folder = scene.shop.service.folder.online_keys
    folder.mkdir()
    for file in (signed / "keys").iterdir():
        if file.name.startswith(("timestamp-1", "snapshot-1", "rollout-1")):
            shutil.copy(file, folder / file.name)


def token(shop: Shop, role: str, name: str = "") -> str:
    """Of somebody new with this role."""
    with writing(shop.service.engine) as connection:
        return technicians.add(connection, name or role, role, "the office", NOW)


def two_weeks(scene: Scene, fleet: int, wave: int = 100) -> None:
    """Releases 20 to 29 on their ways: 23 and 26 went no further than alpha, 24 was halted on beta,
    28 is in a wave there (0: it is everybody's), and 29 came to ci today.
    """
    for release in range(20, 30):
        days_ago = {28: 1.5, 29: 0.3}.get(release, 13.5 - 1.5 * (release - 20))
        at = NOW - int(days_ago * DAY_S)
        for after_h, channel in ((0, "ci"), (3, "alpha"), (9, "beta"), (30, "stable")):
            if after_h * HOUR_S > NOW - at or (release in (23, 26) and channel == "beta"):
                break
            scene.put_on(release, channel, at + after_h * HOUR_S)
            out_at = at + after_h * HOUR_S + 600
            if wave and (release, channel) == (28, "beta"):
                reached = reach(wave, int(SHARES[channel] * fleet))
                scene.let_out(release, channel, out_at, *reached)
                break
            scene.let_out(release, channel, out_at)
            if (release, channel) == (24, "beta"):
                scene.halt(release, channel, out_at + 5 * HOUR_S)
                break


def settle(scene: Scene, fleet: int, seed: int = 1, bad: float = 0.03) -> None:
    """`fleet` terminals on the channels, each on what its channel let out, most of them heard; of
    those that took 28 a share is `bad` and came back.
    """
    with writing(scene.shop.service.engine) as connection:
        who = connection.scalar(select(technician.c.id))
        rows: list[tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]] = []
        outs = {channel: _outs(scene, channel) for channel in CHANNELS}
        for number in range(fleet):
            terminal_id = hashlib.sha256(b"fleet %d" % number).digest()[:8]
            drawn = random.Random(f"{seed} {number}")  # its own: what one does moves no other
            channel = drawn.choices(CHANNELS, [SHARES[name] for name in CHANNELS])[0]
            rows.append(_a_terminal(scene, terminal_id, channel, outs[channel], drawn, who, bad))
            if len(rows) == _BATCH or number == fleet - 1:
                _write(connection, rows)
                rows = []


def _outs(scene: Scene, channel: str) -> list[tuple[int, int]]:
    """(release, since when) of what was let out on a channel, in order."""
    told = history.History(scene.repository.directory)
    told.follow()
    found: dict[int, int] = {}
    for step in told.steps:
        if step.channel == channel and step.what == history.LET_OUT:
            found[step.release] = step.at
    return sorted(found.items())


def _a_terminal(
    scene: Scene,
    terminal_id: bytes,
    channel: str,
    outs: list[tuple[int, int]],
    drawn: random.Random,
    who: int | None,
    bad: float,
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    seen = NOW - int(drawn.expovariate(1 / 3000))
    if drawn.random() < 0.01:
        seen = NOW - 3 * DAY_S
    plan = scene.plan(channel)
    base = {"terminal_id": terminal_id, "slot": "a", "channel": channel}
    base |= {"catalogue": "catalogue/default.json"}
    lines: list[dict[str, Any]] = []
    release, failed = 19, None
    lines.append({**base, "at": NOW - 30 * DAY_S, "release": 19, "trial": False})
    for number, since in outs:
        at = since + int(drawn.expovariate(1 / (5 * HOUR_S)))
        if at > seen or (release < number and not _takes(plan, number, terminal_id)):
            continue
        if number == 28 and drawn.random() < bad:
            failed = (number, "self-test: no printer", at)
            continue
        lines.append({**base, "at": at, "release": number, "trial": False})
        lines[-1] |= {"release_before": release, "heard_at": at - 4000}
        release = number
    report = {
        **base, "at": seen, "terminal_time": seen, "release": release, "trial": False,
        "boot_count": 3, "battery_mv": 3900, "signal": 20, "own_float_minor": 0,
        "journal_oldest": 1, "journal_next": 1, "mismatches": 0,
    }  # fmt: skip
    if failed:
        report |= {"failure_release": failed[0], "failure_reason": failed[1]}
        report |= {"failure_at": failed[2]}
    row = {
        "id": terminal_id, "key_sealed": b"none", "hardware_class": "duka-r1",
        "hardware_revision": 1, "channel": channel, "catalogue": "catalogue/default.json",
        "enrolled_at": NOW - 30 * DAY_S, "enrolled_by": who, "initial_float_minor": 0,
        "blocked": False, "last_counter": 1, "last_seen_at": seen, "acknowledged_through": 0,
    }  # fmt: skip
    return row, report, lines


def _takes(plan: RolloutPlan, release: int, terminal_id: bytes) -> bool:
    """By the plan of today; what left the plan was everybody's once."""
    return str(release) not in plan.releases or plan.allows(release, terminal_id)


def _write(connection: Connection, rows: list[Any]) -> None:
    connection.execute(insert(terminal), [row for row, _, _ in rows])
    names = {name for _, report, _ in rows for name in report}
    connection.execute(insert(check_in), [dict.fromkeys(names) | report for _, report, _ in rows])
    lines = [line for _, _, several in rows for line in several]
    names = {name for line in lines for name in line}
    connection.execute(insert(running_history), [dict.fromkeys(names) | line for line in lines])
