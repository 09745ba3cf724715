"""What docs, docstrings and comments name is there: links, paths, modules, commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import ceilings, prose
from tests.house.prose import Text

PAGES = prose.markdown()
EXCUSED = set(ceilings.load().prose)


def test_every_path_and_module_that_prose_names_is_there() -> None:
    assert not sorted(prose.dead() - EXCUSED)


def test_nothing_is_excused_that_is_there_again() -> None:
    assert not EXCUSED - prose.dead(), "take them out of docs/ceilings.toml"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_link_leads_somewhere(page: Text) -> None:
    assert not prose.dead_links(page)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if not page.tells_of_the_past], ids=lambda page: page.path
)
def test_every_documented_command_exists(page: Text) -> None:
    assert not prose.wrong_commands(page.text)
    assert not prose.unfinished_commands(page.text)
    if not page.path.startswith("docs/formats/"):  # those show what a cable says, in the same words
        assert not prose.short_commands(page.text)


def test_every_command_that_a_docstring_names_exists() -> None:
    found = {each.path: prose.wrong_commands(each.text) for each in prose.python()}
    assert not {path: wrong for path, wrong in found.items() if wrong}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see firmware/flows/recover_all.py.", ["firmware/flows/recover_all.py"]),
        (
            "in `docs/formats/no-such.md`, and `nowhere.py`",
            ["docs/formats/no-such.md", "nowhere.py"],
        ),
        ("`tests/house/` and tests/house/prose.py, `prose.py`", []),
        ("one file, `bootloader/boards/<name>.py`; firmware/*/x.py", []),
    ],
)
def test_a_dead_path_is_seen(text: str, found: list[str]) -> None:
    assert prose.dead_paths(text) == found


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("tests.house.prose", True),
        ("tests.house.prose.dead_names", True),
        ("tests.house.prose.Text.tells_of_the_past", True),
        ("firmware.main.run", True),
        ("tests.house.no_such", False),
        ("tests.house.prose.no_such", False),
        ("firmware.flows.no_such", False),
    ],
)
def test_a_dead_name_is_seen(name: str, there: bool) -> None:
    assert prose.dead_names(f"as `{name}` says.") == ([] if there else [name])


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, with `code`\n")
    page = "[a](there.md) [b](gone.md) [c](there.md#a-heading-with-code) [d](there.md#no) [e](https://x)"
    page += "\n## Here\n[f](#here) [g](#there)\n```\n[h](in-code.md)\n```\n"
    assert prose.dead_links(Text("page.md", page), tmp_path) == ["gone.md", "there.md#no", "#there"]


@pytest.mark.parametrize(
    ("code", "exists"),
    [
        ("inv test", True),
        ("inv test --paths tests/money", True),
        ("inv qemu.demo", True),
        ("python3 tasks.py demo", True),
        ("python -m tools release sign --help", True),
        ("python -m updater_server serve --data /srv/duka", True),
        ("python -m tests.powercut", True),
        ("inv no-such", False),
        ("inv test --no-such", False),
        ("inv qemu.no-such", False),
        ("python -m tools release no-such", False),
        ("python -m tools release sign --no-such", False),
        ("python -m updater_server no-such", False),
        ("python -m tests.no_such", False),
    ],
)
def test_a_command_that_does_not_exist_is_seen(code: str, exists: bool) -> None:
    assert bool(prose.wrong_commands(f"`{code}`")) is not exists
    assert bool(prose.wrong_commands(f"```\n{code}\n```\n")) is not exists


@pytest.mark.parametrize(
    ("code", "can_be_given"),
    [
        ("python -m updater_server serve --data /srv/duka --port 80 --drain 3   # a word", True),
        (
            "python -m updater_server migrate-store --data /srv/duka \\\n --database postgresql://d",
            True,
        ),
        ("python -m updater_server serve --port 80", False),
        ("python -m updater_server serve --data /srv/duka --port eighty", False),
        ("python -m updater_server artefacts push --data /srv/duka", False),
        ("python -m updater_server backup /one /two --data /srv/duka", False),
        ("$ python -m tools release publish --keys keys", False),
    ],
)
def test_a_command_that_the_program_would_refuse_is_seen(code: str, can_be_given: bool) -> None:
    assert bool(prose.unfinished_commands(f"```\n{code}\n```\n")) is not can_be_given


@pytest.mark.parametrize(
    ("code", "exists"),
    [
        ("tech provision", True),
        ("tech TERMINAL", True),
        ("release rollout set", True),
        ("tech no-such", False),
        ("release rollout no-such", False),
        ("stock return TERMINAL --no-such", False),
    ],
)
def test_a_short_command_that_does_not_exist_is_seen(code: str, exists: bool) -> None:
    assert bool(prose.short_commands(f"`{code}`")) is not exists
