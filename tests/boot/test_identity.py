"""The identity partition: one terminal, one chip, one key, told once."""

from __future__ import annotations

import hashlib
from typing import Any

import cbor2
import pytest

from bootloader import identity
from bootloader.shared import partitions
from hw_sim.flash import NorFlash, PowerCut

CHIP = b"chip-one"


@pytest.fixture
def partition(flash: NorFlash) -> Any:
    return partitions.table(flash)["identity"]


def make(**fields: Any) -> Any:
    values = {
        "terminal_id": bytes(range(8)),
        "device_key": bytes(range(32)),
        "hardware_class": "duka-r1",
        "hardware_revision": 1,
        "chip_id": CHIP,
    }
    return identity.Identity(**{**values, **fields})


def test_a_blank_board_has_no_identity(partition: Any) -> None:
    assert identity.load(partition, CHIP) is None


def test_an_identity_is_read_back_as_it_was_written(partition: Any) -> None:
    identity.store(partition, make())
    assert vars(identity.load(partition, CHIP)) == vars(make())
    raw = bytes(partition.read(0, 256))
    length = int.from_bytes(raw[4:6], "little")
    assert raw[:4] == b"DKID"
    assert raw[6 + length : 38 + length] == hashlib.sha256(raw[: 6 + length]).digest()


@pytest.mark.parametrize("sector", [0, 4096])
def test_one_spoiled_copy_does_no_harm(partition: Any, flash: NorFlash, sector: int) -> None:
    identity.store(partition, make())
    flash.damage(partition.offset + sector + 20, b"\0\0")
    assert identity.load(partition, CHIP).terminal_id == bytes(range(8))


def test_two_spoiled_copies_are_damage_and_not_a_blank_board(
    partition: Any, flash: NorFlash
) -> None:
    identity.store(partition, make())
    for sector in (0, 4096):
        flash.damage(partition.offset + sector + 20, b"\0\0")
    with pytest.raises(identity.IdentityError, match="damaged"):
        identity.load(partition, CHIP)
    assert not identity.is_blank(partition)


def test_a_copied_flash_on_another_chip_is_refused(partition: Any) -> None:
    identity.store(partition, make())
    with pytest.raises(identity.ForeignIdentityError):
        identity.load(partition, b"chip-two")


def test_records_sealed_on_one_chip_do_not_open_on_another() -> None:
    assert make().control_key(CHIP) != make().control_key(b"chip-two")


@pytest.mark.parametrize(
    "wrong",
    [
        {"terminal_id": b"short"},
        {"device_key": bytes(31)},
        {"hardware_class": 1},
        {"hardware_revision": "1"},
        {"chip_id": b""},
    ],
)
def test_a_malformed_field_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(identity.IdentityError):
        make(**wrong)


@pytest.mark.parametrize("body", [b"\xa0", b"\xff", b"\x01", b"\xa1\x01\x02"])
def test_a_copy_with_a_right_hash_and_wrong_content_is_refused(body: bytes) -> None:
    head = b"DKID" + len(body).to_bytes(2, "little") + body
    with pytest.raises(identity.IdentityError):
        identity.decode((head + hashlib.sha256(head).digest()).ljust(256, b"\xff"))


def test_a_length_beyond_the_page_is_refused() -> None:
    with pytest.raises(identity.IdentityError):
        identity.decode(b"DKID\xff\xff".ljust(256, b"\0"))


def test_a_cut_while_writing_leaves_none_or_the_whole_identity(
    partition: Any, flash: NorFlash
) -> None:
    for operation in range(1, 5):
        for how in ("before", "torn", "after"):
            flash.restore(b"\xff" * flash.size_bytes)
            flash.cut_power_at(flash.operations + operation, how)
            with pytest.raises(PowerCut):
                identity.store(partition, make())
            try:
                found = identity.load(partition, CHIP)
            except identity.IdentityError:
                found = None
            assert found is None or vars(found) == vars(make())
            identity.store(partition, make())
            assert vars(identity.load(partition, CHIP)) == vars(make())


def test_each_lost_control_block_starts_a_higher_era_and_marks_survive_one_sector(
    partition: Any, flash: NorFlash
) -> None:
    identity.store(partition, make())
    assert identity.eras(partition) == 0
    assert identity.add_era(partition) == 1 << 24
    flash.damage(partition.offset, b"\xff" * 4096)
    assert identity.add_era(partition) == 2 << 24
    assert identity.load(partition, CHIP) is not None


def test_a_torn_mark_counts() -> None:
    flash = NorFlash(None)
    partition = partitions.table(flash)["identity"]
    identity.store(partition, make())
    flash.cut_power_at(flash.operations + 2, "before")
    with pytest.raises(PowerCut):
        identity.seal(partition)
    assert identity.is_sealed(partition)


def test_after_the_last_era_the_terminal_needs_a_new_identity(
    partition: Any, flash: NorFlash
) -> None:
    identity.store(partition, make())
    flash.damage(partition.offset + 257, b"\0" * 255)
    with pytest.raises(identity.IdentityError, match="too often"):
        identity.add_era(partition)


@pytest.mark.parametrize("body", [[], [0, bytes(8)], 7, "text", b"1234567", None])
def test_a_whole_copy_that_holds_no_map_is_malformed(body: Any) -> None:
    data = cbor2.dumps(body)
    copy = b"DKID" + len(data).to_bytes(2, "little") + data
    page = copy + hashlib.sha256(copy).digest()
    with pytest.raises(identity.IdentityError, match="malformed"):
        identity.decode(page)
