"""What a merchant is told by the office: deposits and messages, each once, and nothing when there
is nothing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cbor2
import pytest
from sqlalchemy import update

from bootloader.shared import cose
from firmware.duties import check_in
from firmware.kept import notices
from firmware.office.messenger import JOURNAL, Messenger
from firmware.office.sync import with_notices
from tests.server.device import Device
from tests.server.shop import NOW, Shop
from updater_server.errors import InputError
from updater_server.fleet import merchant_notices, terminals
from updater_server.parties import movements, tree
from updater_server.sales import deposits
from updater_server.store.engine import writing
from updater_server.store.tables import terminal

ON_BOTH_ENGINES = {
    "test_a_deposit_is_told_until_the_terminal_says_that_it_has_it",
    "test_a_record_in_the_same_second_has_a_number_of_its_own",
}


def deposit(shop: Shop, device: Device, amount: str, reference: str, **options: bool) -> None:
    with writing(shop.service.engine) as connection:
        deposits.post(
            connection, shop.service.prices, device.terminal_id, amount, reference, "asha",
            shop.clock[0], **options,
        )  # fmt: skip


def say(shop: Shop, device: Device, text: str) -> None:
    with writing(shop.service.engine) as connection:
        merchant_notices.message(connection, device.terminal_id, text, shop.clock[0])


def test_a_deposit_is_told_until_the_terminal_says_that_it_has_it(shop: Shop) -> None:
    device = shop.enrol()
    assert 10 not in device.check_in(_17=0)
    deposit(shop, device, "500.00 KES", "MPESA-7")
    told = [[NOW, 50_000, "MPESA-7", 150_000]]
    assert device.check_in()[10] == told  # and its answer is lost
    assert device.check_in()[10] == told
    assert 10 not in device.check_in(_17=NOW)
    assert 10 not in device.check_in()  # it need not say it again


def test_nothing_is_told_to_a_release_that_keeps_no_notices_but_the_last_text(shop: Shop) -> None:
    device = shop.enrol()
    deposit(shop, device, "500.00 KES", "MPESA-7")
    with writing(shop.service.engine) as connection:
        terminals.set_merchant_text(connection, device.terminal_id, "Closed on Friday")
    reply = device.check_in()
    assert (10 in reply, reply[4]) == (False, "Closed on Friday")
    assert device.check_in(_17=0)[4] is None


def test_a_record_in_the_same_second_has_a_number_of_its_own(shop: Shop) -> None:
    device = shop.enrol()
    deposit(shop, device, "500.00 KES", "A-1")
    say(shop, device, "Closed on Friday")
    deposit(shop, device, "1.00 KES", "A-2", payback=True)
    assert device.check_in(_17=0)[10] == [
        [NOW, 50_000, "A-1", 150_000],
        [NOW + 1, "Closed on Friday"],
        [NOW + 2, -100, "A-2", 149_900],
    ]
    shop.clock[0] = NOW + 1  # as a server that was put back: none comes again
    say(shop, device, "Open on Saturday")
    assert device.check_in(_17=NOW + 2)[10] == [[NOW + 3, "Open on Saturday"]]


def test_a_sync_brings_it_too_as_it_brings_the_float(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_17=0)
    deposit(shop, device, "500.00 KES", "A-1")
    device.record(1, [1, 7, "power-on"])
    content = {0: 3, 1: device.journal}
    assert device.ask(content)[10] == [[NOW, 50_000, "A-1", 150_000]]
    assert 10 not in device.ask({**content, 17: NOW})


def test_a_deposit_costs_a_few_bytes_on_the_air_and_no_deposit_none(shop: Shop) -> None:
    device = shop.enrol()
    quiet = device.check_in(_17=0)
    deposit(shop, device, "500.00 KES", "MPESA-QF7J12")
    more = device.check_in()
    assert len(cbor2.dumps(more[10])) + 1 == 29  # with its key
    assert set(more) - set(quiet) == {10}


def test_much_that_waits_comes_in_pieces(shop: Shop) -> None:
    device = shop.enrol()
    for n in range(12):
        say(shop, device, f"{n:02d} " + "x" * 197)
    through, texts = 0, []
    while told := device.check_in(_17=through).get(10):
        assert len(cbor2.dumps(told)) <= 620
        texts += [text[:2] for _, text in told]
        through = told[-1][0]
    assert texts == [f"{n:02d}" for n in range(12)]


def test_a_terminal_that_lost_its_files_is_not_told_all_of_it_again(shop: Shop) -> None:
    device = shop.enrol()
    deposit(shop, device, "500.00 KES", "A-1")
    device.check_in(_17=NOW)
    assert 10 not in device.check_in(_17=0)


def test_a_blocked_terminal_is_told_when_it_is_let_go_again(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_17=0)
    say(shop, device, "Come to the office")
    with writing(shop.service.engine) as connection:
        terminals.set_blocked(connection, device.terminal_id, True)
    assert 10 not in device.check_in()
    with writing(shop.service.engine) as connection:
        terminals.set_blocked(connection, device.terminal_id, False)
    assert device.check_in()[10] == [[NOW, "Come to the office"]]


def test_what_a_merchants_party_hands_down_is_told_and_its_undoing_as_well(shop: Shop) -> None:
    device = shop.enrol()
    with writing(shop.service.engine) as connection:
        order = movements.Order("900.00 KES", "BANK-1", "asha", NOW)
        tree.add(connection, "M1", "Mama Asha", "merchant", "", "asha", NOW)
        who = tree.find(connection, "M1")
        tree.give_terminal(connection, device.terminal_id, who, "asha", NOW)
        movements.deposit(connection, shop.service.prices, who, order)
        down = movements.Order("200.00 KES", "DOWN-1", "asha", NOW)
        holder = movements.holder(connection, device.terminal_id.hex())
        movements.transfer(
            connection, shop.service.prices, movements.holder(connection, "M1"), holder, down
        )
        movements.reverse(connection, "DOWN-1", "wrong shop", down)
    assert device.check_in(_17=0)[10] == [
        [NOW, 20_000, "DOWN-1", 120_000],
        [NOW + 1, -20_000, "UNDO:DOWN-1", 100_000],
    ]


@pytest.mark.parametrize("text", ["", "x" * 201, "a\x1bc"])
def test_what_no_screen_shows_is_no_message(shop: Shop, text: str) -> None:
    device = shop.enrol()
    with pytest.raises(InputError):
        say(shop, device, text)


def test_what_a_terminal_cannot_have_said_of_its_notices_is_no_message(shop: Shop) -> None:
    device = shop.enrol()
    reply = device.check_in(_17="all")
    assert (reply[0], reply[1]) == (-1, "bad_message")


class Keeper:
    """What a terminal's program does with notices: it says what it has, and keeps what it hears."""

    def __init__(self, device: Device, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.answers: list[list[Any]] = []
        """What was told in each answer."""
        self.device = device
        keys = cose.derive_keys(device.key, device.terminal_id)
        self.messenger = Messenger(keys, device.terminal_id, 9, self._post, b"salt")
        self._parts: Any = SimpleNamespace(messenger=self.messenger, unread=0)
        room = SimpleNamespace(take=lambda told: notices.take(told, str(folder)))
        monkeypatch.setattr(check_in.lent, "load", lambda name: room)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        return self.device.transport(body)

    def tell(self, times: int = 1) -> list[list[Any]]:
        """So many journal messages; what each answer told."""
        told = []
        for _ in range(times):
            self.device.record(1, [1, 7, "power-on"])
            asyncio.run(with_notices(self.messenger, JOURNAL, {1: self.device.journal}))
            told.append(self.messenger.notices or [])
            check_in.take_notices(self._parts)
        return told

    def numbers(self) -> list[int]:
        return [number for number, _ in notices.places(str(self.folder))]


@pytest.fixture
def keeper(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    return Keeper(shop.enrol(), tmp_path / "notices", monkeypatch)


def fill(shop: Shop, keeper: Keeper) -> None:
    """As many deposits as it keeps, which its owner does not read, and two more."""
    for n in range(18):
        deposit(shop, keeper.device, "500.00 KES", f"MPESA-{n}")
    keeper.tell(3)
    assert len(keeper.numbers()) == 16


def test_who_keeps_all_he_can_unread_is_told_the_rest_once_a_day_and_not_with_each_answer(
    shop: Shop, keeper: Keeper
) -> None:
    fill(shop, keeper)
    told = keeper.tell(70)
    assert [len(one) for one in told if one] == [2, 2]
    assert len(keeper.numbers()) == 16


def test_once_one_was_read_the_rest_comes_at_once(shop: Shop, keeper: Keeper) -> None:
    fill(shop, keeper)
    assert keeper.tell(3) == [[], [], []]
    for number in keeper.numbers()[:2]:
        notices.mark((number, 0), str(keeper.folder))
    keeper.messenger.no_room = 0  # as the page does that shows one
    assert [len(one) for one in keeper.tell(3)] == [2, 0, 0]
    assert keeper.numbers()[-1] == NOW + 17


def test_a_server_that_was_put_back_hears_once_more_what_is_here(
    shop: Shop, keeper: Keeper
) -> None:
    keeper.tell()
    deposit(shop, keeper.device, "500.00 KES", "MPESA-7")
    keeper.tell(2)
    with writing(shop.service.engine) as connection:
        connection.execute(update(terminal).values(notices_through=0))
    assert [len(one) for one in keeper.tell(4)] == [1, 0, 0, 0]


def test_a_notice_that_this_release_does_not_take_is_not_told_with_each_answer(
    shop: Shop, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.tell()
    say(shop, keeper.device, "Closed on Friday")
    monkeypatch.setattr(notices, "_LETTERS", 3)
    assert sum(len(one) for one in keeper.tell(40)) == 2
    assert keeper.numbers() == []
