"""A disk that tells what is on it if the power goes now: for publications on the server's side.

While `recording`, every file operation of the publishing code below one folder is done, and written
down. From what was written down each state is made that a kill or a power cut can leave: with and
without what no `fsync` made durable, of contents and of names apart, and a write torn half-way.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from updater_server import atomic
from updater_server.channels import audit


@dataclass
class Inode:
    """One file: its bytes now, and those that a power cut leaves."""

    now: bytes = b""
    durable: bytes = b""


@dataclass
class Disk:
    """`names` and `durable_names` map a path below the folder to its file."""

    names: dict[str, Inode] = field(default_factory=dict)
    durable_names: dict[str, Inode] = field(default_factory=dict)

    @staticmethod
    def of(folder: Path) -> Disk:
        disk = Disk()
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                disk.names[str(path.relative_to(folder))] = Inode(content, content)
        disk.durable_names = dict(disk.names)
        return disk

    def do(self, operation: tuple[Any, ...]) -> None:
        """Let one recorded operation happen."""
        kind, path, *rest = operation
        if kind == "create":
            self.names[path] = Inode()
        elif kind == "write":
            self.names[path].now = rest[0]
        elif kind == "sync":
            self.names[path].durable = self.names[path].now
        elif kind == "rename":
            self.names[rest[0]] = self.names.pop(path)
        elif kind == "unlink":
            self.names.pop(path, None)
        elif kind == "sync folder":
            here = {name: node for name, node in self.names.items() if _folder(name) == path}
            others = {n: node for n, node in self.durable_names.items() if _folder(n) != path}
            self.durable_names = {**others, **here}

    def torn(self, operation: tuple[Any, ...]) -> dict[str, bytes] | None:
        """The files if a write was cut in its middle."""
        if operation[0] != "write":
            return None
        before = self.names[operation[1]].now
        after: bytes = operation[2]
        begin = len(before) if after.startswith(before) else 0
        half = after[: begin + (len(after) - begin) // 2]
        return {**self.killed(), operation[1]: half}

    def killed(self) -> dict[str, bytes]:
        """The files if only the process is killed."""
        return {name: node.now for name, node in self.names.items()}

    def cut(self) -> Iterator[dict[str, bytes]]:
        """The files if the power goes: what was not synced is lost, of names, contents, or both."""
        yield {name: node.durable for name, node in self.durable_names.items()}
        yield {name: node.durable for name, node in self.names.items()}
        yield {name: node.now for name, node in self.durable_names.items()}


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def digest(content: dict[str, bytes]) -> bytes:
    """What tells one state from another."""
    made = hashlib.sha256()
    for name, data in sorted(content.items()):
        made.update(b"%s %d " % (name.encode(), len(data)) + data)
    return made.digest()


class _File:
    """An open file whose writes are written down; nothing is kept back in a buffer."""

    def __init__(self, recorder: Recorder, name: str, file: Any) -> None:
        self._recorder, self._name, self._file = recorder, name, file
        recorder.descriptors[file.fileno()] = name

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._recorder.descriptors.pop(self._file.fileno(), None)
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        count: int = self._file.write(data)
        self._wrote()
        return count

    def truncate(self, size: int) -> int:
        count: int = self._file.truncate(size)
        self._wrote()
        return count

    def _wrote(self) -> None:
        content = (self._recorder.folder / self._name).read_bytes()
        self._recorder.operations.append(("write", self._name, content))


class Recorder:
    """The operations of one publication in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operations: list[tuple[Any, ...]] = []
        self.descriptors: dict[int, str] = {}

    def name(self, path: Any) -> str | None:
        """`path` as below the folder, or None if it is elsewhere."""
        path = Path(path)
        return str(path.relative_to(self.folder)) if path.is_relative_to(self.folder) else None

    def mkstemp(self, **how: Any) -> tuple[int, str]:
        descriptor, path = tempfile.mkstemp(**how)
        name = self.name(path)
        if name is not None:
            self.operations.append(("create", name))
            self.descriptors[descriptor] = name
        return descriptor, path

    def fdopen(self, descriptor: int, mode: str) -> Any:
        name = self.descriptors.get(descriptor)
        file = os.fdopen(descriptor, mode, buffering=0)
        return file if name is None else _File(self, name, file)

    def open_folder(self, path: Any, flags: int) -> int:
        descriptor = os.open(path, flags)
        name = self.name(path)
        if name is not None:
            self.descriptors[descriptor] = "folder " + ("" if name == "." else name)
        return descriptor

    def fsync(self, descriptor: int) -> None:
        name = self.descriptors.get(descriptor)
        if name is not None:
            is_folder = name.startswith("folder ")
            what = ("sync folder", name[7:]) if is_folder else ("sync", name)
            self.operations.append(what)

    def close(self, descriptor: int) -> None:
        self.descriptors.pop(descriptor, None)
        os.close(descriptor)


class _Os(ModuleType):
    """`os` for the modules that publish, with what makes things durable written down."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__("os")
        self.fdopen, self.fsync = recorder.fdopen, recorder.fsync
        self.open, self.close = recorder.open_folder, recorder.close

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


@contextlib.contextmanager
def recording(folder: Path) -> Iterator[Recorder]:
    """Write down what happens to the files below `folder`."""
    recorder = Recorder(folder)
    real_open, real_replace, real_unlink = Path.open, Path.replace, Path.unlink

    def open_path(path: Path, mode: str = "r", **how: Any) -> Any:
        name = recorder.name(path)
        is_new = not path.exists()
        if name is None or (mode[0] == "r" and "+" not in mode) or name.endswith(".lock"):
            return real_open(path, mode, **how)
        file = real_open(path, mode, buffering=0)
        if is_new:
            recorder.operations.append(("create", name))
        return _File(recorder, name, file)

    def replace(path: Path, target: Any) -> Any:
        before, after = recorder.name(path), recorder.name(target)
        done = real_replace(path, target)
        if before is not None:
            recorder.operations.append(("rename", before, after))
        return done

    def unlink(path: Path, missing_ok: bool = False) -> None:
        name, was = recorder.name(path), path.exists()
        real_unlink(path, missing_ok)
        if name is not None and was:
            recorder.operations.append(("unlink", name))

    temporary = mock.Mock(mkstemp=recorder.mkstemp)
    with (
        mock.patch.object(atomic, "os", _Os(recorder)),
        mock.patch.object(audit, "os", _Os(recorder)),
        mock.patch.object(atomic, "tempfile", temporary),
        mock.patch.object(Path, "open", open_path),
        mock.patch.object(Path, "replace", replace),
        mock.patch.object(Path, "unlink", unlink),
    ):
        yield recorder
