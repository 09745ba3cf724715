"""A terminal whose release measures itself in place of the terminal's program. For `modules` and
`decoding`.
"""

from __future__ import annotations

from tests.support.world import World

_MAIN = '''"""{what}, in place of the program."""


def run(board, boot_info):
    from firmware import measure

    measure.run(board)
'''


def provision(world: World, what: str, device: str) -> None:
    """Make a terminal of the blank board with a release that runs `device` (a module with
    `run(board)`); `what` it does, in a few words. It is on then.
    """
    manager = world.manager
    world.found_server()
    manager.create()
    manager.check_out()
    (manager.checkout / "firmware/main.py").write_text(_MAIN.format(what=what))
    (manager.checkout / "firmware/measure.py").write_text(device)
    manager.commit(what)
    manager.add(manager.build(1, "1.0.0"))
    manager.set_prices()
    manager.publish()
    world.server.start()
    world.terminal.reach(world.server)
    world.provision(sync_s=1, poll_s=3600)
