"""SMP over a console line: what is whole gets through, what is not is dropped and counted."""

from __future__ import annotations

import binascii
import random
from typing import Any

import smp.header as smp_header
import smp.packet
from hypothesis import given, settings
from hypothesis import strategies as st
from smp.os_management import EchoWriteRequest, EchoWriteResponse
from smp.os_management import MCUMgrParametersReadRequest as ParametersRequest

from bootloader.recovery import smp as device


@given(st.binary(max_size=300))
def test_the_crc_is_xmodems(data: bytes) -> None:
    assert device.crc16(data) == binascii.crc_hqx(data, 0)


@given(st.binary(min_size=8, max_size=1020))
def test_a_strangers_encoder_is_understood(message: bytes) -> None:
    reader = device.LineReader()
    received = [m for line in smp.packet.encode(message) for m in reader.feed(line)]
    assert received == [message]


@given(st.binary(min_size=8, max_size=1020))
def test_a_strangers_decoder_understands_us(message: bytes) -> None:
    decoder = smp.packet.decode()
    next(decoder)
    lines = device.to_lines(message).splitlines(keepends=True)
    assert all(len(line) <= 127 for line in lines)
    try:
        for line in lines:
            decoder.send(line)
    except StopIteration as done:
        assert done.value == message
    else:
        raise AssertionError("the decoder waits for more")


def frame(message: bytes) -> bytes:
    return b"".join(smp.packet.encode(message))


ECHO = EchoWriteRequest(d="hello").BYTES


def test_one_byte_at_a_time_is_as_good_as_all_at_once() -> None:
    reader = device.LineReader()
    received = [m for byte in frame(ECHO) for m in reader.feed(bytes([byte]))]
    assert received == [ECHO]


def test_a_corrupted_frame_is_dropped_and_the_next_one_understood() -> None:
    reader = device.LineReader()
    spoiled = bytearray(frame(ECHO))
    spoiled[12] = ord("A") if spoiled[12] != ord("A") else ord("B")
    assert reader.feed(bytes(spoiled)) == []
    assert reader.dropped["bad CRC"] == 1
    assert reader.feed(frame(ECHO)) == [ECHO]


def test_noise_between_frames_is_dropped() -> None:
    reader = device.LineReader()
    noise = b"boot: hello\r\n\x04\x14AAAA\n" + bytes(range(256)) + b"\n"
    assert reader.feed(noise + frame(ECHO)) == [ECHO]
    assert reader.dropped["not SMP"] >= 2


def test_an_endless_line_takes_no_memory() -> None:
    reader = device.LineReader()
    reader.feed(b"\x06\x09")
    for _ in range(100):
        assert reader.feed(b"A" * 1000) == []
        assert len(reader._line) <= 127
    assert reader.dropped["line too long"] == 1
    assert reader.feed(b"\n" + frame(ECHO)) == [ECHO]


def test_a_frame_that_says_it_is_longer_than_the_buffer_is_dropped_at_once() -> None:
    reader = device.LineReader()
    lines = list(smp.packet.encode(bytes(1030)))
    assert [m for line in lines for m in reader.feed(line)] == []
    assert reader.dropped["malformed"] == 1
    assert reader._frame is None


def test_a_frame_with_more_bytes_than_it_says_is_dropped() -> None:
    reader = device.LineReader()
    body = (len(ECHO) + 2).to_bytes(2, "big") + ECHO + b"xx" + b"extra"
    assert reader.feed(b"\x06\x09" + binascii.b2a_base64(body)) == []
    assert reader.dropped["malformed"] == 1


def test_a_frame_is_found_behind_noise_on_the_same_line() -> None:
    reader = device.LineReader()
    for noise in (b"login: ", b"\x06\x09AAAA", b"x" * 500, b"\x06", b"\x04"):
        assert reader.feed(noise + frame(ECHO)) == [ECHO]


def test_a_new_start_replaces_an_unfinished_frame() -> None:
    reader = device.LineReader()
    first = next(iter(smp.packet.encode(bytes(500))))
    assert reader.feed(first) == []
    assert reader.feed(frame(ECHO)) == [ECHO]


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    reader = device.LineReader()
    reader.feed(b"\x06\x09" + data + b"\n\x04\x14" + data + b"\n")


def echo(group: int, command: int, is_write: bool, body: dict[str, Any]) -> dict[str, Any]:
    if (group, command, is_write) != (0, 0, True):
        raise device.SmpError(device.RC_UNSUPPORTED, "no such command")
    return {"r": body["d"]}


def test_a_standard_request_gets_a_standard_reply() -> None:
    reply = device.answer(ECHO, echo)
    assert reply is not None
    parsed = EchoWriteResponse.loads(reply)
    assert parsed.r == "hello"
    assert parsed.header.version == smp_header.Version.V2


def test_a_refusal_says_why() -> None:
    reply = device.answer(ParametersRequest().BYTES, echo)
    assert reply is not None
    error = ParametersRequest  # the reply's header belongs to the request
    assert smp_header.Header.loads(reply[:8]).command_id == error._COMMAND_ID
    assert b"no such command" in reply


def test_a_body_that_is_not_a_map_or_not_cbor_is_refused_not_fatal() -> None:
    for body in (b"\x01", b"\xff", b"\xbf\x61", b"\x9f" * 30, b"\xfb" + bytes(8)):
        message = smp_header.Header(
            op=smp_header.OP.WRITE,
            version=smp_header.Version.V2,
            flags=smp_header.Flag(0),
            length=len(body),
            group_id=0,
            sequence=1,
            command_id=smp_header.CommandId.OSManagement.ECHO,
        ).BYTES
        reply = device.answer(message + body, echo)
        assert reply is not None
        assert b"rsn" in reply


def test_replies_and_wrong_lengths_get_no_answer() -> None:
    assert device.answer(b"\x09" + ECHO[1:], echo) is None
    assert device.answer(ECHO + b"\0", echo) is None


def test_random_messages_only_ever_get_an_answer_or_none() -> None:
    source = random.Random(7)
    for _ in range(2000):
        message = bytearray(ECHO)
        for _ in range(source.randrange(1, 4)):
            message[source.randrange(len(message))] = source.randrange(256)
        try:
            device.answer(bytes(message), echo)
        except KeyError:
            pass  # this test's own handler
