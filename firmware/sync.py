"""What goes to and fro between terminal and server: answers to sales, the journal, float, stock.

Tasks of the terminal call these; each may be cut at any await and called again. Errors are those of
`firmware.messages`; nothing is acknowledged, stored or settled that did not come under the seal.
"""

import gc

from bootloader.shared.compat import const
from firmware import messages
from firmware.messages import FLOAT_MINOR, UINT32, BadReply, ServerRefused, field
from firmware.sales_state import MAX_BATCHES, STOCK
from firmware.stock import MAX_BYTES, StockError

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
            {1: sale.sequence, 2: sale.product_id, 3: sale.amount_minor, 4: sale.time},
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
            except (BadReply, ServerRefused):
                pass  # it stays open; what else was sold must not wait for it
    state = journal.state
    before = state.acknowledged
    end = journal.next_sequence - 1
    while state.acknowledged < end:
        records = []
        room = MESSAGE_BYTES
        first = state.acknowledged + 1
        for sequence, _, _, _, raw in journal.records(first):
            room -= len(raw) + 3
            if room < 0 or sequence > end:
                break
            records.append(raw)
        reply = await messenger.exchange(messages.JOURNAL, {1: records})
        through = field(reply, 1, int, first, first + len(records) - 1)
        ledger_minor = field(reply, 2, int, -FLOAT_MINOR, FLOAT_MINOR)
        if through > state.acknowledged:
            journal.acknowledge(through, ledger_minor)
    return state.acknowledged - before


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
    if not journal.state.acknowledged <= through < journal.next_sequence:
        raise BadReply("the server has records up to %d" % through)
    journal.acknowledge(through, ledger_minor, time)
    return reply


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
    for batch_id in batch_ids:
        state = journal.state
        known = batch_id in state.batches
        if not known:
            if batch_id <= state.forgotten_batch:
                continue
            if len(state.batches) >= MAX_BATCHES and state.spent_batch() is None:
                break
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
            before = list(state.batches)
            journal.append(STOCK, [batch_id, count])
            for gone in before:
                if gone not in state.batches:
                    stock.remove(gone)
            new += 1
        try:
            await messenger.exchange(messages.STOCK_RECEIVED, {1: batch_id, 2: digest})
        except (BadReply, ServerRefused):
            pass  # it is sold from all the same, and confirmed later
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
