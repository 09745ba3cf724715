"""`vfs.VfsLfs2` on the littlefs library, set up as MicroPython sets it up.

Block devices are the program's objects (`readblocks`, `writeblocks`, `ioctl`). What they raise
cannot pass through C: it is kept, the library is told of an I/O error until it comes back, and then
raised.
"""

from __future__ import annotations

from typing import Any

from littlefs import lfs
from littlefs.errors import LittleFSError

from hw_sim.hosted.errors import DeviceError
from hw_sim.hosted.files import FILE, FOLDER

_EIO = -5
_ERASE, _COUNT, _SIZE, _INIT, _SYNC = 6, 4, 5, 1, 3
_CHUNK_BYTES = 1024
_READ, _WRITE, _CREATE, _EXCLUSIVE, _TRUNCATE, _APPEND = 1, 2, 0x100, 0x200, 0x400, 0x800
_FLAGS = {
    "r": _READ,
    "w": _WRITE | _CREATE | _TRUNCATE,
    "x": _WRITE | _CREATE | _EXCLUSIVE,
    "a": _WRITE | _CREATE | _APPEND,
}


class _Device:
    """The program's block device, as littlefs calls it."""

    def __init__(self, device: Any) -> None:
        self._read = device.readblocks
        self._write = device.writeblocks
        self._ioctl = device.ioctl
        self.raised: BaseException | None = None

    def read(self, _config: Any, block: int, offset: int, size: int) -> bytes | bytearray:
        buf = bytearray(size)
        if self.raised is None:
            try:
                self._read(block, buf, offset)
            except BaseException as error:
                self.raised = error
        return buf

    def prog(self, _config: Any, block: int, offset: int, data: bytes) -> int:
        if self.raised is not None:
            return _EIO
        try:
            self._write(block, bytearray(data), offset)
        except BaseException as error:
            self.raised = error
            return _EIO
        return 0

    def erase(self, _config: Any, block: int) -> int:
        return self._control(_ERASE, block)

    def sync(self, _config: Any) -> int:
        return self._control(_SYNC, 0)

    def _control(self, operation: int, argument: int) -> int:
        if self.raised is not None:
            return _EIO
        try:
            result = self._ioctl(operation, argument)
        except BaseException as error:
            self.raised = error
            return _EIO
        return -result if result else 0


class VfsLfs2:
    """`vfs.VfsLfs2(device, mtime=False)`; times of files are not kept."""

    def __init__(
        self,
        device: Any,
        readsize: int = 32,
        progsize: int = 32,
        lookahead: int = 32,
        mtime: bool = True,
    ) -> None:
        """Mount it. Raises OSError."""
        if mtime:
            raise NotImplementedError("a hosted littlefs keeps no times: mtime=False")
        self._device, config = _configured(device, readsize, progsize, lookahead)
        self._config = config
        self._filesystem = lfs.LFSFilesystem()
        self._files: set[LfsFile] = set()  # littlefs has them in a list of its own until closed
        self.call(lfs.mount, config)

    @staticmethod
    def mkfs(device: Any, readsize: int = 32, progsize: int = 32, lookahead: int = 32) -> None:
        """Format a device. Raises OSError."""
        kept, config = _configured(device, readsize, progsize, lookahead)
        _guarded(kept, lfs.format, lfs.LFSFilesystem(), config)

    @staticmethod
    def check() -> None:
        """Raises what there is to raise before the library may be called."""

    def call(self, function: Any, *arguments: Any) -> Any:
        """Call the library; raises OSError, and what the device raised."""
        self.check()
        return _guarded(self._device, function, self._filesystem, *arguments)

    def umount(self) -> None:
        """As `vfs.umount` does."""
        self.call(lfs.unmount)

    def kind(self, path: str) -> int:
        """See `FileSystem`."""
        try:
            return FOLDER if self.call(lfs.stat, path).type == lfs.LFSStat.TYPE_DIR else FILE
        except OSError:
            return 0

    def content(self, path: str) -> bytes:
        """See `FileSystem`."""
        with self.open(path, "rb") as file:
            content: bytes = file.read()
            return content

    def open(self, path: str, mode: str) -> LfsFile:
        """See `FileSystem`."""
        flags = _FLAGS[next((letter for letter in mode if letter in _FLAGS), "r")]
        if "+" in mode:
            flags |= _READ | _WRITE
        file = LfsFile(
            self, self.call(lfs.file_open, path, lfs.LFSFileFlag(flags)), "b" not in mode
        )
        self._files.add(file)
        return file

    def forget(self, file: LfsFile) -> None:
        """It is closed."""
        self._files.discard(file)

    def stat(self, path: str) -> tuple[int, ...]:
        """See `os.stat`."""
        found = self.call(lfs.stat, path)
        is_folder = found.type == lfs.LFSStat.TYPE_DIR
        size = 0 if is_folder else found.size
        return (FOLDER if is_folder else FILE, 0, 0, 0, 0, 0, size, 0, 0, 0)

    def statvfs(self, _path: str) -> tuple[int, ...]:
        """See `os.statvfs`."""
        size, count = self._config.block_size, self._config.block_count
        # MicroPython's walk comes by the two blocks of each folder twice
        free = count - self.call(lfs.fs_size) - 2 * self._folders("/")
        return (size, size, count, free, free, 0, 0, 0, 0, 255)

    def listdir(self, path: str) -> list[str]:
        """See `os.listdir`."""
        folder = self.call(lfs.dir_open, path)
        names = []
        while (entry := self.call(lfs.dir_read, folder)) is not None:
            if entry.name not in (".", ".."):
                names.append(entry.name)
        self.call(lfs.dir_close, folder)
        return names

    def _folders(self, path: str) -> int:
        inner = [f"{path.rstrip('/')}/{name}" for name in self.listdir(path)]
        folders = [each for each in inner if self.kind(each) == FOLDER]
        return len(folders) + sum(self._folders(each) for each in folders)

    def remove(self, path: str) -> None:
        """See `os.remove`."""
        self.call(lfs.remove, path)

    def mkdir(self, path: str) -> None:
        """See `os.mkdir`."""
        self.call(lfs.mkdir, path)

    def rename(self, old: str, new: str) -> None:
        """See `os.rename`."""
        self.call(lfs.rename, old, new)


