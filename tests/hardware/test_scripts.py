"""Text scripts and the command drive a board; mistakes are refused before anything is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hw_sim import script
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import POOR_GPRS, WIRE
from hw_sim.printer import EscPosPrinter
from tests.hardware.conftest import MakeBoard, romfs

ROOT = Path(__file__).resolve().parents[2]

PRINTING = """
from machine import UART
uart = UART(1, baudrate=9600)
uart.write(b"Receipt 42\\n")
print("ready")
"""


def test_a_script_drives_every_device(make_board: MakeBoard, tmp_path: Path) -> None:
    network, printer = GsmNetwork(link=WIRE), EscPosPrinter(mm_per_s=None)
    board = make_board(PRINTING, printer=printer)
    shown: list[str] = []
    runner = script.Runner(board, network=network, printer=printer, show=shown.append)
    runner.run(
        f"""
        # with comments, and blank lines

        power on
        wait console ready 5s
        wait printed "Receipt 42" 5s   # quoted
        signal 7
        network drop 100
        network off
        sim out
        paper out
        cover open
        cover close
        battery 3500
        charger on
        charger off
        clock -86400
        network poor
        network stall 10ms
        network break
        celltime -86400
        paper load
        paper left 30
        head hot
        head cool
        wire modem drop 3
        wire printer garble 2
        paper out
        hold #   # a key, then a comment
        release #
        press 5 hold 10ms
        type *#
        send "print(6*7*100)"
        wait console 4200
        wait 10ms
        lcd
        lcd {tmp_path}/screen.png
        receipts
        console
        events
        flash
        reset
        wait reset hard 2s
        power cut 5 torn
        power cycle
        power off
        """
    )
    assert (network.coverage, network.sim) == (False, None)
    assert network.link is POOR_GPRS
    assert abs(network.pace.unix_s() - 86400 - network.time_unix_s()) < 1
    assert printer.paper_out
    assert board.battery.mv == 3500
    assert (tmp_path / "screen.png").exists()
    assert any("Receipt 42" in text for text in shown)
    assert any("violations 0" in text for text in shown)
    assert board.flash.cut_pending
    assert board.resets == ["power_on", "hard", "power_on"]


@pytest.mark.parametrize(
    "line",
    [
        "jump", "press", "press 5 hold", "press 5 hold long", "press 5 6 7 8", "wait", "wait 5",
        "wait console", "wait console x y", "power", "power maybe", "power cut 0 torn",
        "power cut 1 sideways", "power cut x torn", "battery", "battery 9000", "battery full",
        "network", "network drop", "network drop -1", "signal 32", "sim", "paper", "cover",
        "lcd picture.jpg", "lcd a b", "flash now", 'send "open', "clock noon", "reset now",
        "network fast", "network stall", "celltime noon", "celltime", "paper left", "head warm",
        "wire modem", "wire lcd drop 3", "wire modem bend 3", "wait shows",
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_is_refused_before_anything_is_done(
    make_board: MakeBoard, line: str
) -> None:
    board = make_board()
    with pytest.raises(script.ScriptError, match="line 2"):
        script.Runner(board).run(f"power on\n{line}\n")
    assert not board.board.powered


@pytest.mark.parametrize("line", ["press E", "network off", "paper out", "wait console no 50ms"])
def test_a_step_that_does_not_come_true_names_its_line(make_board: MakeBoard, line: str) -> None:
    with pytest.raises(script.StepFailed, match="line 1"):
        script.Runner(make_board()).run(line)


def test_a_step_waits_for_what_somebody_reads_on_the_display(make_board: MakeBoard) -> None:
    looks: list[object] = []

    def read(picture: object) -> str:
        looks.append(picture)
        return "Menu"

    board = make_board()
    script.Runner(board, read=read).run('wait shows "Menu" 1s')
    with pytest.raises(script.StepFailed, match="on the display"):
        script.Runner(board, read=read).run("wait shows Sold 200ms")
    assert len(looks) == 2, "a picture that stays is read once"
    with pytest.raises(script.StepFailed, match="nobody here can read"):
        script.Runner(board).run("wait shows Menu")


def test_every_step_is_in_the_help() -> None:
    for name in script._STEPS:
        assert name in script.HELP


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "hw_sim", *map(str, arguments)]


def test_the_command_runs_a_script_and_says_where_the_serial_port_is(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    image = romfs(tmp_path / "image", PRINTING)
    flash.write_bytes(image + b"\xff" * (4 * 1024 * 1024 - len(image)))
    file = tmp_path / "steps.txt"
    file.write_text("wait console ready\nwait printed Receipt\n")
    done = subprocess.run(
        command(flash, "--script", file, "--step", "receipts"),
        capture_output=True, text=True, timeout=60, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("serial port: /dev/")
    assert "Receipt 42" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--step", "jump"], 2, "no such step"),
        (["--unique-id", "xyz"], 2, "cannot start"),
        (["--link", "fibre"], 2, "no link"),
        (["--route", "nowhere"], 2, "no route"),
        (["--step", "wait console nothing 50ms"], 1, "line 1"),
    ],
)
def test_the_command_ends_with_a_status_that_ci_understands(
    tmp_path: Path, arguments: list[str], status: int, text: str
) -> None:
    done = subprocess.run(
        command(tmp_path / "flash.bin", *arguments),
        capture_output=True, text=True, timeout=60, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert text in done.stderr


def test_headless_it_runs_until_it_is_told_to_end(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path / "flash.bin"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout:
        port = process.stdout.readline().split()[-1]
        assert os.path.exists(port)  # noqa: PTH110
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
