"""What goes to and fro between terminal and server: answers to sales, the journal, float, stock.

Tasks of the terminal call these; each may be cut at any await and called again. Errors are those of
`firmware.messages`; nothing is acknowledged, stored or settled that did not come under the seal.
"""

import gc

from bootloader.shared.compat import const
from firmware import messages
from firmware.journal import JournalFull
from firmware.messages import FLOAT_MINOR, UINT32, BadReply, ServerRefused, field
from firmware.sales_state import MAX_BATCHES, OFFLINE, STOCK, restated
from firmware.stock import MAX_BYTES, StockError
from firmware.till import SaleRefused

MESSAGE_BYTES = const(1900)  # of records; sealed it stays under 2 KiB


async def ask(messenger, till, sale):
    """Ask the server for the voucher of an online sale; it answers the same for ever.

    Returns "" when the till holds the voucher, else the code of the server's refusal (journaled).

    Raises:
        NoNetwork, BadReply, ServerRefused: no answer; the sale stays open.
    """
    try:
        reply = await messenger.exchange(
            messages.SALE,
            {
                1: sale.sequence,
                2: sale.product_id,
                3: sale.amount_minor,
                4: sale.time,
                20: sale.commission_minor,
            },
        )
    except ServerRefused as refused:
        # Both say for good that this sequence is not this sale.
        if refused.code not in ("conflict", "bad_message"):
            raise
        till.refused(sale, refused.code)
        return refused.code
    if field(reply, 1, int, 0, 1) == 0:
        till.delivered(sale, reply)
        return ""
    code = field(reply, 6, str, 1, 32)
    till.refused(sale, code)
    return code


async def sync(journal, messenger, till):
    """Settle open online sales, then send the journal; returns how many records were acknowledged.

    Records written meanwhile are left for the next time.

    Raises:
        NoNetwork, BadReply, ServerRefused: the rest waits; what was acknowledged stays so.
    """
    for sale in till.unfinished():
        if not sale.has_voucher:
            try:
                await ask(messenger, till, sale)
            except (BadReply, ServerRefused, SaleRefused):
                pass  # it stays open; what else was sold must not wait for it
    try:
        till.give_up_lost()
    except SaleRefused:
        pass  # no room in the journal: what follows makes some
    state = journal.state
    before = state.acknowledged
    await _tell(journal, messenger, till, min(before, messenger.told))
    return state.acknowledged - before


async def _tell(journal, messenger, till, told):
    """Send the records behind number `told`, up to which the server has them; settle on the way."""
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
        reply = await messenger.exchange(messages.JOURNAL, {1: records})
        through = field(reply, 1, int, told, journal.next_sequence - 1)
        ledger_minor = field(reply, 2, int, -FLOAT_MINOR, FLOAT_MINOR)
        till.blocked = reply.get(7) is True
        if through > state.acknowledged:
            _settle(journal, through, ledger_minor)
        if through > told:
            told = messenger.told = through
            listed = False
        elif listed or 6 not in reply:
            break
        else:
            # a restored server asks what is in a batch before it can book sales from it
            listed = True
            for batch_id in field(reply, 6, list, 0, 8):
                await _list_stock(messenger, till.stock, batch_id)


async def _list_stock(messenger, stock, batch_id):
    """Tell a restored server which vouchers it had delivered in a batch."""
    try:
        product_id, amount_minor, expiry, count = stock.head(batch_id)
        first = 0
        while first < count:
            serials = []
            room = MESSAGE_BYTES
            while first + len(serials) < count:
                serial = stock.entry(batch_id, first + len(serials))[0]
                room -= len(serial.encode()) + 2
                if room < 0:
                    break
                serials.append(serial)
            await messenger.exchange(
                messages.STOCK_HELD,
                {
                    1: batch_id,
                    2: product_id,
                    3: amount_minor,
                    4: expiry,
                    5: count,
                    6: first,
                    7: serials,
                },
            )
            first += len(serials)
    except StockError:
        await messenger.exchange(
            messages.STOCK_HELD, {1: batch_id, 2: "-", 3: 0, 4: 0, 5: 0, 6: 0, 7: []}
        )


def _settle(journal, through, ledger_minor, time=0):
    try:
        journal.acknowledge(through, ledger_minor, time)
    except JournalFull as full:
        raise BadReply(str(full))


