"""Start states: a terminal on its first day, blank, short of money, locked, on trial, spoiled, in
recovery.
"""

from __future__ import annotations

import time

from hw_sim.flash import ERASED
from tools.play import releasing, slots
from tools.play.eyes import read
from tools.play.journal import money
from tools.play.making import MakingFailed
from tools.play.world import World
from updater_server.sales import ledger
from updater_server.service import Service
from updater_server.store.engine import reading

LOW_FLOAT_MINOR = 3_000
_TRIAL_WAIT_S = 300
_LOOK_S = 0.1
_RECOVERY_KEY, _RECOVERY_PAGE, _RECOVERY_WAIT_S = "*", "Needs repair", 60


def ready(world: World, _: int) -> str:
    """As it was made, with a network."""
    world.go_back()
    for terminal in world.terminals:
        terminal.parts.board.call(terminal.parts.network.set_coverage, True)
    return "everything is as on the first day"


def factory(world: World, at: int) -> str:
    """A blank flash."""
    board = world.terminals[at].parts.board
    board.power_off()
    board.call(board.flash.restore, bytes([ERASED]) * board.flash.size_bytes)
    board.power_on()
    return f"the board is blank; a technician reaches it at {board.serial_port}"


def provision(world: World, at: int) -> str:
    """A technician's visit to a blank board."""
    world.provision(at)
    return f"terminal {world.terminals[at].terminal_id} sells"


def low(world: World, at: int) -> str:
    """A float that buys no voucher. MakingFailed when it is low already."""
    terminal_id = world.terminals[at].terminal_id
    service = Service.open(world.server.folder)
    with reading(service.engine) as connection:
        now = ledger.float_minor(connection, bytes.fromhex(terminal_id))
    service.engine.dispose()
    if now <= LOW_FLOAT_MINOR:
        raise MakingFailed(f"the float is low already: {money(now)}")
    world.move_money("payback", at, now - LOW_FLOAT_MINOR)
    return f"{money(LOW_FLOAT_MINOR)} are left; the terminal hears of it at its next check-in"


def sold_out(_: World, __: int) -> str:
    """A product of which the vault never had one."""
    return "sell Baobab 250, the last of the list: the vault holds none"


def locked(world: World, at: int) -> str:
    """Blocked by the office."""
    world.command("terminal", "block", world.terminals[at].terminal_id)
    return "it locks at its next check-in; Unblock, under The office, lets it sell again"


def trial(world: World, at: int) -> str:
    """A new version that runs and cannot prove itself: the network goes when it starts.

    MakingFailed when none starts within some minutes.
    """
    parts = world.terminals[at].parts
    before = slots.read(parts.board).active  # on its first day that one is on trial, too
    releasing.good(world, at)
    deadline_s = time.monotonic() + _TRIAL_WAIT_S
    while (now := slots.read(parts.board)).active == before or not now.on_trial:
        if time.monotonic() > deadline_s:
            raise MakingFailed("no new version started: is the terminal on, and has it a network?")
        time.sleep(_LOOK_S)
    parts.board.call(parts.network.set_coverage, False)
    return (
        "the new version runs on trial, and its network is gone: switch Coverage on and it is"
        " confirmed, or watch it go back to the one before"
    )


def spoiled(world: World, at: int) -> str:
    """Flash under the running version that does not hold any more."""
    board = world.terminals[at].parts.board
    now = slots.read(board)
    if not now.active:
        raise MakingFailed("the board is blank: there is nothing to spoil")
    board.power_off()
    slots.spoil(board, now.active)
    board.power_on()
    if now.has_way_back:
        return "the running version is spoiled: the terminal starts the one before"
    return "the only version is spoiled: the terminal waits for a technician, its money kept"


def recovery(world: World, at: int) -> str:
    """A finger on `*` while the power comes. MakingFailed when the bootloader does not see it."""
    board = world.terminals[at].parts.board
    board.power_off()
    board.hold(_RECOVERY_KEY)
    board.power_on()
    deadline_s = time.monotonic() + _RECOVERY_WAIT_S
    try:
        while _RECOVERY_PAGE not in read(board.lcd_picture()):
            if time.monotonic() > deadline_s:
                raise MakingFailed("the bootloader did not see the key")
            time.sleep(_LOOK_S)
    finally:
        board.release(_RECOVERY_KEY)
    return f"a technician's tool reaches it at {board.serial_port}; off and on ends it"
