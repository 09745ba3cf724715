"""Ed25519 verification (RFC 8032 section 5.1.7) in plain Python integers. The metadata client calls
it; nothing on a terminal signs.

Without the cofactor and by bytes, as OpenSSL and Go decide: `encode(S*B - k*A) == R`. Stricter than
the RFC where leniency would give one message two valid signatures or one signature many messages:

- S must be below the group order (as the RFC says);
- the key's y must be below the field's prime, and a key of small order is refused, as its
  signatures prove nothing;
- R is compared as bytes, so a non-canonical R never verifies.

Everything here is public, so nothing runs in constant time.
"""

from bootloader.shared.breath import breathe
from bootloader.shared.compat import const, sha512

TYPE_CHECKING = False
if TYPE_CHECKING:
    Point = tuple[int, int, int, int]

_P = (1 << 255) - 19
_L = (1 << 252) + 27742317777372353535851937790883648493
_LOW = (1 << 255) - 1

# Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 section 5.1.4). For additions
# the second point is kept as (Y-X, Y+X, 2Z, 2dT). Divisions are C's, and leave less for the heap's
# sweeps than shifts and masks of this language would.

_D = const(0x52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3)
_ROOT = const(0x2B8324804FC1DF0B2B4D00993DFBD7A72F431806AD2FE478C4EE1B274A0EA0B0)

