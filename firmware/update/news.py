"""All that is new in the metadata, in one answer: a patch to the files that are here
(docs/formats/release.md). For `client` only.

It saves airtime and decides nothing: what comes of it is verified as any file of the server's.
"""

import os
from hashlib import sha256
from io import BytesIO

from bootloader.shared.compat import const, sleep_ms
from bootloader.shared.tuf_paths import quoted
from firmware.kept.files import NEW, exists
from firmware.lent import give_back, load
from firmware.net.http import DEFLATED, BadResponse, plain_body

from .errors import Interrupted
from .found import NEWS, Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.kept.store import Store

    from .server import Headers, Server

ANSWER_BYTES = const(12288)
TIMESTAMP_BYTES = const(2048)
_DAY_S = const(86400)
_CHECK_BYTES = const(4)
_HEAD_BYTES = const(6)
_LARGEST = const(12288)
_PAGE_BYTES = const(256)
_TAIL_BYTES = const(64)
_VERSION = b'"version":'
_NO_SNAPSHOT = b"0"
PRESET_NAME = "1"
# The preset dictionary, docs/formats/preset-1.txt; it stays where the image lies.
PRESET = (
    b'"_type":"snapshot","expires":"2027-00-00T00:00:00Z","log":"","meta":{"alpha.json":{"versio'
    b'n":1},"brake-alpha.json":{"version":1},"brake-stable.json":{"version":1},"catalogue.json":'
    b'{"hashes":{"sha256":""},"version":2},"rollout-alpha.json":{"version":1},"rollout-stable.js'
    b'on":{"hashes":{"sha256":""},"version":2},"targets.json":{"version":1}},"spec_version":"1.0'
    b'.31","version":1}}"roles":[{"keyids":[""],"name":"stable","paths":["stable/*/*"],"terminat'
    b'ing":true,"threshold":2},{"keyids":[""],"name":"rollout-stable","paths":["rollout/stable/*'
    b'"],"terminating":true,"threshold":1}]},"_type":"targets","expires":"2027-00-00T00:00:00Z",'
    b'"log":"","spec_version":"1.0.31","targets":{"stable/duka-r1/2-from-1.patch":{"hashes":{"sh'
    b'a256":""},"length":1000},"stable/duka-r1/2.full":{"custom":{"built":1790000000,"commit":""'
    b',"gate":{"battery_mv":3600,"idle_s":10,"unsynced_records":50},"hardware":{"class":"duka-r1'
    b'","revisions":[1]},"image":{"sha256":"","size_bytes":250000},"journal":{"reads":[1],"write'
    b's":1},"min_bootloader":1,"pace":[2,3000,3,24,0,1000000],"payloads":[{"kind":"full","path":'
    b'"stable/duka-r1/2.full"},{"base_sha256":"","kind":"patch","path":"stable/duka-r1/2-from-1.'
    b'patch"}],"release":2,"security_version":1,"stepping_stone":0,"text":{"en":"","fr":""},"tri'
    b'al":{"crashes_allowed":2,"selftest_deadline_s":300,"unconfirmed_boots_allowed":16},"versio'
    b'n":"1.0.0"},"hashes":{"sha256":""},"length":100000}},"version":2}}"targets":{"rollout/stab'
    b'le/plan.json":{"custom":{"control":{"2":[0,0]},"flags":{},"halted":[],"releases":{"2":["",'
    b'10000]},"within":{"2":0}},"hashes":{"sha256":""},"length":100}},"version":2}}'
)


def place(store: "Store", channel: str) -> str:
    """What is asked for: "<root version>.<snapshot version>.<channel>.<preset dictionary>", or ""
    if there is not enough here to begin from: what comes is a patch to all files that the snapshot
    here lists. Without a snapshot, as after a new root or on the first day, to the root alone.
    """
    snapshot = store.read("snapshot.json", _LARGEST)
    root = _version(store, "root")
    here = _NO_SNAPSHOT if snapshot is None else _version(store, "snapshot")
    if root == b"" or here == b"":
        return ""
    asked = ".".join((str(root, "ascii"), str(here, "ascii"), channel, PRESET_NAME))
    if snapshot is None:
        return asked
    for role in _roles(channel):
        at = snapshot.find(b'"' + role.encode() + b'.json":{')
        if at >= 0 and _digits(snapshot, snapshot.find(_VERSION, at)) != _version(store, role):
            return ""  # a refresh was cut, or the technician brought only what he needed
    return asked


def _roles(channel: str) -> tuple[str, ...]:
    return ("targets", channel, "catalogue", "rollout-" + channel)


