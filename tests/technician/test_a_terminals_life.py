"""From blank to retired, over a pty, by nothing but `python -m tools tech`, a process each time."""

from __future__ import annotations

from collections.abc import Callable

from tests.technician.conftest import SLOTS, Technician
from tests.terminal.conftest import MakeWorld, TerminalWorld

TechnicianOf = Callable[[TerminalWorld], Technician]
SECTOR_BYTES = 4096
FAR_BYTES = 0x9000
"""More than the 32 KiB after which the terminal notes how far an upload came."""


def test_a_blank_terminal_is_provisioned_bricked_recovered_and_retired(
    make_world: MakeWorld, technician_of: TechnicianOf
) -> None:
    world = make_world("factory").open_shop()
    technician = technician_of(world)
    technician.own_process = True
    assert "blank board" in technician.tech("list", "--port", technician.port)
    said = technician.tech("provision", "--port", technician.port, *technician.provision_options())
    assert "is ready to sell" in said
    world.wait_online()
    assert "selling" in technician.tech("list", "--port", technician.port)

    technician.brick()
    assert "recovery (provisioned)" in technician.tech("list", "--port", technician.port)
    slot, wear = stopped_in_the_middle_of_recovery(technician)
    assert "release 1 runs" in technician.tech(
        "recover", "--port", technician.port, *technician.channel
    )
    now = world.terminal.board.flash.erases[slot // SECTOR_BYTES]
    assert now == wear, "what was there was not written again"
    world.merchant.sign_in()

    world.wait_online()
    assert "is wiped" in technician.tech(
        "retire", "--port", technician.port, *technician.server, "--yes"
    )
    assert "recovery (blank)" in technician.tech("list", "--port", technician.port)
    history = technician.tech("history")
    assert [line.split()[3] for line in history.splitlines()] == ["provision", "recover", "retire"]
    assert history.count("Wanjiru") == 3
    assert history.count("ok") == 3


def stopped_in_the_middle_of_recovery(technician: Technician) -> tuple[int, int]:
    """Kill the tool, cut the power. Where the upload went, and that place's wear by then."""
    board = technician.world.terminal.board
    wear = board.flash.erases
    before = list(wear)

    def begun() -> list[int]:
        sectors = {slot: (slot + FAR_BYTES) // SECTOR_BYTES for slot in SLOTS.values()}
        return [slot for slot, sector in sectors.items() if wear[sector] > before[sector]]

    with technician.start("recover", "--port", technician.port, *technician.channel) as job:
        board.wait_for(lambda: bool(begun()), 120, what="half an upload")
        job.kill()
    board.power_cycle()
    (slot,) = begun()
    return slot, wear[slot // SECTOR_BYTES]
