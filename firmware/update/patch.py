"""Makes an image from the one that runs and a patch, byte by byte, as an adaptive model expects it
(docs/formats/patch.md). For `install` only; pure: reading and writing are the caller's.

No seek in the patch; under 6 KiB of memory. Every integer stays below 2 to the power of 30, so
that nothing is allocated on the way.
"""

from array import array

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RUN_BYTES = const(32)
_NEAR = const(4096)
_BLOCK = const(64)
_LOW = const(0x200000)
_HEAVIEST = const(65535)
_NUMBER_BITS = const(21)
_AFTER_RUN = const(17)
_EVEN = const(0x8000)
_LEFT_OUT = const(8)
_YIELD_EVERY = const(16)
# Where each kind of slot begins among those that are no table.
_OTHER = const(32)
_FAR = const(34)
_ITSELF = const(36)

# Logits of probabilities below one half, in 16ths; chances beyond one half, of 32768, low bytes and
# (of those that have one) high bytes.
_LOGITS = (
    b"\x64\x52\x4a\x44\x40\x3d\x3a\x38\x36\x34\x32\x31\x30\x2e\x2d\x2c\x2b\x2a\x29\x28\x27\x26"
    b"\x25\x25\x24\x23\x23\x22\x21\x21\x20\x1f\x1f\x1e\x1e\x1d\x1d\x1c\x1c\x1b\x1b\x1a\x1a\x19"
    b"\x19\x19\x18\x18\x17\x17\x16\x16\x16\x15\x15\x15\x14\x14\x13\x13\x13\x12\x12\x12\x11\x11"
    b"\x11\x10\x10\x10\x0f\x0f\x0f\x0f\x0e\x0e\x0e\x0d\x0d\x0d\x0c\x0c\x0c\x0c\x0b\x0b\x0b\x0a"
    b"\x0a\x0a\x0a\x09\x09\x09\x09\x08\x08\x08\x08\x07\x07\x07\x06\x06\x06\x06\x05\x05\x05\x05"
    b"\x04\x04\x04\x04\x03\x03\x03\x03\x02\x02\x02\x02\x01\x01\x01\x01\x00\x00"
)
_TAIL = (
    b"\x00\x04\x15\x38\x76\xd4\x58\x05\xe0\xea\x25\x91\x2e\xfb\xf7\x1e\x70\xea\x88\x49\x2a\x28"
    b"\x40\x71\xb8\x13\x80\xfd\x88\x20\xc4\x73\x2a\xea\xb1\x7f\x52\x2b\x08\xe9\xce\xb6\xa1\x8e"
    b"\x7d\x6f\x62\x56\x4c\x43\x3b\x34\x2e\x29\x24\x20\x1c\x19\x16\x13\x11\x0f\x0d\x0c\x0a\x09"
    b"\x08\x07\x06\x06\x05\x04\x04\x03\x03\x03\x02\x02\x02\x02\x01\x01\x01\x01\x01\x01\x01\x01"
    b"\x01\x01\x01\x01\x01\x01\x01\x01"
)
_TAIL_HIGH = (
    b"\x3e\x3a\x36\x32\x2e\x2a\x27\x24\x20\x1d\x1b\x18\x16\x13\x11\x10\x0e\x0c\x0b\x0a\x09\x08"
    b"\x07\x06\x05\x05\x04\x03\x03\x03\x02\x02\x02\x01\x01\x01\x01\x01\x01"
)


class PatchError(Exception):
    """The patch is damaged, or not for this base."""


def _table(code: str, count: int, value: int) -> "array[int]":
    """In small pieces: a frayed heap has no room for one of 4 KiB."""
    made = array(code, bytes(count * 4 if code == "i" else count * 2))
    for at in range(count):
        made[at] = value
    return made


