"""What operators are given in `deploy/`: what it starts exists, and pages explain its settings."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house import prose
from tests.house.tree import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SHIPPED = [*UNITS, ROOT / "deploy" / "haproxy.cfg"]
PAGES = "".join((ROOT / "docs" / page).read_text() for page in ("operations.md", "server.md"))
VARIABLE = re.compile(r"\b(?:DUKA|AWS)_[A-Z0-9_]+")


def commands(unit: str) -> list[str]:
    """What a unit starts, as one would type it; `$NAME` may be no word at all, `${NAME}` is one."""
    said = re.sub(r" \$[A-Z_]+$", "", unit.replace("%i", "push"), flags=re.MULTILINE)
    return re.findall(r"^ExecStart=\S*/(python -m .*)$", said, flags=re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_a_service_starts_is_a_command_that_can_be_given(unit: Path) -> None:
    for line in commands(unit.read_text()):
        assert not prose.wrong_commands(f"`{line}`")
        assert not prose.unfinished_commands(f"```\n{line}\n```\n")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_a_setting_of_a_shipped_file_is_on_the_operators_pages(file: Path) -> None:
    assert not set(VARIABLE.findall(file.read_text())) - set(VARIABLE.findall(PAGES))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_page_names_every_service(unit: Path) -> None:
    assert re.search(rf"\b{re.split('[@.]', unit.name)[0]}\b", PAGES)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd")
def test_systemd_understands_every_service(tmp_path: Path) -> None:
    for unit in UNITS:  # where programs lie is the operator's machine's
        words = re.sub(r"(?<=^ExecStart=)\S+", "/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(words.replace("=/opt/duka\n", "=/\n"))
    files = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if str(tmp_path) in line]
