"""What prose says about the tree - links, paths, dotted names, commands - and whether it is there.

Prose is every Markdown file and, in Python files, docstrings and comments.
"""

from __future__ import annotations

import ast
import functools
import importlib
import io
import re
import shlex
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.house.tree import AREAS, ROOT

_TOPS = "|".join((*AREAS, "tests", "docs"))
PATH = re.compile(rf"(?<![\w./<-])(?:{_TOPS})/[\w./<>*…{{}}-]*")
FILE = re.compile(r"`([\w.-]+\.(?:py|md|toml|c))`")
DOTTED = re.compile(rf"(?<![\w./-])(?:{_TOPS})(?:\.[A-Za-z_]\w*)+(?![\w/-])")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_OPEN_ENDED = ("<", ">", "*", "…", "{", "...")
_MADE = {"firmware/measure.py", "firmware.elf"}
"""What prose names and only a build or a measurement makes."""
PAST = ("CHANGELOG.md", "docs/decisions/")
"""Tells of what was: its names need not exist any more; its links must lead somewhere."""


@dataclass(frozen=True)
class Text:
    """A piece of prose and the file that it stands in, from the root."""

    path: str
    text: str

    @property
    def tells_of_the_past(self) -> bool:
        """Whether its names may be gone."""
        return self.path.startswith(PAST)


