"""Makes an image from the one that runs and a patch, byte by byte, as an adaptive model expects it
(docs/formats/patch.md). Pure: reading and writing are the caller's; no seek in the patch; under
8 KiB of memory, in pieces of at most 1 KiB.

As `model`, it is byte code in images and machine code in interpreters: what is said there of
indexes holds here.
"""

from bootloader.shared.compat import const

from .model import CURVES, Coder, PatchError, ask, mixed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .model import ptr8, ptr16, ptr32

_RUN_BYTES = const(32)
_AFTER_RUN = const(17)
# In turns, and so in bytes made: between two of them others run.
_PACE = const(16)

# What `walk` ended for.
_PAUSE = const(0)
_RUN = const(1)
_JUMP = const(2)

# The state; what begins in `model` has its numbers.
_ANSWER = const(2)
_DONE = const(3)
_LAST = const(4)
_SOURCE = const(5)
_AFTER_SAME = const(6)
_CHANGE = const(7)
_HISTORY = const(8)
_ALIKE = const(9)
_JUMPED = const(10)
_FROM = const(11)
_TO = const(12)
_COUNT = const(13)
_LEFT = const(14)
_OLD_SIZE = const(15)
_NEW_SIZE = const(16)
_PLACES = const(17)
_OF_SAME = const(39)
_OF_BITS = const(59)

# Places of slots; what begins in `model` has its numbers.
_NONE = const(2048)
_EXPECTED = const(0)
_LAST_BYTE = const(256)
_BOTH = const(512)
_BEHIND = const(768)
_TWO = const(1024)
_FOUND = const(1536)
_GUESSES = const(1792)
_SHORT = const(1856)
# In the last of the four, those that are asked alone.
_JUMPS = const(352)
_OTHER = const(384)
_FAR = const(386)
_ITSELF = const(388)

# Cells, an array of bytes: what followed when this byte was changed, and when these two were; the
# row around the source; what was made and is not written yet.
_PAIRS = const(256)
_WINDOW = const(768)
_OUT = const(960)
_CELLS = const(1024)
_WINDOW_BYTES = const(192)
_LOOK_BACK = const(32)


def byte(
    state: "ptr32",
    a: "ptr16",
    b: "ptr16",
    c: "ptr16",
    d: "ptr16",
    curves: "ptr8",
    cells: "ptr8",
    expected: int,
    reader: "_Reader",
) -> None:
    """The answer is a byte that is not as `expected`, told bit by bit."""
    last = state[_LAST]
    pair = _PAIRS + (expected * 45 + last * 83 & 511)
    after = cells[expected]
    after_pair = cells[pair]
    changed = (expected + state[_CHANGE]) & 255
    first = _OF_BITS + 6 * (state[_HISTORY] & 3)
    found = 1
    slot = _GUESSES
    for place in range(8):
        above = 8 - place
        state[_PLACES] = _TWO + (last * 45 + found * 83 & 511)
        state[_PLACES + 1] = _FOUND + found
        state[_PLACES + 2] = _NONE
        if after and (after | 256) >> above == found:
            state[_PLACES + 2] = slot + (after >> above - 1 & 1)
        state[_PLACES + 3] = _NONE
        if after_pair and (after_pair | 256) >> above == found:
            state[_PLACES + 3] = slot + 16 + (after_pair >> above - 1 & 1)
        state[_PLACES + 4] = _NONE
        if (changed | 256) >> above == found:
            state[_PLACES + 4] = slot + 32 + (changed >> above - 1 & 1)
        state[_PLACES + 5] = _NONE
        if (expected | 256) >> above == found:
            state[_PLACES + 5] = slot + 48 + (expected >> above - 1 & 1)
        slot += 2
        mixed(state, a, b, c, d, curves, first, 6, reader)
        found = found << 1 | state[_ANSWER]
    found &= 255
    cells[expected] = found
    cells[pair] = found
    state[_CHANGE] = (found - expected) & 255
    state[_HISTORY] = (state[_HISTORY] << 1 & 31) | 1
    state[_ANSWER] = found


def take(state: "ptr32", cells: "ptr8", made: int) -> None:
    """The image's next byte."""
    cells[_OUT + (state[_COUNT] & 63)] = made
    state[_COUNT] += 1
    state[_DONE] += 1
    state[_LAST] = made
    state[_SOURCE] += 1


def walk(
    state: "ptr32",
    a: "ptr16",
    b: "ptr16",
    c: "ptr16",
    d: "ptr16",
    curves: "ptr8",
    cells: "ptr8",
    reader: "_Reader",
) -> int:
    """Answers until a run or a jump follows, the turns are over or the image is whole."""
    while state[_LEFT] and state[_DONE] < state[_NEW_SIZE]:
        source = state[_SOURCE]
        history = state[_HISTORY]
        expected = 0
        if source < state[_OLD_SIZE] + state[_DONE]:
            if state[_ALIKE] == _RUN_BYTES:
                return _RUN
            if source < state[_FROM] or source >= state[_TO]:
                reader.show()
            at = _WINDOW + source - state[_FROM]
            expected = cells[at + 1]
            if state[_ALIKE] < _RUN_BYTES:
                state[_PLACES] = _SHORT + history
                state[_PLACES + 1] = _EXPECTED + expected
                state[_PLACES + 2] = _LAST_BYTE + state[_LAST]
                state[_PLACES + 3] = _BOTH + ((expected * 29 + cells[at] * 113) >> 2 & 255)
                state[_PLACES + 4] = _BEHIND + cells[at + 2]
                first = _OF_SAME + 5 * (history & 3)
                mixed(state, a, b, c, d, curves, first, 5, reader)
                if state[_ANSWER]:
                    state[_LEFT] -= 1
                    state[_ALIKE] += 1
                    state[_JUMPED] = 0
                    state[_AFTER_SAME] = source + 1
                    state[_HISTORY] = history << 1 & 31
                    take(state, cells, expected)
                    continue
        state[_LEFT] -= 1
        state[_ALIKE] = 0
        if not state[_JUMPED]:
            ask(state, d, _JUMPS + history, reader)
            if state[_ANSWER]:
                return _JUMP
        state[_JUMPED] = 0
        byte(state, a, b, c, d, curves, cells, expected, reader)
        take(state, cells, state[_ANSWER])
    return _PAUSE


