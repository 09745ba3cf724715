"""One sealed question to the server, one sealed answer; the other files of this room ask so.

Format and keys: docs/formats/messages.md; a key's name is in the file that sends or reads it. What
comes without the seal decides nothing about money.
"""

from bootloader.shared import cbor, cose
from bootloader.shared.compat import const
from bootloader.shared.strict import fault

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
FLOAT_MINOR = const(1 << 40)
UINT32 = const(0xFFFFFFFF)


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

    async def exchange(self, kind: int, fields: "Content") -> "Content":
        """Send `{0: kind, ...fields}`; return the reply's map.

        Raises:
            NoNetwork, BadReply, ServerRefused: see there.
        """
        self._sent += 1
        counter = cose.message_counter(self._boot_count, self._sent)
        content = dict(fields)
        content[_KIND] = kind
        status, body = await self.post(
            cose.seal_request(
                self._keys.up, self._terminal_id, self._salt, counter, cbor.dumps(content)
            )
        )
        if status == 503:
            raise NoNetwork("the server is busy")
        if status != 200:
            raise BadReply("HTTP status %d" % status)
        try:
            reply = cbor.loads(cose.open_reply(self._keys.down, self._salt, counter, body))
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