# The base point's odd multiples 1, 3, … 15, 32 bytes a coordinate. As bytes they stay in flash; as
# integers all of them together would take 2 KB of a board's heap.
_BASE = (
    b"\x44\xfd\x2f\x92\x98\xf8\x12\x67\xa5\xc1\x84\x34\x68\x8f\x8a\x09\xfd\x39\x9f\x05\xd1\x40"
    b"\xbe\xb3\x9d\x10\x39\x05\xd7\x40\x91\x3e\x07\xcf\x9d\x3a\x33\xd4\xba\x65\x27\x0b\x48\x98"
    b"\x64\x3d\x42\xc2\xcf\x93\x2d\xc6\xfb\x8c\x0e\x19\x2f\xbc\x93\xc6\xf5\x8c\x3b\x85\x00\x00"
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    b"\x00\x00\x00\x00\x00\x00\x00\x02\x6f\x11\x7b\x68\x9f\x0c\x65\xa8\x5a\x1b\x7d\xcb\xdd\x43"
    b"\x59\x8c\x26\xd9\xe8\x23\xcc\xaa\xc4\x9e\xab\xc9\x12\x05\x87\x7a\xaa\x68\x62\x27\x21\xb4"
    b"\x52\xd4\x8a\xea\x26\x7d\xbb\xd9\xfc\x30\x03\x8d\x07\xd6\x6e\xf2\x55\xfa\x45\x31\x67\xa3"
    b"\x36\x9a\xf8\x76\x56\x2d\x71\xb6\x59\x64\x8a\xa0\x88\x38\x65\x9b\xfc\x8f\xff\xd6\xc0\x16"
    b"\x43\x37\x34\x8b\xec\xd0\x30\x07\xd2\xcb\x61\x74\xf1\x98\x15\x49\x20\x20\x3e\x8a\x10\x75"
    b"\x9c\x85\x72\x9c\x18\x2b\x34\x48\x05\x92\xb1\x9e\x78\x08\x93\xaa\x46\x4e\xbf\x37\x8b\x3b"
    b"\x3f\x74\xd3\xdb\x77\x1e\xa6\xc5\xc8\x0e\xb0\x44\x87\xec\x54\xd9\x7f\x22\x03\x06\xda\x19"
    b"\x27\x6d\xef\x34\x4e\xa3\x61\x16\x30\x6a\x60\x6d\x9b\xdb\x17\x5d\xc2\x85\x6f\xe2\xab\x09"
    b"\xff\x4a\xc2\xdd\xc1\xf4\xf5\xa6\x36\x78\xdf\xec\x4b\x16\xb1\x58\x98\x5b\x81\xbf\xc0\x72"
    b"\xf4\x9a\x5b\x82\x66\x33\x69\x3b\x05\x34\xeb\x95\xcf\xf9\x92\x49\xb3\xd8\xc0\xb9\xb9\xcc"
    b"\xcd\xec\xfb\x50\x69\x4f\x67\x06\xb1\xb6\x81\x7b\x6e\x78\x1e\x08\xb9\x5b\xea\x32\x3b\x08"
    b"\xb1\xfe\xcf\x62\x9c\x4b\x18\x40\xc4\xc8\xe2\xd2\xff\x44\x6b\x88\x61\xd4\xbc\x02\x88\x1e"
    b"\x43\xd4\x0a\x60\xab\x45\x13\xa1\x16\xa5\x60\xf0\x0c\xcb\x25\x01\x04\x71\x1e\x84\x2a\xcb"
    b"\x02\x5b\x00\xc3\x4c\x54\x96\x11\x37\xa2\x5a\x4c\xce\xd5\x46\x1c\x0a\x0c\xcc\xa5\x3a\x07"
    b"\x14\x6f\x58\x25\x0b\x90\xcf\x8a\xcd\xac\xd6\x23\xa4\xc6\xcc\x9b\xd3\x94\x6a\x6a\x42\x4e"
    b"\xf0\xca\x14\xe9\x24\x45\xe2\xd0\x2a\xc4\xba\x5d\xc8\xbc\xc0\x99\xdb\x17\xd4\x9d\x16\xf0"
    b"\xbe\xa0\x14\x38\x4b\x13\x95\xe9\x48\x0e\xdc\x5d\x41\xbe\xc8\x24\xe9\xf7\x1f\xb8\x08\xfe"
    b"\x29\xc3\x07\xb7\x6c\x08\xde\xf1\xf1\x06\xe8\x5f\xe9\xac\x18\xa9\x09\xc6\x63\x4b\x88\xaf"
    b"\x3d\xdf\xb7\x44\x1a\xf3\xa3\x6b\xfe\x86\x44\x48\x1b\x43\x8b\x90\x02\x6a\x89\xa0\x7f\x60"
    b"\x8d\xf5\x63\x65\xfc\xbf\x52\x07\xaa\x29\xb4\xde\xd0\x33\xff\xc6\xf1\x5a\x5a\x1e\x25\x77"
    b"\xbb\x2a\xd2\x30\xcb\xd8\x1f\xb5\x1b\x55\xec\x35\x2d\xcb\x4b\x99\x1e\xee\xc3\x3a\x74\x1c"
    b"\x7c\x37\x9f\x50\x7a\x79\x60\x62\xb6\x49\x28\x7a\xc6\xd6\x9b\x0e\x30\xf0\x7d\x31\xb5\x60"
    b"\x81\xeb\x45\xe9\x3b\xd1\x07\xa8\x00\x3f\x1e\xb1\x7e\x44\xd1\x3f\xc2\x6d\x3e\xd6\x29\x37"
    b"\x51\x0b\x24\x81\x7e\x03\x9e\x43\x45\xa1\xdb\x75\x69\xc9\x62\xa6\x6f\xad\x1e\x35\x27\xec"
    b"\x25\xb0\x2a\x88\xaf\x4d\xa9\xed\x9c\x05\x35\xe5\xd5\x05\x62\xdd\x18\x87\x05\x25\x11\xfa"
    b"\x8b\x23\x59\x5d\xab\x59\x99\x9f\x5e\x43\x6e\x87\x7a\x59\xf1\x83\x70\x59\x70\x3a\xa1\x2d"
    b"\x64\x1d\x24\x02\xa3\x29\x59\x5b\x0f\xb4\x40\x2c\x7b\x64\x37\xf9\x2b\x95\x9a\x67\x1d\x7a"
    b"\xb9\x22\x19\x2e\xbe\x14\xef\x29\x8d\xa2\x69\xa3\x4e\xf1\x28\x3c\xd2\x2b\xc7\x39\xc1\xdc"
    b"\x1f\x54\xba\x25\x2b\x3a\xc3\xe3\x1e\xf8\x6d\x41\xff\x29\xfd\x07\x58\xfd\x1d\x2a\x4e\x41"
    b"\x42\xa4\x4c\x8d\x15\x74\xb8\x8c\x3d\x9b\x6d\xb4\xa6\xf1\x0f\x8d\x1e\x52\xb5\x7f\x10\xe0"
    b"\xd5\x1c\x5f\x77\x54\x95\x1f\x2d\x8c\xfa\xea\x93\xa7\xe1\x39\x25\xdc\x19\x45\xba\x0b\x60"
    b"\xac\xc0\xb0\xb4\xe4\xf1\x28\x04\x69\x79\xef\x33\x44\xed\x43\x25\xb0\xc1\x40\x8b\xdf\xc0"
    b"\xdf\xbe\x82\x19\x50\xa6\xee\x7a\x42\x78\xba\x85\xa9\x0f\xef\x36\x5b\x05\x38\x82\xde\x00"
    b"\xd7\xe0\x57\xd3\x01\xa9\x11\x61\xbe\xfe\xc3\x7c\xaf\x63\x5a\x7b\x92\x0f\x27\xbc\x80\xe3"
    b"\x95\x2b\x44\xe2\xfa\x20\xbf\x93\x89\x7b\x56\xa3\x99\x40\xff\x61\x71\x89\x2a\x61\x02\x25"
    b"\x86\xf0\x37\x5b\x00\x31\x29\x9a\xeb\x3e\x3e\xf4\xdd\x02\x96\x1c\x7c\xf3\x5b\xd8\x4e\xef"
    b"\x0d\x89\xed\xfd\x9e\x78\xa0\xed\x19\x2b\x53\x23\x42\xa5\x96\x49\x55\x8d\xcf\xcc\xa9\xc9"
    b"\xf8\x92\x7d\x73\xec\x85\x6e\xbc\xe9\xa4\xc1\x5c\x25\x55\x0a\x5c\xdc\xbb\xc4\xa0\xf2\xfd"
    b"\xb0\xc5\xdc\xd9\x18\x7e\x41\x3c\xbd\x0e\xfd\x60\x19\xd9\x7b\x47\x01\x5b\x6d\xcd\xad\xb3"
    b"\x00\x85\x5a\x9b\x68\xa5\xdc\x2b\x8f\xde\x68\xfd\x4e\xa3\x0c\x82\x9c\x00\x38\x33\xbc\x3c"
    b"\x2c\x19\x1d\x1c\xc3\xa9\x55\x1a\x97\xfa\xc2\x7c\x8a\xab\xc7\x61\x59\x97\x02\x7c\x73\x3d"
    b"\x84\x8c\x04\x90\x43\xd7\xf5\x67\x19\x01\xd9\xa0\xca\xb2\x46\x0c\xb4\xe9\xb3\xd0\x1d\xd0"
    b"\x04\xa4\x74\x8e\x7a\x48\xa4\x6d\xe3\xaf\x83\x0d"
)


