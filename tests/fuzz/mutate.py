"""Input number N of a seed.

An input is made from a corpus item by one to six small spoilings. Its id, `target-seed-number`,
makes it again.
"""


class Dice:
    """Marsaglia's xorshift, 32 bits: the same in every Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed & 0xFFFFFFFF or 1
        for _ in range(4):
            self.next()

    def next(self) -> int:
        x = self.state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.state = x
        return x

    def below(self, limit: int) -> int:
        return self.next() % limit


INTERESTING = b"\x00\x01\x7f\x80\xff\x20\x22\x5b\x5d\x7b\x7d\x2c\x3a\x2d\x30\x39\x0a\x0d\x5c\x3b"


def dice_of(target: str, seed: int, number: int) -> Dice:
    """The dice of one input."""
    mixed = seed * 2654435761 + number * 2246822519
    for letter in target.encode():
        mixed = (mixed * 31 + letter) & 0xFFFFFFFF
    return Dice(mixed ^ mixed >> 15)


def _spoil(data: bytearray, dice: Dice, corpus: list[bytes]) -> bytearray:
    kind = dice.below(10)
    at = dice.below(len(data) + 1)
    end = min(len(data), at + 1 + dice.below(1 << dice.below(7)))
    if kind == 0 and at < len(data):
        data[at] ^= 1 << dice.below(8)
    elif kind == 1 and at < len(data):
        data[at] = dice.below(256)
    elif kind == 2 and at < len(data):
        data[at] = INTERESTING[dice.below(len(INTERESTING))]
    elif kind == 3:
        data = data[:at] + data[end:]
    elif kind == 4:
        data = data[:end] + data[at:]
    elif kind == 5:
        data = data[:at] + bytes([INTERESTING[dice.below(len(INTERESTING))]]) + data[at:]
    elif kind == 6:
        other = corpus[dice.below(len(corpus))]
        start = dice.below(len(other) + 1)
        stop = start + 1 + dice.below(1 << dice.below(7))
        data = data[:at] + other[start:stop] + data[end:]
    elif kind == 7:
        data = data[:at]
    elif kind == 8:
        data = data[:at] + data[at:end] * (1 + dice.below(20)) + data[at:]
    elif at < len(data):
        data[at] = (data[at] + 1 + 254 * dice.below(2)) & 0xFF
    return data


MAX_BYTES = 20000


def make(target: str, seed: int, number: int, corpus: list[bytes]) -> bytes:
    """The input of that number: `corpus` is the target's list of byte strings."""
    dice = dice_of(target, seed, number)
    data = bytearray(corpus[dice.below(len(corpus))])
    for _ in range(1 + dice.below(6)):
        data = _spoil(data, dice, corpus)
    return bytes(data[:MAX_BYTES])
