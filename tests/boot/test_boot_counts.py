"""No boot count comes again, whatever becomes of the boot records: random losses, many lives."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bootloader import boot, identity, images
from bootloader.recovery.holdings import Holdings
from bootloader.shared import partitions
from bootloader.shared.control import ControlBlock
from hw_sim.flash import NorFlash, PowerCut
from tests.boot.conftest import image_terms

CHIP = b"chip"
PAGE, PAGES = 256, 32


class Life:
    """Control and identity of one terminal, whose image is always whole."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(images, "is_intact", lambda partition, slot: True)
        self.flash = NorFlash(None)
        table = partitions.table(self.flash)
        self.board: Any = SimpleNamespace(
            partitions=table, unique_id=lambda: CHIP, data_vfs=lambda fresh: None
        )
        self.who = identity.Identity(b"terminal", bytes(range(32)), "duka-r1", 1, CHIP)
        identity.store(table["identity"], self.who)
        identity.seal(table["identity"])
        self.used: list[int] = []
        self.at = table["control"].offset

    def block(self) -> Any:
        return ControlBlock(self.board.partitions["control"], self.who.control_key(CHIP))

    def power_on(self) -> None:
        """A start: with no record at all, recovery begins them anew and takes the image back."""
        block = self.block()
        slot, _ = boot.choose(self.board, block, "power-on", False)
        if slot is None:
            mending = Holdings(self.board, self.who, block)
            mending.open_control()
            if not mending.control.state.active:
                mending.control.adopt("a", *image_terms())
                mending.control.confirm()
            slot, _ = boot.choose(self.board, block, "power-on", False)
        assert slot == "a"
        self.used.append(block.state.boot_count)

    def pages(self) -> list[int]:
        return [self.at + PAGE * n for n in range(PAGES)]


def newest(life: Life) -> list[int]:
    """The place of the newest record, and the ones before it."""
    block = life.block()
    block.load()
    index = block._newest_page
    return [life.at + PAGE * n for n in range(index, index // 16 * 16 - 1, -1)]


def bit(life: Life, chance: random.Random) -> None:
    cell = newest(life)[0] + chance.randrange(PAGE)
    life.flash.damage(cell, bytes([life.flash.read(cell, 1)[0] ^ 1 << chance.randrange(8)]))


def page(life: Life, chance: random.Random) -> None:
    for at in newest(life)[: chance.randint(1, 4)]:
        life.flash.damage(at, chance.choice((b"\0", b"\xff", b"\x5a")) * PAGE)


def any_pages(life: Life, chance: random.Random) -> None:
    for at in chance.sample(life.pages(), chance.randint(1, 12)):
        life.flash.damage(at, chance.choice((b"\0" * PAGE, b"\xff" * PAGE, chance.randbytes(PAGE))))


def sector(life: Life, chance: random.Random) -> None:
    life.flash.damage(life.at + 4096 * chance.randrange(2), chance.choice((b"\0", b"\xff")) * 4096)


def both_sectors(life: Life, chance: random.Random) -> None:
    life.flash.damage(life.at, chance.choice((b"\0", b"\xff")) * 8192)


def cut(life: Life, chance: random.Random) -> None:
    how: Any = chance.choice(("before", "torn", "after"))
    life.flash.cut_power_at(life.flash.operations + chance.randint(1, 3), how)
    try:
        life.power_on()
        life.flash.cancel_cut()
    except PowerCut:
        life.flash.power_cycle()


LOSSES = (bit, page, any_pages, sector, both_sectors, cut)


def _live(monkeypatch: pytest.MonkeyPatch, seed: int, losses: Any = LOSSES) -> list[int]:
    chance = random.Random(seed)
    life = Life(monkeypatch)
    for _ in range(60):
        for _ in range(chance.randint(1, 5)):
            life.power_on()
        chance.choice(losses)(life, chance)
    return life.used


@pytest.mark.parametrize("seed", range(12))
def test_no_boot_count_comes_again_whatever_record_is_lost(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    used = _live(monkeypatch, seed)
    assert used == sorted(set(used))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: str(loss.__name__))
def test_nor_when_the_same_is_lost_again_and_again(
    monkeypatch: pytest.MonkeyPatch, loss: Callable[..., None]
) -> None:
    used = _live(monkeypatch, 1, (loss,))
    assert used == sorted(set(used))


def test_the_losses_would_show_that_a_count_rests_on_its_record_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boot, "_count_above", lambda board, state: None)
    caught = 0
    for seed in range(6):
        used = _live(monkeypatch, seed)
        caught += used != sorted(set(used))
    assert caught == 6


def test_when_all_marks_are_used_up_it_still_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(monkeypatch)
    for _ in range(5):
        life.power_on()
    for _ in range(254):
        identity.add_era(life.board.partitions["identity"])
    life.flash.damage(newest(life)[0], bytes(PAGE))
    life.power_on()
    assert len(life.used) == 6