def _double(p: "Point", with_t: bool) -> "Point":
    x, y, z, _ = p
    a = x * x % _P
    b = y * y % _P
    h = a + b
    e = x + y
    e = (h - e * e) % _P
    g = a - b
    f = (2 * z * z + g) % _P
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P if with_t else 0


def _add(p: "Point", q: "Point") -> "Point":
    x, y, z, t = p
    y_minus_x, y_plus_x, z2, t2d = q
    a = (y - x) * y_minus_x % _P
    b = (y + x) * y_plus_x % _P
    c = t * t2d % _P
    d = z * z2 % _P
    e = b - a
    f = d - c
    g = d + c
    h = b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _cached(p: "Point") -> "Point":
    x, y, z, t = p
    return (y - x) % _P, (y + x) % _P, 2 * z % _P, 2 * _D * t % _P


def _negated(q: "Point") -> "Point":
    return q[1], q[0], q[2], _P - q[3]


def _odd_multiples(p: "Point", count: int) -> "list[Point]":
    """p, 3p, 5p, … ready to be added."""
    twice = _cached(_double(p, True))
    out = [_cached(p)]
    for _ in range(count - 1):
        p = _add(p, twice)
        out.append(_cached(p))
    return out


def _base_multiple(digit: int) -> "Point":
    """`digit` (odd, up to 15, or less than nothing) times the base point, ready to be added."""
    at = abs(digit) >> 1 << 7
    multiple = (
        int.from_bytes(_BASE[at : at + 32], "big"),
        int.from_bytes(_BASE[at + 32 : at + 64], "big"),
        int.from_bytes(_BASE[at + 64 : at + 96], "big"),
        int.from_bytes(_BASE[at + 96 : at + 128], "big"),
    )
    return multiple if digit > 0 else _negated(multiple)


