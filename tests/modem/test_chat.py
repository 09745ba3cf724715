"""The chat engine on recorded bytes: chunking changes nothing, and no wait is without end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.net.modem.chat import (
    LINE_LIMIT_BYTES,
    Chat,
    ChatAborted,
    ChatTimeout,
    LineReader,
    matches,
)

RECORDED = (
    b"\r\nRDY\r\n\r\n+CFUN: 1\r\nAT+CSQ\r\r\n+CSQ: 17,0\r\n\r\nOK\r\n\x00\xff\r\n"
    + b"x" * 300
    + b"\r\n+CREG: 1\r\n\r\n\r\nSEND OK\n+PDP: DEACT\r\n"
)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 90), max_size=60))
def test_any_chunking_gives_the_same_lines(sizes: list[int]) -> None:
    reader, lines = LineReader(), []
    for piece in cut(RECORDED, sizes):
        reader.feed(piece)
        while line := reader.take():
            lines.append(line)
        assert len(reader.buffer) <= LINE_LIMIT_BYTES + 400
    whole = LineReader()
    whole.feed(RECORDED)
    expected = []
    while line := whole.take():
        expected.append(line)
    assert lines == expected
    assert reader.dropped == whole.dropped == 1
    assert lines[-2:] == [b"SEND OK", b"+PDP: DEACT"]
    assert b"x" * 10 not in b"".join(lines)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.lists(st.integers(1, 64), max_size=100))
def test_noise_never_breaks_the_reader_nor_fills_memory(noise: bytes, sizes: list[int]) -> None:
    reader = LineReader()
    for piece in cut(noise, sizes)[:-1]:
        reader.feed(piece)
        while reader.take() is not None:
            pass
        assert len(reader.buffer) <= LINE_LIMIT_BYTES


class Tape:
    """A UART that answers each request with recorded bytes, given out in pieces."""

    def __init__(self, answers: dict[bytes, bytes], sizes: list[int]) -> None:
        self.answers = answers
        self.sizes = sizes or [1000]
        self.waiting = b""
        self.turn = 0

    def write(self, data: Any) -> int:
        self.waiting += self.answers.get(bytes(data), b"")
        return len(data)

    def any(self) -> int:
        return len(self.waiting)

    def readinto(self, buf: Any) -> int:
        self.turn += 1
        size = min(len(buf), self.sizes[self.turn % len(self.sizes)], len(self.waiting))
        buf[:size] = self.waiting[:size]
        self.waiting = self.waiting[size:]
        return size


SESSION = {
    b"AT+CSQ\r": b"\r\n+CREG: 2\r\n\r\n+CSQ: 9,0\r\n\r\nCall Ready\r\n\r\nOK\r\n\r\nRING\r\n",
    b"AT+CIPSEND=4\r": b"\r\nRING\r\n\r\n> ",
    b"data": b"\r\nRING\r\nSEND OK\r\n\r\n+CIPRXGET: 1\r\n",
    b"AT+CIPRXGET=2,9\r": b"\r\n+CIPRXGET: 2,9,0\r\nOK\r\n> \r\nX\r\nOK\r\n\r\nRING\r\n",
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=30))
def test_no_notice_is_lost_in_a_reply_and_no_data_is_taken_for_lines(sizes: list[int]) -> None:
    heard: list[bytes] = []
    chat = Chat(
        Tape(SESSION, sizes),
        ((b"RING", heard.append), (b"+CREG:", heard.append), (b"+CIPRXGET: 1", heard.append)),
    )

    async def story() -> None:
        assert await chat.lines(b"AT+CSQ", 2000, b"+CSQ:") == [b"+CSQ: 9,0"]
        await chat.command(b"AT+CIPSEND=4", (b">",))
        await chat.write(b"data")
        await chat.wait((b"SEND OK",))
        await chat.command(b"AT+CIPRXGET=2,9", (b"+CIPRXGET: 2,",))
        data = bytearray(9)
        await chat.read_raw(memoryview(data), 100)
        assert data == b"OK\r\n> \r\nX"
        assert await chat.wait() == b"OK"
        chat.poll()

    asyncio.run(story())
    assert heard == [b"+CREG: 2", b"RING", b"RING", b"RING", b"+CIPRXGET: 1", b"RING"]


def test_a_late_reply_is_not_taken_for_the_next_ones() -> None:
    tape = Tape({}, [])
    chat = Chat(tape)

    async def story() -> None:
        def answer(after_s: float, data: bytes) -> None:
            asyncio.get_running_loop().call_later(after_s, tape.__setattr__, "waiting", data)

        def write(data: Any) -> int:
            if bytes(data) == b"AT+B\r":
                answer(0.08, b"\r\n+B: 1\r\n\r\nOK\r\n")
            return len(data)

        tape.write = write  # type: ignore[method-assign]
        with pytest.raises(ChatTimeout):
            await chat.command(b"AT+A", timeout_ms=20)
        # The answer to AT+A, which the chat gave up, is still on its way when AT+B is wanted.
        answer(0.03, b"\r\nERROR\r\n")
        assert await chat.lines(b"AT+B", 2000, b"+B:") == [b"+B: 1"]

    asyncio.run(story())


def test_an_abort_match_ends_the_wait_at_once() -> None:
    chat = Chat(Tape({b"AT+X\r": b"\r\n+CME ERROR: 10\r\n"}, []))

    async def story() -> None:
        with pytest.raises(ChatAborted) as caught:
            await chat.command(b"AT+X", timeout_ms=60000)
        assert caught.value.line == b"+CME ERROR: 10"

    asyncio.run(asyncio.wait_for(story(), 1))


def test_a_full_uart_and_half_a_block_end_at_their_deadlines() -> None:
    tape = Tape({}, [])
    chat = Chat(tape)
    tape.write = lambda data: 0  # type: ignore[method-assign]

    async def story() -> None:
        with pytest.raises(ChatTimeout):
            await chat.write(b"x", 20)
        tape.waiting = b"half"
        with pytest.raises(ChatTimeout):
            await chat.read_raw(memoryview(bytearray(5)), 20)

    asyncio.run(story())


class Endless(Tape):
    """A UART on which bytes come as fast as they are read."""

    def __init__(self, text: bytes) -> None:
        super().__init__({}, [])
        self.text = text

    def any(self) -> int:
        return len(self.text)

    def readinto(self, buf: Any) -> int:
        self.turn += 1
        size = min(len(buf), len(self.text))
        buf[:size] = self.text[:size]
        return size


@pytest.mark.parametrize("text", [b"#" * 64, b"\r\n+DEBUG: 0\r\n", b"\r\n"])
def test_a_line_that_never_pauses_ends_at_its_deadline_and_holds_nobody_up(text: bytes) -> None:
    chat = Chat(Endless(text))

    async def story() -> None:
        with pytest.raises(ChatTimeout):
            await chat.command(b"AT", timeout_ms=50)
        chat.poll()
        chat.in_step = False
        await chat.quiet(20, 50)

    asyncio.run(asyncio.wait_for(story(), 10))
    assert len(chat._reader.buffer) <= LINE_LIMIT_BYTES + 100


def test_what_came_in_time_counts_however_late_it_is_looked_at() -> None:
    tape = Tape({b"AT+X\r": b"\r\n+DEBUG: 0\r\n" * 40 + b"\r\nOK\r\n"}, [])

    async def story() -> None:
        assert await Chat(tape).command(b"AT+X", timeout_ms=0) == b"OK"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("match", "line", "fits"),
    [
        (b"OK", b"OK", True),
        (b"OK", b"OKAY", False),
        (b"CLOSED", b"CLOSE OK", False),
        (b"+CREG:", b"+CREG: 1", True),
        (b"+CIPRXGET: 2,", b"+CIPRXGET: 2,5,0", True),
        (b"+CIPRXGET: 1", b"+CIPRXGET: 1,1", False),
        (b"", b"10.1.2.3", True),
        (b"", b"RING", False),
        (b"", b'+CMTI: "SM",1', False),
        (b"", b"1.2.3", False),
        (b"", b"a.b.c.d", False),
    ],
)
def test_a_match_fits_its_line_and_no_other(match: bytes, line: bytes, fits: bool) -> None:
    assert matches(match, line) is fits
