"""Who may call whom inside `updater_server`: every arrow points down, no two files call each other
in a circle, and each folder says what lives in it.
"""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from updater_server.store import sqlite

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "updater_server"
BELOW: dict[str, set[str]] = {
    "errors": set(),
    "atomic": {"errors"},
    "toml_file": {"errors"},
    "words": set(),
    "quiet_log": set(),
    "wire": {"errors"},
    "channels": {"errors", "atomic", "wire"},
    "store": {"errors"},
    "server_key": {"errors"},
    "wrapped": {"errors", "atomic", "store", "server_key"},
    "fleet": {"errors", "wire", "store", "server_key", "channels"},
    "sales": {"errors", "wire", "store", "server_key", "channels", "fleet"},
}
"""For each room, all that it may call besides itself."""
BELOW["parties"] = BELOW["sales"] | {"sales"}
BELOW["views"] = BELOW["parties"] | {"parties"}
BELOW["verdict"] = {"channels", "wire"}
BELOW["telemetry"] = {"wire", "store", "atomic", "errors", "toml_file"}
BELOW["service"] = BELOW["sales"] | {"sales", "telemetry", "wrapped"}
BELOW["matching"] = BELOW["service"] | {"service", "parties", "atomic"}
BELOW["notices"] = BELOW["service"] | {"service", "parties", "toml_file"}
BELOW["waves"] = BELOW["service"] | {"service", "renewal", "verdict"}
BELOW["lookout"] = BELOW["service"] | {"service", "parties"}
BELOW["startup"] = BELOW["renewal"] = BELOW["service"] | {"service", "atomic"}
BELOW["halting"] = BELOW["renewal"] | {"renewal"}
BELOW["lookout"] |= {"halting"}
BELOW["waves"] |= {"halting"}
BELOW["backup"] = BELOW["startup"] | {"startup"}
BELOW["artefacts"] = {"errors", "atomic"}
BELOW["resealing"] = BELOW["service"] | {"service", "parties"}
BELOW["moving"] = BELOW["startup"] | {"startup"}
BELOW["sandbox"] = BELOW["startup"] | {"startup", "parties"}
BELOW["faces"] = BELOW["startup"] | {"startup", "renewal", "words", "parties", "notices"}
BELOW["robots"] = BELOW["lookout"] | {"lookout", "telemetry", "atomic", "notices", "toml_file"}
BELOW["faces"] |= {"lookout", "halting", "matching", "views", "sandbox"}
BELOW["cli"] = BELOW["faces"] | {"backup", "faces", "quiet_log", "waves", "verdict"}
BELOW["sms"] = BELOW["faces"] | {"faces", "toml_file"}
BELOW["cli"] |= {"moving", "artefacts", "robots", "sms", "resealing"}
BELOW["__main__"] = {"cli"}


def modules() -> dict[str, Path]:
    """{dotted name: file}; a folder goes by its own name."""
    found = {}
    for file in SERVER.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def called(source: str, known: set[str]) -> set[str]:
    """The modules of `known` that a module with this text imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in known else node.module for name in whole}
    return names & known


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def upward(module: str, calls: set[str]) -> set[str]:
    mine = room(module)
    return {other for other in calls if room(other) not in BELOW[mine] | {mine}}


def test_no_room_calls_one_above_it() -> None:
    known = modules()
    assert {room(module) for module in known} - {""} == set(BELOW)
    found = {
        module: wrong
        for module, file in known.items()
        if room(module)
        and (wrong := upward(module, called(file.read_text(encoding="utf-8"), set(known))))
    }
    assert not found


def test_no_file_is_called_by_one_that_it_calls() -> None:
    known = modules()
    graph = {
        module: called(file.read_text(encoding="utf-8"), set(known)) - {module}
        for module, file in known.items()
    }
    TopologicalSorter(graph).prepare()


def test_transactions_are_begun_where_the_books_are_looked_for() -> None:
    """`reading` and `writing` take the lock, and see that the books have not moved: what connects
    on its own does neither.
    """
    own = {"store", "telemetry/store.py"}
    past = [
        where
        for file in modules().values()
        if (where := file.relative_to(SERVER).as_posix())
        and not own & {where, where.split("/")[0]}
        and re.search(r"engine\.(connect|begin)\(", file.read_text(encoding="utf-8"))
    ]
    assert past == []


def test_every_folder_says_what_lives_there() -> None:
    folders = {file.parent for file in SERVER.rglob("*.py")}
    for folder in folders:
        first = folder / "__init__.py"
        assert first.exists(), folder
        assert ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))), folder


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("updater_server.fleet.terminals", "from updater_server.sales import ledger"),
        ("updater_server.wire.cbor", "def f():\n    from updater_server.store import tables"),
        ("updater_server.sales.vault", "import updater_server.faces.app"),
        ("updater_server.channels.audit", "from updater_server.service import Service"),
    ],
)
def test_an_arrow_upward_would_be_noticed(module: str, source: str) -> None:
    assert upward(module, called(source, set(modules())))


def test_a_circle_would_be_noticed() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"c"}, "c": {"a"}}).prepare()


def test_who_goes_past_that_on_sqlite_has_a_transaction_all_the_same(tmp_path: Path) -> None:
    engine = sqlite.open_engine(tmp_path / "books.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (one INTEGER)")
    with pytest.raises(KeyError), engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
        raise KeyError
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM kept").scalar() == 0
    engine.dispose()
