"""Message kind 7: who a recipient is, before money moves. For `messages`.

Costs nothing and keeps nothing. A supplier that knows its customers is asked while the terminal
waits; without an answer in time there is nothing to be sold.
"""

from __future__ import annotations

from concurrent.futures import Future

from updater_server.faces.exchange import Exchange, Reply, Wait, recipient_of
from updater_server.sales import look_ups, online
from updater_server.sales.suppliers.base import Known, Rejected, Unclear
from updater_server.store.engine import when_committed
from updater_server.wire import keys, limits
from updater_server.wire.content import Content


def look_up(exchange: Exchange, content: Content) -> Reply:
    """Kind 7: whether a recipient can be sold to, before money moves; where its supplier knows its
    customers, that supplier is asked.

    Raises:
        BadMessage: a field does not fit its format.
        PricesUnavailable: nothing is known.
    """
    named = keys.LookUp
    service, connection = exchange.service, exchange.connection
    product = content.text(named.PRODUCT, limits.PRODUCT_ID[1])
    recipient = recipient_of(content, named.RECIPIENT)
    content.uint(named.AMOUNT)
    code = look_ups.why_not(
        connection, service.prices, exchange.owner, product, recipient, service.desk
    )
    if code is not None or service.desk is None:
        return _unknown(code or "supplier_down")
    asked = look_ups.asked(
        connection, service.prices, exchange.owner, product, recipient, service.desk, exchange.now
    )
    if asked is None:
        return _known(Known())
    told: Future[Known | Rejected | Unclear] = Future()
    desk = service.desk
    when_committed(connection, lambda: desk.look_up(*asked, told))
    exchange.waits_for.append(
        Wait(told, lambda _exchange, _content: _looked_up(told), lambda: None)
    )
    return _unknown("supplier_down")


def _looked_up(told: Future[Known | Rejected | Unclear]) -> Reply:
    """What a supplier has said by now; with its kind."""
    reply = _unknown("supplier_down")
    if told.done():
        answer = told.result()
        if isinstance(answer, Known):
            reply = _known(answer)
        elif isinstance(answer, Rejected):
            reply = _unknown(
                "bad_recipient" if answer.code == "supplier_refused" else "supplier_down"
            )
    return {keys.KIND: keys.Kind.LOOK_UP, **reply}


def _known(answer: Known) -> Reply:
    told, most = keys.LookUpReply, limits.AMOUNT_MINOR[1]
    return {
        told.STATUS: keys.DELIVERED,
        told.NAME: answer.name,
        told.LEAST: min(answer.least_minor, most),
        told.MOST: min(answer.most_minor, most),
    }


def _unknown(code: str) -> Reply:
    told = keys.LookUpReply
    return {told.STATUS: keys.REFUSED, told.CODE: code, told.TEXT: online.REFUSALS[code]}
