"""Other keys for a channel, for `rollout`, for the top: terminals follow, the old sign nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from tests.update.world import NOW, World
from updater_server.channels import MissingSignatures, PolicyError
from updater_server.channels.policy import Policy


def fresh_for(role: str) -> list[CryptoSigner]:
    return [CryptoSigner.generate_ed25519() for _ in range(Policy().roles[role].key_count)]


def rotate(world: World, role: str) -> list[CryptoSigner]:
    """Replace a role's keys; from then on `world` signs with the new ones. Returns the old."""
    shown = world.repository.show()["roles"]
    old_ids = shown[f"{role}-stable" if role in ("rollout", "brake") else role]["keys"]
    old = [signer for signer in world.all_signers if signer.public_key.keyid in old_ids]
    new = fresh_for(role)
    everybody = [*new, *world.all_signers]
    world.repository.rotate({role: [signer.public_key for signer in new]}, everybody, NOW)
    world.repository.publish(everybody, NOW)
    world.all_signers = [signer for signer in everybody if signer not in old]
    return old


@pytest.mark.parametrize("role", [*Policy().roles])
def test_a_terminal_follows_to_new_keys_of_any_role(tmp_path: Path, role: str) -> None:
    world = World(tmp_path)
    world.run()
    rotate(world, role)
    assert world.repository.verify(NOW) == []
    world.run()
    world.publish(2)
    world.repository.set_rollout("stable", 2, 10_000, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.run()
    assert world.switched_to() == 2, world.logged
    assert not world.says("refused")


@pytest.mark.parametrize("role", ["stable", "rollout", "catalogue", "targets", "timestamp"])
def test_the_old_keys_sign_nothing_any_more(tmp_path: Path, role: str) -> None:
    world = World(tmp_path)
    old = rotate(world, role)
    new_ids = set()
    for name, shown in world.repository.show()["roles"].items():
        if name == role or (role == "rollout" and name.startswith("rollout-")):
            new_ids |= set(shown["keys"])
    with_old_only = [s for s in world.all_signers if s.public_key.keyid not in new_ids] + old
    world.all_signers, honest = with_old_only, world.all_signers
    with pytest.raises(MissingSignatures) as refused:
        world.publish(2)
        world.repository.set_rollout("stable", 2, 1, world.all_signers, NOW)
        rotate(world, "alpha")  # needs the keys of targets
        world.repository.set_catalogue(
            "other", world.repository.published.catalogue("default"), old, NOW
        )
        world.repository.publish(world.all_signers, NOW)
    assert any(name.startswith(role) for name in refused.value.missing)
    world.all_signers = honest


def test_a_rotation_can_be_signed_one_key_after_the_other(tmp_path: Path) -> None:
    world = World(tmp_path)
    new = fresh_for("root")
    staged = world.repository.rotate({"root": [signer.public_key for signer in new]}, (), NOW)
    assert [(change.role, change.missing) for change in staged] == [("root", 2)]
    for signer in (new[0], new[1]):
        world.repository.sign("root", [signer])
    with pytest.raises(MissingSignatures, match="root"):
        world.repository.publish(world.all_signers[6:], NOW)  # the new alone do not suffice
    world.repository.sign("root", world.all_signers)
    world.repository.publish(world.all_signers, NOW)
    world.all_signers = [*world.all_signers, *new]
    world.publish(2)
    world.run()
    assert world.switched_to() == 2, world.logged


def test_a_half_signed_change_does_not_hold_up_a_renewal(tmp_path: Path) -> None:
    world = World(tmp_path)
    new = fresh_for("root")
    world.repository.rotate({"root": [signer.public_key for signer in new]}, (), NOW)
    later = NOW + timedelta(days=20)
    world.repository.publish(world.all_signers, later, roles=())
    assert world.repository.show()["roles"]["root"]["version"] == 1
    assert [change.role for change in world.repository.staged()] == ["root"]


@pytest.mark.parametrize("role", ["root", "targets", "stable", "catalogue", "rollout-stable"])
def test_what_would_run_out_is_dated_anew_and_terminals_follow(tmp_path: Path, role: str) -> None:
    world = World(tmp_path)
    world.run()
    before = world.repository.published.expires(role)
    later = NOW + timedelta(days=100)
    world.repository.date_anew(role, world.all_signers, later)
    world.repository.publish(world.all_signers, later)
    assert world.repository.published.expires(role) - before >= 100 * 86400
    world.time_s = int(later.timestamp())
    world.run()
    assert not world.says("refused") and not world.says("expired"), world.logged


def test_keys_that_the_policy_does_not_know_or_count_are_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    one = [CryptoSigner.generate_ed25519().public_key]
    with pytest.raises(PolicyError, match="no role nightly"):
        world.repository.rotate({"nightly": one}, world.all_signers, NOW)
    with pytest.raises(PolicyError, match="3 different keys"):
        world.repository.rotate({"stable": one}, world.all_signers, NOW)
    assert world.repository.staged() == []
