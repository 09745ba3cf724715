"""One sealed message in, one sealed reply out: the server's side of `POST /m`. For `app`, which
does the HTTP.

Everything a message does is one database transaction together with its counter: it happened and may
not happen again, or it did not happen and may be sent again. Source: docs/formats/messages.md.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from updater_server import limits, strict_cbor
from updater_server.database import is_the_databases_fault, reading, writing
from updater_server.errors import BusyError, ConflictError, InputError, VaultError
from updater_server.fleet import terminals, updates
from updater_server.fleet.alarms import raise_alarm
from updater_server.messages import (
    MESSAGE_LIMIT_BYTES,
    DeviceKeys,
    NotAMessage,
    SealBroken,
    open_request,
    parse_envelope,
    seal_reply,
)
from updater_server.sales import intake, ledger, reconcile, restoring, stock, switch
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.tables import terminal

log = logging.getLogger("duka.device_api")

OK, BAD_REQUEST, UNAUTHORIZED, REPLAY, TOO_LARGE, TRY_LATER = 200, 400, 401, 409, 413, 503
_ERROR = -1
_UINT32 = limits.UINT32
_UINT63 = (1 << 63) - 1


class BadMessage(Exception):
    """An authentic message whose content breaks its format."""


class ReplyUnfit(Exception):
    """The terminal would have to refuse this answer, so nothing of it may happen."""


class Content:
    """The map inside a message, read key by key with every type and range checked."""

    def __init__(self, data: bytes) -> None:
        try:
            value = strict_cbor.loads(data)
        except strict_cbor.CborError as error:
            raise BadMessage(f"content: {error}") from error
        if not isinstance(value, dict):
            raise BadMessage("the content is not a map")
        self._map = value

    def has(self, key: int) -> bool:
        """Whether the key is there at all."""
        return key in self._map

    def uint(self, key: int, highest: int = _UINT32) -> int:
        """An unsigned integer."""
        return check_uint(self._map.get(key), key, highest)

    def integer(self, key: int) -> int:
        """An integer of either sign (an own float may be below zero)."""
        value = self._map.get(key)
        if type(value) is not int or abs(value) > _UINT63:
            raise BadMessage(f"key {key}: an integer is needed")
        return value

    def text(self, key: int, longest: int) -> str:
        """Text of 1 to `longest` characters."""
        value = self._map.get(key)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise BadMessage(f"key {key}: text of up to {longest} characters is needed")
        return value

    def flag(self, key: int) -> bool:
        """True or false."""
        value = self._map.get(key)
        if not isinstance(value, bool):
            raise BadMessage(f"key {key}: true or false is needed")
        return value

    def octets(self, key: int, size: int) -> bytes:
        """Exactly `size` bytes."""
        value = self._map.get(key)
        if not isinstance(value, bytes) or len(value) != size:
            raise BadMessage(f"key {key}: {size} bytes are needed")
        return value

    def items(self, key: int) -> list[Any]:
        """An array; its elements are the caller's to check."""
        value = self._map.get(key)
        if not isinstance(value, list):
            raise BadMessage(f"key {key}: an array is needed")
        return value

    def optional_items(self, key: int) -> list[Any] | None:
        """An array or null; the key must be there."""
        if key in self._map and self._map[key] is None:
            return None
        return self.items(key)


def check_uint(value: object, key: int, highest: int = _UINT32) -> int:
    """`value` if it is an unsigned integer up to `highest`, else BadMessage naming `key`."""
    if type(value) is not int or not 0 <= value <= highest:
        raise BadMessage(f"key {key}: an unsigned integer is needed")
    return value


