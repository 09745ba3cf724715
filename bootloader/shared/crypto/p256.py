"""ECDSA P-256 with SHA-256, verification only (FIPS 186-5), for TUF repositories that sign with it.
`tuf` imports it when it meets such a key; a fleet that signs with Ed25519 never pays for it.

Strict where leniency would let one signature be written many ways: DER with minimal lengths and
integers, nothing behind it, r and s in [1, n-1], a public key that is an uncompressed point on the
curve. Everything here is public, so nothing runs in constant time.
"""

from binascii import a2b_base64
from hashlib import sha256

from bootloader.shared.breath import breathe
from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    Point = tuple[int, int, int]
    Affine = tuple[int, int]

_P = const(0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF)
_N = const(0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551)
_B = const(0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B)
_GX = const(0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296)
_GY = const(0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

# A SubjectPublicKeyInfo of this curve (RFC 5480) up to the 64 bytes of the point: it has one form.
_SPKI = (
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
    b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"
)


def from_pem(text: str) -> bytes | None:
    """The bytes in a PEM block of kind PUBLIC KEY, or None."""
    begin = "-----BEGIN PUBLIC KEY-----"
    end = "-----END PUBLIC KEY-----"
    text = text.strip()
    if not text.startswith(begin) or not text.endswith(end):
        return None
    try:
        return a2b_base64(text[len(begin) : -len(end)])
    except ValueError:
        return None


def public_key(text: str) -> bytes | None:
    """The 64 bytes x, y of a public key: PEM, or the uncompressed point in hex. None if it is
    neither, or not on the curve.
    """
    if text.startswith("04") and len(text) == 130:
        try:
            point = bytes.fromhex(text)[1:]
        except ValueError:
            return None
    else:
        data = from_pem(text)
        if data is None or data[: len(_SPKI)] != _SPKI:
            return None
        point = data[len(_SPKI) :]
    return point if _point(point) else None


def _point(data: bytes) -> "Affine | None":
    if len(data) != 64:
        return None
    x = int.from_bytes(data[:32], "big")
    y = int.from_bytes(data[32:], "big")
    if x >= _P or y >= _P or (y * y - (x * x - 3) * x - _B) % _P:
        return None
    return x, y


def _signature(data: bytes) -> "Affine | None":
    """(r, s) of a DER `SEQUENCE { INTEGER, INTEGER }`, or None."""
    if len(data) < 8 or len(data) > 72 or data[0] != 0x30 or data[1] != len(data) - 2:
        return None
    out = []
    at = 2
    for _ in range(2):
        # A positive integer in as few bytes as it needs.
        if at + 2 > len(data) or data[at] != 0x02:
            return None
        size = data[at + 1]
        number = data[at + 2 : at + 2 + size]
        if not 0 < size == len(number) or number[0] & 0x80:
            return None
        if size > 1 and number[0] == 0 and not number[1] & 0x80:
            return None
        value = int.from_bytes(number, "big")
        if not 0 < value < _N:
            return None
        out.append(value)
        at += 2 + size
    return (out[0], out[1]) if at == len(data) else None


# Points are Jacobian (X, Y, Z), x = X/Z^2, y = Y/Z^3; Z = 0 is the point at infinity.


def _double(p: "Point") -> "Point":
    x, y, z = p
    zz = z * z % _P
    m = 3 * (x - zz) * (x + zz) % _P
    yy = y * y % _P
    s = 4 * x * yy % _P
    x3 = (m * m - 2 * s) % _P
    return x3, (m * (s - x3) - 8 * yy * yy) % _P, 2 * y * z % _P


def _add(p: "Point", q: "Affine") -> "Point":
    """p + q, where q = (x, y) is affine."""
    x, y, z = p
    if not z:
        return q[0], q[1], 1
    zz = z * z % _P
    h = (q[0] * zz - x) % _P
    r = (q[1] * zz * z - y) % _P
    if not h:
        return (0, 1, 0) if r else _double(p)
    hh = h * h % _P
    hhh = hh * h % _P
    v = x * hh % _P
    x3 = (r * r - hhh - 2 * v) % _P
    return x3, (r * (v - x3) - y * hhh) % _P, z * h % _P


def _affine(p: "Point") -> "Affine | None":
    """(x, y), or None for the point at infinity."""
    x, y, z = p
    if not z:
        return None
    inverse = pow(z, _P - 2, _P)
    square = inverse * inverse % _P
    return x * square % _P, y * square * inverse % _P


def verify(public: bytes, signature: bytes, message: "bytes | bytearray | memoryview") -> bool:
    """True if `signature` (DER) over `message` was made with the key of `public`, 64 bytes x, y.

    Everything malformed is False: it raises nothing.
    """
    q = _point(public)
    numbers = _signature(signature)
    if q is None or numbers is None:
        return False
    r, s = numbers
    w = pow(s, _N - 2, _N)
    u1 = int.from_bytes(sha256(message).digest(), "big") * w % _N
    u2 = r * w % _N
    g = (_GX, _GY)
    both = _affine(_add((_GX, _GY, 1), q))
    p = (0, 1, 0)
    for i in range(255, -1, -1):
        breathe()
        if p[2]:
            p = _double(p)
        step = (u1 >> i & 1) + 2 * (u2 >> i & 1)
        if step == 3:
            if both:
                p = _add(p, both)
        elif step:
            p = _add(p, g if step == 1 else q)
    found = _affine(p)
    return found is not None and found[0] % _N == r
