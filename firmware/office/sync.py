"""Sending the journal, and what a restored server asks about stock (message kinds 3 and 6).

Each call may be cut at any await and made again; nothing is acknowledged or settled that did not
come under the seal.
"""

from bootloader.shared.compat import const
from firmware import counts
from firmware.lent import give_back, load
from firmware.office import windows
from firmware.office.messenger import (
    FLOAT_MINOR,
    JOURNAL,
    STOCK_HELD,
    BadReply,
    NoNetwork,
    ServerRefused,
    field,
)
from firmware.sales.journal import JournalFull
from firmware.sales.sale import SaleRefused
from firmware.sales.stock import StockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.office.messenger import Content, Messenger
    from firmware.sales.journal import Journal
    from firmware.sales.stock import Stock
    from firmware.sales.till import Till

_ASK = "firmware.office.ask"
MESSAGE_BYTES = const(1900)  # of records; sealed it stays under 2 KiB
_SETTLEMENTS = const(8)
"""So many, of two idle days, are worth a message of their own."""
_JOURNAL_RECORDS = const(1)
_JOURNAL_COUNTERS = const(13)
_NOTICES = const(17)
_NO_ROOM = const(18)
_REPLY_NOTICES = const(10)
_JOURNAL_REPLY_ACKNOWLEDGED = const(1)
_JOURNAL_REPLY_FLOAT = const(2)
_JOURNAL_REPLY_BATCHES = const(6)
_JOURNAL_REPLY_BLOCKED = const(7)
_STOCK_HELD_BATCH = const(1)
_STOCK_HELD_PRODUCT = const(2)
_STOCK_HELD_FACE_AMOUNT = const(3)
_STOCK_HELD_EXPIRY = const(4)
_STOCK_HELD_COUNT = const(5)
_STOCK_HELD_FIRST = const(6)
_STOCK_HELD_SERIALS = const(7)
_SETTLES_TRIED = const(12)
_SETTLES_FAILED = const(13)
_JOURNAL_LOST = const(27)


async def sync(
    journal: "Journal", messenger: "Messenger", till: "Till", also_settled: bool = True
) -> int:
    """Settle open online sales, then send the journal; returns how many records were acknowledged.

    Records written meanwhile are left for the next time. Settlements alone, which the server knows,
    wait for company, or, if `also_settled`, until they are many.

    Raises:
        NoNetwork, BadReply, ServerRefused: the rest waits; what was acknowledged stays so.
    """
    for sale in till.unfinished():
        if sale.has_voucher or till.due_ms(sale) or sale.sequence == till.under_way:
            continue  # what its merchant asks for right now would come, and be paid, twice
        try:
            await load(_ASK).ask(messenger, till, sale)
        except SaleRefused:
            pass  # no room for its answer: what follows makes some
        except (BadReply, ServerRefused):
            till.rest(sale)  # it stays open; what else was sold must not wait for it
        finally:
            give_back((_ASK,))
    try:
        till.give_up_lost()
    except SaleRefused:
        pass  # no room in the journal: what follows makes some
    state = journal.state
    before = state.acknowledged
    told = min(before, messenger.told)
    end = journal.next_sequence - 1
    if journal.has_news(told, end) or (also_settled and end - told >= _SETTLEMENTS):
        await tell(journal, messenger, till, told)
    return state.acknowledged - before


