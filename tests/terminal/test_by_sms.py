"""A whole terminal that has a network and no data: what nothing cheaper sells goes by short
message, if its merchant wants that; and the office's word locks it.
"""

from __future__ import annotations

from functools import partial

import pytest

from hw_sim.network.sms_pdu import Message
from hw_sim.smsc.centre import Centre
from tests.support.merchant import debit_minor, nothing_lost
from tests.terminal.conftest import MakeWorld, TerminalWorld
from updater_server.fleet import texting
from updater_server.service import Service
from updater_server.sms import answering, gateway
from updater_server.store.engine import writing

MINE, OFFICE = "+254700000001", "+254700000100"


class Town:
    """A world whose server answers short messages and whose operator has a service centre. The
    terminal is online, its merchant signed in; then data goes.
    """

    def __init__(self, world: TerminalWorld) -> None:
        self.world = world
        file = world.server.folder / gateway.FILE
        file.write_text(f'host = "127.0.0.1"\nsystem_id = "duka"\nnumber = "{OFFICE}"\n')
        world.open_shop()
        world.wait_online()
        self.service = Service.open(world.server.folder, lambda: int(world.now_unix_s()))
        board, network = world.terminal.board, world.terminal.network
        self.centre = Centre(board.board.pace)
        board.call(self.centre.join, MINE, network.sms)
        board.call(self.centre.reach, OFFICE, self._at_office)
        world.merchant.sign_in()
        self.set_data(False)
        world.terminal.wait_log("no_gprs", 300)

    def set_data(self, on: bool) -> None:
        board, network = self.world.terminal.board, self.world.terminal.network
        assert network.sim is not None
        network.sim.gprs_contract = on
        board.call(network.deactivate_pdp)

    def _at_office(self, source: str, message: Message) -> None:
        said = answering.answer(self.service, source, message.data)
        if said:
            self.centre.submit(OFFICE, source, Message(source, 4, False, len(said), said))

    def lock(self) -> None:
        """As the operator's `terminal block`, and as the worker sends the word."""
        world, service = self.world, self.service
        said = world.server.command("terminal", "block", world.terminal_id)
        assert "told by SMS" in said
        with writing(service.engine) as connection:
            (due,) = texting.due(connection, service.key, service.now())
        message = Message(MINE, 4, False, len(due.data), due.data)
        world.terminal.board.call(partial(self.centre.submit, OFFICE, MINE, message))

    def close(self) -> None:
        self.service.engine.dispose()


@pytest.mark.micropython
def test_where_no_data_passes_and_no_stock_is_left_a_voucher_is_had_by_short_message(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    town = Town(world)
    merchant, terminal = world.merchant, world.terminal
    merchant.sell(2, from_stock=True)
    merchant.sell(2, from_stock=True)
    assert not town.centre.passed, "stock costs nothing"
    merchant.choose(2)
    merchant.press("#", "One SMS is paid for", timeout_s=60)
    merchant.press("*", "Menu")
    assert not town.centre.passed, "the merchant did not want it"
    merchant.choose(2)
    merchant.press("#", "One SMS is paid for", timeout_s=60)
    merchant.press("#", "Sold", timeout_s=120)
    terminal.wait_receipts(3)
    merchant.leave_sale()
    asked, said = town.centre.passed
    assert len(asked.message.data) <= 140
    assert len(said.message.data) <= 140
    town.set_data(True)
    nothing_lost(world, [debit_minor(2)] * 3)
    assert len(town.centre.passed) == 2
    town.close()


def test_an_answer_that_comes_late_waits_for_the_merchant_and_is_one_slip(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    town = Town(world)
    merchant, terminal = world.merchant, world.terminal
    merchant.sell(2, from_stock=True)
    merchant.sell(2, from_stock=True)
    town.centre.leave(MINE)
    merchant.choose(2)
    merchant.press("#", "One SMS is paid for", timeout_s=60)
    merchant.press("#", "No answer yet", timeout_s=180)
    merchant.press("*", "Menu")
    terminal.board.call(town.centre.join, MINE, terminal.network.sms)
    terminal.wait_log("answered by SMS", 900)
    merchant.sign_in()
    merchant.press("1", "Sale was cut")
    merchant.press("#", "Sold", timeout_s=60)
    terminal.wait_receipts(3)
    merchant.leave_sale()
    town.set_data(True)
    nothing_lost(world, [debit_minor(2)] * 3)
    assert len(town.centre.passed) == 2
    town.close()


def test_a_terminal_that_was_stolen_is_locked_by_short_message_and_stays_so_without_a_network(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    town = Town(world)
    world.server.command("terminal", "number", world.terminal_id, MINE)
    town.lock()
    world.terminal.wait_log("a word by SMS: lock", 900)
    world.merchant.sign_in()
    world.merchant.is_refused("This terminal is blocked")
    world.terminal.board.power_cycle()
    world.terminal.wait_shows("No network", timeout_s=120)
    world.merchant.sign_in()
    world.merchant.is_refused("This terminal is blocked")
    world.server.command("terminal", "unblock", world.terminal_id)
    town.set_data(True)
    world.wait_online()
    world.merchant.sign_in()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)])
    town.close()
