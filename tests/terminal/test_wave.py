"""One wave of a release, lived through by three whole terminals, one after the other before one
server: one takes the release, one only restarts, one does nothing.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.support.world import PASSPHRASE, World
from tests.terminal.conftest import MakeWorld, TerminalWorld
from updater_server.channels import keys as key_files
from updater_server.channels.repository import Repository
from updater_server.channels.rollout import Control, drawn
from updater_server.service import DataFolder
from updater_server.telemetry import spool, windows

HOUR_S = 3600


class Neighbour(TerminalWorld):
    """Another terminal before the same server, on a board of its own."""

    def __init__(self, world: World, number: int) -> None:
        settings = dataclasses.replace(
            world._settings, seed=number, unique_id=number.to_bytes(8, "big")
        )
        super().__init__(world.folder, settings)
        self.server, self.manager = world.server, world.manager
        self.flash = world.folder / f"flash{number}.bin"

    @property
    def terminal_id(self) -> str:
        """The id that provisioning gave it."""
        return self.own_id

    def join(self) -> Neighbour:
        """Provisioned, with all that is signed so far verified and stored; off."""
        self.reach()
        self.provision(0, poll_s=HOUR_S, sync_s=HOUR_S)
        self.own_id = (self.folder / "terminal-id").read_text()
        self.terminal.wait_log("noted what is verified", 120)
        return self.leave()

    def leave(self) -> Neighbour:
        """Off, and away from the bench; the server's clock goes on from here."""
        self._tell_time()
        self.terminal.close()
        self._terminal = self._tap = None
        return self


def let_out(world: TerminalWorld, release: int, ids: list[bytes]) -> list[bytes]:
    """Let the release out to one of the terminals, with another as control; (beta, control, not
    touched).
    """
    manager = world.manager
    manager.add(world.image(release), deltas=False, gate_idle_s=0)
    manager.publish()
    signers = key_files.load_all(manager.keys, PASSPHRASE)
    repository = Repository.open(manager.repository)
    repository.set_rollout("stable", release, 0, signers, world.now())
    repository.publish(signers, world.now())
    salt = repository.published.rollout("stable").releases[str(release)].salt
    placed = sorted(ids, key=lambda one: drawn(salt, one))
    reach = [drawn(salt, one) for one in placed]
    threshold, within = reach[1]
    arm = Control(*reach[2])
    repository.set_rollout("stable", release, threshold, signers, world.now(), within, arm)
    repository.publish(signers, world.now())
    return placed


def told(world: World, terminal_id: bytes) -> tuple[list[int], list[windows.Window]]:
    """(Releases that it said it restarts into, windows), of all that waits for the worker."""
    restarts, found = [], []
    folder = DataFolder(world.server.folder).telemetry
    for file in sorted(Path(folder).glob("spool*")):
        for entry in spool.entries(file):
            if entry.terminal == terminal_id:
                if entry.kind == spool.RESTART:
                    restarts.append(int.from_bytes(entry.told, "big"))
                else:
                    taken, refused = windows.read(entry.told, entry.heard_s)
                    assert refused == []
                    found += taken
    return restarts, found


def test_three_terminals_live_through_one_wave(make_world: MakeWorld) -> None:
    first = make_world("factory")
    first.server.start()
    terminals = {}
    for number in (1, 2, 3):
        one = Neighbour(first, number).join()
        terminals[bytes.fromhex(one.terminal_id)] = one
    beta, control, other = let_out(first, 2, list(terminals))
    for one in terminals.values():
        one.open_shop()
        one.wait_online()
        one.terminal.board.pause(2 * HOUR_S)
        one.leave()
    lived = {one: told(first, one) for one in terminals}
    assert [lived[one][0] for one in (beta, control, other)] == [[2], [1], []]
    runs = {one: terminals[one].books.check_in()["release"] for one in (beta, control, other)}
    assert list(runs.values()) == [2, 1, 1]
    for arm, release in ((beta, 2), (control, 1)):
        hourly = [one for one in lived[arm][1] if one.length_s >= HOUR_S]
        assert hourly, "an arm tells each hour"
        assert {one.release for one in hourly} == {release}
        assert max(one.length_s for one in hourly) < 2 * HOUR_S
        assert hourly[0].values[20] == 1, "the start that was wanted"
    assert lived[other][1] == [], "and who is in no arm has not told yet"
