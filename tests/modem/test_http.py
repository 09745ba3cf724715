"""HTTP over a transport: few bytes out, strict about what comes in, never two replies mixed up."""

from __future__ import annotations

import asyncio
import threading
import zlib
from http import server as http_server
from pathlib import Path
from typing import Any

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.net import http
from firmware.net.http import BadResponse, ConnectionLost, TooLarge
from firmware.net.http_client import BODY_LIMIT_BYTES, HttpClient
from hw_sim.network.link import LinkProfile
from tests.support import micropython
from tests.support.radio import Radio
from tests.support.static_site import Direct, Site, Sockets
from tests.trust.device import on_device


class Canned:
    """A server that answers each request with the next of `replies`, then closes."""

    def __init__(self, *replies: bytes, piece: int = 7) -> None:
        self.replies = list(replies)
        self.piece = piece
        self.waiting = b""
        self.connected = False
        self.sent: list[bytes] = []
        self.closed = 0

    async def open(self, host: str, port: int) -> None:
        self.connected = True

    async def send(self, data: Any) -> None:
        self.sent.append(bytes(data))
        self.waiting = self.replies.pop(0) if self.replies else b""

    async def receive(self, max_bytes: int, timeout_ms: int) -> bytes:
        size = min(self.piece, max_bytes)
        piece, self.waiting = self.waiting[:size], self.waiting[size:]
        return piece

    async def close(self) -> None:
        self.connected, self.waiting = False, b""
        self.closed += 1


def ask(transport: Any, **arguments: Any) -> Any:
    async def story() -> Any:
        return await HttpClient(transport, "h", 80).request("GET", "/x", **arguments)

    return asyncio.run(story())


OK = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 5\r\n\r\nhello'


@pytest.mark.parametrize("piece", [1, 2, 7, 500])
def test_a_reply_is_the_same_however_it_arrives(piece: int) -> None:
    reply = ask(Canned(OK, piece=piece))
    assert (reply.status, reply.body, reply.headers["etag"]) == (200, b"hello", '"a"')


@pytest.mark.parametrize("piece", [1, 7, 500])
@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
        b"HTTP/1.1 200 D\xe9j\xe0 vu\r\nServer: \xff\xfe\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200\r\n\xff: b\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: "
        + b"c" * 5000
        + b"\r\nContent-Length: 5\r\nX-Policy: "
        + b"p" * 4000
        + b"\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n"
        + b"X-A: b\r\n" * 300
        + b"Content-Length: 5\r\nVia: a\r\n , b\r\n\r\nhello",
    ],
    ids=["no length", "1.0", "close", "accents", "name", "long lines", "many and folded"],
)
def test_a_reply_as_boxes_on_the_way_make_it_is_read(reply: bytes, piece: int) -> None:
    far = Canned(reply, piece=piece)
    assert ask(far).body == b"hello"
    got = bytearray()
    assert ask(Canned(reply, piece=piece), sink=got.extend).body == b""
    assert got == b"hello"
    assert far.closed == (b"Content-Length" not in reply), "its end was the connection's"


def test_a_request_carries_nothing_that_can_be_left_out() -> None:
    server = Canned(OK)
    ask(server, headers=(("If-None-Match", '"a"'),))
    assert server.sent == [b'GET /x HTTP/1.1\r\nHost: h\r\nIf-None-Match: "a"\r\n\r\n']


