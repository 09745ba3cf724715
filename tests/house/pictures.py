"""`inv pictures`: the rooms, one sale and one update, drawn as text into docs/architecture.md.

The rooms come from docs/rooms.toml, the first sentence of each folder's `__init__.py` and the
import statements; who speaks to whom in a sale and an update is told in docs/pictures.toml, whose
every step names the function that takes it. A test holds that the drawings are fresh.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.house import tree
from tests.house.tree import ROOT, Room

PAGE = ROOT / "docs" / "architecture.md"
WALKS = ROOT / "docs" / "pictures.toml"
WIDTH = 78
_NAME = 20
_MARK = re.compile(r"(<!-- drawn: (.+?) -->\n).*?(<!-- end of drawing -->)", flags=re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One thing said: by whom, to whom, in what words, and the function that says or does it."""

    says: str
    to: str
    what: str
    by: str


@dataclass(frozen=True)
class Walk:
    """A walk through the house: who takes part, from left to right, and the steps in order."""

    parts: tuple[str, ...]
    steps: tuple[Step, ...]


def walks(file: Path = WALKS) -> dict[str, Walk]:
    """The walks of docs/pictures.toml by name."""
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        name: Walk(
            tuple(each["parts"]),
            tuple(Step(one["from"], one["to"], one["says"], one["by"]) for one in each["steps"]),
        )
        for name, each in said.items()
    }


def sentence(room: Room) -> str:
    """What a room's first file says of it: the first sentence of its docstring."""
    first = ROOT / room.name
    if first.is_dir():
        first = first / "__init__.py"
    if not first.is_file():
        return ""
    said = ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) or ""
    words = " ".join(said.split())
    return re.split(r"(?<=[.;])\s", words)[0].rstrip(".;").replace("`", "")


def drawn_rooms(area: str) -> str:
    """The rooms of an area from the top down, each with what it is and whom it calls."""
    order = tree.rooms()[area]
    of = tree.modules(areas=(area,))
    calls: dict[str, set[str]] = {room.name: set() for room in order}
    for name, targets in tree.graph(of).items():
        here = tree.room_of(of[name].path, order)
        for target in targets:
            there = tree.room_of(of[target].path, order)
            if here and there and here != there:
                calls[here].add(there)
    rows: list[list[str]] = []
    for room in reversed(order):
        if not any(tree.room_of(each.path, order) == room.name for each in of.values()):
            continue
        below = [_short(one.name, area) for one in reversed(order) if one.name in calls[room.name]]
        text = textwrap.wrap(sentence(room), WIDTH - _NAME - 5)
        text += textwrap.wrap(
            "→ " + ", ".join(below), WIDTH - _NAME - 5, subsequent_indent="  "
        ) * bool(below)
        names = textwrap.wrap(_short(room.name, area), _NAME)
        rows.append(
            [
                f"│ {(names[at] if at < len(names) else ''):<{_NAME}} "
                f"{(text[at] if at < len(text) else ''):<{WIDTH - _NAME - 4}}│"
                for at in range(max(len(text), len(names)))
            ]
        )
    line = "─" * (WIDTH - 2)
    body = f"\n├{line}┤\n".join("\n".join(row) for row in rows)
    return f"┌{line}┐\n{body}\n└{line}┘"


def _short(name: str, area: str) -> str:
    return name.removeprefix(area + "/").removesuffix(".py")


def drawn_walk(walk: Walk) -> str:
    """A walk as lines that go down from each part, and arrows between them."""
    step = WIDTH // len(walk.parts)
    middles = {part: at * step + step // 2 for at, part in enumerate(walk.parts)}
    rails = [" "] * WIDTH
    for middle in middles.values():
        rails[middle] = "│"
    lines = ["".join(f"{part:^{step}}" for part in walk.parts).rstrip()]
    for each in walk.steps:
        start, end = middles[each.says], middles[each.to]
        lines += _words(rails, each.what, start, end)
        if start != end:
            lines.append(_arrow(rails, start, end))
    lines.append("".join(rails).rstrip())
    return "\n".join(lines)


def _words(rails: list[str], what: str, start: int, end: int) -> list[str]:
    left = min(start, end) + 2
    if start != end and len(what) <= abs(start - end) - 3:
        space = abs(start - end) - 3
    else:
        space = max(WIDTH - left, 24)
        if space > WIDTH - left:
            left = WIDTH - space
    lines = []
    for text in textwrap.wrap(what, space):
        row = [*rails]
        row[left : left + len(text)] = text
        if left + len(text) < WIDTH and row[left + len(text)] == "│" and text:
            row[left + len(text)] = "│"
        lines.append("".join(row).rstrip())
    return lines


def _arrow(rails: list[str], start: int, end: int) -> str:
    row = [*rails]
    low, high = min(start, end), max(start, end)
    for at in range(low + 1, high):
        row[at] = "─"
    row[high - 1 if end > start else low + 1] = "▶" if end > start else "◀"
    row[start] = "├" if end > start else "┤"
    return "".join(row).rstrip()


def drawing(name: str) -> str:
    """The drawing of a name: an area of docs/rooms.toml or a walk of docs/pictures.toml.

    Raises:
        KeyError: there is nothing of that name.
    """
    told = walks()
    return drawn_walk(told[name]) if name in told else drawn_rooms(name)


def redrawn(text: str) -> str:
    """A page's text with every drawing in it made anew."""
    return _MARK.sub(
        lambda found: f"{found[1]}\n```text\n{drawing(found[2])}\n```\n\n{found[3]}", text
    )


def main() -> int:
    """Draw everything anew in docs/architecture.md."""
    old = PAGE.read_text(encoding="utf-8")
    new = redrawn(old)
    PAGE.write_text(new, encoding="utf-8")
    print(f"{len(_MARK.findall(new))} drawings, {'made anew' if new != old else 'fresh'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
