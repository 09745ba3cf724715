"""Run a simulated board from a flash file: `python -m hw_sim FLASH [options]`.

With a script it runs that and ends; on a terminal it shows a panel; else it runs headless until it
is interrupted. The first line printed names the serial port.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from hw_sim import script
from hw_sim.cpu import InterpreterError
from hw_sim.flash import FlashError
from hw_sim.modem import Sim800
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import GPRS, POOR_GPRS, WIRE, LinkProfile
from hw_sim.panel.text import Panel
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard

_LOOK_AGAIN_S = 0.1
_LINKS = {"gprs": GPRS, "poor": POOR_GPRS, "wire": WIRE}


def main(
    flash: Annotated[Path, typer.Argument(help="flash file; made, blank, when there is none")],
    unique_id: Annotated[str, typer.Option(help="the chip's, 16 hex digits")] = "d00d000000000001",
    seed: Annotated[int, typer.Option(help="of contact bounce, jitter and noise")] = 0,
    script_file: Annotated[Path | None, typer.Option("--script", help="run it, then end")] = None,
    step: Annotated[list[str] | None, typer.Option(help="one step of a script; may repeat")] = None,
    serial_link: Annotated[Path | None, typer.Option(help="name the serial port so")] = None,
    link: Annotated[str, typer.Option(help="gprs, poor or wire")] = "gprs",
    time_scale: Annotated[float, typer.Option(help="devices run so much faster")] = 1.0,
    route: Annotated[list[str] | None, typer.Option(help="NAME:PORT=HOST:PORT; may repeat")] = None,
    battery_mv: Annotated[int, typer.Option(min=0, max=5000)] = 4000,
    coverage: Annotated[bool, typer.Option(help="begin inside network coverage")] = True,
    power: Annotated[bool, typer.Option(help="switch on at once")] = True,
    panel: Annotated[bool, typer.Option(help="show the panel when on a terminal")] = True,
) -> None:
    """Run one board until its script ends, the panel is left, or it is interrupted."""
    try:
        steps = [script_file.read_text()] if script_file else []
        text = "\n".join(steps + (step or []))
        script.parse(text)
        network = GsmNetwork(
            seed=seed,
            time_scale=time_scale,
            link=_link(link),
            coverage=coverage,
            resolve=dict(_route(each) for each in route or []),
        )
        printer = EscPosPrinter(time_scale=time_scale)
        modem = Sim800(network, battery_mv=lambda: board.battery.mv)
        board = SimulatedBoard(
            flash,
            unique_id=bytes.fromhex(unique_id),
            seed=seed,
            modem=modem,
            printer=printer,
            serial_link=serial_link,
        )
    except (ValueError, FlashError, InterpreterError, OSError) as error:
        typer.echo(f"cannot start the board: {error}", err=True)
        raise typer.Exit(2) from error
    headless = not text and not (panel and sys.stdin.isatty() and sys.stdout.isatty())
    # Before anything is printed: who reads the first line may end the run at once.
    told_to_end = _told_to_end() if headless else []
    with board:
        board.battery.set_mv(battery_mv)
        typer.echo(f"serial port: {board.serial_port}")
        sys.stdout.flush()
        if power:
            board.power_on()
        if text:
            _run_script(text, board, network, printer)
        elif headless:
            # Not an Event: a handler that sets one can meet its own lock, held by this thread.
            while not told_to_end:
                board.pause(_LOOK_AGAIN_S)
        else:
            Panel(board, network, printer).run()


def _run_script(
    text: str, board: SimulatedBoard, network: GsmNetwork, printer: EscPosPrinter
) -> None:
    try:
        script.Runner(board, network=network, printer=printer, show=typer.echo).run(text)
    except script.StepFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _told_to_end() -> list[int]:
    """Signals that told us to end: empty until one comes."""
    came: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: came.append(number))
    return came


def _link(name: str) -> LinkProfile:
    if name not in _LINKS:
        raise ValueError(f"no link {name!r}: there are {', '.join(_LINKS)}")
    return _LINKS[name]


def _route(text: str) -> tuple[str, tuple[str, int]]:
    name, _, real = text.partition("=")
    host, _, port = real.rpartition(":")
    if not name or not host or not port.isdigit():
        raise ValueError(f"{text!r} is no route: write NAME:PORT=HOST:PORT")
    return name, (host, int(port))


if __name__ == "__main__":
    typer.run(main)