def markdown(root: Path = ROOT) -> list[Text]:
    """Every Markdown file of the project."""
    files = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    return [
        Text(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
        for file in sorted(files)
    ]


@functools.cache
def python(root: Path = ROOT) -> tuple[Text, ...]:
    """Docstrings and comments of every Python file of the project, those of `tests/house` apart:
    they hold examples of what is wrong."""
    found = [Text("tasks.py", said_in((root / "tasks.py").read_text(encoding="utf-8")))]
    for top in (*AREAS, "tests"):
        for file in sorted((root / top).rglob("*.py")):
            path = file.relative_to(root).as_posix()
            if not path.startswith("tests/house/") and "__pycache__" not in path:
                found.append(Text(path, said_in(file.read_text(encoding="utf-8"))))
    return tuple(found)


def said_in(source: str) -> str:
    """Docstrings (also those of variables) and comments of a Python text."""
    said = [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    said += [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join(said)


def dead_paths(text: str, root: Path = ROOT) -> list[str]:
    """Paths from the root, and bare file names in backticks, that nothing in the tree has."""
    dead = []
    for found in PATH.findall(text):
        path = found.rstrip(".,/-")
        if not any(part in found for part in _OPEN_ENDED) and not _lies_there(path, root):
            dead.append(path)
    names = _names(root)
    dead += [name for name in FILE.findall(text) if name not in names]
    return dead


def _lies_there(path: str, root: Path) -> bool:
    at = root / path
    if at.exists() or at.with_name(at.name + ".py").exists() or path in _MADE:
        return True
    return path.startswith("docs/decisions/") and any(at.parent.glob(at.name + "-*.md"))


@functools.cache
def _names(root: Path) -> frozenset[str]:
    tops = [root / top for top in (*AREAS, "tests", "docs")]
    files = [*root.iterdir(), *(file for top in tops for file in top.rglob("*"))]
    return frozenset(file.name for file in files if file.is_file())


def dead_names(text: str, root: Path = ROOT) -> list[str]:
    """Dotted names of modules, or of what is in them, that are not there."""
    return [
        name
        for name in DOTTED.findall(text)
        if name not in _MADE and not _is_there(name.split("."), root)
    ]


def _is_there(parts: list[str], root: Path) -> bool:
    at = root
    for depth, part in enumerate(parts):
        if (at / part).is_dir():
            at = at / part
            continue
        file = at / f"{part}.py"
        if not file.is_file():
            # a name in the package itself, or the name of a file that was meant: `firmware.romfs`
            file, depth = at / "__init__.py", depth - 1
            if not file.is_file():
                return False
        return _has(file, tuple(parts[depth + 1 :]))
    return True


def _has(file: Path, names: tuple[str, ...]) -> bool:
    if not names:
        return True
    source = file.read_text(encoding="utf-8")
    # Methods and attributes are looked for by their letters: good enough for a renamed one.
    return names[0] in _defined(source) and all(
        re.search(rf"\b{re.escape(name)}\b", source) for name in names[1:]
    )


def _defined(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[-1])
    return found


@functools.cache
def dead() -> frozenset[str]:
    """Every dead path and name of the tree's prose, as "file: name"."""
    return frozenset(
        f"{each.path}: {name}"
        for each in (*markdown(), *python())
        if not each.tells_of_the_past
        for name in (*dead_paths(each.text), *dead_names(each.text))
    )


def dead_links(page: Text, root: Path = ROOT) -> list[str]:
    """Links of a page to files or headings that are not there. Other hosts are not asked."""
    dead = []
    for target in LINK.findall(_without_code(page.text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (root / page.path).parent / path
        if path and not file.exists():
            dead.append(target)
        elif heading:
            text = file.read_text(encoding="utf-8") if path else page.text
            dead += [target] * (heading not in headings(text))
    return dead


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(text: str) -> set[str]:
    """The names by which a page's headings are linked to."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.*)$", _without_code(text), flags=re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        found.add(name)
    return found


def code_in(text: str) -> Iterator[str]:
    """Lines of fenced blocks, and what stands in single backticks."""
    for block in re.findall(r"^```[^\n]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()
    for block in re.findall(r"^(?: {4}.*\n)+", text, flags=re.MULTILINE):
        yield from (line.strip() for line in block.splitlines())
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


_COMMANDS = {"tools": "tools.__main__", "updater_server": "updater_server.__main__"}


@functools.cache
def _command_tree(module: str) -> Any:
    import typer

    owner = importlib.import_module(_COMMANDS[module])
    return typer.main.get_command(getattr(owner, "app", None) or owner.cli)


@functools.cache
def _tasks() -> Any:
    import tasks

    return tasks.namespace


def wrong_commands(text: str) -> list[str]:
    """Documented commands, in code, that do not exist, or that have no such option."""
    wrong = []
    for line in code_in(text):
        for start in re.finditer(r"(?:inv|tasks\.py|python3? -m) ", line):
            said = re.split(r"[;|&)#]|:? {2,}|: ", line[start.start() :])[0]
            if start.start() and line[start.start() - 1] not in " (/`$":
                continue
            if not _exists(_words(said)):
                wrong.append(said.strip())
    return wrong


def _words(said: str) -> list[str]:
    try:
        words = shlex.split(said)
    except ValueError:
        words = said.split()
    return [word.rstrip(".,:`") for word in words]


def _exists(words: list[str]) -> bool:
    if words[0] in ("inv", "tasks.py"):
        return len(words) < 2 or _is_task(words[1], words[2:])
    module, rest = words[2] if len(words) > 2 else "", words[3:]
    if module in _COMMANDS:
        return _is_command(_command_tree(module), rest)
    if module.split(".")[0] not in (*AREAS, "tests"):
        return True  # somebody else's
    path = ROOT / module.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def _is_task(name: str, rest: list[str]) -> bool:
    if name.startswith(("-", "…")) or not re.fullmatch(r"[a-z.\-_]+…?|[A-Z]+", name):
        return True
    if name.isupper() or "…" in name:
        return True
    tasks = _tasks()
    if name not in tasks.task_names:
        return False
    flags = {flag for one in tasks[name].get_arguments() for flag in one.names}
    asked = [word[2:].split("=")[0] for word in rest if word.startswith("--")]
    return all(flag in flags for flag in asked)


def _is_command(at: Any, rest: list[str]) -> bool:
    while rest and hasattr(at, "commands"):
        word, rest = rest[0], rest[1:]
        if word.startswith("-") or not re.fullmatch(r"[a-z][a-z-]*", word):
            return True  # `python -m tools …`, a placeholder
        if word not in at.commands:
            return False
        at = at.commands[word]
    options = {
        name for parameter in at.params for name in (*parameter.opts, *parameter.secondary_opts)
    }
    asked = [word.split("=")[0] for word in rest if word.startswith("--") and len(word) > 2]
    return all(option in options | {"--help"} for option in asked)


def unfinished_commands(text: str) -> list[str]:
    """Commands in fenced blocks that the program itself would refuse: something that it must be
    told is missing, or too much, or no such value.
    """
    wrong = []
    for block in re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, flags=re.MULTILINE | re.DOTALL):
        for found in _TYPED.finditer(block.replace("\\\n", " ")):
            at, rest = _command_tree(found[1]), _words(re.split(r"\s#|&&|\s>\s", found[2])[0])
            while rest and rest[0] in getattr(at, "commands", {}):
                at, rest = at.commands[rest[0]], rest[1:]
            try:
                at.make_context(at.name, rest)
            except Exception:  # a usage error, whose class typer keeps for itself
                wrong.append(found[0].strip())
    return wrong


_TYPED = re.compile(rf"python3? -m ({'|'.join(_COMMANDS)})\b (.*)")


def short_commands(text: str) -> list[str]:
    """Commands named by their group alone (`tech provision`, `release add`) that do not exist."""
    wrong = []
    groups = {
        name: group
        for module in _COMMANDS
        for name, group in _command_tree(module).commands.items()
        if hasattr(group, "commands")
    }
    for said in re.findall(r"(?<!`)`([a-z]+ [^`\n]+)`(?!`)", text):
        words = _words(said)
        if words[0] in groups and not _is_command(groups[words[0]], words[1:]):
            wrong.append(said)
    return wrong
