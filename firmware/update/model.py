"""What a patch's reader has learnt, and the range coder that it asks: "Bits" in
docs/formats/patch.md. For `patch` only.

Two builds of one text (docs/decisions/0100-the-reader-in-machine-code.md): byte code in images, and
machine code in interpreters (`tools/lab/machine_code.py`), where a function that takes a `ptr…` is
a viper function. There nobody looks at an index. So each is bounded by what stands in this file and
in `patch`, whatever a patch says; `tests/update/test_patch_bounds.py` looks at every one. Integers
stay below 2 to the power of 30, so that nothing is allocated on the way; what is kept is never
below 0, as a machine of 64 bits reads it without its sign.
"""

from array import array

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    ptr8 = bytearray
    ptr16 = array[int]
    ptr32 = array[int]

_LOW = const(0x200000)
_NUMBER_BITS = const(21)
_LEFT_OUT = const(8)
_EVEN = const(0x8000)
_NUMBERS = const(80)

# The state, an array of 32 bits; what lies between is the walk's, and weights are where it says.
_RANGE = const(0)
_CODE = const(1)
_ANSWER = const(2)
_PLACES = const(17)
_RATES = const(23)
_WEIGHTS = const(39)
_STATE = const(83)
# A weight is kept as its distance from the lowest, and one more.
_ZERO = const(65536)
_HEAVIEST = const(131071)
_WEIGHT = const(69036)

# Slots of mixed answers: four arrays of 512, each the next 512 places.
_PIECE = const(512)
_NONE = const(2048)

# Logits of probabilities, in 16ths and from -100 on; then chances below one half, of 32768, low
# bytes and (of those that have one) high bytes.
_TAIL = const(256)
_TAIL_HIGH = const(352)
_STEEPEST = const(95)
_HIGH = const(39)
CURVES = (
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
    b"\x00\x04\x15\x38\x76\xd4\x58\x05\xe0\xea\x25\x91\x2e\xfb\xf7\x1e\x70\xea\x88\x49\x2a\x28"
    b"\x40\x71\xb8\x13\x80\xfd\x88\x20\xc4\x73\x2a\xea\xb1\x7f\x52\x2b\x08\xe9\xce\xb6\xa1\x8e"
    b"\x7d\x6f\x62\x56\x4c\x43\x3b\x34\x2e\x29\x24\x20\x1c\x19\x16\x13\x11\x0f\x0d\x0c\x0a\x09"
    b"\x08\x07\x06\x06\x05\x04\x04\x03\x03\x03\x02\x02\x02\x02\x01\x01\x01\x01\x01\x01\x01\x01"
    b"\x01\x01\x01\x01\x01\x01\x01\x01"
    b"\x3e\x3a\x36\x32\x2e\x2a\x27\x24\x20\x1d\x1b\x18\x16\x13\x11\x10\x0e\x0c\x0b\x0a\x09\x08"
    b"\x07\x06\x05\x05\x04\x03\x03\x03\x02\x02\x02\x01\x01\x01\x01\x01\x01"
)


class PatchError(Exception):
    """The patch is damaged, or not for this base."""


def _table(count: int) -> "array[int]":
    made = array("H", bytes(count * 2))
    for at in range(count):
        made[at] = _EVEN
    return made


def code(state: "ptr32", bound: int, reader: "Coder") -> None:
    """The answer is 1 if the code lies below `bound`, which is below the range."""
    if state[_CODE] < bound:
        state[_RANGE] = bound
        state[_ANSWER] = 1
    else:
        state[_CODE] -= bound
        state[_RANGE] -= bound
        state[_ANSWER] = 0
    if state[_RANGE] < _LOW:
        reader.refill()


def ask(state: "ptr32", slots: "ptr16", at: int, reader: "Coder") -> None:
    """The answer to what has a slot of its own, the one `at`."""
    value = slots[at]
    chance = value >> 4
    seen = value & 15
    rate = state[_RATES + seen]
    code(state, (state[_RANGE] >> 12) * chance, reader)
    if state[_ANSWER]:
        chance += (4095 - chance) * rate >> 16
    else:
        chance -= chance * rate >> 16
    if seen < 15:
        seen += 1
    slots[at] = chance << 4 | seen


