"""A server is put back from a back-up, and its terminals know more than it does. The terminals are
the real till, journal and sync; the server is the real one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.office.messenger import BadReply
from tests.money import office
from tests.money.nor import Nor
from tests.money.shop import Shop as Till
from tests.server.device import Device
from tests.server.engines import POSTGRESQL_ALONE, Store, numbers_given_before
from tests.server.shop import KES, NOW, Shop
from updater_server import backup
from updater_server.errors import InputError
from updater_server.fleet import technicians
from updater_server.fleet.enrolment import Enrolment
from updater_server.parties import tree
from updater_server.sales import import_recall, opening, restoring, returns, stolen
from updater_server.service import Service
from updater_server.store.engine import writing

FLOAT = 100_000
FACE, DEBIT = 5000, 4750


class Town:
    """One server, a real till, and a back-up that can be put back."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop = shop
        self.folder = folder
        shop.stock_vault(count=30)
        enrolment = Enrolment(office.TERMINAL_ID, office.DEVICE_KEY, "duka-r1", 1, FLOAT)
        with writing(shop.service.engine) as connection:
            who = technicians.listing(connection)[0]["id"]
            opening.enrol(connection, shop.service.key, enrolment, who, NOW, KES)
        self.device = Device(office.TERMINAL_ID, office.DEVICE_KEY, shop.post)
        self.till = Till(Nor(b"\xff" * 16 * 4096), self._adapter(), [], folder / "stock", 1)
        self.till.check_in()
        self.till.sync()

    def _adapter(self) -> Any:
        town = self

        class Adapter:
            time = NOW

            @staticmethod
            def post(body: bytes) -> tuple[int, bytes]:
                return town.shop.post(body)

        return Adapter()

    def back_up(self) -> Path:
        return backup.make(self.shop.service, self.folder / "copies").path

    def put_back(self, copy: Path) -> None:
        self.shop.service.engine.dispose()
        backup.restore(self.shop.service.folder, copy, self.shop.clock[0])
        self.shop.service = Service.open(self.shop.folder, lambda: self.shop.clock[0])

    def talk(self, times: int = 3) -> None:
        """What the terminal's radio does anyway."""
        for _ in range(times):
            self.till.check_in()
            self.till.sync()

    def states(self) -> dict[str, str]:
        with writing(self.shop.service.engine) as connection:
            return {r["terminal_id"].hex(): r["state"] for r in restoring.status(connection)}

    def decide(self, what: Callable[..., Any], *arguments: Any) -> Any:
        with writing(self.shop.service.engine) as connection:
            return what(connection, *arguments, "the office", self.shop.clock[0])

    def agree(self) -> bool:
        return bool(self.shop.float_of(self.device) == self.till.till.float_minor)

    def given(self) -> list[str]:
        """Serials of vouchers that customers hold, by the paper."""
        return [pin for pin, how, _ in self.till.paper if how == "original"]


@pytest.fixture
def town(shop: Shop, tmp_path: Path) -> Town:
    return Town(shop, tmp_path)


def test_a_journal_that_goes_on_before_the_terminal_knows_of_the_restore_alarms_nobody(
    town: Town,
) -> None:
    town.till.sell_online()
    town.till.sync()
    copy = town.back_up()
    town.till.sell_online()
    town.till.sync()
    town.put_back(copy)
    assert town.till.sell_online() == "restoring"
    with pytest.raises(BadReply):  # the server has less than the terminal was told
        town.till.sync()
    assert "journal_gap" not in town.shop.alarms()
    town.talk()
    assert set(town.states().values()) == {"agreed"}
    assert town.agree()
    assert "journal_gap" not in town.shop.alarms()


def test_sales_that_only_the_terminal_remembers_are_booked_again_and_no_pin_is_given_twice(
    town: Town,
) -> None:
    town.till.sell_online()
    town.till.sync()
    copy = town.back_up()
    for _ in range(4):
        assert town.till.sell_online() == ""
    town.talk()
    before = town.shop.float_of(town.device)
    town.put_back(copy)
    assert town.till.sell_online() == "restoring", "nothing is sold until the floats agree"
    town.talk()
    assert town.shop.float_of(town.device) == before
    assert town.agree()
    assert set(town.states().values()) == {"agreed"}
    assert town.till.sell_online() == "no_vouchers", "the back-up's vouchers wait for the others"
    assert town.decide(restoring.settle, False) == 0
    for _ in range(5):
        assert town.till.sell_online() == ""
    assert len(set(town.given())) == len(town.given()) == 10
    town.talk()
    assert town.agree()
    assert town.shop.problems() == []


