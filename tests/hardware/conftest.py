"""Boards that run a few lines of MicroPython of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mpremote.romfs import make_romfs

from hw_sim.flash import NorFlash
from hw_sim.threaded import SimulatedBoard

UNIQUE_ID = bytes.fromhex("0123456789abcdef")

MakeBoard = Callable[..., SimulatedBoard]


def romfs(folder: Path, program: str, **modules: str) -> bytes:
    """A ROMFS image with `program` as its main.py, and others beside it."""
    folder.mkdir()
    for name, text in {"main": program, **modules}.items():
        (folder / f"{name}.py").write_text(text)
    image: bytes = make_romfs(str(folder), mpy_cross=False)
    return image


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[MakeBoard]:
    """Boards with `program` in flash (None: blank), off; closed when the test ends."""
    boards: list[SimulatedBoard] = []

    def make(program: str | None = None, **options: Any) -> SimulatedBoard:
        flash = options.pop("flash", None) or NorFlash(None)
        if program is not None:
            flash.damage(0, romfs(tmp_path / f"romfs{len(boards)}", program))
        board = SimulatedBoard(flash, unique_id=UNIQUE_ID, **options)
        boards.append(board)
        return board

    yield make
    for board in boards:
        board.close()
