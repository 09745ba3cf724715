"""One sealed message in, one sealed reply out: the server's side of `POST /m`. For `app`, which
does the HTTP.

Everything a message does is one database transaction together with its counter: it happened and may
not happen again, or it did not happen and may be sent again. A sale that a supplier makes is
reserved in that transaction; its terminal is answered when the supplier has decided, or the
desk's patience has an end. Source: docs/formats/messages.md.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DatabaseError

from updater_server.errors import BusyError, ConflictError, InputError, VaultError
from updater_server.faces.exchange import Exchange, Reply, Wait
from updater_server.faces.messages import ANSWERS, note_what_it_tells
from updater_server.fleet import terminals
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales.prices import PricesUnavailable
from updater_server.sales.stock import NoSuchBatch, TerminalBlocked
from updater_server.service import Service
from updater_server.store.engine import (
    again_if_it_collides,
    is_the_databases_fault,
    reading,
    writing,
)
from updater_server.store.prepared import undone_if_it_fails
from updater_server.wire import cbor, keys
from updater_server.wire.content import BadMessage, Content
from updater_server.wire.replies import ReplyUnfit, check_reply
from updater_server.wire.sealed import (
    MESSAGE_LIMIT_BYTES,
    DeviceKeys,
    Envelope,
    NotAMessage,
    SealBroken,
    open_request,
    parse_envelope,
    seal_reply,
)

log = logging.getLogger("duka.device_api")

_TELL_THE_NEWEST = (keys.Kind.CHECK_IN, keys.Kind.SALE, keys.Kind.JOURNAL)
OK, BAD_REQUEST, UNAUTHORIZED, REPLAY, TOO_LARGE, TRY_LATER = 200, 400, 401, 409, 413, 503


Answered = tuple[int, bytes]
"""HTTP status, and the sealed reply when it is 200 (else empty)."""


@dataclass(frozen=True)
class Waiting:
    """Something that a supplier is asked for: once `decided` is done, or `until` (of the monotonic
    clock) has come, `finish` is to be called, once.
    """

    service: Service
    envelope: Envelope
    device_keys: DeviceKeys
    content: bytes
    wait: Wait
    until: float

    @property
    def decided(self) -> Future[Any]:
        """Done when there is an answer."""
        return self.wait.told

    def left_s(self) -> float:
        """How many seconds the terminal may still wait."""
        return max(0.0, self.until - time.monotonic())

    def finish(self) -> Answered:
        """The answer as it is now."""
        self.wait.forget()
        try:
            with reading(self.service.engine, soon=True) as connection:
                owner = terminals.get(connection, self.envelope.terminal_id)
                exchange = Exchange(
                    self.service, connection, owner, self.device_keys, self.service.now()
                )
                reply = _told(exchange, self.wait.reply(exchange, Content(self.content)))
                answer = cbor.dumps(reply)
                check_reply(reply, len(answer))
        except Exception:
            log.exception("the late answer to %s", self.envelope.terminal_id.hex())
            return TRY_LATER, b""
        return OK, seal_reply(self.envelope, answer, self.device_keys)


def handle(service: Service, body: bytes) -> Answered:
    """Answer one request body, and wait for a supplier here."""
    answer = begin(service, body, time.monotonic())
    if isinstance(answer, Waiting):
        try:
            answer.decided.result(answer.left_s())
        except TooLate:
            pass
        return answer.finish()
    return answer


def begin(service: Service, body: bytes, came_at: float) -> Answered | Waiting:
    """Do what one request body asks; `came_at` is when it came, by the monotonic clock."""
    if len(body) > MESSAGE_LIMIT_BYTES:
        return TOO_LARGE, b""
    try:
        envelope = parse_envelope(body)
    except NotAMessage:
        return BAD_REQUEST, b""
    try:
        device_keys = service.key_ring.find(envelope.terminal_id) or _learn(service, envelope)
        if device_keys is None:
            return UNAUTHORIZED, b""
        plain = open_request(envelope, device_keys)
        done = again_if_it_collides(
            service.engine,
            lambda: _transaction(service, envelope, device_keys, plain, came_at),
        )
        if done is None:
            return REPLAY, b""
        answer, waits = done
    except SealBroken:
        return UNAUTHORIZED, b""
    except (PricesUnavailable, VaultError, BusyError) as error:
        # Rolled back: nothing was decided and the counter is free again.
        log.error("terminal %s is asked to try later: %s", envelope.terminal_id.hex(), error)
        if isinstance(error, VaultError):
            _tell_of_device_key(service, envelope.terminal_id)
        return TRY_LATER, b""
    except Exception as error:
        # Of the database, or of ours even where what went wrong was to be noted: never in words.
        log.log(
            logging.ERROR if is_the_databases_fault(error) else logging.CRITICAL,
            "terminal %s is asked to try later",
            envelope.terminal_id.hex(),
            exc_info=error,
        )
        return TRY_LATER, b""
    return waits or (OK, seal_reply(envelope, answer, device_keys))


def _waits_for(
    exchange: Exchange, envelope: Envelope, plain: bytes, came_at: float
) -> Waiting | None:
    """What is still to come."""
    desk = exchange.service.desk
    if desk is None or not exchange.waits_for:
        return None
    (wait,) = exchange.waits_for
    until = came_at + desk.patience_s
    return Waiting(exchange.service, envelope, exchange.device_keys, plain, wait, until)


def _transaction(
    service: Service, envelope: Envelope, device_keys: DeviceKeys, plain: bytes, came_at: float
) -> tuple[bytes, Waiting | None] | None:
    """All that a message does, its reply and what is still to come; None if its counter was used.
    Its first statement holds the terminal's row: of one terminal there is one message at a time.
    """
    waits: list[Wait] = []
    try:
        with writing(service.engine, beside=True) as connection:
            now = service.now()
            owner = terminals.accept_counter(
                connection, envelope.terminal_id, envelope.counter, now
            )
            if owner is None:
                return None
            if not service.key_ring.still(owner.id, owner.key_sealed):
                raise VaultError("its device key is not the one that it was")
            exchange = Exchange(service, connection, owner, device_keys, now, waits)
            answer = _answer_or_note(exchange, plain)
    except BaseException:
        _forget(waits)
        raise
    for kind, said in exchange.told:
        service.spool.add(kind, exchange.terminal_id, said)
    return answer, _waits_for(exchange, envelope, plain, came_at)


def _forget(waits: list[Wait]) -> None:
    """Nobody waits for what was undone."""
    for wait in waits:
        wait.forget()
    waits.clear()


def _learn(service: Service, envelope: Envelope) -> DeviceKeys | None:
    with reading(service.engine, soon=True) as connection:
        return service.key_ring.learn(connection, service.key, envelope.terminal_id)


def _answer_or_note(exchange: Exchange, plain: bytes) -> bytes:
    """The reply; what nobody foresaw, or no terminal would take, is undone, told to a person, and
    refused: a "try later" would be asked again for ever.
    """
    connection, terminal_id, now = exchange.connection, exchange.terminal_id, exchange.now
    try:
        with undone_if_it_fails(connection):
            reply = _told(exchange, _answer(exchange, plain))
            answer = cbor.dumps(reply)
            check_reply(reply, len(answer))
            return answer
    except (PricesUnavailable, VaultError, BusyError):
        raise
    except ReplyUnfit as error:
        _forget(exchange.waits_for)
        text = f"asked for something whose answer no terminal takes: {error}"
        raise_alarm(connection, terminal_id, "reply_unfit", text, now)
    except Exception as error:
        if is_the_databases_fault(error):
            raise
        _forget(exchange.waits_for)
        what = type(getattr(error, "orig", None) or error).__name__
        log.exception("a message of terminal %s", terminal_id.hex())
        text = f"a message could not be worked on ({what}): the server's log has it"
        raise_alarm(connection, terminal_id, "message_failed", text, now)
    return cbor.dumps(_error("bad_message", text))


def _told(exchange: Exchange, reply: Reply) -> Reply:
    if reply[keys.KIND] in _TELL_THE_NEWEST and (newest := exchange.service.newest.tag()):
        reply[keys.NEWEST] = newest
    return reply


def _tell_of_device_key(service: Service, terminal_id: bytes) -> None:
    """The one sealed thing that no other can stand in for: a person must see to this terminal."""
    try:
        with writing(service.engine) as connection:
            text = "its device key does not open on the server: it must be provisioned anew"
            raise_alarm(connection, terminal_id, "device_key", text, service.now())
    except DatabaseError as error:
        log.error("terminal %s: no alarm could be raised: %s", terminal_id.hex(), error)


def _error(code: str, text: str) -> Reply:
    named = keys.ErrorReply
    return {keys.KIND: keys.Kind.ERROR, named.CODE: code, named.TEXT: text}


def _answer(exchange: Exchange, plain: bytes) -> Reply:
    try:
        content = Content(plain)
        kind = content.uint(keys.KIND)
        answer = ANSWERS.get(kind)
        if answer is None:
            raise BadMessage(f"no message of kind {kind}")
        note_what_it_tells(exchange, kind, content)
        reply = answer(exchange, content)
    except (BadMessage, InputError) as error:
        return _error("bad_message", str(error))
    except ConflictError as error:
        return _error("conflict", str(error))
    except NoSuchBatch as error:
        return _error("unknown_batch", str(error))
    except TerminalBlocked as error:
        return _error("blocked", str(error))
    return {keys.KIND: kind, **reply}
