"""All that is new in the metadata, in one answer: a patch to the files that are here
(docs/formats/release.md). For `client` only.

It saves airtime and decides nothing: what comes of it is verified as any file of the server's.
"""

import os
from hashlib import sha256
from io import BytesIO

from bootloader.shared.compat import const, sleep_ms
from bootloader.shared.tuf_paths import quoted
from firmware.lent import give_back, load
from firmware.net.http import DEFLATED, BadResponse, plain_body

from .errors import Interrupted, Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.kept.store import Store

    from .server import Headers, Server

ANSWER_BYTES = const(12288)
TIMESTAMP_BYTES = const(2048)
_DAY_S = const(86400)
_FILE = "news"
_CHECK_BYTES = const(4)
_HEAD_BYTES = const(6)
_LARGEST = const(12288)


def place(store: "Store", channel: str) -> str:
    """What is asked for: "<root version>.<snapshot version>.<channel>", or "" if there is not
    enough here to begin from.
    """
    versions = []
    for name in ("root.json", "snapshot.json"):
        # Canonical JSON: of `signed` the version is the last name.
        data = store.read(name, _LARGEST) or b""
        digits = data[data.rfind(b'"version":') + 10 :].split(b"}")[0].split(b",")[0]
        if not digits.isdigit():
            return ""
        versions.append(str(digits, "ascii"))
    return ".".join(versions) + "." + channel


class _Here:
    """The files of `roles`, in a row."""

    def __init__(self, store: "Store", roles: tuple[str, ...]) -> None:
        self._files = []
        self.size = 0
        for role in roles:
            path = store.path(quoted(role) + ".json")
            try:
                size: int = os.stat(path)[6]
            except OSError:
                continue
            self._files.append((path, size))
            self.size += size

    def read(self, offset: int, buf: memoryview) -> None:
        """Fill `buf` from there."""
        for path, size in self._files:
            if offset < size and len(buf):
                count = min(len(buf), size - offset)
                with open(path, "rb") as file:
                    file.seek(offset)
                    file.readinto(buf[:count])
                buf = buf[count:]
                offset = 0
            else:
                offset -= size
                if offset < 0:
                    offset = 0


class News:
    """One question what is new, and the answer. What one answer brought is kept in the store until
    it is taken in. `told`: the timestamp's tag, as the server said it.
    """

    def __init__(
        self, server: "Server", store: "Store", channel: str, time_s: "Callable[[], int]"
    ) -> None:
        self._store = store
        self._server = server
        self._channel = channel
        self._time_s = time_s
        roles = ("snapshot", "targets", channel, "catalogue", "rollout-" + channel)
        self._here = _Here(store, ("root",) + roles)
        self._roles = ("timestamp",) + roles
        self._found: dict[str, tuple[int, int]] = {}
        self.told = ""

    async def ask(self, tag: str, coded: str) -> bytes | None:
        """The new timestamp; None if the one that has `tag` still is the newest.

        `coded`: "z" of a server of ours: only there is all in one answer, and where that was of no
        use, it is not asked for again for a day.

        Raises:
            Interrupted: an answer that is no news to what is here. Whatever `server` raises.
        """
        since_s = self._time_s() - self._server.no_news_s
        condition: "Headers" = (("If-None-Match", tag),) if tag else ()
        asked = ""
        if coded == "z" and not 0 <= since_s < _DAY_S:
            asked = place(self._store, self._channel)
        if asked:
            response = await self._server.news(asked, ANSWER_BYTES, condition)
            if response.status == 304 and tag:
                return None
            self._server.no_news_s = self._time_s()  # unless all goes well
            if response.status == 200:
                answer = response.body
                del response
                return await self._take(answer)
        condition = (DEFLATED,) + condition
        response = await self._server.get("timestamp.json", TIMESTAMP_BYTES, condition)
        if response.status == 304 and tag:
            return None
        if response.status != 200:
            raise BadResponse("timestamp.json: status %d" % response.status)
        self.told = response.headers.get("etag", "")
        return plain_body(response, TIMESTAMP_BYTES)

    def mistrust(self, error: Exception) -> None:
        """What came was refused: file by file it shows whose fault that is. Raises Interrupted if
        it came in one answer.
        """
        if self._found:
            self._store.remove(_FILE)
            raise Interrupted("news: " + str(error))

    def end(self) -> None:
        """All is taken in."""
        if self._found:
            self._store.remove(_FILE)
            self._server.no_news_s = -_DAY_S

    async def _take(self, answer: bytes) -> bytes:
        load("firmware.update.patch", ("firmware.update.model",))
        try:
            await self._expand(answer)
        finally:
            give_back(("firmware.update.patch", "firmware.update.model"))
        offset, length = self._found["timestamp.json"]
        with open(self._store.path(_FILE), "rb") as file:
            file.seek(offset)
            return file.read(length)

    async def _expand(self, answer: bytes) -> None:
        from .patch import PatchError, apply

        size = int.from_bytes(answer[_CHECK_BYTES:_HEAD_BYTES], "big")
        if len(answer) <= _HEAD_BYTES or size > _LARGEST:
            raise Interrupted("news: malformed")
        made = bytearray(size)
        done = [0]

        def write(view: memoryview) -> None:
            made[done[0] : done[0] + len(view)] = view
            done[0] += len(view)

        read = BytesIO(answer[_HEAD_BYTES:]).readinto
        here = self._here
        try:
            for _ in apply(read, here.read, here.size, write, lambda at: made[at], size):
                await sleep_ms(0)
        except PatchError as error:
            raise Interrupted("news: " + str(error))
        if self._digest(made)[:_CHECK_BYTES] != answer[:_CHECK_BYTES]:
            raise Interrupted("news to other files than are here")
        self._index(made)
        self._store.write(_FILE, made)

    def _digest(self, made: bytearray) -> bytes:
        digest = sha256()
        piece = bytearray(256)
        for offset in range(0, self._here.size, len(piece)):
            view = memoryview(piece)[: min(len(piece), self._here.size - offset)]
            self._here.read(offset, view)
            digest.update(view)
        digest.update(made)
        return digest.digest()

    def _index(self, made: bytearray) -> None:
        offset = 0
        for role in self._roles:
            length = int.from_bytes(made[offset : offset + 2], "big")
            offset += 2
            if length:
                self._found[quoted(role) + ".json"] = (offset, length)
            offset += length
        if offset != len(made) or "timestamp.json" not in self._found:
            raise Interrupted("news: malformed")

    async def fetch(self, name: str, limit_bytes: int) -> bytes:
        """As `Server.metadata`, out of the news where that has it. There is no newer root, or there
        would be no news.
        """
        name_only = name.split(".", 1)[1]
        if name_only == "root.json" and self._found:
            raise Missing(name)
        if name_only not in self._found:
            return await self._server.metadata(name, limit_bytes)
        offset, length = self._found[name_only]
        with open(self._store.path(_FILE), "rb") as file:
            file.seek(offset)
            return file.read(min(length, limit_bytes + 1))
