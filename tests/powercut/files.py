"""`/data` for device code on CPython: littlefs over the flash that the power is cut at.

`Files.give_to(modules)` puts `open` and `os` into device modules by name, as a board's VFS does on
MicroPython. The geometry is that of MicroPython's VfsLfs2.
"""

from __future__ import annotations

import hashlib
from types import ModuleType
from typing import Any

from littlefs import lfs
from littlefs.errors import LittleFSError

from hw_sim.flash import SECTOR_BYTES, NorFlash, PowerCut

MAY_BE_REMOVED = ("/data/stock/", "/data/upload")
"""Everything else under /data stays for ever once it was stored."""


class _Device:
    """Block device of littlefs on a part of the flash. A cut cannot pass through C: it is kept."""

    def __init__(self, flash: NorFlash, offset: int) -> None:
        self._flash = flash
        self._offset = offset
        self.cut: PowerCut | None = None
        self.seen: set[int] | None = None

    def read(self, cfg: Any, block: int, off: int, size: int) -> bytes:
        if self.seen is not None:
            self.seen.add(block)
        flash = self._flash
        at = self._offset + block * SECTOR_BYTES + off
        if not flash.cells.weak:
            # littlefs reads in very small pieces: this is most of a case's time
            return bytes(flash.cells.memory[at : at + size])
        return flash.read(at, size)

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        if self.cut:
            return -5
        address = self._offset + block * SECTOR_BYTES + off
        data = bytes(data)
        try:
            while data:
                piece = min(len(data), 256 - address % 256)
                self._flash.program(address, data[:piece])
                address += piece
                data = data[piece:]
        except PowerCut as cut:
            self.cut = cut
            return -5
        return 0

    def erase(self, cfg: Any, block: int) -> int:
        if self.cut:
            return -5
        try:
            self._flash.erase(self._offset + block * SECTOR_BYTES)
        except PowerCut as cut:
            self.cut = cut
            return -5
        return 0

    def sync(self, cfg: Any) -> int:
        return 0


class _File:
    def __init__(self, files: Files, path: str, mode: str) -> None:
        self._files = files
        self._text = "b" not in mode
        self._writes = "w" in mode
        self._handle = files._call(lfs.file_open, path, "wb" if self._writes else "rb")
        self._open = True
        self._path = path
        self._written = hashlib.sha256()

    def read(self, size: int = -1) -> Any:
        if size < 0:
            size = 1 << 20
        data = self._files._call(lfs.file_read, self._handle, size)
        return bytes(data).decode() if self._text else bytes(data)

    def write(self, data: Any) -> int:
        raw = data.encode() if isinstance(data, str) else bytes(data)
        self._written.update(raw)
        return int(self._files._call(lfs.file_write, self._handle, raw))

    def seek(self, at: int) -> None:
        assert not self._writes, "what is written is hashed as it comes"
        self._files._call(lfs.file_seek, self._handle, at, 0)

    def flush(self) -> None:
        self._files._call(lfs.file_sync, self._handle)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._files._call(lfs.file_close, self._handle)
            if self._writes:
                self._files._written[self._path] = self._written.digest()

    def __enter__(self) -> _File:
        return self

    def __exit__(self, kind: Any, *rest: object) -> None:
        if kind is not None and issubclass(kind, PowerCut):
            self._open = False  # nobody closes a file when the power is gone
        else:
            self.close()


