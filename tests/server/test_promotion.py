"""From channel to channel: the same image, deltas for where it goes, and nothing that is halted."""

from __future__ import annotations

import hashlib
import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest

from bootloader.shared import partitions
from tests.server.conftest import Office
from tests.server.shop import a_release
from tests.server.test_channels import add
from updater_server import channels
from updater_server.channels import CHANNELS, EVERYBODY, verdicts
from updater_server.channels.layouts import layout_of


def let_out(office: Office, number: int, channel: str, threshold: int = EVERYBODY) -> None:
    """In force: `channel` lets so many of 10,000 have the release."""
    repository, signers = office
    repository.set_rollout(channel, number, threshold, signers)
    repository.publish(signers)


def promote(office: Office, number: int, through: str = "stable") -> channels.ReleaseEntry:
    """From `ci`, where it is listed, up to `through`."""
    repository, signers = office
    for before, after in itertools.pairwise(CHANNELS):
        let_out(office, number, before)
        entry = repository.promote(before, after, number, "duka-r1", signers)
        repository.publish(signers)
        if after == through:
            break
    return entry


def test_a_promoted_release_carries_deltas_from_what_runs_where_it_goes(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 10, "stable")
    for number in (11, 12, 13, 14):  # `ci` sees more releases than `stable`
        add(repository, signers, number, "ci")
        repository.publish(signers)
    entry = promote(office, 14)
    paths = [payload.path for payload in entry.payloads]
    assert paths == ["stable/duka-r1/14.full", "stable/duka-r1/14-from-10.delta"]
    full = repository.published.target_bytes("stable/duka-r1/14.full")
    assert full == repository.published.target_bytes("ci/duka-r1/14.full")
    delta = repository.published.target_bytes("stable/duka-r1/14-from-10.delta")
    assert len(delta) * 4 < len(full)
    image = channels.expand(channels.Payload("delta", delta, 10), a_release(10).image)
    assert hashlib.sha256(image).hexdigest() == entry.image.sha256
    assert repository.verify() == []


def test_while_a_robot_finds_something_broken_nothing_goes_on(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 7, "ci")
    repository.publish(signers)
    let_out(office, 7, "ci")
    verdicts.write_probes(repository.directory, ["savanna: buy: no answer"])
    with pytest.raises(channels.PromotionRefused, match="probes red: savanna: buy: no answer"):
        repository.promote("ci", "alpha", 7, "duka-r1", signers)
    verdicts.write_probes(repository.directory, [])
    repository.promote("ci", "alpha", 7, "duka-r1", signers)


@pytest.mark.parametrize("where", ["ci", "alpha", "beta"])
def test_what_is_halted_on_any_channel_before_goes_no_further(office: Office, where: str) -> None:
    repository, signers = office
    add(repository, signers, 7, "ci")
    repository.publish(signers)
    promote(office, 7, "beta")
    let_out(office, 7, "beta")
    repository.halt(where, 7, signers)
    with pytest.raises(channels.ReleaseRefused, match=f"halted on {where}"):
        repository.promote("beta", "stable", 7, "duka-r1", signers)
    repository.publish(signers)
    with pytest.raises(channels.ReleaseRefused, match=f"halted on {where}"):
        repository.promote("beta", "stable", 7, "duka-r1", signers)
    with pytest.raises(channels.ReleaseRefused, match=f"halted on {where}"):
        add(repository, signers, 7, "stable")
    repository.resume(where, 7, signers)
    repository.publish(signers)
    repository.promote("beta", "stable", 7, "duka-r1", signers)


