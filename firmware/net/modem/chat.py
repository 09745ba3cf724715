"""AT chat on a UART: requests, response, abort and unsolicited matches, and a deadline on every
wait.

For the modem dialects of this folder only. The vocabulary is that of Zephyr's modem_chat.
A match is bytes: one that ends with b":" or b"," fits every line that begins so, b"" fits an IP
address (the one reply without a name or an OK), b"0" any line that begins with a figure (a number
without a name), any other fits that line alone. b">" is the prompt for data, which no line end
follows.
"""

from bootloader.shared.compat import const, sleep_ms, ticks_add, ticks_diff, ticks_ms
from firmware.bell import Bell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.board import Uart

    Matches = tuple[bytes, ...]
    Step = tuple[bytes | None, Matches, int]
    Unsolicited = tuple[tuple[bytes, Callable[[bytes], None]], ...]

LINE_LIMIT_BYTES = const(200)
_INFO_LIMIT = const(8)
_POLL_MS = const(5)
_FIFO_BYTES = const(1024)  # what may have waited there while nobody looked
_LOOK_MS = const(50)  # a UART that never pauses rings no bell: its buffer of 1 KiB fills in 89 ms

OK = (b"OK",)
ERRORS = (b"ERROR", b"+CME ERROR:", b"+CMS ERROR:")
RESTARTED = (
    b"RDY", b"NORMAL POWER DOWN", b"UNDER-VOLTAGE POWER DOWN", b"UNDER_VOLTAGE POWER DOWN",
)  # fmt: skip
"""What a part says that starts anew, or that its supply switches off."""


class ChatError(Exception):
    """The modem did not do what it was asked to."""


class ChatTimeout(ChatError):
    """No expected line came before the deadline."""


class ChatAborted(ChatError):
    """The modem answered with an abort match, kept in `line` (bytes)."""

    def __init__(self, line: bytes) -> None:
        super().__init__(str(line, "ascii") if is_ascii(line) else "garbled")
        self.line = line


def is_ascii(data: bytes) -> bool:
    """True if every byte is below 0x80: a line of noise must not end in a decoding error."""
    return all(byte < 0x80 for byte in data)


def matches(match: bytes, line: bytes) -> bool:
    """True if `line` fits `match` (see the module's words)."""
    if line == match:
        return True
    if match == b"":
        return line.count(b".") == 3 and all(byte in b".0123456789" for byte in line)
    if match == b"0":
        return line[:1].isdigit()
    return match[-1:] in (b":", b",") and line.startswith(match)


class LineReader:
    """Cuts what arrives into lines, however it was chunked. Pure; holds at most a line and one
    chunk.

    A line over LINE_LIMIT_BYTES is dropped whole and counted in `dropped`.
    """

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.dropped = 0
        self._skipping = False

    def feed(self, data: bytes | memoryview) -> None:
        """Take what arrived."""
        self.buffer.extend(data)

    def take(self, prompt: bool = False) -> bytes | None:
        """The next whole line without its ends, b">" if `prompt` and the prompt is next, or None:
        feed more.
        """
        buffer = self.buffer
        while True:
            if prompt and not self._skipping:
                text = buffer.lstrip(b"\r\n ")
                if text[:1] == b">":
                    self.buffer = bytearray(text[1:])
                    return b">"
            end = buffer.find(b"\n")
            if end < 0:
                if len(buffer) > LINE_LIMIT_BYTES:
                    self.dropped += not self._skipping
                    self._skipping = True
                if self._skipping:
                    buffer[:] = b""
                return None
            line = None
            if self._skipping:
                self._skipping = False
            elif end > LINE_LIMIT_BYTES:
                self.dropped += 1
            else:
                line = bytes(buffer[:end]).strip(b"\r\n \0")
            buffer[: end + 1] = b""
            if line:
                return line

    def take_raw(self, view: memoryview) -> int:
        """Move what is buffered into `view`, as far as it fits; how many bytes that was."""
        size = min(len(view), len(self.buffer))
        if size:
            view[:size] = self.buffer[:size]
            self.buffer[:size] = b""
        return size


