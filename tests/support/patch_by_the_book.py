"""A second reader of patches, written from docs/formats/patch.md and from nothing else: slow and
plain, without a line of the product's two. See docs/decisions/0033-independent-oracles.md.
"""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction


class NotAPatch(Exception):
    """The text says that this is none."""


def _floor(value: Fraction | int) -> int:
    return math.floor(value)


def stretch(i: int) -> int:
    """Of a probability's highest 8 bits."""
    if i > 127:
        return -stretch(255 - i)
    return -16 * round(16 * math.log((4088 - 16 * i) / (16 * i + 8)))


def squash(x: int) -> int:
    """The chance of 32768."""
    if x < 0:
        return max(1, round(32768 / (1 + math.exp((32 * (-1 - x) + 16) / 256))))
    return 32768 - squash(-1 - x)


class _Slot:
    def __init__(self) -> None:
        self.q, self.n = 2048, 0

    def learn(self, answer: int) -> None:
        k = 655360 // (10 * self.n + 16)
        if answer:
            self.q += (4095 - self.q) * k // 65536
        else:
            self.q -= self.q * k // 65536
        self.n = min(self.n + 1, 15)


class _Book:
    """The reader, section by section of the page."""

    def __init__(self, base: bytes, patch: bytes) -> None:
        self.row, self.b = list(base), len(base)
        self.bytes = list(patch)
        self.lent = 0
        self.r, self.c = 2**29, 0
        for _ in range(4):
            self.c = self.c * 256 + self._byte()
        if self.c >= 2**29:
            raise NotAPatch("the code")
        self.slots: dict[tuple[object, ...], _Slot] = defaultdict(_Slot)
        self.weights: dict[tuple[object, ...], int] = defaultdict(lambda: 3500)
        self.memories: dict[tuple[str, int], int] = defaultdict(int)

    def _byte(self) -> int:
        if self.bytes:
            return self.bytes.pop(0)
        self.lent += 1
        if self.lent > 8:
            raise NotAPatch("a ninth byte is missing")
        return 0

    def answer(self, p: int, s: int) -> int:
        bound = self.r // 2**s * p
        one = int(self.c < bound)
        if one:
            self.r = bound
        else:
            self.r -= bound
            self.c -= bound
        while self.r < 2**21:
            self.r *= 256
            self.c = self.c * 256 + self._byte()
        return one

    def asked(self, *slot: object) -> int:
        found = self.slots[slot]
        answer = self.answer(found.q, 12)
        found.learn(answer)
        return answer

    def mixed(self, slots: list[tuple[object, ...] | None], of: tuple[object, ...]) -> int:
        says = [0 if one is None else stretch(self.slots[one].q // 16) for one in slots]
        total = sum(self.weights[(*of, i)] * say for i, say in enumerate(says))
        p = squash(min(max(_floor(Fraction(total, 2**19)), -96), 95))
        answer = self.answer(p, 15)
        error = 32768 * answer - p
        for i, (one, say) in enumerate(zip(slots, says, strict=True)):
            if one is not None:
                weight = self.weights[(*of, i)] + _floor(Fraction(say * error, 2**14))
                self.weights[(*of, i)] = min(max(weight, -65535), 65535)
                self.slots[one].learn(answer)
        return answer

    def number(self, of: str) -> int:
        m = 0
        while self.asked(of, m):
            m += 1
            if m > 21:
                raise NotAPatch("a number")
        f = 1
        for _ in range(m):
            bit = self.asked(of, 20 + 4 * m + f) if f < 4 and m < 14 else self.answer(1, 1)
            f = 2 * f + bit
        return f - 1

    def signed(self, of: str) -> int:
        n = self.number(of)
        return n // 2 if n % 2 == 0 else -(n + 1) // 2

    def place(self, at: int) -> int:
        return self.row[at] if 0 <= at < len(self.row) else 0


def read(base: bytes, patch: bytes, limit_bytes: int) -> bytes:
    """The image. Raises NotAPatch."""
    book = _Book(base, patch)
    size = book.b + book.signed("near")
    if not 0 <= size <= limit_bytes:
        raise NotAPatch("the size")
    end = book.b + size
    source = behind_same = alike = h = other = change = 0
    distances = [0, 0]  # of the source now, and before the last jump
    jumped = False
    while len(book.row) < end:
        known = 0 <= source < len(book.row)
        if known and alike == 32:
            count = book.number("runs")
            if len(book.row) + count > end:
                raise NotAPatch("too much")
            for _ in range(count):
                book.row.append(book.row[source])
                source += 1
            behind_same, h, alike = source, 17, 0
            if len(book.row) == end:
                break
        elif known:
            expected = book.row[source]
            last = book.row[-1] if len(book.row) > book.b else 0
            both = (29 * expected + 113 * book.place(source - 1)) // 4 % 256
            looked = (h, expected, last, both, book.place(source + 1))
            if book.mixed([("same", i, one) for i, one in enumerate(looked)], ("same", h % 4)):
                book.row.append(expected)
                source += 1
                behind_same, h, jumped = source, 2 * h % 32, False
                alike += 1
                continue
            alike = 0
        alike = 0
        if not jumped and book.asked("jump?", h):
            source, other = _jump(book, behind_same, distances[1], other)
            distances = [source - (len(book.row) - book.b), distances[0]]
            h, jumped = 0, True
            continue
        change, byte = _byte(book, source, change, h)
        book.row.append(byte)
        source += 1
        h, jumped = (2 * h + 1) % 32, False
    if book.bytes:
        raise NotAPatch("bytes are left over")
    return bytes(book.row[book.b :])


def _jump(book: _Book, behind_same: int, before: int, other: int) -> tuple[int, int]:
    made = len(book.row) - book.b
    other = book.asked("other?", other)
    if book.asked("far?", other):
        own = book.asked("own?")
        size = made if own else book.b
        place = 0
        for _ in range(size.bit_length()):
            place = 2 * place + book.answer(1, 1)
        source = place + (book.b if own else 0)
    else:
        near = before + made if other else behind_same
        source = near + book.signed("other" if other else "near")
    if not 0 <= source < len(book.row):
        raise NotAPatch("a source that is not known")
    return source, other


def _byte(book: _Book, source: int, change: int, h: int) -> tuple[int, int]:
    """The last change, and the byte."""
    expected = book.place(source)
    last = book.row[-1] if len(book.row) > book.b else 0
    two = (45 * expected + 83 * last) % 512
    guesses: list[int | None] = [
        book.memories["one", expected] or None,
        book.memories["two", two] or None,
        (expected + change) % 256,
        expected,
    ]
    f = 1
    for i in range(8):
        slots: list[tuple[object, ...] | None] = [
            ("after", (45 * last + 83 * f) % 512),
            ("alone", f),
        ]
        for number, guess in enumerate(guesses):
            bits = None if guess is None else f"1{guess:08b}"
            fits = bits is not None and int(bits[: i + 1], 2) == f
            slots.append(("guess", number, 2 * i + int((bits or "")[i + 1])) if fits else None)
        f = 2 * f + book.mixed(slots, ("byte", h % 4))
    byte = f - 256
    book.memories["one", expected] = book.memories["two", two] = byte
    return (byte - expected) % 256, byte
