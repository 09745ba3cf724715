"""SHA-512 (FIPS 180-4) in plain Python: Ed25519 needs it and MicroPython's `hashlib` has none.

Words are Python integers of 64 bits, right on every port whatever the size of its small integers.
"""

_K = None


def _constants():
    """The 80 round constants and 8 start values: fractional parts of roots of the first primes
    (FIPS 180-4 sections 4.2.3 and 5.3.5), computed once, as no table in the image is as small."""
    primes = []
    n = 2
    while len(primes) < 80:
        if all(n % p for p in primes):
            primes.append(n)
        n += 1
    cubes = []
    for p in primes:
        p <<= 192
        x = 1 << 67
        while True:  # Newton's method for the integer cube root, from above
            y = (2 * x + p // (x * x)) // 3
            if y >= x:
                break
            x = y
        cubes.append(x & 0xFFFFFFFFFFFFFFFF)
    squares = []
    for p in primes[:8]:
        p <<= 128
        x = 1 << 67
        while True:
            y = (x + p // x) >> 1
            if y >= x:
                break
            x = y
        squares.append(x & 0xFFFFFFFFFFFFFFFF)
    return tuple(cubes), tuple(squares)


class sha512:
    """As hashlib's: `update(data)` as often as wanted, then `digest()` once: 64 bytes."""

    def __init__(self, data=b""):
        global _K
        if _K is None:
            _K = _constants()
        self._state = _K[1]
        self._block = bytearray(128)
        self._size = 0
        self.update(data)

    def update(self, data):
        data = memoryview(data)
        at = 0
        while at < len(data):
            used = self._size & 127
            count = min(128 - used, len(data) - at)
            self._block[used : used + count] = data[at : at + count]
            at += count
            self._size += count
            if used + count == 128:
                self._compress()

    def digest(self):
        bits = self._size * 8
        self.update(b"\x80")
        used = self._size & 127
        if used > 112:
            self.update(bytes(128 - used))
            used = 0
        self.update(bytes(112 - used))
        self.update(bits.to_bytes(16, "big"))
        return b"".join([word.to_bytes(8, "big") for word in self._state])

    def _compress(self):
        mask = 0xFFFFFFFFFFFFFFFF
        k = _K[0]
        block = self._block
        w = [int.from_bytes(block[i : i + 8], "big") for i in range(0, 128, 8)]
        a, b, c, d, e, f, g, h = self._state
        for i in range(80):
            j = i & 15
            if i > 15:
                # A word doubled into 128 bits turns each rotation into one shift.
                x = w[(i + 1) & 15]
                y = w[(i + 14) & 15]
                r = x | x << 64
                s = y | y << 64
                w[j] = (
                    w[j]
                    + ((r >> 1 ^ r >> 8 ^ x >> 7) & mask)
                    + w[(i + 9) & 15]
                    + ((s >> 19 ^ s >> 61 ^ y >> 6) & mask)
                ) & mask
            r = e | e << 64
            t = h + ((r >> 14 ^ r >> 18 ^ r >> 41) & mask) + (g ^ e & (f ^ g)) + k[i] + w[j]
            r = a | a << 64
            h = g
            g = f
            f = e
            e = (d + t) & mask
            d = c
            # The majority of a, b, c reads the old a; t is complete first.
            a, b, c = (
                (t + ((r >> 28 ^ r >> 34 ^ r >> 39) & mask) + (a & b | c & (a | b))) & mask,
                a,
                b,
            )
        o = self._state
        new = (a, b, c, d, e, f, g, h)
        self._state = tuple([(o[i] + new[i]) & mask for i in range(8)])
