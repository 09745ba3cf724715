"""AES-128 and AES-256 encryption (FIPS 197) in plain Python, for interpreters without `cryptolib`.
Only `compat` calls it.

CCM never needs the inverse cipher, so there is none. Tables are looked up by secret bytes: on a
board with a data cache this leaks timing to other code on the same chip; a terminal runs no one
else's.
"""

# The S-box (FIPS 197 section 5.1.1) and its double in GF(2^8), 256 bytes each. Said and not
# reckoned: so they stay in flash.
_SBOX = (
    b"\x63\x7c\x77\x7b\xf2\x6b\x6f\xc5\x30\x01\x67\x2b\xfe\xd7\xab\x76\xca\x82\xc9\x7d\xfa\x59"
    b"\x47\xf0\xad\xd4\xa2\xaf\x9c\xa4\x72\xc0\xb7\xfd\x93\x26\x36\x3f\xf7\xcc\x34\xa5\xe5\xf1"
    b"\x71\xd8\x31\x15\x04\xc7\x23\xc3\x18\x96\x05\x9a\x07\x12\x80\xe2\xeb\x27\xb2\x75\x09\x83"
    b"\x2c\x1a\x1b\x6e\x5a\xa0\x52\x3b\xd6\xb3\x29\xe3\x2f\x84\x53\xd1\x00\xed\x20\xfc\xb1\x5b"
    b"\x6a\xcb\xbe\x39\x4a\x4c\x58\xcf\xd0\xef\xaa\xfb\x43\x4d\x33\x85\x45\xf9\x02\x7f\x50\x3c"
    b"\x9f\xa8\x51\xa3\x40\x8f\x92\x9d\x38\xf5\xbc\xb6\xda\x21\x10\xff\xf3\xd2\xcd\x0c\x13\xec"
    b"\x5f\x97\x44\x17\xc4\xa7\x7e\x3d\x64\x5d\x19\x73\x60\x81\x4f\xdc\x22\x2a\x90\x88\x46\xee"
    b"\xb8\x14\xde\x5e\x0b\xdb\xe0\x32\x3a\x0a\x49\x06\x24\x5c\xc2\xd3\xac\x62\x91\x95\xe4\x79"
    b"\xe7\xc8\x37\x6d\x8d\xd5\x4e\xa9\x6c\x56\xf4\xea\x65\x7a\xae\x08\xba\x78\x25\x2e\x1c\xa6"
    b"\xb4\xc6\xe8\xdd\x74\x1f\x4b\xbd\x8b\x8a\x70\x3e\xb5\x66\x48\x03\xf6\x0e\x61\x35\x57\xb9"
    b"\x86\xc1\x1d\x9e\xe1\xf8\x98\x11\x69\xd9\x8e\x94\x9b\x1e\x87\xe9\xce\x55\x28\xdf\x8c\xa1"
    b"\x89\x0d\xbf\xe6\x42\x68\x41\x99\x2d\x0f\xb0\x54\xbb\x16"
)
_DOUBLE = (
    b"\xc6\xf8\xee\xf6\xff\xd6\xde\x91\x60\x02\xce\x56\xe7\xb5\x4d\xec\x8f\x1f\x89\xfa\xef\xb2"
    b"\x8e\xfb\x41\xb3\x5f\x45\x23\x53\xe4\x9b\x75\xe1\x3d\x4c\x6c\x7e\xf5\x83\x68\x51\xd1\xf9"
    b"\xe2\xab\x62\x2a\x08\x95\x46\x9d\x30\x37\x0a\x2f\x0e\x24\x1b\xdf\xcd\x4e\x7f\xea\x12\x1d"
    b"\x58\x34\x36\xdc\xb4\x5b\xa4\x76\xb7\x7d\x52\xdd\x5e\x13\xa6\xb9\x00\xc1\x40\xe3\x79\xb6"
    b"\xd4\x8d\x67\x72\x94\x98\xb0\x85\xbb\xc5\x4f\xed\x86\x9a\x66\x11\x8a\xe9\x04\xfe\xa0\x78"
    b"\x25\x4b\xa2\x5d\x80\x05\x3f\x21\x70\xf1\x63\x77\xaf\x42\x20\xe5\xfd\xbf\x81\x18\x26\xc3"
    b"\xbe\x35\x88\x2e\x93\x55\xfc\x7a\xc8\xba\x32\xe6\xc0\x19\x9e\xa3\x44\x54\x3b\x0b\x8c\xc7"
    b"\x6b\x28\xa7\xbc\x16\xad\xdb\x64\x74\x14\x92\x0c\x48\xb8\x9f\xbd\x43\xc4\x39\x31\xd3\xf2"
    b"\xd5\x8b\x6e\xda\x01\xb1\x9c\x49\xd8\xac\xf3\xcf\xca\xf4\x47\x10\x6f\xf0\x4a\x5c\x38\x57"
    b"\x73\x97\xcb\xa1\xe8\x3e\x96\x61\x0d\x0f\xe0\x7c\x71\xcc\x90\x06\xf7\x1c\xc2\x6a\xae\x69"
    b"\x17\x99\x3a\x27\xd9\xeb\x2b\x22\xd2\xa9\x07\x33\x2d\x3c\x15\xc9\x87\xaa\x50\xa5\x03\x59"
    b"\x09\x1a\x65\xd7\x84\xd0\x82\x29\x5a\x1e\x7b\xa8\x6d\x2c"
)

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
