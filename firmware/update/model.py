"""What a patch's reader has learnt, and the range coder that it asks: "Bits" in
docs/formats/patch.md. For `patch` only.

Every integer stays below 2 to the power of 30, so that nothing is allocated on the way.
"""

from array import array

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LOW = const(0x200000)
_HEAVIEST = const(65535)
_NUMBER_BITS = const(21)
_LEFT_OUT = const(8)
_HIGH = const(39)
EVEN = const(0x8000)

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


def table(code: str, count: int, value: int) -> "array[int]":
    """In small pieces: a frayed heap has no room for one of 4 KiB."""
    made = array(code, bytes(count * 4 if code == "i" else count * 2))
    for at in range(count):
        made[at] = value
    return made


class Model:
    """What was learnt so far, and the range coder that it is read with.

    Slots are probabilities of 12 bits, each with how often it was asked (4 bits).
    """

    def __init__(self, read: "Callable[[bytearray], int]") -> None:
        self._read = read
        self._one = bytearray(1)
        self.behind = 0
        self._rates = table("H", 16, 0)
        for at in range(16):
            self._rates[at] = 655360 // (10 * at + 16)
        self._says = table("h", 6, 0)
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
        # Locals, and no lookup twice: most of a patch's time goes by here.
        says = self._says
        logits = _LOGITS
        total = i = 0
        weight_at = first
        for place in at:
            if place >= 0:
                say = logits[tables[i][place] >> 8] - 100
                says[i] = say
                total += weights[weight_at] * say
            i += 1  # noqa: SIM113  enumerate makes a pair of each
            weight_at += 1
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
        i = 0
        weight_at = first
        for place in at:
            if place >= 0:
                weight = weights[weight_at] + (says[i] * missed >> 10)
                if weight > _HEAVIEST:
                    weight = _HEAVIEST
                elif weight < -_HEAVIEST:
                    weight = -_HEAVIEST
                weights[weight_at] = weight
                slots = tables[i]
                value = slots[place]
                seen = value & 15
                chance = value >> 4
                if bit:
                    chance += (4095 - chance) * rates[seen] >> 16
                else:
                    chance -= chance * rates[seen] >> 16
                slots[place] = chance << 4 | (seen + 1 if seen < 15 else 15)
            i += 1  # noqa: SIM113  enumerate makes a pair of each
            weight_at += 1
        return bit
