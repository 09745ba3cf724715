"""One short message in, at most one out: the same sealed bytes as `POST /m`, by the same hands.

Whoever sent it does not count, what opens does: what is not a terminal's gets no answer, and so no
stranger can have the office pay for messages. An answer that is longer than one message is told
without its words; a sale's that is too long even so is had by data.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from updater_server.errors import InputError, ServerError
from updater_server.faces import terminal
from updater_server.fleet import texting
from updater_server.service import Service
from updater_server.store.engine import writing
from updater_server.wire import cbor, keys, limits
from updater_server.wire.sealed import (
    Envelope,
    NotAMessage,
    open_reply,
    parse_envelope,
    seal_reply,
)

log = logging.getLogger("duka.sms")

TOO_LONG = "too_long"


class Later(Exception):
    """Nothing was decided: the service centre is to bring the message again."""


def answer(service: Service, sender: str, data: bytes) -> bytes:
    """What goes back to `sender`; nothing if nothing does.

    Raises:
        Later: the server is busy.
    """
    if not limits.within(len(data), limits.SMS_BYTES):
        return b""
    try:
        envelope = parse_envelope(data)
    except NotAMessage:
        return b""
    status, reply = terminal.handle(service, data)
    if status == terminal.TRY_LATER:
        raise Later
    if status != terminal.OK:
        log.info("terminal %s: not answered (%d)", envelope.terminal_id.hex(), status)
        return b""
    _learn(service, envelope.terminal_id, sender)
    return _in_one(service, envelope, reply)


def _learn(service: Service, terminal_id: bytes, sender: str) -> None:
    try:
        with writing(service.engine) as connection:
            texting.set_number(connection, terminal_id, sender, "", service.now())
    except (InputError, ServerError, SQLAlchemyError):  # the answer is worth more than the number
        log.warning("the number of terminal %s was not kept", terminal_id.hex())


def _in_one(service: Service, envelope: Envelope, reply: bytes) -> bytes:
    """The reply so that it fits one message. Of two seals under one counter only one goes out."""
    if len(reply) <= limits.SMS_BYTES[1]:
        return reply
    device_keys = service.key_ring.find(envelope.terminal_id)
    if device_keys is None:
        return b""
    content: dict[int, Any] = cbor.loads(open_reply(envelope, reply, device_keys))
    content.pop(keys.NEWEST, None)
    is_error = content[keys.KIND] == keys.Kind.ERROR
    text = keys.ErrorReply.TEXT if is_error else keys.SaleReply.TEXT
    if text in content:
        content[text] = ""
    shorter = seal_reply(envelope, cbor.dumps(content), device_keys)
    if len(shorter) <= limits.SMS_BYTES[1]:
        return shorter
    named = keys.ErrorReply
    refusal = {keys.KIND: keys.Kind.ERROR, named.CODE: TOO_LONG, named.TEXT: ""}
    return seal_reply(envelope, cbor.dumps(refusal), device_keys)