class Files:
    """The mounted partition: what `open` and `os` are to device code. Paths begin with /data.

    `stored` is told what a file may hold once it was renamed to its name, `coming` what it will
    hold while that lasts: SHA-256 by path. `seen`: as `BlockDevice`'s.
    `cache_bytes`: MicroPython's decides how writes are cut up; who only reads may take more.
    """

    def __init__(
        self,
        flash: NorFlash,
        offset: int,
        size_bytes: int,
        stored: dict[str, tuple[bytes | None, ...]] | None = None,
        coming: dict[str, bytes] | None = None,
        seen: set[int] | None = None,
        cache_bytes: int = 128,
    ) -> None:
        self._device = _Device(flash, offset)
        self._device.seen = seen
        self._stored = {} if stored is None else stored
        self._coming = {} if coming is None else coming
        self._config = lfs.LFSConfig(
            context=self._device,
            block_size=SECTOR_BYTES,
            block_count=size_bytes // SECTOR_BYTES,
            read_size=32,
            prog_size=32,
            cache_size=cache_bytes,
            lookahead_size=32,
            block_cycles=100,
        )
        self._filesystem = lfs.LFSFilesystem()
        self.mounted = False
        self._written: dict[str, bytes] = {}  # what this mount wrote, by path: SHA-256

    def mount(self) -> None:
        """Raises OSError if there is no filesystem."""
        self._raw(lfs.mount, self._filesystem, self._config)
        self.mounted = True

    def format(self) -> None:
        self._raw(lfs.format, self._filesystem, self._config)

    def give_to(self, modules: list[ModuleType]) -> None:
        """Let these device modules see this filesystem as theirs."""
        for module in modules:
            module.__dict__["open"] = self.open
            if "os" in module.__dict__:
                module.__dict__["os"] = self

    def _raw(self, call: Any, *arguments: Any) -> Any:
        try:
            result = call(*arguments)
        except LittleFSError as error:
            if self._device.cut:
                raise self._device.cut from None
            raise OSError(-error.code, str(error)) from None
        if self._device.cut:
            raise self._device.cut
        return result

    def _call(self, call: Any, *arguments: Any) -> Any:
        if not self.mounted:
            raise OSError(19, "nothing is mounted")
        return self._raw(call, self._filesystem, *arguments)

    @staticmethod
    def _path(path: str) -> str:
        if path != "/data" and not path.startswith("/data/"):
            raise OSError(2, path)
        return path[5:] or "/"

    # what device code calls

    def open(self, path: str, mode: str = "r") -> _File:
        return _File(self, self._path(path), mode)

    def digest(self, path: str) -> bytes:
        """SHA-256 of a file. Raises OSError if it is not there."""
        with self.open(path, "rb") as file:
            return hashlib.sha256(file.read()).digest()

    def rename(self, old: str, new: str) -> None:
        self._coming[new] = self._written.pop(self._path(old), b"") or self.digest(old)
        before = self._stored.get(old)
        if before:
            self._stored[old] = (*before, None)  # a cut leaves it under the one name or the other
        try:
            self._call(lfs.rename, self._path(old), self._path(new))
        except OSError:
            del self._coming[new]
            if before:
                self._stored[old] = before
            raise
        self._stored.pop(old, None)
        self._stored[new] = (self._coming.pop(new),)

    def remove(self, path: str) -> None:
        if path.startswith(MAY_BE_REMOVED):
            self._stored.pop(path, None)
        self._written.pop(self._path(path), None)
        self._call(lfs.remove, self._path(path))

    def mkdir(self, path: str) -> None:
        self._call(lfs.mkdir, self._path(path))

    def stat(self, path: str) -> tuple[int, ...]:
        found = self._call(lfs.stat, self._path(path))
        return (0x8000, 0, 0, 0, 0, 0, found.size, 0, 0, 0)

    def statvfs(self, path: str) -> tuple[int, ...]:
        used = self._raw(lfs.fs_size, self._filesystem)
        count = self._config.block_count
        return SECTOR_BYTES, SECTOR_BYTES, count, count - used, count - used

    def listdir(self, path: str) -> list[str]:
        handle = self._call(lfs.dir_open, self._path(path))
        names = []
        while True:
            entry = self._call(lfs.dir_read, handle)
            if entry is None:
                break
            if entry.name not in (".", ".."):
                names.append(entry.name)
        self._call(lfs.dir_close, handle)
        return names