def test_stock_that_was_delivered_since_is_known_again_by_what_the_terminal_holds(
    town: Town,
) -> None:
    copy = town.back_up()
    town.shop.assign(town.device, count=5)
    town.talk()
    town.till.sell_offline()
    town.till.sell_offline()
    town.talk()
    before = town.shop.float_of(town.device)
    town.put_back(copy)
    town.till.sell_offline()
    town.talk()
    assert town.shop.float_of(town.device) == before - DEBIT
    assert town.agree()
    assert set(town.states().values()) == {"agreed"}
    town.decide(restoring.settle, False)
    later = town.shop.assign(town.device, count=5)
    assert later > restoring.BATCHES_SKIPPED, "no batch number comes twice"
    town.talk()
    town.till.sell_offline()
    town.till.sell_offline()
    for _ in range(3):
        town.till.sell_offline()
    assert len(set(town.given())) == len(town.given()) == 8
    town.talk()
    assert town.shop.problems() == []
    assert town.agree()


def _places(town: Town) -> list[returns.Place]:
    with writing(town.shop.service.engine) as connection:
        return returns.places(connection, town.device.terminal_id)


def test_stock_that_a_terminal_named_has_left_the_server_and_does_not_come_back(town: Town) -> None:
    copy = town.back_up()
    batch = town.shop.assign(town.device, count=3)
    town.talk()
    town.put_back(copy)
    town.till.sell_offline()
    town.talk()
    assert set(town.states().values()) == {"agreed"}
    terminal_id = town.device.terminal_id
    assert [one.state for one in _places(town)] == [
        "sold", "next", "unopened",
    ]  # fmt: skip
    with writing(town.shop.service.engine) as connection:
        assert returns.give_back(connection, terminal_id, "asha", "asked", NOW) == []
        imports = connection.exec_driver_sql("SELECT id FROM voucher_import").scalars().all()
    for number in imports:
        found = import_recall.recall(town.shop.service.engine, number, "asha", "asked", NOW)
        assert found.batches_taken_back == [], batch
    with writing(town.shop.service.engine) as connection:
        assert len(stolen.report(connection, terminal_id, "asha", NOW)) == 2
    assert town.shop.sql("SELECT COUNT(*) FROM stock_return") == [(0,)]


def test_stock_that_was_fetched_since_the_back_up_does_not_come_back(town: Town) -> None:
    """The back-up has it as stock that never left the server."""
    town.shop.assign(town.device, count=3)
    copy = town.back_up()
    town.talk()
    town.put_back(copy)
    with writing(town.shop.service.engine) as connection:
        assert returns.give_back(connection, office.TERMINAL_ID, "asha", "asked", NOW) == []
    town.till.sell_offline()
    town.talk()
    assert set(town.states().values()) == {"agreed"}
    with writing(town.shop.service.engine) as connection:
        assert len(stolen.report(connection, office.TERMINAL_ID, "asha", NOW)) == 2
    assert town.shop.sql("SELECT COUNT(*) FROM stock_return") == [(0,)]
    assert town.shop.problems() == []


@POSTGRESQL_ALONE
def test_a_database_that_was_put_back_gives_no_number_that_is_there(
    town: Town, store: Store
) -> None:
    with writing(town.shop.service.engine) as connection:
        for code in ("LAKE", "SHORE"):
            tree.add(connection, code, code.title(), "agent", "", "asha", NOW)
    town.put_back(town.back_up())
    assert not store.is_sqlite
    assert numbers_given_before(str(town.shop.service.folder.place)) == []


def test_a_batch_that_is_gone_is_booked_and_its_vouchers_are_never_sold_again(town: Town) -> None:
    copy = town.back_up()
    town.shop.assign(town.device, count=3)
    town.talk()
    town.till.sell_offline()
    town.talk()
    before = town.shop.float_of(town.device)
    shutil.rmtree(town.till.folder)
    town.put_back(copy)
    town.till.till.stock._heads.clear()
    town.talk()
    assert town.shop.float_of(town.device) == before
    assert "restore_stock" in town.shop.alarms()
    assert town.decide(restoring.settle, False) > 0, "nobody knows which were sold"
    assert town.till.sell_online() == "no_vouchers"
    assert town.shop.problems() == []


