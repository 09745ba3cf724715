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
        done = _done(service, envelope, device_keys, plain, came_at)
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


_Done = tuple[bytes, Waiting | None] | None
"""A message's reply and what is still to come; None if its counter was used."""
_Told = list[tuple[int, bytes]]


def _done(
    service: Service, envelope: Envelope, device_keys: DeviceKeys, plain: bytes, came_at: float
) -> _Done:
    """All that a message does. What nobody foresaw, or no terminal would take, is undone whole;
    then a person is told, and it is refused: a "try later" would be asked again for ever.
    """
    told: _Told = []
    try:
        done = again_if_it_collides(
            service.engine,
            lambda: _transaction(service, envelope, device_keys, plain, came_at, told),
        )
    except (PricesUnavailable, VaultError, BusyError):
        raise
    except Exception as error:
        if is_the_databases_fault(error):
            raise
        code, text = _in_words(envelope, error)
        done = again_if_it_collides(service.engine, lambda: _noted(service, envelope, code, text))
    if done is not None:
        for kind, said in told:
            service.spool.add(kind, envelope.terminal_id, said)
    return done


def _transaction(
    service: Service,
    envelope: Envelope,
    device_keys: DeviceKeys,
    plain: bytes,
    came_at: float,
    told: _Told,
) -> _Done:
    """One try. Its first statement holds the terminal's row: of one terminal there is one message
    at a time. `told` gets what is for the spool.
    """
    waits: list[Wait] = []
    told.clear()
    try:
        with writing(service.engine, beside=True) as connection:
            now = service.now()
            owner = terminals.accept_counter(
                connection, envelope.terminal_id, envelope.counter, now
            )
            if owner is None:
                return None
            if not service.key_ring.still(service.key, owner.id, owner.key_sealed):
                raise VaultError("its device key is not the one that it was")
            exchange = Exchange(service, connection, owner, device_keys, now, waits, told)
            reply = _told(exchange, _answer(exchange, plain))
            answer = cbor.dumps(reply)
            check_reply(reply, len(answer))
    except BaseException:
        _forget(waits)
        raise
    return answer, _waits_for(exchange, envelope, plain, came_at)


def _in_words(envelope: Envelope, error: Exception) -> tuple[str, str]:
    """(code, text) of the alarm that a person gets."""
    if isinstance(error, ReplyUnfit):
        return "reply_unfit", f"asked for something whose answer no terminal takes: {error}"
    what = type(getattr(error, "orig", None) or error).__name__
    log.error("a message of terminal %s", envelope.terminal_id.hex(), exc_info=error)
    return "message_failed", f"a message could not be worked on ({what}): the server's log has it"


def _noted(service: Service, envelope: Envelope, code: str, text: str) -> _Done:
    """Its counter is used, and nothing was done."""
    with writing(service.engine, beside=True) as connection:
        now = service.now()
        owner = terminals.accept_counter(connection, envelope.terminal_id, envelope.counter, now)
        if owner is None:
            return None
        raise_alarm(connection, envelope.terminal_id, code, text, now)
    return cbor.dumps(_error("bad_message", text)), None


def _forget(waits: list[Wait]) -> None:
    """Nobody waits for what was undone."""
    for wait in waits:
        wait.forget()
    waits.clear()


def _learn(service: Service, envelope: Envelope) -> DeviceKeys | None:
    with reading(service.engine, soon=True) as connection:
        return service.key_ring.learn(connection, service.key, envelope.terminal_id)


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
