"""Ed25519 verification (RFC 8032 section 5.1.7) in plain Python integers. The metadata client calls
it; nothing on a terminal signs.

Without the cofactor and by bytes, as OpenSSL and Go decide: `encode(S*B - k*A) == R`. Stricter than
the RFC where leniency would give one message two valid signatures or one signature many messages:

- S must be below the group order (as the RFC says);
- the key's y must be below the field's prime, and a key of small order is refused, as its
  signatures
  prove nothing;
- R is compared as bytes, so a non-canonical R never verifies.

Everything here is public, so nothing runs in constant time.
"""

from .sha512 import sha512

_P = (1 << 255) - 19
_L = (1 << 252) + 27742317777372353535851937790883648493
_LOW = (1 << 255) - 1

# Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 section 5.1.4). For additions
# the second point is kept as (Y-X, Y+X, 2Z, 2dT).

_constants = None


def _reduce(x):
    """x below 2**520 or so, to less than 2**256: cheaper than a division, and all we need inside.
    """
    x = (x & _LOW) + (x >> 255) * 19
    return (x & _LOW) + (x >> 255) * 19


def _double(p, with_t):
    x, y, z, _ = p
    a = _reduce(x * x)
    b = _reduce(y * y)
    c = 2 * z * z
    h = a + b
    e = x + y
    e = _reduce(h + 4 * _P - _reduce(e * e))
    g = a + 2 * _P - b
    f = _reduce(c + g)
    return (
        _reduce(e * f),
        _reduce(g * h),
        _reduce(f * g),
        _reduce(e * h) if with_t else 0,
    )


def _add(p, q):
    x, y, z, t = p
    y_minus_x, y_plus_x, z2, t2d = q
    a = _reduce((y + 2 * _P - x) * y_minus_x)
    b = _reduce((y + x) * y_plus_x)
    c = _reduce(t * t2d)
    d = _reduce(z * z2)
    e = b + 2 * _P - a
    f = d + 2 * _P - c
    g = d + c
    h = b + a
    return _reduce(e * f), _reduce(g * h), _reduce(f * g), _reduce(e * h)


def _cached(p, d):
    x, y, z, t = p
    return (y - x) % _P, (y + x) % _P, 2 * z % _P, 2 * d * t % _P


def _negated(q):
    return q[1], q[0], q[2], _P - q[3]


def _odd_multiples(p, count, d):
    """p, 3p, 5p, … ready to be added."""
    twice = _cached(_double(p, True), d)
    out = [_cached(p, d)]
    for _ in range(count - 1):
        p = _add(p, twice)
        out.append(_cached(p, d))
    return out


def _decompress(data, d, root):
    """The point that 32 bytes stand for (RFC 8032 section 5.1.3), or None."""
    y = int.from_bytes(bytes(reversed(data)), "big")
    sign = y >> 255
    y &= _LOW
    if y >= _P:
        return None
    yy = y * y % _P
    u = yy - 1
    v = (d * yy + 1) % _P
    v3 = v * v * v % _P
    x = u * v3 % _P * pow(u * v3 * v3 * v % _P, (_P - 5) // 8, _P) % _P
    check = v * x * x % _P
    if check != u % _P:
        if check != -u % _P:
            return None
        x = x * root % _P
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _digits(n, width):
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


def verify(public_key, signature, message):
    """True if `signature` (64 bytes) over `message` was made with the key of `public_key` (32
    bytes).

    Wrong lengths, impossible points and everything malformed are False: it raises nothing.
    """
    global _constants
    if len(public_key) != 32 or len(signature) != 64:
        return False
    if _constants is None:
        d = -121665 * pow(121666, _P - 2, _P) % _P
        root = pow(2, (_P - 1) // 4, _P)  # of -1
        y = 4 * pow(5, _P - 2, _P) % _P
        base = _decompress(bytes(reversed(y.to_bytes(32, "big"))), d, root)
        _constants = d, root, _odd_multiples(base, 8, d)
    d, root, base_table = _constants
    s = int.from_bytes(bytes(reversed(signature[32:])), "big")
    if s >= _L:
        return False
    a = _decompress(public_key, d, root)
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
    key_table = _odd_multiples((_P - a[0], a[1], 1, _P - a[3]), 4, d)
    s_digits = _digits(s, 5)
    k_digits = _digits(k, 4)
    p = (0, 1, 1, 0)
    for i in range(256, -1, -1):
        b = s_digits[i] - 128
        c = k_digits[i] - 128
        p = _double(p, b or c)
        if b:
            p = _add(p, base_table[b >> 1] if b > 0 else _negated(base_table[-b >> 1]))
        if c:
            # A second addition needs T, which every addition gives.
            p = _add(p, key_table[c >> 1] if c > 0 else _negated(key_table[-c >> 1]))
    x, y, z, _ = p
    z = pow(z % _P, _P - 2, _P)
    encoded = bytearray((y * z % _P).to_bytes(32, "big"))
    encoded[0] |= (x * z % _P & 1) << 7
    return bytes(reversed(encoded)) == bytes(signature[:32])
