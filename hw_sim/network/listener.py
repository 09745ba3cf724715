"""Who hears of the network's changes: the modems, and what they must have ears for."""

from __future__ import annotations

from typing import Protocol


class NetworkListener(Protocol):
    """The modem's ear on the network; called on the event loop, must not block."""

    def on_network_change(self) -> None:
        """Coverage, admission or signal changed."""
        ...

    def on_sim_change(self) -> None:
        """A SIM card was put in or taken out."""
        ...

    def on_pdp_deactivated(self) -> None:
        """The network took the data context away; its connections are dead already."""
        ...

    def on_sms(self) -> None:
        """A message waits at the centre."""
        ...

    def on_call(self, number: str, seconds: float) -> None:
        """Somebody rings for that long."""
        ...


class Listeners:
    """The modems that listen now."""

    def __init__(self) -> None:
        self._present: list[NetworkListener] = []

    def attach(self, listener: NetworkListener) -> None:
        """Tell this modem of changes from now on."""
        if listener not in self._present:
            self._present.append(listener)

    def detach(self, listener: NetworkListener) -> None:
        """Stop telling; unknown listeners are fine."""
        if listener in self._present:
            self._present.remove(listener)

    def tell_network_change(self) -> None:
        """Coverage, admission or signal changed."""
        for listener in list(self._present):
            listener.on_network_change()

    def tell_call(self, number: str, seconds: float) -> None:
        """Somebody rings for that long."""
        for listener in list(self._present):
            listener.on_call(number, seconds)

    def tell_sms(self) -> None:
        """A message waits at the centre."""
        for listener in list(self._present):
            listener.on_sms()

    def tell_sim_change(self) -> None:
        """A SIM card came or went."""
        for listener in list(self._present):
            listener.on_sim_change()
