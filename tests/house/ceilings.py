"""docs/ceilings.toml, read: the sizes that the house keeps, and what is excused from its rules."""

from __future__ import annotations

import ast
import collections
import json
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.house import linting, prose, tree
from tests.house.tree import CEILINGS, ROOT, Module, pieces


@dataclass(frozen=True)
class Limits:
    """The sizes that everything in the product keeps, unless it is excused."""

    file_lines: int
    function_lines: int
    class_methods: int


@dataclass(frozen=True)
class Excuse:
    """One thing over a limit: what, how much it may be at most, and why."""

    what: str
    at_most: int
    why: str


@dataclass(frozen=True)
class Listed:
    """What docs/ceilings.toml says."""

    limits: Limits
    over: dict[str, Excuse]
    undocumented: dict[str, Excuse]
    folders: list[str]
    """Folders that have no `__init__.py` with a docstring."""
    circles: list[list[str]]
    upward: list[str]
    coming: list[str]
    """Paths of docs/rooms.toml that are not there yet."""
    prose: list[str]
    """Names in prose that do not exist, as "file: name"."""


def load(file: Path = CEILINGS) -> Listed:
    """Read the list.

    Raises:
        KeyError, TypeError: it is not as its own head says.
    """
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    excused = said["excused"]
    return Listed(
        Limits(**said["limits"]),
        {each["what"]: Excuse(**each) for each in said.get("over", [])},
        {each["what"]: Excuse(**each) for each in said.get("undocumented", [])},
        **{name: excused[name] for name in ("folders", "circles", "upward", "coming", "prose")},
    )


def over(of: Module, limits: Limits) -> dict[str, int]:
    """Everything in a module that is over a limit, as `path`, `path:function` or `path:Class`, with
    its lines, or its methods if it is a class."""
    found = {of.path: of.lines} if of.lines > limits.file_lines else {}
    for piece in pieces(of):
        if piece.is_class and piece.methods > limits.class_methods:
            found[piece.where] = piece.methods
        elif not piece.is_class and piece.lines > limits.function_lines:
            found[piece.where] = piece.lines
    return found


def not_kept(found: dict[str, int], excused: dict[str, Excuse]) -> list[str]:
    """What is over a limit without an excuse, or over its excuse; and excuses that nothing needs,
    or that are higher than they must be: a ceiling goes down with what is under it."""
    said = [
        f"{what} has {size}"
        + (f", its ceiling is {excused[what].at_most}" if what in excused else "")
        for what, size in sorted(found.items())
        if what not in excused or size > excused[what].at_most
    ]
    said += [
        f"{what} has {found.get(what, 'nothing over a limit')}: take its ceiling of"
        f" {excuse.at_most} down"
        for what, excuse in sorted(excused.items())
        if found.get(what, 0) < excuse.at_most
    ]
    return said


def undocumented(of: Module) -> list[str]:
    """Public functions, methods and classes of a module that say nothing of themselves."""
    return [piece.where for piece in pieces(of) if piece.public and not piece.documented]


def all_over(limits: Limits) -> dict[str, int]:
    """Everything in the product that is over a limit, with its size."""
    found: dict[str, int] = {}
    for each in tree.modules().values():
        found |= over(each, limits)
    return found


def silent(listed: Listed) -> dict[str, int]:
    """File, or the folder that is excused as a whole → how much there has no docstring."""
    folders = [what for what in listed.undocumented if what.endswith("/")]
    counted: collections.Counter[str] = collections.Counter()
    for each in tree.modules().values():
        owner = next((one for one in folders if each.path.startswith(one)), each.path)
        counted[owner] += len(undocumented(each))
    return {what: count for what, count in counted.items() if count}


