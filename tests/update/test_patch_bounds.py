"""Machine code looks at no index. So here every index of the patch's reader is looked at, whatever
the patch says; and each thing that bounds one is taken away once, to see that it is missed."""

from __future__ import annotations

import io
import random
import types
from collections.abc import Iterator
from typing import Any

import pytest

from firmware.update import model, patch
from tests.update.test_patch import alike
from updater_server.channels import patch as maker

SMALL = 1 << 30
CASES = 56


class OutOfBounds(Exception):
    """What machine code would have read or written."""


class Watched:
    """An array or bytes that says what an address would not: where its end is, and what fits."""

    def __init__(self, of: Any, values: int) -> None:
        self.of, self.values, self.looks = of, values, 0

    def _checked(self, at: int) -> int:
        self.looks += 1
        if not 0 <= at < len(self.of):
            raise OutOfBounds(f"{at} of {len(self.of)}")
        return at

    def __getitem__(self, at: int) -> int:
        value: int = self.of[self._checked(at)]
        return value

    def __setitem__(self, at: int, value: int) -> None:
        if not 0 <= value < self.values:
            raise OutOfBounds(f"{value} is kept where {self.values} is the end")
        self.of[self._checked(at)] = value


class Reader:
    """The two modules of the reader from their text, with `changes` made in it, and every array
    that its functions are given watched.
    """

    def __init__(self, changes: tuple[str, str] = ("", "")) -> None:
        self.looks = 0
        made = [types.ModuleType("of_patches." + name) for name in ("model", "patch")]
        for module, original in zip(made, (model, patch), strict=True):
            text = original.__loader__.get_source(original.__name__)
            if changes[0] and changes[0] in text:
                text = text.replace(*changes)
                changes = ("", "")
            if original is patch:
                coder = made[0].__dict__
                names = "CURVES", "Coder", "PatchError", "ask", "mixed"
                module.__dict__.update({name: coder[name] for name in names})
                text = text.replace("from .model import " + ", ".join(names), "")
            exec(compile(text, str(original.__file__), "exec"), module.__dict__)
        assert changes == ("", ""), "nothing was changed"
        self.module = made[1]
        walk = self.module.walk
        watched: dict[int, Watched] = {}

        def one(of: Any, values: int) -> Watched:
            if id(of) not in watched:
                watched[id(of)] = Watched(of, values)
            return watched[id(of)]

        def watched_walk(state: Any, *others: Any) -> int:
            *pieces, curves, cells, reader = others
            given = [one(state, SMALL)] + [one(piece, 1 << 16) for piece in pieces]
            given += [one(curves, 0), one(cells, 256)]
            before = sum(each.looks for each in given)
            why: int = walk(*given, reader)
            self.looks += sum(each.looks for each in given) - before
            return why

        self.module.__dict__["walk"] = watched_walk

    def read(self, base: bytes, data: bytes, size: int) -> bytes | None:
        """The image, or None if the patch is refused."""
        made = bytearray()

        def old(at: int, view: memoryview) -> None:
            if at < 0 or at + len(view) > len(base):
                raise OutOfBounds("of the base")
            view[:] = base[at : at + len(view)]

        def of_image(at: int, view: memoryview) -> None:
            if at < 0 or at + len(view) > len(made):
                raise OutOfBounds("of the image")
            view[:] = made[at : at + len(view)]

        read = io.BytesIO(data).readinto
        try:
            for _ in self.module.apply(read, old, len(base), made.extend, of_image, size):
                if len(made) > size:
                    raise OutOfBounds("the image is too long")
        except self.module.PatchError:
            return None
        return bytes(made)


def hostile(seed: int, count: int) -> Iterator[tuple[bytes, bytes, int]]:
    """(base, patch, size): good ones, and spoiled ones that still say the right size."""
    dice = random.Random(seed)
    for number in range(count):
        base, image = alike(seed + number % 5, dice.choice((1, 40, 300, 700)))
        middle = len(image) // 2
        image = (
            image,
            dice.randbytes(len(image)),
            bytes([dice.randrange(256)]) * len(image),
            image[middle:] + image[:middle],
            base[:90] + base[40:],
            bytes(byte + 1 & 255 for byte in base),
            base,
        )[number % 7]
        data = bytearray(maker.make(base, image))
        if number % 14 > 6:
            at = dice.randrange(min(4, len(data)), len(data) + 1)
            data[at:] = dice.randbytes(dice.choice((0, 1, 30, 300)))
        yield base, bytes(data), len(image)


def test_no_patch_reads_or_writes_outside_what_its_reader_has() -> None:
    reader = Reader()
    verdicts = set()
    for base, data, size in hostile(1, CASES):
        found = reader.read(base, data, size)
        assert found == by_the_tools(base, data, size)
        verdicts.add(found is None)
    assert verdicts == {True, False}
    assert reader.looks > 500_000