def mixed(
    state: "ptr32",
    a: "ptr16",
    b: "ptr16",
    c: "ptr16",
    d: "ptr16",
    curves: "ptr8",
    first: int,
    count: int,
    reader: "Coder",
) -> None:
    """The answer on which `count` slots have a say, those of the state's places; their weights are
    the state's from `first` on.
    """
    total = 0
    for i in range(count):
        place = state[_PLACES + i]
        if place < _NONE:
            slots = (a if place < 512 else b) if place < 1024 else c if place < 1536 else d
            total += (state[first + i] - _ZERO) * (curves[slots[place & 511] >> 8] - 100)
    total >>= 15
    at = total if total >= 0 else -1 - total
    if at > _STEEPEST:
        at = _STEEPEST
    chance = curves[_TAIL + at]
    if at < _HIGH:
        chance |= curves[_TAIL_HIGH + at] << 8
    if total >= 0:
        chance = 32768 - chance
    code(state, (state[_RANGE] >> 15) * chance, reader)
    bit = state[_ANSWER]
    missed = (bit << 15) - chance
    for i in range(count):
        place = state[_PLACES + i]
        if place < _NONE:
            slots = (a if place < 512 else b) if place < 1024 else c if place < 1536 else d
            place &= 511
            value = slots[place]
            weight = state[first + i] + ((curves[value >> 8] - 100) * missed >> 10)
            if weight < 1:
                weight = 1
            elif weight > _HEAVIEST:
                weight = _HEAVIEST
            state[first + i] = weight
            seen = value & 15
            chance = value >> 4
            if bit:
                chance += (4095 - chance) * state[_RATES + seen] >> 16
            else:
                chance -= chance * state[_RATES + seen] >> 16
            if seen < 15:
                seen += 1
            slots[place] = chance << 4 | seen


class Coder:
    """The code that the patch is read with, and all slots and weights.

    A slot is a probability of 12 bits, and how often it was asked (4 bits).
    """

    def __init__(self, read: "Callable[[bytearray], int]") -> None:
        self._read = read
        self._one = bytearray(1)
        self.behind = 0
        self.pieces = [_table(_PIECE) for _ in range(4)]
        self._numbers = [_table(_NUMBERS) for _ in range(3)]
        self.state = state = array("i", bytes(4 * _STATE))
        for at in range(16):
            state[_RATES + at] = 655360 // (10 * at + 16)
        for at in range(_WEIGHTS, _STATE):
            state[at] = _WEIGHT
        state[_RANGE] = 1 << 29
        for _ in range(4):
            if state[_CODE] >> 21:
                raise PatchError("not a patch")
            state[_CODE] = state[_CODE] << 8 | self._next()

    def _next(self) -> int:
        """The patch's next byte; behind its end a few zeros were left out."""
        if self.behind or not self._read(self._one):
            self.behind += 1
            if self.behind > _LEFT_OUT:
                raise PatchError("the patch is cut short")
            return 0
        return self._one[0]

    def refill(self) -> None:
        """Widen the range until it is wide enough for the next answer."""
        state = self.state
        while state[_RANGE] < _LOW:
            state[_RANGE] <<= 8
            state[_CODE] = state[_CODE] << 8 | self._next()

    def number(self, of: int) -> int:
        """A number from 0 up, with its set of slots."""
        slots = self._numbers[of]
        size = 0
        while self.is_so(slots, size):
            size += 1
            if size > _NUMBER_BITS:
                raise PatchError("a number is too large")
        found = 1
        for _ in range(size):
            if found < 4 and size < 14:
                found = found << 1 | self.is_so(slots, 20 + size * 4 + found)
            else:
                found = found << 1 | self.raw()
        return found - 1

    def signed(self, of: int) -> int:
        """A number of either sign."""
        found = self.number(of)
        return -(found + 1 >> 1) if found & 1 else found >> 1

    def is_so(self, slots: "array[int]", at: int) -> int:
        """An answer that has a slot of its own."""
        ask(self.state, slots, at, self)
        return self.state[_ANSWER]

    def raw(self) -> int:
        """An answer of which nothing is expected."""
        code(self.state, self.state[_RANGE] >> 1, self)
        return self.state[_ANSWER]
