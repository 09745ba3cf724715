"""A device on a UART that a test can look into."""

from __future__ import annotations

from collections.abc import Callable


class WirePeer:
    """A device on a UART that keeps what it hears and can answer each chunk."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None) -> None:
        self.send: Callable[[bytes], None] = lambda data: None
        self.heard = bytearray()
        self.power: list[bool] = []
        self.key: list[bool] = []
        self._answer = answer

    def on_host_bytes(self, data: bytes) -> None:
        self.heard += data
        if self._answer is not None:
            self.send(self._answer(data))

    def on_power(self, on: bool) -> None:
        self.power.append(on)

    def on_power_key(self, low: bool) -> None:
        self.key.append(low)
