"""An image or a file that comes over the cable in pieces. The commands begin one and judge it."""

import os
from hashlib import sha256

from bootloader.shared.compat import const
from bootloader.shared.partitions import SECTOR_BYTES, make_firm
from bootloader.shared.tidy import tidy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedWriter

    from bootloader.shared.control import Slot
    from bootloader.shared.partitions import Partition

_PROGRESS = "/data/upload"
_NOTE_EVERY = const(0x8000)  # a note costs about as much flash as a sector of the image
_NOTE_HEAD = const(33)
_PIECE_MARK = const(8)


class ImageUpload:
    """The image of `entry` on its way into the slot `slot`, whose partition is given.

    `offset` is how much of it is in flash.
    """

    def __init__(self, slot: str, partition: "Partition", entry: "Slot") -> None:
        self.slot = slot
        self.entry = entry
        self.size_bytes = entry.image_size
        self.sha256 = entry.sha256
        self.offset = 0
        self._partition = partition
        self._erased_bytes = 0
        # What is kept of an upload under way, for after a power cut: which, and 8 bytes of SHA-256
        # of each `_NOTE_EVERY` bytes that came.
        self._note = slot.encode() + entry.sha256

    def write(self, data: bytes) -> None:
        """Put `data`, which must fit, behind what came before. Raises OSError."""
        end = self.offset + len(data)
        while self._erased_bytes < end:
            self._partition.erase_sector(self._erased_bytes)
            self._erased_bytes += SECTOR_BYTES
        self._partition.program(self.offset, data)
        self.offset = end
        if self._noted_bytes() + _NOTE_EVERY <= end < self.size_bytes:
            self._keep_note()

    def resume(self) -> None:
        """Go on where a power cut ended an upload of the same image, as far as the slot still holds
        what came then."""
        try:
            with open(_PROGRESS, "rb") as file:
                kept = file.read(256)
        except OSError:
            return
        if kept[:_NOTE_HEAD] != self._note:
            return
        for at in range(_NOTE_HEAD, len(kept) - _PIECE_MARK + 1, _PIECE_MARK):
            start = self._noted_bytes()
            if start + _NOTE_EVERY >= self.size_bytes:
                break
            for sector in range(start, start + _NOTE_EVERY, SECTOR_BYTES):
                make_firm(self._partition, sector)
            if self._piece_mark(start) != kept[at : at + _PIECE_MARK]:
                break
            self._note += kept[at : at + _PIECE_MARK]
        self.offset = self._erased_bytes = self._noted_bytes()

    def _noted_bytes(self) -> int:
        return (len(self._note) - _NOTE_HEAD) // _PIECE_MARK * _NOTE_EVERY

    def _keep_note(self) -> None:
        """Note how far it came. It spares sending again, nothing else: no error ends the upload."""
        self._note += self._piece_mark(self._noted_bytes())
        try:
            with open(_PROGRESS + ".new", "wb") as file:
                file.write(self._note)
            os.rename(_PROGRESS + ".new", _PROGRESS)
        except OSError:
            tidy()

    def _piece_mark(self, start: int) -> bytes:
        """What stands in a note for `_NOTE_EVERY` bytes of the slot."""
        digest = sha256()
        for at in range(start, start + _NOTE_EVERY, SECTOR_BYTES):
            digest.update(self._partition.read(at, SECTOR_BYTES))
        found: bytes = digest.digest()
        return found[:_PIECE_MARK]


def forget_note() -> None:
    """The slot holds no longer what a note of an upload tells of. Never raises."""
    try:
        os.remove(_PROGRESS)
    except OSError:
        pass  # there is none, or it will not fit what the slot holds


class FileUpload:
    """The file `name` of `size_bytes` on its way, as `name`.new until it is taken.

    Raises OSError if it cannot be opened.
    """

    def __init__(self, name: str, size_bytes: int) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self.offset = 0
        self._file: BufferedWriter = open(name + ".new", "wb")  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Put `data` behind what came before. Raises OSError."""
        self._file.write(data)
        self.offset += len(data)

    def close(self) -> None:
        """All has come, and may be read under `name`.new. Raises OSError."""
        self._file.close()

    def take(self) -> None:
        """It takes the place of the file that had its name. Raises OSError."""
        os.rename(self.name + ".new", self.name)

    def drop(self) -> None:
        """Leave nothing of it. Never raises."""
        try:
            self._file.close()
        except OSError:
            pass  # a full disk says so here
        try:
            os.remove(self.name + ".new")
        except OSError:
            pass
