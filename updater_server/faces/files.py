"""The TUF repository over HTTP: static files, with as few header bytes as GPRS deserves. For `app`.

Strong ETags, one byte range, If-Range, If-None-Match, HEAD; nothing outside the folder, no links,
no hidden files. Metadata goes out deflated to whoever takes that: half of its airtime.
Source: RFC 9110 sections 8.8.3, 13 and 14; RFC 9111 section 5.2.2.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import stat
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from litestar.types import Receive, Scope, Send

from updater_server.channels.newest import TAG_BYTES
from updater_server.channels.news import news
from updater_server.faces.lanes import Lane

ETAG_HEX_DIGITS = 2 * TAG_BYTES
PIECE_BYTES = 64 * 1024
FILE_LIMIT_BYTES = 16 * 1024 * 1024
_SEGMENT = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")
_ENTITY_TAG = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')
_SHORT_FOLDER = "p"
_SHORT = re.compile("[0-9a-f]{16}")
_MUTABLE = "metadata/timestamp.json"
_DEFLATE_LIMIT_BYTES = 65536
_DEFLATE_WINDOW_BITS = 12  # what a terminal has memory for
_CACHE_MUTABLE = b"max-age=60"
_CACHE_IMMUTABLE = b"max-age=31536000,immutable"


def _matches(wanted: str, etag: str) -> bool:
    """Whether If-None-Match holds, compared weakly (RFC 9110 section 13.1.2): a proxy that recodes
    what it passes on makes tags weak.
    """
    if wanted.strip() == "*":
        return True
    at = 0
    while at < len(wanted):
        tag = _ENTITY_TAG.match(wanted, at)
        if not tag:
            return False
        if tag[1] == etag:
            return True
        at = tag.end()
    return False


def _takes_deflate(headers: dict[bytes, bytes]) -> bool:
    for item in headers.get(b"accept-encoding", b"").decode("latin-1").lower().split(","):
        coding, _, parameters = item.partition(";")
        if coding.strip() == "deflate":
            return not re.search(r"q=0(\.0*)?\s*$", parameters)
    return False


@functools.lru_cache(256)
def _deflate(data: bytes) -> bytes:
    # A terminal allocates the window that the stream names, in one piece: no larger than the file.
    bits = min(max(9, (len(data) - 1).bit_length()), _DEFLATE_WINDOW_BITS)
    packer = zlib.compressobj(9, wbits=bits)
    return packer.compress(data) + packer.flush()


class Part(NamedTuple):
    """A stretch of a file."""

    first: int
    length: int


def _wanted_part(asked: str, size: int) -> Part | None:
    """What a Range header asks of a file (RFC 9110 section 14.1.2); None if it is invalid, and so
    ignored, and a length of 0 or less if the file has none of it.
    """
    match = _RANGE.fullmatch(asked)
    if not match:
        return None
    begin, end = match.groups()
    if begin:
        first = int(begin)
        if end and int(end) < first:
            return None
        last = min(int(end), size - 1) if end else size - 1
    elif end:  # so many from the end
        first, last = max(size - int(end), 0), size - 1
    else:
        return None
    return Part(first, last - first + 1)


@dataclass(frozen=True)
class Answer:
    """One response before it is sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    part: Part | None = None
    """Of the file, where that is the body."""


