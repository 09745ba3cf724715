"""What every modem says alike of its network: registration and signal as 3GPP TS 27.007 has them.

A dialect makes the one `Cell` over its chat; how a network is joined: `joining`.
"""

from bootloader.shared.compat import ticks_add, ticks_diff, ticks_ms
from firmware.net.modem.chat import OK, ChatError

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
        self.registration = b""
        self.answer_ms = 300
        self.sim_ms = 6000
        self.registration_ms = 60000
        self.search_again_ms = 20000
        self.search_ms = 0
        self.denied_ms = 5000
        self.step_ms = 1000

    def on_registration(self, line: bytes) -> None:
        """A line that begins with +CREG:, asked for or not."""
        # "+CREG: 1" comes unasked, "+CREG: 1,5" is a reply: the state is the last figure of either.
        # With the cell behind it, in quotes, while `figures` asks for that.
        if b',"' in line:
            line = line[: line.find(b',"')]
        state = line[line.rfind(b"," if b"," in line else b" ") + 1 :]
        self.registration = state
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

    async def refresh(self, with_signal: bool = True) -> None:
        """Read `registered` and `signal` again. Raises ChatError, also if the modem has started
        anew since `settle`: it does not always say so, but it has forgotten that it is to tell.
        """
        for line in await self.chat.lines(b"AT+CREG?", 5000, b"+CREG:"):
            if line.startswith(b"+CREG: 0,"):
                raise ChatError("it has restarted")
        if with_signal:
            await self.read_signal()

    async def read_signal(self) -> None:
        """Read `signal` anew. Raises ChatError."""
        found = await self.chat.lines(b"AT+CSQ", 2000, b"+CSQ:")
        figure = found[0][5:].split(b",")[0].strip() if found else b""
        self.signal = int(figure) if is_digits(figure) and len(figure) < 3 else 99


def is_digits(data: bytes) -> bool:
    """True for one or more ASCII digits (`int()` would take signs, blanks and underscores)."""
    return len(data) > 0 and all(48 <= byte <= 57 for byte in data)
