"""What the source tree looks like, worked out from the files themselves: modules, who imports whom,
sizes, docstrings. For the tests of this folder, `inv house` and `inv pictures`.

Nothing here imports the code that it looks at, and no list of files is kept: what is new is seen.
"""

from __future__ import annotations

import ast
import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AREAS = ("bootloader", "firmware", "updater_server", "hw_sim", "tools")
"""The folders of the product. `tests` and `tasks.py` are the house's, not the product's."""
DEVICE = ("bootloader", "firmware")
ROOMS = ROOT / "docs" / "rooms.toml"
CEILINGS = ROOT / "docs" / "ceilings.toml"


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name, its path from the root, its text and its parsed form."""

    name: str
    path: str
    text: str
    parsed: ast.Module

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.path.endswith("/__init__.py") else self.name.rpartition(".")[0]

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return self.text.count("\n")


def module(path: str, text: str) -> Module:
    """The module that a file at `path` (from the root) with `text` in it is."""
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Module(name, path, text, ast.parse(text, path))


@functools.cache
def modules(root: Path = ROOT, areas: tuple[str, ...] = AREAS) -> Mapping[str, Module]:
    """Every module of the areas by its dotted name, as it lies on disk."""
    if areas != AREAS:
        tops = tuple(area + "/" for area in areas)
        return {n: each for n, each in modules(root).items() if each.path.startswith(tops)}
    found = (
        module(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
        for area in areas
        for file in sorted((root / area).rglob("*.py"))
        if not {"__pycache__", "build", ".venv"} & set(file.relative_to(root).parts)
    )
    return {each.name: each for each in found}


def is_for_types_only(node: ast.AST) -> bool:
    """Whether this is an `if TYPE_CHECKING:`, whose body never runs."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name | ast.Attribute)
        and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING"
    )


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below `node` but those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if is_for_types_only(child):
            assert isinstance(child, ast.If)
            for other in child.orelse:
                yield other
                yield from _run(other)
        else:
            yield child
            yield from _run(child)


@functools.cache
def imported(of: Module) -> frozenset[str]:
    """Dotted names of everything that `of` imports when it runs, at the top or later; names that a
    `from` brings in stand behind their module's: `from a.b import c` gives `a.b.c`."""
    names: set[str] = set()
    for node in _run(of.parsed):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = of.package.split(".")
            base = ".".join(above[: len(above) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return frozenset(names)


Graph = dict[str, set[str]]


def graph(of: Mapping[str, Module]) -> Graph:
    """Module → the modules among `of` that it imports."""
    arrows: Graph = {name: set() for name in of}
    for name, each in of.items():
        for target in imported(each):
            owner = target if target in of else target.rpartition(".")[0]
            if owner in of and owner != name:
                arrows[name].add(owner)
    return arrows


def circles(arrows: Graph) -> list[list[str]]:
    """Sets of modules that all reach each other, each sorted (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(arrows[name]):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            at = stack.index(name)
            circle = stack[at:]
            del stack[at:]
            if len(circle) > 1:
                found.append(sorted(circle))

    for name in sorted(arrows):
        if name not in index:
            visit(name)
    return sorted(found)


@dataclass(frozen=True)
class Room:
    """One entry of docs/rooms.toml: folders (without the rooms inside them) and single files."""

    name: str
    paths: tuple[str, ...]


def rooms(table: Path = ROOMS) -> dict[str, list[Room]]:
    """Area → its rooms from the bottom up, as docs/rooms.toml has them."""
    areas = tomllib.loads(table.read_text(encoding="utf-8"))["order"]
    return {
        area: [
            Room(paths[0], tuple(paths))
            for paths in ([entry] if isinstance(entry, str) else entry for entry in order)
        ]
        for area, order in areas.items()
    }


def room_of(path: str, among: Iterable[Room]) -> str | None:
    """Name of the room that a file lives in: the longest of their paths that holds it. A folder's
    path holds the file that it grew out of as well."""
    best, name = "", None
    for room in among:
        for start in room.paths:
            holds = path in (start, start + ".py") or path.startswith(start + "/")
            if holds and len(start) > len(best):
                best, name = start, room.name
    return name


def upward(of: Mapping[str, Module], order: list[Room]) -> list[str]:
    """Arrows from a lower room to a higher one, as "importer → imported"."""
    height = {room.name: at for at, room in enumerate(order)}
    found = []
    for name, targets in graph(of).items():
        here = room_of(of[name].path, order)
        for target in sorted(targets):
            there = room_of(of[target].path, order)
            if here and there and height[there] > height[here]:
                found.append(f"{name} → {target}")
    return found


@dataclass(frozen=True)
class Piece:
    """A function or class; `where` is its name in docs/ceilings.toml: `path:Class.function`."""

    where: str
    lines: int = 0
    methods: int = 0
    documented: bool = True
    public: bool = True
    is_class: bool = False


@dataclass
class _Walk:
    path: str
    found: list[Piece] = field(default_factory=list)

    def body(self, nodes: Iterable[ast.stmt], prefix: str, public: bool, inner: bool) -> None:
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                self._class(node, prefix, public, inner)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(node, prefix, public, inner)
            elif not is_for_types_only(node):
                for part in ("body", "orelse", "finalbody"):
                    self.body(getattr(node, part, []), prefix, public, inner)
                for handler in getattr(node, "handlers", []):
                    self.body(handler.body, prefix, public, inner)

    def _class(self, node: ast.ClassDef, prefix: str, public: bool, inner: bool) -> None:
        name = prefix + node.name
        methods = sum(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for one in node.body)
        seen = public and not node.name.startswith("_")
        self.found.append(
            Piece(
                f"{self.path}:{name}",
                methods=methods,
                documented=ast.get_docstring(node) is not None,
                public=seen and not inner,
                is_class=True,
            )
        )
        self.body(node.body, name + ".", seen, inner)

    def _function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        prefix: str,
        public: bool,
        inner: bool,
    ) -> None:
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        lines = (node.end_lineno or node.lineno) - first + 1
        name = prefix + node.name
        overload = any("overload" in ast.unparse(one) for one in node.decorator_list)
        self.found.append(
            Piece(
                f"{self.path}:{name}",
                lines=lines,
                documented=overload or ast.get_docstring(node) is not None,
                public=public and not inner and not node.name.startswith("_"),
            )
        )
        self.body(node.body, name + ".", public, True)


def pieces(of: Module) -> list[Piece]:
    """Every function and class of a module that runs, those within others as well."""
    walk = _Walk(of.path)
    walk.body(of.parsed.body, "", True, False)
    return walk.found
