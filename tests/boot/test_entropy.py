"""The device key comes from the chip's noise, tested at the moment it is drawn."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from math import comb

import pytest

from bootloader.recovery.entropy import Health, NoEntropyError, make_key
from tests.boot.terminal import TERMINAL_ID, Terminal
from tools.errors import LinkError


def _stuck(n: int) -> bytes:
    return b"\x5a" * n


def _biased(n: int) -> bytes:
    """Three bytes of four are the same: never stuck, far from random."""
    return bytes(byte if i % 4 == 3 else 0 for i, byte in enumerate(os.urandom(n)))


def _silent(n: int) -> bytes:
    return b""


@pytest.mark.parametrize("noise", [_stuck, _biased, _silent])
def test_a_key_is_never_made_from_a_broken_source(noise: Callable[[int], bytes]) -> None:
    with pytest.raises(NoEntropyError):
        make_key(noise, os.urandom)


def test_the_key_is_made_of_the_very_samples_that_were_tested() -> None:
    noise = os.urandom(1024)
    at = iter(range(0, 1024, 64))

    def source(n: int) -> bytes:
        start = next(at)
        return noise[start : start + n]

    assert make_key(source, lambda n: bytes(n)) == hashlib.sha256(noise + bytes(32)).digest()


def test_a_sound_source_passes() -> None:
    for _ in range(50):
        make_key(os.urandom, os.urandom)


def test_one_sample_repeated_twenty_times_passes_and_twenty_one_times_does_not() -> None:
    Health().feed(b"\x01" * 20)
    with pytest.raises(NoEntropyError, match="stuck"):
        Health().feed(b"\x01" * 21)


def test_the_proportion_that_fails_is_the_one_of_the_standard() -> None:
    """The cutoff for one bit of entropy a sample, a window of 512 and alpha 2^-20."""
    chance, cutoff = 0.0, 0
    while chance < 1 - 2**-20:
        chance += comb(512, cutoff) / 2**512
        cutoff += 1

    def window(zeros: int) -> bytes:
        out = bytearray()
        while len(out) < 512:
            zero = out.count(0) < zeros and len(out) % 3 < 2
            out.append(0 if zero else 1 + len(out) % 255)
        assert out.count(0) == zeros
        return bytes(out)

    Health().feed(window(cutoff - 1))
    with pytest.raises(NoEntropyError, match="biased"):
        Health().feed(window(cutoff))


def test_a_board_with_a_stuck_generator_refuses_to_make_an_identity(blank: Terminal) -> None:
    blank.board.board.noise.source = _stuck
    blank.board.power_on()
    with blank.recovery() as link:
        with pytest.raises(LinkError, match="stuck"):
            link.make_identity(TERMINAL_ID)
        assert link.status().state == "blank"


def test_the_chips_noise_source_is_what_is_asked(blank: Terminal) -> None:
    blank.board.power_on()
    with blank.recovery() as link:
        before = blank.board.board.noise.bytes_taken
        link.make_identity(TERMINAL_ID)
    assert blank.board.board.noise.bytes_taken - before == 1024 + 32
