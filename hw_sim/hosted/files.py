"""The mounted file systems of one start of the chip, and `open` and `os` above them."""

from __future__ import annotations

import io
from typing import Any, Protocol

from hw_sim.hosted import romfs
from hw_sim.hosted.errors import DeviceError

_ENOENT, _ENODEV, _EROFS, _EPERM = 2, 19, 30, 1
FOLDER, FILE = 0x4000, 0x8000
"""File types of `os.stat`, as MicroPython's."""


class FileSystem(Protocol):
    """What can be mounted; paths begin with "/"."""

    def open(self, path: str, mode: str) -> Any:
        """A file."""
        ...

    def kind(self, path: str) -> int:
        """`FOLDER`, `FILE`, or 0 for nothing."""
        ...

    def content(self, path: str) -> bytes | memoryview:
        """All of a file."""
        ...


class RomFile(io.BytesIO):
    """A file of a ROMFS."""


class VfsRom:
    """`vfs.VfsRom(memoryview)`: read only."""

    def __init__(self, image: memoryview) -> None:
        try:
            self._tree = romfs.read(image)
        except romfs.RomfsError:
            raise DeviceError(_ENODEV) from None

    def _find(self, path: str) -> romfs.Tree | memoryview | None:
        found: romfs.Tree | memoryview | None = self._tree
        for part in path.split("/"):
            if part:
                if not isinstance(found, dict):
                    return None
                found = found.get(part)
        return found

    def kind(self, path: str) -> int:
        """See `FileSystem`."""
        found = self._find(path)
        return 0 if found is None else FOLDER if isinstance(found, dict) else FILE

    def content(self, path: str) -> memoryview:
        """See `FileSystem`."""
        found = self._find(path)
        if found is None or isinstance(found, dict):
            raise DeviceError(_ENOENT)
        return found

    def open(self, path: str, mode: str) -> Any:
        """See `FileSystem`."""
        if any(letter in mode for letter in "wax+"):
            raise DeviceError(_EROFS)
        content = self.content(path)
        return RomFile(content) if "b" in mode else io.StringIO(str(content, "utf-8"))

    def stat(self, path: str) -> tuple[int, ...]:
        """See `os.stat`."""
        found = self._find(path)
        if found is None:
            raise DeviceError(_ENOENT)
        size = 0 if isinstance(found, dict) else len(found)
        return (self.kind(path), 0, 0, 0, 0, 0, size, 0, 0, 0)

    def listdir(self, path: str) -> list[str]:
        """See `os.listdir`."""
        found = self._find(path)
        if not isinstance(found, dict):
            raise DeviceError(_ENOENT)
        return list(found)


class Mounts:
    """What is mounted where; a chip has nothing else."""

    def __init__(self) -> None:
        self._mounted: dict[str, Any] = {}

    def mount(self, filesystem: Any, path: str) -> None:
        """As `vfs.mount`. EPERM where something is mounted already."""
        if path in self._mounted:
            raise DeviceError(_EPERM)
        self._mounted[path] = filesystem

    def umount(self, path: str) -> None:
        """As `vfs.umount`. EINVAL if nothing is mounted there."""
        if path not in self._mounted:
            raise DeviceError(22)
        filesystem = self._mounted.pop(path)
        if hasattr(filesystem, "umount"):
            filesystem.umount()

    def at(self, path: str) -> tuple[Any, str]:
        """The file system that `path` lies in, and the path within. ENODEV if there is none."""
        end = path.find("/", 1)
        root = path if end < 0 else path[:end]
        filesystem = self._mounted.get(root)
        if filesystem is None:
            raise DeviceError(_ENODEV if path[:1] == "/" else _ENOENT)
        return filesystem, "/" if end < 0 else path[end:]

    def kind(self, path: str) -> int:
        """`FOLDER`, `FILE`, or 0 for nothing."""
        try:
            filesystem, inner = self.at(path)
        except OSError:
            return 0
        kind: int = filesystem.kind(inner)
        return kind

    def content(self, path: str) -> bytes | memoryview:
        """All of a file. Raises OSError."""
        filesystem, inner = self.at(path)
        content: bytes | memoryview = filesystem.content(inner)
        return content

    # what programs call

    def open(self, path: str, mode: str = "r", **_: Any) -> Any:
        """The built-in `open`."""
        filesystem, inner = self.at(path)
        return filesystem.open(inner, mode)

    def listdir(self, path: str = "/") -> list[str]:
        """As `os.listdir`."""
        if path == "/":
            return [name[1:] for name in self._mounted]
        filesystem, inner = self.at(path)
        names: list[str] = filesystem.listdir(inner)
        return names

    def stat(self, path: str) -> tuple[int, ...]:
        """As `os.stat`."""
        filesystem, inner = self.at(path)
        found: tuple[int, ...] = filesystem.stat(inner)
        return found

    def statvfs(self, path: str) -> tuple[int, ...]:
        """As `os.statvfs`."""
        filesystem, inner = self.at(path)
        found: tuple[int, ...] = filesystem.statvfs(inner)
        return found

    def remove(self, path: str) -> None:
        """As `os.remove`."""
        filesystem, inner = self.at(path)
        filesystem.remove(inner)

    def mkdir(self, path: str) -> None:
        """As `os.mkdir`."""
        filesystem, inner = self.at(path)
        filesystem.mkdir(inner)

    def rename(self, old: str, new: str) -> None:
        """As `os.rename`. EPERM across file systems."""
        filesystem, inner = self.at(old)
        other, target = self.at(new)
        if other is not filesystem:
            raise DeviceError(_EPERM)
        filesystem.rename(inner, target)
