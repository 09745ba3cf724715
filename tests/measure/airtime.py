"""`inv bench airtime`: what an update costs on the air, beside what others would make of it.

Pairs of images that follow each other: this project's own, ten commits apart, and (with `--full`)
published packages of MicroPython code that was not written here. Bytes of the payload; nothing of
HTTP. Peers that are not installed are named and left out: detools and hdiffpatch
(requirements-peers.in), xdelta3 (a Debian package).
"""

from __future__ import annotations

import argparse
import importlib
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bsdiff4

from tests.measure.published import STORE, pairs
from tools.errors import BuildError
from tools.release.image import ROOT, ReleaseInfo, build_release, files_of
from updater_server.channels import delta, patch
from updater_server.channels.payloads import compress

BARS = {"smaller than the smallest peer, of all pairs": 0.90, "never more than": 1.02}
MEDIAN_BAR = 0.04
"""Of the deflated image, the median over all pairs that are minor releases: this project's own."""
APART = 10
_SMALL_SET = 3
_DETOOLS = ("lzma", "bz2", "crle", "heatshrink", "lz4", "zstd", "none")
_XDELTA3 = ("none", "djw", "lzma", "fgk")
_HDIFF = ("Lzma", "Lzma2", "Xz", "Brotli", "BZip2", "Zlib", "ZStd", "Lzham")

Make = Callable[[bytes, bytes], int]


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _zstd(base: bytes, image: bytes) -> int:
    """As `zstd --ultra -22 --long=22 --patch-from`, without the head's optional fields."""
    zstd = _optional("zstandard")
    kept = zstd.ZstdCompressionDict(base, dict_type=zstd.DICT_TYPE_RAWCONTENT)
    sizes = []
    for long in (False, True):
        settings = zstd.ZstdCompressionParameters.from_level(
            22,
            window_log=22,
            enable_ldm=long,
            write_content_size=False,
            write_dict_id=False,
            write_checksum=False,
        )
        coder = zstd.ZstdCompressor(dict_data=kept, compression_params=settings)
        sizes.append(len(coder.compress(image)))
    return min(sizes)


def _detools(compression: str) -> Make:
    def make(base: bytes, image: bytes) -> int:
        made = io.BytesIO()
        _optional("detools").create_patch(
            io.BytesIO(base), io.BytesIO(image), made, compression=compression
        )
        return len(made.getvalue())

    return make


def _hdiff(compression: str) -> Make:
    def make(base: bytes, image: bytes) -> int:
        hdiff = _optional("hdiffpatch")
        best = getattr(hdiff, f"{compression}Config").best_compression()
        return len(hdiff.diff(base, image, best))

    return make


def _xdelta3(coding: str) -> Make:
    def make(base: bytes, image: bytes) -> int:
        with tempfile.TemporaryDirectory() as folder:
            old, new, made = (Path(folder) / name for name in ("old", "new", "made"))
            old.write_bytes(base)
            new.write_bytes(image)
            best = ["-e", "-9", "-n", "-A", "-f", "-S", coding, "-B", "2097152", "-s"]
            program = shutil.which("xdelta3") or "xdelta3"
            subprocess.run([program, *best, old, new, made], check=True, capture_output=True)
            return made.stat().st_size

    return make


def peers() -> tuple[dict[str, Make], list[str]]:
    """{name: what makes a payload and returns its bytes}, and the names of missing peers."""
    found: dict[str, Make] = {"bsdiff4": lambda base, image: len(bsdiff4.diff(base, image))}
    missing = []
    for package, makes in (
        ("zstandard", {"zstd": _zstd}),
        ("detools", {f"detools {name}": _detools(name) for name in _DETOOLS}),
        ("hdiffpatch", {f"HDiffPatch {name}": _hdiff(name) for name in _HDIFF}),
    ):
        if _optional(package) is None:
            missing.append(package)
        else:
            found |= makes
    if shutil.which("xdelta3"):
        found |= {f"xdelta3 {name}": _xdelta3(name) for name in _XDELTA3}
    else:
        missing.append("xdelta3")
    return found, missing


