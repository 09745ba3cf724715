"""Who may call whom: docs/rooms.toml and docs/architecture.md's table of areas, held against every
import statement. Imports that only a type checker reads do not count."""

from __future__ import annotations

import pytest

from tests.house import ceilings, tree
from tests.house.tree import ROOT, Module, Room, module
from tools.release.image import for_device

MAY_IMPORT = {
    "bootloader/shared": ("bootloader.shared",),
    "bootloader/boards": ("bootloader.shared",),
    "bootloader": ("bootloader", "firmware.main"),  # the jump, and nothing else of a release
    "firmware": ("firmware", "bootloader.shared"),
    "updater_server": ("updater_server",),
    "hw_sim": ("hw_sim",),
    "tools": ("tools", "updater_server.channels"),
    # a world to play in stands on both sides, and shows each to who looks; nobody imports it
    "tools/play": ("tools", "updater_server", "hw_sim", "firmware.ui"),
}
ORACLE = "tools/oracle.py"
"""The one file of the tools that asks the terminal's own readers, and its screen how names look."""
MAY_IMPORT[ORACLE] = (
    *MAY_IMPORT["tools"],
    "firmware.sales.catalogue",
    "firmware.kept.config",
    "firmware.ui.canvas",
    "firmware.ui.money_and_dates",
    "bootloader.shared.canonical",
    "bootloader.shared.catalogue",
    "bootloader.shared.release",
    "bootloader.shared.rollout",
)
OURS = (*tree.AREAS, "tests")
ORDER = tree.rooms()
LISTED = ceilings.load()


def trespasses(of: Module, allowed: tuple[str, ...]) -> set[str]:
    """What `of` imports of ours that is in none of the `allowed` packages."""
    return {
        name
        for name in tree.imported(of)
        if name.split(".")[0] in OURS
        and not any(name == room or name.startswith(room + ".") for room in allowed)
    }


def area_of(path: str) -> str:
    """The longest key of MAY_IMPORT that holds a file."""
    return max(
        (area for area in MAY_IMPORT if path == area or path.startswith(area + "/")), key=len
    )


@pytest.mark.parametrize("area", MAY_IMPORT)
def test_an_area_calls_only_whom_it_may(area: str) -> None:
    of = [each for each in tree.modules().values() if area_of(each.path) == area]
    assert of, f"no modules in {area}"
    found = {each.path: wrong for each in of if (wrong := trespasses(each, MAY_IMPORT[area]))}
    assert not found


@pytest.mark.parametrize(
    ("source", "path", "area"),
    [
        ("import tests.support.world", "hw_sim/modem/x.py", "hw_sim"),
        ("def f():\n    from firmware.main import run", "hw_sim/x.py", "hw_sim"),
        ("from bootloader import boot", "firmware/x.py", "firmware"),
        ("from ..journal import Journal", "firmware/update/x.py", "bootloader/shared"),
        ("from updater_server.sales import ledger", "tools/x.py", "tools"),
        ("from updater_server import sales", "tools/x.py", "tools"),
        ("from firmware.kept import config", "tools/x.py", "tools"),
        ("from firmware.sales import till", "tools/x.py", ORACLE),
        ("from hw_sim import board", "updater_server/x.py", "updater_server"),
        ("import firmware.ui.texts", "bootloader/x.py", "bootloader"),
    ],
)
def test_a_call_into_a_foreign_area_is_seen(source: str, path: str, area: str) -> None:
    assert trespasses(module(path, source), MAY_IMPORT[area])


@pytest.mark.parametrize("area", ORDER)
def test_every_file_of_an_area_has_a_room(area: str) -> None:
    homeless = [
        each.path
        for each in tree.modules().values()
        if each.path.startswith(area + "/") and tree.room_of(each.path, ORDER[area]) is None
    ]
    assert not homeless, "put them into docs/rooms.toml"


@pytest.mark.parametrize("area", ORDER)
def test_every_room_of_the_list_is_there(area: str) -> None:
    gone = [
        path
        for room in ORDER[area]
        for path in room.paths
        if not (ROOT / path).exists()
        and not (ROOT / f"{path}.py").exists()
        and path not in LISTED.coming
    ]
    assert not gone, "docs/rooms.toml names what is not there"


