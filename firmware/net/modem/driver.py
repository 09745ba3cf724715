"""The driver: one TCP connection, or one socket for datagrams, in the words of the part that is
there (`sim800`, `m95`). Power and data service: `start`; what all modems say of their network:
`standard`.

`firmware.terminal` makes the one `Modem`; `net.http_client` moves bytes through it while holding
its `lock`. Source: SIM800 Series AT Command Manual 1.12, M95 AT Commands Manual 3.2.
"""

from bootloader.shared.compat import const, sleep_ms, ticks_diff, ticks_ms
from firmware import counts
from firmware.net.modem.chat import ERRORS, OK, RESTARTED, Chat, ChatAborted, ChatError, ChatTimeout
from firmware.net.modem.errors import LinkError, LinkTimeout, ModemError
from firmware.net.modem.ladder import Ladder
from firmware.net.modem.standard import Cell, is_digits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bootloader.shared.board import Pin, Uart

RECEIVE_BYTES = const(512)
SEND_BYTES = const(1024)
_CONNECT_MS = const(25000)
_CONNECTS_TRIED = const(10)
_CONNECTS_FAILED = const(11)
_CONNECT = const(32)
# On the air besides the payload (docs/formats/metrics.md): a connection's beginning and end, four
# segments or five; of what is sent, its own header, an acknowledgement, and the answer's first; of
# what comes, each further segment's. The same of a datagram and its answer. A name and its address.
_CONNECTION_BYTES = const(180)
_SEGMENT_BYTES = const(120)
_DATAGRAM_BYTES = const(56)
_NAME_BYTES = const(108)
_PAYLOAD_A_HEADER_BYTE = const(23)
_LOST = ERRORS + (b"CLOSED", b"+PDP: DEACT", b"+PDP DEACT", b"SEND FAIL", b"CONNECT FAIL", b"RDY")
# Of `words`, as a dialect has them.
_OPEN = const(0)
_SEND = const(1)
_TAKEN = const(2)
_TAKE = const(3)
_HEAD = const(4)
_SIZE = const(5)
_CLOSE = const(6)