class LfsFile:
    """A file as MicroPython's: bytes or, if `is_text`, text."""

    def __init__(self, vfs: VfsLfs2, handle: Any, is_text: bool) -> None:
        self._vfs = vfs
        self._handle = handle
        self._is_text = is_text
        self._open = True

    def _call(self, function: Any, *arguments: Any) -> Any:
        if not self._open:
            raise ValueError
        return self._vfs.call(function, self._handle, *arguments)

    def read(self, size: int = -1) -> Any:
        """At most so many bytes (characters of text are not counted apart), all by default."""
        if size >= 0:
            data = bytes(self._call(lfs.file_read, size))
        else:
            data = b""
            while piece := bytes(self._call(lfs.file_read, _CHUNK_BYTES)):
                data += piece
        return data.decode() if self._is_text else data

    def readinto(self, buf: Any) -> int:
        """Fill `buf`; how much of it was filled."""
        data = bytes(self._call(lfs.file_read, len(buf)))
        buf[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        """How much was written."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        return int(self._call(lfs.file_write, raw))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there; where that is."""
        self._call(lfs.file_seek, offset, whence)
        return self.tell()

    def tell(self) -> int:
        """Where it is."""
        return int(self._call(lfs.file_tell))

    def flush(self) -> None:
        """Write what is held back."""
        self._call(lfs.file_sync)

    def close(self) -> None:
        """Write what is held back and let go. Harmless when done twice."""
        if self._open:
            self._open = False
            self._vfs.forget(self)
            self._vfs.call(lfs.file_close, self._handle)

    def __enter__(self) -> LfsFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _configured(
    device: Any, read_bytes: int, program_bytes: int, lookahead_bytes: int
) -> tuple[_Device, lfs.LFSConfig]:
    device.ioctl(_INIT, 1)
    block_bytes, blocks = device.ioctl(_SIZE, 0), device.ioctl(_COUNT, 0)
    kept = _Device(device)
    return kept, lfs.LFSConfig(
        context=kept,
        block_size=block_bytes,
        block_count=blocks,
        read_size=read_bytes,
        prog_size=program_bytes,
        cache_size=min(block_bytes, 4 * max(read_bytes, program_bytes)),
        lookahead_size=lookahead_bytes,
        block_cycles=100,
    )


def _guarded(device: _Device, function: Any, *arguments: Any) -> Any:
    try:
        result = function(*arguments)
    except LittleFSError as error:
        if device.raised is None:
            raise DeviceError(-error.code) from None
        result = None
    if device.raised is not None:
        raised, device.raised = device.raised, None
        raise raised
    return result