def _decompress(data: bytes) -> "Point | None":
    """The point that 32 bytes stand for (RFC 8032 section 5.1.3), or None.

    x = 0 with a sign, which the RFC refuses, gives a point of small order: `verify` refuses those.
    """
    y = int.from_bytes(bytes(reversed(data)), "big")
    sign = y >> 255
    y &= _LOW
    if y >= _P:
        return None
    yy = y * y % _P
    u = yy - 1
    v = (_D * yy + 1) % _P
    v3 = v * v * v % _P
    x = u * v3 % _P * pow(u * v3 * v3 * v % _P, (_P - 5) // 8, _P) % _P
    check = v * x * x % _P
    if check != u % _P:
        if check != -u % _P:
            return None
        x = x * _ROOT % _P
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _digits(n: int, width: int) -> bytearray:
    """The width-w non-adjacent form of n, lowest first, as a bytearray of 128 + digit (so 128 is
    0).
    """
    out = bytearray(b"\x80" * 257)
    at = 0
    full = 1 << width
    while n:
        if n & 1:
            digit = n & (full - 1)
            if digit >= full >> 1:
                digit -= full
            out[at] = 128 + digit
            n -= digit
            n >>= width
            at += width
        else:
            n >>= 1
            at += 1
    return out


def verify(public_key: bytes, signature: bytes, message: "bytes | bytearray | memoryview") -> bool:
    """True if `signature` (64 bytes) over `message` was made with the key of `public_key` (32
    bytes).

    Wrong lengths, impossible points and everything malformed are False: it raises nothing.
    """
    if len(public_key) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(bytes(reversed(signature[32:])), "big")
    if s >= _L:
        return False
    a = _decompress(public_key)
    if a is None:
        return False
    p = _double(_double(_double(a, False), False), False)
    if p[0] % _P == 0 and (p[1] - p[2]) % _P == 0:
        return False  # eight times the key is nothing: a key of small order
    h = sha512(signature[:32])
    h.update(public_key)
    h.update(message)
    k = int.from_bytes(bytes(reversed(h.digest())), "big") % _L
    # S*B + k*(-A), both at once: one chain of doublings, additions where a digit is not 0.
    key_table = _odd_multiples((_P - a[0], a[1], 1, _P - a[3]), 4)
    s_digits = _digits(s, 5)
    k_digits = _digits(k, 4)
    p = (0, 1, 1, 0)
    for i in range(256, -1, -1):
        b = s_digits[i] - 128
        c = k_digits[i] - 128
        breathe()
        p = _double(p, bool(b or c))
        if b:
            p = _add(p, _base_multiple(b))
        if c:
            # A second addition needs T, which every addition gives.
            p = _add(p, key_table[c >> 1] if c > 0 else _negated(key_table[-c >> 1]))
    x, y, z, _ = p
    z = pow(z % _P, _P - 2, _P)
    encoded = bytearray((y * z % _P).to_bytes(32, "big"))
    encoded[0] |= (x * z % _P & 1) << 7
    return bytes(reversed(encoded)) == bytes(signature[:32])
