"""Far ends that begin something and never end it: they cost a while and a little room, never a sale
and never the server's end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import shutil
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.shop import voucher_csv
from tests.server.test_server_process import Process, enrol
from updater_server.faces.http_connection import Application, Limits
from updater_server.faces.http_server import HttpServer, _network

HEAD = b"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
GET_HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
BIG = 4 * 1024 * 1024

KINDS: dict[str, list[bytes]] = {
    "no byte": [],
    "half a head": [HEAD[:20]],
    "a head without its end": [HEAD],
    "a head and one byte of the body": [HEAD + b"\r\n", b"x"],
    "a reply that is kept and nothing after it": [GET_HEALTH],
    "a large reply that nobody reads": [b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"],
    "chunks without an end": [
        b"POST /m HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"
    ],
    "go on?": [b"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"],
}


# --- the server itself, with deadlines that a test can wait for ---

SHORT = Limits(head_s=0.3, request_s=0.3, idle_s=0.3, reply_gap_s=0.3, drain_s=0.3)


async def application(scope: Any, receive: Any, send: Any) -> None:
    request = await receive()
    body = b"." * BIG if scope["path"] == "/big" else b"%d" % len(request["body"])
    length = b"%d" % len(body)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
    )
    await send({"type": "http.response.body", "body": body})


def served(
    limits: Limits,
    flow: Callable[[HttpServer, int], Awaitable[None]],
    what: Application = application,
) -> float:
    """Run `flow` beside a server; how long the server took to end afterwards, seconds."""

    async def main() -> float:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        server = HttpServer(what, listening, limits)
        running = asyncio.create_task(server.serve())
        await flow(server, listening.getsockname()[1])
        started = time.monotonic()
        server.stop()
        await asyncio.wait_for(running, 10)
        return time.monotonic() - started

    return asyncio.run(main())


async def opened(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, limit=1024)


async def ask(port: int, body: bytes = b"") -> bytes:
    reader, writer = await opened(port)
    writer.write(b"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    return answer


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_begins_and_does_not_end_is_let_go(kind: str) -> None:
    async def flow(server: HttpServer, port: int) -> None:
        held = [await opened(port) for _ in range(20)]
        for _, writer in held:
            for piece in KINDS[kind]:
                writer.write(piece)
        await until(lambda: server.connections == 20)
        assert (await ask(port, b"abc")).startswith(b"HTTP/1.1 200")
        await until(lambda: server.connections == 0)
        for _, writer in held:
            writer.close()

    served(SHORT, flow)


async def wraps_what_it_meets(scope: Any, receive: Any, send: Any) -> None:
    """As a framework does: what goes wrong in `send` comes out as an exception of its own."""
    try:
        await application(scope, receive, send)
    except OSError as error:
        raise RuntimeError("caught after response started") from error


async def fails_by_itself(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    raise RuntimeError("its own fault")


@pytest.mark.parametrize(("what", "told"), [(wraps_what_it_meets, False), (fails_by_itself, True)])
def test_who_goes_away_before_the_answer_is_no_fault_of_the_application(
    what: Application, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def flow(server: HttpServer, port: int) -> None:
        _, writer = await opened(port)
        writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: server.connections == 1)
        writer.transport.abort()
        await until(lambda: server.connections == 0)

    served(replace(SHORT, reply_gap_s=10), flow, what)
    assert ("the application failed" in caplog.text) is told


def test_a_request_that_drips_has_one_deadline_not_one_for_each_drop() -> None:
    async def flow(server: HttpServer, port: int) -> None:
        _, writer = await opened(port)
        started = time.monotonic()
        writer.write(HEAD + b"\r\n")
        with contextlib.suppress(OSError):
            while server.connections or time.monotonic() - started < 0.1:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
                assert time.monotonic() - started < 5, "it drips for ever"
        writer.close()

    served(replace(SHORT, request_s=0.5), flow)


def test_without_its_deadlines_the_server_would_be_held() -> None:
    """The same check against limits that never come: so it can fail."""

    async def flow(server: HttpServer, port: int) -> None:
        _, writer = await opened(port)
        writer.write(HEAD + b"\r\nx")
        await until(lambda: server.connections == 1)
        with pytest.raises(TimeoutError):
            await until(lambda: server.connections == 0, 1.5)
        writer.close()

    served(replace(SHORT, request_s=3600), flow)


def test_when_the_house_is_full_who_kept_us_waiting_longest_makes_room() -> None:
    async def flow(server: HttpServer, port: int) -> None:
        held = [await opened(port) for _ in range(8)]
        for _, writer in held:
            writer.write(HEAD + b"\r\nx")
        await until(lambda: server.connections == 8)
        for _ in range(30):
            assert (await ask(port, b"abc")).startswith(b"HTTP/1.1 200")
            assert server.connections <= 9
        assert await held[0][0].read() == b""  # the stalest went first …
        assert not held[-1][0].at_eof()  # … and no more than had to
        for _, writer in held:
            writer.close()

    long = Limits(connections=8, connections_of_address=8, drain_s=0.3)
    served(long, flow)


def test_one_address_cannot_take_the_room_of_all() -> None:
    async def flow(server: HttpServer, port: int) -> None:
        for _ in range(40):
            held.append(await opened(port))
            held[-1][1].write(HEAD)
        await until(lambda: held[0][0].at_eof() or held[0][0].exception() is not None)
        await asyncio.sleep(0.1)
        assert server.connections == 4

    held: list[Any] = []
    served(Limits(connections=1000, connections_of_address=4, drain_s=0.3), flow)


async def opened_from(source: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))


def test_a_crowd_makes_room_for_a_stranger_before_a_patient_one_does() -> None:
    async def flow(server: HttpServer, port: int) -> None:
        patient = await opened_from("127.0.0.2", port)
        patient[1].write(HEAD)
        await until(lambda: server.connections == 1)
        crowd = []
        for _ in range(60):
            crowd.append(await opened_from("127.0.0.3", port))
            crowd[-1][1].write(HEAD)
        await until(lambda: crowd[30][0].at_eof() or crowd[30][0].exception() is not None)
        assert server.connections <= 10
        patient[1].write(b"\r\n" + b"x" * 100)
        assert (await patient[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for _, writer in (*crowd, patient):
            writer.close()

    served(Limits(connections=10, connections_of_address=10, drain_s=0.3), flow)


def test_one_site_has_one_address_whatever_it_writes_behind() -> None:
    assert _network("2001:db8:1:2::5") == _network("2001:db8:1:2:ffff::1")
    assert _network("2001:db8:1:2::5") != _network("2001:db8:1:3::5")
    assert _network("fe80::1%eth0") == _network("fe80::2")
    assert _network("192.0.2.1") != _network("192.0.2.2")
    assert _network("::ffff:192.0.2.1") != _network("::ffff:192.0.2.2")
    assert _network("") == ""


def test_who_is_being_served_is_never_dropped_for_a_newcomer() -> None:
    gate = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await gate.wait()
        await application(scope, receive, send)

    async def main() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        server = HttpServer(slow, listening, Limits(connections=2, connections_of_address=2))
        running = asyncio.create_task(server.serve())
        port = listening.getsockname()[1]
        working = [await opened(port) for _ in range(2)]
        for _, writer in working:
            writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.2)
        refused = await ask(port)
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"retry-after" in refused
        gate.set()
        for reader, writer in working:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()
        server.stop()
        await running

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_the_server_ends_in_time_whatever_is_half_way(kind: str) -> None:
    async def flow(server: HttpServer, port: int) -> None:
        for _ in range(10):
            held.append(await opened(port))
            for piece in KINDS[kind]:
                held[-1][1].write(piece)
        await until(lambda: server.connections == 10)

    held: list[Any] = []
    assert served(Limits(drain_s=0.5), flow) < 5


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /health\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET / HTTP/1.1\r\n\r\n",  # no host
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /m HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    ],
)
def test_what_is_no_request_is_refused_and_closed(request_bytes: bytes) -> None:
    async def flow(server: HttpServer, port: int) -> None:
        reader, writer = await opened(port)
        writer.write(request_bytes)
        answer = await asyncio.wait_for(reader.read(4096), 10)
        assert re.match(rb"HTTP/1\.1 (4\d\d|501) ", answer), answer
        writer.close()
        assert (await ask(port, b"abc")).startswith(b"HTTP/1.1 200")

    served(Limits(drain_s=0.3), flow)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def flow(server: HttpServer, port: int) -> None:
        reader, writer = await opened(port)
        for size in (1, 20, 300):
            writer.write(b"POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
            writer.write(b"x" * size)
        for told in (b"1", b"20", b"300"):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(len(told)) == told
        writer.close()

    served(Limits(drain_s=0.3), flow)


def test_a_slow_reader_gets_the_last_byte_even_of_a_connection_that_ends_with_it() -> None:
    async def flow(server: HttpServer, port: int) -> None:
        reader, writer = await opened(port)
        writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        got = 0
        while data := await reader.read(65536):
            got += len(data)
            if got % 7 == 0:
                await asyncio.sleep(0.01)
        assert got == BIG
        writer.close()

    served(Limits(drain_s=0.3), flow)


def test_a_download_goes_on_while_the_server_ends_and_is_whole_if_it_is_quick() -> None:
    async def flow(server: HttpServer, port: int) -> None:
        reader, writer = await opened(port)
        writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        server.stop()
        got = 0
        while data := await reader.read(65536):
            got += len(data)
        assert got == BIG
        writer.close()

    assert served(Limits(drain_s=5), flow) < 4


def test_no_bent_request_stops_the_server_or_goes_without_an_answer() -> None:
    """A good request with bytes changed, left out, doubled and cut, four hundred times."""
    chance = random.Random(20)
    good = HEAD.replace(b"100", b"5") + b"Accept-Encoding: deflate\r\n\r\nhello" + GET_HEALTH

    def bent() -> bytes:
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            piece = bytes(chance.choice(b"\r\n :/%\0\xff0a") for _ in range(chance.randint(0, 3)))
            data[at : at + chance.randint(0, 3)] = piece
        return bytes(data)

    async def flow(server: HttpServer, port: int) -> None:
        for _ in range(400):
            reader, writer = await opened(port)
            writer.write(bent())
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(65536), 10)
            assert not answer or re.match(rb"HTTP/1\.1 (200|400|413|431|501) ", answer), answer
            writer.close()
        assert (await ask(port, b"abc")).startswith(b"HTTP/1.1 200")
        await until(lambda: server.connections <= 1)

    served(SHORT, flow)


# --- the real process ---


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, signed: Path
) -> Iterator[tuple[Process, str]]:
    folder = tmp_path_factory.mktemp("held") / "data"
    server = Process(folder)
    made = server.quick("init")
    token = re.search(r"technician token: (\S+)", made.stdout)
    assert token, made.output
    shutil.copytree(signed / "repository", folder / "repository")
    csv = folder.parent / "vouchers.csv"
    csv.write_text(voucher_csv("air50", range(200)))
    assert server.quick("vouchers", "import", str(csv), "--yes").exit_code == 0
    allowed = server.quick("technician", "allow", "first technician", "1000000.00 KES")
    assert allowed.exit_code == 0, allowed.output
    server.start()
    yield server, token[1]
    if server.process:
        server.end(signal.SIGKILL)


def hold(port: int, kind: str, count: int) -> list[socket.socket]:
    held = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        for piece in KINDS[kind]:
            connection.sendall(piece)
        held.append(connection)
    return held


def resident_mb(server: Process) -> float:
    assert server.process
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1000


def test_files_that_nobody_takes_stay_on_the_disk(running: tuple[Process, str]) -> None:
    """Two hundred downloads of 8 MB, not one of them read: 1.6 GB, were they kept in memory."""
    server, _ = running
    (server.folder / "repository" / "targets" / "big").write_bytes(os.urandom(8_000_000))
    assert len(httpx.get(f"{server.url}/tuf/targets/big", timeout=30).content) == 8_000_000
    before = resident_mb(server)
    asked = b"GET /tuf/targets/big HTTP/1.1\r\nHost: a\r\n\r\n"
    held = []
    try:
        for _ in range(200):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(asked)
            held.append(connection)
        assert all(connection.recv(12) == b"HTTP/1.1 200" for connection in held)
        assert httpx.get(f"{server.url}/health", timeout=20).text == "ok"
        assert resident_mb(server) - before < 100
    finally:
        for connection in held:
            connection.close()


def test_honest_terminals_sell_while_two_hundred_of_each_kind_hold_on(
    running: tuple[Process, str],
) -> None:
    server, token = running
    device, answer = enrol(server, token, 1, 10_000_000)
    assert answer.status_code == 201
    held: list[socket.socket] = []
    took = []
    try:
        for number, kind in enumerate(KINDS):
            held += hold(server.port, kind, 210)
            for sale in range(3):
                started = time.monotonic()
                assert device.sale(3 * number + sale + 1)[1] == 0, kind
                took.append(time.monotonic() - started)
        # Nobody waits for a deadline of somebody else's: the shortest of them is 20 s.
        assert sorted(took)[len(took) // 2] < 2
        assert max(took) < 10
        assert httpx.get(f"{server.url}/health", timeout=20).text == "ok"
        started = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - started < 15
    finally:
        for connection in held:
            connection.close()
    server.start()
    assert device.sale(100)[1] == 0
    assert server.quick("check").exit_code == 0
