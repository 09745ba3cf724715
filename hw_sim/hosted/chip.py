"""One start of a hosted chip: what its start-up ROM does, and the program until it ends.

`hw_sim/micropython/start.py` is the same for the interpreter: a change here belongs there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

from hw_sim.bus import POSTED, Answer, BadArgument, FlashRefused, Op
from hw_sim.cpu import LAYER, told_costs
from hw_sim.flash import SECTOR_BYTES
from hw_sim.hosted import natives, romfs
from hw_sim.hosted.console import Input, Output, exception_text, print_line
from hw_sim.hosted.errors import Gone
from hw_sim.hosted.files import Mounts, VfsRom
from hw_sim.hosted.imports import Modules, Sources, compiled
from hw_sim.hosted.littlefs import VfsLfs2

AT_PROMPT: Final = -1
"""How a program ended that returned, or failed: MicroPython would show its prompt."""


class Port(Protocol):
    """The serial port as the CPU sees it."""

    def say(self, data: bytes) -> None:
        """Print."""
        ...

    def take(self, most_bytes: int) -> bytes:
        """What came in, at most so much; all if negative."""
        ...

    @property
    def held_for_cpu(self) -> bytearray:
        """What came in and was not taken."""
        ...


Request = Callable[[Op, int, int, int, bytes], Answer]


@dataclass(frozen=True)
class Sizes:
    """What the start-up ROM knows of the chip."""

    flash_bytes: int
    romfs_bytes: int
    costs: Mapping[str, int]
    """What its program's functions take; see `Board`."""


