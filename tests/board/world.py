"""A small world on the clock of a test: a server that answers over real HTTP, terminals that speak
to it, the worker's looks, and people who are told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import update

from tests.board.scene import Scene, begin, token
from tests.board.served import served
from tests.notices.town import Town
from tests.server.device import Device
from tests.server.shop import Shop
from updater_server.lookout.worker import Lookout
from updater_server.parties import tree
from updater_server.store.engine import writing
from updater_server.store.tables import terminal

STEP_S = 10
"""Between two looks of the worker."""


class World:
    """`pass_time` lets the worker look as often as it does, and counts what people were told."""

    def __init__(self, scene: Scene, town: Town, url: str) -> None:
        self.scene, self.town, self.url = scene, town, url
        self.shop: Shop = scene.shop
        self.lookout = Lookout(self.shop.service)
        self._auth = ("any", token(self.shop, "viewer", "the wall"))
        self._client = httpx.Client(timeout=30)
        self._clock = scene.shop.clock

    @property
    def now(self) -> int:
        """Unix s."""
        return self._clock[0]

    def enrol(self, number: int) -> Device:
        """A terminal that speaks over the network."""
        device = self.shop.enrol(number)

        def post(body: bytes) -> tuple[int, bytes]:
            kind = {"content-type": "application/cose"}
            answer = self._client.post(f"{self.url}/m", content=body, headers=kind)
            return answer.status_code, answer.content if answer.status_code == 200 else b""

        device.transport = post
        return device

    def pass_time(self, seconds: int, each: list[Device] | None = None) -> None:
        """Look every ten seconds; those in `each` check in before every look."""
        for _ in range(seconds // STEP_S):
            self._clock[0] += STEP_S
            for device in each or []:
                device.check_in()
            self.lookout.look()
            self.town.look()

    def board(self) -> str:
        """What the wall shows, without tags."""
        answer = self._client.get(f"{self.url}/board/live", auth=self._auth)
        assert answer.status_code == 200, answer.text
        return " ".join(re.sub(r"<title>.*?</title>|<[^>]+>", " ", answer.text).split())

    def told(self, code: str) -> tuple[list[str], int, list[str]]:
        """(subjects of mails, SMS, states of webhooks) about one kind of alarm."""
        mails = [str(m["Subject"]) for m in self.town.mailbox.mails if code in str(m["Subject"])]
        sms = sum(code in form["message"] for form in self.town.gateway.forms())
        hooks = [
            str(d["status"])
            for d in self.town.hook.documents()
            if d["commonLabels"].get("alertname") == code
        ]
        return mails, sms, hooks

    def regions(self, sizes: dict[str, int]) -> dict[str, list[bytes]]:
        """Distributors with so many terminals each."""
        found: dict[str, list[bytes]] = {}
        number = 1000
        for code, size in sizes.items():
            devices = [self.shop.enrol(number + n) for n in range(size)]
            number += size
            with writing(self.shop.service.engine) as connection:
                above = tree.add(connection, code, code, "distributor", "", "joy", self.now)
                shop = tree.add(
                    connection, f"{code}-1", "shop", "merchant", above.code, "joy", self.now
                )
                for device in devices:
                    tree.give_terminal(connection, device.terminal_id, shop, "joy", self.now)
            found[code] = [device.terminal_id for device in devices]
        return found

    def hear(self, terminals: list[bytes], share: float, drawn: random.Random) -> None:
        """So many of them were heard within the last minute."""
        heard = [each for each in terminals if drawn.random() < share]
        with writing(self.shop.service.engine) as connection:
            connection.execute(
                update(terminal).where(terminal.c.id.in_(heard)).values(last_seen_at=self.now - 1)
            )

    def live_through(
        self, regions: dict[str, list[bytes]], days: int, share: float, drawn: random.Random
    ) -> None:
        """Days as usual, as far as this hour's habit needs them; the clock ends where it was."""
        end = self.now
        for day in range(days, 0, -1):
            for near in (-600, 0, 600):
                self._clock[0] = end - 86_400 * day + near
                for several in regions.values():
                    self.hear(several, share, drawn)
                self.lookout.look()
        self._clock[0] = end


@contextmanager
def world(folder: Path, signed: Path) -> Iterator[World]:
    """With nobody in it but one terminal, and three people who are told of everything."""
    scene = begin(folder, signed)
    town = Town(scene.shop)
    town.everybody(per_hour=100)
    try:
        with served(scene.shop.service) as port:
            yield World(scene, town, f"http://127.0.0.1:{port}")
    finally:
        town.close()
        scene.shop.service.engine.dispose()
