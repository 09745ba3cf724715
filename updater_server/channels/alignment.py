"""Where each stretch of an image is best taken from: the base, or the image itself before it. For
`patch`.

A search of the cheapest way through the image over all sources that could go on, with the costs in
bits that the model usually finds. It decides only how long the patch gets.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from math import inf, log2
from typing import NamedTuple

_WORD = 4
_CANDIDATES = 32
_LATELY = 24
_LONG = 32
"""Bytes in a row as expected: then no other source is asked for."""
_LIVELY = 64
"""So many sources at once are followed."""
_SAME, _SAME_AGAIN, _SAME_AT_LAST = 0.03, 0.5, 1.0
_FIRST_OTHER, _OTHER, _LATER_OTHER = 8.8, 6.0, 8.0
_NEAR_JUMP, _A_DOUBLING, _FAR_JUMP, _NEAR = 9.0, 1.3, 23.0, 256
_HOPELESS = 40.0
_INDEX_AFTER = 256
"""So many words are searched for before all are looked up in an index."""


class Jump(NamedTuple):
    """From the image's byte `at` on the source is `distance` bytes on from it, base and image taken
    as one row (so it is negative, or within the base)."""

    at: int
    distance: int


class _Way(NamedTuple):
    """One way to come here: its source's distance, bits so far, its last jump (an index), and which
    of the last three bytes were not as expected."""

    distance: int
    bits: float
    node: int
    history: int


def align(base: bytes, image: bytes) -> list[Jump]:
    """The jumps of the source that make the shortest patch, by estimate, in order."""
    return _Search(base, image).run()


class _Words:
    """Where each word lies. The first few are searched for: most releases differ little from the
    one before, and an index of all words is half of the work then.
    """

    def __init__(self, row: bytes, base_size: int) -> None:
        self._row = row
        self._base_size = base_size
        self._asked = 0
        self._found: dict[bytes, list[int]] = {}
        """In the base: of words that were asked for, or of all."""
        self._image_words: dict[bytes, list[int]] = defaultdict(list)
        self._indexed = base_size

    def in_base(self, word: bytes) -> list[int]:
        """All its places, in order."""
        self._asked += 1
        if self._asked == _INDEX_AFTER:
            self._found = self._all_of_base()
        if self._asked >= _INDEX_AFTER:
            return self._found.get(word, [])
        if word not in self._found:
            self._found[word] = self._search(word, 0, self._base_size)
        return self._found[word]

    def in_image(self, word: bytes, at: int) -> list[int]:
        """Its last places before `at`, in order."""
        if self._asked < _INDEX_AFTER:
            return self._search(word, self._base_size, at)[-_LATELY:]
        row = self._row
        for place in range(self._indexed, at - _WORD + 1):
            self._image_words[row[place : place + _WORD]].append(place)
        self._indexed = max(self._indexed, at - _WORD + 1)
        return self._image_words.get(word, [])[-_LATELY:]

    def _search(self, word: bytes, begin: int, end: int) -> list[int]:
        places = []
        place = self._row.find(word, begin, end)
        while place >= 0:
            places.append(place)
            place = self._row.find(word, place + 1, end)
        return places

    def _all_of_base(self) -> dict[bytes, list[int]]:
        row = self._row
        found: dict[bytes, list[int]] = defaultdict(list)
        for place in range(self._base_size - _WORD + 1):
            found[row[place : place + _WORD]].append(place)
        return found


class _Search:
    def __init__(self, base: bytes, image: bytes) -> None:
        self._row = base + image
        self._base_size = len(base)
        self._end = len(self._row)
        self._words = _Words(self._row, len(base))
        self._nodes: list[tuple[int, int, int]] = [(0, 0, -1)]

    def run(self) -> list[Jump]:
        """Byte by byte; where the best way goes on long, straight to the end of that."""
        ways = [_Way(0, 0.0, 0, 0)]
        at = self._base_size
        while at < self._end:
            best = min(ways, key=lambda way: (way.bits, way.node))
            length = self._alike(best.distance + at - self._base_size, at, self._end)
            if length >= _LONG:
                ways = [best._replace(history=0)]
                at += length
                continue
            ways = self._step(self._with_new(ways, best, at), at)
            at += 1
        found = []
        node = min(ways, key=lambda way: (way.bits, way.node)).node
        while node >= 0:
            jump_at, distance, node = self._nodes[node]
            found.append(Jump(jump_at, distance))
        return found[::-1][1:] if found[-1] == (0, 0) else found[::-1]

    def _alike(self, source: int, at: int, end: int) -> int:
        """How many bytes from `source` on are those from `at` on."""
        if not 0 <= source < at:
            return 0
        row = self._row
        size, step = 0, 16
        while True:
            step = min(step, end - at - size)
            if not step:
                return size
            if row[source + size : source + size + step] == row[at + size : at + size + step]:
                size += step
                step *= 2
            elif step == 1:
                return size
            else:
                step = max(1, step // 4)

    def _sources(self, near: int, at: int) -> list[int]:
        """Places that hold the word at `at`: of the base those near `near`, of the image the
        last."""
        word = self._row[at : at + _WORD]
        if len(word) < _WORD:
            return []
        places = self._words.in_base(word)
        if len(places) > _CANDIDATES:
            middle = bisect_left(places, near)
            first = max(0, min(middle - _CANDIDATES // 2, len(places) - _CANDIDATES))
            places = places[first : first + _CANDIDATES]
        return places + self._words.in_image(word, at)

    def _with_new(self, ways: list[_Way], best: _Way, at: int) -> list[_Way]:
        """The ways, and those that begin here by a jump from the best."""
        into = at - self._base_size
        known = {way.distance: number for number, way in enumerate(ways)}
        for source in self._sources(best.distance + into, at):
            distance = source - into
            apart = abs(distance - best.distance)
            near = _NEAR_JUMP + _A_DOUBLING * log2(1 + apart)
            bits = best.bits + (near if apart < _NEAR else _FAR_JUMP)
            number = known.get(distance)
            if number is None or ways[number].bits > bits:
                self._nodes.append((into, distance, best.node))
                way = _Way(distance, bits, len(self._nodes) - 1, 0)
                if number is None:
                    ways.append(way)
                else:
                    ways[number] = way
        return ways

    def _step(self, ways: list[_Way], at: int) -> list[_Way]:
        """One byte on, without the hopeless ones."""
        row, into = self._row, at - self._base_size
        byte = row[at]
        gone: list[_Way] = []
        limit = inf
        for distance, bits, node, history in ways:
            source = distance + into
            if 0 <= source < at and row[source] == byte:
                bits += _SAME_AT_LAST if history & 1 else _SAME_AGAIN if history & 2 else _SAME
                history = history << 1 & 7
            else:
                bits += _OTHER if history & 1 else _LATER_OTHER if history else _FIRST_OTHER
                history = history << 1 & 7 | 1
            if bits <= limit:
                gone.append(_Way(distance, bits, node, history))
                limit = min(limit, bits + _HOPELESS)
        left = [way for way in gone if way.bits <= limit]
        return left if len(left) <= _LIVELY else sorted(left, key=lambda way: way.bits)[:_LIVELY]
