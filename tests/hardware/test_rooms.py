"""The simulator knows hardware and nothing of the product."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HW_SIM = Path(__file__).resolve().parents[2] / "hw_sim"
PRODUCT = {"bootloader", "firmware", "updater_server", "tools", "tests"}


def product_imports(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names & PRODUCT


@pytest.mark.parametrize("file", sorted(HW_SIM.rglob("*.py")), ids=lambda file: file.name)
def test_it_imports_nothing_of_the_product(file: Path) -> None:
    assert product_imports(file.read_text()) == set()


def test_this_check_would_notice() -> None:
    assert product_imports("def f():\n    from firmware.main import run\n") == {"firmware"}
    assert product_imports("import bootloader.shared.cbor") == {"bootloader"}
