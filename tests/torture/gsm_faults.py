"""What a modem and its network do wrong, by name, each with the time in which the terminal must be
online again.

`bound_s` counts from the end of the fault's own time (`lasts_s`): while nobody could have service,
nobody is late.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hw_sim.network.datagrams import Ways
from hw_sim.network.faults import Cure
from hw_sim.network.link import POOR_GPRS
from hw_sim.network.sim_card import Registration
from tests.support.driven import STEADY, Driven

Chance = random.Random


@dataclass(frozen=True)
class Fault:
    """`strike` makes it happen; `lost` is how many requests of the sales around it may stay without
    an answer at once (they are asked again later, under the same key).
    """

    name: str
    strike: Callable[[Driven, Chance], object]
    bound_s: float
    lasts_s: float = 0
    lost: int = 2


def _denied(driven: Driven, chance: Chance) -> None:
    driven.network.set_admission(Registration.DENIED)
    driven.pace.call_later(900, lambda: driven.network.set_admission(Registration.HOME))


def _within(line: str) -> Callable[[Driven, Chance], None]:
    def strike(driven: Driven, chance: Chance) -> None:
        for command in ("+CIFSR", "+QILOCIP"):  # as each part calls it
            driven.part.faults.say_within(command, line, 9)
        driven.network.deactivate_pdp()

    return strike


def _out_of_coverage(seconds: float) -> Callable[[Driven, Chance], None]:
    def strike(driven: Driven, chance: Chance) -> None:
        driven.network.set_coverage(False)
        driven.pace.call_later(seconds, lambda: driven.network.set_coverage(True))

    return strike


def _rings_for(seconds: float) -> Callable[[Driven, Chance], None]:
    def strike(driven: Driven, chance: Chance) -> None:
        def ring(left_s: float) -> None:
            driven.network.faults.ring(58)
            if left_s > 60:
                driven.pace.call_later(60, lambda: ring(left_s - 60))

        ring(seconds)

    return strike


def _dead(until: Cure, fails_s: float = 300) -> Callable[[Driven, Chance], None]:
    def strike(driven: Driven, chance: Chance) -> None:
        driven.network.deactivate_pdp()
        driven.network.faults.dead_bearer(until, fails_s)

    return strike


def _mute(until: Cure) -> Callable[[Driven, Chance], None]:
    return lambda driven, chance: driven.network.faults.mute_connections(until)


def _refused(driven: Driven, chance: Chance) -> None:
    driven.network.refuse_connects(chance.randint(1, 3))
    # Else a kept one, or datagrams that pass, put it off into another fault's time.
    driven.network.reset_connections()
    driven.pace.call_later(120, lambda: driven.network.refuse_connects(0))


def _flood(driven: Driven, chance: Chance) -> None:
    driven.part.faults.babble(900, is_deaf=True)
    driven.uart.flood(900)


def _datagrams(seconds: float, **ways: Any) -> Callable[[Driven, Chance], None]:
    """For so long they fare worse; where two such times meet, the first one's end ends both."""

    def strike(driven: Driven, chance: Chance) -> None:
        internet = driven.network.internet
        internet.ways = Ways(**ways)

        def heal() -> None:
            internet.ways = Ways()

        driven.pace.call_later(seconds, heal)

    return strike


def _poor(seconds: float) -> Callable[[Driven, Chance], None]:
    def strike(driven: Driven, chance: Chance) -> None:
        network = driven.network
        network.link = POOR_GPRS

        def heal() -> None:
            network.link = STEADY

        driven.pace.call_later(seconds, heal)

    return strike


FAULTS = (
    Fault("silent restart", lambda d, c: d.part.crash(silent=True), 45),
    Fault("restart with its words", lambda d, c: d.part.crash(), 45),
    Fault("comes up dead, till its context is made anew", _dead(Cure.CONTEXT), 120),
    Fault("comes up dead, till the radio was off", _dead(Cure.RADIO), 240),
    Fault("comes up dead, till the power was off", _dead(Cure.POWER), 420),
    Fault("comes up refusing all, till its context is made anew", _dead(Cure.CONTEXT, 1), 120),
    Fault("comes up refusing all, till the radio was off", _dead(Cure.RADIO, 1), 240),
    Fault("comes up refusing all, till the power was off", _dead(Cure.POWER, 1), 420),
    Fault("connections that never answer, till a new context", _mute(Cure.CONTEXT), 120),
    Fault("connections that never answer, till the radio was off", _mute(Cure.RADIO), 240),
    Fault("connections that never answer, till the power was off", _mute(Cure.POWER), 420),
    Fault("half-open connection", lambda d, c: d.network.faults.forget_connections(), 60, 0, 0),
    Fault("denied, and admitted again after 15 min", _denied, 330, 900),
    Fault("SMS in the answer to CIFSR", _within('+CMTI: "SM",1'), 60),
    Fault("ring in the answer to CIFSR", _within("RING"), 60),
    Fault("low supply in the answer to CIFSR", _within("UNDER-VOLTAGE WARNNING"), 60),
    Fault("low supply, switched off", lambda d, c: d.part.faults.under_voltage(), 60),
    Fault("hung", lambda d, c: d.part.hang(), 90),
    Fault("context taken away", lambda d, c: d.network.deactivate_pdp(), 60),
    Fault("connections reset", lambda d, c: d.network.reset_connections(), 60, 0, 0),
    Fault("no coverage for 2 min", _out_of_coverage(120), 60, 120),
    Fault("no coverage for 3 h", _out_of_coverage(10800), 990, 10800),
    Fault("somebody rings for an hour", _rings_for(3600), 60, 0, 0),
    Fault("a line that babbles for a minute", lambda d, c: d.part.faults.babble(60), 120, 60),
    Fault("a line that never pauses, of a part that answers nothing", _flood, 120),
    Fault("nothing crosses for 40 s", lambda d, c: d.network.stall(40), 120, 40),
    Fault("connections refused", _refused, 120),
    Fault("no datagram passes for an hour", _datagrams(3600, blocked=True), 60, 0, 0),
    Fault(
        "datagrams lost, doubled and late for an hour",
        _datagrams(3600, loss=0.3, doubled=0.2, late=0.2, late_s=4),
        60,
    ),
    Fault(
        "a box forgets where answers belong for an hour", _datagrams(3600, forgets_s=0.5), 60, 0, 0
    ),
    Fault("the edge of a cell for an hour", _poor(3600), 120),
)
