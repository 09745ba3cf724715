"""Sealed messages: AES-CCM-16-64-128 (RFC 9053 section 4.2) in an untagged COSE_Encrypt0 (RFC 9052
section 5.2), with the keys, nonces and additional data that docs/formats/messages.md fixes. The
modem session and the stock call it.

A seal that does not open is one error, `SealError`, whatever the cause: it says nothing of the key
or the text.
"""

from . import cbor
from .compat import aes_cbc, aes_ecb, const
from .hashes import equal, hkdf_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    Bytes = bytes | bytearray | memoryview
    from collections.abc import Sequence
    from typing import Any

    Head = Sequence[Any]  # product id, amount_minor, expiry, and what else stands there

MAX_MESSAGE_BYTES = const(16384)
TAG_BYTES = const(8)
NONCE_BYTES = const(13)

_PROTECTED = b"\xa1\x01\x0a"  # {1: 10}
_CHUNK_BYTES = const(512)


class SealError(ValueError):
    """The message was not sealed for us by who shares our key, or is damaged, or does not belong
    here.
    """


def _tag(key: bytes, nonce: bytes, aad: bytes, text: "Bytes") -> bytes:
    """The CBC-MAC of RFC 3610 section 2.2 over text (any buffer); 16 bytes, not yet encrypted."""
    mac = aes_cbc(key, bytes(16))
    # Flags: additional data present | (tag bytes - 2) / 2 | length field of 2 bytes.
    first = bytearray(bytes(((0x40 if aad else 0) | 0x19,)) + nonce + len(text).to_bytes(2, "big"))
    if aad:
        first.extend(len(aad).to_bytes(2, "big"))
        first.extend(aad)
        first.extend(bytes(-len(first) % 16))
    last = mac.encrypt(first)
    view = memoryview(text)
    for start in range(0, len(text), _CHUNK_BYTES):
        chunk = bytes(view[start : start + _CHUNK_BYTES])
        last = mac.encrypt(chunk + bytes(-len(chunk) % 16))
    return last[-16:]


