"""What a network does that nobody is told of, by name: bearers that carry nothing, connections that
a box between has forgotten or never answers on, and somebody who rings.

The modem says when it makes a context, leaves the cell or loses its power (`cured`): a fault holds
until what it asks for has happened, and never heals by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from hw_sim.network.listener import Listeners
from hw_sim.network.pdp import PdpContext


class Cure(IntEnum):
    """What ends a fault; the later ones end what the earlier ones do."""

    CONTEXT = 1
    """A data context is made anew."""
    RADIO = 2
    """The modem leaves the cell: radio off, or detached."""
    POWER = 3
    """The modem is without power, or starts anew."""


class Faults:
    """The quiet misbehaviours of one network; `contexts` gives the data contexts that are active.

    `calls_refused` and `calls_heard`: what became of those who rang.
    """

    def __init__(self, contexts: Callable[[], list[PdpContext]], listeners: Listeners) -> None:
        self._contexts = contexts
        self._listeners = listeners
        self._dead: Cure | None = None
        self._mute: Cure | None = None
        self._fails_s = 0.0
        self.calls_refused = 0
        self.calls_heard = 0

    def dead_bearer(self, until: Cure = Cure.CONTEXT, fails_s: float = 300.0) -> None:
        """The context that is up, or else the next one, has an address and carries nothing. Who
        connects over it hears so after `fails_s`, or when TCP gives up.
        """
        self._fails_s = fails_s
        contexts = self._contexts()
        for context in contexts:
            context.dead_s = fails_s
            for connection in context.connections:
                connection.forget()
        self._dead = None if contexts and until is Cure.CONTEXT else until

    def mute_connections(self, until: Cure = Cure.CONTEXT) -> None:
        """Connections open, take what is sent and never answer, as behind a box that is broken."""
        for context in self._contexts():
            context.is_mute = True
            for connection in context.connections:
                connection.mute()
        self._mute = until

    def forget_connections(self) -> None:
        """A box between forgets the open connections: they are half open, and nobody is told."""
        for context in self._contexts():
            for connection in context.connections:
                connection.forget()

    def ring(self, seconds: float, number: str = "+254700000001") -> None:
        """Somebody rings for that long. Data stands still while the part rings."""
        self._listeners.tell_call(number, seconds)

    # told by the modem and by the network

    def cured(self, by: Cure) -> None:
        """This has happened: what it ends is over."""
        if self._dead is not None and by >= self._dead and by is not Cure.CONTEXT:
            self._dead = None
        if self._mute is not None and by >= self._mute:
            self._mute = None

    def context_made(self, context: PdpContext) -> None:
        """A new context takes its faults with it."""
        self.cured(Cure.CONTEXT)
        context.dead_s = self._fails_s if self._dead is not None else None
        context.is_mute = self._mute is not None
        if self._dead is Cure.CONTEXT:
            self._dead = None
