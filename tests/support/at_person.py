"""A person at a serial terminal with a modem on it: types AT lines, reads what comes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from hw_sim.modem import GsmPart, Sim800
from hw_sim.network.gsm import GsmNetwork

FINAL = r"\r\n(OK|ERROR|\+CME ERROR: [^\r]+|SEND OK|SEND FAIL|SHUT OK|CLOSE OK|ALREADY CONNECT)\r\n"

TIME_SCALE = 100.0
"""Device seconds a wall second: a minute of modem time takes 0.6 s."""


class AtPerson:
    """Holds the modem's key and its serial line. Waits end after `patience_s` wall seconds."""

    patience_s = 8.0

    def __init__(self, network: GsmNetwork, modem: GsmPart | None = None) -> None:
        self.network = network
        self.modem = modem or Sim800(network, baud=None)
        self.modem.send = self._take
        self._unread = bytearray()
        self._arrived = asyncio.Event()

    def _take(self, data: bytes) -> None:
        self._unread += data
        self._arrived.set()

    def type(self, data: bytes) -> None:
        """Send raw bytes."""
        self.modem.on_host_bytes(data)

    async def press_power_key(self, seconds: float = 1.2) -> None:
        """Hold the power key that long (device seconds)."""
        self.modem.on_power_key(True)
        await self.network.pace.sleep(seconds)
        self.modem.on_power_key(False)

    async def switch_on(self, until: str = "SMS Ready") -> str:
        """Power and key; everything the modem said up to this text."""
        self.modem.on_power(True)
        await self.press_power_key()
        return await self.read_until(re.escape(until) + r"\r\n")

    async def read_until(self, pattern: str) -> str:
        """Read up to the end of this pattern; what was read. Fails the test when it never comes."""
        wanted = re.compile(pattern.encode("latin-1"), re.DOTALL)
        try:
            async with asyncio.timeout(self.patience_s):
                while (match := wanted.search(self._unread)) is None:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"no {pattern!r} in {bytes(self._unread)!r}") from None
        text = self._unread[: match.end()].decode("latin-1")
        del self._unread[: match.end()]
        return text

    async def say(self, line: str) -> str:
        """Type a command; everything up to its final result."""
        self.type(line.encode("latin-1") + b"\r")
        return await self.read_until(FINAL)

    def unread(self) -> str:
        """What came and was not read yet."""
        return self._unread.decode("latin-1")

    async def wait_registered(self) -> None:
        """Ask as a driver does until the network took the SIM."""
        for _ in range(200):
            if re.search(r"\+CREG: \d,[15]", await self.say("AT+CREG?")):
                return
            await asyncio.sleep(0.005)
        raise AssertionError("never registered")

    async def bring_up(self, *, manual: bool = True) -> None:
        """From switched off to an IP address, as the manual says."""
        await self.switch_on()
        await self.say("ATE0")
        await self.wait_registered()
        if manual:
            assert "OK" in await self.say("AT+CIPRXGET=1")
        assert "OK" in await self.say('AT+CSTT="internet"')
        assert "OK" in await self.say("AT+CIICR")
        self.type(b"AT+CIFSR\r")
        await self.read_until(r"\r\n10\.\d+\.\d+\.\d+\r\n")

    async def connect(self, port: int, name: str = "127.0.0.1") -> None:
        """A TCP connection that is expected to come about."""
        assert "OK" in await self.say(f'AT+CIPSTART="TCP","{name}",{port}')
        await self.read_until("CONNECT OK\r\n")

    async def send(self, data: bytes) -> str:
        """Send over the connection; "SEND OK" or "SEND FAIL"."""
        self.type(f"AT+CIPSEND={len(data)}\r".encode())
        await self.read_until("> ")
        self.type(data)
        return await self.read_until("SEND (OK|FAIL)\r\n")

    async def receive(self, limit_bytes: int = 1460) -> tuple[bytes, int]:
        """Read what the modem holds: bytes, and how many are left in it."""
        self.type(f"AT+CIPRXGET=2,{limit_bytes}\r".encode())
        head = await self.read_until(r"\+CIPRXGET: 2,\d+,\d+\r\n")
        count, left = (int(n) for n in head.rstrip().rpartition(" ")[2].split(",")[1:])
        text = await self.read_until(f".{{{count}}}\r\nOK\r\n")
        return text[:count].encode("latin-1"), left

    async def receive_exactly(self, count: int) -> bytes:
        """Read until so many bytes came, asking again when there are none yet."""
        data = b""
        async with asyncio.timeout(self.patience_s):
            while len(data) < count:
                piece, _ = await self.receive()
                data += piece
                if not piece:
                    await asyncio.sleep(0.002)
        return data


def run(scenario: Awaitable[None]) -> None:
    """Run a scenario on a loop of its own, and fail if it hangs."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scenario

    asyncio.run(bounded())


class Server:
    """A real TCP server on loopback: answers each connection with a handler."""

    def __init__(
        self,
        handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self.port = 0
        self.endings: list[str] = []
        """How each connection ended, as the server saw it."""

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._handler(reader, writer)
            self.endings.append("closed")
        except (OSError, asyncio.IncompleteReadError) as error:
            self.endings.append(type(error).__name__)
        finally:
            writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say back everything, until the other side ends it."""
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
