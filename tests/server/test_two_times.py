"""What a terminal ran is known as it was, and as it was known then; and who ever ran what."""

from __future__ import annotations

import random
import shutil

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from tests.server import engines
from tests.server.conftest import Office
from tests.server.device import Device
from tests.server.shop import NOW, Shop
from tests.server.test_channels import add
from updater_server.__main__ import cli
from updater_server.fleet import as_of as knowledge
from updater_server.fleet.as_of import AsOf
from updater_server.store.engine import reading

ON_BOTH_ENGINES = True
BOOT, OFFLINE, STOCK = 1, 2, 9


def asked(shop: Shop, device: Device, when: int, known_at: int | None = None) -> AsOf:
    with reading(shop.service.engine) as connection:
        at = shop.clock[0] if known_at is None else known_at
        return knowledge.as_of(connection, device.terminal_id, when, at)


def at(shop: Shop, after_s: int) -> None:
    shop.clock[0] = NOW + after_s


def test_between_two_reports_that_differ_both_are_possible_and_before_the_last_only_one(
    shop: Shop,
) -> None:
    device = shop.enrol()
    device.check_in(_2=7)
    at(shop, 100)
    device.check_in(_2=7)
    at(shop, 900)
    device.check_in(_2=8, _3="b")
    early, late = asked(shop, device, NOW + 50), asked(shop, device, NOW + 500)
    assert early.was and early.was.release == 7
    assert early.is_certain and early.told_again == NOW + 100
    assert late.was and late.was.release == 7
    assert late.by and (late.by.release, late.by.heard_at) == (8, NOW + 100)
    assert not late.is_certain
    assert asked(shop, device, NOW - 1).was is None
    last = asked(shop, device, NOW + 900)
    assert last.was and last.was.release == 8 and last.is_certain


def test_what_came_in_later_does_not_change_what_was_known_then(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_2=7)
    answers = {}
    steps = random.Random(3)
    for n in range(1, 30):
        at(shop, 100 * n)
        if steps.random() < 0.6:
            device.check_in(_2=steps.choice([7, 8, 9]), _3=steps.choice("ab"))
        for when in range(NOW, NOW + 100 * n + 1, 50):
            answers[when, shop.clock[0]] = asked(shop, device, when).was
    for (when, known_at), was in answers.items():
        assert asked(shop, device, when, known_at).was == was


def test_a_terminal_to_which_nothing_happens_writes_no_history(shop: Shop) -> None:
    device = shop.enrol()
    for n in range(5):
        at(shop, 3600 * n)
        device.check_in(_5=n + 1, _6=3900 - n, _10=[1, 1])
    assert shop.sql("SELECT COUNT(*) FROM running_history") == [(1,)]
    # it moves to another channel: what it is to run is part of what is known
    with engines.as_owner(shop.folder) as connection:
        connection.execute(text("UPDATE terminal SET channel = 'beta'"))
    device.check_in()
    rows = shop.sql("SELECT channel, release_before, heard_at FROM running_history ORDER BY id")
    assert rows == [("stable", None, None), ("beta", 7, NOW + 4 * 3600)]


def test_a_terminal_that_came_back_from_a_release_ran_it_and_one_that_passed_it_over_did_not(
    shop: Shop,
) -> None:
    holds, returned, refused, other = (shop.enrol(n) for n in (1, 2, 3, 4))
    holds.check_in(_2=9)
    returned.check_in(_2=7, _8=[9, "self-test: no printer"])
    refused.check_in(_2=7, _8=[9, "hardware_revision"])
    other.check_in(_2=7)
    with reading(shop.service.engine) as connection:
        found = {item.terminal_id: item.failed for item in knowledge.ever_ran(connection, [9])}
    assert found == {holds.terminal_id: False, returned.terminal_id: True}


@pytest.mark.parametrize(
    "statement", ["UPDATE running_history SET release = 1", "DELETE FROM running_history"]
)
def test_nobody_changes_what_a_terminal_said(shop: Shop, statement: str) -> None:
    shop.enrol().check_in()
    with pytest.raises(DBAPIError, match="append-only"), engines.as_owner(shop.folder) as raw:
        raw.execute(text(statement))


def test_the_journal_tells_what_ran_when_a_sale_was_made_once_it_is_here(shop: Shop) -> None:
    shop.stock_vault()
    device = shop.enrol()
    device.check_in(own_float=100_000)
    batch = shop.assign(device)
    device.ask({0: 4, 1: batch})
    device.record(BOOT, [1, 7, "power-on"], NOW + 10)
    device.record(STOCK, [batch, 3], NOW + 20)
    device.upload()
    sold_at = NOW + 400
    device.record(BOOT, [2, 8, "soft"], NOW + 300)
    sale = device.record(OFFLINE, ["air50", 5000, 250, batch, 0], sold_at)
    at(shop, 9000)
    device.upload(first=3)
    at(shop, 9100)
    device.check_in(_2=8)
    with reading(shop.service.engine) as connection:
        when, clock = knowledge.time_of_sale(connection, device.terminal_id, sale)
        assert (when, clock.split(",")[0]) == (sold_at, "sold from stock")
        boot = knowledge.boot_before(connection, device.terminal_id, sale, shop.clock[0])
        assert boot and (boot.release, boot.received_at) == (8, NOW + 9000)
        then = knowledge.boot_before(connection, device.terminal_id, sale, sold_at)
        assert then and then.release == 7, "the second start was not known then"
        by_clock = knowledge.boot_at(connection, device.terminal_id, sold_at, shop.clock[0])
        assert by_clock == boot
    report = asked(shop, device, sold_at)
    assert report.was and report.was.release == 7 and report.by and report.by.release == 8


def said(shop: Shop, *arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "160"}).invoke(
        cli, ["fleet", *arguments, "--data", str(shop.folder)]
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_says_release_commit_image_and_who_let_it_out_in_both_times(
    shop: Shop, office: Office
) -> None:
    repository, signers = office
    entry = add(repository, signers, 7, "stable")
    repository.set_rollout("stable", 7, 10_000, signers)
    repository.publish(signers)
    shutil.rmtree(shop.service.folder.repository)
    shutil.copytree(repository.directory, shop.service.folder.repository)
    device = shop.enrol()
    device.check_in(_2=6)
    at(shop, 600)
    device.check_in(_2=7, _3="b")
    name = device.terminal_id.hex()
    text_of = said(shop, "as-of", name, str(NOW + 700), "--known", str(NOW + 700))
    assert "release 7, slot b" in text_of
    assert f"commit {entry.commit}" in text_of and entry.image.sha256 in text_of
    both = said(shop, "as-of", name, str(NOW + 300))
    was, then = both.split("as it was known then:")
    assert "or already release 7, slot b" in was and "release 6, slot a" in was
    assert "release 6, slot a" in then and "release 7" not in then
    assert "no channel ever listed release 6" in then
    assert name in said(shop, "ran", entry.commit)
    assert "0 terminals" in said(shop, "ran", "5")