class Chat:
    """One conversation. `unsolicited` is a tuple of (match, handler(line)); set it before the first
    command.

    Lines are taken one at a time, so what follows a response in the same chunk stays for the next
    wait. An unsolicited line reaches its handler wherever it comes, also inside a reply, and can be
    an abort or response match as well.
    """

    def __init__(self, uart: "Uart", unsolicited: "Unsolicited" = ()) -> None:
        self._uart = uart
        self._bell = Bell((uart,), "IRQ_RXIDLE", _POLL_MS)
        self.unsolicited = unsolicited
        self._reader = LineReader()
        self._chunk = bytearray(64)
        self.in_step = True  # False while the end of the last step is not known to have been read

    def _fill(self) -> int:
        count = self._uart.any()
        if count:
            count = self._uart.readinto(self._chunk) or 0
            if count:
                self._reader.feed(memoryview(self._chunk)[:count])
        return count

    def _hand_out(self, line: bytes) -> bool:
        for match, handler in self.unsolicited:
            if matches(match, line):
                handler(line)
                return True
        return False

    def poll(self) -> None:
        """Hand out the unsolicited lines that have come; anything else is the late end of an older
        step and is dropped. What a line that babbles brings meanwhile waits for the next look.
        """
        left = _FIFO_BYTES
        while True:
            line = self._reader.take()
            if line:
                self._hand_out(line)
            else:
                count = self._fill()
                left -= count
                if not count or left <= 0:
                    return

    async def quiet(self, silence_ms: int, timeout_ms: int) -> None:
        """Drop what comes until nothing has come for `silence_ms`, at most for `timeout_ms`."""
        start = last = ticks_ms()
        while (
            ticks_diff(ticks_ms(), last) < silence_ms and ticks_diff(ticks_ms(), start) < timeout_ms
        ):
            if self._uart.any():
                last = ticks_ms()
                self.poll()
            await sleep_ms(_POLL_MS)

    async def wait(
        self,
        responses: "Matches" = OK,
        timeout_ms: int = 2000,
        aborts: "Matches" = ERRORS,
        info: bytes = b"",
        found: list[bytes] | None = None,
    ) -> bytes:
        """The line that fits one of `responses`. Those before it that fit `info` (a match) go into
        `found`, if there is one.

        Raises:
            ChatAborted: a line fitted one of `aborts` first.
            ChatTimeout: `timeout_ms` passed.
        """
        deadline = ticks_add(ticks_ms(), timeout_ms)
        prompt = b">" in responses
        late = 0
        while True:
            line = self._reader.take(prompt)
            if line is None:
                count = self._fill()
                left_ms = ticks_diff(deadline, ticks_ms())
                if left_ms <= 0:
                    # What came in time may still wait in the UART; what goes on coming may not.
                    late += count
                    if not count or late > _FIFO_BYTES:
                        raise ChatTimeout("no answer in %d ms" % timeout_ms)
                elif not count:
                    await self._bell.wait(min(left_ms, _LOOK_MS))
                continue
            self._hand_out(line)
            for match in responses:
                if matches(match, line):
                    return line
            for match in aborts:
                if matches(match, line):
                    raise ChatAborted(line)
            if found is not None and matches(info, line) and len(found) < _INFO_LIMIT:
                found.append(line)

    async def command(
        self,
        request: bytes,
        responses: "Matches" = OK,
        timeout_ms: int = 2000,
        aborts: "Matches" = ERRORS,
        info: bytes = b"",
        found: list[bytes] | None = None,
    ) -> bytes:
        """Send `request` (bytes, without line end), then as `wait`."""
        if not self.in_step:
            # The step before was cut (deadline, cancelled caller): its end must not pass for the
            # end of this one.
            await self.quiet(100, 2000)
        self.poll()
        self.in_step = False
        await self.write(request + b"\r")
        try:
            result = await self.wait(responses, timeout_ms, aborts, info, found)
        except ChatAborted:
            self.in_step = True
            raise
        self.in_step = True
        return result

    async def lines(self, request: bytes, timeout_ms: int, info: bytes) -> list[bytes]:
        """What comes between `request` and OK and fits `info` (a match). Raises as `wait`."""
        found: list[bytes] = []
        await self.command(request, OK, timeout_ms, ERRORS, info, found)
        return found

    async def script(self, steps: "tuple[Step, ...]", aborts: "Matches" = ERRORS) -> None:
        """Each of `steps`: (request or None, responses, timeout_ms).

        Raises: as `wait`, at the first step that fails.
        """
        for request, responses, timeout_ms in steps:
            if request is None:
                await self.wait(responses, timeout_ms, aborts)
            else:
                await self.command(request, responses, timeout_ms, aborts)

    async def write(self, data: bytes | memoryview, timeout_ms: int = 10000) -> None:
        """All of `data`, as fast as the UART takes it.

        Raises:
            ChatTimeout: the UART stays full.
        """
        view = memoryview(data)
        deadline = ticks_add(ticks_ms(), timeout_ms)
        while len(view):
            count = self._uart.write(view[:256])
            if count:
                view = view[count:]
            elif ticks_diff(deadline, ticks_ms()) <= 0:
                raise ChatTimeout("modem takes no data")
            if len(view):
                await sleep_ms(_POLL_MS)

    async def read_raw(self, view: memoryview, timeout_ms: int) -> None:
        """Fill `view` with the bytes that come next, whatever they are.

        Raises:
            ChatTimeout: they did not all come in `timeout_ms`.
        """
        deadline = ticks_add(ticks_ms(), timeout_ms)
        done = self._reader.take_raw(view)
        while done < len(view):
            count = self._uart.any() and self._uart.readinto(view[done:])
            if count:
                done += count
            else:
                left_ms = ticks_diff(deadline, ticks_ms())
                if left_ms <= 0:
                    raise ChatTimeout("modem sent %d of %d bytes" % (done, len(view)))
                await self._bell.wait(min(left_ms, _LOOK_MS))