def test_a_body_and_its_length_go_with_a_post() -> None:
    server = Canned(OK, b"", OK)
    client = HttpClient(server, "h", 8080)
    asyncio.run(client.request("POST", "/m", body=b"abc"))
    assert server.sent[0].endswith(b"Host: h:8080\r\nContent-Length: 3\r\n\r\nabc")
    asyncio.run(client.request("POST", "/m", body=b"z" * 1000))
    assert [len(part) > 900 for part in server.sent[1:]] == [False, True]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nContent-Le", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"h" * 20000, TooLarge),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello", BadResponse),
        (b"HTTP/1.1 200 " + b"x" * 600 + b"\r\n\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\nETag: " + b"x" * 600 + b"\r\n\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20000 + b"\r\n\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 3000 + b"\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\n" + b"Connection: close\r\n" * 300 + b"\r\nhello", BadResponse),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            ConnectionLost,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", BadResponse),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nmore",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
            BadResponse,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000005\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\nhello", TooLarge),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"
            + b"x" * 4000
            + b"\r\nhello\r\n0\r\n\r\n",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"1;ext=xxxxxxxxxxxxxxxxx\r\nx\r\n" * 200
            + b"0\r\n\r\n",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            + b"T: x\r\n" * 500
            + b"\r\n",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
            b"5\r\nhello\r\n0\r\n\r\n",
            BadResponse,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n0\r\n\r\n",
            BadResponse,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", BadResponse),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\nhello", BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more", BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n 5\r\n\r\n", BadResponse),
        (b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 0\r\n\r\n", BadResponse),
        (b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n", BadResponse),
        (b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", BadResponse),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", BadResponse),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 200, BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", TooLarge),
    ],
)
def test_what_cannot_be_trusted_to_be_whole_is_refused(
    reply: bytes, error: type[Exception]
) -> None:
    server = Canned(reply, reply, piece=500)
    with pytest.raises(error):
        ask(server)
    assert not server.connected


def test_an_error_page_is_not_read_and_leaves_nothing_behind() -> None:
    server = Canned(b"HTTP/1.1 500 E\r\nContent-Length: 100000\r\n\r\n" + b"x" * 600)
    reply = ask(server)
    assert (reply.status, reply.body, server.connected) == (500, b"", False)


def test_a_304_has_no_body_and_keeps_the_connection() -> None:
    server = Canned(b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n")
    assert ask(server).status == 304
    assert server.connected


def test_interim_replies_are_passed_over_and_close_is_obeyed() -> None:
    server = Canned(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert ask(server).body == b"hi"
    assert not server.connected


def test_a_dead_kept_connection_is_tried_again_for_a_get_and_never_for_a_post() -> None:
    server = Canned(OK, b"", OK, b"")
    client = HttpClient(server, "h", 80)

    async def story() -> None:
        await client.request("GET", "/")
        assert (await client.request("GET", "/")).body == b"hello"
        with pytest.raises(ConnectionLost):
            await client.request("POST", "/m", body=b"sale")

    asyncio.run(story())
    assert len(server.sent) == 4


def test_a_sink_gets_every_byte_and_no_error_page() -> None:
    got: list[bytes] = []
    reply = ask(Canned(OK), sink=lambda piece: got.append(bytes(piece)))
    assert (b"".join(got), reply.body) == (b"hello", b"")
    got.clear()
    missing = ask(
        Canned(b"HTTP/1.1 404 N\r\nContent-Length: 4\r\n\r\nnope"), sink=lambda p: got.append(p)
    )
    assert (missing.body, got) == (b"nope", [])


@pytest.mark.parametrize("path", ["x", "/a b", "/a\r\nHost: evil"])
def test_a_request_cannot_be_split_in_two(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|line end"):
        http.encode_request("GET", "h", path, (), b"")
    with pytest.raises(ValueError, match="line end"):
        http.encode_request("GET", "h", "/", (("A", "b\r\nC: d"),), b"")


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("bytes 0-9/10", (0, 9, 10)),
        ("bytes 5-9/*", (5, 9, -1)),
        ("bytes 9-5/10", None),
        ("bytes 0-10/10", None),
        ("bytes */10", None),
        ("items 0-9/10", None),
        ("bytes 0-+9/10", None),
        ("", None),
    ],
)
def test_a_content_range_makes_sense_or_is_refused(value: str, span: Any) -> None:
    if span is None:
        with pytest.raises(BadResponse):
            http.content_range({"content-range": value})
    else:
        assert http.content_range({"content-range": value}) == span


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from([b"HTTP/1.1 200 OK", b"\r\n", b"Content-Length: ", b"4", b"\x00", b":"])
        ).map(b"".join),
    ),
    st.integers(1, 50),
)
def test_any_bytes_end_in_a_reply_or_a_typed_error(noise: bytes, piece: int) -> None:
    try:
        reply = ask(Canned(noise, noise, piece=piece))
        assert len(reply.body) <= BODY_LIMIT_BYTES
    except http.HttpError:
        pass


