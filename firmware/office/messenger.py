"""One sealed question to the server, one sealed answer; the other files of this room ask so.

Format and keys: docs/formats/messages.md; a key's name is in the file that sends or reads it. What
comes without the seal decides nothing about money.
"""

from bootloader.shared import cbor, cose
from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from bootloader.shared.strict import fault
from firmware import lent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    from firmware.net.http_client import HttpClient

    Content = dict[int, Any]  # of a message, by the keys that docs/formats/messages.md lists
    Post = Callable[[bytes], Awaitable[tuple[int, bytes]]]
    T = TypeVar("T")

# Kinds of messages, and the keys that all have.
_KIND = const(0)
_NEWEST = const(-2)
_TAG_BYTES = const(8)  # docs/formats/release.md
_KIND_ERROR = const(-1)
_ERROR_REPLY_CODE = const(1)
_ERROR_REPLY_TEXT = const(2)
CHECK_IN = const(1)
SALE = const(2)
JOURNAL = const(3)
STOCK = const(4)
STOCK_RECEIVED = const(5)
STOCK_HELD = const(6)
LOOK_UP = const(7)

# Bounds of what passes between terminal and server: docs/formats/limits.toml.
REPLY_BYTES = const(6144)
_COAP_PLAIN_BYTES = const(960)  # with its envelope it fits a datagram
FLOAT_MINOR = const(1 << 40)
UINT32 = const(0xFFFFFFFF)
_DATAGRAM = "firmware.office.datagram"
_REST_MS = const(3600000)
_DOUBLINGS = const(5)  # a pause of a day and a third


class NoNetwork(Exception):
    """No answer came, or only "try later": nobody knows whether the server acted. Ask again.

    `may_be_seen`: the question has left, so that it is worth asking again at once.
    """

    def __init__(self, text: str, may_be_seen: bool = False) -> None:
        super().__init__(text)
        self.may_be_seen = may_be_seen


class BadReply(Exception):
    """Something answered, but not the server under our key, or not as specified: ask later."""


