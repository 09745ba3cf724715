"""Who may call whom: docs/architecture.md's table of rooms, held against every import statement."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bootloader", "firmware", "updater_server", "hw_sim", "tools", "tests")
MAY_IMPORT = {
    "bootloader/shared": ("bootloader.shared",),
    "bootloader/boards": ("bootloader.shared", "bootloader.entropy"),  # entropy: conformance image
    "bootloader": ("bootloader", "firmware.main"),  # the jump, and nothing else of a release
    "firmware": ("firmware", "bootloader.shared"),
    "updater_server": ("updater_server",),
    "hw_sim": ("hw_sim",),
    "tools": ("tools", "updater_server.channels"),
}
ORACLE = "tools/oracle.py"
"""The one file of the tools that asks the terminal's own readers."""
MAY_IMPORT[ORACLE] = (
    *MAY_IMPORT["tools"],
    "firmware.catalogue",
    "firmware.config",
    "bootloader.shared.canonical",
    "bootloader.shared.release",
)


def imported(source: str, package: str) -> set[str]:
    """Every module of ours that `source`, a module in `package`, imports, absolute and dotted."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(above) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in ROOMS}


def trespasses(source: str, package: str, allowed: tuple[str, ...]) -> set[str]:
    return {
        name
        for name in imported(source, package)
        if not any(name == room or name.startswith(room + ".") for room in allowed)
    }


def files_of(room: str) -> list[Path]:
    if room == ORACLE:
        return [ROOT / room]
    inner = [other for other in MAY_IMPORT if other.startswith(room + "/")]
    return [
        file
        for file in sorted((ROOT / room).rglob("*.py"))
        if not any(file.is_relative_to(ROOT / other) for other in inner)
    ]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_calls_only_whom_it_may(room: str) -> None:
    files = files_of(room)
    assert files, f"no modules in {room}"
    found = {}
    for file in files:
        package = ".".join(file.relative_to(ROOT).parent.parts)
        wrong = trespasses(file.read_text(encoding="utf-8"), package, MAY_IMPORT[room])
        if wrong:
            found[str(file.relative_to(ROOT))] = wrong
    assert not found


@pytest.mark.parametrize(
    ("source", "package", "room"),
    [
        ("import tests.support.world", "hw_sim.modem", "hw_sim"),
        ("def f():\n    from firmware.main import run", "hw_sim", "hw_sim"),
        ("from bootloader import boot", "firmware", "firmware"),
        ("from ..journal import Journal", "firmware.update", "bootloader/shared"),
        ("from updater_server.sales import ledger", "tools", "tools"),
        ("from updater_server import sales", "tools", "tools"),
        ("from firmware import config", "tools", "tools"),
        ("from firmware import till", "tools", ORACLE),
        ("from hw_sim import board", "updater_server", "updater_server"),
        ("import firmware.texts", "bootloader", "bootloader"),
    ],
)
def test_this_check_would_notice(source: str, package: str, room: str) -> None:
    assert trespasses(source, package, MAY_IMPORT[room])


def test_device_code_uses_nothing_that_micropython_does_not_have() -> None:
    missing = {"typing", "dataclasses", "contextlib", "pathlib", "enum", "abc", "functools"}
    found = {}
    for room in ("bootloader", "firmware"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = (
                    {alias.name for alias in node.names}
                    if isinstance(node, ast.Import)
                    else {node.module or ""}
                    if isinstance(node, ast.ImportFrom) and not node.level
                    else set()
                )
                if names & missing:
                    found[str(file)] = names & missing
    assert not found
