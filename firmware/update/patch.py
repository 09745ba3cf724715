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
_BLOCK = const(256)
_LOW = const(0x200000)
_HEAVIEST = const(65535)
_NUMBER_BITS = const(21)
_AFTER_RUN = const(17)
_EVEN = const(0x8000)
_LEFT_OUT = const(8)
_HIGH = const(39)
_YIELD_EVERY = const(16)
# Where each kind of slot begins among those that are no table.
_OTHER = const(32)
_FAR = const(34)
_ITSELF = const(36)

# Logits of probabilities, in 16ths and from -100 on; chances below one half, of 32768, low bytes
# and (of those that have one) high bytes.
_LOGITS = (
    b"\x00\x12\x1a\x20\x24\x27\x2a\x2c\x2e\x30\x32\x33\x34\x36\x37\x38\x39\x3a\x3b\x3c\x3d\x3e"
    b"\x3f\x3f\x40\x41\x41\x42\x43\x43\x44\x45\x45\x46\x46\x47\x47\x48\x48\x49\x49\x4a\x4a\x4b"
    b"\x4b\x4b\x4c\x4c\x4d\x4d\x4e\x4e\x4e\x4f\x4f\x4f\x50\x50\x51\x51\x51\x52\x52\x52\x53\x53"
    b"\x53\x54\x54\x54\x55\x55\x55\x55\x56\x56\x56\x57\x57\x57\x58\x58\x58\x58\x59\x59\x59\x5a"
    b"\x5a\x5a\x5a\x5b\x5b\x5b\x5b\x5c\x5c\x5c\x5c\x5d\x5d\x5d\x5e\x5e\x5e\x5e\x5f\x5f\x5f\x5f"
    b"\x60\x60\x60\x60\x61\x61\x61\x61\x62\x62\x62\x62\x63\x63\x63\x63\x64\x64\x64\x64\x65\x65"
    b"\x65\x65\x66\x66\x66\x66\x67\x67\x67\x67\x68\x68\x68\x68\x69\x69\x69\x69\x6a\x6a\x6a\x6a"
    b"\x6b\x6b\x6b\x6c\x6c\x6c\x6c\x6d\x6d\x6d\x6d\x6e\x6e\x6e\x6e\x6f\x6f\x6f\x70\x70\x70\x70"
    b"\x71\x71\x71\x72\x72\x72\x73\x73\x73\x73\x74\x74\x74\x75\x75\x75\x76\x76\x76\x77\x77\x77"
    b"\x78\x78\x79\x79\x79\x7a\x7a\x7a\x7b\x7b\x7c\x7c\x7d\x7d\x7d\x7e\x7e\x7f\x7f\x80\x80\x81"
    b"\x81\x82\x82\x83\x83\x84\x85\x85\x86\x87\x87\x88\x89\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91"
    b"\x92\x94\x95\x96\x98\x9a\x9c\x9e\xa1\xa4\xa8\xae\xb6\xc8"
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
        says = self._says
        total = 0
        count = len(at)
        for i in range(count):
            place = at[i]
            if place >= 0:
                say = _LOGITS[tables[i][place] >> 8] - 100
                says[i] = say
                total += weights[first + i] * say
        total >>= 15
        place = total if total >= 0 else -1 - total
        if place > 95:
            place = 95
        chance = _TAIL[place]
        if place < _HIGH:
            chance |= _TAIL_HIGH[place] << 8
        if total >= 0:
            chance = 32768 - chance
        bit = self._code_bit((self._range >> 15) * chance)
        missed = (bit << 15) - chance
        rates = self._rates
        for i in range(count):
            place = at[i]
            if place >= 0:
                weight = weights[first + i] + (says[i] * missed >> 10)
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