def by_the_tools(base: bytes, data: bytes, size: int) -> bytes | None:
    try:
        image = maker.apply(base, data, size)
    except maker.PatchError:
        return None
    return image if len(image) == size else None


@pytest.mark.parametrize(
    "changes",
    [
        ("last * 45 + found * 83 & 511", "last * 45 + found * 83"),
        ("(expected * 45 + last * 83 & 511)", "(expected * 45 + last * 83)"),
        (">> 2 & 255)", ">> 2)"),
        ("    found &= 255\n", ""),
        ("history << 1 & 31\n", "history << 1\n"),
        ("(state[_HISTORY] & 3)", "state[_HISTORY]"),
        (" or source >= state[_TO]:", ":"),
        ("source < state[_FROM] or ", ""),
        ("        state[_TO] = 0\n", ""),
        ("slots[place & 511]", "slots[place]"),
        ("if not 0 <= source < old_size + done:", "if source >= old_size + done:"),
        ("min(first - 1 + _WINDOW_BYTES, old_size + state[_DONE])", "first - 1 + _WINDOW_BYTES"),
        ("            self.state[_COUNT] = 0\n", ""),
        ("if left > state[_NEW_SIZE] - state[_DONE]:", "if left > 1 << 20:"),
    ],
)
def test_what_bounds_an_index_is_missed_where_it_is_taken_away(changes: tuple[str, str]) -> None:
    reader = Reader(changes)
    with pytest.raises((OutOfBounds, AssertionError)):
        for base, data, size in hostile(1, CASES):
            assert reader.read(base, data, size) == by_the_tools(base, data, size)


class Source:
    """Stands where the reader stands while a byte is told: there is always more of a patch."""

    def __init__(self, state: Watched, dice: random.Random) -> None:
        self.state, self.dice = state, dice

    def refill(self) -> None:
        state = self.state
        while state[0] < 1 << 21:
            state[0] <<= 8
            state[1] = state[1] << 8 | self.dice.randrange(256)


def tell_a_byte(reader: Reader, seed: int) -> None:
    """A byte after a past of which is known only that nothing left its bounds.

    Raises:
        OutOfBounds: something left them now.
    """
    dice = random.Random(seed)
    module = reader.module
    coder = module.Coder(io.BytesIO(bytes(4)).readinto)
    for piece in coder.pieces:
        for at in range(len(piece)):
            piece[at] = dice.choice((0, 15, 0xFFFF, 0xFFF0, dice.randrange(1 << 16)))
    state = coder.state
    for at in range(39, 83):
        state[at] = dice.choice((1, 131071, dice.randrange(1, 131072)))
    state[0] = dice.choice((1 << 21, 1 << 29, dice.randrange(1 << 21, 1 << 29)))
    state[1] = dice.choice((0, state[0] - 1, dice.randrange(state[0])))
    state[4], state[7], state[8] = (dice.randrange(end) for end in (256, 256, 32))
    watched = Watched(state, SMALL)
    pieces = [Watched(piece, 1 << 16) for piece in coder.pieces]
    cells = Watched(bytearray(dice.randbytes(1024)), 256)
    curves = Watched(module.CURVES, 0)
    source = Source(watched, dice)
    module.byte(watched, *pieces, curves, cells, dice.randrange(256), source)
    for _ in range(32):
        module.ask(watched, pieces[3], dice.randrange(512), source)
    for at in range(39, 83):
        if not 1 <= state[at] <= 131071:
            raise OutOfBounds("of a weight")
    if not (1 << 21 <= state[0] <= 1 << 29 and 0 <= state[1] < state[0]):
        raise OutOfBounds("of the range")
    if state[4] > 255 or state[7] > 255 or state[8] > 31:
        raise OutOfBounds("of what is known of the last bytes")


def test_whatever_was_learnt_nothing_leaves_its_bounds_with_the_next_byte() -> None:
    reader = Reader()
    for seed in range(60):
        tell_a_byte(reader, seed)


@pytest.mark.parametrize(
    "changes",
    [
        ("    if at > _STEEPEST:\n        at = _STEEPEST\n", ""),
        (
            "            if weight < 1:\n                weight = 1\n            elif",
            "            if",
        ),
        ("            elif weight > _HEAVIEST:\n                weight = _HEAVIEST\n", ""),
        ("chance += (4095 - chance) * rate", "chance += (8190 - chance) * rate"),
        ("chance += (4095 - chance) * state", "chance += (8190 - chance) * state"),
        ("(found - expected) & 255", "found - expected"),
        ("(state[_HISTORY] << 1 & 31)", "(state[_HISTORY] << 1)"),
        ("state[_RANGE] >> 15) * chance", "state[_RANGE] >> 13) * chance"),
    ],
)
def test_what_keeps_to_bounds_what_was_learnt_is_missed_where_it_is_taken_away(
    changes: tuple[str, str],
) -> None:
    reader = Reader(changes)
    with pytest.raises(OutOfBounds):
        for seed in range(60):
            tell_a_byte(reader, seed)