def test_two_callers_take_turns_on_one_connection(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode() * 3000)
    transport = Direct(Site(tmp_path))
    client = HttpClient(transport, "h", 80)

    async def story() -> Any:
        return await asyncio.gather(*(client.request("GET", "/" + name) for name in "abab"))

    for name, reply in zip("abab", asyncio.run(story()), strict=True):
        assert reply.body == name.encode() * 3000
    assert transport.opened == 1


def test_it_runs_over_a_plain_socket(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 5000)
    site = Site(tmp_path)

    async def story() -> None:
        async with site.serve() as port:
            client = HttpClient(Sockets(), "127.0.0.1", port)
            first = await client.request("GET", "/a")
            tag = first.headers["etag"]
            assert (await client.request("GET", "/a", (("If-None-Match", tag),))).status == 304
            part = await client.request("GET", "/a", (("Range", "bytes=10-19"),))
            assert (part.status, part.body) == (206, b"a" * 10)
            beyond = await client.request("GET", "/a", (("Range", "bytes=9000-9001"),))
            assert beyond.status == 416
            await client.transport.close()

    asyncio.run(story())


def test_a_download_over_gsm_that_drops_twice_resumes_at_the_next_byte(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    (tmp_path / "file").write_bytes(content)
    site = Site(tmp_path)

    async def story(radio: Radio) -> None:
        async with site.serve() as port:
            client = HttpClient(radio.modem, "127.0.0.1", port)
            radio.network.drop_after_bytes(3000)
            radio.network.drop_after_bytes(4000)
            got = bytearray()
            drops = 0
            while len(got) < len(content):
                await radio.modem.connect("internet")
                span = f"bytes={len(got)}-{len(content) - 1}"
                try:
                    await client.request("GET", "/file", (("Range", span),), sink=got.extend)
                except ConnectionLost:
                    drops += 1
            assert got == content
            assert drops == 2
        firsts = [int(wanted[6:].split("-")[0]) for _, wanted, _, _ in site.requests]
        assert firsts[0] == 0 < firsts[1] < firsts[2]
        assert radio.network.traffic.payload_down_bytes < len(content) * 1.7

    # Slow enough that what reaches the modem is read before the drop takes it.
    Radio(seed=21, link=LinkProfile(500, 500, 100, 50)).run(story)


def test_without_data_service_a_request_fails_at_once() -> None:
    async def story(radio: Radio) -> None:
        with pytest.raises(ConnectionLost, match="no data service"):
            await HttpClient(radio.modem, "127.0.0.1", 80).request("GET", "/")

    Radio(seed=22).run(story)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5;name="v"\r\nhello\r\n001 \r\n,\r\nA\r\n you there\r\n0\r\nX-After: all\r\n\r\n'
)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 500])
def test_a_reply_in_chunks_is_the_same_however_it_arrives(piece: int) -> None:
    server = Canned(CHUNKED, piece=piece)
    assert ask(server).body == b"hello, you there"
    assert server.connected, "its end is known, so the next request may follow"
    got: list[bytes] = []
    reply = ask(Canned(CHUNKED, piece=piece), sink=lambda part: got.append(bytes(part)))
    assert (b"".join(got), reply.body) == (b"hello, you there", b"")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=12),
    st.integers(1, 60),
    st.integers(0, 400),
)
def test_chunks_cut_anywhere_are_whole_or_a_typed_error(
    parts: list[bytes], piece: int, cut: int
) -> None:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed
    whole = cut >= len(reply)
    try:
        body = ask(Canned(reply[:cut] if not whole else reply, piece=piece)).body
    except ConnectionLost:
        assert not whole
    else:
        assert whole
        assert body == b"".join(parts)