def own_pairs() -> Iterator[tuple[str, bytes, bytes]]:
    """(name, before, after) of this project's history, oldest first; what does not build is left
    out with its pairs."""
    git = ["git", "-C", str(ROOT), "log", "--first-parent", "--reverse", "--format=%H %ct"]
    said = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    before: bytes | None = None
    for number, line in enumerate(said.splitlines()):
        if number % APART:
            continue
        commit, built = line.split()
        after = _own(number, commit, int(built))
        if before is not None and after is not None:
            yield f"duka {number - APART}-{number}", before, after
        before = after


def newest_pair(apart: int) -> tuple[bytes, bytes]:
    """The image of so many commits ago, and of this one.

    Raises:
        BuildError: one of them cannot be built.
    """
    git = ["git", "-C", str(ROOT), "log", "--first-parent", f"-{apart + 1}", "--format=%H %ct"]
    lines = subprocess.run(git, capture_output=True, text=True, check=True).stdout.splitlines()
    images = []
    for number, line in enumerate((lines[-1], lines[0])):
        commit, built = line.split()
        image = _own(number, commit, int(built))
        if image is None:
            raise BuildError(f"{commit[:12]} cannot be built")
        images.append(image)
    return images[0], images[1]


def _own(number: int, commit: str, built: int) -> bytes | None:
    place = STORE / f"duka-{commit[:16]}.img"
    if place.is_file():
        return place.read_bytes()
    try:
        with files_of(ROOT, commit) as source:
            image = build_release(source, ReleaseInfo(number + 1, f"0.{number}.0", commit, built))
    except BuildError:
        return None
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(image)
    return image


def ours(base: bytes, image: bytes) -> int:
    """What a terminal that reads patches fetches."""
    try:
        return len(patch.make(base, image))
    except patch.TooLong:
        return len(compress(delta.make(base, image)))


def weigh(name: str, base: bytes, image: bytes, makes: dict[str, Make]) -> tuple[float, float]:
    """Print a line of the table; (our bytes of the smallest peer's, of the deflated image's)."""
    sizes = {peer: make(base, image) for peer, make in makes.items()}
    best = min(sizes, key=lambda peer: sizes[peer])
    full, before = len(compress(image)), len(compress(delta.make(base, image)))
    made = ours(base, image)
    families: dict[str, int] = {}
    for peer, size in sizes.items():
        family = peer.split()[0]
        families[family] = min(size, families.get(family, size))
    columns = "".join(f"{size:12,}" for size in families.values())
    print(
        f"{name:14}{len(image):9,}{full:9,}{before:9,}{columns}{made:9,}"
        f"{made / sizes[best]:7.2f} of {best}",
        flush=True,
    )
    return made / sizes[best], made / full


def main() -> int:
    """Print the table; 1 if a bar is not kept."""
    parser = argparse.ArgumentParser(prog="inv bench airtime")
    parser.add_argument("--full", action="store_true", help="fetch published packages as well")
    asked = parser.parse_args()
    makes, missing = peers()
    own = list(own_pairs())
    own = own if asked.full else own[-_SMALL_SET:]
    others = list(pairs()) if asked.full else []
    heads = "".join(f"{name:>12}" for name in dict.fromkeys(peer.split()[0] for peer in makes))
    print(f"{'pair':14}{'image':>9}{'full':>9}{'delta':>9}{heads}{'patch':>9}{'ratio':>7}")
    weighed = [weigh(*pair, makes) for pair in (*own, *others)]
    for name in missing:
        print(f"not compared with {name}: it is not installed")
    ratios = [ratio for ratio, _ in weighed]
    of_full = sorted(part for _, part in weighed[: len(own)])
    smaller = sum(ratio < 1 for ratio in ratios) / len(ratios)
    median = of_full[len(of_full) // 2]
    print(f"smaller than the smallest peer: {smaller:.0%} of {len(ratios)} pairs; bar 90 %")
    print(f"at most {max(ratios):.3f} of it; bar 1.02")
    print(f"median of {len(own)} of our own pairs: {median:.1%} of the deflated image; bar 4 %")
    kept = smaller >= 0.90 and max(ratios) <= BARS["never more than"] and median <= MEDIAN_BAR
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