async def check_in(journal, messenger, till, status):
    """Tell the server how the terminal is and take over its float; returns the reply's map.

    `status`: fields 1 to 8 of message kind 1 (time, release, slot, on trial, boot count, battery,
    signal, last failure), and 11 when other files are refused than it last said. Reply: `1` time,
    `4` text or None, `5` batch ids waiting, `6` (perhaps) batch ids recalled.

    Raises:
        NoNetwork, ServerRefused: see there.
        BadReply: also if the server's journal cannot be this one's; the float is then left alone.
    """
    fields = dict(status)
    fields[9] = till.float_minor
    fields[10] = [journal.oldest, journal.next_sequence]
    reply = await messenger.exchange(messages.CHECK_IN, fields)
    time = field(reply, 1, int, 0, UINT32)
    ledger_minor = field(reply, 2, int, -FLOAT_MINOR, FLOAT_MINOR)
    through = field(reply, 3, int, 0)
    if reply.get(4) is not None:
        field(reply, 4, str, 0, 200)
    for key in (5, 6):
        for batch_id in field(reply, key, list, 0, 16) if key in reply else ():
            field({key: batch_id}, key, int, 1, UINT32)
    field(reply, 5, list)
    if through >= journal.next_sequence:
        raise BadReply("the server has records up to %d" % through)
    messenger.told = through
    till.blocked = reply.get(7) is True
    if through < journal.state.acknowledged:
        # It was put back from a back-up: it hears again what it has forgotten, and its figure of
        # the float is not believed until then.
        await _tell(journal, messenger, till, through)
    else:
        _settle(journal, through, ledger_minor, time)
    return reply


def _needed(journal):
    """{batch id: indexes} of what an open sale or the last one may still have to open."""
    state = journal.state
    needed = {}
    for known in state.unfinished + ([state.last_sale] if state.last_sale else []):
        said = restated(journal.read, known)
        if said and said[0] == OFFLINE:
            needed.setdefault(said[5], []).append(said[6])
    return needed


async def _renew_stock(journal, messenger, stock):
    """Fetch again what open sales, the last sale or sales to come need and `stock` cannot open.

    Raises:
        NoNetwork: the rest waits.
    """
    state = journal.state
    needed = _needed(journal)
    for batch_id in needed:
        try:
            for index in needed[batch_id]:
                stock.open_pin(batch_id, index)
        except StockError:
            stock.doubt(batch_id)
    to_sell = [b for b, position in state.batches.items() if position[0] < position[1]]
    for batch_id in sorted(needed) + sorted(to_sell):
        if not stock.may_renew(batch_id):
            continue
        try:
            reply = await messenger.exchange(messages.STOCK, {1: batch_id})
            stock.renew(batch_id, field(reply, 1, bytes, 1, MAX_BYTES))
        except (BadReply, ServerRefused, StockError, MemoryError):
            reply = None  # what else can be mended must not wait for it
            gc.collect()


def stop_batches(journal, batch_ids):
    """Sell no more from batches that the office recalled: in the journal each is as good as sold
    out. Their files stay, for sales that are not at their end. Raises JournalFull.
    """
    for batch_id in batch_ids:
        position = journal.state.batches.get(batch_id)
        if position and position[0] < position[1]:
            journal.append(STOCK, [batch_id, position[0]])


async def fetch_stock(journal, messenger, stock, batch_ids, refused=None):
    """Fetch, check, store and confirm the batches that wait; returns how many are new.

    A batch is sold from only once its `stock` record is in the journal. One that was sold out and
    forgotten is never taken again. One that cannot be had keeps none of the others away:
    `refused(batch_id, why)` is called when the server's own word, under its seal, is no batch that
    fits here; the server learns it with the next check-in.

    Raises:
        NoNetwork: the rest waits.
        JournalFull: the file is stored but not sold from; it is fetched again later.
    """
    new = 0
    await _renew_stock(journal, messenger, stock)
    for batch_id in batch_ids:
        state = journal.state
        known = batch_id in state.batches
        if not known:
            if batch_id <= state.forgotten_batch:
                continue
            if len(state.batches) >= MAX_BATCHES and state.spent_batch() is None:
                break
            if not journal.room_for_sale():
                break  # it could not be sold from: first the journal must be sent
        try:
            count, digest = await _file(messenger, stock, batch_id, known)
        except (StockError, MemoryError) as error:
            gc.collect()
            if refused:
                refused(batch_id, str(error) if isinstance(error, StockError) else "no memory")
            continue
        except (BadReply, ServerRefused):
            continue  # somebody on the way may have spoiled it: asked for again at the next one
        if not known:
            journal.append(STOCK, [batch_id, count])
            new += 1
        try:
            await messenger.exchange(messages.STOCK_RECEIVED, {1: batch_id, 2: digest})
        except (BadReply, ServerRefused):
            pass  # it is sold from all the same, and confirmed later
    if new:
        # that of a sold-out batch stays as long as a sale of it may be handed over or copied
        stock.keep_only(set(_needed(journal)).union(journal.state.batches))
    return new


async def _file(messenger, stock, batch_id, known):
    """(number of vouchers, SHA-256) of a batch's stored file, fetched if it is not here."""
    if known:
        try:
            return 0, stock.digest(batch_id)
        except StockError:
            pass
    reply = await messenger.exchange(messages.STOCK, {1: batch_id})
    count = stock.store(batch_id, field(reply, 1, bytes, 1, MAX_BYTES))
    return count, stock.digest(batch_id)
