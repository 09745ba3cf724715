"""The SIM800 dialect: power, GPRS, one TCP connection. What all modems do alike: `standard`.

`firmware.terminal` makes the one `Modem`; `net.http_client` moves bytes through it while holding
its `lock`. Source: SIM800 Series AT Command Manual 1.12, SIM800 Series TCPIP Application Note 1.05,
SIM800 Hardware Design (PWRKEY).
"""

from bootloader.shared.compat import const, sleep_ms, ticks_diff, ticks_ms
from firmware.net.modem.chat import ERRORS, OK, Chat, ChatAborted, ChatError, ChatTimeout
from firmware.net.modem.errors import LinkError, LinkTimeout, ModemError, NoData, NoModem
from firmware.net.modem.ladder import Ladder
from firmware.net.modem.standard import Cell, is_digits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.board import Pin, Uart

RECEIVE_BYTES = const(512)
_SEND_BYTES = const(1024)
_CONNECT_MS = const(25000)
_LOST = ERRORS + (b"CLOSED", b"+PDP: DEACT", b"SEND FAIL", b"CONNECT FAIL", b"RDY")


class Modem(Ladder):
    """A SIM800 on `uart`; `power_key` is a pin, low for a second toggles its power; `log(text)`.

    `cell` is what SIM and network say. The `_ms` attributes are how long each stage may take; a
    test or a board may shorten them.
    """

    def __init__(self, uart: "Uart", power_key: "Pin", log: "Callable[[str], object]") -> None:
        super().__init__(log)
        self._power_key = power_key
        self.key_ms = 1200
        self.boot_ms = 8000
        self._host: str | None = None
        self._data_waiting = False
        self._rings = False
        self._scratch = bytearray(RECEIVE_BYTES)
        self.chat = Chat(uart)
        self.cell = Cell(self.chat)
        self.chat.unsolicited = (
            (b"CLOSED", self._on_closed),
            (b"+PDP: DEACT", self._on_lost),
            (b"+CIPRXGET: 1", self._on_data),
            (b"+CREG:", self.cell.on_registration),
            (b"RING", self._on_ring),
            (b"+CPIN: NOT INSERTED", self._on_lost),
            (b"+CPIN: NOT READY", self._on_lost),
            (b"RDY", self._on_lost),
            (b"NORMAL POWER DOWN", self._on_lost),
            (b"UNDER-VOLTAGE POWER DOWN", self._on_lost),
        )

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

    def _on_lost(self, line: bytes) -> None:
        if self.attached:
            self.log("modem: " + str(line, "ascii"))
        self.connected = self.attached = False

    # Power, data service

    def poll(self) -> None:
        """Take note of what the modem said unasked. Only while nobody else talks to it (hold
        `lock`).
        """
        self.chat.poll()

    async def _press_power_key(self) -> None:
        self._power_key.value(0)
        try:
            await sleep_ms(self.key_ms)
        finally:
            self._power_key.value(1)

    async def _wake(self) -> None:
        """Answering, echo off. The key toggles, so a modem that hung is off after the first
        press.
        """
        cell = self.cell
        if not await cell.answers(cell.answer_ms):
            # A CPU that was reset in the middle of a send left the modem waiting for data, and it
            # takes everything for that: fill it up. Whoever gets the filling finds a broken seal.
            await self.chat.write(b"\r" * _SEND_BYTES)
            if not await cell.answers(cell.answer_ms):
                for _ in range(2):
                    await self._press_power_key()
                    if await cell.answers(self.boot_ms):
                        break
                else:
                    raise NoModem()
        await cell.settle()
        try:
            # Who rings this card takes its data away for as long as it rings.
            await self.chat.command(b"AT+GSMBUSY=1")
        except ChatAborted:
            pass  # a part that does not know it is hung up on (`_hang_up`)

    async def _hang_up(self) -> None:
        """End a call that came all the same. Raises ChatError."""
        if self._rings:
            self._rings = False
            try:
                await self.chat.command(b"ATH", OK, 5000)
            except ChatAborted:
                pass

    async def radio_cycle(self) -> None:
        """Radio off and on. Raises ChatError."""
        await self.cell.radio_cycle()

    async def power_cycle(self) -> None:
        """Power off, if it answers; `bring_up` switches it on. Raises ChatError."""
        cell = self.cell
        cell.registered = False
        if await cell.answers(cell.answer_ms):
            try:
                await self.chat.command(b"AT+CPOWD=1", (b"NORMAL POWER DOWN",), 5000)
            except ChatError:
                await self._press_power_key()
            await sleep_ms(cell.step_ms)

    async def bring_up(self, apn: str, login: tuple[str, str] = ("", "")) -> None:
        """From any state to data service. Raises ModemError or ChatError."""
        names = '"%s","%s","%s"' % ((apn,) + login) if login[0] else '"%s"' % apn
        if names.count('"') != (6 if login[0] else 2) or "\r" in names or len(names) > 150:
            raise NoData("access point")
        await self._wake()
        await self.cell.check_sim()
        await self.cell.register()
        try:
            await self.cell.attach()
            await self.chat.script(
                (
                    (b"AT+CIPSHUT", (b"SHUT OK",), 65000),
                    (b"AT+CIPMUX=0", OK, 2000),
                    (b"AT+CIPQSEND=1", OK, 2000),
                    (b"AT+CIPRXGET=1", OK, 2000),
                    (b"AT+CSTT=" + names.encode(), OK, 2000),
                    (b"AT+CIICR", OK, 85000),
                )
            )
            await self.chat.command(b"AT+CIFSR", (b"",), 5000)
        except ChatAborted as error:
            raise NoData(str(error))
        self.connected = False
        self.attached = True

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

    async def open(self, host: str, port: int) -> None:
        """Connect; whatever was open before is closed.

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
        request = b'AT+CIPSTART="TCP","' + name + b'",%d' % port
        self._data_waiting = False
        self._host = host
        try:
            await self.chat.command(request, OK, 5000, _LOST)
            self.chat.in_step = False
            await self.chat.wait((b"CONNECT OK", b"ALREADY CONNECT"), _CONNECT_MS, _LOST)
            self.chat.in_step = True
        except ChatError as error:
            if isinstance(error, ChatTimeout):
                self._on_lost(b"no connection")  # the next `connect` makes the bearer anew
            raise LinkError(str(error))
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
            part = view[:_SEND_BYTES]
            self.chat.poll()
            if not self.connected:
                raise LinkError("closed")
            try:
                await self.chat.command(b"AT+CIPSEND=%d" % len(part), (b">",), 5000, _LOST)
                self.chat.in_step = False
                await self.chat.write(part)
                await self.chat.wait((b"DATA ACCEPT:",), 10000, _LOST)
                self.chat.in_step = True
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
            header = await self.chat.command(
                b"AT+CIPRXGET=2,%d" % wanted, (b"+CIPRXGET: 2,",), 5000
            )
            self.chat.in_step = False
            figures = header[13:].split(b",")
            if len(figures) != 2 or not is_digits(figures[0]) or int(figures[0]) > wanted:
                raise ChatError("receive: " + repr(header))
            size = int(figures[0])
            self._data_waiting = figures[1] != b"0"
            await self.chat.read_raw(memoryview(self._scratch)[:size], 5000)
            await self.chat.wait(OK, 2000)
            self.chat.in_step = True
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
            await self.chat.command(b"AT+CIPCLOSE=1", (b"CLOSE OK",), 5000)
        except ChatTimeout:
            self._on_lost(b"silent")
        except ChatError:
            pass
        self.connected = False