def _xor_key_stream(key: bytes, nonce: bytes, out: bytearray) -> bytes:
    """Encrypt or decrypt the bytearray `out` in place; return S_0, the block that hides the tag."""
    ecb = aes_ecb(key)
    head = b"\x01" + nonce
    hide = ecb.encrypt(head + b"\0\0")
    size = len(out)
    counters = bytearray(min(_CHUNK_BYTES, (size + 15) // 16 * 16))
    for at in range(0, len(counters), 16):
        counters[at : at + 14] = head
    block = 0
    for start in range(0, size, _CHUNK_BYTES):
        for at in range(0, len(counters), 16):
            block += 1
            counters[at + 14] = block >> 8
            counters[at + 15] = block & 255
        count = min(_CHUNK_BYTES, size - start)
        stream = int.from_bytes(ecb.encrypt(counters)[:count], "big")
        text = int.from_bytes(out[start : start + count], "big")
        out[start : start + count] = (text ^ stream).to_bytes(count, "big")
    return hide


def _xor8(a: bytes, b: bytes) -> bytes:
    return bytes([a[i] ^ b[i] for i in range(TAG_BYTES)])


def _check(key: bytes, nonce: bytes, aad: bytes, size: int) -> None:
    if len(key) != 16 or len(nonce) != NONCE_BYTES or len(aad) >= 0xFF00:
        raise SealError("key, nonce or additional data of the wrong length")
    if size > MAX_MESSAGE_BYTES:
        raise SealError("message too long")


def seal(key: bytes, nonce: bytes, aad: bytes, text: "Bytes") -> bytes:
    """AES-CCM with a 16-byte key, a 13-byte nonce never used before under it, and an 8-byte tag.

    Returns the ciphertext with the tag behind it. Peak heap is about twice the text's size.

    Raises:
        SealError: a length is wrong, or the text is longer than 16 KiB.
    """
    _check(key, nonce, aad, len(text))
    tag = _tag(key, nonce, aad, text)
    out = bytearray(text)
    hide = _xor_key_stream(key, nonce, out)
    out.extend(_xor8(tag, hide))
    return bytes(out)


def unseal(key: bytes, nonce: bytes, aad: bytes, sealed: "Bytes") -> bytes:
    """The text that `seal` was given, as bytes.

    Raises:
        SealError: it does not open; nothing of the text is let out.
    """
    size = len(sealed) - TAG_BYTES
    _check(key, nonce, aad, size)
    if size < 0:
        raise SealError("shorter than its tag")
    out = bytearray(memoryview(sealed)[:size])
    hide = _xor_key_stream(key, nonce, out)
    if not equal(_xor8(_tag(key, nonce, aad, out), hide), bytes(memoryview(sealed)[size:])):
        raise SealError("the seal does not open")
    return bytes(out)


# --- the envelope, docs/formats/messages.md ---


class Keys:
    """The keys of one terminal, each for one use: `up`, `down`, `stock` (16 bytes each)."""

    def __init__(self, up: bytes, down: bytes, stock: bytes) -> None:
        self.up = up
        self.down = down
        self.stock = stock


def derive_keys(device_key: bytes, terminal_id: bytes) -> Keys:
    """`Keys` from the 32-byte device key and the 8-byte terminal id.

    Raises:
        SealError: a length is wrong.
    """
    if len(device_key) != 32 or len(terminal_id) != 8:
        raise SealError("device key of 32 bytes and terminal id of 8 are needed")
    return Keys(
        hkdf_sha256(device_key, terminal_id, b"duka up 1", 16),
        hkdf_sha256(device_key, terminal_id, b"duka down 1", 16),
        hkdf_sha256(device_key, terminal_id, b"duka stock 1", 16),
    )


def message_counter(boot_count: int, n: int) -> int:
    """The counter of the `n`-th message (from 1) of a boot. It never repeats while `boot_count`
    does not.

    Raises:
        SealError: beyond 2**24 messages in a boot or 2**40 boots.
    """
    if not (0 < n < 1 << 24 and 0 <= boot_count < 1 << 40):
        raise SealError("the counter of messages is used up: restart")
    return boot_count << 24 | n


def _aad(external_aad: bytes) -> bytes:
    # Enc_structure of RFC 9052 section 5.3.
    return cbor.dumps(["Encrypt0", _PROTECTED, external_aad])


_EXTERNAL_AAD = b"duka/1"


def _nonce(direction: int, salt: bytes, counter: int) -> bytes:
    return bytes((direction,)) + salt + counter.to_bytes(8, "big")


def seal_request(
    up_key: bytes, terminal_id: bytes, salt: bytes, counter: int, text: bytes
) -> bytes:
    """The message body for the server: `text` (encoded content) sealed under a counter never used
    before; `salt` is 4 random bytes, so that no nonce comes again if a counter does.

    Raises:
        SealError: text too long, or a length is wrong.
    """
    short = counter.to_bytes(8, "big").lstrip(b"\0")
    if len(terminal_id) != 8 or len(salt) != 4 or not short:
        raise SealError("terminal id of 8 bytes, salt of 4 and a counter above 0 are needed")
    sealed = seal(up_key, _nonce(0, salt, counter), _aad(_EXTERNAL_AAD), text)
    return cbor.dumps([_PROTECTED, {4: terminal_id, 6: salt + short}, sealed])


def open_reply(down_key: bytes, salt: bytes, counter: int, body: bytes) -> bytes:
    """The content of the server's reply to the request of `salt` and `counter`.

    Raises:
        SealError: not an envelope, not the server's, damaged, or the reply to another request.
    """
    if len(body) > MAX_MESSAGE_BYTES + 64:
        raise SealError("message too long")
    reader = cbor.Reader(body, 4, True)
    reader.views = True  # the ciphertext stays where it is: no second copy of it in the heap
    try:
        parts = reader.value(2)
    except cbor.CborError:
        parts = None
    if (
        not isinstance(parts, list)
        or len(parts) != 3
        or reader.at != len(body)
        or parts[0] != _PROTECTED
        or parts[1] != {}
        or not isinstance(parts[2], memoryview)
    ):
        raise SealError("not a sealed message")
    return unseal(down_key, _nonce(1, salt, counter), _aad(_EXTERNAL_AAD), parts[2])


def open_pin(
    stock_key: bytes, batch_id: int, index: int, head: "Head", serial: str, sealed: bytes
) -> str:
    """The PIN (text) of entry `index` (from 0) of a stock batch whose `head` is (product id,
    amount_minor, expiry).

    Raises:
        SealError: the entry is damaged, or was sealed for another place, product, amount,
        expiry, serial or terminal.
    """
    nonce = b"\x02" + batch_id.to_bytes(4, "big") + bytes(4) + index.to_bytes(4, "big")
    aad = cbor.dumps(["duka/stock/1", batch_id, head[0], head[1], head[2], serial])
    try:
        return str(unseal(stock_key, nonce, aad, sealed), "utf-8")
    except UnicodeError:
        raise SealError("the PIN is not text")
