"""A past that is made once and kept: ten million sales take most of an hour to make, and both
engines are measured on the same ones.

    python -m tests.measure.sales --past 10000000 --kept build/past
    python -m tests.measure.sales_on_postgresql --past 10000000 --kept build/past

What is kept is a server's folder and where each terminal stands. It is never measured itself, only
copies of it are; it goes stale when the tables change (the server then says so), and is deleted by
hand.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cbor2

from tests.measure.load import fill, make_folder
from tests.measure.past import Life
from tests.server.test_server_process import Process

_LIVES = "lives.cbor"


def make_past(
    folder: Path, repository: Path, terminals: int, past: int, on: int, free: int, kept: Path | None
) -> tuple[Process, list[Life]]:
    """A server's folder with that past (`live_through`), not started, and where its terminals
    stand; from `kept` where it was made before, and into it where it was not.
    """
    if kept is None:
        server = make_folder(folder, repository, terminals)
        return server, fill(server, past, on, free)
    source = kept / f"{past}-{on}-{free}-of-{terminals}"
    if not (source / _LIVES).is_file():
        shutil.rmtree(source, ignore_errors=True)
        source.parent.mkdir(parents=True, exist_ok=True)
        lives = fill(make_folder(source, repository, terminals), past, on, free)
        (source / _LIVES).write_bytes(cbor2.dumps([vars(life) for life in lives]))
    shutil.copytree(source, folder)
    lives = [Life(**life) for life in cbor2.loads((folder / _LIVES).read_bytes())]
    return Process(folder), lives
