"""The whole update on real MicroPython with the board's heap: signatures, download, switch."""

from __future__ import annotations

import ast
import asyncio
import json
from pathlib import Path

from firmware.update import pieces
from tests.support import micropython
from tests.update.world import NOW, World, image
from tools.release.image import ROOT, ReleaseInfo, build_release
from updater_server.channels import Pace

DEVICE = """
import asyncio, gc, json, sys, time, vfs

settings = json.loads(sys.stdin.readline())
with open(settings["image"], "rb") as file:
    # as on a board: the program is run out of its image, and is in the heap only while it works
    vfs.mount(vfs.VfsRom(memoryview(file.read())), "/rom")
sys.path.insert(0, "/rom")

from bootloader.shared import partitions
from bootloader.shared.control import ControlBlock
from bootloader.shared import strict
from firmware.net.http_client import HttpClient
from firmware.sales import catalogue
from firmware.update.client import UpdateClient

BLANK = b"\\xff" * 256

class Flash:
    size_bytes = 4 * 1024 * 1024
    def __init__(self):
        self.file = open(settings["flash"], "r+b")
    def read_into(self, address, buf):
        self.file.seek(address)
        assert self.file.readinto(buf) == len(buf)
    def program(self, address, data):
        assert address % 256 + len(data) <= 256
        self.file.seek(address)
        self.file.write(data)
    def erase(self, address):
        self.file.seek(address)
        for _ in range(16):
            self.file.write(BLANK)

class Board:
    HARDWARE_CLASS = "duka-r1"
    HARDWARE_REVISION = 1
    BOOTLOADER_VERSION = 1
    partitions = partitions.table(Flash())
    resets = 0
    def reset(self):
        self.resets += 1

class BootInfo:
    slot = "a"
    trial = False
    release = 1
    last_failure = None
    class identity:
        terminal_id = bytes(8)
    control = ControlBlock(Board.partitions["control"], bytes(range(32)))

class Sockets:
    connected = False
    bytes_sent = 0
    async def open(self, host, port):
        self.reader, self.writer = await asyncio.open_connection(host, port)
        self.connected = True
    async def send(self, data):
        self.bytes_sent += len(data)
        self.writer.write(data)
        await self.writer.drain()
    async def receive(self, max_bytes, timeout_ms):
        return await self.reader.read(min(max_bytes, 512))
    async def close(self):
        if self.connected:
            self.connected = False
            self.writer.close()

BootInfo.control.load()
board = Board()
facts = settings["facts"]
http = HttpClient(Sockets(), "127.0.0.1", settings["port"])
client = UpdateClient(http, board, BootInfo, "stable", "catalogue/default.json", 900, print,
                      lambda: settings["time_s"], lambda: facts, None, settings["data"])

ballast = []
gc.collect()
while gc.mem_alloc() < settings["in_use"]:
    ballast.append(bytearray(512))

async def main():
    gc.collect()
    before = gc.mem_alloc()
    loaded = set(sys.modules)
    start = time.ticks_ms()
    pause_s = await client.run_once()
    took_ms = time.ticks_diff(time.ticks_ms(), start)
    left = [name for name in sys.modules if name not in loaded and name[:7] != "asyncio"]
    loaded = None
    gc.collect()
    print("LEFT", left)
    print("RESULT", json.dumps([board.resets, pause_s, took_ms, http.transport.bytes_sent,
                                http.bytes_received, before, gc.mem_alloc()]))
    await http.transport.close()

asyncio.run(main())
"""


IN_USE_BYTES = 144_000
"""What the rest of the terminal's program holds at most, with 64-bit pointers."""


def write_image(folder: Path) -> tuple[Path, int]:
    """A release's image of this checkout, and its size."""
    image = build_release(ROOT, ReleaseInfo(1, "1.0.0", "0" * 40, 0))
    file = folder / "release.image"
    file.write_bytes(image)
    return file, len(image)


