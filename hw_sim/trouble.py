"""Steps of a script that make trouble: power, supply, air, paper, clock and wires.

`hw_sim.script` has the language; `STEPS` are its words for what may befall a board.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from hw_sim.flash import CutMoment
from hw_sim.network.link import GPRS, POOR_GPRS, WIRE, LinkProfile

if TYPE_CHECKING:
    from hw_sim.script import Runner

Action = Callable[["Runner"], None]
LINKS: Final = {"gprs": GPRS, "poor": POOR_GPRS, "wire": WIRE}
"""Links by name: `network NAME` in a script."""
_WIRES: Final = ("modem", "printer")
_YEARS_S: Final = 100 * 365 * 86400


def duration_s(text: str) -> float:
    """Seconds of `300ms`, `2s` or `1m`. ValueError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", text)
    if not found:
        raise ValueError(f"{text!r} is no time: write 300ms, 2s or 1m")
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found[2]]


def arity(arguments: list[str], least: int, most: int) -> None:
    """ValueError unless there are so many arguments."""
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ValueError(f"takes {wanted} arguments, not {len(arguments)}")


def whole(text: str, least: int, most: int) -> int:
    """The number. ValueError when it is none, or outside."""
    number = int(text)
    if not least <= number <= most:
        raise ValueError(f"{number} is not within {least} to {most}")
    return number


def choice(arguments: list[str], actions: dict[str, Action]) -> Action:
    """The action that the only argument names. ValueError when it names none."""
    if len(arguments) != 1 or arguments[0] not in actions:
        raise ValueError(f"say one of: {', '.join(actions)}")
    return actions[arguments[0]]


def _power(arguments: list[str]) -> Action:
    if arguments[:1] == ["cut"]:
        arity(arguments, 3, 3)
        count, how = whole(arguments[1], 1, 10**9), arguments[2]
        if how not in ("before", "torn", "after"):
            raise ValueError("a cut is before, torn or after")
        moment = cast(CutMoment, how)
        return lambda runner: runner.board.cut_power_at_flash_operation(
            runner.board.flash.operations + count, moment
        )
    return choice(
        arguments,
        {
            "on": lambda runner: runner.board.power_on(),
            "off": lambda runner: runner.board.power_off(),
            "cycle": lambda runner: runner.board.power_cycle(),
        },
    )


def _battery(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    mv = whole(arguments[0], 0, 5000)
    return lambda runner: runner.board.battery.set_mv(mv)


def _network(arguments: list[str]) -> Action:
    if arguments[:1] == ["drop"]:
        arity(arguments, 2, 2)
        size = whole(arguments[1], 0, 10**9)
        return lambda runner: runner.board.call(runner.network.drop_after_bytes, size)
    if arguments[:1] == ["stall"]:
        arity(arguments, 2, 2)
        seconds = duration_s(arguments[1])
        return lambda runner: runner.board.call(runner.network.stall, seconds)
    actions: dict[str, Action] = {
        "on": lambda runner: runner.board.call(runner.network.set_coverage, True),
        "off": lambda runner: runner.board.call(runner.network.set_coverage, False),
        "break": lambda runner: runner.board.call(runner.network.reset_connections),
    }
    actions |= {name: _link(profile) for name, profile in LINKS.items()}
    return choice(arguments, actions)


def _link(profile: LinkProfile) -> Action:
    return lambda runner: runner.board.call(setattr, runner.network, "link", profile)


def _signal(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    level = whole(arguments[0], 0, 31)
    return lambda runner: runner.board.call(runner.network.set_signal, level)


def _sim(arguments: list[str]) -> Action:
    return choice(
        arguments,
        {
            "in": lambda runner: runner.board.call(runner.network.insert_sim),
            "out": lambda runner: _ignore(runner.board.call(runner.network.remove_sim)),
        },
    )


def _ignore(_: object) -> None:
    pass


def _paper(arguments: list[str]) -> Action:
    if arguments[:1] == ["left"]:
        arity(arguments, 2, 2)
        mm = whole(arguments[1], 0, 30_000)
        return lambda runner: runner.board.call(runner.printer.set_paper_left, mm)
    return choice(
        arguments,
        {
            "out": lambda runner: runner.board.call(runner.printer.run_out_of_paper),
            "load": lambda runner: runner.board.call(runner.printer.load_paper),
        },
    )


def _cover(arguments: list[str]) -> Action:
    return choice(
        arguments,
        {
            "open": lambda runner: runner.board.call(runner.printer.open_cover),
            "close": lambda runner: runner.board.call(runner.printer.close_cover),
        },
    )


def _head(arguments: list[str]) -> Action:
    return choice(
        arguments,
        {
            "hot": lambda runner: runner.board.call(runner.printer.overheat),
            "cool": lambda runner: runner.board.call(runner.printer.cool_down),
        },
    )


def _charger(arguments: list[str]) -> Action:
    return choice(
        arguments,
        {
            "on": lambda runner: runner.board.battery.set_charging(True),
            "off": lambda runner: runner.board.battery.set_charging(False),
        },
    )


def _clock(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    seconds = float(arguments[0])
    return lambda runner: runner.board.call(runner.board.board.rtc.shift, seconds)


def _cell_time(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    if arguments[0] == "honest":
        return lambda runner: runner.board.call(runner.network.honest_time)
    seconds = whole(arguments[0], -_YEARS_S, _YEARS_S)

    def lie(runner: Runner) -> None:
        network = runner.network
        runner.board.call(lambda: network.forge_time(network.pace.unix_s() + seconds))

    return lie


def _wire(arguments: list[str]) -> Action:
    arity(arguments, 3, 3)
    name, how, size = arguments[0], arguments[1], whole(arguments[2], 0, 10**6)
    if name not in _WIRES or how not in ("drop", "garble"):
        raise ValueError("say: wire modem|printer drop|garble BYTES")

    def spoil(runner: Runner) -> None:
        description = runner.board.board.description
        number = description.modem_uart if name == "modem" else description.printer_uart
        link = runner.board.board.uarts[number]
        runner.board.call(link.drop if how == "drop" else link.garble, size)

    return spoil


STEPS: Final[dict[str, Callable[[list[str]], Action]]] = {
    "battery": _battery,
    "celltime": _cell_time,
    "charger": _charger,
    "clock": _clock,
    "cover": _cover,
    "head": _head,
    "network": _network,
    "paper": _paper,
    "power": _power,
    "signal": _signal,
    "sim": _sim,
    "wire": _wire,
}
"""By first word: what reads the rest of the line. It raises ValueError for what cannot be."""
