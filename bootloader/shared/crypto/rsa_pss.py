"""RSASSA-PSS with SHA-256, verification only (RFC 8017 section 8.1.2), for TUF repositories that
sign with it. `tuf` imports it when it meets such a key.

Keys of 2048 to 4096 bits with the exponent 65537, in strict DER; any length of salt, as signers
differ. Everything here is public, so nothing runs in constant time.
"""

from hashlib import sha256

from bootloader.shared.crypto.p256 import from_pem

_ALGORITHM = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
_EXPONENT = b"\x02\x03\x01\x00\x01"


def _enter(data: bytes, tag: int) -> bytes | None:
    """What the one DER element that `data` is holds, or None."""
    if len(data) < 2 or data[0] != tag:
        return None
    size = data[1]
    at = 2
    if size > 0x80:
        count = size & 0x7F
        if count > 2 or len(data) < 2 + count or not data[2]:
            return None
        size = int.from_bytes(data[2 : 2 + count], "big")
        at += count
        if size < 0x80:
            return None
    return data[at:] if len(data) == at + size and size != 0x80 else None


def public_key(text: str) -> bytes | None:
    """The modulus, big-endian, of a PEM public key; None if it is not one that we take."""
    data = from_pem(text)
    body = data and _enter(data, 0x30)
    if not body or not body.startswith(_ALGORITHM):
        return None
    bits = _enter(body[len(_ALGORITHM) :], 0x03)
    if not bits or bits[0]:
        return None
    numbers = _enter(bits[1:], 0x30)
    if not numbers or not numbers.endswith(_EXPONENT):
        return None
    modulus = _enter(numbers[: -len(_EXPONENT)], 0x02)
    # The top bit of 2048, 3072 or 4096 bits is set, so one zero byte stands before it.
    if not modulus or modulus[0] or len(modulus) - 1 not in (256, 384, 512):
        return None
    modulus = modulus[1:]
    return modulus if modulus[0] & 0x80 and modulus[-1] & 1 else None


def verify(public: bytes, signature: bytes, message: "bytes | bytearray | memoryview") -> bool:
    """True if `signature` over `message` was made with the key of the modulus `public`.

    Everything malformed is False: it raises nothing.
    """
    size = len(public)
    if len(signature) != size:
        return False
    n = int.from_bytes(public, "big")
    number = int.from_bytes(signature, "big")
    if number >= n:
        return False
    # EMSA-PSS-VERIFY (section 9.1.2); the modulus has 8 * size bits, so emBits is one less.
    encoded = pow(number, 65537, n).to_bytes(size, "big")
    if encoded[-1] != 0xBC or encoded[0] & 0x80:
        return False
    length = size - 33
    digest = encoded[length:-1]
    block = bytearray(length)
    for i in range(0, length, 32):
        mask = sha256(digest + (i // 32).to_bytes(4, "big")).digest()
        for j in range(i, min(i + 32, length)):
            block[j] = encoded[j] ^ mask[j - i]
    block[0] &= 0x7F
    at = 0
    while at < length and not block[at]:
        at += 1
    if at == length or block[at] != 1:
        return False
    h = sha256(bytes(8))
    h.update(sha256(message).digest())
    h.update(block[at + 1 :])
    return bool(h.digest() == digest)
