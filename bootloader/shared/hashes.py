"""HMAC, HKDF, PBKDF2 over SHA-256, and the comparison that leaks no timing. Any device module may
call it.

MicroPython has `hashlib.sha256` but neither `hmac` nor `copy()`, so both pads are hashed anew each
time.
"""

from hashlib import sha256

from .breath import breathe
from .compat import collect, threshold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    Bytes = bytes | bytearray | memoryview

    class Who(Protocol):
        """Whose permit it is."""

        terminal_id: bytes
        device_key: bytes


def equal(a: "Bytes", b: "Bytes") -> bool:
    """True if the two byte strings are equal; takes the same time wherever they differ."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0


def _pads(key: bytes) -> tuple[bytearray, bytearray]:
    if len(key) > 64:
        key = sha256(key).digest()
    inner = bytearray(64)
    inner[: len(key)] = key
    outer = bytearray(64)
    for i in range(64):
        outer[i] = inner[i] ^ 0x5C
        inner[i] ^= 0x36
    return inner, outer


def hmac_sha256(key: bytes, *parts: "Bytes") -> bytes:
    """HMAC-SHA-256 (RFC 2104) of the parts joined; 32 bytes."""
    inner, outer = _pads(key)
    h = sha256(inner)
    for part in parts:
        h.update(part)
    outer_hash = sha256(outer)
    outer_hash.update(h.digest())
    digest: bytes = outer_hash.digest()
    return digest


def hkdf_sha256(key: bytes, salt: bytes, info: bytes, length_bytes: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869), extract then expand; at most 8160 bytes.

    Raises:
        ValueError: more was asked for.
    """
    if not 0 < length_bytes <= 255 * 32:
        raise ValueError("HKDF length")
    extracted = hmac_sha256(salt, key)
    out = block = b""
    count = 0
    while len(out) < length_bytes:
        count += 1
        block = hmac_sha256(extracted, block, info, bytes((count,)))
        out += block
    return out[:length_bytes]


def technician_permit(who: "Who", action: str, challenge: bytes) -> bytes:
    """What only the server can say to let a technician do `action` (docs/formats/serial.md): 16
    bytes. `who` has the `device_key` and the `terminal_id`.
    """
    key = hkdf_sha256(who.device_key, who.terminal_id, b"duka technician 1", 32)
    return hmac_sha256(key, action.encode() + challenge)[:16]


def pbkdf2_sha256(secret: bytes, salt: bytes, rounds: int, length_bytes: int = 32) -> bytes:
    """PBKDF2-HMAC-SHA-256 (RFC 8018). Two hashes of 96 bytes a round, whatever the length of
    `secret`.

    Raises:
        ValueError: no rounds, or no length.
    """
    if rounds < 1 or length_bytes < 1:
        raise ValueError("PBKDF2 rounds and length")
    inner_pad, outer_pad = _pads(secret)
    # Each buffer is a pad with room for one digest behind it: a round allocates two hashes and
    # nothing of ours.
    inner = bytearray(inner_pad) + bytearray(32)
    outer = bytearray(outer_pad) + bytearray(32)
    out = b""
    count = 0
    # As for a signature: nothing of the arithmetic is kept.
    sweep_at = threshold()
    threshold(-1)
    try:
        while len(out) < length_bytes:
            count += 1
            h = sha256(inner_pad)
            h.update(salt)
            h.update(count.to_bytes(4, "big"))
            outer[64:] = h.digest()
            u = sha256(outer).digest()
            total = int.from_bytes(u, "big")
            for _ in range(rounds - 1):
                breathe()
                inner[64:] = u
                outer[64:] = sha256(inner).digest()
                u = sha256(outer).digest()
                total ^= int.from_bytes(u, "big")
            out += total.to_bytes(32, "big")
    finally:
        threshold(sweep_at)
        collect()
    return out[:length_bytes]
