"""A protocol terminal: seals its messages, counts what it does, tells each hour, restarts when the
plan says so. Written from docs/formats/messages.md and metrics.md.
"""

from __future__ import annotations

import random
from typing import Any

import cbor2

from tests.live.shelf import Shelf
from tests.server.device import Device, Transport

HOUR_S = 3600
TAKES_H = 3.0
"""In the mean so many hours after it may, a terminal has downloaded and its gates are open."""


class Terminal:
    """One shop's terminal. `failing` is how often a sale of its comes to nothing, by release."""

    def __init__(
        self, number: int, key: bytes, region: int, seed: int, transport: Transport, release: int
    ) -> None:
        self.chance = random.Random(f"{seed} {number}")
        self.device = Device(number.to_bytes(8, "big"), key, transport)
        self.region = region
        self.release = release
        self.own = self.chance.uniform(0.5, 1.5)
        self.takes_h = self.chance.expovariate(1 / TAKES_H)
        self.may_since_s = 0
        self.sequence = 0
        self.windows = 0
        self.sham_of: object = None
        self.shams = 0
        self.switched_at_s = 0
        self.sold = 0

    @property
    def id(self) -> bytes:
        """Its eight bytes."""
        return self.device.terminal_id

    def window(self, now_s: int, length_s: int, sales: int, rate: float) -> list[Any]:
        """What it counted until now: `rate` of its sales fail."""
        share = min(0.9, rate * self.own)
        failed = sum(self.chance.random() < share for _ in range(sales))
        printed = sales - failed
        slow = sum(self.chance.random() < 0.01 for _ in range(printed))
        quick, minutes = printed - slow, length_s // 60
        counts: dict[int, Any] = {
            1: sales, 2: printed, 3: failed, 6: printed, 10: sales + 1, 16: minutes,
            23: 350 * (sales + 1), 24: 400 * (sales + 1), 25: 3700 + self.chance.randrange(400),
            30: [quick // 2, quick - quick // 2, 0, 0, slow],
        }  # fmt: skip
        told = {number: value for number, value in counts.items() if value}
        self.windows += 1
        return [self.release, self.windows, now_s - length_s, length_s, told]

    def ask(self, content: dict[int, Any], *windows: list[Any]) -> dict[int, Any]:
        """Send a message with what was counted."""
        if windows:
            told = b"".join(cbor2.dumps(one, canonical=True) for one in windows)
            content = {**content, 13: told}
        return self.device.ask(content)

    def check_in(self, now_s: int, *windows: list[Any], into: int = 0) -> dict[int, Any]:
        """Kind 1; `into` is the release that it restarts into now."""
        device = self.device
        content: dict[int, Any] = {
            0: 1, 1: now_s, 2: self.release, 3: "a", 4: False, 5: device.boot_count, 6: 3900, 7: 20,
            8: None, 9: 0, 10: [1, 1],
        }  # fmt: skip
        if into:
            content[14] = into
        return self.ask(content, *windows)

    def sell(self, now_s: int, *windows: list[Any]) -> int:
        """Kind 2: one real sale; its status."""
        self.sequence += 1
        content = {0: 2, 1: self.sequence, 2: "air50", 3: 5000, 4: now_s, 20: 250}
        reply = self.ask(content, *windows)
        status = int(reply[1])
        self.sold += status == 0
        return status

    def may_restart(self, shelf: Shelf, release: int, now_s: int) -> None:
        """Follow the plan: switch once, or restart as a control once a wave, each after its own
        while.
        """
        takes = shelf.allows(release, self.id) and self.release < release
        controls = shelf.restarts(release, self.id) and self.sham_of != shelf.wave(release)
        if not (takes or controls):
            self.may_since_s = 0
            return
        self.may_since_s = self.may_since_s or now_s
        if now_s - self.may_since_s < self.takes_h * HOUR_S:
            return
        into = release if takes else self.release
        self.check_in(now_s, into=into)
        self.device.boot_count += 1
        self.device.sent = self.windows = 0
        if takes:
            self.release, self.switched_at_s = release, now_s
        else:
            self.shams += 1
        self.sham_of = shelf.wave(release)
