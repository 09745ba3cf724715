"""A simulated board with our boot image in its flash, and small releases to boot on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hw_sim.flash import NorFlash
from hw_sim.threaded import SimulatedBoard
from tools.release.image import ROOT, ReleaseInfo, build_boot, build_release
from tools.technician.recovery_link import RecoveryLink

TERMINAL_ID = bytes.fromhex("00112233445566aa")
CHIP = b"\x01chip\x02ab"
SLOT = {"a": 0x0D0000, "b": 0x170000}
CONTROL = 0x040000
IDENTITY = 0x042000
_PROBE = Path(__file__).parent / "probe" / "main.py"


def boot_image() -> bytes:
    return build_boot(ROOT, "sim")


def release_image(folder: Path, release: int, **changes: Any) -> bytes:
    """A release that is the probe and the shared layer of this checkout, of some 80 KiB."""
    source = folder / f"source-{release}"
    (source / "firmware").mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "bootloader", source / "bootloader", dirs_exist_ok=True)
    shutil.copy(_PROBE, source / "firmware" / "main.py")
    (source / "firmware" / "label.py").write_text(f"LABEL = 'probe {release}'\n")
    ballast = "".join(f"{word:x}" for word in range(release, 7500))
    (source / "firmware" / "ballast.py").write_text(f"BALLAST = {ballast!r}\n")
    info = ReleaseInfo(release, f"1.{release}", "0" * 40, 1790000000, **changes)
    return build_release(source, info)


class Terminal:
    """One board on the bench: what the technician and the tests do with it."""

    def __init__(self, board: SimulatedBoard) -> None:
        self.board = board
        self._read = 0

    def running(self, timeout_s: float = 15) -> dict[str, Any]:
        """What the next release that starts says of itself."""
        facts: dict[str, Any] = json.loads(self._next_line(b"\nRUNNING ", timeout_s))
        return facts

    def tell(self, command: str) -> None:
        """Have the running release do something, and wait until it has done it."""
        self.board.console_write(command.encode() + b"\n")
        self._next_line(b"\nDONE ", 15)

    def end(self, command: str) -> None:
        """The same for a command that the release does not come back from; until the reset."""
        before = len(self.board.resets)
        self.board.console_write(command.encode() + b"\n")
        self.board.wait_for(lambda: len(self.board.resets) > before, 15, what="the reset")

    def facts(self, command: str = "facts") -> Any:
        """What the release reads from the board object, or finds out as `command` says."""
        self.board.console_write(command.encode() + b"\n")
        facts = json.loads(self._next_line(b"\nFACTS ", 15))
        self._next_line(b"\nDONE ", 15)
        return facts

    def modules(self) -> list[str]:
        self.board.console_write(b"modules\n")
        line = self._next_line(b"\nMODULES ", 15)
        self._next_line(b"\nDONE ", 15)
        return line.decode().split()

    @contextmanager
    def recovery(self) -> Iterator[RecoveryLink]:
        """The technician's cable, once recovery answers."""
        self.board.wait_for(lambda: self.board.cpu_running, 10, what="the CPU")
        with RecoveryLink(self.board.serial_port) as link:
            yield link

    def put_image(self, slot: str, image: bytes) -> None:
        """What an update client does: write an image into a slot."""
        cells = image + b"\xff" * (-len(image) % 4096)
        self.board.flash.damage(SLOT[slot], cells)

    def spoil(self, address: int, data: bytes = b"\0" * 16) -> None:
        self.board.flash.damage(address, data)

    def _next_line(self, start: bytes, timeout_s: float) -> bytes:
        def found() -> bool:
            at = self.board.console_log.find(start, self._read)
            return at >= 0 and b"\n" in self.board.console_log[at + len(start) :]

        self.board.wait_for(found, timeout_s, what=f"{start!r} on the console")
        at = self.board.console_log.find(start, self._read) + len(start)
        end = self.board.console_log.index(b"\n", at)
        self._read = end
        return self.board.console_log[at:end].strip()


@contextmanager
def terminal(flash: NorFlash, chip: bytes = CHIP) -> Iterator[Terminal]:
    with SimulatedBoard(flash, unique_id=chip) as board:
        yield Terminal(board)


def provision(bench: Terminal, image: bytes, files: dict[str, bytes]) -> bytes:
    """Everything from a blank board with a boot image to a running first release; the key."""
    bench.board.power_on()
    with bench.recovery() as link:
        key = link.make_identity(TERMINAL_ID)
        for role, content in files.items():
            link.upload_file(f"/data/trust/{role}.json", content)
        link.upload_image(image)
        link.reset()
    return key
