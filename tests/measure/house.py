"""`inv house`: the house in figures - sizes, repetition, what its image weighs and costs to send -
as it is now and, with `--since COMMIT`, as it was then.

Everything is counted by this file's own code on both trees; only the heap at rest is measured by
each tree's own `tests.measure.board`.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.house import tree
from tests.house.tree import ROOT, Module
from tools.lab import qemu
from tools.release.image import ReleaseInfo, build_release, commit_of, day_of, files_of
from updater_server.channels import PayloadError, build_payloads

RUN_LINES = 6
"""Logical lines that must be the same, token for token, to count as written twice."""
RUN_TOKENS = 40
"""And how many tokens they must have: six closing brackets are no repetition."""
MANY_METHODS = 20
LONG_FILE, LONG_FUNCTION = 400, 60

Figures = dict[str, tuple[float, str]]
"""What is counted → how much, and where the worst of it is."""


@dataclass(frozen=True)
class Line:
    """A logical line: where it begins, and its tokens."""

    number: int
    tokens: tuple[str, ...]


_QUIET = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def logical_lines(of: Module) -> list[Line]:
    """The logical lines of a module without its comments, docstrings and imports."""
    prose = {
        node.lineno
        for node in ast.walk(of.parsed)
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or isinstance(node, ast.Import | ast.ImportFrom)
    }
    lines: list[Line] = []
    tokens: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(of.text).readline):
        if token.type == tokenize.NEWLINE:
            if tokens and tokens[0].start[0] not in prose:
                lines.append(Line(tokens[0].start[0], tuple(each.string for each in tokens)))
            tokens = []
        elif token.type not in _QUIET:
            tokens.append(token)
    return lines


def repeated(of: Mapping[str, Module]) -> list[tuple[str, int, int]]:
    """Runs of lines that stand somewhere else as well: (path, first line, logical lines), longest
    first. Each copy is a run of its own."""
    files = {each.path: logical_lines(each) for each in of.values()}
    places: dict[tuple[tuple[str, ...], ...], list[tuple[str, int]]] = defaultdict(list)
    for path, lines in files.items():
        for at in range(len(lines) - RUN_LINES + 1):
            window = tuple(line.tokens for line in lines[at : at + RUN_LINES])
            if sum(map(len, window)) >= RUN_TOKENS:
                places[window].append((path, at))
    marked: dict[str, set[int]] = defaultdict(set)
    for found in places.values():
        if len(found) > 1:
            for path, at in found:
                marked[path] |= set(range(at, at + RUN_LINES))
    runs = []
    for path, positions in marked.items():
        for at in sorted(positions):
            if at - 1 not in positions:
                end = at
                while end in positions:
                    end += 1
                runs.append((path, files[path][at].number, end - at))
    return sorted(runs, key=lambda run: (-run[2], run[0], run[1]))


def counted(root: Path) -> Figures:
    """What can be counted in the files of the product under `root`."""
    of = tree.modules(root)
    pieces = [piece for each in of.values() for piece in tree.pieces(each)]
    functions = sorted((p for p in pieces if not p.is_class), key=lambda piece: -piece.lines)
    classes = sorted((p for p in pieces if p.is_class), key=lambda piece: -piece.methods)
    longest = max(of.values(), key=lambda each: each.lines)
    circles = tree.circles(tree.graph(of))
    runs = repeated(of)
    public = [piece for piece in pieces if piece.public]
    return {
        "files": (len(of), ""),
        "lines": (sum(each.lines for each in of.values()), ""),
        "longest file, lines": (longest.lines, longest.path),
        f"files over {LONG_FILE} lines": (
            sum(each.lines > LONG_FILE for each in of.values()),
            "",
        ),
        "longest function, lines": (functions[0].lines, functions[0].where),
        f"functions over {LONG_FUNCTION} lines": (
            sum(each.lines > LONG_FUNCTION for each in functions),
            "",
        ),
        f"classes over {MANY_METHODS} methods": (
            sum(each.methods > MANY_METHODS for each in classes),
            f"most: {classes[0].methods} of {classes[0].where}",
        ),
        "circles of files": (len(circles), "; ".join(" ↔ ".join(one) for one in circles)),
        "public and without docstring": (
            sum(not each.documented for each in public),
            f"of {len(public):,}",
        ),
        "runs of repeated lines": (len(runs), _place(runs)),
        "lines in them": (sum(run[2] for run in runs), ""),
    }


def _place(runs: list[tuple[str, int, int]]) -> str:
    return f"longest: {runs[0][2]} at {runs[0][0]}:{runs[0][1]}" if runs else ""


def image_of(root: Path, release: int) -> bytes:
    """The release image of a checkout, built by today's builder."""
    commit, built = commit_of(root)
    with files_of(root, commit) as source:
        return build_release(source, ReleaseInfo(release, "0.0.0", commit, built))


