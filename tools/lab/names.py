"""The names of the terminal's program, for the interpreters of real boards: `inv names`.

MicroPython keeps every name once, in the heap and for ever, unless the interpreter has it already.
So each board's interpreter is built with `bootloader/boards/names.py`, a module that only says
them, and a name takes heap only if it is newer than the interpreter.

The path of each file that is loaded is such a name, too, and no module can say it: so the ports are
given `bootloader/boards/paths.h`, in the form of their own lists of names.
"""

from __future__ import annotations

import ast
import keyword
import string
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.release.image import ROOT, compile_modules

FILE: Final = ROOT / "bootloader" / "boards" / "names.py"
PATHS: Final = FILE.with_name("paths.h")
SLOT: Final = "/slot/"
"""Where `bootloader.jump` mounts the release that runs."""
_PACKAGES: Final = ("firmware", "bootloader/shared")
_ROOMS: Final = ("firmware.", "bootloader.", "asyncio.")
_BEFORE: Final = ("boot", "identity", "images", "jump", "screen")
_ASYNCIO: Final = ("core", "event", "funcs", "lock")
"""What of the bootloader runs before the program, and what of asyncio is loaded for it."""
_LONGEST_INTERNED: Final = 10
"""Characters of the longest text that the compiler makes a name of because it is short."""
_COLUMNS: Final = 96
_HEAD = '''"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
'''


_PATHS_HEAD = """// Paths of the terminal's program, for a port's list of names (QSTR_DEFS):
// what `names.py` beside it cannot say. Made by `inv names`.
"""


def names(source: Path = ROOT) -> set[str]:
    """Every name that loading the whole program makes the interpreter keep."""
    # what indexing a text gives
    found = set(string.ascii_letters + string.digits + string.punctuation)
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        compile_modules(source, stage, _PACKAGES)
        for file in sorted(stage.rglob("*.mpy")):
            found.update(_of_mpy(file.read_bytes()))
            where = file.relative_to(stage)
            found.add(SLOT + where.as_posix())
            parts = where.with_suffix("").parts
            found.update(parts)
            found.update(".".join(parts[: count + 1]) for count in range(len(parts)))
    found.update("bootloader." + name for name in _BEFORE)
    found.update("asyncio." + name for name in _ASYNCIO)
    return found | {"IRQ_FALLING", "cryptography"}


def paths_text(source: Path = ROOT) -> str:
    """The header that says the path of every file that is loaded."""
    lines = [f"Q({name})\n" for name in sorted(names(source)) if name.startswith(SLOT)]
    return _PATHS_HEAD + "".join(lines)


def text(source: Path = ROOT) -> str:
    """The module that says them all; what cannot be said in it is left out."""
    lines = [_HEAD]
    known = names(source)
    plain = [f".{name}" for name in sorted(known) if _is_plain(name)]
    others = [
        f'["{name}"]' if '"' not in name else f"['{name}']"
        for name in sorted(known)
        if not _is_plain(name) and _is_short(name)
    ]
    lines += _packed("x", plain + others)
    modules = [f", {name}" for name in sorted(known) if _is_module(name)]
    return "".join(lines + [line.replace(",", "", 1) for line in _packed("import", modules)])


def _packed(start: str, pieces: list[str]) -> list[str]:
    """Lines of the module: `start` and as many `pieces` as fit, and so on."""
    lines = []
    line = start
    for piece in pieces:
        if len(line) + len(piece) > _COLUMNS - 4:
            lines.append(f"    {line}\n")
            line = start
        line += piece
    return [*lines, f"    {line}\n"]


def missing(source: Path = ROOT) -> set[str]:
    """Names that module and header could say and do not: they are newer."""
    said: set[str] = set()
    for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            said.add(node.attr)
        elif isinstance(node, ast.alias):
            said.add(node.name)
        elif isinstance(node, ast.Constant):
            said.add(str(node.value))
    said.update(line[2:-1] for line in PATHS.read_text(encoding="utf-8").splitlines())
    return {
        name
        for name in names(source) - said
        if _is_plain(name) or _is_module(name) or _is_short(name) or name.startswith(SLOT)
    }


def _is_plain(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name)


def _is_module(name: str) -> bool:
    return name.startswith(_ROOMS) and all(_is_plain(part) for part in name.split("."))


def _is_short(name: str) -> bool:
    return len(name) <= _LONGEST_INTERNED and name.isprintable() and "\\" not in name


def _of_mpy(data: bytes) -> Iterator[str]:
    """The names in one compiled module.

    Source: MicroPython's documentation, "Binary encoding of .mpy files".
    """
    if data[:2] != b"M\x06":
        raise ValueError("this is not version 6 of .mpy")
    at = 4
    count, at = _number(data, at)
    _, at = _number(data, at)  # of objects
    for _ in range(count):
        size, at = _number(data, at)
        if size & 1:
            continue  # one of the names that every interpreter has
        yield data[at : at + size // 2].decode()
        at += size // 2 + 1


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, at


def main() -> int:
    """Write module and header anew."""
    FILE.write_text(text(), encoding="utf-8")
    PATHS.write_text(paths_text(), encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(names())} names")
    return 0


if __name__ == "__main__":
    sys.exit(main())
