"""What is asked of the update server: metadata and targets, by their names. For `client` and its
pieces.
"""

from bootloader.shared.compat import collect, const
from firmware import counts
from firmware.net.http import (
    DEFLATED,
    BadResponse,
    ConnectionLost,
    GaveWay,
    HttpError,
    plain_body,
)

from .errors import Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.net.http import Response
    from firmware.net.http_client import HttpClient

    Headers = tuple[tuple[str, str], ...]

_METADATA = "/tuf/metadata/"
_TARGETS = "/tuf/targets/"
_SHORT = "/tuf/p/"
_SHORT_DIGITS = const(16)
_NEWS = "/tuf/news/"
_DOWNLOADS_TRIED = const(14)
_DOWNLOADS_FAILED = const(15)
# What airtime is spent on, of `counts`.
_AIR_POLL = const(4)
_AIR_METADATA = const(5)
_AIR_UPDATE = const(6)
_AIR_WASTED = const(7)
_NOT_MODIFIED = const(304)


class Server:
    """`http` may be replaced at any time. Raises HttpError beside what is said."""

    def __init__(self, http: "HttpClient") -> None:
        self.http = http
        self.no_news_s = -86400
        """When all in one answer was of no use last."""
        self.has_short = True
        """Whether targets may have short names there: until it says that it has none so."""

    async def get(self, name: str, limit_bytes: int, headers: "Headers" = ()) -> "Response":
        """The server's answer for a file of metadata, whatever it is."""
        return await self._get(_METADATA + name, limit_bytes, headers)

    async def news(self, place: str, limit_bytes: int, headers: "Headers") -> "Response":
        """The server's answer to what is new since `place`, whatever it is."""
        return await self._get(_NEWS + place, limit_bytes, headers)

    async def _get(self, path: str, limit_bytes: int, headers: "Headers") -> "Response":
        while True:
            purpose = _AIR_WASTED
            try:
                response = await self.http.request("GET", path, headers, limit_bytes=limit_bytes)
                purpose = _AIR_POLL if response.status == _NOT_MODIFIED else _AIR_METADATA
                return response
            except GaveWay:
                pass  # it is asked again once the sale has its answer
            finally:
                counts.spent(purpose)

    async def metadata(self, name: str, limit_bytes: int) -> bytes:
        """A file of metadata. Raises Missing."""
        try:
            return await self._metadata(name, limit_bytes, (DEFLATED,))
        except MemoryError:
            # Expanding holds a file twice. As it is it costs more airtime; never learning, more.
            collect()
            return await self._metadata(name, limit_bytes, ())

    async def _metadata(self, name: str, limit_bytes: int, headers: "Headers") -> bytes:
        response = await self.get(name, limit_bytes, headers)
        if response.status in (403, 404):
            raise Missing(name + ": status %d" % response.status)
        if response.status != 200:
            raise BadResponse(name + ": status %d" % response.status)
        return plain_body(response, limit_bytes)

    async def target(
        self,
        name: str,
        sink: "Callable[[bytes | memoryview], object]",
        limit_bytes: int,
        headers: "Headers" = (),
        on_head: "Callable[[int, dict[str, str]], None] | None" = None,
        is_short: bool = False,
    ) -> "Response":
        """A target, or what `headers` ask of it, to `sink` piece by piece; with `is_short`, asked
        for by the beginning of its SHA-256 (docs/formats/release.md, "Short names").

        Raises:
            GaveWay: a sale has the link; what `sink` got is good.
        """
        counts.add(_DOWNLOADS_TRIED)
        purpose = _AIR_UPDATE
        path = _TARGETS + name
        if is_short:
            folder, _, name = name.rpartition("/")
            path = _SHORT + folder + "/" + name[:_SHORT_DIGITS]
        try:
            return await self.http.request(
                "GET", path, headers, sink=sink, limit_bytes=limit_bytes, on_head=on_head
            )
        except ConnectionLost:
            counts.add(_DOWNLOADS_FAILED)  # what came is kept
            raise
        except HttpError as error:
            if not isinstance(error, GaveWay):
                purpose = _AIR_WASTED
            raise
        finally:
            counts.spent(purpose)
