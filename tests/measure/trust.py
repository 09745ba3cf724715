"""`inv bench trust`: what the channels' metadata costs a terminal in airtime, time and heap.

The terminal's own client runs on real MicroPython against the real server process; python-tuf's
updater fetches the same repository the same way, in the same run. Exits 1 if a bar is missed.

Heap is the least that must be free for a refresh to succeed, found by halving: MicroPython does not
tell a peak. Pointers of the simulator have 64 bits, a board's 32, so about half of it is needed
there (computed, not measured).
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.ngclient import Updater

from hw_sim.loop_thread import LoopThread
from tests.support import micropython
from tests.support.tap import Exchange, Tap
from tests.support.world import Server
from tests.update.test_on_micropython import DEVICE, write_image
from tests.update.world import NOW, World

POLL_BAR_BYTES = 350
REFRESH_BAR_BYTES = 4500
RELEASE_BAR_BYTES = 1000
_AFTER_PUBLISHING_S = 3600

MEASURE = """
ballast = []
gc.collect()
while settings["free"] and gc.mem_free() > settings["free"]:
    ballast.append(bytearray(512))

async def main():
    start = time.ticks_ms()
    await client._poll()
    took_ms = time.ticks_diff(time.ticks_ms(), start)
    print("RESULT", json.dumps([took_ms, http.transport.bytes_sent, http.bytes_received]))
    await http.transport.close()

try:
    asyncio.run(main())
except MemoryError:
    print("RESULT null")
"""


@dataclass
class Figures:
    """One refresh: bytes both ways with all headers, by file; time; heap."""

    sent: int
    received: int
    files: list[str]
    took_ms: int = 0
    heap_bytes: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.received


def _request_bytes(exchange: Exchange) -> int:
    lines = sum(len(name) + len(value) + 4 for name, value in exchange.headers.items())
    return len(f"{exchange.method} {exchange.path} HTTP/1.1\r\n") + lines + 2 + len(exchange.body)


def figures(exchanges: list[Exchange]) -> Figures:
    """The sums of what a tap saw."""
    sent = sum(_request_bytes(e) for e in exchanges)
    received = sum(len(e.reply) for e in exchanges)
    files = [
        f"{e.path.rpartition('/')[2]} {e.status} {_request_bytes(e)}+{len(e.reply)}"
        for e in exchanges
    ]
    return Figures(sent, received, files)


class Bench:
    """A repository, its real server, a tap, and two clients that each keep their own files."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder / "world")
        self.server = Server(folder / "server")
        self.server.command("init")
        self.folder = folder
        for release in (1, 2):
            self.world.publish(release)
        shutil.rmtree(self.world.data)
        root = folder / "world/site/metadata/1.root.json"
        for name in ("duka", "python-tuf"):
            trust = folder / name / "trust"
            trust.mkdir(parents=True)
            shutil.copy(root, trust / "root.json")
        self.image, _ = write_image(folder)
        self.flash = folder / "flash"
        self.flash.write_bytes(self.world.flash.snapshot())
        self._put_out()
        self.server.start()
        self.loop = LoopThread()
        self.tap = Tap(self.loop, self.server)
        self.time_s = int(NOW.timestamp()) + _AFTER_PUBLISHING_S

    def close(self) -> None:
        self.tap.close()
        self.server.stop()

    def _put_out(self) -> None:
        shutil.copytree(self.world.folder / "site", self.server.repository, dirs_exist_ok=True)

    def publish(self, release: int) -> None:
        """One more release, for nobody yet: its plan is one more file, on the day of its wave."""
        self.world.publish(release, let_out=False)
        self._put_out()

    def _device(self, data: Path, free_bytes: int) -> list[int] | None:
        settings = {
            "image": str(self.image),
            "flash": str(self.flash),
            "data": str(data),
            "port": self.tap.port,
            "time_s": self.time_s,
            "facts": self.world.facts,
            "free": free_bytes,
        }
        script = DEVICE.replace("    release = 1\n", "    release = 2\n")
        out = micropython.run(
            script[: script.index("ballast = []")] + MEASURE,
            heap_bytes=4 * 1024 * 1024,
            stdin=json.dumps(settings).encode() + b"\n",
        )
        result: list[int] | None = json.loads(out.split("RESULT ")[1])
        return result

    def terminal(self, with_heap: bool = True) -> Figures:
        """One poll of the terminal, and the heap that it needs."""
        kept = self.folder / "duka"

        def on_a_copy(free_bytes: int) -> list[int] | None:
            copy = self.folder / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(kept, copy)
            try:
                return self._device(copy, free_bytes)
            except AssertionError as error:
                assert "MemoryError" in str(error)
                return None

        low, high = 0, 128 * 1024
        while with_heap and high - low > 2048:
            middle = (low + high) // 2
            low, high = (low, middle) if on_a_copy(middle) else (middle, high)
        self.tap.exchanges.clear()
        result = self._device(kept, 2 * 80 * 1024)
        assert result
        found = figures(self.tap.exchanges)
        assert (found.sent, found.received) == tuple(result[1:]), "two counts of one thing"
        found.took_ms, found.heap_bytes = result[0], high if with_heap else 0
        return found

    def python_tuf(self, paths: list[str]) -> Figures:
        """The same by python-tuf's updater: metadata, and where the releases would be."""
        trust = self.folder / "python-tuf/trust"
        (self.folder / "python-tuf/targets").mkdir(exist_ok=True)
        self.tap.exchanges.clear()
        base = f"http://127.0.0.1:{self.tap.port}/tuf/"
        updater: Any = Updater(
            str(trust),
            base + "metadata/",
            str(self.folder / "python-tuf/targets"),
            base + "targets/",
            bootstrap=None,
        )
        updater._trusted_set.reference_time = NOW.replace(hour=1)
        updater.refresh()
        for path in paths:
            info = updater.get_targetinfo(path)
            if path.startswith("catalogue/") and updater.find_cached_target(info) is None:
                updater.download_target(info)
        return figures(self.tap.exchanges)


def _print(name: str, ours: Figures, theirs: Figures, bar: int) -> bool:
    ratio = theirs.total / ours.total
    print(f"\n{name}")
    print(
        f"  terminal    {ours.sent:6} sent {ours.received:6} received {ours.total:6} bytes"
        f"   {ours.took_ms} ms here, {ours.heap_bytes // 1024} KiB of 64-bit heap"
    )
    print(
        f"  python-tuf  {theirs.sent:6} sent {theirs.received:6} received {theirs.total:6} bytes"
        f"   {ratio:.1f} times as much"
    )
    for file in ours.files:
        print("   ", file)
    kept = ours.total <= bar
    print(f"  bar: {bar} bytes, {'kept' if kept else 'MISSED'}")
    return kept


def measure(folder: Path, each: Callable[..., bool] = _print, with_heap: bool = True) -> bool:
    """All three refreshes; whether all bars were kept."""
    bench = Bench(folder)
    releases = ["stable/duka-r1/2.full", "catalogue/default.json"]
    try:
        kept = each(
            "full refresh from the factory's root, with the catalogue",
            bench.terminal(with_heap),
            bench.python_tuf(releases),
            REFRESH_BAR_BYTES,
        )
        kept &= each(
            "poll with nothing new",
            bench.terminal(with_heap),
            bench.python_tuf(releases),
            POLL_BAR_BYTES,
        )
        bench.publish(3)
        kept &= each(
            "refresh for one new release",
            bench.terminal(with_heap),
            bench.python_tuf(["stable/duka-r1/3.full", "catalogue/default.json"]),
            RELEASE_BAR_BYTES,
        )
    finally:
        bench.close()
    return kept


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
