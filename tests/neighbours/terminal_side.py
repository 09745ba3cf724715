"""A terminal of one tree: its real till, journal, stock and messages, on CPython, in a process of
its own. It says on a line of JSON what it wants of the server, and reads the answer.

    python terminal_side.py TREE FOLDER talk|take-over|read

`talk` lives through a day in which every message and every record occurs, and leaves its flash in
FOLDER; `take-over` begins with the flash that another release left, as after an update or a way
back; `read` reads the files that a server signs.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

from bootloader.shared.release import Release, ReleaseRefused
from bootloader.shared.rollout import Rollout
from firmware.kept.config import Config
from firmware.kept.store import Store
from firmware.office import stock_delivery, sync
from firmware.office.messenger import ServerRefused
from firmware.sales.catalogue import Catalogue
from firmware.update.record import Record
from tests.merchant.test_config import GOOD
from tests.money.nor import Nor
from tests.money.shop import TIME, Shop, run

SETTING, CARRIED, LOOK_UP = 10, 11, 7
SECTORS = 8


def ask(*what: Any) -> Any:
    """Have the server do something."""
    print(json.dumps(what), flush=True)
    return json.loads(sys.stdin.readline())


class Far:
    """The server, as the till's tests know one."""

    time = TIME

    @staticmethod
    def post(body: bytes) -> tuple[int, bytes]:
        """One message."""
        status, reply = ask("post", body.hex())
        return status, bytes.fromhex(reply)


class Heard:
    """Which kinds of messages were answered as they should be."""

    def __init__(self, shop: Shop) -> None:
        self.kinds: set[int] = set()
        exchange = shop.messenger.exchange

        async def noted(kind: int, fields: Any) -> Any:
            reply = await exchange(kind, fields)
            self.kinds.add(kind)
            return reply

        shop.messenger.exchange = noted


def talk(folder: Path) -> dict[str, Any]:
    """A day with everything in it."""
    shop = Shop(Nor(b"\xff" * SECTORS * 4096), Far(), [], folder / "stock", 1)  # type: ignore[arg-type]
    heard = Heard(shop)
    first = ask("assign")
    shop.check_in()
    shop.check_in()
    shop.till.person = 3  # a release of before notes it nowhere
    assert shop.sell_online() == ""
    _cancel(shop)
    for _ in range(2):
        sale = shop.sell_offline()
    shop.till.reprint(sale)
    refused = shop.sell_online("air100")
    assert refused, "the server sells no such thing"
    shop.sync()
    run(shop.messenger.exchange(LOOK_UP, {1: "air50", 2: "0712345678", 3: 5000}))
    ask("back_up")
    _fill_the_ring(shop)
    second = ask("assign")
    shop.check_in()
    shop.sell_offline()
    shop.sync()
    ask("put_back")
    for _ in range(3):
        shop.check_in()
        shop.sync()
    ask("finish")
    ask("recall", second)
    _, _, _, recalled = shop.check_in()
    stock_delivery.stop_batches(shop.journal, recalled)
    shop.sync()
    closes = _close_the_day(shop)
    _leave(shop, folder)
    told = {"messages": sorted(heard.kinds), "batches": [first, second], "closes_days": closes}
    return {**told, **_told(shop)}


def _cancel(shop: Shop) -> None:
    """A sale that is to be cancelled; a server of before delivers it."""
    try:
        from firmware.sales import cancelling
    except ImportError:
        return  # a release of before cannot ask
    cancelling.ask(shop.journal, shop.till.begin_online("air50"))
    shop.sync()
    shop.recover()
    assert not shop.till.unfinished()


def _close_the_day(shop: Shop) -> bool:
    """A shift and a Z report; False of a release that has none."""
    try:
        from firmware.sales import shifts, tally
    except ImportError:
        return False
    books = shifts.Shifts(shop.journal)
    books.open_shift(3, 20000)
    asyncio.run(books.look_back())
    added = tally.Tally(shop.journal, books.open[0].number, only=3)
    books.close_shift(books.open[0], 19000, added, 0)
    books.make_z(tally.Tally(shop.journal, books.next_z()[1]))
    shop.sync()
    return True


