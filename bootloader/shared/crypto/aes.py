"""AES-128 and AES-256 encryption (FIPS 197) in plain Python, for interpreters without `cryptolib`.
Only `compat` calls it.

CCM never needs the inverse cipher, so there is none. Tables are looked up by secret bytes: on a
board with a data cache this leaks timing to other code on the same chip; a terminal runs no one
else's.
"""


def _tables() -> tuple[bytes, bytes]:
    """The S-box (FIPS 197 section 5.1.1) and its double in GF(2^8), 256 bytes each."""
    sbox = bytearray(256)
    double = bytearray(256)
    p = q = 1
    while True:
        p ^= (p << 1 & 0xFF) ^ (0x1B if p & 0x80 else 0)  # p * 3
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09  # q / 3
        x = q | q << 8  # rotations are shifts of the doubled byte
        sbox[p] = (x ^ x >> 7 ^ x >> 6 ^ x >> 5 ^ x >> 4) & 0xFF ^ 0x63
        if p == 1:
            break
    sbox[0] = 0x63
    for i in range(256):
        double[i] = (sbox[i] << 1 & 0xFF) ^ (0x1B if sbox[i] & 0x80 else 0)
    return bytes(sbox), bytes(double)


_SBOX, _DOUBLE = _tables()

# Where ShiftRows takes each byte from (section 5.1.2), columns first.
_SHIFTED = bytes((0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11))


def _expand(key: bytes) -> bytes:
    """The round keys (section 5.2), joined."""
    words = len(key) // 4
    out = bytearray(key)
    factor = 1
    for i in range(words, 4 * (words + 7)):
        t: bytes | bytearray = out[-4:]
        if i % words == 0:
            t = bytes((_SBOX[t[1]] ^ factor, _SBOX[t[2]], _SBOX[t[3]], _SBOX[t[0]]))
            factor = factor << 1 ^ (0x11B if factor & 0x80 else 0)
        elif words > 6 and i % words == 4:
            t = bytes([_SBOX[b] for b in t])
        at = len(out) - 4 * words
        out.extend(bytes([out[at + j] ^ t[j] for j in range(4)]))
    return bytes(out)


def _encrypt_block(keys: bytes, state: bytearray, new: bytearray) -> None:
    """Encrypt the 16 bytes of `state` in place; `new` is 16 bytes of scratch."""
    sbox = _SBOX
    double = _DOUBLE
    shifted = _SHIFTED
    for i in range(16):
        state[i] ^= keys[i]
    last = len(keys) - 16
    at = 16
    while at < last:
        for c in range(0, 16, 4):
            a = state[shifted[c]]
            b = state[shifted[c + 1]]
            d = state[shifted[c + 2]]
            e = state[shifted[c + 3]]
            s, t, u, v = sbox[a], sbox[b], sbox[d], sbox[e]
            a, b, d, e = double[a], double[b], double[d], double[e]
            new[c] = a ^ b ^ t ^ u ^ v ^ keys[at + c]
            new[c + 1] = s ^ b ^ d ^ u ^ v ^ keys[at + c + 1]
            new[c + 2] = s ^ t ^ d ^ e ^ v ^ keys[at + c + 2]
            new[c + 3] = a ^ s ^ t ^ u ^ e ^ keys[at + c + 3]
        state[:] = new
        at += 16
    for i in range(16):
        new[i] = sbox[state[shifted[i]]] ^ keys[at + i]
    state[:] = new


class _Encryptor:
    def __init__(self, key: bytes, iv: bytes | None) -> None:
        if len(key) not in (16, 32) or (iv is not None and len(iv) != 16):
            raise ValueError("AES key or iv length")
        self.keys = _expand(key)
        self.chain = None if iv is None else bytearray(iv)
        self.scratch = bytearray(16)

    def encrypt(self, data: bytes | bytearray | memoryview) -> bytes:
        """`data`, whole blocks, encrypted. Raises ValueError if they are not whole."""
        if len(data) % 16:
            raise ValueError("AES takes whole blocks")
        out = bytearray(data)
        chain = self.chain
        block = bytearray(16)
        for at in range(0, len(out), 16):
            block[:] = out[at : at + 16]
            if chain is not None:
                for i in range(16):
                    block[i] ^= chain[i]
            _encrypt_block(self.keys, block, self.scratch)
            out[at : at + 16] = block
            if chain is not None:
                chain[:] = block
        return bytes(out)


def aes_ecb(key: bytes) -> _Encryptor:
    """As `compat`'s. Raises ValueError for a key of the wrong length."""
    return _Encryptor(key, None)


def aes_cbc(key: bytes, iv: bytes) -> _Encryptor:
    """As `compat`'s. Raises ValueError for a key or iv of the wrong length."""
    return _Encryptor(key, iv)
