"""SHA-512 (FIPS 180-4) in plain Python: Ed25519 needs it and MicroPython's `hashlib` has none.

Words are kept as four limbs of 16 bits: on a 32-bit board an integer over 30 bits lies in the heap,
and sweeping after those took more time than the arithmetic. `compat` prefers a port's own SHA-512.
"""

from array import array

from bootloader.shared.breath import breathe

# The 80 round constants and the 8 start values (FIPS 180-4 sections 4.2.3 and 5.3.5), 8 bytes each.
# As bytes they stay in flash; as integers kept from the first use on they would lie scattered in
# the heap, and nothing large would fit between them.
_K = (
    b"\x42\x8a\x2f\x98\xd7\x28\xae\x22\x71\x37\x44\x91\x23\xef\x65\xcd\xb5\xc0\xfb\xcf\xec\x4d"
    b"\x3b\x2f\xe9\xb5\xdb\xa5\x81\x89\xdb\xbc\x39\x56\xc2\x5b\xf3\x48\xb5\x38\x59\xf1\x11\xf1"
    b"\xb6\x05\xd0\x19\x92\x3f\x82\xa4\xaf\x19\x4f\x9b\xab\x1c\x5e\xd5\xda\x6d\x81\x18\xd8\x07"
    b"\xaa\x98\xa3\x03\x02\x42\x12\x83\x5b\x01\x45\x70\x6f\xbe\x24\x31\x85\xbe\x4e\xe4\xb2\x8c"
    b"\x55\x0c\x7d\xc3\xd5\xff\xb4\xe2\x72\xbe\x5d\x74\xf2\x7b\x89\x6f\x80\xde\xb1\xfe\x3b\x16"
    b"\x96\xb1\x9b\xdc\x06\xa7\x25\xc7\x12\x35\xc1\x9b\xf1\x74\xcf\x69\x26\x94\xe4\x9b\x69\xc1"
    b"\x9e\xf1\x4a\xd2\xef\xbe\x47\x86\x38\x4f\x25\xe3\x0f\xc1\x9d\xc6\x8b\x8c\xd5\xb5\x24\x0c"
    b"\xa1\xcc\x77\xac\x9c\x65\x2d\xe9\x2c\x6f\x59\x2b\x02\x75\x4a\x74\x84\xaa\x6e\xa6\xe4\x83"
    b"\x5c\xb0\xa9\xdc\xbd\x41\xfb\xd4\x76\xf9\x88\xda\x83\x11\x53\xb5\x98\x3e\x51\x52\xee\x66"
    b"\xdf\xab\xa8\x31\xc6\x6d\x2d\xb4\x32\x10\xb0\x03\x27\xc8\x98\xfb\x21\x3f\xbf\x59\x7f\xc7"
    b"\xbe\xef\x0e\xe4\xc6\xe0\x0b\xf3\x3d\xa8\x8f\xc2\xd5\xa7\x91\x47\x93\x0a\xa7\x25\x06\xca"
    b"\x63\x51\xe0\x03\x82\x6f\x14\x29\x29\x67\x0a\x0e\x6e\x70\x27\xb7\x0a\x85\x46\xd2\x2f\xfc"
    b"\x2e\x1b\x21\x38\x5c\x26\xc9\x26\x4d\x2c\x6d\xfc\x5a\xc4\x2a\xed\x53\x38\x0d\x13\x9d\x95"
    b"\xb3\xdf\x65\x0a\x73\x54\x8b\xaf\x63\xde\x76\x6a\x0a\xbb\x3c\x77\xb2\xa8\x81\xc2\xc9\x2e"
    b"\x47\xed\xae\xe6\x92\x72\x2c\x85\x14\x82\x35\x3b\xa2\xbf\xe8\xa1\x4c\xf1\x03\x64\xa8\x1a"
    b"\x66\x4b\xbc\x42\x30\x01\xc2\x4b\x8b\x70\xd0\xf8\x97\x91\xc7\x6c\x51\xa3\x06\x54\xbe\x30"
    b"\xd1\x92\xe8\x19\xd6\xef\x52\x18\xd6\x99\x06\x24\x55\x65\xa9\x10\xf4\x0e\x35\x85\x57\x71"
    b"\x20\x2a\x10\x6a\xa0\x70\x32\xbb\xd1\xb8\x19\xa4\xc1\x16\xb8\xd2\xd0\xc8\x1e\x37\x6c\x08"
    b"\x51\x41\xab\x53\x27\x48\x77\x4c\xdf\x8e\xeb\x99\x34\xb0\xbc\xb5\xe1\x9b\x48\xa8\x39\x1c"
    b"\x0c\xb3\xc5\xc9\x5a\x63\x4e\xd8\xaa\x4a\xe3\x41\x8a\xcb\x5b\x9c\xca\x4f\x77\x63\xe3\x73"
    b"\x68\x2e\x6f\xf3\xd6\xb2\xb8\xa3\x74\x8f\x82\xee\x5d\xef\xb2\xfc\x78\xa5\x63\x6f\x43\x17"
    b"\x2f\x60\x84\xc8\x78\x14\xa1\xf0\xab\x72\x8c\xc7\x02\x08\x1a\x64\x39\xec\x90\xbe\xff\xfa"
    b"\x23\x63\x1e\x28\xa4\x50\x6c\xeb\xde\x82\xbd\xe9\xbe\xf9\xa3\xf7\xb2\xc6\x79\x15\xc6\x71"
    b"\x78\xf2\xe3\x72\x53\x2b\xca\x27\x3e\xce\xea\x26\x61\x9c\xd1\x86\xb8\xc7\x21\xc0\xc2\x07"
    b"\xea\xda\x7d\xd6\xcd\xe0\xeb\x1e\xf5\x7d\x4f\x7f\xee\x6e\xd1\x78\x06\xf0\x67\xaa\x72\x17"
    b"\x6f\xba\x0a\x63\x7d\xc5\xa2\xc8\x98\xa6\x11\x3f\x98\x04\xbe\xf9\x0d\xae\x1b\x71\x0b\x35"
    b"\x13\x1c\x47\x1b\x28\xdb\x77\xf5\x23\x04\x7d\x84\x32\xca\xab\x7b\x40\xc7\x24\x93\x3c\x9e"
    b"\xbe\x0a\x15\xc9\xbe\xbc\x43\x1d\x67\xc4\x9c\x10\x0d\x4c\x4c\xc5\xd4\xbe\xcb\x3e\x42\xb6"
    b"\x59\x7f\x29\x9c\xfc\x65\x7e\x2a\x5f\xcb\x6f\xab\x3a\xd6\xfa\xec\x6c\x44\x19\x8c\x4a\x47"
    b"\x58\x17"
)
_START = (
    b"\x6a\x09\xe6\x67\xf3\xbc\xc9\x08\xbb\x67\xae\x85\x84\xca\xa7\x3b\x3c\x6e\xf3\x72\xfe\x94"
    b"\xf8\x2b\xa5\x4f\xf5\x3a\x5f\x1d\x36\xf1\x51\x0e\x52\x7f\xad\xe6\x82\xd1\x9b\x05\x68\x8c"
    b"\x2b\x3e\x6c\x1f\x1f\x83\xd9\xab\xfb\x41\xbd\x6b\x5b\xe0\xcd\x19\x13\x7e\x21\x79"
)