class Modem(Ladder):
    """A modem on `uart`; `power_key` is a pin, low for a second toggles its power; `log(text)`.

    `cell` is what SIM and network say; `part` is the module of the dialect that it speaks, `words`
    those of it that are needed at all times, from when it was first asked. The `_ms` attributes are
    how long each stage may take; a test or a board may shorten them.
    """

    starter = "firmware.net.modem.start"
    names = "firmware.net.modem.names"
    part = "firmware.net.modem.sim800"
    words: "tuple[Any, ...]" = ()

    def __init__(self, uart: "Uart", power_key: "Pin", log: "Callable[[str], object]") -> None:
        super().__init__(log)
        self.power_key = power_key
        self.key_ms = 1200
        self.boot_ms = 8000
        self._host: str | None = None
        self._data_waiting = False
        self._rings = False
        self.sms_waiting = True  # nobody knows what lies on the card
        self._head_bytes = 0
        self._scratch = bytearray(RECEIVE_BYTES)
        self.chat = Chat(uart)
        self.cell = Cell(self.chat)
        self.chat.unsolicited = (
            (b"CLOSED", self._on_closed),
            (b"+PDP: DEACT", self._on_lost),
            (b"+PDP DEACT", self._on_lost),
            (b"+CIPRXGET: 1", self._on_data),
            (b"+QIRDI:", self._on_data),
            (b"+CREG:", self.cell.on_registration),
            (b"RING", self._on_ring),
            (b"+CMTI:", self._on_sms),
            (b"+CPIN: NOT INSERTED", self._on_lost),
            (b"+CPIN: NOT READY", self._on_lost),
        ) + tuple([(word, self._on_lost) for word in RESTARTED])

    @property
    def registered(self) -> bool:
        """Whether a network has the terminal, as it was last heard."""
        return self.cell.registered

    @property
    def signal(self) -> int:
        """0 to 31 as it was last read, 99 if it is not known."""
        return self.cell.signal

    # What the modem says unasked

    def _on_closed(self, line: bytes) -> None:
        self.connected = False

    def _on_data(self, line: bytes) -> None:
        self._data_waiting = True

    def _on_ring(self, line: bytes) -> None:
        self._rings = True

    def _on_sms(self, line: bytes) -> None:
        self.sms_waiting = True

    def _on_lost(self, line: bytes) -> None:
        if self.attached:
            self.log("modem: " + str(line, "ascii"))
        self.is_lost()

    def poll(self) -> None:
        """Take note of what the modem said unasked. Only while nobody else talks to it (hold
        `lock`).
        """
        self.chat.poll()

    async def _hang_up(self) -> None:
        """End a call that came all the same. Raises ChatError."""
        if self._rings:
            self._rings = False
            try:
                await self.chat.command(b"ATH", OK, 5000)
            except ChatAborted:
                pass

    async def refresh(self, with_signal: bool = True) -> None:
        """Read `registered` and `signal` again. Takes the lock.

        Raises:
            ModemError: the modem does not answer, or has restarted; `attached` is False then.
        """
        async with self.lock:
            try:
                await self._hang_up()
                await self.cell.refresh(with_signal)
            except ChatError as error:
                self._on_lost(str(error).encode())
                raise ModemError(str(error))

    # One TCP connection. The caller holds `lock`.

    async def open(self, host: str, port: int, kind: bytes = b"TCP") -> None:
        """Connect; whatever was open before is closed. With `kind` UDP, `send` sends one datagram
        and `receive` gives what came of one, or of several that came together.

        Raises:
            LinkError: refused, no answer, or no data service.
        """
        self.chat.poll()
        if not self.attached:
            raise LinkError("no data service")
        if self._host is not None:
            await self.close()
        name = host.encode()
        if b'"' in name or b"\r" in name or len(name) > 100:
            raise LinkError("host name")
        request = self.words[_OPEN] + b'"' + kind + b'","' + name + b'",%d' % port
        self._data_waiting = False
        self._host = host
        began = ticks_ms()
        self._head_bytes = _DATAGRAM_BYTES
        if kind == b"TCP":
            counts.add(_CONNECTS_TRIED)
            self._head_bytes = _SEGMENT_BYTES
            counts.air(_CONNECTION_BYTES)
        if not is_digits(name[-1:]):
            counts.air(_NAME_BYTES + 2 * len(name))
        try:
            await self.chat.command(request, OK, 5000, _LOST)
            self.chat.in_step = False
            await self.chat.wait((b"CONNECT OK", b"ALREADY CONNECT"), _CONNECT_MS, _LOST)
            self.chat.in_step = True
        except ChatError as error:
            if kind == b"TCP":
                counts.add(_CONNECTS_FAILED)
            if isinstance(error, ChatTimeout):
                self._on_lost(b"no connection")  # the next `connect` makes the bearer anew
            raise LinkError(str(error))
        if kind == b"TCP":
            counts.took(_CONNECT, ticks_diff(ticks_ms(), began))
        self.connected = True

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """All of `data`, taken by the modem: whether it arrives shows only by an answer. (A modem
        that waits for the far end's acknowledgement answers nothing else meanwhile, on a connection
        that is half open for minutes.)

        Raises:
            LinkError: lost on the way; any part may have arrived.
        """
        view = memoryview(data)
        while len(view):
            part = view[:SEND_BYTES]
            self.chat.poll()
            if not self.connected:
                raise LinkError("closed")
            try:
                await self.chat.command(self.words[_SEND] % len(part), (b">",), 5000, _LOST)
                self.chat.in_step = False
                await self.chat.write(part)
                await self.chat.wait((self.words[_TAKEN],), 10000, _LOST)
                self.chat.in_step = True
                counts.air(len(part) + self._head_bytes)
            except ChatError as error:
                self._broken(error)
                raise LinkError(str(error))
            view = view[len(part) :]

    def _broken(self, error: ChatError) -> None:
        self.connected = False
        if isinstance(error, ChatTimeout):
            self._on_lost(b"silent")

    async def receive(self, max_bytes: int, timeout_ms: int) -> memoryview | bytes:
        """What has arrived: a view of 1 to min(max_bytes, RECEIVE_BYTES) bytes, valid until the
        next call; empty at the end.

        The modem holds the rest back and, through TCP, the sender too: nothing overruns the UART.

        Raises:
            LinkTimeout: nothing came in `timeout_ms`.
            LinkError: the modem failed.
        """
        start = asked = ticks_ms()
        wanted = min(max_bytes, RECEIVE_BYTES)
        first = True
        while True:
            self.chat.poll()
            if self._rings:
                try:
                    await self._hang_up()
                except ChatError as error:
                    self._broken(error)
                    raise LinkError(str(error))
            open_still = self.connected
            # Asked at once, on each notice, and once a second in case a notice was lost.
            if (
                first
                or self._data_waiting
                or not open_still
                or ticks_diff(ticks_ms(), asked) > 1000
            ):
                first = False
                asked = ticks_ms()
                size = await self._take(wanted, open_still)
                if size:
                    return memoryview(self._scratch)[:size]
                if not open_still:
                    return b""
            if ticks_diff(ticks_ms(), start) >= timeout_ms:
                raise LinkTimeout()
            await sleep_ms(10)

    async def _take(self, wanted: int, open_still: bool) -> int:
        try:
            words = self.words
            head = words[_HEAD]
            header = await self.chat.command(words[_TAKE] % wanted, (head, b"OK"), 5000)
            if header == b"OK":
                self._data_waiting = False
                return 0
            self.chat.in_step = False
            figures = header[len(head) :].split(b",")
            at = words[_SIZE]
            figure = figures[at] if len(figures) == max(2, at + 1) else b""
            if not is_digits(figure) or int(figure) > wanted:
                raise ChatError("receive: " + repr(header))
            size = int(figure)
            # where a part does not say what is left, nobody knows
            self._data_waiting = figures[1] != b"0"
            await self.chat.read_raw(memoryview(self._scratch)[:size], 5000)
            await self.chat.wait(OK, 2000)
            self.chat.in_step = True
            counts.air(size + size // _PAYLOAD_A_HEADER_BYTE)
            return size
        except ChatAborted:
            if open_still:
                self.connected = False
            return 0  # nothing is kept for a connection that is gone
        except ChatError as error:
            self._broken(error)
            raise LinkError(str(error))

    async def close(self) -> None:
        """Close the connection, if any. Never raises."""
        if self._host is None:
            return
        self._host = None
        try:
            self.chat.poll()
            await self.chat.command(self.words[_CLOSE], (b"CLOSE OK",), 5000)
        except ChatTimeout:
            self._on_lost(b"silent")
        except ChatError:
            pass
        self.connected = False
