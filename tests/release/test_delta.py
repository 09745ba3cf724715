"""A delta turns the release a terminal runs into the next one, and nothing else."""

from __future__ import annotations

import io
import random

import pytest
from bsdiff4 import core
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.update import delta as terminal
from updater_server.channels import delta

LIMIT_BYTES = 1 << 20


@st.composite
def two_releases(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A base and an image made of it by cutting, inserting and changing."""
    base = draw(st.binary(min_size=1, max_size=800))
    image = bytearray(base)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(image)))
        image[at : at + draw(st.integers(0, 60))] = draw(st.binary(max_size=60))
    return base, bytes(image) or b"x"


@settings(derandomize=True, max_examples=150)
@given(two_releases())
def test_the_patch_gives_the_image_back(pair: tuple[bytes, bytes]) -> None:
    base, image = pair
    assert delta.apply(base, delta.make(base, image), LIMIT_BYTES) == image


def moved_about(seed: int) -> tuple[bytes, bytes]:
    """Two releases of the same pieces in another order, as when files move to other rooms."""
    dice = random.Random(seed)
    pieces = [dice.randbytes(dice.randrange(8, 40)) for _ in range(12)]
    return b"".join(dice.choices(pieces, k=40)), b"".join(dice.choices(pieces, k=40))


def steps_that_only_move(base: bytes, image: bytes) -> list[int]:
    """Their places among the steps that bsdiff finds."""
    control = core.diff(base, image)[0]
    return [at // 24 for at in range(0, len(control), 24) if not any(control[at : at + 16])]


def on_a_terminal(base: bytes, patch: bytes, size: int) -> bytes:
    """What the terminal's own reader makes of a patch."""
    source, made = io.BytesIO(patch), bytearray()

    def old(at: int, view: memoryview) -> None:
        view[:] = base[at : at + len(view)]

    for _ in terminal.apply(source.readinto, old, len(base), made.extend, size):
        pass
    return bytes(made)


def test_what_only_moved_is_a_delta_that_every_reader_takes() -> None:
    moves = 0
    for seed in range(200):
        base, image = moved_about(seed)
        moves += any(at > 0 for at in steps_that_only_move(base, image))
        patch = delta.make(base, image)
        assert delta.apply(base, patch, LIMIT_BYTES) == image
        assert on_a_terminal(base, patch, len(image)) == image
    assert moves > 10, "bsdiff found nothing that only moves: this shows nothing"


@settings(derandomize=True, max_examples=150, deadline=None)
@given(two_releases())
def test_detools_and_we_apply_each_others_patches(pair: tuple[bytes, bytes]) -> None:
    detools = pytest.importorskip("detools", reason="detools needs a C compiler to install")
    base, image = pair
    output = io.BytesIO()
    detools.apply_patch(io.BytesIO(base), io.BytesIO(delta.make(base, image)), output)
    assert output.getvalue() == image
    theirs = io.BytesIO()
    detools.create_patch(io.BytesIO(base), io.BytesIO(image), theirs, compression="none")
    assert delta.apply(base, theirs.getvalue(), LIMIT_BYTES) == image


@settings(derandomize=True, max_examples=300)
@given(two_releases(), st.data())
def test_a_spoiled_patch_is_refused_or_harmless(
    pair: tuple[bytes, bytes], data: st.DataObject
) -> None:
    base, image = pair
    patch = bytearray(delta.make(base, image))
    at = data.draw(st.integers(0, len(patch) - 1))
    patch[at] ^= data.draw(st.integers(1, 255))
    try:
        made = delta.apply(base, bytes(patch), LIMIT_BYTES)
    except delta.DeltaError:
        return
    assert len(made) <= LIMIT_BYTES  # the image's hash catches it later


def test_a_patch_cut_short_is_refused() -> None:
    base, image = bytes(range(200)), bytes(range(100, 250)) * 2
    patch = delta.make(base, image)
    for length in range(len(patch)):
        with pytest.raises(delta.DeltaError):
            delta.apply(base, patch[:length], LIMIT_BYTES)


def test_a_patch_that_promises_too_much_is_refused() -> None:
    image = bytes(500)
    with pytest.raises(delta.DeltaError, match="at most 499"):
        delta.apply(b"base", delta.make(b"base", image), 499)