def handle(service: Service, body: bytes) -> tuple[int, bytes]:
    """Answer one request body: HTTP status, and the sealed reply when it is 200 (else empty)."""
    if len(body) > MESSAGE_LIMIT_BYTES:
        return TOO_LARGE, b""
    try:
        envelope = parse_envelope(body)
    except NotAMessage:
        return BAD_REQUEST, b""
    try:
        with reading(service.engine) as connection:
            keys = terminals.device_keys(connection, service.key, envelope.terminal_id)
        if keys is None:
            return UNAUTHORIZED, b""
        plain = open_request(envelope, keys)
        with writing(service.engine) as connection:
            now = service.now()
            if not terminals.accept_counter(
                connection, envelope.terminal_id, envelope.counter, now
            ):
                return REPLAY, b""
            answer = _answer_or_note(service, connection, envelope.terminal_id, keys, plain, now)
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
    return OK, seal_reply(envelope, answer, keys)


def _answer_or_note(
    service: Service,
    connection: Connection,
    terminal_id: bytes,
    keys: DeviceKeys,
    plain: bytes,
    now: int,
) -> bytes:
    """The reply; what nobody foresaw, or no terminal would take, is undone, told to a person, and
    refused: a "try later" would be asked again for ever.
    """
    try:
        with connection.begin_nested():
            reply = _answer(service, connection, terminal_id, keys, plain, now)
            answer = strict_cbor.dumps(reply)
            check_reply(reply, len(answer))
            return answer
    except (PricesUnavailable, VaultError, BusyError):
        raise
    except ReplyUnfit as error:
        text = f"asked for something whose answer no terminal takes: {error}"
        raise_alarm(connection, terminal_id, "reply_unfit", text, now)
    except Exception as error:
        if is_the_databases_fault(error):
            raise
        what = type(getattr(error, "orig", None) or error).__name__
        log.exception("a message of terminal %s", terminal_id.hex())
        text = f"a message could not be worked on ({what}): the server's log has it"
        raise_alarm(connection, terminal_id, "message_failed", text, now)
    return strict_cbor.dumps({0: _ERROR, 1: "bad_message", 2: text})


def _tell_of_device_key(service: Service, terminal_id: bytes) -> None:
    """The one sealed thing that no other can stand in for: a person must see to this terminal."""
    try:
        with writing(service.engine) as connection:
            text = "its device key does not open on the server: it must be provisioned anew"
            raise_alarm(connection, terminal_id, "device_key", text, service.now())
    except DatabaseError as error:
        log.error("terminal %s: no alarm could be raised: %s", terminal_id.hex(), error)


def check_reply(reply: dict[int, Any], size_bytes: int) -> None:
    """Return only if a terminal takes this reply (docs/formats/limits.toml).

    Raises:
        ReplyUnfit: it would be refused there, perhaps for ever.
    """
    kind = reply[0]
    checks: dict[str, bool] = {"size": limits.within(size_bytes, limits.REPLY_BYTES)}
    if kind == 1:
        checks["time"] = limits.within(reply[1], (0, _UINT32))
        checks["float"] = limits.within(reply[2], limits.FLOAT_MINOR)
        checks["acknowledged"] = limits.within(reply[3], (0, _UINT32))
        checks["text"] = limits.within(len(reply[4] or ""), limits.MERCHANT_TEXT)
        checks["batches"] = len(reply[5]) <= limits.BATCHES_WAITING[1] and all(
            limits.within(batch_id, limits.BATCH_ID) for batch_id in [*reply[5], *reply.get(6, ())]
        )
    elif kind == 2 and reply[1] == 0:
        why = limits.unfit_voucher("any", reply[2], reply[3], reply[4])
        checks[why or "voucher"] = why is None
        checks["float"] = limits.within(reply[5], limits.FLOAT_MINOR)
    elif kind == 3:
        checks["acknowledged"] = limits.within(reply[1], (0, _UINT32))
        checks["float"] = limits.within(reply[2], limits.FLOAT_MINOR)
        checks["batches"] = limits.within(len(reply.get(6, ())), limits.STOCK_LISTS_WANTED)
    elif kind == 4:
        checks["file"] = limits.within(len(reply[1]), limits.STOCK_FILE_BYTES)
    wrong = [name for name, fits in checks.items() if not fits]
    if wrong:
        raise ReplyUnfit(f"kind {kind}: {', '.join(wrong)}")