def test_no_room_that_is_said_to_come_is_there_already() -> None:
    assert not [path for path in LISTED.coming if (ROOT / path).exists()], "see docs/ceilings.toml"


@pytest.mark.parametrize("area", ORDER)
def test_a_room_calls_only_rooms_below_it(area: str) -> None:
    found = set(tree.upward(tree.modules(areas=(area,)), ORDER[area]))
    assert not found - set(LISTED.upward), "arrows that point up"


def test_no_arrow_is_excused_that_is_gone() -> None:
    assert not set(LISTED.upward) - set(ceilings.arrows_up()), "take them out of docs/ceilings.toml"


def _house(**files: str) -> dict[str, Module]:
    made = [module(name.replace("__", "/") + ".py", text) for name, text in files.items()]
    return {each.name: each for each in made}


LOW_AND_HIGH = [Room("a/low", ("a/low",)), Room("a/high", ("a/high", "a/one.py"))]


@pytest.mark.parametrize(
    "text",
    [
        "from a.high import b",
        "from a.high.b import thing",
        "import a.high.b",
        "from ..high import b",
        "def f():\n    from a.high import b",
        "from a import one",
    ],
)
def test_an_arrow_up_is_seen(text: str) -> None:
    house = _house(a__low__x=text, a__high__b="", a__one="")
    assert tree.upward(house, LOW_AND_HIGH)


@pytest.mark.parametrize(
    "text",
    [
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from a.high import b",
        "from a.low import y",
        '"""Nothing like `from a.high import b`."""',
    ],
)
def test_what_is_no_arrow_up_is_none(text: str) -> None:
    house = _house(a__low__x=text, a__low__y="", a__high__b="from a.low import x", a__one="")
    assert not tree.upward(house, LOW_AND_HIGH)


def test_no_files_call_each_other_in_a_circle() -> None:
    excused = {frozenset(circle) for circle in LISTED.circles}
    found = [
        circle
        for circle in tree.circles(tree.graph(tree.modules()))
        if frozenset(circle) not in excused
    ]
    assert not found


def test_no_circle_is_excused_that_is_gone() -> None:
    found = {frozenset(circle) for circle in tree.circles(tree.graph(tree.modules()))}
    assert not [circle for circle in LISTED.circles if frozenset(circle) not in found]


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        ({"a__x": "import a.y", "a__y": "from a import x"}, [["a.x", "a.y"]]),
        (
            {"a__x": "import a.y", "a__y": "def f():\n    import a.z", "a__z": "from .x import f"},
            [["a.x", "a.y", "a.z"]],
        ),
        ({"a__x": "import a.y", "a__y": "if TYPE_CHECKING:\n    import a.x"}, []),
        ({"a__x": "import a.y", "a__y": "import a.z", "a__z": ""}, []),
    ],
)
def test_a_circle_is_seen(files: dict[str, str], seen: list[list[str]]) -> None:
    assert tree.circles(tree.graph(_house(**files))) == seen


MISSING_ON_MICROPYTHON = {
    "__future__",
    "abc",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "pathlib",
    "typing",
}


def foreign(of: Module) -> set[str]:
    """Modules that MicroPython does not have and `of` imports as it is compiled for the device."""
    compiled = module(of.path, for_device(of.text) or "")
    return {name.split(".")[0] for name in tree.imported(compiled)} & MISSING_ON_MICROPYTHON


def test_device_code_uses_nothing_that_micropython_does_not_have() -> None:
    found = {each.path: foreign(each) for each in tree.modules(areas=tree.DEVICE).values()}
    assert not {path: names for path, names in found.items() if names}


@pytest.mark.parametrize(
    ("text", "bites"),
    [
        ("from typing import cast", True),
        ("import collections.abc\nimport enum", True),
        ("from __future__ import annotations", True),
        ("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Protocol", False),
    ],
)
def test_a_module_that_micropython_lacks_is_seen(text: str, bites: bool) -> None:
    assert bool(foreign(module("firmware/x.py", text))) == bites
