"""The SIM800 dialect: power, SIM, registration, GPRS, one TCP connection, network time.

`firmware.main` makes the one `Modem`; `firmware.http` moves bytes through it while holding its
`lock`. Source: SIM800 Series AT Command Manual 1.12, SIM800 Series TCPIP Application Note 1.05,
SIM800 Hardware Design (PWRKEY).
"""

from bootloader.shared.compat import const, sleep_ms, ticks_add, ticks_diff, ticks_ms

from .chat import ERRORS, OK, Chat, ChatAborted, ChatError, ChatTimeout, is_ascii
from .ladder import (
    Ladder,
    LinkError,
    LinkTimeout,
    ModemError,
    NoCoverage,
    NoData,
    NoModem,
    NoSim,
    RegistrationDenied,
    SimLocked,
)

RECEIVE_BYTES = const(512)
_SEND_BYTES = const(1024)
_LOST = ERRORS + (b"CLOSED", b"+PDP: DEACT", b"SEND FAIL", b"CONNECT FAIL", b"RDY")


class Modem(Ladder):
    """A SIM800 on `uart`; `power_key` is a pin, low for a second toggles its power; `log(text)`.

    The `_ms` attributes are how long each stage may take; a test or a board may shorten them.
    """

    def __init__(self, uart, power_key, log):
        super().__init__(log)
        self._power_key = power_key
        self.answer_ms = 300
        self.key_ms = 1200
        self.boot_ms = 8000
        self.sim_ms = 6000
        self.registration_ms = 60000
        self.denied_ms = 5000
        self.step_ms = 1000
        self._host = None
        self._data_waiting = False
        self._open_failures = 0
        self._scratch = bytearray(RECEIVE_BYTES)
        self.chat = Chat(
            uart,
            (
                (b"CLOSED", self._on_closed),
                (b"+PDP: DEACT", self._on_lost),
                (b"+CIPRXGET: 1", self._on_data),
                (b"+CREG:", self._on_registration),
                (b"+CPIN: NOT INSERTED", self._on_lost),
                (b"+CPIN: NOT READY", self._on_lost),
                (b"RDY", self._on_lost),
                (b"NORMAL POWER DOWN", self._on_lost),
                (b"UNDER-VOLTAGE POWER DOWN", self._on_lost),
            ),
        )

    # What the modem says unasked

    def _on_closed(self, line):
        self.connected = False

    def _on_data(self, line):
        self._data_waiting = True

    def _on_lost(self, line):
        if self.attached:
            self.log("modem: " + str(line, "ascii"))
            self.state_text = "Reconnecting"
        self.connected = self.attached = False

    def _on_registration(self, line):
        # "+CREG: 1" comes unasked, "+CREG: 1,5" is a reply: the state is the last figure of either.
        state = line[line.rfind(b"," if b"," in line else b" ") + 1 :]
        self._registration = state
        self.registered = state in (b"1", b"5")

    # Power, SIM, network

    def poll(self):
        """Take note of what the modem said unasked. Only while nobody else talks to it (hold
        `lock`).
        """
        self.chat.poll()

    async def _answers(self, timeout_ms):
        deadline = ticks_add(ticks_ms(), timeout_ms)
        while True:
            try:
                await self.chat.command(b"AT", OK, self.answer_ms)
                return True
            except ChatError:
                if ticks_diff(deadline, ticks_ms()) <= 0:
                    return False

    async def _press_power_key(self):
        self._power_key.value(0)
        try:
            await sleep_ms(self.key_ms)
        finally:
            self._power_key.value(1)

    async def _wake(self):
        """Answering, echo off. The key toggles, so a modem that hung is off after the first
        press.
        """
        self.state_text = "Starting modem"
        if not await self._answers(self.answer_ms):
            # A CPU that was reset in the middle of a send left the modem waiting for data, and it
            # takes everything for that: fill it up. Whoever gets the filling finds a broken seal.
            await self.chat.write(b"\r" * _SEND_BYTES)
            if not await self._answers(self.answer_ms):
                for _ in range(2):
                    await self._press_power_key()
                    if await self._answers(self.boot_ms):
                        break
                else:
                    raise NoModem()
        await self.chat.script(
            ((b"ATE0", OK, 1000), (b"AT+CMEE=1", OK, 1000), (b"AT+CREG=1", OK, 1000))
        )

    async def radio_cycle(self):
        self.registered = False
        if await self._answers(self.answer_ms):
            await self.chat.command(b"AT+CFUN=0", OK, 10000)
            await sleep_ms(self.step_ms)
            await self.chat.command(b"AT+CFUN=1", OK, 10000)

    async def power_cycle(self):
        self.registered = False
        if await self._answers(self.answer_ms):
            try:
                await self.chat.command(b"AT+CPOWD=1", (b"NORMAL POWER DOWN",), 5000)
            except ChatError:
                await self._press_power_key()
            await sleep_ms(self.step_ms)

    async def _check_sim(self):
        deadline = ticks_add(ticks_ms(), self.sim_ms)
        while True:
            try:
                found = await self.chat.command(b"AT+CPIN?", OK, 5000, b"+CPIN:")
                said = found[0][6:].strip() if found else b""
                if said == b"READY":
                    return
                if said.startswith((b"SIM P", b"PH", b"SIM P")):
                    raise SimLocked(str(said, "ascii") if is_ascii(said) else "")
                if said == b"NOT INSERTED":
                    raise NoSim()
            except ChatAborted as error:
                said = error.line[11:].strip() if error.line.startswith(b"+CME") else b""
                if said in (b"10", b"SIM not inserted"):
                    raise NoSim()
                if said in (b"11", b"12", b"16", b"17", b"18"):
                    raise SimLocked("CME " + str(said, "ascii"))
            # 14 is "busy": the card is still being read.
            if ticks_diff(deadline, ticks_ms()) <= 0:
                raise NoSim("not ready")
            await sleep_ms(self.step_ms // 2)

    async def _register(self):
        start = ticks_ms()
        denied_since = None
        self.state_text = "Searching network"
        while True:
            self._registration = b""
            await self.chat.command(b"AT+CREG?", OK, 5000, b"+CREG:")
            if self.registered:
                break
            now = ticks_ms()
            if self._registration != b"3":
                denied_since = None
            elif denied_since is None:
                denied_since = now
            if denied_since is not None and ticks_diff(now, denied_since) >= self.denied_ms:
                raise RegistrationDenied()
            if ticks_diff(now, start) >= self.registration_ms:
                raise NoCoverage()
            await sleep_ms(self.step_ms)
        await self._read_signal()

    async def _read_signal(self):
        found = await self.chat.command(b"AT+CSQ", OK, 2000, b"+CSQ:")
        figure = found[0][5:].split(b",")[0].strip() if found else b""
        self.signal = int(figure) if is_digits(figure) and len(figure) < 3 else 99

    async def bring_up(self, apn):
        """From any state to data service. Raises ModemError or ChatError."""
        await self._wake()
        await self._check_sim()
        await self._register()
        self.state_text = "Connecting data"
        if '"' in apn or "\r" in apn or len(apn) > 60:
            raise NoData("access point name")
        try:
            found = await self.chat.command(b"AT+CGATT?", OK, 10000, b"+CGATT:")
            if b"+CGATT: 1" not in found:
                await self.chat.command(b"AT+CGATT=1", OK, 75000)
            await self.chat.script(
                (
                    (b"AT+CIPSHUT", (b"SHUT OK",), 65000),
                    (b"AT+CIPMUX=0", OK, 2000),
                    (b"AT+CIPRXGET=1", OK, 2000),
                    (b'AT+CSTT="' + apn.encode() + b'"', OK, 2000),
                    (b"AT+CIICR", OK, 85000),
                )
            )
            address = await self.chat.command(b"AT+CIFSR", (b"",), 5000)
        except ChatAborted as error:
            raise NoData(str(error))
        if address.count(b".") != 3:
            raise NoData("no address")
        self.connected = False
        self.attached = True

    async def refresh(self):
        """Read `signal` and `registered` again. Takes the lock.

        Raises:
            ModemError: the modem does not answer; `attached` is False then.
        """
        async with self.lock:
            try:
                await self.chat.command(b"AT+CREG?", OK, 5000, b"+CREG:")
                await self._read_signal()
            except ChatError as error:
                self._on_lost(b"silent")
                raise ModemError(str(error))

    async def network_time(self):
        """Unix seconds as the network tells, a hint that anyone with a radio can forge; 0 when it
        tells none. Takes the lock.
        """
        async with self.lock:
            try:
                found = await self.chat.command(b"AT+CCLK?", OK, 2000, b"+CCLK:")
            except ChatError:
                return 0
        return parse_clock(found[0]) if found else 0

    # One TCP connection. The caller holds `lock`.

    async def open(self, host, port):
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
            await self.chat.command(request, OK, 5000, None, _LOST)
            self.chat.in_step = False
            await self.chat.wait((b"CONNECT OK", b"ALREADY CONNECT"), 75000, None, _LOST)
            self.chat.in_step = True
        except ChatError as error:
            self._open_failures += 1
            if self._open_failures > 1 or isinstance(error, ChatTimeout):
                self._open_failures = 0
                self._on_lost(b"connections fail")  # the next `connect` makes the bearer anew
            raise LinkError(str(error))
        self._open_failures = 0
        self.connected = True

    async def send(self, data):
        """All of `data`, acknowledged by the far end's TCP.

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
                await self.chat.command(b"AT+CIPSEND=%d" % len(part), (b">",), 5000, None, _LOST)
                self.chat.in_step = False
                await self.chat.write(part)
                await self.chat.wait((b"SEND OK",), 60000, None, _LOST)
                self.chat.in_step = True
            except ChatError as error:
                self._broken(error)
                raise LinkError(str(error))
            view = view[len(part) :]

    def _broken(self, error):
        self.connected = False
        if isinstance(error, ChatTimeout):
            self._on_lost(b"silent")

    async def receive(self, max_bytes, timeout_ms):
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

    async def _take(self, wanted, open_still):
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

    async def close(self):
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


def is_digits(data):
    """True for one or more ASCII digits (`int()` would take signs, blanks and underscores)."""
    return len(data) > 0 and all(48 <= byte <= 57 for byte in data)


def parse_clock(line):
    """Unix seconds of `+CCLK: "yy/MM/dd,hh:mm:ss±zz"` (zz: quarters of an hour); 0 if it is not
    one or is unset.
    """
    text = line[line.find(b'"') + 1 : line.rfind(b'"')]
    if len(text) != 20 or text[17:18] not in (b"+", b"-"):
        return 0
    if text[2:3] + text[5:6] + text[8:9] + text[11:12] + text[14:15] != b"//,::":
        return 0
    figures = []
    for at in (0, 3, 6, 9, 12, 15, 18):
        if not is_digits(text[at : at + 2]):
            return 0
        figures.append(int(text[at : at + 2]))
    year, month, day, hour, minute, second, quarters = figures
    if not (24 <= year < 80 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60):
        return 0  # the clock starts in 2004 and was never set
    # Days since the epoch, counting years from March so that the leap day is the last one.
    y = 2000 + year - (month < 3)
    days = (
        365 * y + y // 4 - y // 100 + y // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469
    )
    zone = quarters * 900
    return days * 86400 + hour * 3600 + minute * 60 + second - (zone if text[17] == 43 else -zone)