def run_device(world: World, tmp_path: Path, heap_bytes: int) -> tuple[str, list[int]]:
    """One `run_once` on MicroPython; `world.flash` is what it left."""
    program, program_bytes = write_image(tmp_path)
    file = tmp_path / "flash"
    file.write_bytes(world.flash.snapshot())

    async def story() -> str:
        async with world.site.serve() as port:
            settings = {
                "image": str(program),
                "in_use": program_bytes + IN_USE_BYTES,
                "flash": str(file),
                "data": str(world.data),
                "port": port,
                "time_s": world.time_s,
                "facts": world.facts,
            }
            return await asyncio.to_thread(
                micropython.run,
                DEVICE,
                heap_bytes=heap_bytes + program_bytes,
                stdin=json.dumps(settings).encode() + b"\n",
            )

    out = asyncio.run(story())
    world.flash.restore(file.read_bytes())
    result: list[int] = json.loads(out.split("RESULT ")[1])
    return out, result


def test_an_update_by_delta_fits_the_boards_heap(tmp_path: Path) -> None:
    world = World(tmp_path)
    old, new = image(1), image(2)
    world.publish(2, new, {1: old})
    out, (resets, *_) = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
    assert resets == 1, out
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".full") == 0


def test_a_full_image_of_many_sectors_and_then_a_poll_with_nothing_new(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run()
    out, (resets, pause_s, _, sent, received, *_) = run_device(
        world, tmp_path, micropython.BOARD_HEAP_BYTES
    )
    assert (resets, pause_s) == (0, 900), out
    assert sent + received <= 350
    world.publish(2, image(2, 50000))
    out, (resets, *_) = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
    assert resets == 1, out
    assert world.switched_to() == 2


def test_what_looks_and_installs_is_in_the_heap_only_while_it_works(tmp_path: Path) -> None:
    world = World(tmp_path)
    out, (*_, before, after) = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
    assert "new catalogue" in out
    assert "LEFT []" in out
    # names that were met for the first time stay, and a list of them grows by steps
    assert after - before < 14 * 1024
    world.publish(2)
    out, (resets, *_) = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
    assert resets == 1
    # what an offer that is there is made of: without it a second copy would come beside it
    (left,) = [line for line in out.splitlines() if line.startswith("LEFT ")]
    kept = [name for name in ast.literal_eval(left[5:]) if name not in pieces._OF_AN_OFFER]
    assert kept == []


def test_a_flag_is_turned_on_and_off_again_in_the_boards_heap(tmp_path: Path) -> None:
    world = World(tmp_path)

    def contact() -> tuple[str, object]:
        world.repository.publish(world.all_signers, NOW)
        out, _ = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
        return out, json.loads((world.data / "update.json").read_text())["flags"]

    world.repository.set_flag("stable", "hourly", 0, [bytes(8).hex()], "", world.all_signers, NOW)
    out, kept = contact()
    assert "turned on: hourly" in out and kept == ["hourly"]
    world.repository.brake_flag("stable", "hourly", True, "", world.all_signers, NOW)
    out, kept = contact()
    assert "turned on: nothing" in out and kept == []


def test_a_brake_and_a_pace_are_obeyed_in_the_boards_heap(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(2, let_out=False, pace=Pace(0, 1, 100, 24, 0, 1_000_000))
    world.let_go(2)
    out, (resets, *_) = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
    assert resets == 0 and "passed over: 2 is for 1 millionths" in out
    world.repository.hold("stable", 2, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    world.time_s += 80 * 3600
    out, (resets, *_) = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
    assert resets == 0 and "passed over: 2 is halted" in out
    kept = json.loads((world.data / "update.json").read_text())
    assert kept["braked"] == [["stable", 2, 2]]
    world.repository.lift("stable", 2, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    out, (resets, *_) = run_device(world, tmp_path, micropython.BOARD_HEAP_BYTES)
    assert resets == 1, out