def _fill_the_ring(shop: Shop) -> None:
    """An open sale is carried on when its sector comes round again."""
    sale = shop.till.begin_online("air50")
    for number in range(2000):
        shop.journal.append(SETTING, ["language", number])
        if number % 15 == 0:
            run(sync.tell(shop.journal, shop.messenger, shop.till, shop.journal.state.acknowledged))
        kinds = {kind for _, kind, *_ in shop.journal.records(shop.journal.oldest)}
        if CARRIED in kinds:
            break
    else:
        raise AssertionError("nothing was carried on")
    shop.recover()
    assert not [each for each in shop.till.unfinished() if each.sequence == sale.sequence]


def _leave(shop: Shop, folder: Path) -> None:
    """What another release finds: flash, and the small files."""
    (folder / "flash.bin").write_bytes(bytes(shop.flash.cells))
    (folder / "data").mkdir(exist_ok=True)
    record = Record(Store(str(folder / "data")), print_nothing, lambda: TIME)
    record.whole, record.looked_s, record.news = "seal", TIME, {"en": "Faster"}
    record.refused = [[7, "crash"], [8, "self-test: no printer"]]
    record.save()
    (folder / "data" / "config.json").write_text(json.dumps(GOOD))


def print_nothing(_text: str) -> None:
    """A log that nobody reads."""


def _told(shop: Shop) -> dict[str, Any]:
    """How the till stands: money, what is unsent, what may be sold."""
    state = shop.journal.state
    return {
        "float": shop.till.float_minor,
        "unsynced": shop.till.unsynced_count,
        "next": shop.journal.next_sequence,
        "stock": {str(batch): list(at) for batch, at in sorted(state.batches.items())},
        "offline": [state.offline_count, state.offline_total_minor, state.offline_debit_minor],
        "unfinished": len(shop.till.unfinished()),
    }


def _files(folder: Path) -> dict[str, Any]:
    record = Record(Store(str(folder / "data")), print_nothing, lambda: TIME)
    config = Config((folder / "data" / "config.json").read_text())
    return {
        "update.json": [record.whole, record.looked_s, record.refused, record.news],
        "config.json": [config.channel, config.language, config.poll_s],
    }


def take_over(folder: Path) -> dict[str, Any]:
    """The flash as another release left it, and then a sale with it."""
    flash = Nor((folder / "flash.bin").read_bytes())
    shop = Shop(flash, Far(), [], folder / "stock", 2)  # type: ignore[arg-type]
    found = _told(shop)
    files = _files(folder)
    shop.check_in()
    shop.sell_offline()
    code = shop.sell_online()
    assert code == "", code
    shop.sync()
    return {"found": found, "files": files, "after": _told(shop), "bad": flash.violations}


def read(_folder: Path) -> dict[str, Any]:
    """What a server signs: as this terminal reads it."""
    signed = ask("files")
    catalogue = Catalogue(signed["catalogue.json"])
    entry = Release("stable/duka-r1/7.full", signed["release"])
    plans = {}
    for name, plan in signed["plans"].items():
        allowed = []
        for number in range(len(plan["allows"])):
            try:
                Rollout(plan["custom"], number.to_bytes(8, "big")).check(7)
                allowed.append(True)
            except ReleaseRefused:
                allowed.append(False)
        plans[name] = [allowed, plan["allows"]]
    return {
        "catalogue.json": [
            [catalogue.product(name).amount_minor, catalogue.product(name).commission_minor]
            for name in ("air50", "air20")
        ],
        "release": [entry.release, entry.version, entry.image_size_bytes],
        "plans": plans,
    }


def main() -> None:
    """Do it, and say what came of it."""
    did = {"talk": talk, "take-over": take_over, "read": read}[sys.argv[3]]
    try:
        done: Any = did(Path(sys.argv[2]))
    except ServerRefused as error:
        done = {"refused": str(error)}
    print(json.dumps({"done": done}), flush=True)


if __name__ == "__main__":
    main()
