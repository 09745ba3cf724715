"""What a newcomer's tools do is what `inv lint` does."""

from __future__ import annotations

import re

from tests.house import prose
from tests.house.tree import ROOT


def commands_of_lint(tasks: str) -> list[str]:
    """The `_python("...")` calls of the task `lint`."""
    body = re.search(r"^def lint\(.*?(?=^@|^def )", tasks, flags=re.MULTILINE | re.DOTALL)
    assert body, "tasks.py has no task `lint`"
    return re.findall(r'_python\("(.*?)"\)', body[0])


def commands_of_hooks(settings: str) -> list[str]:
    """What the hooks of pre-commit run, without the interpreter."""
    return re.findall(r"entry: \.venv/bin/python (.*)", settings)


def test_pre_commit_runs_the_checks_of_lint() -> None:
    tasks = (ROOT / "tasks.py").read_text(encoding="utf-8")
    settings = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert commands_of_hooks(settings) == commands_of_lint(tasks)


def test_a_check_that_one_of_them_lacks_is_seen() -> None:
    tasks = 'def lint(c):\n    _python("-m ruff check .")\n\n\n@task\ndef b(c):\n    _python("")\n'
    assert commands_of_lint(tasks) == ["-m ruff check ."]
    assert commands_of_hooks("      entry: .venv/bin/python -m mypy\n") == ["-m mypy"]


def test_the_page_for_newcomers_has_the_ten_ways() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ways = re.findall(r"^### A (.*)$", text, flags=re.MULTILINE)
    assert len(ways) == 10


def test_every_task_is_told_of() -> None:
    import tasks

    told = "\n".join(page.text for page in prose.markdown() if not page.tells_of_the_past)
    silent = [name for name in tasks.namespace.task_names if f"inv {name}" not in told]
    assert not silent, "no page says what they are for"


def test_every_folder_of_tests_is_in_the_table() -> None:
    text = (ROOT / "docs" / "engineering.md").read_text(encoding="utf-8")
    folders = {file.parent for file in (ROOT / "tests").rglob("test_*.py")}
    silent = [one for one in folders if f"`{one.relative_to(ROOT).as_posix()}`" not in text]
    assert not silent