def heap_at_rest(root: Path) -> tuple[int | None, str]:
    """Bytes of heap in use when the terminal has started, on the emulated Cortex-M3, by the tree's
    own measurement; or None and the reason."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
    try:
        # So that another tree need not fetch MicroPython's source for itself.
        environment.setdefault("MICROPYTHON_SRC", str(qemu.source()))
    except qemu.Unavailable as error:
        return None, str(error)
    done = subprocess.run(
        [sys.executable, "-m", "tests.measure.board"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^heap_bytes +at_rest +([\d,]+)", done.stdout, flags=re.MULTILINE)
    if found:
        return int(found[1].replace(",", "")), ""
    said = (done.stderr or done.stdout).strip().splitlines()
    return None, said[-1] if said else "tests.measure.board said nothing"


@contextlib.contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A temporary worktree of this repository at `commit`.

    Raises:
        subprocess.CalledProcessError: there is no such commit; git's own words are on stderr.
    """
    with tempfile.TemporaryDirectory(prefix="duka-house-") as folder:
        place = Path(folder) / "then"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", "--quiet", str(place), commit], check=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=False)


def measured(root: Path, image: bytes, with_heap: bool) -> Figures:
    """All figures of one tree but the delta."""
    figures = counted(root)
    figures["release image, bytes"] = (len(image), "")
    if with_heap:
        heap, reason = heap_at_rest(root)
        figures["heap at rest, bytes (Cortex-M3)"] = (
            (float("nan"), f"not measured: {reason}") if heap is None else (heap, "")
        )
    return figures


def sent(image: bytes, old: bytes) -> Figures:
    """What a terminal with the image `old` fetches for `image`, and one without it."""
    figures: Figures = {"full payload, bytes": (len(build_payloads(image)[0].data), "on the air")}
    try:
        deltas = [each for each in build_payloads(image, {1: old}) if each.kind == "delta"]
    except PayloadError as error:
        figures["delta from then, bytes"] = (float("nan"), f"cannot be made: {error}")
    else:
        found = (len(deltas[0].data), "on the air") if deltas else (float("nan"), "not smaller")
        figures["delta from then, bytes"] = found
    return figures


def table(now: Figures, then: Figures | None) -> str:
    """The figures as lines: what, then, now, and where the worst is now."""
    width = max(map(len, now))
    lines = []
    for what, (figure, where) in now.items():
        before = _shown(then[what][0]) if then and what in then else ""
        column = f"{before:>10} → " if then else ""
        lines.append(f"{what:<{width}} {column}{_shown(figure):>10}  {where}".rstrip())
    return "\n".join(lines)


def _shown(figure: float) -> str:
    return "?" if figure != figure else f"{figure:,.0f}"


def main() -> int:
    """Print the table; with `--runs` also every run of repeated lines."""
    parser = argparse.ArgumentParser(prog="inv house")
    parser.add_argument("--since", default="", help="a commit to compare with")
    parser.add_argument("--heap", action="store_true", help="measure heap on the emulated board")
    parser.add_argument("--runs", action="store_true", help="list the repeated runs")
    asked = parser.parse_args()
    image = image_of(ROOT, 2)
    now = measured(ROOT, image, asked.heap)
    then = None
    if asked.since:
        with checkout(asked.since) as place:
            old = image_of(place, 1)
            then = measured(place, old, asked.heap)
            print(f"{asked.since} ({day_of(commit_of(place)[1])}) → now")
        now |= sent(image, old)
    print(table(now, then))
    if not asked.heap:
        print("heap at rest: not measured (--heap does it, where QEMU is)")
    if asked.runs:
        for path, line, count in repeated(tree.modules()):
            print(f"{count:>4} lines at {path}:{line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
