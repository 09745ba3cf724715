"""A technician makes a blank board a terminal: what goes wrong is told, and can be done again."""

from __future__ import annotations

import httpx
import pytest

from tests.support.merchant import debit_minor, nothing_lost
from tests.support.world import World
from tests.terminal.conftest import MakeWorld, TerminalWorld
from tests.terminal.test_wave import Neighbour
from tools.errors import LinkError


def blank(make_world: MakeWorld) -> TerminalWorld:
    world = make_world("factory")
    world.server.start()
    world.reach()
    return world


def first_sale(world: TerminalWorld) -> None:
    world.terminal.wait_log("server reached", 90)
    world.merchant.sign_in()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)])


def test_a_wrong_token_enrols_nothing_and_the_right_one_goes_on(make_world: MakeWorld) -> None:
    world = blank(make_world)
    token = world.token
    (world.folder / "token").write_text("not-a-token-of-anybody")
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        world.provision()
    (world.folder / "token").write_text(token)
    world.provision(poll_s=1, sync_s=1)
    first_sale(world)


def test_a_server_without_a_release_is_noticed_before_the_board_is_touched(
    make_world: MakeWorld,
) -> None:
    world = blank(make_world)
    content = world.terminal.board.call(lambda: world.terminal.board.flash.operations)
    empty = World(world.folder / "empty")
    empty.manager.keys, empty.manager.images = world.manager.keys, world.manager.images
    empty.found_server()
    empty.manager.keys = empty.folder / "keys"
    empty.manager.create()
    empty.manager.set_prices()
    empty.manager.publish()
    empty.server.start()
    world.server.stop()
    try:
        world.server = empty.server
        world.manager.repository = empty.manager.repository
        with pytest.raises(LinkError, match="has no release yet"):
            world.provision()
    finally:
        empty.close()
    assert world.terminal.board.flash.operations == content


def test_a_terminal_that_sells_is_not_provisioned_again(make_world: MakeWorld) -> None:
    world = make_world()
    world.open_shop()
    world.wait_online()
    before = world.terminal_id
    with pytest.raises(LinkError, match=r"not blank|is it blank"):
        world.provision()
    assert world.terminal_id == before
    world.merchant.sign_in()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)])


def test_a_boot_image_that_the_flash_did_not_take_is_noticed(make_world: MakeWorld) -> None:
    world = blank(make_world)
    flash = world.terminal.board.flash
    world.terminal.board.call(flash.fail_at, flash.operations + 20, "silent")
    with pytest.raises(LinkError, match="read back"):
        world.provision()
    world.provision(poll_s=1, sync_s=1)
    first_sale(world)


def test_two_terminals_sell_side_by_side_each_from_its_own_float(make_world: MakeWorld) -> None:
    world = make_world()
    world.server.start()
    first_id = world.terminal_id
    other = Neighbour(world, 2)
    try:
        other.reach()
        other.provision(poll_s=1, sync_s=1)
        other.own_id = (other.folder / "terminal-id").read_text()
        (world.folder / "terminal-id").write_text(first_id)
        assert other.terminal_id != first_id
        other.terminal.wait_log("server reached", 90)
        world.open_shop()  # at the hour that the other one has made of it
        for each, product in ((world, 1), (other, 2)):
            each.wait_online()
            each.merchant.sign_in()
            each.merchant.sell(product)
        nothing_lost(world, [debit_minor(1)])
        nothing_lost(other, [debit_minor(2)])
    finally:
        other.leave()