class _Model:
    """What was learnt so far, and the range coder that it is read with.

    Slots are probabilities of 12 bits, each with how often it was asked (4 bits).
    """

    def __init__(self, read: "Callable[[bytearray], int]") -> None:
        self._read = read
        self._one = bytearray(1)
        self.behind = 0
        self._rates = _table("H", 16, 0)
        for at in range(16):
            self._rates[at] = 655360 // (10 * at + 16)
        self._logits = _table("h", 256, 0)
        for at in range(128):
            self._logits[at] = -16 * _LOGITS[at]
            self._logits[255 - at] = 16 * _LOGITS[at]
        self._chances = _table("H", 192, 0)
        for at in range(96):
            tail = _TAIL[at] | (_TAIL_HIGH[at] << 8 if at < len(_TAIL_HIGH) else 0)
            self._chances[95 - at] = tail
            self._chances[96 + at] = 32768 - tail
        self._says = _table("h", 6, 0)
        self._range = 1 << 29
        self._code = 0
        for _ in range(4):
            if self._code >> 21:
                raise PatchError("not a patch")
            self._code = self._code << 8 | self._next()

    def _next(self) -> int:
        """The patch's next byte; behind its end a few zeros were left out."""
        if self.behind or not self._read(self._one):
            self.behind += 1
            if self.behind > _LEFT_OUT:
                raise PatchError("the patch is cut short")
            return 0
        return self._one[0]

    def _code_bit(self, bound: int) -> int:
        if self._code < bound:
            self._range = bound
            bit = 1
        else:
            self._code -= bound
            self._range -= bound
            bit = 0
        while self._range < _LOW:
            self._range <<= 8
            self._code = self._code << 8 | self._next()
        return bit

    def raw(self) -> int:
        """A bit of which nothing is expected."""
        return self._code_bit(self._range >> 1)

    def ask(self, slots: "array[int]", at: int) -> int:
        """A bit that has a slot of its own."""
        value = slots[at]
        chance = value >> 4
        bit = self._code_bit((self._range >> 12) * chance)
        rate = self._rates[value & 15]
        if bit:
            chance += (4095 - chance) * rate >> 16
        else:
            chance -= chance * rate >> 16
        seen = value & 15
        slots[at] = chance << 4 | (seen + 1 if seen < 15 else 15)
        return bit

    def number(self, slots: "array[int]") -> int:
        """A number from 0 up."""
        size = 0
        while self.ask(slots, size):
            size += 1
            if size > _NUMBER_BITS:
                raise PatchError("a number is too large")
        found = 1
        for _ in range(size):
            if found < 4 and size < 14:
                found = found << 1 | self.ask(slots, 20 + size * 4 + found)
            else:
                found = found << 1 | self.raw()
        return found - 1

    def signed(self, slots: "array[int]") -> int:
        """A number of either sign."""
        found = self.number(slots)
        return -(found + 1 >> 1) if found & 1 else found >> 1

    def mixed(
        self, tables: "list[array[int]]", at: "array[int]", weights: "array[int]", first: int
    ) -> int:
        """A bit that a slot of each table, the one `at` its place, has its say on; one at -1 has
        none. `weights` from `first` on are theirs.
        """
        logits = self._logits
        says = self._says
        total = 0
        count = len(at)
        for i in range(count):
            place = at[i]
            if place >= 0:
                say = logits[tables[i][place] >> 8]
                says[i] = say
                total += weights[first + i] * say
        total >>= 19
        if total < -96:
            total = -96
        elif total > 95:
            total = 95
        chance = self._chances[total + 96]
        bit = self._code_bit((self._range >> 15) * chance)
        missed = (bit << 15) - chance
        rates = self._rates
        for i in range(count):
            place = at[i]
            if place >= 0:
                weight = weights[first + i] + (says[i] * missed >> 14)
                if weight > _HEAVIEST:
                    weight = _HEAVIEST
                elif weight < -_HEAVIEST:
                    weight = -_HEAVIEST
                weights[first + i] = weight
                slots = tables[i]
                value = slots[place]
                rate = rates[value & 15]
                chance = value >> 4
                if bit:
                    chance += (4095 - chance) * rate >> 16
                else:
                    chance -= chance * rate >> 16
                if value & 15 < 15:
                    value += 1
                slots[place] = chance << 4 | value & 15
        return bit


class _Image:
    """The image as it comes to be. `take(byte)` and what it was expected to be."""

    def __init__(
        self,
        model: _Model,
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
        self._numbers = [_table("H", 80, _EVEN) for _ in range(3)]
        self._slots = _table("H", 37, _EVEN)
        self._same = [_table("H", 256 if n else 32, _EVEN) for n in range(5)]
        self._bits = [_table("H", n, _EVEN) for n in (512, 256, 16, 16, 16, 16)]
        self._same_weights = _table("i", 20, 3500)
        self._bit_weights = _table("i", 24, 3500)
        self._of_same = _table("h", 5, 0)
        self._of_bits = _table("h", 6, 0)
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
    model = _Model(read)
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