def _answer(
    service: Service,
    connection: Connection,
    terminal_id: bytes,
    keys: DeviceKeys,
    plain: bytes,
    now: int,
) -> dict[int, Any]:
    try:
        content = Content(plain)
        kind = content.uint(0)
        if kind == 1:
            reply = _check_in(service, connection, terminal_id, content, now)
        elif kind == 2:
            reply = _sale(service, connection, terminal_id, content, now)
        elif kind == 3:
            reply = _journal(connection, terminal_id, content, now)
        elif kind == 4:
            batch_id = content.uint(1)
            stock.note_renewal(connection, terminal_id, batch_id, now)
            file = stock.deliver(connection, service.key, keys, terminal_id, batch_id, now)
            reply = {1: file}
        elif kind == 5:
            batch_id, sha256 = content.uint(1), content.octets(2, 32)
            stock.received(connection, service.key, keys, terminal_id, batch_id, sha256, now)
            reply = {1: True}
        elif kind == 6:
            reply = _stock_held(service, connection, terminal_id, content, now)
        else:
            raise BadMessage(f"no message of kind {kind}")
    except (BadMessage, InputError) as error:
        return {0: _ERROR, 1: "bad_message", 2: str(error)}
    except ConflictError as error:
        return {0: _ERROR, 1: "conflict", 2: str(error)}
    except stock.NoSuchBatch as error:
        return {0: _ERROR, 1: "unknown_batch", 2: str(error)}
    except stock.TerminalBlocked as error:
        return {0: _ERROR, 1: "blocked", 2: str(error)}
    return {0: kind, **reply}


def _check_in(
    service: Service, connection: Connection, terminal_id: bytes, content: Content, now: int
) -> dict[int, Any]:
    failure = content.optional_items(8)
    if failure is not None and not (len(failure) >= 2 and isinstance(failure[1], str)):
        raise BadMessage("key 8: null or [release, reason]")
    places = content.items(10)
    if len(places) < 2:
        raise BadMessage("key 10: [oldest kept, next]")
    slot = content.text(3, 1)
    if slot not in "ab":
        raise BadMessage("key 3: slot a or b")
    waits = content.optional_items(12) if content.has(12) else None
    if waits is not None and not (
        len(waits) >= 2
        and isinstance(waits[1], str)
        and 1 <= len(waits[1]) <= updates.WAIT_CODE_LENGTH
    ):
        raise BadMessage("key 12: [release, code of up to 16 characters]")
    refused_files = _refused_files(content)
    report = terminals.CheckIn(
        terminal_time=content.uint(1),
        release=content.uint(2),
        slot=slot,
        trial=content.flag(4),
        boot_count=content.uint(5, _UINT63),
        battery_mv=content.uint(6, 65535),
        signal=content.uint(7, 255),
        failure_release=check_uint(failure[0], 8) if failure else None,
        failure_reason=failure[1][: limits.FAILURE_REASON[1]] if failure else None,
        own_float_minor=content.integer(9),
        journal_oldest=check_uint(places[0], 10),
        journal_next=check_uint(places[1], 10),
        wait_release=check_uint(waits[0], 12) if waits else None,
        wait_code=waits[1] if waits else None,
        refused_files=refused_files,
    )
    terminals.record_check_in(connection, terminal_id, report, now)
    for name, _ in refused_files or ():
        folder, _, number = name.partition("/")
        if folder == "stock" and number.isdecimal():
            stock.refused(connection, terminal_id, int(number), now)
    intake.look_for_rewound_journal(connection, terminal_id, report.journal_next, now)
    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one()
    if not owner.blocked:  # it was told another float than the ledger's
        reconcile.reconcile(connection, terminal_id, now)
        restoring.look(connection, terminal_id, now)
    try:
        service.prices.record(connection, owner.catalogue, now)
    except PricesUnavailable as error:
        log.warning("prices not recorded: %s", error)  # a check-in must not fail for it
    reply = {
        1: now,
        2: _float_told(connection, terminal_id, owner.blocked),
        3: owner.acknowledged_through,
        4: switch.REFUSALS["blocked"] if owner.blocked else _merchant_text(owner.merchant_text),
        5: [] if owner.blocked else stock.waiting(connection, terminal_id),
    }
    if owner.blocked:
        reply[7] = True
    recalled = stock.recalled(connection, terminal_id)
    if recalled:
        reply[6] = recalled
    return reply


