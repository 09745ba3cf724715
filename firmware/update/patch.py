"""Makes an image from the one that runs and a patch, byte by byte, as an adaptive model expects it
(docs/formats/patch.md). For `install` only; pure: reading and writing are the caller's.

No seek in the patch; under 8 KiB of memory, in small pieces.
"""

from bootloader.shared.compat import const

from .model import EVEN, Model, PatchError, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RUN_BYTES = const(32)
_NEAR = const(4096)
_BLOCK = const(256)
_AFTER_RUN = const(17)
_YIELD_EVERY = const(16)
# Where each kind of slot begins among those that are no table.
_OTHER = const(32)
_FAR = const(34)
_ITSELF = const(36)


class _Image:
    """The image as it comes to be. `take(byte)` and what it was expected to be."""

    def __init__(
        self,
        model: Model,
        old: "Callable[[int, memoryview], None]",
        old_size: int,
        write: "Callable[[memoryview], None]",
        made: "Callable[[int], int]",
    ) -> None:
        self._model = model
        self._old = old
        self._old_size = old_size
        self._write = write
        self._made = made
        self._one = memoryview(bytearray(1))
        self._block = memoryview(bytearray(_BLOCK))
        self._block_at = -1
        self._after = bytearray(256)
        self._after_two = bytearray(512)
        self._numbers = [table("H", 80, EVEN) for _ in range(3)]
        self._slots = table("H", 37, EVEN)
        self._same = [table("H", 256 if n else 32, EVEN) for n in range(5)]
        self._bits = [table("H", n, EVEN) for n in (512, 256, 16, 16, 16, 16)]
        self._same_weights = table("i", 20, 3500)
        self._bit_weights = table("i", 24, 3500)
        self._of_same = table("h", 5, 0)
        self._of_bits = table("h", 6, 0)
        self.done = self._last = self._source = self._after_same = 0
        self._distance = self._before = self._kind = self._change = self._history = 0

    def _at(self, place: int) -> int:
        """The byte there, base and image taken as one row; 0 where there is none."""
        if place >= self._old_size:
            place -= self._old_size
            return self._made(place) if place < self.done else 0
        if place < 0:
            return 0
        if place // _BLOCK != self._block_at:
            self._block_at = place // _BLOCK
            start = self._block_at * _BLOCK
            self._old(start, self._block[: min(_BLOCK, self._old_size - start)])
        return self._block[place % _BLOCK]

    def growth(self) -> int:
        """How many bytes longer than the base it will be."""
        return self._model.signed(self._numbers[1])

    def is_known(self) -> bool:
        """Whether a byte is expected."""
        return 0 <= self._source < self._old_size + self.done

    def _take(self, byte: int) -> None:
        self._one[0] = byte
        self._write(self._one)
        self.done += 1
        self._last = byte

    def is_same(self) -> int:
        """Whether the next byte is as expected; then it is taken."""
        source = self._source
        expected = self._at(source)
        before = self._at(source - 1)
        at = self._of_same
        at[0] = self._history
        at[1] = expected
        at[2] = self._last
        at[3] = (expected * 29 + before * 113) >> 2 & 255
        at[4] = self._at(source + 1)
        first = 5 * (self._history & 3)
        if not self._model.mixed(self._same, at, self._same_weights, first):
            return 0
        self._take(expected)
        self._source = self._after_same = source + 1
        self._history = self._history << 1 & 31
        return 1

    def run(self, new_size: int) -> "Iterator[None]":
        """All that follow as expected, by their number."""
        left = self._model.number(self._numbers[0])
        if left > new_size - self.done:
            raise PatchError("the patch makes too much")
        while left:
            if self._source < self._old_size:
                self._at(self._source)
                first = self._source % _BLOCK
                count = min(left, _BLOCK - first, self._old_size - self._source)
                piece = self._block[first : first + count]
                self._write(piece)
                self._last = piece[count - 1]
                self.done += count
            else:
                count = 1
                self._take(self._at(self._source))
            self._source += count
            left -= count
            yield
        self._after_same = self._source
        self._history = _AFTER_RUN

    def jumps(self) -> int:
        """Whether another source follows."""
        return self._model.ask(self._slots, self._history)

    def jump(self) -> None:
        """Another source, named by its distance from an expected one or by its place."""
        model = self._model
        other = self._kind = model.ask(self._slots, _OTHER + self._kind)
        if model.ask(self._slots, _FAR + other):
            start = 0
            size = self._old_size
            if model.ask(self._slots, _ITSELF):
                start = size
                size = self.done
            found = 0
            while size:
                found = found << 1 | model.raw()
                size >>= 1
            source = start + found
        else:
            source = self._before + self.done if other else self._after_same
            source += model.signed(self._numbers[1 + other])
        if not 0 <= source < self._old_size + self.done:
            raise PatchError("the patch reads outside its base")
        self._before = self._distance
        self._distance = source - self.done
        self._source = source
        self._history = 0

    def byte(self) -> None:
        """A byte that is not as expected, bit by bit."""
        model = self._model
        at = self._of_bits
        last = self._last
        expected = self._at(self._source)
        two = expected * 45 + last * 83 & 511
        after = self._after[expected] or -1
        after_two = self._after_two[two] or -1
        changed = (expected + self._change) & 255
        first = 6 * (self._history & 3)
        found = 1
        for place in range(7, -1, -1):
            at[0] = last * 45 + found * 83 & 511
            at[1] = found
            slot = 2 * (7 - place)
            begun = (found << place + 1) - 256
            above = begun + (2 << place)
            at[2] = slot + (after >> place & 1) if begun <= after < above else -1
            at[3] = slot + (after_two >> place & 1) if begun <= after_two < above else -1
            at[4] = slot + (changed >> place & 1) if begun <= changed < above else -1
            at[5] = slot + (expected >> place & 1) if begun <= expected < above else -1
            found = found << 1 | model.mixed(self._bits, at, self._bit_weights, first)
        found &= 255
        self._after[expected] = self._after_two[two] = found
        self._change = (found - expected) & 255
        self._history = self._history << 1 & 31 | 1
        self._take(found)
        self._source += 1


def apply(
    read: "Callable[[bytearray], int]",
    old: "Callable[[int, memoryview], None]",
    old_size: int,
    write: "Callable[[memoryview], None]",
    made: "Callable[[int], int]",
    new_size: int,
) -> "Iterator[None]":
    """Make the new image; a generator that yields every few bytes, so that the caller can let
    others run.

    `read(buf)` fills `buf` from the patch and returns 0 at its end; `old(offset, buf)` fills `buf`
    from the base; `write(view)` takes the image piece by piece; `made(offset)` is a byte of what
    was written. Never writes more than `new_size` bytes.

    Raises:
        PatchError: as there. Whatever `read` and `write` raise passes through.
    """
    model = Model(read)
    image = _Image(model, old, old_size, write, made)
    if old_size + image.growth() != new_size:
        raise PatchError("the patch makes another size")
    alike = turns = jumped = 0
    while image.done < new_size:
        turns += 1
        if turns % _YIELD_EVERY == 0:
            yield
        if image.is_known():
            if alike == _RUN_BYTES:
                alike = 0
                for _ in image.run(new_size):
                    yield
                if image.done == new_size:
                    break
            elif image.is_same():
                alike += 1
                jumped = 0
                continue
        alike = 0
        if not jumped and image.jumps():
            image.jump()
            jumped = 1
        else:
            image.byte()
            jumped = 0
    if not model.behind and read(bytearray(1)):
        raise PatchError("something follows the patch")
