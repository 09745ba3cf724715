"""The technician's serial port: one path over all resets, mpremote on the other end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from hw_sim.flash import NorFlash
from tests.hardware.conftest import MakeBoard, romfs


def test_mpremote_writes_a_program_into_a_blank_board(
    make_board: MakeBoard, tmp_path: Path
) -> None:
    image = romfs(tmp_path / "image", "print('written by a technician')")
    board = make_board()
    board.power_on()
    port = SerialTransport(board.serial_port)
    port.enter_raw_repl(soft_reset=False)
    port.exec("from norflash import Flash\nflash = Flash()\nflash.erase(0)")
    for at in range(0, len(image), 256):
        port.exec(f"flash.program({at}, {image[at : at + 256]!r})")
    port.exec_raw_no_follow("import machine; machine.reset()")
    board.wait_for_console(b"written by a technician")
    port.close()
    assert board.resets == ["power_on", "soft"]


def test_mpremotes_soft_reset_leads_back_to_the_raw_repl_and_not_into_the_program(
    make_board: MakeBoard,
) -> None:
    board = make_board("print('program')")
    board.power_on()
    board.wait_for_console(b">>> ")
    port = SerialTransport(board.serial_port)
    port.enter_raw_repl(soft_reset=True)
    assert port.eval("1 + 1") == 2
    port.close()
    assert board.console_log.count(b"program") == 1


def test_a_long_script_crosses_whole_by_raw_paste(make_board: MakeBoard) -> None:
    board = make_board()
    board.power_on()
    port = SerialTransport(board.serial_port)
    port.enter_raw_repl(soft_reset=False)
    text = "".join(f"x{n} = {n}\n" for n in range(1500))
    assert port.exec(text + "print(x0 + x1499)").strip() == b"1499"
    port.close()


def test_the_port_keeps_its_path_and_its_link(make_board: MakeBoard, tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.symlink_to("/somewhere/old")
    board = make_board(serial_link=link)
    path = board.serial_port
    assert str(link.readlink()) == path
    board.power_on()
    board.wait_for_console(b">>> ")
    board.power_cycle()
    board.reset_button()
    assert board.serial_port == path
    board.close()
    assert not link.is_symlink()


def test_a_file_in_the_links_place_is_not_replaced(make_board: MakeBoard, tmp_path: Path) -> None:
    place = tmp_path / "port"
    place.write_text("precious")
    with pytest.raises(FileExistsError):
        make_board(serial_link=place, flash=NorFlash(None))
    assert place.read_text() == "precious"


def test_a_chatty_program_is_not_stalled_when_nobody_reads(make_board: MakeBoard) -> None:
    board = make_board("for n in range(3000):\n    print('x' * 100)\nprint('finished')")
    board.power_on()
    board.wait_for_console(b"finished", 20)
    assert board.board.console.dropped_bytes > 0
    assert len(board.console_log) <= 1024 * 1024 + 4096


def test_what_a_technician_sends_waits_for_a_busy_program(make_board: MakeBoard) -> None:
    program = """
import sys, time
print("busy")
time.sleep_ms(300)
got = 0
while got < 20000:
    got += len(sys.stdin.buffer.read(500))
print("got", got)
"""
    board = make_board(program)
    board.power_on()
    board.wait_for_console(b"busy")
    port = os.open(board.serial_port, os.O_RDWR | os.O_NOCTTY)
    try:
        sent = 0
        while sent < 20000:
            sent += os.write(port, b"\x03" * min(1000, 20000 - sent))
    finally:
        os.close(port)
    board.wait_for_console(b"got 20000", 10)


def test_unread_input_does_not_outlive_a_reset(make_board: MakeBoard) -> None:
    program = """
import sys, select, time
poll = select.poll()
poll.register(sys.stdin, select.POLLIN)
time.sleep_ms(100)
print("waiting", bool(poll.poll(0)))
"""
    board = make_board(program + "while True: time.sleep(1)\n")
    board.power_on()
    board.wait_for_console(b"waiting False")
    board.console_write(b"stale")
    time.sleep(0.05)
    board.reset_button()
    board.wait_for(lambda: board.console_log.count(b"waiting") == 2, 5)
    assert board.console_log.count(b"waiting False") == 2
