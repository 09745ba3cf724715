"""A server that sells what a simulated operator makes: both real, in this process, over real
sockets, on a clock that the test holds.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from hw_sim.suppliers import http, switch, utility
from hw_sim.suppliers import place as hw_place
from hw_sim.suppliers.airtime import Operator, Settings
from hw_sim.suppliers.tcp import Listener, Wire
from tests.server.device import Device
from tests.server.shop import NOW, Shop, make_database, make_repository
from tests.suppliers.stage import Stage
from tests.suppliers.staged import StagedNet, StagedPlace, StagedThreads
from updater_server import channels
from updater_server.channels.entry import OpenAmount, Product, Recipient
from updater_server.faces import supplier_reports
from updater_server.sales import supplier_setup
from updater_server.sales.supplier_setup import Kept
from updater_server.sales.suppliers.base import Supplier
from updater_server.sales.suppliers.lines import Breaker, Line
from updater_server.sales.vending import Desk
from updater_server.service import Service
from updater_server.store.engine import is_sqlite, writing

NAME = "savanna"
AnySettings = Settings | switch.Settings | utility.Settings
PHONE = Recipient((10, 12), ["07", "2547"])
METER = Recipient((11, 13), [])
CATALOGUE = channels.Catalogue(
    1,
    "KES",
    2,
    [
        Product("air50", "Savanna 50", "Savanna", 5000, 250, "Dial *130*PIN#", [4] * 4),
        Product(
            "top", "Savanna top-up", "Savanna", 10000, 500, "", [4], "topup",
            OpenAmount(1000, 100_000, 500, 50), PHONE,
        ),
        Product("top100", "Savanna 100", "Savanna", 10000, 400, "", [4], "topup", None, PHONE),
        Product(
            "power", "Lake Power units", "Lake Power", 10000, 200, "", [4] * 5, "meter",
            OpenAmount(1000, 100_000, 500, 20), METER,
        ),
        Product("orphan", "Nobody's", "Nobody", 10000, 400, "", [4], "topup", None, PHONE),
    ],
    channels.OfflinePolicy(10000, 2, 20000, 259200),
)  # fmt: skip


def make_signed(folder: Path) -> None:
    """`keys`, `repository` and `empty.db`, as `tests.server.conftest` has them."""
    folder.mkdir(parents=True, exist_ok=True)
    make_database(folder / "empty.db")
    make_repository(folder / "repository", folder / "keys", CATALOGUE)


class Counter:
    """One server and one operator, and what a test asks of them."""

    def __init__(
        self,
        folder: Path,
        signed: Path,
        settings: AnySettings,
        stage: Stage | None = None,
        url: str = "",
        **how: Any,
    ) -> None:
        self.shop = Shop.open(folder / "data", signed / "repository", url)
        self.how = {"patience_s": 2.0, **how}
        self.stage = stage
        self.starts = 0
        _relax(self.shop.service.engine)
        self.place = hw_place.REAL if stage is None else StagedPlace(stage, self.report)
        self.operator: Any = self.made(settings)
        with writing(self.shop.service.engine) as connection:
            kept = self.put(connection)
            for product in ("top", "top100", "power"):
                supplier_setup.set_route(connection, product, NAME, "", "Asha", self.shop.clock[0])
        self.secret = kept.report_secret
        self.reports = Reports(self.report) if stage is None else None
        settings.callback = self.callback(NAME, self.secret)
        self.open_desk()

    def made(self, settings: AnySettings) -> Any:
        """The supplier of these settings, where this counter's suppliers live."""
        clock = self.shop.clock
        kind = {Settings: Operator, utility.Settings: utility.Utility}.get(
            type(settings), switch.Switch
        )
        made: Any = kind
        return made(settings, clock=lambda: clock[0], place=self.place)

    def callback(self, name: str, secret: str) -> str:
        """Where the call-backs of a supplier go."""
        base = "http://127.0.0.1:1" if self.reports is None else self.reports.url
        return f"{base}/v1/suppliers/{name}/reports/{secret}"

    def report(self, path: str, body: bytes) -> int:
        """The status that a call-back is answered with."""
        _, _, _, name, _, secret = path.split("/")
        return supplier_reports.SupplierFace(self.service).report(name, secret, body)

    def put(self, connection: Any, **changes: Any) -> Kept:
        """Tell the server how to reach the operator."""
        settings: dict[str, Any] = {"deadline_s": 1.0, **changes}
        if isinstance(self.operator, Operator):
            kind, api_key = "airtime", self.operator.settings.api_key
            settings |= {"url": self.operator.url, "username": "duka", "country": "254"}
        elif isinstance(self.operator, utility.Utility):
            kind, api_key = "xmlvend", self.operator.settings.password
            settings |= {"url": self.operator.url, "username": "duka"}
            settings |= {"client": self.operator.settings.client}
        else:
            kind, api_key = "iso8583", self.operator.settings.terminal
            settings |= {"host": "127.0.0.1", "port": self.operator.port}
        return supplier_setup.put(
            connection, self.shop.service.key, NAME, kind, settings, {"api_key": api_key}, "Asha",
            self.shop.clock[0],
        )  # fmt: skip

    def spelled(self, digits: str) -> str:
        """A number as the operator's books have it."""
        return f"+254{digits[1:]}" if isinstance(self.operator, Operator) else digits

    @property
    def service(self) -> Service:
        """The server's parts."""
        return self.shop.service

    @property
    def desk(self) -> Desk:
        """Where suppliers are asked."""
        assert self.service.desk is not None
        return self.service.desk

    def open_desk(
        self,
        made: Callable[[Kept], Supplier] | None = None,
        line: Callable[[str], Line] | None = None,
    ) -> None:
        """A desk as a server makes it when it starts; what an old one had begun is forgotten."""
        service = self.service
        desk = Desk(
            service.engine, service.key, service.now, made or self.adapter, line or self.line,
            **self.how,
        )  # fmt: skip
        self.shop.service = dataclasses.replace(service, desk=desk)
        if self.stage is not None:
            self.stage.spawn(self._look, self.group)

    def adapter(self, kept: Kept) -> Supplier:
        """What speaks to a supplier, where this counter stands."""
        if isinstance(self.place, StagedPlace):
            return kept.adapter(StagedNet(self.place, NOW))
        return kept.adapter()

    def line(self, name: str, kind: type[Line] = Line, **how: Any) -> Line:
        """The line of a supplier, as the server makes it."""
        if self.stage is None:
            return kind(name, **how)
        stage = self.stage
        line = kind(name, workers=StagedThreads(stage, self.group), **how)
        line.breaker = Breaker(clock=lambda: stage.now)
        return line

    @property
    def group(self) -> str:
        """The server's process on a stage."""
        return f"server {self.starts}"

    def _look(self) -> None:
        """What a running server does every second; at night less often."""
        assert self.stage is not None
        while True:
            self.desk.look()
            self.stage.sleep(1.0 if self.is_day else 60.0)

    is_day = False

    def crash(
        self,
        made: Callable[[Kept], Supplier] | None = None,
        line: Callable[[str], Line] | None = None,
    ) -> None:
        """The server is gone, and another one starts on the same folder."""
        if self.stage is not None:
            self.stage.end(self.group)
        self.starts += 1
        self.desk.close()
        self.service.engine.dispose()
        clock = self.shop.clock
        self.shop.service = Service.open(self.shop.folder, lambda: clock[0])
        _relax(self.service.engine)
        self.open_desk(made, line)

    def pass_time(self, seconds: int) -> None:
        """Let the server's clock go on, and let it look after what is open."""
        self.shop.clock[0] += seconds
        self.desk.look()

    def until(self, holds: Callable[[], bool], patience_s: float = 60.0) -> None:
        """Wait for what comes about in other threads."""
        latest = time.monotonic() + patience_s
        while not holds():
            assert time.monotonic() < latest, "it did not come about"
            time.sleep(0.005)

    def states(self) -> list[str]:
        """The state of each sale at the supplier, oldest first."""
        return [row[0] for row in self.shop.sql("SELECT state FROM vend ORDER BY id")]

    def words(self) -> list[tuple[str, str]]:
        """(state, source) of every word about a sale, oldest first."""
        return self.shop.sql("SELECT state, source FROM vend_event ORDER BY id")

    def balance(self, name: str) -> int:
        """What an account of the ledger has."""
        ((total,),) = self.shop.sql(
            "SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_entry e "
            "JOIN account a ON a.id = e.account_id WHERE a.name = :name",
            name=name,
        )
        return int(total)

    def close(self) -> None:
        """End all of it."""
        self.operator.close()
        if self.reports is not None:
            self.reports.close()
        self.desk.close()
        self.service.engine.dispose()


