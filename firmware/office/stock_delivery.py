"""Stock that the server has for this terminal: fetched, stored, confirmed, fetched again, recalled
(message kinds 4 and 5), and wiped.

Each call may be cut at any await and made again.
"""

from bootloader.shared.compat import collect, const
from firmware.office.messenger import STOCK, STOCK_RECEIVED, BadReply, ServerRefused, field
from firmware.sales.journal import JournalFull
from firmware.sales.state import INTENT_OFFLINE, MAX_BATCHES, restated
from firmware.sales.state import STOCK as STOCK_RECORD
from firmware.sales.stock import MAX_BYTES, StockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firmware.office.messenger import Messenger
    from firmware.sales.journal import Journal
    from firmware.sales.stock import Stock

_WIPED = const(1)
_STOCK_BATCH = const(1)
_STOCK_REPLY_FILE = const(1)
_STOCK_RECEIVED_BATCH = const(1)
_STOCK_RECEIVED_SHA_256 = const(2)


def _needed(journal: "Journal", of: "list[list[int]] | None" = None) -> dict[int, list[int]]:
    """{batch id: indexes} of what an open sale or the last one may still have to open; `of`: of
    these sales alone.
    """
    state = journal.state
    needed: dict[int, list[int]] = {}
    if of is None:
        of = state.unfinished + ([state.last_sale] if state.last_sale else [])
    for known in of:
        said = restated(journal.read, known)
        if said and said[0] == INTENT_OFFLINE:
            needed.setdefault(said[5], []).append(said[6])
    return needed


async def _renew_stock(journal: "Journal", messenger: "Messenger", stock: "Stock") -> None:
    """Fetch again what open sales, the last sale or sales to come need and `stock` cannot open.

    Raises:
        NoNetwork: the rest waits.
    """
    state = journal.state
    needed = _needed(journal)
    for batch_id in set(needed) - set(_needed(journal, state.unfinished)):
        if batch_id <= stock.wiped_through:
            del needed[batch_id]
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
            stock.renew(batch_id, await _fetched(messenger, batch_id))
        except (BadReply, ServerRefused, StockError, MemoryError):
            collect()  # what else can be mended must not wait for it


def stop_batches(journal: "Journal", batch_ids: "Iterable[int]") -> None:
    """Sell no more from batches that the office recalled: in the journal each is as good as sold
    out. Their files stay, for sales that are not at their end. Raises JournalFull.
    """
    for batch_id in batch_ids:
        position = journal.state.batches.get(batch_id)
        if position and position[0] < position[1]:
            journal.append(STOCK_RECORD, [batch_id, position[0]])


def wipe(journal: "Journal", stock: "Stock") -> int:
    """Wipe the stock: the terminal is stolen, or was away for too long. How many batches the
    journal says it of.

    First the journal says of each batch that nothing of it is sold from its next index on, so that
    the office can have it back; then the files go, but for those that a sale that is not at its end
    needs. In a full journal nothing is said, and the files go all the same: then the batches are
    fetched again once the terminal is home. Harmless twice.
    """
    state = journal.state
    wiped = 0
    try:
        for batch_id, (index, count) in sorted(state.batches.items()):
            if index < count:
                journal.append(STOCK_RECORD, [batch_id, index, _WIPED])
                wiped += 1
    except JournalFull:
        pass
    stock.keep_only(_needed(journal, state.unfinished))
    return wiped


async def fetch_stock(
    journal: "Journal",
    messenger: "Messenger",
    stock: "Stock",
    batch_ids: "Iterable[int]",
    refused: "Callable[[int, str], None] | None" = None,
) -> int:
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
            collect()
            if refused:
                refused(batch_id, str(error) if isinstance(error, StockError) else "no memory")
            continue
        except (BadReply, ServerRefused):
            continue  # somebody on the way may have spoiled it: asked for again at the next one
        if not known:
            journal.append(STOCK_RECORD, [batch_id, count])
            new += 1
        received = {_STOCK_RECEIVED_BATCH: batch_id, _STOCK_RECEIVED_SHA_256: digest}
        try:
            await messenger.exchange(STOCK_RECEIVED, received)
        except (BadReply, ServerRefused):
            pass  # it is sold from all the same, and confirmed later
    if new:
        # that of a sold-out batch stays as long as a sale of it may be handed over or copied
        stock.keep_only(set(_needed(journal)).union(journal.state.batches))
    return new


async def _file(
    messenger: "Messenger", stock: "Stock", batch_id: int, known: bool
) -> tuple[int, bytes]:
    """(number of vouchers, SHA-256) of a batch's stored file, fetched if it is not here."""
    if known:
        try:
            return 0, stock.digest(batch_id)
        except StockError:
            pass
    count = stock.store(batch_id, await _fetched(messenger, batch_id))
    return count, stock.digest(batch_id)


async def _fetched(messenger: "Messenger", batch_id: int) -> bytes:
    reply = await messenger.exchange(STOCK, {_STOCK_BATCH: batch_id})
    return field(reply, _STOCK_REPLY_FILE, bytes, 1, MAX_BYTES)
