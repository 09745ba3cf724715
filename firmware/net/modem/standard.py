"""What every modem does alike: SIM, registration and signal as 3GPP TS 27.007 has them.

A dialect makes the one `Cell` over its chat. The figures of +CME ERROR: 27.007, section 9.2.
"""

from bootloader.shared.compat import sleep_ms, ticks_add, ticks_diff, ticks_ms
from firmware.net.modem.chat import OK, ChatAborted, ChatError, is_ascii
from firmware.net.modem.errors import NoCoverage, NoSim, RegistrationDenied, SimLocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.chat import Chat


class Cell:
    """`registered`: the network has the terminal; `signal`: 0 to 31, 99 unknown.

    The `_ms` attributes are how long each stage may take; a test or a board may shorten them.
    """

    def __init__(self, chat: "Chat") -> None:
        self.chat = chat
        self.registered = False
        self.signal = 99
        self._registration = b""
        self.answer_ms = 300
        self.sim_ms = 6000
        self.registration_ms = 60000
        self.search_again_ms = 20000
        self._search_ms = 0
        self.denied_ms = 5000
        self.step_ms = 1000

    def on_registration(self, line: bytes) -> None:
        """A line that begins with +CREG:, asked for or not."""
        # "+CREG: 1" comes unasked, "+CREG: 1,5" is a reply: the state is the last figure of either.
        state = line[line.rfind(b"," if b"," in line else b" ") + 1 :]
        self._registration = state
        self.registered = state in (b"1", b"5")

    async def answers(self, timeout_ms: int) -> bool:
        """Whether the modem answers within `timeout_ms`, and one question more."""
        deadline = ticks_add(ticks_ms(), timeout_ms)
        while True:
            try:
                await self.chat.command(b"AT", OK, self.answer_ms)
                return True
            except ChatError:
                if ticks_diff(deadline, ticks_ms()) <= 0:
                    return False

    async def settle(self) -> None:
        """No echo, errors by number, news of registration. Raises ChatError."""
        await self.chat.script(
            ((b"ATE0", OK, 1000), (b"AT+CMEE=1", OK, 1000), (b"AT+CREG=1", OK, 1000))
        )

    async def radio_cycle(self) -> None:
        """Radio off and on, if it answers. Raises ChatError."""
        self.registered = False
        if await self.answers(self.answer_ms):
            await self.chat.command(b"AT+CFUN=0", OK, 10000)
            await sleep_ms(self.step_ms)
            await self.chat.command(b"AT+CFUN=1", OK, 10000)

    async def check_sim(self) -> None:
        """Wait until the card is ready. Raises NoSim, SimLocked, ChatError."""
        deadline = ticks_add(ticks_ms(), self.sim_ms)
        while True:
            try:
                found = await self.chat.lines(b"AT+CPIN?", 5000, b"+CPIN:")
                said = found[0][6:].strip() if found else b""
                if said == b"READY":
                    return
                if said.startswith((b"SIM P", b"PH")):
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

    async def register(self) -> None:
        """Wait until a network has us; after a search in vain not as long again. Raises
        RegistrationDenied, NoCoverage, ChatError.
        """
        start = ticks_ms()
        search_ms = self._search_ms or self.registration_ms
        denied_since = None
        while True:
            self._registration = b""
            await self.chat.lines(b"AT+CREG?", 5000, b"+CREG:")
            if self.registered:
                break
            now = ticks_ms()
            if self._registration != b"3":
                denied_since = None
            elif denied_since is None:
                denied_since = now
            if denied_since is not None and ticks_diff(now, denied_since) >= self.denied_ms:
                raise RegistrationDenied()
            if ticks_diff(now, start) >= search_ms:
                self._search_ms = min(self.search_again_ms, search_ms)
                raise NoCoverage()
            # the longer nothing comes, the less often it is worth a wake-up
            await sleep_ms(min(self.step_ms + ticks_diff(now, start) // 8, 5 * self.step_ms))
        self._search_ms = 0
        await self._read_signal()

    async def attach(self) -> None:
        """Packet service on, if it is not. Raises ChatError."""
        found = await self.chat.lines(b"AT+CGATT?", 10000, b"+CGATT:")
        if b"+CGATT: 1" not in found:
            await self.chat.command(b"AT+CGATT=1", OK, 75000)

    async def refresh(self, with_signal: bool = True) -> None:
        """Read `registered` and `signal` again. Raises ChatError, also if the modem has started
        anew since `settle`: it does not always say so, but it has forgotten that it is to tell.
        """
        for line in await self.chat.lines(b"AT+CREG?", 5000, b"+CREG:"):
            if line.startswith(b"+CREG: 0,"):
                raise ChatError("it has restarted")
        if with_signal:
            await self._read_signal()

    async def _read_signal(self) -> None:
        found = await self.chat.lines(b"AT+CSQ", 2000, b"+CSQ:")
        figure = found[0][5:].split(b",")[0].strip() if found else b""
        self.signal = int(figure) if is_digits(figure) and len(figure) < 3 else 99


def is_digits(data: bytes) -> bool:
    """True for one or more ASCII digits (`int()` would take signs, blanks and underscores)."""
    return len(data) > 0 and all(48 <= byte <= 57 for byte in data)