def folders_without_a_sentence() -> list[str]:
    """Folders with modules whose `__init__.py` does not say in a sentence what lives there."""
    by_path = {each.path: each for each in tree.modules().values()}
    missing = []
    for folder in sorted({path.rpartition("/")[0] for path in by_path}):
        first = by_path.get(f"{folder}/__init__.py")
        said = ast.get_docstring(first.parsed) if first else None
        if not said or "." not in said:
            missing.append(folder)
    return missing


def arrows_up() -> list[str]:
    """Calls from a lower room to a higher one, in every area."""
    return [
        arrow
        for area, order in tree.rooms().items()
        for arrow in tree.upward(tree.modules(areas=(area,)), order)
    ]


HEAD = """\
# The sizes that the product keeps, and all that is excused from a rule of the house, with reasons.
# tests/house holds the tree against this list. A ceiling only goes down: `inv ceilings` writes this
# file anew with lower ceilings and without excuses that nothing needs any more. It never adds one;
# that is for a person to decide.
"""


def written(listed: Listed) -> str:
    """The text of docs/ceilings.toml that says `listed`."""
    said = [HEAD, "[limits]"]
    said += [f"{name} = {value}" for name, value in vars(listed.limits).items()]
    said += ["", "[excused]"]
    for name, about in _LISTS.items():
        entries = getattr(listed, name)
        said.append(f"# {about}")
        said.append(f"{name} = [" + "".join(f"\n    {_toml(one)}," for one in entries))
        said[-1] += "\n]" if entries else "]"
    for kind in ("over", "undocumented"):
        for excuse in sorted(getattr(listed, kind).values(), key=lambda one: one.what):
            said += ["", f"[[{kind}]]"]
            said += [f"{name} = {_toml(value)}" for name, value in vars(excuse).items()]
    return "\n".join(said) + "\n"


_LISTS = {
    "folders": "folders whose first file does not say what lives there",
    "circles": "files that call each other in a circle",
    "upward": "calls from a lower room to a higher one",
    "coming": "paths of docs/rooms.toml that are not there yet",
    "prose": "names in docs, docstrings and comments that do not exist, as `file: name`",
}


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def lowered(excused: dict[str, Excuse], found: dict[str, int]) -> dict[str, Excuse]:
    """The excuses that are still needed, each no higher than it must be."""
    return {
        what: Excuse(what, min(excuse.at_most, found[what]), excuse.why)
        for what, excuse in excused.items()
        if what in found
    }


def main() -> int:
    """Lower every ceiling, here and in pyproject.toml, to what is under it, take out excuses that
    nothing needs, and print what is over one."""
    linting.lowered(linting.FILE.read_text(encoding="utf-8"))
    listed = load()
    sizes, quiet = all_over(listed.limits), silent(listed)
    circles = [set(circle) for circle in tree.circles(tree.graph(tree.modules()))]
    left = Listed(
        listed.limits,
        lowered(listed.over, sizes),
        lowered(listed.undocumented, quiet),
        folders=[each for each in listed.folders if each in folders_without_a_sentence()],
        circles=[each for each in listed.circles if set(each) in circles],
        upward=[each for each in listed.upward if each in arrows_up()],
        coming=[each for each in listed.coming if not (ROOT / each).exists()],
        prose=[each for each in listed.prose if each in prose.dead()],
    )
    CEILINGS.write_text(written(left), encoding="utf-8")
    wrong = not_kept(sizes, left.over) + not_kept(quiet, left.undocumented)
    wrong += [
        f"{one}: no sentence" for one in folders_without_a_sentence() if one not in left.folders
    ]
    wrong += [f"circle: {one}" for one in circles if one not in map(set, left.circles)]
    wrong += [f"upward: {one}" for one in arrows_up() if one not in left.upward]
    wrong += [f"dead name in {one}" for one in sorted(prose.dead()) if one not in left.prose]
    excuses = sum(len(getattr(left, name)) for name in ("over", "undocumented", *_LISTS))
    print("\n".join([*wrong, f"ceilings: {excuses} excuses left, {len(wrong)} things over one"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
