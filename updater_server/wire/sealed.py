"""Sealed messages: COSE_Encrypt0 with AES-CCM, and the keys that a device key gives. For
the terminals' face and `sales.stock_file`.

Pure: bytes and keys in, bytes or a typed refusal out. Written on `cryptography` and `cbor2`,
independently of the terminal's own code. Source: docs/formats/messages.md; RFC 9052 sections 5.2
and 5.3; RFC 9053 section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from updater_server.wire import cbor, limits

MESSAGE_LIMIT_BYTES = limits.REQUEST_BYTES[1]
TERMINAL_ID_BYTES = 8
DEVICE_KEY_BYTES = 32
COUNTER_LIMIT = 1 << 63
"""Counters are kept in signed 64-bit columns; 2^39 boots fit below."""

_PROTECTED = b"\xa1\x01\x0a"  # {1: 10}, AES-CCM-16-64-128
_EXTERNAL_AAD = b"duka/1"
_STRUCTURE = cbor.dumps(["Encrypt0", _PROTECTED, _EXTERNAL_AAD])
_REPLY_HEAD = cbor.dumps([_PROTECTED, {}, b""])[:-1]
"""Before what is sealed, the array's last item: the same in every reply."""
_TAG_BYTES = 8
_SALT_BYTES = 4
_UP, _DOWN, _STOCK, _WORD = 0, 1, 2, 3


class NotAMessage(Exception):
    """The bytes are not our envelope."""


class SealBroken(Exception):
    """The seal does not open: forged, damaged, or of another terminal."""


@dataclass(frozen=True)
class Envelope:
    """A request as it came, its seal not opened yet."""

    terminal_id: bytes
    salt: bytes
    counter: int
    ciphertext: bytes


@dataclass(frozen=True)
class DeviceKeys:
    """The keys of one terminal, derived from its device key (RFC 5869)."""

    up: bytes
    down: bytes
    stock: bytes

    @staticmethod
    def derive(terminal_id: bytes, device_key: bytes) -> DeviceKeys:
        """`device_key` is 32 bytes; the salt is the terminal id."""

        def key(info: bytes) -> bytes:
            return HKDF(SHA256(), 16, salt=terminal_id, info=info).derive(device_key)

        return DeviceKeys(key(b"duka up 1"), key(b"duka down 1"), key(b"duka stock 1"))


def parse_envelope(body: bytes) -> Envelope:
    """Take a request apart.

    Raises:
        NotAMessage: not the array of three with our header values.
    """
    try:
        envelope = cbor.loads(body)
    except cbor.CborError as error:
        raise NotAMessage(str(error)) from error
    match envelope:
        case [bytes(protected), {4: bytes(terminal_id), 6: bytes(numbers)}, bytes(ciphertext)]:
            salt, partial_iv = numbers[:_SALT_BYTES], numbers[_SALT_BYTES:]
        case _:
            raise NotAMessage("not a COSE_Encrypt0 with terminal id and counter")
    if protected != _PROTECTED:
        raise NotAMessage("another algorithm")
    if len(terminal_id) != TERMINAL_ID_BYTES:
        raise NotAMessage("a terminal id has 8 bytes")
    if not 1 <= len(partial_iv) <= 8 or partial_iv[0] == 0:
        raise NotAMessage("the counter is not in its shortest form")
    counter = int.from_bytes(partial_iv, "big")
    if counter >= COUNTER_LIMIT:
        raise NotAMessage("the counter is too large")
    if len(ciphertext) < _TAG_BYTES:
        raise NotAMessage("no room for a tag")
    return Envelope(terminal_id, salt, counter, ciphertext)


def _nonce(direction: int, envelope: Envelope) -> bytes:
    return bytes((direction,)) + envelope.salt + envelope.counter.to_bytes(8, "big")


def open_request(envelope: Envelope, keys: DeviceKeys) -> bytes:
    """The content of a request.

    Raises:
        SealBroken: it was not sealed with this terminal's key.
    """
    try:
        return AESCCM(keys.up, _TAG_BYTES).decrypt(
            _nonce(_UP, envelope), envelope.ciphertext, _STRUCTURE
        )
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the seal does not open") from error


def seal_reply(envelope: Envelope, content: bytes, keys: DeviceKeys) -> bytes:
    """The whole reply; it fits the request in `envelope` only."""
    sealed = AESCCM(keys.down, _TAG_BYTES).encrypt(_nonce(_DOWN, envelope), content, _STRUCTURE)
    return _REPLY_HEAD + cbor.dumps(sealed)


def seal_request(
    terminal_id: bytes, salt: bytes, counter: int, content: bytes, keys: DeviceKeys
) -> tuple[Envelope, bytes]:
    """A request as a terminal seals it: its envelope, which opens the reply, and its bytes."""
    unsealed = Envelope(terminal_id, salt, counter, b"")
    sealed = AESCCM(keys.up, _TAG_BYTES).encrypt(_nonce(_UP, unsealed), content, _STRUCTURE)
    numbers = salt + counter.to_bytes((counter.bit_length() + 7) // 8, "big")
    body = cbor.dumps([_PROTECTED, {4: terminal_id, 6: numbers}, sealed])
    return Envelope(terminal_id, salt, counter, sealed), body


def open_reply(envelope: Envelope, body: bytes, keys: DeviceKeys) -> bytes:
    """The content of the reply to the request in `envelope`.

    Raises:
        NotAMessage: not our envelope.
        SealBroken: it is no reply to this request.
    """
    try:
        reply = cbor.loads(body)
    except cbor.CborError as error:
        raise NotAMessage(str(error)) from error
    match reply:
        case [bytes(protected), dict(), bytes(sealed)] if protected == _PROTECTED:
            pass
        case _:
            raise NotAMessage("not a COSE_Encrypt0")
    try:
        return AESCCM(keys.down, _TAG_BYTES).decrypt(_nonce(_DOWN, envelope), sealed, _STRUCTURE)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the seal does not open") from error


def seal_word(key: bytes, terminal_id: bytes, counter: int, says: int) -> bytes:
    """A word of the office to a terminal, by short message. `key`: of the terminal, for words; its
    counter never comes again under it.
    """
    head = counter.to_bytes(8, "big")
    nonce = bytes((_WORD,)) + bytes(4) + head
    aad = cbor.dumps(["duka/word/1", terminal_id])
    return b"\x01" + head + AESCCM(key, _TAG_BYTES).encrypt(nonce, cbor.dumps({0: says}), aad)


def seal_pin(
    keys: DeviceKeys, batch_id: int, index: int, head: tuple[str, int, int], serial: str, pin: str
) -> bytes:
    """A PIN of a stock file, which only this terminal opens, at this place only.

    `head` is the batch's (product id, face amount_minor, expiry): changed in the file, no PIN of
    it opens.
    """
    nonce = bytes((_STOCK,)) + batch_id.to_bytes(4, "big") + bytes(4) + index.to_bytes(4, "big")
    aad = cbor.dumps(["duka/stock/1", batch_id, *head, serial])
    return AESCCM(keys.stock, _TAG_BYTES).encrypt(nonce, pin.encode(), aad)
