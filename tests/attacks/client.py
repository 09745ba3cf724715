"""The quick stage: the update client alone on CPython, before a site in the same process.

Only here time itself is turned: a whole terminal hears it under the server's seal alone.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from tests.attacks.scene import Gained, Row, Scene
from tests.update.world import NOW, World, catalogue, image, signers

_DAY_S = 86400


class ClientScene(Scene):
    """`tests.update.world` with a terminal that has seen today's metadata and prices."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.world = World(folder)
        self.repository = self.world.repository
        self.served, self.kept = folder / "site", folder / "kept"
        self.signers = {role: [*found] for role, found in signers()[0].items()}
        honest = self.world.site.respond

        def respond(head: bytes) -> bytes:
            path = head.split(b" ")[1].decode()
            file = self.served / path.removeprefix("/tuf/")
            instead = self.answer(path, file.read_bytes() if file.is_file() else b"")
            return honest(head) if instead is None else instead

        self.world.site.respond = respond  # type: ignore[method-assign]
        self.visit()
        self.honest_prices = [self.prices()]
        self.remember()

    @property
    def now(self) -> datetime:
        return NOW

    def evil_image(self) -> bytes:
        return image(self.evil)

    def new_prices(self) -> None:
        self.repository.set_catalogue("default", catalogue(2), self.all_signers, NOW)
        self.repository.publish(self.all_signers, NOW)
        self.honest_prices.append(self.repository.published.target_bytes("catalogue/default.json"))

    def prices(self) -> bytes:
        """What the terminal sells by."""
        return (self.world.data / "catalogue.json").read_bytes()

    def visit(self) -> None:
        """One visit of the update client, as after a restart."""
        self.world.site.change = self.intercept
        self.world.reboot()
        self.world.run()

    def learn(self) -> None:
        self.world.facts["battery_mv"] = 3000  # it looks, and does not switch
        self.visit()
        self.world.facts["battery_mv"] = 4000

    def ask(self) -> None:
        """Every visit begins so."""

    def wait_until_expired(self) -> None:
        self.world.time_s += 45 * _DAY_S


def play(row: Row, folder: Path) -> None:
    """Let the attack happen, then let honest days return.

    Raises:
        Gained: something else runs than may, a flag is on, prices changed, the terminal can no
            longer be updated, or the attack was not even noticed.
    """
    scene = ClientScene(folder)
    world = scene.world
    world.publish(2)
    scene.keep()
    world.time_s += row.days_old * _DAY_S
    row.attack(scene)
    may_run = {"old": 1, "new": 2}
    for _ in range(2):
        scene.visit()
        if world.switched_to() not in [may_run[name] for name in row.takes]:
            raise Gained(f"release {world.switched_to()} is switched to: {world.logged[-6:]}")
    if world.says("turned on: hourly"):
        raise Gained("a flag is on")
    if scene.prices() not in scene.honest_prices:
        raise Gained("the prices were changed")
    if not row.met(world.logged):
        raise Gained(f"nothing said {row.says!r}: {world.logged}")
    if world.switched_to() != 1:
        return
    scene.honest_files_again()
    for _ in range(6):  # past what stolen online keys gave out
        scene.repository.publish(scene.all_signers, NOW)
    world.all_signers = [s for s in scene.all_signers if isinstance(s, CryptoSigner)]
    world.publish(3)
    world.time_s = int(NOW.timestamp()) + 2 * _DAY_S
    for _ in range(2):
        scene.visit()
    if world.switched_to() != 3:
        raise Gained(f"the terminal cannot be updated any more: {world.logged[-6:]}")


def _turned_back(scene: Scene) -> None:
    assert isinstance(scene, ClientScene)
    scene.world.time_s -= 300 * _DAY_S


def _turned_forward(scene: Scene) -> None:
    assert isinstance(scene, ClientScene)
    scene.world.time_s += 3000 * _DAY_S


def _unknown(scene: Scene) -> None:
    assert isinstance(scene, ClientScene)
    scene.world.time_s = 0


TIME_ROWS = [
    Row("the client is told a time before everything was signed", _turned_back, ("new",), (), 0),
    Row("the client is told a time after all expired", _turned_forward, ("old",), ("expired",), 0),
    Row("the client is told no time at all", _unknown, ("old",), ("the time is unknown",), 0),
]
