"""Brings the payload of an offer's first way into the `download` partition, in pieces that resume.
For `prepare` only.
"""

from firmware.net.http import BadResponse, GaveWay, HttpError, content_range

from .download import ONE_REQUEST_BYTES, Download
from .errors import Interrupted, Missing, StorageError
from .install import digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.partitions import Partition

    from .offer import Offer, Way
    from .record import Record
    from .server import Server

_MISSES = 3
_FAULTS = 2
_TRIES = 2  # before another way is taken: the full image is dear
_NONE = (403, 404, 410)


def _refuse(status: int) -> None:
    """Raise what an answer that is no payload comes to."""
    if status in _NONE:
        raise Missing("payload: status %d" % status)
    if status not in (200, 206):
        raise BadResponse("payload: status %d" % status)


class Payload:
    """`partition`: where it comes to."""

    def __init__(
        self,
        server: "Server",
        partition: "Partition",
        record: "Record",
        log: "Callable[[str], object]",
    ) -> None:
        self._server = server
        self._partition = partition
        self._record = record
        self._log = log

    async def bring(self, offer: "Offer") -> None:
        """Return once the payload is there, whole and with the right hash.

        Raises:
            Interrupted: what came is not what was signed: someone spoiled it on the way, or in the
                server's folder; the release is as good as before. Or ("ranges") no pieces are to be
                had, and the whole did not come at once.
            StorageError: it does not fit, or the flash does not take it.
            Missing: the server does not have it. Whatever the server's answers raise.
        """
        way = offer.ways[0]
        if offer.download is None or offer.download.digest != way.digest:
            offer.download = None
            offer.download = Download(self._partition, way.length, way.digest)
        download = offer.download
        self._log("%d of %d bytes are here" % (download.received, way.length))
        faults = 0
        while not download.complete:
            try:
                if not await self._piece(download, way):
                    # It would cost as much at each attempt: after pauses that grow to a day.
                    self._record.hold_back(offer.release.release)
                    raise Interrupted("no ranges, and the whole was cut short", "ranges")
                offer.missed = 0
            except StorageError:
                faults += 1
                if faults > _FAULTS:
                    raise
            except Missing:
                # Not with the first: anybody can say so once, and the full image is dear.
                offer.missed += 1
                if offer.missed >= _MISSES:
                    offer.missed = 0
                    self._record.count_fault(offer.release.release)
                    self._record.whole = ""  # the next look chooses anew
                    offer.try_others_first()
                raise
        if await digest_of(self._partition, way.length) == way.digest:
            return
        download.discard()
        offer.download = None
        self._record.postpone(offer.release.release, "payload_hash")
        if self._record.faults >= _TRIES:
            offer.try_others_first()
        raise Interrupted("what came is not the signed payload")

    async def _piece(self, download: Download, way: "Way") -> bool:
        """One request's worth; or the whole, where a box on the way does not know ranges: False if
        that did not come to its end. What one request brings is asked for by its short name.
        """
        first = download.received
        last = min(first + ONE_REQUEST_BYTES, download.length) - 1
        is_whole = first == 0 and last + 1 == download.length
        ranges = () if is_whole else (("Range", "bytes=%d-%d" % (first, last)),)
        is_short = is_whole and self._record.coded == "z" and self._server.has_short
        expected = (first, last, download.length)
        # Of a whole that was not asked for: what is here already, and is passed over.
        passed_over = -1

        def check(status: int, headers: dict[str, str]) -> None:
            if status in (200, 206) and headers.get("content-encoding", "identity") != "identity":
                raise BadResponse("a payload in another coding")
            nonlocal passed_over
            length = headers.get("content-length")
            if status == 206:
                if content_range(headers) != expected or length not in (
                    None,
                    str(last + 1 - first),
                ):
                    raise BadResponse("another range than asked for")
            elif status == 200:
                if length not in (None, str(download.length)):
                    raise BadResponse("another length than was signed")
                if first or last + 1 != download.length:
                    self._log("the server sends no ranges")
                    passed_over = first

        def take(data: bytes | memoryview) -> None:
            nonlocal passed_over
            if passed_over > 0:
                count = min(passed_over, len(data))
                passed_over -= count
                data = data[count:]
            elif passed_over < 0 and download.received + len(data) > last + 1:
                raise BadResponse("more than was asked for")
            download.write(data)

        try:
            response = await self._server.target(
                way.path, take, download.length, ranges, check, is_short
            )
        except GaveWay:
            return passed_over < 0  # a sale has the link; the next piece begins where this ended
        except HttpError:
            if passed_over < 0:
                raise
            return False
        if is_short and response.status in _NONE:
            self._server.has_short = False  # one of before, or a store: by its whole name, then
            return True
        _refuse(response.status)
        if download.received <= last:
            raise BadResponse("less than was promised")
        return passed_over < 0 or download.complete
