"""The wire between the CPU and a device on one of its UARTs.

The board and every serial device (modem, printer) import this; nobody else needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable


class UartPeer(Protocol):
    """A device on the far end of a UART.

    All calls come from the board's asyncio event loop; a device starts its own timers (on its
    `hw_sim.pacing.Pace`) and tasks inside these calls, never at construction.
    """

    send: Callable[[bytes], None]
    """Set by the board before anything else: pushes bytes into the CPU's receive FIFO, which drops
    what it has no room for, as hardware does."""

    def on_host_bytes(self, data: bytes) -> None:
        """Take bytes which the CPU transmitted, in order, never empty, cut at any place."""
        ...

    def on_power(self, on: bool) -> None:
        """The board's supply rail came or went; what lived in the device's memory goes with it."""
        ...


@runtime_checkable
class HasPowerKey(Protocol):
    """A device with a power key (the modem's PWRKEY)."""

    def on_power_key(self, low: bool) -> None:
        """The level of the key's line changed: `low` is pressed."""
        ...


def unconnected(data: bytes) -> None:
    """The `send` of a device that is on no board: the bytes go nowhere."""
