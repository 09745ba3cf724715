"""Patches: what the tools make, the terminal's reader and one written from the page alone agree to
the byte; and what a damaged or forged patch does."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootloader.shared.partitions import Partition
from firmware.update import patch as terminal
from firmware.update.install import InstallError, patched
from hw_sim.flash import NorFlash
from tests.support import micropython, patch_by_the_book
from updater_server.channels import alignment, patch

LIMIT_BYTES = 1 << 20


@st.composite
def two_releases(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A base and an image made of it by cutting, moving, inserting and changing."""
    base = draw(st.binary(max_size=300))
    image = bytearray(base)
    for _ in range(draw(st.integers(0, 6))):
        at, end = (draw(st.integers(0, len(image))) for _ in range(2))
        piece = image[min(at, end) : max(at, end)]
        how = draw(st.integers(0, 3))
        if how == 0:
            image[at : at + draw(st.integers(0, 60))] = draw(st.binary(max_size=60))
        elif how == 1:
            image += piece
        elif how == 2:
            image[:0] = piece
        else:
            image[min(at, end) : max(at, end)] = bytes((byte + 1) & 255 for byte in piece)
    return base, bytes(image)


def on_a_terminal(base: bytes, data: bytes, size: int) -> bytes:
    """What the terminal's own reader makes of a patch."""
    source, made = io.BytesIO(data), bytearray()

    def old(at: int, view: memoryview) -> None:
        assert at >= 0 and at + len(view) <= len(base), "read outside the base"
        view[:] = base[at : at + len(view)]

    def of_image(at: int, view: memoryview) -> None:
        assert at >= 0 and at + len(view) <= len(made), "read what is not made yet"
        view[:] = made[at : at + len(view)]

    for _ in terminal.apply(source.readinto, old, len(base), made.extend, of_image, size):
        assert len(made) <= size
    return bytes(made)


def verdicts(base: bytes, data: bytes, size: int) -> list[bytes | None]:
    """What the three readers make of a patch to `size` bytes; None where they refuse it."""
    readers: list[Callable[[], bytes]] = [
        lambda: patch.apply(base, data, size),
        lambda: patch_by_the_book.read(base, data, size),
        lambda: on_a_terminal(base, data, size),
    ]
    found: list[bytes | None] = []
    for read in readers:
        try:
            found.append(read())
        except (patch.PatchError, patch_by_the_book.NotAPatch, terminal.PatchError):
            found.append(None)
    # Two are told a bound, the terminal the size itself.
    return [None if image is not None and len(image) != size else image for image in found]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(two_releases())
def test_three_readers_make_the_image_of_the_patch(pair: tuple[bytes, bytes]) -> None:
    base, image = pair
    data = patch.make(base, image)
    assert verdicts(base, data, len(image)) == [image] * 3


@settings(derandomize=True, max_examples=60, deadline=None)
@given(two_releases(), st.data())
def test_a_spoiled_patch_is_judged_alike_and_makes_no_more_than_it_may(
    pair: tuple[bytes, bytes], data: st.DataObject
) -> None:
    base, image = pair
    spoiled = bytearray(patch.make(base, image)) or bytearray(1)
    for _ in range(data.draw(st.integers(1, 3))):
        spoiled[data.draw(st.integers(0, len(spoiled) - 1))] ^= data.draw(st.integers(1, 255))
    del spoiled[data.draw(st.integers(1, len(spoiled))) :]
    first, *others = verdicts(base, bytes(spoiled), len(image))
    assert others == [first, first]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=300), st.integers(0, 600))
def test_any_bytes_are_judged_alike(base: bytes, data: bytes, size: int) -> None:
    first, *others = verdicts(base, data, size)
    assert others == [first, first]


def alike(seed: int, size: int) -> tuple[bytes, bytes]:
    """Two images of little tables whose indexes all moved on by one, with a few new words."""
    dice = random.Random(seed)
    words = [bytes(dice.choices(b"aeinrst", k=dice.randrange(3, 9))) for _ in range(60)]
    old = bytearray()
    while len(old) < size:
        old += dice.choice(words) + bytes([20 + dice.randrange(40), 0x16, dice.randrange(4)])
    new = bytearray(byte + 1 if 40 < byte < 60 else byte for byte in old)
    for _ in range(10):
        at = dice.randrange(len(new))
        new[at:at] = dice.randbytes(20)
    return bytes(old[:size]), bytes(new[: size + 100])


def test_the_same_two_images_give_the_same_patch() -> None:
    assert patch.make(*alike(1, 3000)) == patch.make(*alike(1, 3000))