def test_a_deposit_made_since_is_missed_and_posted_again(town: Town) -> None:
    copy = town.back_up()
    town.shop.top_up(town.device, 50_000, "bank-77")
    town.talk()
    assert town.till.till.float_minor == FLOAT + 50_000
    town.put_back(copy)
    town.talk()
    assert town.states() == {office.TERMINAL_ID.hex(): "its float differs"}
    assert "restore_float" in town.shop.alarms()
    assert town.till.sell_online() == "restoring"
    with pytest.raises(InputError, match="1 terminals have not told"):
        town.decide(restoring.settle, False)
    town.shop.top_up(town.device, 50_000, "bank-77")
    town.talk()
    assert set(town.states().values()) == {"agreed"}


@pytest.mark.parametrize("more", [0, 1])
def test_what_was_sold_of_a_forgotten_deposit_is_told_of_while_it_is_over_the_float(
    town: Town, more: int
) -> None:
    sales = FLOAT // DEBIT
    for _ in range(sales):
        town.till.sell_online()
    town.talk()
    copy = town.back_up()
    town.shop.top_up(town.device, DEBIT, "bank-77")
    town.talk()
    assert [town.till.sell_online() for _ in range(more)] == [""] * more
    town.put_back(copy)
    town.talk()
    assert town.shop.float_of(town.device) == FLOAT - DEBIT * (sales + more)
    assert ("float_negative" in town.shop.alarms()) == bool(more)


def test_a_deposit_that_is_posted_again_behind_a_new_one_is_no_difference(town: Town) -> None:
    """The terminal knows the first and not the second; the ledger has them the other way round."""
    copy = town.back_up()
    town.shop.top_up(town.device, 50_000, "bank-77")
    town.talk()
    town.put_back(copy)
    town.shop.top_up(town.device, 3_000, "bank-78")
    town.talk()
    assert town.states() == {office.TERMINAL_ID.hex(): "its float differs"}
    town.shop.top_up(town.device, 50_000, "bank-77")
    town.talk()
    assert set(town.states().values()) == {"agreed"}
    assert town.agree()


def test_a_terminal_that_never_comes_back_is_given_up_and_its_vouchers_stay_aside(
    town: Town,
) -> None:
    lost = town.shop.enrol(5)
    copy = town.back_up()
    assert lost.sale(1)[1] == 0
    town.put_back(copy)
    town.talk()
    assert town.states()[lost.terminal_id.hex()] == "not heard of since"
    town.decide(restoring.give_up, lost.terminal_id)
    with pytest.raises(InputError, match="nothing is waited for"):
        town.decide(restoring.give_up, bytes(8))
    assert town.decide(restoring.settle, False) == 30
    assert town.till.sell_online() == "no_vouchers"
    town.shop.stock_vault(count=5, start=100)
    assert town.till.sell_online() == "", "what was delivered since may be sold"
    assert town.shop.problems() == []


def test_a_second_restore_takes_the_place_of_one_that_was_never_settled(town: Town) -> None:
    copy = town.back_up()
    town.till.sell_online()
    town.put_back(copy)
    again = town.back_up()
    town.talk()
    town.put_back(again)
    assert town.till.sell_online() == "restoring"
    town.talk()
    town.decide(restoring.settle, False)
    assert town.till.sell_online() == ""
    with pytest.raises(InputError, match="no restore is open"):
        town.decide(restoring.settle, False)
    town.talk()
    assert town.agree()
    assert town.shop.problems() == []


def test_a_voucher_delivered_after_the_back_up_keeps_its_sale_though_its_delivery_is_gone(
    town: Town,
) -> None:
    with writing(town.shop.service.engine) as connection:
        connection.exec_driver_sql("update voucher set free = 0")
    copy = town.back_up()
    town.shop.stock_vault(count=3, start=500)
    assert town.till.sell_online() == ""
    town.talk()
    before = town.shop.float_of(town.device)
    town.put_back(copy)
    town.talk()
    assert town.shop.float_of(town.device) == before
    assert "restore_voucher" in town.shop.alarms()
    assert town.agree()
    problems = [p for p in town.shop.problems() if "gone and not given" not in p]
    assert problems == []


def test_records_that_left_the_ring_are_named_and_a_person_goes_on_behind_them(town: Town) -> None:
    copy = town.back_up()
    while town.till.journal.oldest < 10:
        town.shop.clock[0] += 90_000
        town.till.time = town.shop.clock[0]
        town.till.till.booted(2, 1, "power-on" * 20)
        town.talk(1)
    town.put_back(copy)
    town.talk()
    [state] = town.states().values()
    assert "left its journal" in state and "--accept-through" in state
    through = int(state.rpartition(" ")[2].strip("`"))
    from updater_server.sales import losses

    with writing(town.shop.service.engine) as connection:
        losses.accept(connection, office.TERMINAL_ID, through, "the office", NOW)
    town.talk()
    assert set(town.states().values()) == {"agreed"}