def _version(store: "Store", role: str) -> bytes:
    """The digits of the version of the file of `role` here, or b""."""
    try:
        with open(store.path(quoted(role) + ".json"), "rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            tail = file.read(_TAIL_BYTES)
    except OSError:
        return b""
    return _digits(tail, tail.rfind(_VERSION))  # canonical JSON: of `signed` it is the last name


def _digits(data: bytes, at: int) -> bytes:
    """The digits behind the name of a version at that place, or b""."""
    digits = data[at + len(_VERSION) :].split(b"}")[0] if at >= 0 else b""
    return digits if digits.isdigit() else b""


class _Here:
    """The files of `roles`, in a row, and the preset dictionary behind them."""

    def __init__(self, store: "Store", roles: tuple[str, ...]) -> None:
        self._files = []
        self.size = len(PRESET)
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
        buf[:] = PRESET[offset : offset + len(buf)]


class _Made:
    """What comes of a patch, in a file from the first byte on: a frayed heap has no room for it in
    one piece. `digest` is fed with it.
    """

    def __init__(self, path: str, digest: "Any") -> None:
        self._file = open(path, "w+b")  # noqa: SIM115 closed by who reads the patch
        self._digest = digest
        self._page = bytearray(_PAGE_BYTES)
        self._filled = self._flushed = 0

    def write(self, view: memoryview) -> None:
        """More of it."""
        while len(view):
            count = min(_PAGE_BYTES - self._filled, len(view))
            self._page[self._filled : self._filled + count] = view[:count]
            self._filled += count
            view = view[count:]
            if self._filled == _PAGE_BYTES:
                self._flush()

    def _flush(self) -> None:
        piece = memoryview(self._page)[: self._filled]
        self._digest.update(piece)
        self._file.seek(self._flushed)
        self._file.write(piece)
        self._flushed += self._filled
        self._filled = 0

    def made(self, offset: int, view: memoryview) -> None:
        """Fill `view` from what was written."""
        count = min(max(self._flushed - offset, 0), len(view))
        if count:
            self._file.seek(offset)
            self._file.readinto(view[:count])
        if count < len(view):
            first = offset + count - self._flushed
            view[count:] = self._page[first : first + len(view) - count]

    def end(self) -> bytes:
        """All was written; the digest."""
        self._flush()
        found: bytes = self._digest.digest()
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


async def ask(
    server: "Server",
    store: "Store",
    channel: str,
    time_s: "Callable[[], int]",
    tag: str,
    coded: str,
) -> Found:
    """What is new, as `_News.ask`; the caller gives this module back, before it looks at it."""
    news = _News(server, store, channel, time_s)
    news.found.timestamp = await news.ask(tag, coded)
    return news.found


class _News:
    """One question what is new."""

    def __init__(
        self, server: "Server", store: "Store", channel: str, time_s: "Callable[[], int]"
    ) -> None:
        self._store = store
        self._server = server
        self._channel = channel
        self._time_s = time_s
        roles = ("snapshot",) + _roles(channel)
        had = roles if exists(store.path("snapshot.json")) else ()
        self._here = _Here(store, ("root",) + had)
        self._roles = ("timestamp",) + roles
        self.found = Found(server, store)

    async def ask(self, tag: str, coded: str) -> bytes | None:
        """The new timestamp; None if the one that has `tag` still is the newest, or if the new one
        is among `found.places`.

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
                await self._take(answer)
                return None
        condition = (DEFLATED,) + condition
        response = await self._server.get("timestamp.json", TIMESTAMP_BYTES, condition)
        if response.status == 304 and tag:
            return None
        if response.status != 200:
            raise BadResponse("timestamp.json: status %d" % response.status)
        self.found.told = response.headers.get("etag", "")
        return plain_body(response, TIMESTAMP_BYTES)

    async def _take(self, answer: bytes) -> None:
        reader = load("firmware.update.reader")
        try:
            await self._expand(reader.bring(), answer)
        finally:
            reader.tidy()
            give_back(("firmware.update.reader",))

    async def _expand(self, reader: "Any", answer: bytes) -> None:
        size = int.from_bytes(answer[_CHECK_BYTES:_HEAD_BYTES], "big")
        if len(answer) <= _HEAD_BYTES or size > _LARGEST:
            raise Interrupted("news: malformed")
        read = BytesIO(answer[_HEAD_BYTES:]).readinto
        here = self._here
        made = _Made(self._store.path(NEWS + NEW), self._digest())
        is_good = False
        try:
            for _ in reader.apply(read, here.read, here.size, made.write, made.made, size):
                await sleep_ms(0)
            if made.end()[:_CHECK_BYTES] != answer[:_CHECK_BYTES]:
                raise Interrupted("news to other files than are here")
            is_good = True
        except reader.PatchError as error:
            raise Interrupted("news: " + str(error))
        finally:
            made.close()
            if not is_good:
                self._store.remove(NEWS + NEW)
        self._store.accept(NEWS)
        self._index(size)

    def _digest(self) -> "Any":
        digest = sha256()
        piece = bytearray(256)
        for offset in range(0, self._here.size, len(piece)):
            view = memoryview(piece)[: min(len(piece), self._here.size - offset)]
            self._here.read(offset, view)
            digest.update(view)
        return digest

    def _index(self, size: int) -> None:
        offset = 0
        with open(self._store.path(NEWS), "rb") as file:
            for role in self._roles:
                file.seek(offset)
                length = int.from_bytes(file.read(2), "big")
                offset += 2
                if length:
                    self.found.places[quoted(role) + ".json"] = (offset, length)
                offset += length
        if offset != size or "timestamp.json" not in self.found.places:
            raise Interrupted("news: malformed")
