"""The reader of patches for interpreters of boards, with its innermost functions in machine code:
`inv machine-code`.

It is the text of `firmware/update/model.py` and `patch.py` but for this: a function that takes a
`ptr…` is a viper function, and its annotations say so. An interpreter in the field keeps what it
has, so the number in the package's name is that of the reader's callbacks, and a release asks for
the one that it knows (`firmware/update/reader.py`). Why so:
docs/decisions/0100-the-reader-in-machine-code.md.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Final

from tools.release.image import ROOT, for_device

PACKAGE: Final = "patch_1"
FOLDER: Final = ROOT / "build" / "interpreter"
ORIGINALS: Final = tuple(ROOT / "firmware" / "update" / name for name in ("model.py", "patch.py"))
_MACHINE_TYPES: Final = ("int", "ptr8", "ptr16", "ptr32")
_CONST: Final = "from bootloader.shared.compat import const"


def text(source: str) -> str:
    """A module's text for interpreters.

    Raises:
        ValueError: it has another form than is expected here.
    """
    plain = for_device(source)
    if plain is None or plain.count(_CONST) != 1:
        raise ValueError("it does not import const from where it is expected")
    lines = plain.replace(_CONST, "from micropython import const").splitlines()
    for node in ast.parse(plain).body:
        if isinstance(node, ast.FunctionDef) and _takes_addresses(node):
            _make_viper(node, lines)
    return "\n".join(lines) + "\n"


def _takes_addresses(function: ast.FunctionDef) -> bool:
    return any(_said(one.annotation).startswith("ptr") for one in function.args.args)


def _make_viper(function: ast.FunctionDef, lines: list[str]) -> None:
    for one in reversed(function.args.args):  # the columns of those before it stay
        if one.annotation is None:
            raise ValueError(f"{function.name}: {one.arg} has no type")
        said = _said(one.annotation)
        _replace(lines, one.annotation, said if said in _MACHINE_TYPES else "object")
    if isinstance(function.returns, ast.Constant):
        line = function.returns.lineno - 1
        lines[line] = lines[line].replace(") -> None:", "):")
    if lines[function.lineno - 2]:
        raise ValueError(f"{function.name}: there is no empty line above it")
    lines[function.lineno - 2] = "@micropython.viper"  # lines keep their numbers


def _said(annotation: ast.expr | None) -> str:
    if isinstance(annotation, ast.Constant):
        return str(annotation.value)
    return annotation.id if isinstance(annotation, ast.Name) else ""


def _replace(lines: list[str], node: ast.expr, new: str) -> None:
    at = node.lineno - 1
    lines[at] = lines[at][: node.col_offset] + new + lines[at][node.end_col_offset :]


def write(folder: Path = FOLDER) -> Path:
    """Write the package into `folder`, to be frozen; the package's folder."""
    package = folder / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    for original in ORIGINALS:
        made = text(original.read_text(encoding="utf-8"))
        (package / original.name).write_text(made, encoding="utf-8")
    return package


def main() -> int:
    """Write it where the manifests of boards look for it."""
    print(write().relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
