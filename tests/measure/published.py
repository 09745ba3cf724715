"""Images of MicroPython code that was not written here: packages of PyPI, fetched once into
`build/airtime` and compiled as a release is. For `airtime`.
"""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx

from tools.errors import BuildError
from tools.release import image
from tools.release.image import ROOT, unpack

STORE = ROOT / "build" / "airtime"
INDEX = "https://pypi.org/simple"
_SIMPLE = "application/vnd.pypi.simple.v1+json"
_A = "adafruit-circuitpython-"
_NO_PART_OF_IT = {"tests", "test", "docs", "examples", "setup.py", "conf.py", "bin", "libs", "util"}

_COUNTER = ("microdot", _A + "minimqtt", _A + "httpserver", _A + "requests", _A + "esp32spi")
_SENSOR = (_A + "ble", _A + "wiznet5k", _A + "display-text")

LINES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "embit": (
        ("embit",),
        ("0.4.4", "0.4.8", "0.4.11", "0.4.14", "0.5.0", "0.6.1", "0.7.0", "0.8.0"),
    ),
    "counter": (
        _COUNTER,
        (
            "1.3.0 7.0.0 2.0.0 1.12.0 5.0.0",
            "1.3.4 7.3.0 3.0.0 1.13.0 6.0.0",
            "2.0.0 7.5.0 4.4.0 2.0.0 7.0.0",
            "2.0.7 7.9.0 4.5.5 3.2.5 8.3.0",
            "2.3.0 8.0.0 4.6.0 4.1.0 10.0.0",
            "2.7.0 8.1.0 4.8.2 4.1.17 11.1.4",
        ),
    ),
    "sensor": (
        _SENSOR,
        (
            "9.0.0 4.0.0 2.28.0",
            "10.0.0 5.1.0 3.0.0",
            "10.0.5 6.0.0 3.1.0",
            "10.1.0 7.1.0 3.3.0",
            "10.1.5 7.4.5 5.0.6",
        ),
    ),
}
"""Product → the packages it is made of, and their versions, release by release."""


def pairs() -> Iterator[tuple[str, bytes, bytes]]:
    """(name, image before, image after) of every two releases that follow each other.

    Raises:
        httpx.HTTPError, FileNotFoundError, ValueError: a package cannot be fetched.
    """
    for product, (packages, releases) in LINES.items():
        before: bytes | None = None
        for number, versions in enumerate(releases, 1):
            after = _image(product, number, dict(zip(packages, versions.split(), strict=True)))
            if before is not None:
                yield f"{product} {number - 1}-{number}", before, after
            before = after


def _image(product: str, number: int, versions: dict[str, str]) -> bytes:
    """From the cache, or built; a module that MicroPython does not compile is left out."""
    place = STORE / f"{product}-{number}.img"
    if place.is_file():
        return place.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        source, stage = Path(folder) / "source", Path(folder) / "stage"
        for package, version in versions.items():
            _unpack(_fetched(package, version), source / "lib")
        for file in sorted((source / "lib").rglob("*.py")):
            name = file.relative_to(source)
            if _NO_PART_OF_IT & set(name.parts):
                continue
            try:
                image.compile_module(file, name.as_posix(), (stage / name).with_suffix(".mpy"))
            except BuildError:
                continue
        (stage / "manifest.json").write_text(json.dumps(versions, sort_keys=True))
        made = image.romfs_of(stage)
    place.write_bytes(made)
    return made


def _fetched(package: str, version: str) -> Path:
    """A wheel where there is one, else the source as it was published; nothing of it is run.

    The index answers as PEP 691 says.
    """
    kept = STORE / "packages" / f"{package}-{version}"
    if not kept.is_dir():
        asked = httpx.get(
            f"{INDEX}/{package}/", headers={"Accept": _SIMPLE}, timeout=60, follow_redirects=True
        )
        stem = re.escape(re.sub(r"[-_.]+", "-", package)).replace(r"\-", "[-_.]")
        its = re.compile(rf"{stem}-{re.escape(version)}(-py.*-none-any\.whl|\.tar\.gz)")
        files = [
            each
            for each in asked.raise_for_status().json()["files"]
            if its.fullmatch(each["filename"])
        ]
        if not files:
            raise FileNotFoundError(f"{INDEX} has no {package} {version}")
        file = max(files, key=lambda each: each["filename"].endswith(".whl"))
        said = httpx.get(file["url"], timeout=60, follow_redirects=True).raise_for_status()
        if sha256(said.content).hexdigest() != file["hashes"]["sha256"]:
            raise ValueError(f"{file['url']} is not what the index says")
        fresh = kept.with_suffix(".part")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        (fresh / file["filename"]).write_bytes(said.content)
        fresh.rename(kept)
    return next(kept.iterdir())


def _unpack(archive: Path, target: Path) -> None:
    """The modules of `archive`, below the folder that a source archive and its `src` are."""
    target.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
        return
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as source:
        unpack(source, Path(folder))
        (root,) = Path(folder).iterdir()
        root = root / "src" if (root / "src").is_dir() else root
        for found in root.rglob("*.py"):
            name = found.relative_to(root)
            if not re.match(r"setup\.py|\.", name.parts[0]):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found, target / name)
