"""A day's sales as a Parquet file, for whoever analyses them. For the command line and the worker,
which alone load DuckDB (docs/decisions/0060-reconciliation.md).
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import duckdb
from sqlalchemy import Connection

from updater_server.atomic import write_atomically
from updater_server.errors import InputError
from updater_server.matching import day_rows
from updater_server.matching.page import Run

_TYPES = {
    **dict.fromkeys(day_rows.Row._fields, "VARCHAR"),
    **dict.fromkeys(("id", "posted_at", "sequence", "sold_at"), "BIGINT"),
    **dict.fromkeys(("face_minor", "commission_minor", "float_minor"), "BIGINT"),
}


class Made(NamedTuple):
    """A file that was written."""

    path: Path
    rows: int
    sha256: str


def write(connection: Connection, run: Run, folder: Path) -> Made:
    """Write `<day>-<round>.parquet` and, beside it, its hash as `sha256sum -c` reads it. The digest
    of the rows, which the signed page names, is in the file's own metadata. The same run gives the
    same bytes.

    Raises:
        InputError: the folder cannot be written.
    """
    name = f"{run.day}-{run.round}.parquet"
    with tempfile.TemporaryDirectory(prefix="duka-export-") as scratch:
        source, target = Path(scratch, "rows.json"), Path(scratch, name)
        rows = 0
        with source.open("w", encoding="utf-8") as file:
            for rows, row in enumerate(day_rows.every(connection, run), 1):  # noqa: B007
                file.write(json.dumps(row._asdict(), ensure_ascii=False) + "\n")
        _convert(source, target, day_rows.digest(connection, run).sha256, run.day)
        data = target.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        write_atomically(folder / name, data)
        write_atomically(folder / f"{name}.sha256", f"{sha256}  {name}\n".encode())
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}") from error
    return Made(folder / name, rows, sha256)


def _convert(source: Path, target: Path, rows_sha256: str, day: str) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _TYPES.items())
    with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as made:
        made.execute(  # the words are ours: names of columns, a day, a digest, our own folder
            "COPY (SELECT * FROM read_json($source, format = 'newline_delimited', "  # noqa: S608
            f"columns = {{{columns}}})) "
            f"TO '{target}' (FORMAT parquet, COMPRESSION zstd, KV_METADATA "
            f"{{day: '{day}', rows_sha256: '{rows_sha256}'}})",
            {"source": str(source)},
        )
