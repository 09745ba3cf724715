"""Whether a terminal takes a reply: the bounds of what the server is about to say. For the
terminals' face, before anything of it is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from updater_server.wire import keys, limits


class ReplyUnfit(Exception):
    """The terminal would have to refuse this answer, so nothing of it may happen."""


def check_reply(reply: dict[int, Any], size_bytes: int) -> None:
    """Return only if a terminal takes this reply (docs/formats/limits.toml).

    Raises:
        ReplyUnfit: it would be refused there, perhaps for ever.
    """
    kind = reply[keys.KIND]
    checks: dict[str, bool] = {"size": limits.within(size_bytes, limits.REPLY_BYTES)}
    if kind == keys.Kind.CHECK_IN:
        checks |= _check_in(reply)
    elif kind == keys.Kind.SALE and reply[keys.SaleReply.STATUS] == keys.DELIVERED:
        checks |= _sale(reply)
    elif kind == keys.Kind.SALE and reply[keys.SaleReply.STATUS] == keys.PENDING:
        checks["again"] = limits.within(reply[keys.SaleReply.AGAIN], limits.ASK_AGAIN_S)
    elif kind == keys.Kind.JOURNAL:
        checks |= _journal(reply)
    elif kind == keys.Kind.STOCK:
        file = reply[keys.StockReply.FILE]
        checks["file"] = limits.within(len(file), limits.STOCK_FILE_BYTES)
    wrong = [name for name, fits in checks.items() if not fits]
    if wrong:
        raise ReplyUnfit(f"kind {kind}: {', '.join(wrong)}")


def _check_in(reply: dict[int, Any]) -> dict[str, bool]:
    named = keys.CheckInReply
    waiting, recalled = reply[named.WAITING], reply.get(named.RECALLED, ())
    return {
        "time": limits.within(reply[named.TIME], (0, limits.UINT32)),
        "float": limits.within(reply[named.FLOAT], limits.FLOAT_MINOR),
        "acknowledged": limits.within(reply[named.ACKNOWLEDGED], (0, limits.UINT32)),
        "port": limits.within(reply.get(named.COAP_PORT, 1), limits.COAP_PORT),
        "number": limits.SMS_NUMBER_PATTERN.fullmatch(reply.get(named.SMS_TO, "000")) is not None,
        "text": limits.within(len(reply[named.TEXT] or ""), limits.MERCHANT_TEXT),
        "notices": _notices(reply.get(named.NOTICES, ())),
        "batches": len(waiting) <= limits.BATCHES_WAITING[1]
        and all(limits.within(batch_id, limits.BATCH_ID) for batch_id in [*waiting, *recalled]),
    }


def _sale(reply: dict[int, Any]) -> dict[str, bool]:
    named = keys.SaleReply
    why = limits.unfit_voucher("any", reply[named.PIN], reply[named.SERIAL], reply[named.EXPIRY])
    details = reply.get(named.DETAILS, ())
    return {
        "details": limits.within(len(details), limits.SALE_DETAILS)
        and all(
            limits.DETAIL_LABEL_PATTERN.fullmatch(label) is not None
            and limits.within(len(value), limits.DETAIL_VALUE)
            for label, value in details
        ),
        why or "voucher": why is None,
        "float": limits.within(reply[named.FLOAT], limits.FLOAT_MINOR),
    }


def _notices(notices: Sequence[Any]) -> bool:
    """Each [number, text], or [number, amount, reference, float after]."""
    return limits.within(len(notices), limits.NOTICES) and all(
        limits.within(number, limits.NOTICE_NUMBER)
        and (
            (len(said) == 1 and limits.within(len(said[0]), limits.NOTICE_TEXT))
            if isinstance(said[0], str)
            else (
                limits.within(said[0], limits.TOP_UP_MINOR)
                and limits.within(len(said[1]), limits.NOTICE_REFERENCE)
                and limits.within(said[2], limits.FLOAT_MINOR)
            )
        )
        for number, *said in notices
    )


def _journal(reply: dict[int, Any]) -> dict[str, bool]:
    named = keys.JournalReply
    return {
        "acknowledged": limits.within(reply[named.ACKNOWLEDGED], (0, limits.UINT32)),
        "float": limits.within(reply[named.FLOAT], limits.FLOAT_MINOR),
        "batches": limits.within(len(reply.get(named.BATCHES, ())), limits.STOCK_LISTS_WANTED),
        "notices": _notices(reply.get(named.NOTICES, ())),
    }
