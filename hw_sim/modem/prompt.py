"""Data that the host types after the prompt."""

from __future__ import annotations

from hw_sim.modem.at import AtCommand, Kind
from hw_sim.modem.connection import MAXIMUM_SEND_BYTES
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings

_SEND_NOW, _GIVE_UP = 0x1A, 0x1B


async def typed_data(line: SerialLine, settings: Settings, command: AtCommand) -> bytes | None:
    """So many bytes as the command says, else up to Ctrl-Z; None if the host gave it up."""
    length = None
    if command.kind is Kind.WRITE and command.arguments:
        length = command.number(0, 1, MAXIMUM_SEND_BYTES)
    line.prompt()
    data = bytearray()
    while length is None or len(data) < length:
        byte = await line.byte()
        if length is None and byte == _SEND_NOW:
            break
        if length is None and byte == _GIVE_UP:
            return None
        if settings.now.echo:
            line.write(bytes((byte,)))
        if len(data) < MAXIMUM_SEND_BYTES:
            data.append(byte)
    return bytes(data)