async def tell(journal: "Journal", messenger: "Messenger", till: "Till", told: int) -> None:
    """Send the records behind number `told`, up to which the server has them; settle on the way.

    Raises:
        NoNetwork, BadReply, ServerRefused: as `sync`.
    """
    state = journal.state
    end = journal.next_sequence - 1
    listed = False
    while told < end and told + 1 >= journal.oldest:
        records = []
        room = MESSAGE_BYTES
        for sequence, _, _, _, raw in journal.records(told + 1):
            room -= len(raw) + 3
            if room < 0 or sequence > end:
                break
            records.append(raw)
        # That a record is lost is said only with one behind it that is not: a start finds the end
        # of the journal anew, and the number of a lost last record is then given to another.
        while records and not records[-1]:
            records.pop()
        if not records:
            break
        reply = await _told(messenger, records)
        through = field(reply, _JOURNAL_REPLY_ACKNOWLEDGED, int, told, journal.next_sequence - 1)
        ledger_minor = field(reply, _JOURNAL_REPLY_FLOAT, int, -FLOAT_MINOR, FLOAT_MINOR)
        till.blocked = reply.get(_JOURNAL_REPLY_BLOCKED) is True
        if through > state.acknowledged:
            settle(journal, through, ledger_minor)
        if through > told:
            told = messenger.told = through
            listed = False
        elif listed or _JOURNAL_REPLY_BATCHES not in reply:
            break
        else:
            # a restored server asks what is in a batch before it can book sales from it
            listed = True
            for batch_id in field(reply, _JOURNAL_REPLY_BATCHES, list, 0, 8):
                await _list_stock(messenger, till.stock, batch_id)


async def _told(messenger: "Messenger", records: list[bytes]) -> "Content":
    question: Content = {_JOURNAL_RECORDS: records}
    counted = windows.due()
    if counted:
        question[_JOURNAL_COUNTERS] = counted
    counts.add(_SETTLES_TRIED)
    try:
        reply = await with_notices(messenger, JOURNAL, question)
    except (NoNetwork, BadReply):
        counts.add(_SETTLES_FAILED)
        raise
    windows.answered(counted)
    counts.add(_JOURNAL_LOST, records.count(b""))
    return reply


async def with_notices(messenger: "Messenger", kind: int, fields: "Content") -> "Content":
    """`messenger.exchange`, which says besides what notices are here, if the office has not heard
    it, and notes those that it tells.
    """
    notice = messenger.notice
    if notice != messenger.notice_told:
        fields[_NOTICES] = notice
    if messenger.no_room:
        fields[_NO_ROOM] = True
        messenger.no_room -= 1
    reply = await messenger.exchange(kind, fields)
    messenger.notice_told = notice
    messenger.notices = reply.get(_REPLY_NOTICES)
    return reply


def settle(journal: "Journal", through: int, ledger_minor: int, time: int = 0) -> None:
    """The server has the journal up to `through`, and this float on its ledger. Raises BadReply."""
    try:
        journal.acknowledge(through, ledger_minor, time)
    except JournalFull as full:
        raise BadReply(str(full))


async def _list_stock(messenger: "Messenger", stock: "Stock", batch_id: int) -> None:
    """Tell a restored server which vouchers it had delivered in a batch."""
    try:
        product_id, amount_minor, expiry, count = stock.head(batch_id)
        first = 0
        while first < count:
            serials: list[str] = []
            room = MESSAGE_BYTES
            while first + len(serials) < count:
                serial = stock.entry(batch_id, first + len(serials))[0]
                room -= len(serial.encode()) + 2
                if room < 0:
                    break
                serials.append(serial)
            await messenger.exchange(
                STOCK_HELD,
                {
                    _STOCK_HELD_BATCH: batch_id,
                    _STOCK_HELD_PRODUCT: product_id,
                    _STOCK_HELD_FACE_AMOUNT: amount_minor,
                    _STOCK_HELD_EXPIRY: expiry,
                    _STOCK_HELD_COUNT: count,
                    _STOCK_HELD_FIRST: first,
                    _STOCK_HELD_SERIALS: serials,
                },
            )
            first += len(serials)
    except StockError:
        await messenger.exchange(
            STOCK_HELD,
            {
                _STOCK_HELD_BATCH: batch_id,
                _STOCK_HELD_PRODUCT: "-",
                _STOCK_HELD_FACE_AMOUNT: 0,
                _STOCK_HELD_EXPIRY: 0,
                _STOCK_HELD_COUNT: 0,
                _STOCK_HELD_FIRST: 0,
                _STOCK_HELD_SERIALS: [],
            },
        )
