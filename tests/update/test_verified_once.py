"""A signature is checked once: what was found good is noted, and only the terminal can note it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared import tuf, tuf_signed
from bootloader.shared.crypto import signatures
from bootloader.shared.hashes import hmac_sha256
from tests.update.world import NOTE_KEY, NOW, World, catalogue
from updater_server.channels.policy import Policy


class Checks:
    """Counts the signatures that are really checked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        check = signatures.verify_signature

        def counted(key: Any, signature: bytes, data: bytes) -> bool:
            self.count += 1
            good: bool = check(key, signature, data)
            return good

        monkeypatch.setattr(signatures, "verify_signature", counted)

    def of(self, world: World) -> int:
        """How many it takes a terminal that was just switched on to look at what is there."""
        self.count = 0
        (world.data / "update.json").unlink(missing_ok=True)  # it asks as if it never had
        world.reboot()
        world.logged.clear()
        world.run()
        assert world.says("timestamp "), world.logged
        return self.count


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    return Checks(monkeypatch)


def thresholds(*roles: str) -> int:
    return sum(Policy().roles[role].threshold for role in roles)


def test_what_was_verified_once_is_not_verified_after_power_off(
    world: World, checks: Checks
) -> None:
    everything = thresholds("root", "timestamp", "snapshot", "targets", "stable", "catalogue")
    assert checks.of(world) >= everything
    assert checks.of(world) == 0


def test_of_a_new_release_only_what_is_new_is_verified(world: World, checks: Checks) -> None:
    checks.of(world)
    world.publish(2)
    assert checks.of(world) == thresholds("timestamp", "snapshot", "stable", "rollout")
    assert world.resets == 1, "and it was taken"


def test_a_note_that_someone_else_wrote_is_worth_nothing(world: World, checks: Checks) -> None:
    everything = checks.of(world)
    note = world.data / "verified"
    digests = note.read_bytes()[32:]
    for forged in (
        bytes(32) + digests,
        hashlib.sha256(digests).digest() + digests,
        hmac_sha256(NOTE_KEY[::-1], digests) + digests,
        note.read_bytes()[:-1],
        note.read_bytes()[:-32],
        b"",
        b"x" * 4096,
    ):
        note.write_bytes(forged)
        assert checks.of(world) == everything, forged[:8]
        assert checks.of(world) == 0, "the terminal's own note again"


def test_a_changed_file_is_not_the_one_that_was_noted(world: World, checks: Checks) -> None:
    checks.of(world)
    root = world.data / "trust" / "root.json"
    good = root.read_bytes()
    root.write_bytes(good.replace(b'"threshold":2', b'"threshold":1'))
    assert root.read_bytes() != good
    checks.count = 0
    (world.data / "update.json").unlink()
    world.reboot()
    world.run()
    assert world.says("metadata refused: root: "), world.logged
    assert checks.count > 0


def test_what_lost_keys_signed_is_not_known_under_new_ones(world: World) -> None:
    noted: list[bytes] = []
    root, timestamp = (
        (world.folder / "site/metadata" / name).read_bytes()
        for name in ("1.root.json", "timestamp.json")
    )
    first = tuf.TrustedMetadata(root, 0, known=noted)
    first.update_timestamp(timestamp)
    assert len(noted) == 2
    rotated = tuf.TrustedMetadata(root, 0, known=noted)
    stranger = ("ed25519", bytes(32))
    rotated._keys = dict.fromkeys(rotated._keys, stranger)
    with pytest.raises(tuf.NotSigned):
        rotated.update_timestamp(timestamp)


def test_a_note_keeps_no_more_than_one_refresh_needs(world: World, checks: Checks) -> None:
    checks.of(world)
    for version in range(2, 8):
        world.repository.set_catalogue("default", catalogue(version), world.all_signers, NOW)
        world.repository.publish(world.all_signers, NOW)
        assert checks.of(world) == thresholds("timestamp", "snapshot", "catalogue")
        size = (world.data / "verified").stat().st_size
        assert size <= 32 * (1 + tuf_signed.KNOWN_FILES)
    assert checks.of(world) == 0
