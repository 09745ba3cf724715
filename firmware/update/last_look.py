"""Whether all that the last look at the metadata led to is still here, and the tag that asks the
server if anything is newer (docs/formats/release.md). For `client` only.

No answer of the network is remembered: the tag is reckoned from the bytes here.
"""

from hashlib import sha256

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.kept.store import Store

    from .record import Record

_LOOK_S = const(86400)  # so long at most is "nothing new" believed without looking
_TAG_HEX_DIGITS = const(16)


class LastLook:
    """`facts()`: what else than files decides what a look leads to."""

    def __init__(
        self,
        record: "Record",
        trust: "Store",
        files: "Store",
        time_s: "Callable[[], int]",
        facts: "Callable[[], tuple[object, ...]]",
    ) -> None:
        self._record = record
        self._trust = trust
        self._files = files
        self._time_s = time_s
        self._facts = facts

    def tag(self) -> str:
        """The server's tag of the timestamp that is here; "" if a 304 to it would not mean that
        all is well.
        """
        record = self._record
        since_s = self._time_s() - record.looked_s
        # A word that nothing is new is not under anybody's seal: it holds for a day.
        if not record.whole or (self._time_s() and not 0 <= since_s < _LOOK_S):
            return ""
        if record.whole != self._seal():
            return ""
        return self.stem() + record.coded + '"'

    def note(self, told: str, is_whole: bool) -> None:
        """A look was had, which `told` so tags; is_whole: nothing is left to do."""
        self._record.whole = self._seal() if is_whole else ""
        # Of the answer's tag only which of the file's two it is: a proxy may expand what it passes.
        self._record.coded = "" if told.endswith(self.stem() + '"') else "z"
        self._record.looked_s = self._time_s()
        self._record.save()

    def _seal(self) -> str:
        digest = sha256(repr(self._facts()).encode())
        self._trust.feed(digest.update, "timestamp.json")
        self._files.feed(digest.update, "catalogue.json")
        seal: str = digest.digest().hex()
        return seal[: 2 * _TAG_HEX_DIGITS]

    def stem(self) -> str:
        """What both of the server's tags of the timestamp that is here begin with."""
        digest = sha256()
        self._trust.feed(digest.update, "timestamp.json")
        text: str = digest.digest().hex()
        return '"' + text[:_TAG_HEX_DIGITS]
