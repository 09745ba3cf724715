"""Requests out of bytes, and replies into bytes: what no connection is needed for."""

from __future__ import annotations

import pytest

from updater_server.faces.http_reply import Reply, UnfitReply
from updater_server.faces.http_request import Refused, Request, Requests

LIMIT_BYTES = 1000
HEAD = b"POST /m HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, piece_bytes: int = 1 << 20) -> list[Request]:
    """The whole requests in `data`, fed in pieces."""
    requests, found = Requests(LIMIT_BYTES), []
    for at in range(0, len(data), piece_bytes):
        requests.feed(data[at : at + piece_bytes])
        while (whole := requests.next()) is not None:
            found.append(whole)
    return found


def reply_to(version: str, *, keeps: bool = True) -> Reply:
    return Reply(Request("GET", b"/", version, [], b"", keeps))


@pytest.mark.parametrize("piece_bytes", [1, 7, 1 << 20])
def test_requests_are_the_same_however_they_are_cut(piece_bytes: int) -> None:
    first = HEAD + b"Content-Length: 3\r\nX-Note:  two words \r\n\r\nabc"
    second = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\nX-Late: 1\r\n\r\n"
    third = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    found = read(first + second + third, piece_bytes)
    assert [(one.method, one.target, one.body, one.keeps) for one in found] == [
        ("POST", b"/m", b"abc", True),
        ("POST", b"/m", b"def", True),
        ("GET", b"/health", b"", False),
    ]
    assert (b"x-note", b"two words") in found[0].headers
    assert b"x-late" not in dict(found[1].headers), "what comes behind a body is no header"


@pytest.mark.parametrize(
    ("what", "data", "status"),
    [
        ("for nobody", b"GET / HTTP/1.1\r\n\r\n", 400),
        ("for two", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("of another version", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        ("of two lengths", HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        (
            "of a length and in chunks: who stands before the server may take the other one",
            HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        ("in chunks of something else", HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
        ("with a space before a colon", HEAD + b"X : 1\r\n\r\n", 400),
        ("with a folded header", HEAD + b"X: 1\r\n 2\r\n\r\n", 400),
        ("too long by its word", HEAD + b"Content-Length: 1001\r\n\r\n", 413),
        ("too long in chunks", CHUNKED + b"3e9\r\n" + b"x" * 1001, 413),
        (
            "in more chunks than it has bytes",
            CHUNKED + b"1;note=aaaaaaaaaaaaaa\r\nx\r\n" * 999,
            413,
        ),
        ("with too long a head", HEAD + b"X: " + b"y" * 9000, 431),
        ("of empty lines", b"\r\n" * 5000, 431),
    ],
)
def test_it_is_refused(what: str, data: bytes, status: int) -> None:
    for piece_bytes in (100, 4096):
        with pytest.raises(Refused) as refused:
            read(data, piece_bytes)
        assert refused.value.status == status, what


def test_what_came_whole_before_nonsense_is_answered_first() -> None:
    requests = Requests(LIMIT_BYTES)
    requests.feed(HEAD + b"Content-Length: 1\r\n\r\na\x16\x03\x01")
    whole = requests.next()
    assert whole is not None
    assert whole.body == b"a"
    with pytest.raises(Refused):
        requests.next()


def test_a_protocol_that_nobody_speaks_here_is_not_changed_to() -> None:
    asked = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    (found,) = read(asked)
    assert not found.keeps


def test_a_reply_has_the_length_that_it_says_or_is_cut() -> None:
    for body, more in ((b"abcd", False), (b"abcd", True), (b"ab", False)):
        reply = reply_to("1.1")
        reply.begin(200, [(b"content-length", b"3")], False)
        with pytest.raises(UnfitReply):
            reply.go_on(body, more)
        assert not reply.leaves_room_for_more


def test_a_header_cannot_bring_another_one() -> None:
    with pytest.raises(UnfitReply):
        reply_to("1.1").begin(200, [(b"etag", b"a\r\nset-cookie: b")], False)


def test_a_reply_without_a_length_says_where_it_ends() -> None:
    reply = reply_to("1.1")
    reply.begin(200, [], False)
    sent = reply.go_on(b"abc", True) + reply.go_on(b"", False)
    assert sent == b"HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert reply.leaves_room_for_more
    old = reply_to("1.0", keeps=False)
    old.begin(200, [], False)
    assert old.go_on(b"abc", False) == b"HTTP/1.1 200 \r\nconnection: close\r\n\r\nabc"
    assert not old.leaves_room_for_more


def test_who_asks_for_the_head_gets_no_body() -> None:
    reply = Reply(Request("HEAD", b"/", "1.1", [], b"", True))
    reply.begin(200, [(b"content-length", b"3")], False)
    assert reply.go_on(b"abc", False) == b"HTTP/1.1 200 \r\ncontent-length: 3\r\n\r\n"
    assert reply.leaves_room_for_more