def _refused_files(content: Content) -> list[tuple[str, str]] | None:
    """[(file, reason), …] that the terminal cannot work with; None if it has nothing new to say."""
    if not content.has(11):
        return None
    told = content.items(11)
    fits = len(told) <= limits.REFUSED_FILES[1] and all(
        isinstance(item, list)
        and len(item) == 2
        and all(isinstance(word, str) for word in item)
        and limits.within(len(item[0]), limits.REFUSED_FILE)
        and limits.within(len(item[1]), limits.REFUSED_REASON)
        for item in told
    )
    if not fits:
        raise BadMessage("key 11: a list of [file, reason]")
    return [(name, reason) for name, reason in told]


def _merchant_text(text: str | None) -> str | None:
    return text and text[: limits.MERCHANT_TEXT[1]]


def _float_told(connection: Connection, terminal_id: bytes, blocked: bool) -> int:
    """What a settlement says: a blocked terminal has no float, so that it sells no stock either."""
    figure = ledger.told_float_minor(connection, terminal_id)
    return min(0, figure) if blocked else figure


def _sale(
    service: Service, connection: Connection, terminal_id: bytes, content: Content, now: int
) -> dict[int, Any]:
    request = switch.SaleRequest(
        sequence=content.uint(1),
        product_id=content.text(2, limits.PRODUCT_ID[1]),
        amount_minor=content.uint(3),
        commission_minor=content.uint(20),
        time=content.uint(4),
    )
    if request.sequence == 0:
        raise BadMessage("key 1: sequence numbers begin at 1")
    answer = switch.sell(connection, service.key, service.prices, terminal_id, request, now)
    if isinstance(answer, switch.Delivered):
        return {
            1: 0,
            2: answer.pin,
            3: answer.serial,
            4: answer.expires_at,
            5: max(limits.FLOAT_MINOR[0], min(limits.FLOAT_MINOR[1], answer.float_after_minor)),
        }
    return {1: 1, 6: answer.code, 7: answer.text}


def _journal(
    connection: Connection, terminal_id: bytes, content: Content, now: int
) -> dict[int, Any]:
    raws = content.items(1)
    if not all(isinstance(raw, bytes) for raw in raws):
        raise BadMessage("key 1: an array of byte strings is needed")
    acknowledged = intake.take_in(connection, terminal_id, raws, now, is_sealed=True)
    blocked = terminals.is_blocked(connection, terminal_id)
    if not blocked:
        reconcile.reconcile(connection, terminal_id, now)
        restoring.look(connection, terminal_id, now)
    reply: dict[int, Any] = {1: acknowledged, 2: _float_told(connection, terminal_id, blocked)}
    if batches := restoring.wanted(connection, terminal_id):
        reply[6] = batches
    if blocked:
        reply[7] = True
    return reply


def _stock_held(
    service: Service, connection: Connection, terminal_id: bytes, content: Content, now: int
) -> dict[int, Any]:
    serials = content.items(7)
    if not all(
        isinstance(serial, str) and limits.within(len(serial), limits.SERIAL_BYTES)
        for serial in serials
    ):
        raise BadMessage("key 7: an array of serial numbers is needed")
    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one()
    product_id, face_minor = content.text(2, limits.PRODUCT_ID[1]), content.uint(3)
    product = service.prices.product(owner.catalogue, product_id)
    held = restoring.Held(
        batch_id=content.uint(1),
        product_id=product_id,
        face_minor=face_minor,
        commission_minor=product.commission_minor if product else 0,
        expires_at=content.uint(4),
        count=content.uint(5, stock.BATCH_LIMIT),
        first=content.uint(6),
        serials=serials,
    )
    restoring.take_stock_list(connection, terminal_id, held, now)
    return {1: True}
