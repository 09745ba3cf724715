"""The note of what was verified once. A check of a signature takes a board a second, so the note
outlives power-off. For `client` only.

Serial recovery takes files under /data from anyone: only the terminal itself can seal the note.
"""

from bootloader.shared.compat import const
from bootloader.shared.hashes import hmac_sha256
from bootloader.shared.tuf_signed import KNOWN_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.kept.store import Store

_FILE = "verified"
_DIGEST_BYTES = const(32)


class Verified:
    """`known`: digests of the files whose signatures this terminal found good, as
    `tuf.TrustedMetadata` takes them and adds to them. Without a `key` there is no note.
    """

    def __init__(self, files: "Store", key: bytes | None, log: "Callable[[str], object]") -> None:
        self._files = files
        self._key = key
        self._log = log
        self.known = self._read()
        self._noted = tuple(self.known)

    def _read(self) -> list[bytes]:
        note = self._files.read(_FILE, (KNOWN_FILES + 1) * _DIGEST_BYTES)
        if not self._key or not note or len(note) % _DIGEST_BYTES:
            return []
        if hmac_sha256(self._key, note[_DIGEST_BYTES:]) != note[:_DIGEST_BYTES]:
            self._log("the note of verified files is not this terminal's")
            return []
        starts = range(_DIGEST_BYTES, len(note), _DIGEST_BYTES)
        return [note[at : at + _DIGEST_BYTES] for at in starts]

    def keep(self) -> None:
        """Write the note if anything was added."""
        if not self._key or tuple(self.known) == self._noted:
            return
        note = b"".join(self.known)
        try:
            self._files.write(_FILE, hmac_sha256(self._key, note) + note)
            self._log("noted what is verified")
        except OSError as error:
            self._log("note of verified files: " + str(error))  # it saves time, nothing else
