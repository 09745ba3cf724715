"""What a terminal may ask, one function a kind of message: its content in, the reply's keys out.
For `terminal`, which opens and seals them.

Source: docs/formats/messages.md, "Content".
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection

from updater_server.faces import looking_up
from updater_server.faces.exchange import Exchange, Reply, Wait, recipient_of
from updater_server.fleet import check_ins, merchant_notices, updates
from updater_server.sales import (
    batches,
    forgotten,
    intake,
    ledger,
    online,
    reconcile,
    restoring,
    stock,
)
from updater_server.sales.prices import PricesUnavailable
from updater_server.sales.vending import Desk
from updater_server.telemetry import metrics, spool
from updater_server.wire import keys, limits
from updater_server.wire.content import UINT63, BadMessage, Content, check_uint

log = logging.getLogger("duka.device_api")


STOLEN = "this terminal was reported stolen"


def check_in(exchange: Exchange, content: Content) -> Reply:
    """Kind 1: what the terminal reports of itself is kept, and it is told how it stands.

    Raises:
        BadMessage: a field does not fit its format.
    """
    connection, terminal_id, now = exchange.connection, exchange.terminal_id, exchange.now
    report = _report(content)
    check_ins.record_check_in(connection, exchange.owner, report, now)
    for name, _ in report.refused_files or ():
        folder, _, number = name.partition("/")
        if folder == "stock" and number.isdecimal():
            batches.refused(connection, terminal_id, int(number), now)
    owner = exchange.owner
    intake.look_for_rewound_journal(
        connection, terminal_id, owner.acknowledged_through, report.journal_next, now
    )
    if not owner.blocked:  # it was told another float than the ledger's
        reconcile.reconcile(connection, terminal_id, now)
        restoring.look(connection, terminal_id, now)
    try:
        prices = exchange.service.prices
        prices.record(connection, owner.catalogue, prices.catalogue(owner.catalogue), now)
    except PricesUnavailable as error:
        log.warning("prices not recorded: %s", error)  # a check-in must not fail for it
    named = keys.CheckInReply
    notices = _notices(exchange, content, keys.CheckIn)
    text = owner.merchant_text if notices is None else None
    if owner.blocked:
        text = STOLEN if owner.stolen_at is not None else online.REFUSALS["blocked"]
    reply = {
        named.TIME: now,
        named.FLOAT: _float_told(connection, terminal_id, owner.blocked),
        named.ACKNOWLEDGED: owner.acknowledged_through,
        named.TEXT: text and text[: limits.MERCHANT_TEXT[1]],
        named.WAITING: [] if owner.blocked else stock.waiting(connection, terminal_id),
    }
    if owner.blocked:
        reply[named.BLOCKED] = True
    if owner.stolen_at is not None:
        reply[named.STOLEN] = True
    if notices:
        reply[named.NOTICES] = notices
    if exchange.service.coap_port is not None:
        reply[named.COAP_PORT] = exchange.service.coap_port
    if exchange.service.sms_to:
        reply[named.SMS_TO] = exchange.service.sms_to
    recalled = batches.recalled(connection, terminal_id)
    if recalled:
        reply[named.RECALLED] = recalled
    return reply


def _notices(
    exchange: Exchange, content: Content, named: type[keys.CheckIn] | type[keys.Journal]
) -> list[list[int | str]] | None:
    """What the merchant is to be told; None: no release of the terminal has said that it can keep
    notices. A blocked one is told nothing, nor is one that says that it has no room.
    """
    owner = exchange.owner
    through = owner.notices_through
    if content.has(named.NOTICES):
        through = merchant_notices.told(exchange.connection, owner, content.uint(named.NOTICES))
    if through is None:
        return None
    if owner.blocked or (content.has(named.NO_ROOM) and content.flag(named.NO_ROOM)):
        return []
    return merchant_notices.waiting(exchange.connection, owner, through)


def _report(content: Content) -> check_ins.CheckIn:
    named = keys.CheckIn
    failure = content.optional_items(named.FAILURE)
    if failure is not None and not (len(failure) >= 2 and isinstance(failure[1], str)):
        raise BadMessage(f"key {named.FAILURE}: null or [release, reason]")
    failure_release, failure_reason = failure[:2] if failure else (None, "")
    places = content.items(named.JOURNAL)
    if len(places) < 2:
        raise BadMessage(f"key {named.JOURNAL}: [oldest kept, next]")
    numbers = [check_uint(place, named.JOURNAL) for place in places[:3]]
    oldest_kept, following = numbers[:2]
    needed = numbers[2] if len(numbers) > 2 else None
    if needed is not None and not 0 < needed <= following:
        raise BadMessage(f"key {named.JOURNAL}: no record of which nothing new follows")
    slot = content.text(named.SLOT, 1)
    if slot not in "ab":
        raise BadMessage(f"key {named.SLOT}: slot a or b")
    wait_release, wait_code = _wait(content)
    return check_ins.CheckIn(
        refused_files=_refused_files(content),
        terminal_time=content.uint(named.TIME),
        release=content.uint(named.RELEASE),
        slot=slot,
        trial=content.flag(named.TRIAL),
        boot_count=content.uint(named.BOOT_COUNT, UINT63),
        battery_mv=content.uint(named.BATTERY_MV, 65535),
        signal=content.uint(named.SIGNAL, 255),
        failure_release=check_uint(failure_release, named.FAILURE) if failure else None,
        failure_reason=failure_reason[: limits.FAILURE_REASON[1]] if failure else None,
        own_float_minor=content.integer(named.OWN_FLOAT),
        journal_oldest=oldest_kept,
        journal_next=following,
        journal_needed=needed,
        wait_release=None if wait_code is None else check_uint(wait_release, named.WAITS),
        wait_code=wait_code,
        image=_digest(content, named.IMAGE),
        settings=_digest(content, named.SETTINGS),
    )


def _digest(content: Content, key: int) -> str | None:
    """A SHA-256 in hex; None if it is not said."""
    return content.octets(key, 32).hex() if content.has(key) else None


def _wait(content: Content) -> tuple[object, str | None]:
    """(release or 0, code) of what the update waits for; (None, None) if for nothing."""
    waits = content.optional_items(keys.CheckIn.WAITS) if content.has(keys.CheckIn.WAITS) else None
    if waits is None:
        return None, None
    if len(waits) >= 2:
        release, code = waits[:2]
        if isinstance(code, str) and 1 <= len(code) <= updates.WAIT_CODE_LENGTH:
            return release, code
    raise BadMessage(f"key {keys.CheckIn.WAITS}: [release, code of up to 16 characters]")


def _refused_files(content: Content) -> list[tuple[str, str]] | None:
    """[(file, reason), …] that the terminal cannot work with; None if it has nothing new to say."""
    key = keys.CheckIn.FILES
    if not content.has(key):
        return None
    told = content.items(key)
    fits = len(told) <= limits.REFUSED_FILES[1] and all(
        isinstance(item, list)
        and len(item) == 2
        and all(isinstance(word, str) for word in item)
        and limits.within(len(item[0]), limits.REFUSED_FILE)
        and limits.within(len(item[1]), limits.REFUSED_REASON)
        for item in told
    )
    if not fits:
        raise BadMessage(f"key {key}: a list of [file, reason]")
    return [(name, reason) for name, reason in told]


def _float_told(connection: Connection, terminal_id: bytes, blocked: bool) -> int:
    """What a settlement says: a blocked terminal has no float, so that it sells no stock either."""
    figure = ledger.told_float_minor(connection, terminal_id)
    return min(0, figure) if blocked else figure


def sale(exchange: Exchange, content: Content) -> Reply:
    """Kind 2: an online sale is made, refused, or answered as before.

    Raises:
        BadMessage: a field does not fit its format.
        ConflictError: the sequence was used for something else.
        PricesUnavailable: nothing was decided.
    """
    named = keys.Sale
    request = online.SaleRequest(
        sequence=content.uint(named.SEQUENCE),
        product_id=content.text(named.PRODUCT, limits.PRODUCT_ID[1]),
        amount_minor=content.uint(named.AMOUNT),
        commission_minor=content.uint(named.COMMISSION),
        time=content.uint(named.TIME),
        recipient=recipient_of(content, named.RECIPIENT) if content.has(named.RECIPIENT) else None,
        cancel=content.has(named.CANCEL) and content.flag(named.CANCEL),
    )
    if request.sequence == 0:
        raise BadMessage(f"key {named.SEQUENCE}: sequence numbers begin at 1")
    service = exchange.service
    answer = online.sell(
        exchange.connection,
        service.key,
        service.prices,
        exchange.owner,
        request,
        exchange.now,
        service.desk,
    )
    if isinstance(answer, online.Pending) and service.desk is not None:
        exchange.waits_for.append(_wait_for_sale(service.desk, answer.vend_id))
    return sale_reply(answer)


def _wait_for_sale(desk: Desk, vend_id: int) -> Wait:
    """Watched before the sale is committed, so that nothing is missed."""
    told = desk.watch(vend_id)
    return Wait(told, sale_again, lambda: desk.forget(vend_id, told))


def sale_again(exchange: Exchange, content: Content) -> Reply:
    """The reply to a sale that was taken in before, as it stands now; with its kind.

    Raises:
        VaultError: what was delivered does not open.
    """
    named = keys.Sale
    answer = online.stored(
        exchange.connection,
        exchange.service.key,
        exchange.terminal_id,
        content.uint(named.SEQUENCE),
        exchange.now,
    )
    return {keys.KIND: keys.Kind.SALE, **sale_reply(answer)}


def sale_reply(answer: online.Answer) -> Reply:
    """The reply to kind 2 without its kind."""
    told = keys.SaleReply
    if isinstance(answer, online.Refused):
        return {told.STATUS: keys.REFUSED, told.CODE: answer.code, told.TEXT: answer.text}
    if isinstance(answer, online.Pending):
        return {told.STATUS: keys.PENDING, told.AGAIN: answer.ask_again_s}
    least, most = limits.FLOAT_MINOR
    reply: Reply = {
        told.STATUS: keys.DELIVERED,
        told.PIN: answer.pin,
        told.SERIAL: answer.serial,
        told.EXPIRY: answer.expires_at,
        told.FLOAT: max(least, min(most, answer.float_after_minor)),
    }
    if answer.details:
        reply[told.DETAILS] = [list(pair) for pair in answer.details]
    return reply


def journal(exchange: Exchange, content: Content) -> Reply:
    """Kind 3: records are stored and posted.

    Raises:
        BadMessage: a field does not fit its format.
        InputError: these are no records, or not in a row.
        ConflictError: the journal was forked.
    """
    connection, terminal_id, now = exchange.connection, exchange.terminal_id, exchange.now
    raws = content.items(keys.Journal.RECORDS)
    if not all(isinstance(raw, bytes) for raw in raws):
        raise BadMessage(f"key {keys.Journal.RECORDS}: an array of byte strings is needed")
    acknowledged = intake.take_in(connection, terminal_id, raws, now, is_sealed=True)
    blocked = bool(exchange.owner.blocked)
    if not blocked:
        reconcile.reconcile(connection, terminal_id, now)
        restoring.look(connection, terminal_id, now)
    told = keys.JournalReply
    reply: Reply = {
        told.ACKNOWLEDGED: acknowledged,
        told.FLOAT: _float_told(connection, terminal_id, blocked),
    }
    if wanted := forgotten.wanted(connection, terminal_id):
        reply[told.BATCHES] = wanted
    if blocked:
        reply[told.BLOCKED] = True
    if notices := _notices(exchange, content, keys.Journal):
        reply[told.NOTICES] = notices
    return reply


def stock_file(exchange: Exchange, content: Content) -> Reply:
    """Kind 4: the file of a batch.

    Raises:
        BadMessage: a field does not fit its format.
        NoSuchBatch: not this terminal's, or offered no more.
        TerminalBlocked: it gets no stock.
    """
    connection, terminal_id, now = exchange.connection, exchange.terminal_id, exchange.now
    batch_id = content.uint(keys.Stock.BATCH)
    stock.note_renewal(connection, terminal_id, batch_id, now)
    key = exchange.service.key
    file = stock.deliver(connection, key, exchange.device_keys, terminal_id, batch_id, now)
    return {keys.StockReply.FILE: file}


def stock_received(exchange: Exchange, content: Content) -> Reply:
    """Kind 5: the terminal has stored a batch.

    Raises:
        BadMessage: a field does not fit its format.
        NoSuchBatch: not this terminal's.
        ConflictError: it stored something else.
    """
    batch_id = content.uint(keys.StockReceived.BATCH)
    sha256 = content.octets(keys.StockReceived.SHA_256, 32)
    key, keys_of_it = exchange.service.key, exchange.device_keys
    stock.received(
        exchange.connection, key, keys_of_it, exchange.terminal_id, batch_id, sha256, exchange.now
    )
    return {keys.Done.TRUE: True}


def stock_held(exchange: Exchange, content: Content) -> Reply:
    """Kind 6: what is in a batch that a restored server forgot.

    Raises:
        BadMessage: a field does not fit its format.
        InputError: that batch was not asked for, or the list contradicts itself.
        PricesUnavailable: nothing was decided.
    """
    named = keys.StockHeld
    serials = content.items(named.SERIALS)
    if not all(
        isinstance(serial, str) and limits.within(len(serial), limits.SERIAL_BYTES)
        for serial in serials
    ):
        raise BadMessage(f"key {named.SERIALS}: an array of serial numbers is needed")
    owner = exchange.owner
    product_id = content.text(named.PRODUCT, limits.PRODUCT_ID[1])
    face_minor = content.uint(named.FACE_AMOUNT)
    product = exchange.service.prices.product(owner.catalogue, product_id)
    held = forgotten.Held(
        batch_id=content.uint(named.BATCH),
        product_id=product_id,
        face_minor=face_minor,
        commission_minor=product.commission_minor if product else 0,
        expires_at=content.uint(named.EXPIRY),
        count=content.uint(named.COUNT, limits.BATCH_VOUCHERS[1]),
        first=content.uint(named.FIRST),
        serials=serials,
    )
    forgotten.take_stock_list(exchange.connection, exchange.terminal_id, held, exchange.now)
    return {keys.Done.TRUE: True}


_COUNTERS = {
    keys.Kind.CHECK_IN: keys.CheckIn.COUNTERS,
    keys.Kind.SALE: keys.Sale.COUNTERS,
    keys.Kind.JOURNAL: keys.Journal.COUNTERS,
}


def note_what_it_tells(exchange: Exchange, kind: int, content: Content) -> None:
    """Set aside what a message of `kind` tells besides. It is looked at later: whatever is wrong
    with it, the message does not suffer.
    """
    if kind in _COUNTERS and content.has(_COUNTERS[kind]):
        counters = content.said(_COUNTERS[kind])
        said = counters if isinstance(counters, bytes) else b""
        exchange.told.append((spool.WINDOWS, said[: metrics.TOLD_BYTES[1] + 1]))
    if kind == keys.Kind.CHECK_IN:
        release = content.said(keys.CheckIn.RESTARTS)
        if type(release) is int and limits.within(release, limits.RELEASE):
            exchange.told.append((spool.RESTART, release.to_bytes(4, "big")))


ANSWERS: dict[int, Callable[[Exchange, Content], Reply]] = {
    keys.Kind.CHECK_IN: check_in,
    keys.Kind.SALE: sale,
    keys.Kind.JOURNAL: journal,
    keys.Kind.STOCK: stock_file,
    keys.Kind.STOCK_RECEIVED: stock_received,
    keys.Kind.STOCK_HELD: stock_held,
    keys.Kind.LOOK_UP: looking_up.look_up,
}
"""What answers each kind."""
