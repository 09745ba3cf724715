"""Mobile networks and the centre in two processes: a line of JSON a message, both ways, over TCP.

{"join": "+254700000001"}
{"from": "+254700000001", "to": "+254700000100", "coding": 4, "data": "83…"}
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from hw_sim.network.centre import SmsCentre
from hw_sim.network.sms_pdu import Message
from hw_sim.smsc.centre import Centre

_LINE_BYTES = 2048


async def serve(centre: Centre, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One network at the centre, till it hangs up."""
    numbers: list[str] = []
    try:
        while line := await reader.readline():
            said = json.loads(line)
            if "join" in said:
                number = str(said["join"])
                numbers.append(number)
                centre.reach(number, _telling(writer, number))
            else:
                centre.submit(str(said["from"]), str(said["to"]), _message(said))
    except (OSError, ValueError, KeyError):
        pass
    finally:
        for number in numbers:
            centre.leave(number)
        writer.close()


async def join(host: str, port: int, number: str, part: SmsCentre) -> None:
    """Have the messages of one part go by a centre that runs elsewhere; returns when it is gone.

    Raises:
        OSError: nobody is there.
    """
    reader, writer = await asyncio.open_connection(host, port, limit=_LINE_BYTES)
    part.on_sent = lambda message: writer.write(_line(number, message.number, message))
    writer.write(json.dumps({"join": number}).encode() + b"\n")
    try:
        while line := await reader.readline():
            said = json.loads(line)
            part.forward(replace(_message(said), number=str(said["from"])))
    finally:
        part.on_sent = lambda message: None
        writer.close()


def _telling(writer: asyncio.StreamWriter, number: str) -> Any:
    return lambda source, message: writer.write(_line(source, number, message))


def _line(source: str, destination: str, message: Message) -> bytes:
    said = {
        "from": source,
        "to": destination,
        "coding": message.coding,
        "header": message.has_header,
        "length": message.length,
        "data": message.data.hex(),
    }
    return json.dumps(said).encode() + b"\n"


def _message(said: dict[str, Any]) -> Message:
    data = bytes.fromhex(said["data"])
    return Message(
        str(said["to"]),
        int(said["coding"]),
        bool(said.get("header", False)),
        int(said.get("length", len(data))),
        data,
    )
