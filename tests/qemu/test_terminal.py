"""The whole terminal on the emulated Cortex-M3, 128 KiB of heap and 32-bit words: the release that
was made, signed and installed on the simulated chip goes on here, on the same flash.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.merchant import debit_minor, nothing_lost
from tests.support.world import eventually
from tests.terminal.conftest import TerminalWorld


def test_it_sells_updates_itself_and_sells_on(qemu_world: Callable[[], TerminalWorld]) -> None:
    world = qemu_world().open_shop()
    world.merchant.sign_in()
    world.wait_online()
    world.merchant.sell()
    world.merchant.press("*", "Your PIN")
    world.offer(2)
    eventually(lambda: world.running() == (2, False), 400, "release 2, confirmed")
    # This world asks and syncs every second, which frays a heap in minutes as a shop does not in
    # days: there is room all the same.
    for trouble in ("no memory", "recursion", "starting anew"):
        assert trouble not in world.terminal.log()
    world.merchant.sign_in()
    world.wait_online()
    assert "come again" in world.merchant.sell().text
    nothing_lost(world, [debit_minor(1)] * 2)
