"""Asking the server for the voucher of one online sale (message kind 2)."""

from bootloader.shared.compat import const, ticks_diff, ticks_ms
from firmware import counts
from firmware.lent import give_back, load
from firmware.office.messenger import FLOAT_MINOR, SALE, UINT32, NoNetwork, ServerRefused, field
from firmware.sales.sale import PENDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.office.messenger import Content, Messenger
    from firmware.sales.sale import Sale
    from firmware.sales.till import Till

_SALE_SEQUENCE = const(1)
_SALE_PRODUCT = const(2)
_SALE_AMOUNT = const(3)
_SALE_TIME = const(4)
_SALE_COMMISSION = const(20)
_SALE_RECIPIENT = const(21)
_SALE_CANCEL = const(22)
_CANCELLING = "firmware.sales.cancelling"
_BY_SMS = ("firmware.net.modem.sms", "firmware.office.by_sms")
_SALE_REPLY_STATUS = const(1)
_SALE_REPLY_PIN = const(2)
_SALE_REPLY_SERIAL = const(3)
_SALE_REPLY_EXPIRY = const(4)
_SALE_REPLY_FLOAT = const(5)
_SALE_REPLY_CODE = const(6)
_SALE_REPLY_AGAIN = const(8)
_SALE_REPLY_DETAILS = const(9)
# As the server holds them: docs/formats/limits.toml.
MIN_PIN_BYTES = const(4)
MAX_PIN_BYTES = const(32)
MAX_SERIAL_BYTES = const(40)
_DELIVERED = const(0)  # values of the status
_PENDING = const(2)
MAX_DETAILS = const(12)
MAX_LABEL = const(16)
MAX_VALUE = const(64)
MAX_AGAIN_S = const(3600)
_SALES_ANSWERED = const(2)
_SALES_FAILED = const(3)
_SALES_TIMED_OUT = const(4)
_ANSWER = const(33)


async def ask(messenger: "Messenger", till: "Till", sale: "Sale", by_sms: bool = False) -> str:
    """Ask the server for the voucher of an online sale; it answers the same for ever. Where the
    answer was lost on its way it is asked again at once: a customer waits for it. `by_sms`: with
    one short message instead, which is paid for and never sent twice unasked.

    Returns "" when the till holds the voucher, `PENDING` when nothing is decided (the till knows
    when to ask again), else the code of the server's refusal (journaled).

    Raises:
        NoNetwork, BadReply, ServerRefused: no answer; the sale stays open.
    """
    question: Content = {
        _SALE_SEQUENCE: sale.sequence,
        _SALE_PRODUCT: sale.product_id,
        _SALE_AMOUNT: sale.amount_minor,
        _SALE_TIME: sale.time,
        _SALE_COMMISSION: sale.commission_minor,
    }
    if sale.recipient:
        question[_SALE_RECIPIENT] = sale.recipient
    if till.journal.next_sequence > sale.sequence + 1:  # else it was begun just now
        if load(_CANCELLING).is_asked(till.journal, sale.sequence):
            question[_SALE_CANCEL] = True
        give_back((_CANCELLING,))
    asked_ms = ticks_ms()
    try:
        if by_sms:
            for one in till.unfinished():  # its answer may have come since it was asked for
                if one.sequence == sale.sequence and one.has_voucher:
                    sale.voucher_sequence = one.voucher_sequence
                    return ""
            return settled(till, sale, await _by_sms(messenger, sale.sequence, question))
        try:
            reply = await messenger.exchange(SALE, question)
        except NoNetwork as error:
            if not error.may_be_seen:
                raise
            counts.add(_SALES_TIMED_OUT)
            asked_ms = ticks_ms()
            reply = await messenger.exchange(SALE, question)
    except ServerRefused as refused:
        # Both say for good that this sequence is not this sale.
        if refused.code not in ("conflict", "bad_message"):
            raise
        till.refused(sale, refused.code)
        counts.add(_SALES_FAILED)
        return refused.code
    counts.took(_ANSWER, ticks_diff(ticks_ms(), asked_ms))
    return settled(till, sale, reply)


async def _by_sms(messenger: "Messenger", sequence: int, question: "Content") -> "Content":
    """The reply to a question that goes by short message."""
    try:
        by_sms = load(_BY_SMS[1], _BY_SMS[:1])
        return await messenger.exchange(
            SALE, question, lambda plain: by_sms.ask(messenger, sequence, plain)
        )
    finally:
        give_back(_BY_SMS)


def settled(till: "Till", sale: "Sale", reply: "Content") -> str:
    """Tell the till what the server answered to `sale`; what `ask` returns. Harmless twice.

    Raises:
        BadReply: it is not as specified.
    """
    status = field(reply, _SALE_REPLY_STATUS, int, _DELIVERED, _PENDING)
    if status == _DELIVERED:
        till.delivered(sale, *delivery(reply))
        counts.add(_SALES_ANSWERED)
        return ""
    if status == _PENDING:
        till.pending(sale, field(reply, _SALE_REPLY_AGAIN, int, 1, MAX_AGAIN_S))
        return PENDING
    code = field(reply, _SALE_REPLY_CODE, str, 1, 32)
    till.refused(sale, code)
    counts.add(_SALES_ANSWERED)
    return code


def delivery(reply: "Content") -> tuple[str, str, int, int, list[list[str]]]:
    """(PIN, serial, expiry, float in minor units, details) of the answer that a sale is delivered.

    Raises:
        BadReply: it is not as specified; the sale stays without an answer.
    """
    pin = field(reply, _SALE_REPLY_PIN, str, 1)
    serial = field(reply, _SALE_REPLY_SERIAL, str)
    field({_SALE_REPLY_PIN: pin.encode()}, _SALE_REPLY_PIN, bytes, MIN_PIN_BYTES, MAX_PIN_BYTES)
    raw: Content = {_SALE_REPLY_SERIAL: serial.encode()}
    field(raw, _SALE_REPLY_SERIAL, bytes, 1, MAX_SERIAL_BYTES)
    expiry = field(reply, _SALE_REPLY_EXPIRY, int, 0, UINT32)
    after_minor = field(reply, _SALE_REPLY_FLOAT, int, -FLOAT_MINOR, FLOAT_MINOR)
    return pin, serial, expiry, after_minor, _details(reply)


def _details(reply: "Content") -> list[list[str]]:
    if _SALE_REPLY_DETAILS not in reply:
        return []
    details: list[list[str]] = field(reply, _SALE_REPLY_DETAILS, list, 0, MAX_DETAILS)
    for pair in details:
        both: Content = {_SALE_REPLY_DETAILS: pair}
        label, value = field(both, _SALE_REPLY_DETAILS, list, 2, 2)
        field({_SALE_REPLY_DETAILS: label}, _SALE_REPLY_DETAILS, str, 1, MAX_LABEL)
        field({_SALE_REPLY_DETAILS: value}, _SALE_REPLY_DETAILS, str, 0, MAX_VALUE)
    return details
