"""What is in a terminal's flash, read from the raw cells by the formats' documents.

Shares no code with the terminal: littlefs is `littlefs-python`, boot records are read by
`tests.powercut.judge`.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import cbor2

from hw_sim.flash import NorFlash
from tests.powercut import judge
from tests.powercut.files import Files
from tools.release import image as images

CONTROL, CONTROL_BYTES = 0x040000, 0x2000
IDENTITY, IDENTITY_BYTES = 0x042000, 0x2000
SLOTS = {"a": 0x0D0000, "b": 0x170000}
SLOT_BYTES = 0x0A0000
DATA, DATA_BYTES = 0x2B0000, 0x150000


class Found(NamedTuple):
    """`release` is what boots next: None if the boot records name no intact image."""

    release: int | None
    security_version: int
    prices: bytes
    root: bytes
    settings: bytes


def identity(cells: bytes) -> dict[int, object]:
    """The map of docs/formats/terminal-files.md, "Identity partition"."""
    length = int.from_bytes(cells[IDENTITY + 4 : IDENTITY + 6], "little")
    content: dict[int, object] = cbor2.loads(cells[IDENTITY + 6 : IDENTITY + 6 + length])
    return content


def control(cells: bytes) -> judge.ControlRecord | None:
    """The newest boot record that is sealed by this terminal's own key."""
    who = identity(cells)
    terminal_id, key, chip = who[1], who[2], who[5]
    assert isinstance(terminal_id, bytes) and isinstance(key, bytes) and isinstance(chip, bytes)
    sealed_with = judge.control_key(terminal_id, chip, key)
    return judge.control(cells[CONTROL : CONTROL + CONTROL_BYTES], sealed_with)


def slot(cells: bytes, name: str) -> bytes:
    """A slot's cells."""
    return cells[SLOTS[name] : SLOTS[name] + SLOT_BYTES]


def read(cells: bytes) -> Found:
    """Everything an attacker might want to change."""
    record = control(cells)
    release = None
    if record and record.active:
        named = record.slots[record.active]
        content = slot(cells, record.active)[: named.image_size]
        if hashlib.sha256(content).digest() == named.sha256:
            release = images.read_manifest(content).release
            assert release == named.release
    part = NorFlash(None)
    part.restore(cells)
    files = Files(part, DATA, DATA_BYTES)
    files.mount()

    def file(path: str) -> bytes:
        with files.open(path, "rb") as opened:
            content: bytes = opened.read()
        return content

    return Found(
        release,
        record.security_version if record else 0,
        file("/data/catalogue.json"),
        file("/data/trust/root.json"),
        file("/data/config.json"),
    )