class ServerRefused(Exception):
    """The server's sealed word that it did not do it. `code` for programs, `text` for the log."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code + ": " + text)
        self.code = code
        self.text = text


def http_post(client: "HttpClient") -> "Post":
    """A `post` for `Messenger` over HTTP."""
    from firmware.net.http import ConnectionLost, HttpError, TooLarge

    async def post(body: bytes) -> tuple[int, bytes]:
        try:
            reply = await client.request(
                "POST",
                "/m",
                (("Content-Type", "application/cose"),),
                body,
                limit_bytes=REPLY_BYTES,
            )
        except TooLarge as error:
            raise BadReply(str(error))
        except ConnectionLost as error:
            raise NoNetwork(str(error), error.was_asked)
        except (HttpError, OSError) as error:
            raise NoNetwork(str(error))
        return reply.status, reply.body

    return post


class Messenger:
    """Seals, sends, opens. `post`: `await post(body) -> (HTTP status, body)`, raising NoNetwork.

    `boot_count` must never have been used before under these keys: it makes the replay counter.
    `salt` is 4 random bytes of this boot: should a boot count come again after all, nonces do not.

    Where the server takes datagrams (`coap_port`, 0: it does not; `client`, `random`: set beside
    it), what fits is asked by one first, and by `post` when no answer came: under a new counter, as
    each is taken once. `misses`: how often in a row that was in vain though `post` was answered, 1
    while nobody knows; from 2 on datagrams rest, longer each time. `address`: the server's, ""
    until it is asked for.
    """

    def __init__(
        self, keys: cose.Keys, terminal_id: bytes, boot_count: int, post: "Post", salt: bytes
    ) -> None:
        self._keys = keys
        self._terminal_id = terminal_id
        self._boot_count = boot_count
        self._salt = salt
        self._sent = 0
        # Up to where the server has the journal, as it said last: one that was put back from a
        # back-up has less than it once acknowledged.
        self.told = 0xFFFFFFFF
        self.on_newest: Callable[[bytes], None] | None = None  # the tag of the newest timestamp
        self.post = post  # a technician's cable takes its place for a while
        self.client: HttpClient | None = None
        self.random: Callable[[int], bytes] = bytes
        self.coap_port = 0
        self.address = ""
        self.misses = 1
        self._rests_until_ms = ticks_ms()

    async def exchange(self, kind: int, fields: "Content") -> "Content":
        """Send `{0: kind, ...fields}`; return the reply's map.

        Raises:
            NoNetwork, BadReply, ServerRefused: see there.
        """
        content = dict(fields)
        content[_KIND] = kind
        plain = cbor.dumps(content)
        fits = self.coap_port and kind != STOCK and len(plain) <= _COAP_PLAIN_BYTES
        body = None
        if fits and ticks_diff(ticks_ms(), self._rests_until_ms) >= 0:
            body = await self._by_datagram(plain)
            if body is None:
                body = await self._by_post(plain)
                self._missed()
        else:
            body = await self._by_post(plain)
        try:
            reply = cbor.loads(body)
        except ValueError as error:
            raise BadReply(str(error))
        if not isinstance(reply, dict):
            raise BadReply("not a map")
        if reply.get(_KIND) == _KIND_ERROR:
            code, text = reply.get(_ERROR_REPLY_CODE), reply.get(_ERROR_REPLY_TEXT)
            raise ServerRefused(str(code), str(text))
        if reply.get(_KIND) != kind:
            raise BadReply("an answer to another question")
        newest = reply.get(_NEWEST)
        if self.on_newest and isinstance(newest, bytes) and len(newest) == _TAG_BYTES:
            self.on_newest(newest)
        return reply

    def seal(self, plain: bytes) -> tuple[int, bytes]:
        """(counter, sealed message) of `plain`, under a counter of its own."""
        self._sent += 1
        counter = cose.message_counter(self._boot_count, self._sent)
        return counter, cose.seal_request(
            self._keys.up, self._terminal_id, self._salt, counter, plain
        )

    def open(self, counter: int, body: bytes) -> bytes | None:
        """What a reply to the message with that counter says; None if it is not the server's."""
        try:
            return cose.open_reply(self._keys.down, self._salt, counter, body)
        except ValueError:
            return None

    async def _by_post(self, plain: bytes) -> bytes:
        counter, sealed = self.seal(plain)
        status, body = await self.post(sealed)
        if status == 503:
            raise NoNetwork("the server is busy")
        if status != 200:
            raise BadReply("HTTP status %d" % status)
        opened = self.open(counter, body)
        if opened is None:
            raise BadReply("the seal does not open")
        return opened

    async def _by_datagram(self, plain: bytes) -> bytes | None:
        try:
            module = lent.load(_DATAGRAM, ("firmware.net.coap",))
            answer: bytes | None = await module.by_datagram(self, plain)
            return answer
        except MemoryError:
            return None
        finally:
            lent.give_back((_DATAGRAM, "firmware.net.coap"))

    def _missed(self) -> None:
        """Datagrams do not pass, and something else does: they rest, after two in a row."""
        self.misses += 1
        if self.misses > 1:
            doublings = min(self.misses - 2, _DOUBLINGS)
            self._rests_until_ms = ticks_add(ticks_ms(), _REST_MS << doublings)


def field(
    reply: "Content", key: int, kind: "type[T]", low: int | None = None, high: int | None = None
) -> "T":
    """A field of a reply; `low` and `high` bound an integer or a length.

    Raises:
        BadReply: missing, mistyped or out of bounds.
    """
    value = reply.get(key)
    wrong = fault(value, kind, low, high)
    if wrong:
        raise BadReply("field %d is %s" % (key, wrong))
    return value  # type: ignore[return-value]  # `fault` has looked
