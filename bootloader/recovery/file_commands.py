"""The technician's commands about files under /data (SMP group 8): they come in, none goes out."""

import os

from bootloader.recovery import smp, trust
from bootloader.recovery.smp import SmpError, field
from bootloader.recovery.uploads import FileUpload
from bootloader.shared.compat import const
from bootloader.shared.tidy import make_room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.recovery.holdings import Holdings
    from bootloader.recovery.smp import Body

_NAME_BYTES = const(64)
_FILE_BYTES = const(0x10000)


class FileCommands:
    """Each method answers one command; all raise SmpError for what is refused."""

    def __init__(self, holdings: "Holdings") -> None:
        self._holdings = holdings
        self._upload: FileUpload | None = None

    def no_download(self, body: "Body") -> "Body":
        """File download: refused."""
        raise SmpError(smp.RC_DENIED, "files cannot be read out")

    def upload(self, body: "Body") -> "Body":
        """File upload: one piece; with the last the file is judged, and taken or dropped."""
        offset = field(body, "off", int)
        data = field(body, "data", bytes)
        name = field(body, "name", str)
        upload = self._upload
        if offset == 0:
            self._drop()
            upload = self._begin(name, field(body, "len", int), len(data))
        elif upload is None or upload.name != name:
            return {"off": 0}
        if offset != upload.offset:
            return {"off": upload.offset}
        if offset + len(data) > upload.size_bytes:
            raise SmpError(smp.RC_INVALID, "more bytes than the file has")
        try:
            upload.write(data)
            if upload.offset == upload.size_bytes:
                upload.close()
                is_sealed = self._holdings.is_sealed()
                trust.check_file(name, name + ".new", is_sealed, self._holdings.permitted)
                upload.take()
                self._upload = None
        except BaseException:
            self._drop()
            raise
        return {"off": upload.offset}

    def _begin(self, name: str, size_bytes: int, first_bytes: int) -> FileUpload:
        parts = name.split("/")
        if (
            len(name.encode()) > _NAME_BYTES
            or len(parts) < 3
            or parts[:2] != ["", "data"]
            or any(part in ("", ".", "..") or part.endswith(".new") for part in parts[2:])
            or any(ord(char) < 33 or char == "\\" for char in name)
        ):
            raise SmpError(smp.RC_DENIED, "files go under /data/ only")
        is_signed = parts[2] == "trust" or parts[2:] == ["catalogue.json"]
        if not 0 <= size_bytes <= (trust.FILE_BYTES if is_signed else _FILE_BYTES):
            raise SmpError(smp.RC_INVALID, "the file is too large")
        if first_bytes > size_bytes:
            raise SmpError(smp.RC_INVALID, "more bytes than the file has")
        self._holdings.mount()
        if not is_signed and self._holdings.is_sealed() and self._holdings.permitted is None:
            raise trust.Refused(trust.NEEDS_PERMIT)
        if not make_room(size_bytes) and not is_signed:
            raise SmpError(smp.RC_NO_MEMORY, "no room under /data")
        for depth in range(3, len(parts)):
            try:
                os.mkdir("/".join(parts[:depth]))
            except OSError:
                pass  # it is there; if it could not be made, opening the file says so
        self._upload = FileUpload(name, size_bytes)
        return self._upload

    def _drop(self) -> None:
        """Leave nothing of a file that was not taken."""
        upload, self._upload = self._upload, None
        if upload:
            upload.drop()
