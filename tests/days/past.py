"""The past of a town: a back-up, and a server that is put back from it while its terminals know
more. What the operator did since is done again, as docs/server.md says.
"""

from __future__ import annotations

import contextlib
import functools
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.days.corner import Corner
from updater_server import backup
from updater_server.errors import InputError
from updater_server.sales import restoring
from updater_server.store.engine import reading, writing

if TYPE_CHECKING:
    from tests.days.town import Town


@dataclass
class _Kept:
    """A back-up; the key that opens it is kept apart."""

    copy: Path
    server_key: bytes
    remembered: list[Any]


class Past(Corner):
    """One back-up at a time, put back once."""

    share = 0.3
    steps = ("back up", "put back")

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._kept: _Kept | None = None
        self._states: list[str] = []

    def step(self, name: str, chance: random.Random) -> None:
        """See `Corner.step`."""
        if self.town.is_restoring:
            return
        if name == "back up":
            self._back_up()
        elif self._kept is not None:
            self._put_back(self._kept)
            self._kept = None

    def _back_up(self) -> None:
        town = self.town
        folder = town.shop.folder.parent / "copies"
        made = town.done(lambda: backup.make(town.shop.service, folder))
        key = town.shop.service.folder.server_key.read_bytes()
        self._kept = _Kept(made.path, key, [one.remember() for one in town.everywhere])
        town.log = []

    def _put_back(self, kept: _Kept) -> None:
        town = self.town
        folder = town.shop.service.folder
        folder.server_key.write_bytes(kept.server_key)
        town.stop()
        backup.restore(folder, kept.copy, town.shop.clock[0])
        town.restart()
        town.is_restoring = True
        for corner, remembered in zip(town.everywhere, kept.remembered, strict=True):
            corner.put_back(remembered)
        town.do_again()

    def night(self) -> None:
        """Once every terminal has told all, the restore is over."""
        if not self.town.is_restoring:
            return
        self.town.tell_all()
        for keeper in self.town.keepers:
            if keeper.was_held:  # no word of its float can be had from it
                give_up = functools.partial(self._give_up, keeper.device.terminal_id)
                self.town.done(give_up)
        try:
            self.town.done(self._settle)
        except InputError:
            self._states = self.town.done(self._told)
            return
        self.town.is_restoring = False
        self.town.told_again_at = self.town.shop.clock[0]

    def _give_up(self, terminal_id: bytes) -> None:
        with (
            contextlib.suppress(InputError),  # it has agreed
            writing(self.town.shop.service.engine) as connection,
        ):
            restoring.give_up(connection, terminal_id, "asha", self.town.shop.clock[0])

    def _settle(self) -> None:
        with writing(self.town.shop.service.engine) as connection:
            restoring.settle(connection, False, "asha", self.town.shop.clock[0])

    def _told(self) -> list[str]:
        with reading(self.town.shop.service.engine) as connection:
            return [
                f"{row['terminal_id'].hex()}: {row['state']}"
                for row in restoring.status(connection)
            ]

    def broken(self) -> list[str]:
        """Whoever was put back agrees with its terminals by the night."""
        return ["told"] * self.town.is_restoring

    def words(self) -> list[str]:
        """See `Corner`."""
        return self._states