class Chip:
    """From reset on. `request` is the bus, `took_change` whether cells are not what was seen,
    `refused` is told of a posted request that could not be served.
    """

    def __init__(
        self,
        request: Request,
        port: Port,
        sources: Sources,
        sizes: Sizes,
        took_change: Callable[[], bool],
        refused: Callable[[str], None],
    ) -> None:
        self._request = request
        self._sizes = sizes
        self._took_change = took_change
        self._refused = refused
        self._mounts = Mounts()
        self._stdin = Input(port.take, port.held_for_cpu)
        self._stdout = Output(self._say)
        self._port = port
        self._natives: dict[str, Callable[[], ModuleType]] = {}
        self._modules = Modules(self._mounts, sources, self._natives)
        self._modules.builtins["print"] = partial(print_line, self._stdout)
        self._natives |= natives.make(self._modules, self._mounts, self._stdin, self._stdout)
        self._natives["vfs"] = self._vfs
        self._natives["asyncio"] = self._frozen_asyncio
        self._asyncio: dict[str, Any] | None = None
        self.is_gone: Callable[[], bool] = lambda: False

    def run(self) -> int:
        """Start, and run the program in the flash to its end: `AT_PROMPT`.

        Raises:
            Gone: it was reset, or lost its supply.
        """
        if not self._start():
            return AT_PROMPT
        try:
            self._modules.import_("main")
        except SystemExit:
            self._say(b"MPY: soft reboot\n")
            self._modules.loaded["machine"].reset()
        except Gone:
            raise
        except BaseException as error:
            self._say(exception_text(error).encode())
        return AT_PROMPT

    def clear_away(self) -> None:
        """Close what tasks left open, while there is still something for them to talk to."""
        if self._asyncio is None:
            return
        for task in list(self._asyncio["_alive"]):
            try:
                task.coro.close()
            except BaseException:  # noqa: S112  whatever it says, it is over
                continue

    # the start-up ROM

    def _start(self) -> bool:
        modules = self._modules
        machine = self._layer("machine", _NO_SOCKET)
        self._tie(vars(machine))
        norflash = self._layer("norflash")
        for name in ("time", "select", "tasks"):
            self._layer(f"simulated/{name}")
        if self._sizes.costs:
            vars(self._layer("simulated/costs"))["know"](told_costs(self._sizes.costs))
        size = self._sizes.flash_bytes
        vars(norflash).update(
            _window_is_true=True, _window=bytearray(size), _seen=bytearray(size // SECTOR_BYTES)
        )
        flash = norflash.Flash()
        head = bytearray(8)
        flash.read_into(0, head)
        size = romfs_bytes(head, self._sizes.romfs_bytes)
        if not size:
            return False
        self._mounts.mount(VfsRom(flash.mapped(0, size)), "/rom")
        modules.path.extend(("/rom", "/rom/lib"))
        return True

    def _layer(self, name: str, natives: dict[str, Any] | None = None) -> ModuleType:
        """One of the interpreter's files for this chip."""
        code = _layer_code(name)
        leaf = name.rpartition("/")[2]
        module = self._modules.new(leaf, str(LAYER / name))
        self._modules.loaded[leaf] = module
        before = dict(self._natives)
        for missing, names in (natives or {}).items():
            self._natives[missing] = partial(self._modules.native, missing, names)
        self._modules.run(code, module)
        self._natives.clear()
        self._natives |= before
        for missing in natives or {}:
            self._modules.loaded.pop(missing, None)
        return module

    def _vfs(self) -> ModuleType:
        class Lfs2(VfsLfs2):
            """One whose files are out of reach when the chip is."""

            check = staticmethod(self._check)

        Lfs2.__name__ = "VfsLfs2"
        mounts = self._mounts
        return self._modules.native(
            "vfs",
            {"VfsRom": VfsRom, "VfsLfs2": Lfs2, "mount": mounts.mount, "umount": mounts.umount},
        )

    def _check(self) -> None:
        if self.is_gone():
            raise Gone

    def _frozen_asyncio(self) -> ModuleType:
        self._asyncio = vars(self._layer("hosted/asyncio_core"))
        return self._layer("hosted/asyncio")

    def _say(self, data: bytes) -> None:
        self._check()
        self._port.say(data)

    def _tie(self, machine: dict[str, Any]) -> None:
        """Let `machine` ask the chip by calls instead of by its socket."""
        request, took_change, ops = self._request, self._took_change, {int(op): op for op in Op}
        last: Answer = (0, b"")

        def post(op: int, unit: int = 0, arg: int = 0, arg2: int = 0, payload: Any = b"") -> None:
            nonlocal last
            try:
                last = request(ops[op], unit, arg, arg2, bytes(payload) if payload else b"")
            except BadArgument as error:
                if op not in POSTED:
                    raise ValueError(str(error)) from None
                self._refused(f"{ops[op].name}: {error}")
            except FlashRefused as error:
                raise OSError(error.errno, str(error)) from None

        def call(
            op: int,
            unit: int = 0,
            arg: int = 0,
            arg2: int = 0,
            payload: Any = b"",
            into: Any = None,
        ) -> tuple[int, Any]:
            machine["_post"](op, unit, arg, arg2, payload)
            if took_change():
                machine["_flash_changed"]()
            if into is None:
                return last
            value, data = last
            into[: len(data)] = data
            return value, len(data)

        machine["_post"], machine["_call"] = post, call


class _NoSocket:
    """Stands where machine.py makes its socket, whose calls are replaced right after."""

    def connect(self, _address: Any) -> None:
        """Nothing to connect."""

    def setsockopt(self, *_: Any) -> None:
        """Nothing to set."""

    def write(self, data: Any) -> int:
        """Nobody reads it."""
        return len(data)

    def readinto(self, buf: Any) -> int:
        """A reply without a payload."""
        buf[:] = bytes(len(buf))
        return len(buf)


_NO_SOCKET: Final[dict[str, dict[str, Any]]] = {
    "socket": {"socket": _NoSocket, "getaddrinfo": lambda *_: [(None,)]},
    "os": {"getenv": lambda _: "0:0"},
}


def romfs_bytes(head: bytes | bytearray, limit_bytes: int) -> int:
    """Size of the ROMFS whose first 8 bytes these are; 0 if none can be there."""
    if bytes(head[:3]) != romfs.MAGIC:
        return 0
    size = 0
    for at in range(3, 8):
        size = size << 7 | head[at] & 0x7F
        if head[at] < 0x80:
            size += at + 1
            return size if size <= limit_bytes else 0
    return 0


@lru_cache(maxsize=16)
def _layer_code(name: str) -> Any:
    file = Path(LAYER / f"{name}.py")
    return compiled(file.read_bytes(), str(file))
