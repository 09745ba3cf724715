"""A day of what terminals told as a Parquet file, with its hash beside it, for whoever looks
further back than the tables go. For the worker and the command line, which alone load DuckDB and
numpy (docs/decisions/0067-history-of-telemetry.md).

A row is one thing that a terminal told; every counter, least and bucket is a column of its own
name. The columns: docs/formats/metrics.md, "History".
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cbor2
import duckdb
import numpy as np

from updater_server.atomic import sync_folder, write_atomically
from updater_server.telemetry.metrics import COUNTERS, HISTOGRAMS, LEAST, LEDGER
from updater_server.telemetry.store import Row, Told

_AT_ONCE = 50_000  # rows turned into columns together
_HEADS = {
    "terminal": "UBIGINT",
    "kind": "UTINYINT",
    "known_s": "UINTEGER",
    "heard_s": "UINTEGER",
    "release": "UINTEGER",
    "sequence": "UINTEGER",
    "start_s": "UINTEGER",
    "length_s": "UINTEGER",
}
_ORDER = "length_s, sales_tried, sales_answered, terminal, rowid"
"""Windows of shops that sell as much are alike in most other columns, too."""
_KEPT = re.compile(r"^told-(\d{8})\.parquet$")


class Made(NamedTuple):
    """A file that was written; `size_bytes` of it."""

    path: Path
    rows: int
    size_bytes: int
    sha256: str


class _Column(NamedTuple):
    """Where a column comes from: the number of its metric, and the bucket of a histogram (-1: it is
    no histogram).
    """

    name: str
    metric: int
    bucket: int = -1


_COLUMNS = [
    *(_Column(name, one.id) for name, one in COUNTERS.items()),
    *(_Column(name, one.id) for name, one in LEAST.items()),
    *(
        _Column(f"{name}_{at}", one.id, at)
        for name, one in HISTOGRAMS.items()
        for at in range(len(one.bounds) + 1)
    ),
    *(
        _Column(f"{name}_{purpose}", one.id, at)
        for name, one in LEDGER.items()
        for at, purpose in enumerate(one.purposes)
    ),
]
_KNOWN = {one.metric for one in _COLUMNS}


def write(told: Told, day: str, folder: Path) -> Made:
    """Write `told-<day>.parquet`, and its hash as `sha256sum -c` reads it. The same rows give the
    same bytes. The hash is written last: a file without one is not done.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the day cannot be read.
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"told-{day}.parquet"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as scratch:
        made = Path(scratch, name)
        count = _convert(told, day, made, Path(scratch))
        with made.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = made.stat().st_size
        made.replace(folder / name)
    sync_folder(folder)
    write_atomically(folder / f"{name}.sha256", f"{sha256}  {name}\n".encode())
    return Made(folder / name, count, size_bytes, sha256)


def kept(folder: Path) -> list[str]:
    """The days (YYYYMMDD) of which the folder has a whole file, oldest first."""
    found = (_KEPT.match(path.name) for path in folder.glob("told-*.parquet"))
    return sorted(one[1] for one in found if one and (folder / f"{one[0]}.sha256").exists())


def write_missing(told: Told, before: str, folder: Path) -> list[Made]:
    """Write all days before `before` that are over and not in the folder yet.

    Raises:
        as `write`; the days before the one that failed are there.
    """
    there = set(kept(folder))
    return [write(told, day, folder) for day in told.days() if day < before and day not in there]


def _convert(told: Told, day: str, target: Path, scratch: Path) -> int:
    columns = {**_HEADS, **{one.name: "UINTEGER" for one in _COLUMNS}, "others": "BLOB"}
    words = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    settings: dict[str, Any] = {"threads": 1, "autoinstall_known_extensions": False}
    count = 0
    with duckdb.connect(scratch / "rows.duckdb", config=settings) as made:
        made.execute(f"CREATE TABLE told ({words})")
        for rows in _parts(told.whole_day(day)):
            part = _columns(rows)
            made.register("part", part)
            made.execute("INSERT INTO told SELECT * FROM part")
            made.unregister("part")
            count += len(rows)
        place = str(target).replace("'", "''")
        sorted_rows = f"SELECT * FROM told ORDER BY {_ORDER}"  # noqa: S608 the words are ours
        made.execute(  # and so are these: a file in our own folder, a day
            f"COPY ({sorted_rows}) TO '{place}' (FORMAT parquet, COMPRESSION zstd, "
            "COMPRESSION_LEVEL 19, PARQUET_VERSION v2, ROW_GROUP_SIZE 100000, "
            f"KV_METADATA {{day: '{day}'}})"
        )
    return count


def _parts(rows: Iterator[tuple[int, Row]]) -> Iterator[list[tuple[int, Row]]]:
    part: list[tuple[int, Row]] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _columns(rows: list[tuple[int, Row]]) -> dict[str, Any]:
    """{column: one value a row}."""
    count = len(rows)
    found: dict[str, Any] = {
        "terminal": np.array([int.from_bytes(row.terminal, "big") for _, row in rows], np.uint64),
        "kind": np.array([row.kind for _, row in rows], np.uint8),
        "known_s": np.array([known_s for known_s, _ in rows], np.uint32),
    }
    for name in list(_HEADS)[3:]:
        found[name] = np.array([getattr(row, name) for _, row in rows], np.uint32)
    counts = {column: np.zeros(count, np.uint32) for column in _COLUMNS}
    of = {(column.metric, column.bucket): counts[column] for column in _COLUMNS}
    others: Any = np.full(count, None, dtype=object)
    for at, (_, row) in enumerate(rows):
        if row.told:
            for metric, value in cbor2.loads(row.told)[4].items():
                if metric not in _KNOWN:
                    others[at] = cbor2.dumps({**_loaded(others[at]), metric: value})
                elif isinstance(value, list):
                    for bucket, part in enumerate(value):
                        of[metric, bucket][at] = part
                else:
                    of[metric, -1][at] = value
    found.update({column.name: values for column, values in counts.items()})
    found["others"] = others
    return found


def _loaded(others: bytes | None) -> dict[int, Any]:
    return cbor2.loads(others) if others else {}
