"""A till with its flash, its paper and its server, and the judge of what they say together."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from bootloader.shared import cose
from bootloader.shared.partitions import Partition
from firmware.office import check_in, stock_delivery, sync
from firmware.office.ask import ask
from firmware.office.messenger import Messenger, NoNetwork
from firmware.sales.catalogue import Catalogue
from firmware.sales.journal import Journal
from firmware.sales.stock import Stock
from firmware.sales.till import Till
from tests.money import office, oracle
from tests.money.nor import Nor

TIME = 1_790_000_000
FLOAT_MINOR = 2_000_000
CATALOGUE: dict[str, Any] = {
    "version": 3,
    "currency": "KES",
    "minor_digits": 2,
    "products": [
        {
            "id": "air50",
            "name": "Savanna 50",
            "operator": "Savanna",
            "amount_minor": 5000,
            "commission_minor": 250,
            "instructions": "Dial *130*PIN#",
            "pin_groups": [4, 4, 4, 4],
        },
        {
            "id": "air100",
            "name": "Savanna 100",
            "operator": "Savanna",
            "amount_minor": 10000,
            "commission_minor": 250,
            "instructions": "Dial *130*PIN#",
            "pin_groups": [4, 4, 4, 4],
        },
        {
            "id": "power",
            "name": "Electricity",
            "operator": "Umeme",
            "amount_minor": 10000,
            "commission_minor": 250,
            "instructions": "",
            "pin_groups": [4, 4, 4, 4, 4],
            "kind": "meter",
            "recipient": {"digits": [11, 13], "starts": []},
            "open": {
                "min_minor": 1000,
                "max_minor": 500000,
                "step_minor": 100,
                "commission_permille": 25,
            },
        },
    ],
    "offline": {
        "max_amount_minor": 10000,
        "max_count": 50,
        "max_total_minor": 400000,
        "max_age_s": 259200,
    },
}


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


class Shop:
    """One terminal, switched on. Everything it shares with its life after a cut is an argument."""

    journal_class: Any = Journal
    till_class: Any = Till

    def __init__(
        self,
        flash: Nor,
        server: office.Office,
        paper: list[tuple[str, str, int]],
        folder: Path,
        boot_count: int = 1,
        catalogue: dict[str, Any] | None = None,
    ) -> None:
        self.flash = flash
        self.server = server
        self.paper = paper
        self.folder = folder
        self.boot_count = boot_count
        self.time = server.time
        self.online = True
        self.lose_replies = False
        self.durable: dict[int, bytes] = {}
        """What `append` said is in flash."""
        keys = cose.derive_keys(office.DEVICE_KEY, office.TERMINAL_ID)
        self.journal = self.journal_class(Partition(flash, 0, flash.size_bytes), lambda: self.time)
        self.journal.mount()
        self.till = self.till_class(
            self.journal,
            Stock(keys.stock, str(folder)),
            Catalogue(json.dumps(catalogue or CATALOGUE)),
            keys,
            lambda: self.time,
        )
        self.messenger = Messenger(keys, office.TERMINAL_ID, boot_count, self.post, b"salt")
        append = self.journal.append

        def noted(kind: int, body: list[Any]) -> int:
            sequence: int = append(kind, body)
            written = self.journal.ring.record
            self.durable[sequence] = bytes(written[: 22 + written[1]])
            return sequence

        self.journal.append = noted
        self.till.booted(boot_count, 1, "power-on")

    async def post(self, body: bytes) -> tuple[int, bytes]:
        if not self.online:
            raise NoNetwork("no network")
        reply = self.server.post(body)
        if self.lose_replies:
            raise NoNetwork("the reply was lost")
        return reply

    def print(self, sale: Any, voucher: Any, how: str, certain: bool = True) -> None:
        """Put it on paper, then say so to the till."""
        self.paper.append((voucher.pin, how, sale.sequence))
        self.till.printed(sale, certain)

    def sell_offline(self, product: str = "air50", certain: bool = True) -> Any:
        sale = self.till.begin_offline(product)
        self.print(sale, self.till.voucher(sale), "original", certain)
        return sale

    def sell_online(self, product: str = "air50") -> str:
        sale = self.till.begin_online(product)
        code: str = run(ask(self.messenger, self.till, sale))
        if code == "":
            self.print(sale, self.till.voucher(sale), "original")
        return code

    def sell_power(self, meter: str = "37123456785", amount_minor: int = 20000) -> str:
        sale = self.till.begin_online("power", None, meter, amount_minor)
        code: str = run(ask(self.messenger, self.till, sale))
        if code == "":
            self.print(sale, self.till.voucher(sale), "original")
        return code

    def check_in(self) -> Any:
        status = {1: self.time, 2: 1, 3: "a", 4: False, 5: self.boot_count, 6: 3900, 7: 20, 8: None}
        reply = run(check_in.check_in(self.journal, self.messenger, self.till, status))
        _, _, waiting, *_ = reply
        run(stock_delivery.fetch_stock(self.journal, self.messenger, self.till.stock, waiting))
        return reply

    def sync(self) -> int:
        done: int = run(sync.sync(self.journal, self.messenger, self.till))
        return done

    def recover(self) -> None:
        """What the merchant does after a cut: settle, and hand over a copy of what may be out."""
        for sale in self.till.unfinished():
            if not sale.has_voucher and run(ask(self.messenger, self.till, sale)) == "":
                self.print(sale, self.till.voucher(sale), "original")
            elif sale.has_voucher:
                self.print(sale, self.till.reprint(sale), "copy")

    def reboot(self, content: bytes | None = None) -> Shop:
        """The same terminal after power off and on, its flash as it is or as given."""
        flash = Nor(bytes(self.flash.cells) if content is None else content)
        return type(self)(flash, self.server, self.paper, self.folder, self.boot_count + 1)

    # --- the judge: raw flash, paper and the server's books; never the till's own word ---

    def troubles(self, durable: dict[int, bytes]) -> list[str]:
        """What is wrong; [] if every promise about money holds."""
        found = oracle.read(bytes(self.flash.cells))
        wrong = oracle.check_chain(found)
        known = {r.sequence: r for r in self.server.records if r}
        records = {**known, **found}
        for sequence, raw in durable.items():
            if sequence not in records or records[sequence].raw != raw:
                wrong.append(f"record {sequence} was durable and is gone or other")
        pins: dict[str, int] = {}
        for record in records.values():
            if record.kind == 2:
                pin = office.stock_pin(record.body[3], record.body[4])
                if pin in pins:
                    wrong.append(f"PIN {pin} is in two intents")
                pins[pin] = record.sequence
        for sequence, (_, answer) in self.server.answers.items():
            if answer[1] == 0:
                pins[answer[2]] = sequence
        originals = [pin for pin, how, _ in self.paper if how == "original"]
        for pin in set(originals):
            if originals.count(pin) > 1:
                wrong.append(f"PIN {pin} was printed twice as an original")
        for pin, _, sequence in self.paper:
            if pins.get(pin) != sequence or sequence not in records:
                wrong.append(f"PIN {pin} is on paper for sale {sequence} without its intent")
        if self.server.alarms:
            wrong.append(str(self.server.alarms))
        if self.flash.violations:
            wrong.append("a written byte was written again with other content")
        return wrong


def open_shop(
    folder: Path,
    sectors: int = 8,
    batches: dict[int, bytes] | None = None,
    catalogue: dict[str, Any] | None = None,
) -> Shop:
    """A terminal on blank flash that has checked in once and fetched its stock."""
    if batches is None:
        batches = {
            7: office.stock_file(7, "air50", 5000, 100),
            9: office.stock_file(9, "air100", 10000, 20),
        }
    flash = Nor(b"\xff" * sectors * 4096)
    server = office.Office(FLOAT_MINOR, batches, TIME)
    shop = Shop(flash, server, [], folder, 1, catalogue)
    shop.check_in()
    return shop
