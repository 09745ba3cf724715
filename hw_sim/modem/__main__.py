"""A modem for any program: `python -m hw_sim.modem`, on a pseudo terminal or a TCP port.

The first line printed says where it is. It is switched on already, and its network is the simulated
one. Lines on standard input make things happen: `sms +254711000001 Hello`, `ring 30`,
`coverage off`, `crash`, `crash silently`, `hang`, `balance *144# Your balance is 3`. At the end of
the input it goes on until it is interrupted; each message that it is asked to send is printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import tty
from pathlib import Path
from typing import Annotated

import typer

from hw_sim.modem.part import M95, POWER_KEY_HOLD_S, GsmPart, Sim800
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.sms_pdu import Message, PduError

_READ_BYTES = 1024


async def serve_pty(modem: GsmPart, link: Path | None) -> str:
    """Put `modem` on a pseudo terminal; the path for other programs."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)  # and kept open: else the first program that goes takes the port with it
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: modem.on_host_bytes(os.read(ours, _READ_BYTES)))
    modem.send = lambda data: _write(ours, data)
    path = os.ttyname(theirs)
    if link is not None:
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    return path


def _write(port: int, data: bytes) -> None:
    os.write(port, data)


async def serve_tcp(modem: GsmPart, port: int) -> str:
    """Put `modem` on a TCP port of this machine, for one program at a time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        modem.send = writer.write
        while data := await reader.read(_READ_BYTES):
            modem.on_host_bytes(data)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    host, number = server.sockets[0].getsockname()[:2]
    return f"{host}:{number}"


def obey(line: str, modem: GsmPart) -> str:
    """Do what a line of the input says; the word of why not."""
    name, _, rest = line.strip().partition(" ")
    first, _, text = rest.partition(" ")
    network = modem.network
    try:
        if name == "sms":
            network.sms.deliver(first, text)
        elif name == "ring":
            network.faults.ring(float(first or 30))
        elif name == "coverage":
            network.set_coverage(first == "on")
        elif name == "crash":
            modem.crash(silent=first == "silently")
        elif name == "hang":
            modem.hang()
        elif name == "balance":
            network.ussd.menu = {**network.ussd.menu, first: text}
        elif name:
            return f"not known: {name}"
    except (PduError, ValueError) as error:
        return str(error)
    return ""


async def _run(
    part: type[GsmPart], tcp: int | None, link: Path | None, seed: int, time_scale: float
) -> None:
    network = GsmNetwork(seed=seed, time_scale=time_scale)
    modem = part(network)

    def sent(message: Message) -> None:
        print(f"sms to {message.number}: {message.text}", flush=True)

    network.sms.on_sent = sent
    modem.on_power(True)
    modem.on_power_key(True)
    await network.pace.sleep(POWER_KEY_HOLD_S + 0.1)
    modem.on_power_key(False)
    where = await (serve_pty(modem, link) if tcp is None else serve_tcp(modem, tcp))
    print(where, flush=True)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    # one that waits for the input for ever must not keep the program
    threading.Thread(target=_listen, args=(loop, modem), daemon=True).start()
    await over.wait()
    modem.on_power(False)


def _listen(loop: asyncio.AbstractEventLoop, modem: GsmPart) -> None:
    def answer(line: str) -> None:
        print(obey(line, modem) or "ok", flush=True)

    for line in sys.stdin:
        loop.call_soon_threadsafe(answer, line)


_PARTS: dict[str, type[GsmPart]] = {"sim800": Sim800, "m95": M95}


def main(
    part: Annotated[str, typer.Option(help="sim800 or m95")] = "sim800",
    tcp: Annotated[int | None, typer.Option(help="port of this machine, 0 for any")] = None,
    link: Annotated[Path | None, typer.Option(help="name the pseudo terminal so")] = None,
    seed: Annotated[int, typer.Option(help="of jitter and losses")] = 0,
    time_scale: Annotated[float, typer.Option(help="everything runs so much faster")] = 1.0,
) -> None:
    """Run one modem until it is interrupted."""
    if part not in _PARTS:
        raise typer.BadParameter(f"{part}: there are {', '.join(_PARTS)}")
    asyncio.run(_run(_PARTS[part], tcp, link, seed, time_scale))


if __name__ == "__main__":
    typer.run(main)
