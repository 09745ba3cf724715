"""A release as a patch to the one before: byte by byte, as an adaptive model expects it. For
`payloads`.

Coder and decoder are one walk over the image with one model, so that they cannot disagree; the
terminal has its own (`firmware/update/patch.py`). The format: docs/formats/patch.md. Where each
stretch of the image comes from is found by `alignment`.
"""

from __future__ import annotations

import math
from typing import Protocol

from updater_server.channels.alignment import Jump, align
from updater_server.wire.limits import PATCH_DECISIONS

RUN_BYTES = 32
"""After so many bytes as expected the length of the rest of them is coded as a number."""
NEAR = 4096
"""A source so near to an expected one is named by its distance."""
_TOP, _LOW = 29, 21
"""The range is between 2 to these powers: an integer that a 32-bit MicroPython need not allocate.
"""
_RATES = [655360 // (10 * seen + 16) for seen in range(16)]
_EVEN = 2048 << 4
_WEIGHT, _HEAVIEST = 3500, 65535
_NUMBER_BITS = 21
_LEFT_OUT = 8
_AFTER_RUN = 17
_STRETCH = [round(16 * math.log((4096 - 16 * i - 8) / (16 * i + 8))) * 16 for i in range(128)]
STRETCH = [-value for value in _STRETCH] + _STRETCH[::-1]
"""Of a probability's 8 highest bits: its logit in 256ths."""
_TAIL = [max(1, round(32768 / (1 + math.exp((32 * j + 16) / 256)))) for j in range(96)]
SQUASH = _TAIL[::-1] + [32768 - value for value in _TAIL]
"""Of a logit in 8ths, from -96 on: its probability of 32768."""


class PatchError(Exception):
    """The patch is damaged, or does not belong to this base."""


class TooLong(Exception):
    """A terminal would decode it for longer than it should."""


class _Coder(Protocol):
    def code(self, bound_of: int, shift: int, bit: int) -> int:
        """The bit; its probability of being 1 is `bound_of` / 2 to the power of `shift`."""


class _Writer:
    """A range coder that writes what it is given."""

    def __init__(self) -> None:
        self._low, self._range = 0, 1 << _TOP
        self._bytes = bytearray()
        self.decisions = 0

    def code(self, bound_of: int, shift: int, bit: int) -> int:
        self.decisions += 1
        bound = (self._range >> shift) * bound_of
        if bit:
            self._range = bound
        else:
            self._low += bound
            self._range -= bound
        while self._range < 1 << _LOW:
            self._range <<= 8
            self._shift()
        return bit

    def _shift(self) -> None:
        if self._low >> 32:
            at = len(self._bytes) - 1
            while self._bytes[at] == 0xFF:
                self._bytes[at] = 0
                at -= 1
            self._bytes[at] += 1
        self._bytes.append(self._low >> 24 & 0xFF)
        self._low = (self._low & 0xFFFFFF) << 8

    def finish(self) -> bytes:
        """All of it; a few zeros at the end are left out, for the reader finds zeros behind it."""
        # Any number within the range will do: the one with the most zeros.
        for zeros in range(_TOP, -1, -1):
            best = (self._low + (1 << zeros) - 1) >> zeros << zeros
            if best < self._low + self._range:
                break
        self._low = best
        for _ in range(4):
            self._shift()
        left_out = min(len(self._bytes) - len(self._bytes.rstrip(b"\0")), _LEFT_OUT)
        return bytes(self._bytes[: len(self._bytes) - left_out])


class _Reader:
    """A range coder that reads what `_Writer` wrote."""

    def __init__(self, patch: bytes) -> None:
        self._patch, self._at = patch, 4
        self._range = 1 << _TOP
        self._code = int.from_bytes(patch[:4].ljust(4, b"\0"), "big")
        if self._code >> _TOP:
            raise PatchError("not a patch")

    def code(self, bound_of: int, shift: int, bit: int) -> int:
        bound = (self._range >> shift) * bound_of
        bit = int(self._code < bound)  # only the patch knows it
        if bit:
            self._range = bound
        else:
            self._code -= bound
            self._range -= bound
        while self._range < 1 << _LOW:
            self._range <<= 8
            behind = self._at >= len(self._patch)
            self._code = self._code << 8 | (0 if behind else self._patch[self._at])
            self._at += 1
            if self._at > len(self._patch) + _LEFT_OUT:
                raise PatchError("the patch is cut short")
        return bit

    def end(self) -> None:
        """Raises PatchError if it ended long before, or is not all read."""
        if not -_LEFT_OUT <= len(self._patch) - self._at <= 0:
            raise PatchError("the patch is not as long as what it makes needs")


def make(base: bytes, image: bytes) -> bytes:
    """The patch that turns `base` into `image`; the same two give the same bytes.

    Raises:
        TooLong: a terminal would take too long over it.
    """
    writer = _written(base, image)
    if writer.decisions > PATCH_DECISIONS[1]:
        raise TooLong(f"{writer.decisions} decisions")
    return writer.finish()


def decisions(base: bytes, image: bytes) -> int:
    """How many answers a terminal reads from the patch that turns `base` into `image`."""
    return _written(base, image).decisions


def _written(base: bytes, image: bytes) -> _Writer:
    writer = _Writer()
    _Walk(writer, base, image, align(base, image)).made(len(image))
    return writer


def apply(base: bytes, patch: bytes, limit_bytes: int) -> bytes:
    """The image that `patch` makes of `base`.

    Raises:
        PatchError: no such image, reaching outside the base, or more than `limit_bytes`.
    """
    reader = _Reader(patch)
    image = _Walk(reader, base, None, []).made(limit_bytes)
    reader.end()
    return image


class _Slots:
    """What the model knows: each slot a probability of 12 bits and how often it was asked, of 4."""

    def __init__(self) -> None:
        self.numbers = [[_EVEN] * 80 for _ in range(3)]
        self.jump, self.other, self.far = [_EVEN] * 32, [_EVEN] * 2, [_EVEN] * 2
        self.itself = [_EVEN]
        self.same = [[_EVEN] * 32, *([_EVEN] * 256 for _ in range(4))]
        self.same_weights = [[_WEIGHT] * 5 for _ in range(4)]
        self.bits = [[_EVEN] * 512, [_EVEN] * 256, *([_EVEN] * 16 for _ in range(4))]
        self.bit_weights = [[_WEIGHT] * 6 for _ in range(4)]
        self.after, self.after_two = bytearray(256), bytearray(512)


class _Walk:
    """One way through the image; the same questions in the same order for both ends.

    The end that reads gives any answer and takes the true one.
    """

    def __init__(self, coder: _Coder, base: bytes, image: bytes | None, jumps: list[Jump]) -> None:
        self._code = coder.code
        self._slots = _Slots()
        self._base_size = len(base)
        self._row = bytearray(base)
        """The base, and behind it the image as far as it is made: what a source may be."""
        self._image = image
        self._jumps = jumps[::-1]
        self._source = self._after_same = self._distance = self._before = 0
        self._history = self._kind = self._change = 0

    def made(self, limit_bytes: int) -> bytes:
        """The image.

        Raises:
            PatchError: as `apply`.
        """
        row = self._row
        more = len(self._image) - self._base_size if self._image is not None else 0
        size = self._base_size + self._signed(self._slots.numbers[1], more)
        if not 0 <= size <= limit_bytes:
            raise PatchError(f"a patch to {size} bytes; at most {limit_bytes} are allowed")
        end = self._base_size + size
        alike = 0
        jumped = False
        while len(row) < end:
            if 0 <= self._source < len(row):
                if alike == RUN_BYTES:
                    self._run(end)
                    alike = 0
                    if len(row) == end:
                        break
                elif self._is_same():
                    alike += 1
                    jumped = False
                    continue
            alike = 0
            if not jumped and self._ask(self._slots.jump, self._history, self._jumps_here()):
                self._jump()
                jumped = True
            else:
                self._byte()
                jumped = False
        return bytes(row[self._base_size :])

    def _jumps_here(self) -> int:
        into = len(self._row) - self._base_size
        return int(bool(self._jumps) and self._jumps[-1].at == into)

    def _next(self) -> int:
        """The image's next byte, or any where only the patch knows it."""
        return self._image[len(self._row) - self._base_size] if self._image is not None else 0

    def _ask(self, slots: list[int], at: int, bit: int) -> int:
        """A bit that has a slot of its own."""
        value = slots[at]
        bit = self._code(value >> 4, 12, bit)
        slots[at] = _learnt(value, bit)
        return bit

    def _number(self, slots: list[int], value: int) -> int:
        """A number from 0: how many bits it plus 1 has, then those below the highest."""
        value += 1
        wanted = value.bit_length() - 1
        size = 0
        while self._ask(slots, size, int(size < wanted)):
            size += 1
            if size > _NUMBER_BITS:
                raise PatchError("a number is too large")
        found = 1
        for place in range(size - 1, -1, -1):
            bit = value >> place & 1
            if found < 4 and size < 14:
                bit = self._ask(slots, 20 + size * 4 + found, bit)
            else:
                bit = self._code(1, 1, bit)
            found = found << 1 | bit
        return found - 1

    def _signed(self, slots: list[int], value: int) -> int:
        """A number of either sign, folded: 0, -1, 1, -2, …"""
        found = self._number(slots, -2 * value - 1 if value < 0 else 2 * value)
        return -(found + 1 >> 1) if found & 1 else found >> 1

    def _mixed(self, slots: list[list[int]], at: list[int], weights: list[int], bit: int) -> int:
        """A bit that several slots have their say on; one at -1 has none."""
        says = [
            (STRETCH[column[place] >> 8] if place >= 0 else 0)
            for column, place in zip(slots, at, strict=True)
        ]
        total = sum(map(int.__mul__, weights, says)) >> 19
        chance = SQUASH[0 if total < -96 else 191 if total > 95 else total + 96]
        bit = self._code(chance, 15, bit)
        missed = (bit << 15) - chance
        for number, place in enumerate(at):
            if place >= 0:
                weight = weights[number] + (says[number] * missed >> 14)
                if not -_HEAVIEST <= weight <= _HEAVIEST:
                    weight = _HEAVIEST if weight > 0 else -_HEAVIEST
                weights[number] = weight
                column = slots[number]
                column[place] = _learnt(column[place], bit)
        return bit

    def _is_same(self) -> int:
        """Whether the next byte is the source's; then it is taken."""
        row, source, history = self._row, self._source, self._history
        expected = row[source]
        before = row[source - 1] if source else 0
        following = row[source + 1] if source + 1 < len(row) else 0
        last = row[-1] if len(row) > self._base_size else 0
        at = [history, expected, last, (expected * 29 + before * 113) >> 2 & 255, following]
        same = int(not self._jumps_here() and self._next() == expected)
        slots = self._slots
        if not self._mixed(slots.same, at, slots.same_weights[history & 3], same):
            return 0
        row.append(expected)
        self._source = self._after_same = source + 1
        self._history = history << 1 & 31
        return 1

    def _run(self, end: int) -> None:
        """All that follow as expected, by their number."""
        row, source = self._row, self._source
        count = 0
        if self._image is not None:
            stop = self._jumps[-1].at + self._base_size if self._jumps else end
            ahead = self._image[len(row) - self._base_size : stop - self._base_size]
            while count < len(ahead) and self._at(source + count, ahead) == ahead[count]:
                count += 1
        count = self._number(self._slots.numbers[0], count)
        if count > end - len(row):
            raise PatchError("the patch makes too much")
        for _ in range(count):
            row.append(row[source])
            source += 1
        self._source = self._after_same = source
        self._history = _AFTER_RUN

    def _at(self, place: int, ahead: bytes) -> int:
        """The byte there, `ahead` being behind the row."""
        beyond = place - len(self._row)
        return self._row[place] if beyond < 0 else ahead[beyond]

    def _jump(self) -> None:
        """Another source, named by its distance from an expected one or by its place."""
        row, slots = self._row, self._slots
        into = len(row) - self._base_size
        source = self._jumps.pop().distance + into if self._image is not None else 0
        expected = (self._after_same, self._before + into)
        other = int(8 * abs(source - expected[1]) + 16 < abs(source - expected[0]))
        other = self._kind = self._ask(slots.other, self._kind, other)
        step = source - expected[other]
        if self._ask(slots.far, other, int(abs(step) >= NEAR)):
            start, size = 0, self._base_size
            if self._ask(slots.itself, 0, int(source >= self._base_size)):
                start, size = self._base_size, into
            found = 0
            for place in range(size.bit_length() - 1, -1, -1):
                found = found << 1 | self._code(1, 1, (source - start) >> place & 1)
            source = start + found
        else:
            source = expected[other] + self._signed(slots.numbers[1 + other], step)
        if not 0 <= source < len(row):
            raise PatchError("the patch reads outside its base")
        self._before, self._distance = self._distance, source - into
        self._source, self._history = source, 0

    def _byte(self) -> None:
        """A byte that is not as expected, bit by bit."""
        row, slots = self._row, self._slots
        expected = row[self._source] if 0 <= self._source < len(row) else 0
        last = row[-1] if len(row) > self._base_size else 0
        two = expected * 45 + last * 83 & 511
        guesses = (
            *(slots.after[expected], slots.after_two[two]),
            *((expected + self._change) & 255, expected),
        )
        weights = slots.bit_weights[self._history & 3]
        value, found = self._next(), 1
        for place in range(7, -1, -1):
            at = [last * 45 + found * 83 & 511, found]
            for guess, sure in zip(guesses, (0, 0, 1, 1), strict=True):
                fits = (guess | 256) >> place + 1 == found and (guess or sure)
                at.append((7 - place) * 2 + (guess >> place & 1) if fits else -1)
            found = found << 1 | self._mixed(slots.bits, at, weights, value >> place & 1)
        value = found & 255
        slots.after[expected] = slots.after_two[two] = value
        self._change = (value - expected) & 255
        self._history = self._history << 1 & 31 | 1
        row.append(value)
        self._source += 1


def _learnt(value: int, bit: int) -> int:
    """A slot after `bit`."""
    seen = value & 15
    asked = seen < 15
    if bit:
        return value + ((4095 - (value >> 4)) * _RATES[seen] >> 16 << 4) + asked
    return value - ((value >> 4) * _RATES[seen] >> 16 << 4) + asked
