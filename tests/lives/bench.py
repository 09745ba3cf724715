"""What a technician does to a terminal on the bench, with the product's own tools and the cable."""

from __future__ import annotations

from rich.progress import Progress

from tests.support.world import SILENT
from tests.terminal.conftest import TerminalWorld
from tools.technician.custody import Office, change_settings
from tools.technician.log import Job
from tools.technician.progress import Row
from tools.technician.repair import recover
from tools.technician.signed_files import fetch_signed_files

SLOTS = (0x0D0000, 0x170000)
_SPOILED_AT = 0x1000
HOUR_S = 3600


class Technician:
    """`poll_s`: how often the terminal checks in, as its settings have it now; `repairs`: how often
    it was on the bench.
    """

    def __init__(self, world: TerminalWorld, channel: str, poll_s: int) -> None:
        self._world = world
        self._channel = channel
        self.poll_s = poll_s
        self.repairs = 0

    def repair(self) -> str:
        """Both slots are spoiled: the terminal comes to the bench, and home with the release that
        its channel lists.
        """
        world, board = self._world, self._world.terminal.board
        self.repairs += 1
        board.power_off()
        for address in SLOTS:
            board.call(board.flash.damage, address + _SPOILED_AT, b"\0" * 64)
        board.power_on()
        with world.cable():
            signed = fetch_signed_files(world.server.url, world.manager.root, self._channel)
            return recover(board.serial_port, signed, self._job("recover"), self._row())

    def set_interval(self, hours: int) -> str:
        """Another time between check-ins, permitted by the office."""
        world = self._world
        office = Office(world.server.url, world.token)
        self.poll_s = hours * HOUR_S
        patch = {"poll_s": self.poll_s}
        port = world.terminal.board.serial_port
        with world.cable():
            change_settings(port, patch, office, self._job("configure"), self._row())
        return f"every {hours} hours"

    def _job(self, name: str) -> Job:
        return Job(name, self._world.terminal.board.serial_port)

    def _row(self) -> Row:
        return Row(Progress(console=SILENT, auto_refresh=False), "bench")