def _limbs(data: bytes) -> "array[int]":
    """Two bytes a limb: of a list, the heap of a board had no room for 2 KB in one piece."""
    limbs = array("H", bytes(len(data)))
    for i in range(len(limbs)):
        limbs[i] = data[2 * i] << 8 | data[2 * i + 1]
    return limbs


class sha512:
    """As hashlib's: `update(data)` as often as wanted, then `digest()` once: 64 bytes."""

    def __init__(self, data: bytes | bytearray | memoryview = b"") -> None:
        self._k = _limbs(_K)
        self._state = _limbs(_START)
        self._w = [0] * 64
        self._block = bytearray(128)
        self._size = 0
        self.update(data)

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take `data` behind what came before."""
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

    def digest(self) -> bytes:
        """The 64 bytes; to be called once."""
        bits = self._size * 8
        self.update(b"\x80")
        used = self._size & 127
        if used > 112:
            self.update(bytes(128 - used))
            used = 0
        self.update(bytes(112 - used))
        self.update(bits.to_bytes(16, "big"))
        return b"".join([limb.to_bytes(2, "big") for limb in self._state])

    def _compress(self) -> None:
        # Unrolled on purpose, the limbs in local names: a call would cost more than its step.
        # A rotation by 14 or less reads 16 bits out of a window of 30: the limb and what is above
        # it. By whole limbs it only starts elsewhere.
        k = self._k
        w = self._w
        block = self._block
        for i in range(64):
            w[i] = block[2 * i] << 8 | block[2 * i + 1]
        state = self._state
        a3, a2, a1, a0, b3, b2, b1, b0 = state[:8]
        c3, c2, c1, c0, d3, d2, d1, d0 = state[8:16]
        e3, e2, e1, e0, f3, f2, f1, f0 = state[16:24]
        g3, g2, g1, g0, h3, h2, h1, h0 = state[24:]
        at = 0
        while at < 320:
            j = at & 63
            if not j:
                breathe()
            if at > 63:
                i = at + 4 & 63
                r3 = w[i]
                r2 = w[i + 1]
                r1 = w[i + 2]
                r0 = w[i + 3]
                r = r3 | (r0 & 0x3FFF) << 16
                q = r2 | (r3 & 0x3FFF) << 16
                p = r1 | (r2 & 0x3FFF) << 16
                o = r0 | (r1 & 0x3FFF) << 16
                i = at + 56 & 63
                s3 = w[i]
                s2 = w[i + 1]
                s1 = w[i + 2]
                s0 = w[i + 3]
                v = s3 | (s0 & 0x3FFF) << 16
                u = s2 | (s3 & 0x3FFF) << 16
                t = s1 | (s2 & 0x3FFF) << 16
                s = s0 | (s1 & 0x3FFF) << 16
                i = at + 36 & 63
                t0 = (
                    w[j + 3]
                    + w[i + 3]
                    + ((o >> 1 ^ o >> 8 ^ o >> 7) & 0xFFFF)
                    + ((t >> 3 ^ v >> 13 ^ s >> 6) & 0xFFFF)
                )
                w[j + 3] = t0 & 0xFFFF
                t0 = (
                    (t0 >> 16)
                    + w[j + 2]
                    + w[i + 2]
                    + ((p >> 1 ^ p >> 8 ^ p >> 7) & 0xFFFF)
                    + ((u >> 3 ^ s >> 13 ^ t >> 6) & 0xFFFF)
                )
                w[j + 2] = t0 & 0xFFFF
                t0 = (
                    (t0 >> 16)
                    + w[j + 1]
                    + w[i + 1]
                    + ((q >> 1 ^ q >> 8 ^ q >> 7) & 0xFFFF)
                    + ((v >> 3 ^ t >> 13 ^ u >> 6) & 0xFFFF)
                )
                w[j + 1] = t0 & 0xFFFF
                w[j] = (
                    (t0 >> 16)
                    + w[j]
                    + w[i]
                    + ((r >> 1 ^ r >> 8 ^ r3 >> 7) & 0xFFFF)
                    + ((s >> 3 ^ u >> 13 ^ s3 >> 6) & 0xFFFF)
                ) & 0xFFFF
            o = e0 | (e1 & 0x3FFF) << 16
            p = e1 | (e2 & 0x3FFF) << 16
            q = e2 | (e3 & 0x3FFF) << 16
            r = e3 | (e0 & 0x3FFF) << 16
            t0 = (
                h0
                + k[at + 3]
                + w[j + 3]
                + ((o >> 14 ^ p >> 2 ^ q >> 9) & 0xFFFF)
                + (g0 ^ e0 & (f0 ^ g0))
            )
            t1 = (
                h1
                + k[at + 2]
                + w[j + 2]
                + ((p >> 14 ^ q >> 2 ^ r >> 9) & 0xFFFF)
                + (g1 ^ e1 & (f1 ^ g1))
            )
            t2 = (
                h2
                + k[at + 1]
                + w[j + 1]
                + ((q >> 14 ^ r >> 2 ^ o >> 9) & 0xFFFF)
                + (g2 ^ e2 & (f2 ^ g2))
            )
            t3 = h3 + k[at] + w[j] + ((r >> 14 ^ o >> 2 ^ p >> 9) & 0xFFFF) + (g3 ^ e3 & (f3 ^ g3))
            h0 = g0
            h1 = g1
            h2 = g2
            h3 = g3
            g0 = f0
            g1 = f1
            g2 = f2
            g3 = f3
            f0 = e0
            f1 = e1
            f2 = e2
            f3 = e3
            e0 = d0 + t0
            e1 = d1 + t1 + (e0 >> 16)
            e2 = d2 + t2 + (e1 >> 16)
            e3 = d3 + t3 + (e2 >> 16) & 0xFFFF
            e0 &= 0xFFFF
            e1 &= 0xFFFF
            e2 &= 0xFFFF
            o = a0 | (a1 & 0x3FFF) << 16
            p = a1 | (a2 & 0x3FFF) << 16
            q = a2 | (a3 & 0x3FFF) << 16
            r = a3 | (a0 & 0x3FFF) << 16
            t0 += ((p >> 12 ^ q >> 2 ^ q >> 7) & 0xFFFF) + (a0 & b0 | c0 & (a0 | b0))
            t1 += ((q >> 12 ^ r >> 2 ^ r >> 7) & 0xFFFF) + (a1 & b1 | c1 & (a1 | b1)) + (t0 >> 16)
            t2 += ((r >> 12 ^ o >> 2 ^ o >> 7) & 0xFFFF) + (a2 & b2 | c2 & (a2 | b2)) + (t1 >> 16)
            t3 += ((o >> 12 ^ p >> 2 ^ p >> 7) & 0xFFFF) + (a3 & b3 | c3 & (a3 | b3)) + (t2 >> 16)
            d0 = c0
            d1 = c1
            d2 = c2
            d3 = c3
            c0 = b0
            c1 = b1
            c2 = b2
            c3 = b3
            b0 = a0
            b1 = a1
            b2 = a2
            b3 = a3
            a0 = t0 & 0xFFFF
            a1 = t1 & 0xFFFF
            a2 = t2 & 0xFFFF
            a3 = t3 & 0xFFFF
            at += 4
        new: tuple[int, ...] = (a3, a2, a1, a0, b3, b2, b1, b0, c3, c2, c1, c0, d3, d2, d1, d0)
        new += (e3, e2, e1, e0, f3, f2, f1, f0, g3, g2, g1, g0, h3, h2, h1, h0)
        carry = 0
        for i in range(31, -1, -1):
            carry = state[i] + new[i] + (carry >> 16 if i & 3 != 3 else 0)
            state[i] = carry & 0xFFFF
