"""Deltas: ours on both interpreters against detools' own apply, and what a damaged patch does."""

from __future__ import annotations

import io
import json
import random
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootloader.shared.partitions import Partition
from firmware.update import delta
from firmware.update.install import InstallError, expand
from hw_sim.flash import NorFlash
from tests.support import micropython
from updater_server.channels import delta as server_delta


def images(seed: int, size: int = 20000) -> tuple[bytes, bytes]:
    """An image and its successor: edits, insertions, a block moved to the front."""
    dice = random.Random(seed)
    old = bytearray(dice.randbytes(size))
    new = bytearray(old)
    for _ in range(20):
        at = dice.randrange(len(new))
        new[at : at + dice.randrange(40)] = dice.randbytes(dice.randrange(40))
    block = new[size // 2 : size // 2 + 3000]
    del new[size // 2 : size // 2 + 3000]
    return bytes(old), bytes(block + new)


def apply(patch: bytes, old: bytes, size: int) -> bytes:
    stream, made = io.BytesIO(patch), bytearray()

    def read(buf: Any) -> None:
        if stream.readinto(buf) != len(buf):
            raise EOFError

    def base(offset: int, buf: Any) -> None:
        buf[:] = old[offset : offset + len(buf)]

    for _ in delta.apply(read, base, len(old), made.extend, size):
        assert len(made) <= size
    return bytes(made)


@pytest.mark.parametrize("seed", range(6))
def test_our_patches_make_the_image_on_the_terminal(seed: int) -> None:
    old, new = images(seed)
    assert apply(server_delta.make(old, new), old, len(new)) == new


@pytest.mark.parametrize("seed", range(6))
def test_patches_of_detools_make_what_detools_itself_makes(seed: int) -> None:
    detools = pytest.importorskip("detools", reason="detools (requirements-peers) is not installed")
    old, new = images(seed)
    patch, again = io.BytesIO(), io.BytesIO()
    detools.create_patch(io.BytesIO(old), io.BytesIO(new), patch, compression="none")
    detools.apply_patch(io.BytesIO(old), io.BytesIO(patch.getvalue()), again)
    assert apply(patch.getvalue(), old, len(new)) == again.getvalue() == new


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_patch_is_refused_or_makes_no_more_than_it_may(data: st.DataObject) -> None:
    old, new = images(1, 2000)
    patch = bytearray(server_delta.make(old, new))
    for _ in range(data.draw(st.integers(1, 4))):
        patch[data.draw(st.integers(0, len(patch) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert len(apply(bytes(patch), old, len(new))) == len(new)
    except (delta.DeltaError, EOFError):
        pass


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (b"\x10", "not a sequential"),
        (b"\x00\x05", "another size"),
        (b"\x00\x04\x01", "architecture"),
        (b"\x00\x04\x00\x05", "too much"),
        (b"\x00\x04\x00\x41", "too much"),
        (b"\x00\x04\x00\x00\x00\x7f\x02", "outside"),
        (b"\x00\x04\x00" + b"\x00\x00\x00" * 3, "makes nothing"),
        (b"\x00\xff\xff\xff\xff\xff", "too large"),
    ],
)
def test_each_way_a_patch_can_lie_has_its_own_reason(patch: bytes, words: str) -> None:
    with pytest.raises(delta.DeltaError, match=words):
        apply(patch + b"\x01" * 8, b"base", 4)


DEVICE = """
import asyncio, gc, sys
from hashlib import sha256
from binascii import hexlify
from bootloader.shared.partitions import Partition
from firmware.update.install import expand, digest_of, InstallError
import json
class Flash:
    size_bytes = 3 * 131072
    def __init__(self):
        self.file = open(sys.stdin.readline().strip(), "r+b")
    def read_into(self, address, buf):
        self.file.seek(address); self.file.readinto(buf)
    def program(self, address, data):
        assert address % 256 + len(data) <= 256
        self.file.seek(address); self.file.write(data)
    def erase(self, address):
        self.file.seek(address); self.file.write(bytes([255]) * 4096)
flash = Flash()
base, payload, slot = [Partition(flash, n * 131072, 131072) for n in range(3)]
length, size, base_size = json.loads(sys.stdin.readline())
gc.collect(); before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
async def main():
    await expand(payload, length, slot, size, base if base_size else None, base_size)
    print(str(hexlify(await digest_of(slot, size)), "ascii"))
asyncio.run(main())
flash.file.close()
"""


@pytest.mark.parametrize("interpreter", micropython.BOTH)
@pytest.mark.parametrize("kind", ["full", "delta"])
def test_both_kinds_of_payload_expand_in_flash_on_both_interpreters(
    tmp_path: Any, interpreter: str, kind: str
) -> None:
    from hashlib import sha256

    old, new = images(9, 60000)
    content = new if kind == "full" else server_delta.make(old, new)
    compressor = zlib.compressobj(9, wbits=12)
    payload = compressor.compress(content) + compressor.flush()
    cells = b"".join(part.ljust(131072, b"\xff") for part in (old, payload, b"\x00" * 131072))
    (tmp_path / "flash").write_bytes(cells)
    sizes = json.dumps([len(payload), len(new), len(old) if kind == "delta" else 0])
    out = micropython.run(
        DEVICE,
        interpreter_name=interpreter,
        heap_bytes=96 * 1024,
        stdin=f"{tmp_path / 'flash'}\n{sizes}\n".encode(),
    )
    assert out.strip() == sha256(new).hexdigest()
    assert (tmp_path / "flash").read_bytes()[262144:][: len(new)] == new


def expand_on_host(payload: bytes, size: int, slot_bytes: int = 16384) -> bytes:
    import asyncio

    flash = NorFlash(None, size_bytes=65536)
    flash.damage(0, payload)
    slot = Partition(flash, 32768, slot_bytes)
    asyncio.run(expand(Partition(flash, 0, 32768), len(payload), slot, size))
    return flash.read(32768, size)


def packed(data: bytes, wbits: int = 12) -> bytes:
    compressor = zlib.compressobj(9, wbits=wbits)
    return compressor.compress(data) + compressor.flush()


IMAGE = random.Random(3).randbytes(9000)


def test_an_image_of_any_size_comes_out_whole() -> None:
    for size in (1, 255, 256, 4096, 9000):
        assert expand_on_host(packed(IMAGE[:size]), size) == IMAGE[:size]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (packed(IMAGE)[:-100], "truncated"),
        (packed(IMAGE[:-1]), "truncated"),
        (packed(IMAGE + b"x"), "too_long"),
        (packed(IMAGE, 15), "window"),
        (b"\x48\x89not deflate at all", "damaged"),
        (b"PK\x03\x04aaaa", "damaged"),
        (b"", "damaged"),
    ],
)
def test_a_payload_that_does_not_make_the_image_is_refused_with_a_reason(
    payload: bytes, reason: str
) -> None:
    with pytest.raises(InstallError) as caught:
        expand_on_host(payload, 9000)
    assert caught.value.reason == reason


def test_a_zlib_bomb_writes_no_byte_beyond_the_image() -> None:
    flash = NorFlash(None, size_bytes=65536)
    bomb = packed(bytes(3_000_000))
    flash.damage(0, bomb)
    import asyncio

    with pytest.raises(InstallError):
        asyncio.run(
            expand(Partition(flash, 0, 32768), len(bomb), Partition(flash, 32768, 16384), 8192)
        )
    assert flash.read(32768 + 8192, 8192) == b"\xff" * 8192