def _relax(engine: Engine) -> None:
    """No process is killed here: what is committed need not wait for the disk."""
    if not is_sqlite(engine):
        return

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    engine.dispose()


class Reports:
    """The server's path for call-backs, over HTTP, without the rest of its application."""

    def __init__(self, report: Callable[[str, bytes], int]) -> None:
        def serve(wire: Wire) -> None:
            asked = http.read(wire)
            if asked is None:
                return
            wire.send(http.answer(report(asked.path, asked.body), {}))

        self._listener = Listener(serve)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def close(self) -> None:
        """Nobody listens any more."""
        self._listener.close()


@contextmanager
def opened(
    folder: Path,
    signed: Path,
    settings: AnySettings | None = None,
    stage: Stage | None = None,
    **how: Any,
) -> Iterator[Counter]:
    """A counter that is closed at the end; its books must be sound."""
    counter = Counter(folder, signed, settings or Settings(), stage, **how)
    try:
        yield counter
    finally:
        counter.close()
        shutil.rmtree(folder, ignore_errors=True)


def top_up(
    device: Device, sequence: int, number: str = "0712345678", amount: int = 10000, **more: Any
) -> dict[int, Any]:
    """Ask for a top-up, as a terminal does."""
    return device.ask(order(sequence, number, amount, **more))


def order(
    sequence: int, number: str = "0712345678", amount: int = 10000, product: str = "top"
) -> dict[int, Any]:
    """The content of that message."""
    commission = {"top": amount * 50 // 1000, "power": amount * 20 // 1000}.get(product, 400)
    return {
        0: 2, 1: sequence, 2: product, 3: amount, 4: 1_790_000_000, 20: commission, 21: number,
    }  # fmt: skip


def meter(number: int) -> str:
    """A meter's number of 11 digits, the last one by Luhn's formula, as IEC 62055-41 has it."""
    digits = f"{number:010d}"
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return f"{digits}{-total % 10}"