class _Reader(Coder):
    """The row, and the walk along it."""

    def __init__(
        self,
        read: "Callable[[bytearray], int]",
        old: "Callable[[int, memoryview], None]",
        old_size: int,
        write: "Callable[[memoryview], None]",
        made: "Callable[[int, memoryview], None]",
        new_size: int,
    ) -> None:
        super().__init__(read)
        self._old = old
        self._write = write
        self._made = made
        self.cells = bytearray(_CELLS)
        view = memoryview(self.cells)
        self._window = view[_WINDOW : _WINDOW + _WINDOW_BYTES]
        self._out = view[_OUT:]
        self.state[_OLD_SIZE] = old_size
        self.state[_NEW_SIZE] = new_size
        self._before = self._distance = self._kind = 0

    def flush(self) -> None:
        """Write what was made."""
        count = self.state[_COUNT]
        if count:
            self.state[_COUNT] = 0
            self._write(self._out[:count])

    def show(self) -> None:
        """Lay into the window what lies around the source: from 32 bytes and one before it, and at
        least to the one behind it. A place outside the row holds a 0.
        """
        self.flush()
        state = self.state
        window = self._window
        old_size = state[_OLD_SIZE]
        first = max(state[_SOURCE] - _LOOK_BACK, 0)
        place = max(first - 1, 0)
        at = place - first + 1
        window[0] = 0
        end = min(first - 1 + _WINDOW_BYTES, old_size + state[_DONE])
        count = min(end, old_size) - place
        if count > 0:
            self._old(place, window[at : at + count])
            at += count
            place += count
        if place < end:
            count = end - place
            self._made(place - old_size, window[at : at + count])
            at += count
        if at < _WINDOW_BYTES:
            window[at] = 0
        state[_FROM] = first
        # what is not made yet is looked at anew
        state[_TO] = first + at - 2

    def run(self) -> "Iterator[None]":
        """All that follow as expected, by their number."""
        state = self.state
        left = self.number(0)
        if left > state[_NEW_SIZE] - state[_DONE]:
            raise PatchError("the patch makes too much")
        state[_TO] = 0
        while left:
            place = state[_SOURCE] - state[_OLD_SIZE]
            if place < 0:
                count = min(left, _WINDOW_BYTES, -place)
                piece = self._window[:count]
                self._old(state[_SOURCE], piece)
            else:
                count = min(left, _WINDOW_BYTES, state[_DONE] - place)
                piece = self._window[:count]
                self._made(place, piece)
            self._write(piece)
            state[_LAST] = piece[count - 1]
            state[_DONE] += count
            state[_SOURCE] += count
            left -= count
            yield
        state[_AFTER_SAME] = state[_SOURCE]
        state[_HISTORY] = _AFTER_RUN
        state[_ALIKE] = _RUN_BYTES + 1

    def jump(self) -> None:
        """Another source, named by its distance from an expected one or by its place."""
        state = self.state
        d = self.pieces[3]
        old_size = state[_OLD_SIZE]
        done = state[_DONE]
        other = self._kind = self.is_so(d, _OTHER + self._kind)
        if self.is_so(d, _FAR + other):
            start = 0
            size = old_size
            if self.is_so(d, _ITSELF):
                start = size
                size = done
            found = 0
            while size:
                found = found << 1 | self.raw()
                size >>= 1
            source = start + found
        else:
            source = self._before + done if other else state[_AFTER_SAME]
            source += self.signed(1 + other)
        if not 0 <= source < old_size + done:
            raise PatchError("the patch reads outside its base")
        self._before = self._distance
        self._distance = source - done
        state[_SOURCE] = source
        state[_HISTORY] = 0
        state[_JUMPED] = 1


def apply(
    read: "Callable[[bytearray], int]",
    old: "Callable[[int, memoryview], None]",
    old_size: int,
    write: "Callable[[memoryview], None]",
    made: "Callable[[int, memoryview], None]",
    new_size: int,
) -> "Iterator[None]":
    """Make the new image; a generator that yields every few bytes, so that the caller can let
    others run.

    `read(buf)` fills `buf` from the patch and returns 0 at its end; `old(offset, view)` fills
    `view` from the base; `write(view)` takes the image piece by piece; `made(offset, view)` fills
    `view` from what was written. Never writes more than `new_size` bytes.

    Raises:
        PatchError: as there. Whatever the four raise passes through.
    """
    reader = _Reader(read, old, old_size, write, made, new_size)
    if old_size + reader.signed(1) != new_size:
        raise PatchError("the patch makes another size")
    state = reader.state
    a, b, c, d = reader.pieces
    while state[_DONE] < new_size:
        # the curves are only read
        why = walk(state, a, b, c, d, CURVES, reader.cells, reader)  # type: ignore[arg-type]
        reader.flush()
        if why == _RUN:
            for _ in reader.run():
                yield
        elif why == _JUMP:
            reader.jump()
        else:
            state[_LEFT] = _PACE
            yield
    if not reader.behind and read(bytearray(1)):
        raise PatchError("something follows the patch")
