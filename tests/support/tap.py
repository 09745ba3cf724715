"""The box between a terminal's network and the server, where tests look for it."""

from hw_sim.network.tap import Exchange, Tap

__all__ = ["Exchange", "Tap"]
