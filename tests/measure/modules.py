"""`inv bench modules`: what each module of the terminal's program takes of the heap of the emulated
Cortex-M3 while it is loaded, by room: what a new line of a room costs every board, all day.

A module counts with what importing it makes (functions, classes, constants), without the objects
that the program makes of it then. `inv bench board` has the whole at rest.
"""

from __future__ import annotations

import ast
import json
import sys
import tempfile
from pathlib import Path

from hw_sim.qemu import QemuChip
from tests.measure import in_its_place
from tests.support.world import TerminalSettings, World, quiet_tools
from tools.lab import qemu
from tools.release.image import ROOT

Figures = list[tuple[str, int]]
"""(module, bytes), in the order of their loading."""

_PROGRAM = "firmware.terminal"
_DEVICE = Path(__file__).with_name("modules_device.py")
_WHAT = "Loads the program's modules one by one"


def at_rest(tree: Path = ROOT) -> list[str]:
    """The modules that lie in the heap of a terminal at rest, each after those it imports."""
    order: list[str] = []
    _add(tree, _PROGRAM, order, set())
    return order


def _add(tree: Path, name: str, order: list[str], seen: set[str]) -> None:
    file = _file(tree, name)
    if name in seen or file is None:
        return
    seen.add(name)
    for needed in _imports(file, name):
        _add(tree, needed, order, seen)
    order.append(name)


def _file(tree: Path, name: str) -> Path | None:
    path = tree / name.replace(".", "/")
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.exists()), None)


def _imports(file: Path, name: str) -> list[str]:
    """What a file imports when it is loaded: not what only types or a function of it need."""
    found = [name.rpartition(".")[0]]
    for line in ast.parse(file.read_text()).body:
        if isinstance(line, ast.Import):
            found += [alias.name for alias in line.names]
        elif isinstance(line, ast.ImportFrom):
            above = name.rsplit(".", line.level)[0] + "." if line.level else ""
            module = (above + (line.module or "")).rstrip(".")
            found += [module, *(f"{module}.{alias.name}" for alias in line.names)]
    return [each for each in found if each]


def measure(folder: Path, modules: list[str]) -> Figures:
    """Load `modules` one after the other on an emulated board.

    Raises:
        RuntimeError: it could not; the text is the board's log.
    """
    chip = QemuChip(qemu.firmware())
    world = World(
        folder, TerminalSettings(time_scale=20.0, printer={"time_scale": 20.0}, chip=chip)
    )
    try:
        device = _DEVICE.read_text().replace("MODULES = ()", f"MODULES = {tuple(modules)!r}")
        in_its_place.provision(world, _WHAT, device)
        log = world.terminal.log
        world.terminal.board.wait_for(
            lambda: "Traceback" in log() or "]" in log().partition("\nBENCH ")[2],
            300,
            what="the figures",
        )
        if "\nBENCH " not in log():
            raise RuntimeError(f"the modules could not be loaded:\n{log()}")
        sizes = json.loads(log().split("\nBENCH ")[1].split("\n")[0])
        return list(zip(modules, sizes, strict=True))
    finally:
        world.close()


def table(figures: Figures) -> list[str]:
    """Lines for a person: rooms, the largest first, and in each its modules."""
    rooms: dict[str, Figures] = {}
    for name, size in figures:
        room = name if _is_room(name) else name.rpartition(".")[0]
        rooms.setdefault(room, []).append((name, size))
    total = {room: sum(size for _, size in inside) for room, inside in rooms.items()}
    lines = []
    for room in sorted(rooms, key=lambda room: -total[room]):
        lines.append(f"{total[room]:>7,}  {room}")
        for name, size in sorted(rooms[room], key=lambda item: -item[1]):
            if size and name != room:
                lines.append(f"{size:>14,}  {name.rpartition('.')[2]}")
    return [*lines, f"{sum(total.values()):>7,}  in all, of {len(figures)} modules"]


def _is_room(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="duka-bench-") as folder, quiet_tools():
        figures = measure(Path(folder), at_rest())
    print("bytes of heap on the emulated Cortex-M3, while loaded; 0 is in the boot image already")
    print("\n".join(table(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