class StaticFiles:
    """Serves `folder/metadata` and `folder/targets`."""

    def __init__(
        self, folder: Path, lane: Lane, in_force: Callable[[], Path] | None = None
    ) -> None:
        """`in_force()` says in which folder the metadata to be given out is, if not in `folder`."""
        self._folder = folder
        self._lane = lane
        self._in_force = in_force
        self._etags: OrderedDict[tuple[int, int, int], str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application; the request's path begins with /tuf/."""
        headers = {name.lower(): value for name, value in scope["headers"]}
        # Litestar ends a mounted application's path with a slash of its own.
        path = scope["path"].removeprefix("/tuf/").strip("/")
        method = str(scope.get("method", "GET"))
        answer, file = await self._lane.run(self._begun, method, path, headers)
        length = answer.part.length if answer.part else len(answer.body)
        sent = [*answer.headers, (b"content-length", str(length).encode())]
        if answer.status == 304:
            sent.pop()
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        with file or contextlib.nullcontext():
            while file and method != "HEAD" and length > 0:
                piece = await self._lane.run(file.read, min(length, PIECE_BYTES))
                if not piece:
                    raise OSError(f"{path} has become shorter")
                length -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        body = b"" if method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def answer(self, method: str, path: str, headers: dict[bytes, bytes]) -> Answer:
        """What a request for `path` (below /tuf/) gets; `headers` has lower-case names."""
        answer, file = self._begun(method, path, headers)
        if file is None or answer.part is None:
            return answer
        with file:
            return replace(answer, body=file.read(answer.part.length), part=None)

    def _begun(
        self, method: str, path: str, headers: dict[bytes, bytes]
    ) -> tuple[Answer, BinaryIO | None]:
        """The answer; where its body is a large part of a file, that file, open at its place: what
        a slow far end has not taken yet stays on the disk.
        """
        if method not in ("GET", "HEAD"):
            return Answer(405, ((b"allow", b"GET, HEAD"),)), None
        segments = path.split("/")
        if segments[0] not in ("metadata", "targets") or len(segments) > 8:
            return self._for_terminals(segments, headers), None
        if not all(_SEGMENT.fullmatch(segment) for segment in segments):
            return Answer(404), None
        folder = self._folder
        if self._in_force is not None and segments[0] == "metadata":
            folder = self._in_force()  # none of the other's: a new root fits no old timestamp
        try:
            file = self._open(folder, segments)
        except OSError:
            return Answer(404), None
        with contextlib.ExitStack() as closing:
            closing.enter_context(file)
            try:
                answer = self._serve(file, path, headers)
                if answer.part is None:
                    return answer, None
                first, length = answer.part
                file.seek(first)
                if length <= PIECE_BYTES:
                    return replace(answer, body=file.read(length), part=None), None
            except OSError:
                return Answer(404), None
            closing.pop_all()
            return answer, file

    def _for_terminals(self, segments: list[str], headers: dict[bytes, bytes]) -> Answer:
        """What has no plain file of its own."""
        if segments[0] == "news" and len(segments) == 2:
            return self._news(segments[1], headers)
        is_short = segments[0] == _SHORT_FOLDER and len(segments) == 4
        return self._short(segments[1:]) if is_short else Answer(404)

    def _short(self, asked: list[str]) -> Answer:
        """A small payload by channel, class and the beginning of its SHA-256, with the fewest bytes
        around it; the whole of it, and nothing that takes more than one piece.
        """
        *place, digits = asked
        if not (all(map(_SEGMENT.fullmatch, place)) and _SHORT.fullmatch(digits)):
            return Answer(404)
        try:
            there = self._folder.joinpath("targets", *place).iterdir()
            names = [one.name for one in there if one.name.startswith(digits)]
            (_,) = {one.partition(".")[0] for one in names}
            with self._open(self._folder, ["targets", *place, names[0]]) as file:
                body = file.read(PIECE_BYTES + 1)
        except (OSError, ValueError):  # none, or two contents that begin so
            return Answer(404)
        return Answer(200, body=body) if len(body) <= PIECE_BYTES else Answer(404)

    def _news(self, asked: str, headers: dict[bytes, bytes]) -> Answer:
        """All that is new in the metadata, or that nothing is: then the tag that came is the
        timestamp's, deflated or not."""
        folder = self._in_force() if self._in_force is not None else self._folder
        try:
            with self._open(folder, _MUTABLE.split("/")) as file:
                etag = self._etag(file)
        except OSError:
            return Answer(404)
        wanted = headers.get(b"if-none-match", b"").decode("latin-1")
        if any(_matches(wanted, tag) for tag in (etag, f'{etag[:-1]}z"')):
            return Answer(304)
        found = news(folder / "metadata", asked)
        return Answer(404) if found is None else Answer(200, body=found)

    def _open(self, root: Path, segments: list[str]) -> BinaryIO:
        """Open below a folder without following a link at any level."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for segment in segments[:-1]:
                inner = os.open(segment, flags | os.O_DIRECTORY, dir_fd=folder)
                os.close(folder)
                folder = inner
            descriptor = os.open(segments[-1], flags | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_LIMIT_BYTES:
            os.close(descriptor)
            raise FileNotFoundError(segments[-1])
        return os.fdopen(descriptor, "rb")

    def _etag(self, file: BinaryIO) -> str:
        status = os.fstat(file.fileno())
        known = (status.st_ino, status.st_mtime_ns, status.st_size)
        etag = self._etags.get(known)
        if etag is None:
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            file.seek(0)
            etag = f'"{digest[:ETAG_HEX_DIGITS]}"'
            self._etags[known] = etag
            while len(self._etags) > 1024:
                self._etags.popitem(last=False)
        return etag

    def _serve(self, file: BinaryIO, path: str, headers: dict[bytes, bytes]) -> Answer:
        size = os.fstat(file.fileno()).st_size
        etag = self._etag(file)
        common: tuple[tuple[bytes, bytes], ...] = ()
        deflated = None
        if path.startswith("metadata/") and size <= _DEFLATE_LIMIT_BYTES:
            common = ((b"vary", b"accept-encoding"),)
            if _takes_deflate(headers) and b"range" not in headers:
                deflated = _deflate(file.read())
                # Another representation has another tag (RFC 9110 section 8.8.3.3).
                etag = f'{etag[:-1]}z"'
                common += ((b"content-encoding", b"deflate"),)
        cache = _CACHE_MUTABLE if path == _MUTABLE else _CACHE_IMMUTABLE
        common = ((b"cache-control", cache), *common)
        if path == _MUTABLE or not path.startswith("metadata/"):
            # Metadata with its version in the name is never asked for again: no tag, less airtime.
            common = ((b"etag", etag.encode()), *common)
        wanted = headers.get(b"if-none-match", b"").decode("latin-1")
        if _matches(wanted, etag):
            kept = (b"etag", b"cache-control", b"vary")
            return Answer(304, tuple(pair for pair in common if pair[0] in kept))
        if deflated is not None:
            return Answer(200, common, deflated)
        if_range = headers.get(b"if-range")
        asked = headers.get(b"range", b"").decode("latin-1").strip()
        if asked and (if_range is None or if_range.decode("latin-1").strip() == etag):
            part = _wanted_part(asked, size)
            if part is not None and part.length <= 0:
                return Answer(416, ((b"content-range", b"bytes */%d" % size),))
            if part is not None:
                shown = b"bytes %d-%d/%d" % (part.first, part.first + part.length - 1, size)
                return Answer(206, (*common, (b"content-range", shown)), part=part)
        return Answer(200, common, part=Part(0, size))