def test_chunks_without_end_cost_no_more_than_some_airtime() -> None:
    for endless in (b"1;" + b"x" * 100 + b"\r\ny\r\n", b"00000\r\n\r\n", b"1\r\nx\r\n", b"0;a"):
        server = Canned(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + endless * 100_000, piece=500
        )
        client = HttpClient(server, "h", 80)
        with pytest.raises((BadResponse, TooLarge)):
            asyncio.run(client.request("GET", "/x", limit_bytes=2048))
        assert client.bytes_received < 8 * 2048


class Chunking(http_server.BaseHTTPRequestHandler):
    """A stock server that does not know the length before."""

    protocol_version = "HTTP/1.1"
    content = bytes(range(256)) * 30

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        size = int(self.path[1:])
        for at in range(0, len(self.content), size):
            part = self.content[at : at + size]
            self.wfile.write(b"%X\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_what_stock_servers_and_a_stock_framer_send_in_chunks_is_read() -> None:
    server = http_server.ThreadingHTTPServer(("127.0.0.1", 0), Chunking)
    threading.Thread(target=server.serve_forever).start()

    async def story() -> None:
        client = HttpClient(Sockets(), "127.0.0.1", server.server_port)
        for size in (1, 100, 4096, 100_000):
            reply = await client.request("GET", f"/{size}")
            assert reply.body == Chunking.content
        await client.transport.close()

    try:
        asyncio.run(story())
    finally:
        server.shutdown()
        server.server_close()
    far = h11.Connection(h11.SERVER)
    far.receive_data(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
    far.next_event()
    far.next_event()
    sent = far.send(h11.Response(status_code=200, headers=[])) or b""
    for part in (b"one", b"two" * 700, b"!"):
        sent += far.send(h11.Data(data=part)) or b""
    sent += far.send(h11.EndOfMessage()) or b""
    assert b"chunked" in sent
    assert ask(Canned(sent, piece=100)).body == b"one" + b"two" * 700 + b"!"


class Waiting(Canned):
    """Sends in pieces, each after a moment; `log` is what was asked, and closed."""

    def __init__(self, content: bytes, piece: int = 256) -> None:
        super().__init__(piece=piece)
        self.content = content
        self.log: list[str] = []

    async def send(self, data: Any) -> None:
        line = bytes(data).split(b"\r\n")[0].decode()
        self.log.append(line)
        self.waiting = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.content)
        self.waiting += self.content if line.startswith("GET") else b"x" * len(self.content)

    async def receive(self, max_bytes: int, timeout_ms: int) -> bytes:
        await asyncio.sleep(0.001)
        return await super().receive(max_bytes, timeout_ms)

    async def close(self) -> None:
        self.log.append("closed")
        await super().close()


def test_a_sale_waits_for_no_download_and_the_download_loses_nothing_that_came() -> None:
    far = Waiting(b"d" * 16384)
    client = HttpClient(far, "h", 80)
    got = bytearray()

    async def sell() -> int:
        await asyncio.sleep(0.01)
        client.sales += 1
        at = len(got)
        await client.request("POST", "/m", body=b"sale")
        client.sales -= 1
        return at

    async def story() -> int:
        sale = asyncio.create_task(sell())
        with pytest.raises(http.GaveWay):
            await client.request("GET", "/payload", sink=got.extend)
        before = len(got)
        waiting = asyncio.create_task(client.request("GET", "/next"))
        at = await sale
        assert before - at <= 2 * 256, "given up with the next piece"
        assert (await waiting).status == 200
        return before

    assert 0 < asyncio.run(story()) < 16384
    assert far.log == ["GET /payload HTTP/1.1", "closed", "POST /m HTTP/1.1", "GET /next HTTP/1.1"]


def test_the_end_of_a_reply_is_read_all_the_same_and_no_message_is_given_up() -> None:
    for method, size in (("GET", 2048), ("POST", 16384)):
        far = Waiting(b"d" * size)
        client = HttpClient(far, "h", 80)

        async def story(client: HttpClient, method: str, size: int) -> None:
            begun = asyncio.create_task(client.request(method, "/first", limit_bytes=size))
            await asyncio.sleep(0.004)
            client.sales += 1
            await client.request("POST", "/m", body=b"sale")
            client.sales -= 1
            assert len((await begun).body) == size

        asyncio.run(story(client, method, size))
        assert far.log == [f"{method} /first HTTP/1.1", "POST /m HTTP/1.1"]


HEADS = (
    b"HTTP/1.1 206 P\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/9",
    b"HTTP/1.1 1",
    b"HTTP/1.1 200 \xff",
    b"HTTP/1.1 200 K\r\nContent-Length: +5",
    b"HTTP/1.0 200",
)


def test_parsing_agrees_on_both_interpreters() -> None:
    script = f"""
from firmware.net.http import parse_head, body_length, content_range, HttpError
for head in {HEADS!r}:
    try:
        status, headers = parse_head(head)
        print(status, sorted(headers.items()), body_length("GET", status, headers))
        print(content_range(headers))
    except HttpError as error:
        print(type(error).__name__, error)
"""
    ran = [micropython.run(script, interpreter_name=name) for name in micropython.BOTH]
    assert ran[0] == ran[1]
    assert "206" in ran[0]


DEFLATED = """
from firmware.net import http
for coding, body in data:
    headers = {} if coding is None else {"content-encoding": coding}
    response = http.Response(200, headers, bytes.fromhex(body))
    try:
        out.append(http.plain_body(response, 1000).hex())
    except http.HttpError as error:
        out.append(type(error).__name__)
"""


@pytest.mark.parametrize("interpreter", micropython.BOTH)
def test_a_deflated_body_is_expanded_within_its_bounds(interpreter: str) -> None:
    def deflated(content: bytes, bits: int = 12) -> bytes:
        packer = zlib.compressobj(9, wbits=bits)
        return packer.compress(content) + packer.flush()

    good = deflated(b"signed" * 100)
    with_dictionary = zlib.compressobj(9, wbits=12, zdict=b"signed")
    cases = [
        (None, b"plain", b"plain".hex()),
        ("identity", b"plain", b"plain".hex()),
        ("deflate", good, (b"signed" * 100).hex()),
        ("gzip", good, "BadResponse"),
        ("deflate", deflated(bytes(1001)), "TooLarge"),
        ("deflate", deflated(bytes(1000000)), "TooLarge"),
        ("deflate", deflated(b"signed" * 100, 15), "BadResponse"),
        ("deflate", with_dictionary.compress(b"signed") + with_dictionary.flush(), "BadResponse"),
        ("deflate", good[: len(good) // 2], "BadResponse"),
        ("deflate", b"", "BadResponse"),
        ("deflate", good[:2] + b"\xff" * 20, "BadResponse"),
    ]
    data = [(coding, body.hex()) for coding, body, _ in cases]
    assert on_device(interpreter, DEFLATED, data) == [expected for *_, expected in cases]


def test_chunks_are_read_alike_on_both_interpreters() -> None:
    script = f"""
import asyncio
from firmware.net.http import HttpError, chunk_size
from firmware.net.http_client import HttpClient
for line in (b"5", b"0A ;x=1", b"", b"-1", b"0x5", b"fffffff", b"g"):
    try:
        print(chunk_size(line))
    except HttpError as error:
        print(type(error).__name__, error)

class Far:
    connected = False
    async def open(self, host, port):
        self.connected = True
    async def send(self, data):
        self.waiting = {CHUNKED!r}
    async def receive(self, max_bytes, timeout_ms):
        piece, self.waiting = self.waiting[:7], self.waiting[7:]
        return memoryview(piece)
    async def close(self):
        self.connected = False

got = bytearray()
client = HttpClient(Far(), "h", 80)
print(asyncio.run(client.request("GET", "/x")).body)
print(asyncio.run(client.request("GET", "/x", sink=got.extend)).body, bytes(got))
"""
    ran = [micropython.run(script, interpreter_name=name) for name in micropython.BOTH]
    assert ran[0] == ran[1]
    assert ran[0].count("hello, you there") == 2
