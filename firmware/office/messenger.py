"""One sealed question to the server, one sealed answer; the other files of this room ask so.

Format and keys: docs/formats/messages.md; a key's name is in the file that sends or reads it. What
comes without the seal decides nothing about money.
"""

from bootloader.shared import cbor, cose
from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from bootloader.shared.strict import fault
from firmware import counts, lent
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    from firmware.net.http_client import HttpClient

    Content = dict[int, Any]  # of a message, by the keys that docs/formats/messages.md lists
    Post = Callable[[bytes], Awaitable[tuple[int, bytes]]]
    Road = Callable[[bytes], Awaitable[bytes]]  # content in the clear, to its answer
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
# Of `counts`: what airtime is spent on.
_AIR_SALE = const(1)
_AIR_SYNC = const(2)
_AIR_CHECK_IN = const(3)
_AIR_WASTED = const(7)
_DATAGRAM = ("firmware.net.coap", "firmware.office.datagram")
_REST_MS = const(300000)
_LONGEST = const(4)  # 5 min times 4 to the power of it: 21 h


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

    `client`: whose modem all goes through, None on a technician's cable. Where the server takes
    datagrams (`coap_port`, 0: it does not; `random`: set beside it), what fits is asked by one
    first, and by `post` when no answer came: under a new counter, as each is taken once. `misses`:
    how often in a row that was in vain though `post` was answered; 1 while nobody knows, -1 once
    one has passed; from 2 on datagrams rest, longer each time. `usual_ms`: how long an answer took
    of late.

    `sms_to`: the number on which the office answers short messages, "" where it answers none;
    `texted`: the last questions that went there, each (sequence of the sale, counter);
    `device_key`: what the office's words by short message are sealed under.

    `notice`: the number of the newest notice that is kept, `notice_told`: which the office has
    heard; `notices`: what its last answer told of them, until the duty keeps it; `no_room`: in so
    many messages more it is asked to tell none.
    """

    def __init__(
        self, keys: cose.Keys, terminal_id: bytes, boot_count: int, post: "Post", salt: bytes
    ) -> None:
        self.keys = keys
        self.terminal_id = terminal_id
        self._boot_count = boot_count
        self.salt = salt
        self._sent = 0
        # Up to where the server has the journal, as it said last: one that was put back from a
        # back-up has less than it once acknowledged.
        self.told = 0xFFFFFFFF
        self.on_newest: Callable[[bytes], None] | None = None  # the tag of the newest timestamp
        self.post = post  # a technician's cable takes its place for a while
        self.client: HttpClient | None = None
        self.random: Callable[[int], bytes] = bytes
        self.coap_port = 0
        self.usual_ms = 0
        self.misses = 1
        self.sms_to = ""
        self.device_key = b""
        self.notice = 0
        self.notice_told = -1
        self.notices: Any = None
        self.no_room = 0
        self.texted: tuple[tuple[int, int], ...] = ()
        self._rests_until_ms = ticks_ms()

    async def exchange(self, kind: int, fields: "Content", road: "Road | None" = None) -> "Content":
        """Send `{0: kind, ...fields}`; return the reply's map. `road`: the only one to take.

        Raises:
            NoNetwork, BadReply, ServerRefused: see there.
        """
        content = dict(fields)
        content[_KIND] = kind
        plain = cbor.dumps(content)
        answer: bytes | None = None
        purpose = _AIR_WASTED
        fits = self.client and self.coap_port and kind != STOCK and len(plain) <= _COAP_PLAIN_BYTES
        is_first = fits and not road and ticks_diff(ticks_ms(), self._rests_until_ms) >= 0
        if is_first:
            await self._turn()
            try:
                answer = await lent.load(_DATAGRAM[1], _DATAGRAM[:1]).by_datagram(self, plain)
            except MemoryError:
                pass
            finally:
                lent.give_back(_DATAGRAM)
        try:
            if road:
                answer = await road(plain)
            elif answer is None:
                counts.spent(_AIR_WASTED)
                answer = await self._by_post(plain)
                if is_first:  # datagrams do not pass, and something else does
                    self.misses += 1
                    rest_ms = _REST_MS << 2 * max(0, min(self.misses - 2, _LONGEST))
                    if self.misses > 1:
                        self._rests_until_ms = ticks_add(ticks_ms(), rest_ms)
            reply = cbor.loads(answer)
            purpose = _AIR_SALE if kind in (SALE, LOOK_UP) else _AIR_SYNC
            if kind == CHECK_IN:
                purpose = _AIR_CHECK_IN
        except ValueError as error:
            if self.client:
                self.client.address = ""  # who is there now may be somebody else
            raise BadReply(str(error))
        finally:
            counts.spent(purpose)
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
        return counter, cose.seal_request(self.keys.up, self.terminal_id, self.salt, counter, plain)

    async def _turn(self) -> None:
        """Wait for the modem before a counter is taken, as the server takes them in order alone.
        Raises NoNetwork.
        """
        if self.client:
            modem: Any = self.client.transport
            try:
                await modem.turn()
            except ModemError as error:
                raise NoNetwork(str(error))

    async def _by_post(self, plain: bytes) -> bytes:
        await self._turn()
        counter, sealed = self.seal(plain)
        status, body = await self.post(sealed)
        if status == 503:
            raise NoNetwork("the server is busy")
        if status != 200:
            raise BadReply("HTTP status %d" % status)
        return cose.open_reply(self.keys.down, self.salt, counter, body)


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
