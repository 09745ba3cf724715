"""The terminal's side of the messages, for robots: seals, opens, and keeps a journal in a small
file. Source: docs/formats/messages.md, journal.md.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from updater_server.atomic import write_atomically
from updater_server.wire import cbor
from updater_server.wire.sealed import DeviceKeys, NotAMessage, SealBroken, open_reply, seal_request

Post = Callable[[bytes], tuple[int, bytes]]
"""A message's body → HTTP status and body."""
_TAG_BYTES = 8


class NoAnswer(Exception):
    """A message was not answered with a sealed reply; the text says how it was."""


class Kept(msgspec.Struct):
    """What a robot must not forget: the number of its next record, the chain, the records that the
    server does not have, and the sale that is open (its message, to be sent again to the byte).
    """

    next: int = 1
    tag: str = "00" * _TAG_BYTES
    unsent: list[str] = []
    open_sale: str = ""
    told_s: int = 0
    """The end of the newest window of counters that it told."""


class RobotDevice:
    """One robot's terminal. Its boot count is the time at which it was made, so that no counter
    comes again.
    """

    def __init__(
        self, terminal_id: bytes, device_key: bytes, place: Path, post: Post, now_s: int
    ) -> None:
        self.terminal_id = terminal_id
        self._keys = DeviceKeys.derive(terminal_id, device_key)
        self._place = place
        self._post = post
        self.boot_count = now_s
        self._salt = secrets.token_bytes(4)
        self._sent = 0
        self.newest: bytes | None = None
        try:
            self.kept = msgspec.json.decode(place.read_bytes(), type=Kept)
        except FileNotFoundError:
            self.kept = Kept()

    def ask(self, content: dict[int, Any]) -> dict[int, Any]:
        """Send a message; its opened reply.

        Raises:
            NoAnswer: a bare status, an error reply, or one that does not open.
        """
        self._sent += 1
        counter = self.boot_count << 24 | self._sent
        plain = cbor.dumps(content)
        envelope, body = seal_request(self.terminal_id, self._salt, counter, plain, self._keys)
        status, answer = self._post(body)
        if status != 200:
            raise NoAnswer(f"HTTP status {status}")
        try:
            reply = cbor.loads(open_reply(envelope, answer, self._keys))
        except (NotAMessage, SealBroken, cbor.CborError) as error:
            raise NoAnswer(f"a reply that does not open: {error}") from error
        if not isinstance(reply, dict) or reply.get(0) != content[0]:
            code = str(reply.get(1, ""))[:32] if isinstance(reply, dict) else ""
            raise NoAnswer(f"an error reply {code}".rstrip())
        self.newest = reply.get(-2, self.newest)
        return reply

    def keep(self) -> None:
        """Write down what must not be forgotten."""
        write_atomically(self._place, msgspec.json.encode(self.kept), 0o600)

    def record(self, kind: int, body: list[Any], at_s: int) -> int:
        """Append to the journal, not kept yet; the record's number."""
        kept = self.kept
        encoded = cbor.dumps(body)
        covered = bytes((kind, len(encoded))) + kept.next.to_bytes(4, "big")
        covered += at_s.to_bytes(4, "big") + encoded
        tag = hashlib.sha256(bytes.fromhex(kept.tag) + covered).digest()[:_TAG_BYTES]
        kept.tag = tag.hex()
        kept.unsent.append((covered + zlib.crc32(covered).to_bytes(4, "big") + tag).hex())
        kept.next += 1
        return kept.next - 1

    def seal_pin(self, sale: int, product: str, serial: str, pin: str) -> bytes:
        """A PIN as it stands in a `delivered`."""
        aad = b"duka/pin/1" + product.encode() + serial.encode()
        number = hashlib.sha256(sale.to_bytes(4, "big") + aad).digest()[:12]
        return AESCCM(self._keys.stock, _TAG_BYTES).encrypt(b"\x03" + number, pin.encode(), aad)
