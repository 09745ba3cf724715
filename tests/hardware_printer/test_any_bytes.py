"""Any bytes, cut anywhere: the same paper, no exception, bounded memory."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.printer import EscPosPrinter
from hw_sim.printer.commands import BLOCK_KEEP_BYTES, Framer

# commands more often than chance would make them, with parameters that are often small
_PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            b"\x1b@",
            b"\x1b!",
            b"\x1ba",
            b"\x1bd",
            b"\x1bt",
            b"\x1bD\x04\x00",
            b"\x1b*\x21\x05\x00",
            b"\x1d!",
            b"\x1dV",
            b"\x1dv0\x00\x02\x00\x03\x00",
            b"\x1dv0\x01\x30\x00\x02\x00",
            b"\x1dk\x49\x05{B123",
            b"\x1dk\x04",
            b"\x1d(k\x03\x001C\x04",
            b"\x1d(k\x07\x001P0duka",
            b"\x1d(k\x03\x001Q0",
            b"\x10\x04\x01",
            b"\x1dr\x01",
            b"\x1da\xff",
            b"\n",
            b"text that a person reads ",
        ]
    ),
    st.lists(st.integers(0, 3), max_size=4).map(bytes),
)
STREAMS = st.lists(_PIECES, max_size=40).map(b"".join)


def _printed(stream: bytes, cuts: list[int]) -> tuple[EscPosPrinter, bytes]:
    replies = bytearray()
    printer = EscPosPrinter(mm_per_s=None)
    printer.send = replies.extend
    printer.on_power(True)
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        printer.on_host_bytes(stream[start:end])
    return printer, bytes(replies)


@settings(max_examples=300, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 1000), max_size=20))
def test_any_bytes_in_any_pieces_give_the_same_paper(stream: bytes, cuts: list[int]) -> None:
    whole, whole_replies = _printed(stream, [])
    parted, parted_replies = _printed(stream, cuts)
    single, single_replies = _printed(stream, list(range(len(stream))))
    assert whole.paper == parted.paper == single.paper
    assert whole.unknown == parted.unknown == single.unknown
    assert whole_replies == parted_replies == single_replies
    for receipt in whole.receipts():
        assert isinstance(receipt.layout, str)


@settings(max_examples=200, deadline=None)
@given(STREAMS)
def test_every_byte_is_framed_into_a_command_or_still_pending(stream: bytes) -> None:
    framer = Framer()
    commands = framer.feed(stream)
    skipped = len(stream) - framer.pending_bytes - sum(c.size_bytes for c in commands)
    assert skipped >= 0
    if all(c.name not in ("raster row",) for c in commands) and len(stream) < BLOCK_KEEP_BYTES:
        wide = any(c.name == "GS v 0" for c in commands)
        assert skipped == 0 or wide


def test_a_command_that_claims_gigabytes_takes_no_memory() -> None:
    printer = EscPosPrinter(mm_per_s=None)
    printer.on_power(True)
    printer.on_host_bytes(b"\x1dv0\x00\xff\xff\xff\xff" + b"\xaa" * 200_000)
    assert printer.buffered_bytes <= 4096
    assert len(printer.paper) == 1
    assert max(len(row) for row in printer.paper[0].rows) == 48
    printer.on_power(False)
    printer.on_power(True)
    printer.on_host_bytes(b"\x1d(k\xff\xff" + b"1P0" + b"7" * 100_000)
    assert printer.buffered_bytes <= BLOCK_KEEP_BYTES + 16


def test_the_list_of_unknown_sequences_is_bounded() -> None:
    printer = EscPosPrinter(mm_per_s=None)
    printer.on_power(True)
    printer.on_host_bytes(b"\x1bz" * 5000)
    assert len(printer.unknown) == 1000