@pytest.mark.parametrize("after", [1, 2, 40])
def test_words_that_are_searched_for_and_those_of_the_index_make_the_same_patch(
    after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(5)
    base = draw.randbytes(900) + b"the same words " * 40 + draw.randbytes(900)
    image = base[:600] + base[900:1300] + b"the same" + base[:200] + base[500:]
    searched = patch.make(base, image)
    monkeypatch.setattr(alignment, "_INDEX_AFTER", after)
    assert patch.make(base, image) == searched
    assert len(searched) < 60, "what was moved was found"


def test_an_image_that_did_not_change_takes_a_few_bytes() -> None:
    base, _ = alike(2, 60000)
    assert len(patch.make(base, base)) < 10


def test_a_patch_that_takes_a_terminal_too_long_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base, image = alike(3, 2000)
    patch.make(base, image)
    monkeypatch.setattr(patch, "PATCH_DECISIONS", (0, 500))
    with pytest.raises(patch.TooLong):
        patch.make(base, image)


def test_a_patch_cut_short_never_makes_the_image() -> None:
    base, image = alike(4, 150)
    data = patch.make(base, image)
    refused = 0
    for length in range(0, len(data), 3):
        first, *others = verdicts(base, data[:length], len(image))
        assert others == [first, first] and first != image
        refused += first is None
    assert refused > len(data) // 6


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff" * 8, "not a patch"),
        (patch.make(b"base", b"basis"), "another size"),
        (b"", "too large"),
    ],
)
def test_a_forged_patch_has_its_reason(data: bytes, words: str) -> None:
    with pytest.raises(terminal.PatchError, match=words):
        on_a_terminal(b"base", data, 4)


def test_something_behind_a_patch_is_refused() -> None:
    base, image = alike(5, 300)
    data = patch.make(base, image)
    with pytest.raises(terminal.PatchError, match="follows"):
        on_a_terminal(base, data + bytes(9), len(image))


DEVICE = """
import asyncio, gc, sys, json
from hashlib import sha256
from binascii import hexlify
from bootloader.shared.partitions import Partition
from firmware.update import install, reader
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
async def main():
    await install.patched(reader.bring(), payload, length, slot, size, base, base_size)
    print(str(hexlify(await install.digest_of(slot, size)), "ascii"))
asyncio.run(main())
flash.file.close()
"""


@pytest.mark.parametrize("interpreter", micropython.BOTH)
def test_a_patch_makes_the_image_in_flash_on_both_interpreters(
    tmp_path: Any, interpreter: str
) -> None:
    from hashlib import sha256

    old, new = alike(9, 20000)
    data = patch.make(old, new)
    cells = b"".join(part.ljust(131072, b"\xff") for part in (old, data, b"\x00" * 131072))
    (tmp_path / "flash").write_bytes(cells)
    out = micropython.run(
        DEVICE,
        interpreter_name=interpreter,
        heap_bytes=192 * 1024,  # it compiles what it runs
        stdin=f"{tmp_path / 'flash'}\n{json.dumps([len(data), len(new), len(old)])}\n".encode(),
    )
    assert out.strip() == sha256(new).hexdigest()
    assert (tmp_path / "flash").read_bytes()[262144:][: len(new)] == new


HEAP = """
import gc, io, sys
from firmware.update import patch
data = bytes.fromhex(sys.stdin.readline().strip())
base = bytes.fromhex(sys.stdin.readline().strip())
size = int(sys.stdin.readline())
def old(at, view):
    view[:] = base[at:at + len(view)]
made = bytearray(size)
done = [0]
def write(view):
    made[done[0]:done[0] + len(view)] = view
    done[0] += len(view)
def of_image(at, view):
    view[:] = made[at:at + len(view)]
def run():
    worst = 0
    done[0] = 0
    gc.collect()
    before = gc.mem_alloc()
    read = io.BytesIO(data).readinto
    for n, _ in enumerate(patch.apply(read, old, len(base), write, of_image, size)):
        if n % 20 == 0:
            gc.collect()
            worst = max(worst, gc.mem_alloc() - before)
    return worst
run()  # what compiling left behind is gone after it
worst = run()
print(worst)
"""
WINDOW_BYTES = 4096
"""What every other payload is expanded with, and a patch is not."""


def test_reading_a_patch_takes_no_more_than_four_kib_beyond_the_window_of_the_others() -> None:
    old, new = alike(11, 6000)
    data = patch.make(old, new)
    out = micropython.run(
        HEAP,
        interpreter_name="micropython",
        heap_bytes=256 * 1024,
        stdin=f"{data.hex()}\n{old.hex()}\n{len(new)}\n".encode(),
    )
    assert WINDOW_BYTES < int(out) <= WINDOW_BYTES + 4096


def on_flash(data: bytes, base: bytes, size: int) -> bytes:
    flash = NorFlash(None, size_bytes=98304)
    flash.damage(0, data)
    flash.damage(65536, base)
    parts = [Partition(flash, n * 32768, 32768) for n in range(3)]
    asyncio.run(patched(terminal, parts[0], len(data), parts[1], size, parts[2], len(base)))
    assert flash.read(32768 + size, 64) == b"\xff" * 64, "wrote beyond the image"
    return flash.read(32768, size)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 4097])
def test_an_image_of_any_size_comes_out_whole(size: int) -> None:
    old, new = alike(13, 5000)
    assert on_flash(patch.make(old, new[:size]), old, size) == new[:size]


def test_a_patch_that_makes_another_size_is_refused_with_a_reason() -> None:
    old, new = alike(14, 5000)
    with pytest.raises(InstallError) as caught:
        on_flash(patch.make(old, new), old, len(new) - 1)
    assert caught.value.reason == "patch"