def test_what_no_terminal_has_room_for_is_not_listed(office: Office) -> None:
    repository, signers = office
    layout = layout_of("duka-r1")
    table = partitions.DUKA_R1
    assert layout.slot_bytes == table["slot_a"][1] == table["slot_b"][1]
    assert layout.payload_limit_bytes == table["download"][1] - partitions.SECTOR_BYTES
    image = random.Random(1).randbytes(layout.payload_limit_bytes - 100)  # fits a slot, unpacked
    entry = a_release(7, image=channels.Image(len(image), hashlib.sha256(image).hexdigest())).entry
    payloads = channels.build_payloads(image)
    assert len(payloads[0].data) > layout.payload_limit_bytes
    with pytest.raises(channels.ReleaseRefused, match="download partition"):
        repository.add_release("ci", entry, payloads, signers)
    assert repository.staged() == []


def test_a_list_that_has_run_out_promotes_nothing(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 7, "ci")
    repository.publish(signers)
    late = datetime.now(UTC) + timedelta(days=366)
    with pytest.raises(channels.ReleaseRefused, match="no longer in force"):
        repository.promote("ci", "alpha", 7, "duka-r1", signers, late)


def test_a_promoted_release_is_for_nobody_until_a_wave_lets_it_out(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 7, "ci")
    repository.set_rollout("ci", 7, EVERYBODY, signers)
    repository.publish(signers)
    promote(office, 7, "alpha")
    assert repository.published.rollout("ci").allows(7, bytes(8))
    assert not repository.published.rollout("alpha").allows(7, bytes(8))
    assert not repository.is_let_out("alpha", 7)
    repository.set_rollout("alpha", 7, EVERYBODY, signers)
    assert repository.is_let_out("alpha", 7)


def refused(office: Office, guard: str, *way: str) -> str:
    """The text with which a guard of that name refuses to promote release 7."""
    repository, signers = office
    from_channel, to_channel = way or ("beta", "stable")
    with pytest.raises(channels.PromotionRefused) as caught:
        repository.promote(from_channel, to_channel, 7, "duka-r1", signers)
    assert caught.value.guard == guard
    assert str(caught.value).startswith(guard)
    assert repository.staged() == []
    return str(caught.value)


def test_what_not_everybody_on_the_channel_has_goes_no_further(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 7, "ci")
    repository.publish(signers)
    assert "for nobody" in refused(office, "wave not complete", "ci", "alpha")
    promote(office, 7, "beta")
    let_out(office, 7, "beta", EVERYBODY - 1)
    assert "for 99.99 %" in refused(office, "wave not complete")
    repository.set_rollout("beta", 7, EVERYBODY, signers)
    with pytest.raises(channels.PromotionRefused, match="wave not complete"):
        repository.promote("beta", "stable", 7, "duka-r1", signers)  # staged is not in force
    repository.publish(signers)
    repository.promote("beta", "stable", 7, "duka-r1", signers)


def test_each_other_guard_refuses_by_its_name(office: Office) -> None:
    repository, signers = office
    add(repository, signers, 7, "ci")
    repository.publish(signers)
    promote(office, 7, "beta")
    let_out(office, 7, "beta")
    refused(office, "not next", "alpha", "stable")
    repository.halt("alpha", 7, signers)
    repository.publish(signers)
    refused(office, "halted")


def test_what_a_plan_still_names_from_before_is_not_let_out_by_being_listed_again(
    office: Office,
) -> None:
    repository, signers = office
    add(repository, signers, 7, "ci")
    repository.publish(signers)
    promote(office, 7)
    let_out(office, 7, "stable")
    let_out(office, 7, "beta")
    repository.unlist("stable", 7, "duka-r1", signers)
    repository.publish(signers)
    assert repository.published.rollout("stable").allows(7, bytes(8))
    assert "rollout set 7 0" in refused(office, "let out already")
    with pytest.raises(channels.ReleaseRefused, match="lists no release 7"):
        repository.set_rollout("stable", 7, 10, signers)
    let_out(office, 7, "stable", 0)
    assert "7" not in repository.published.rollout("stable").releases
    repository.promote("beta", "stable", 7, "duka-r1", signers)
    repository.publish(signers)
    assert not repository.published.rollout("stable").allows(7, bytes(8))
