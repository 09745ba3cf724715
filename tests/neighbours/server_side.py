"""A server of one tree, spoken to by lines of JSON: a process of its own, so that it can be one of
before. It uses what the tests of its own tree use.

    python server_side.py TREE FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

from tests.money import office
from tests.server.device import Device
from tests.server.shop import CATALOGUE, NOW, Shop, a_release, make_signed
from updater_server import backup
from updater_server.channels.entry import PayloadReference
from updater_server.channels.rollout import RolloutPlan, Wave
from updater_server.fleet import technicians
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import batches, currency, opening, restoring
from updater_server.service import Service
from updater_server.store.engine import writing

PLANS = {
    "plan whole": RolloutPlan({"7": Wave("00" * 8, 10_000)}),
    "plan share": RolloutPlan({"7": Wave("11" * 8, 2_500), "8": Wave("22" * 8, 0)}),
    "plan within": RolloutPlan({"7": Wave("33" * 8, 400)}, [], {"7": 200_000}),
    "plan halted": RolloutPlan({"7": Wave("44" * 8, 10_000)}, [7, 9]),
}
if "control" in RolloutPlan.__struct_fields__:  # a server of before knows none
    compared: Any = {"7": 5_000}
    PLANS["plan control"] = RolloutPlan({"7": Wave("55" * 8, 2_500)}, control=compared)
if "flags" in RolloutPlan.__struct_fields__:  # a server of before knows none
    turned: Any = {"hourly": ("66" * 8, 5_000, ["00" * 7 + "07"])}
    PLANS["plan flags"] = RolloutPlan({"7": Wave("77" * 8, 2_500)}, flags=turned)


class Side:
    """One server and its one terminal."""

    def __init__(self, folder: Path) -> None:
        (folder / "signed").mkdir(parents=True)
        signed = make_signed(folder / "signed")
        self.folder = folder
        self.shop = Shop.open(folder / "data", signed / "repository")
        self.shop.stock_vault(count=60)
        self.copy: Path | None = None
        enrolment = Enrolment(office.TERMINAL_ID, office.DEVICE_KEY, "duka-r1", 1, 200_000)
        with writing(self.shop.service.engine) as connection:
            who = technicians.listing(connection)[0]["id"]
            enrol: Any = opening.enrol
            enrol(connection, self.shop.service.key, enrolment, who, NOW, *self._money())

    def _money(self) -> list[Any]:
        """The currency of a terminal, which a server of before does not ask for."""
        known: Any = getattr(currency, "of_catalogue", None)
        prices = self.shop.service.prices
        return [known(prices.catalogue("catalogue/default.json"))] if known else []

    def post(self, body: str) -> list[Any]:
        """A terminal's message, in hex: [status, reply]."""
        status, reply = self.shop.post(bytes.fromhex(body))
        return [status, reply.hex()]

    def assign(self) -> int:
        """A batch waits for the terminal."""
        device = Device(office.TERMINAL_ID, office.DEVICE_KEY, self.shop.post)
        return self.shop.assign(device, "air50", 5)

    def recall(self, batch: int) -> None:
        """The office takes a batch back."""
        with writing(self.shop.service.engine) as connection:
            batches.recall(connection, batch, "the office", NOW)

    def back_up(self) -> None:
        """Remember this."""
        self.copy = backup.make(self.shop.service, self.folder / "copies").path

    def put_back(self) -> None:
        """Forget everything since."""
        assert self.copy
        self.shop.service.engine.dispose()
        backup.restore(self.shop.service.folder, self.copy, self.shop.clock[0])
        self.shop.service = Service.open(self.shop.folder, lambda: self.shop.clock[0])

    def finish(self) -> None:
        """All have told what they know: what nobody named is free again."""
        with writing(self.shop.service.engine) as connection:
            restoring.settle(connection, True, "the office", self.shop.clock[0])

    def state(self) -> dict[str, Any]:
        """What a judge wants to know."""
        return {
            "problems": self.shop.problems(),
            "alarms": self.shop.alarms(),
            "kinds": sorted({kind for (kind,) in self.shop.sql("SELECT kind FROM journal_record")}),
            "runs": [list(row) for row in self.shop.sql("SELECT release, slot FROM check_in")],
            "sales": self.shop.sql("SELECT COUNT(*) FROM sale")[0][0],
        }

    def files(self) -> dict[str, Any]:
        """What it signs for terminals: price list, release entry, plans and whom they allow."""
        full = PayloadReference("full", "stable/duka-r1/7.full")
        terminals = [number.to_bytes(8, "big") for number in range(300)]
        plans = {
            name: {
                "custom": plan.custom(),
                "allows": [plan.allows(7, terminal_id) for terminal_id in terminals],
            }
            for name, plan in PLANS.items()
        }
        return {
            "catalogue.json": CATALOGUE.encode().decode(),
            "release": a_release(7, payloads=[full]).entry.custom(),
            "plans": plans,
        }


def main() -> None:
    """Answer until the lines end."""
    side = Side(Path(sys.argv[2]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        print(json.dumps(getattr(side, what)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
