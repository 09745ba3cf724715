"""The technician's log: who did what to which terminal, with what result. One JSON file by TinyDB.

For the technician's command line; `tech sync` sends it to the server later.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinydb import TinyDB, where

from tools.technician.console_link import plain


@dataclass
class Job:
    """One job on one port; what it learns is filled in as it goes."""

    job: str
    port: str
    uid: str = ""
    terminal: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class JobLog:
    """The log in `file`, made if it is not there. May be used from several threads."""

    def __init__(self, file: Path, who: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._who = who
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def job(self, job: str, port: str) -> Iterator[Job]:
        """Note a job when it ends, well or not; what it raises goes on."""
        work = Job(job, port)
        result = "ok"
        started = time.monotonic()
        try:
            yield work
        except BaseException as error:
            result = plain(error)
            raise
        finally:
            entry = {
                "id": secrets.token_hex(12),
                "at": int(time.time()),
                "who": self._who,
                "job": work.job,
                "port": work.port,
                "uid": work.uid,
                "terminal": work.terminal,
                "result": result,
                "seconds": round(time.monotonic() - started, 1),
                "details": work.details,
                "synced": False,
            }
            with self._open() as table:
                table.insert(entry)

    def history(self, terminal: str = "") -> list[dict[str, Any]]:
        """All jobs, oldest first; with `terminal` only those of that id or chip."""
        with self._open() as table:
            entries = [dict(entry) for entry in table.all()]
        return [e for e in entries if terminal in ("", e["terminal"], e["uid"])]

    def last_export(self, terminal: str) -> dict[str, Any] | None:
        """Details of the newest journal export of that terminal: `file`, `tip`."""
        for entry in reversed(self.history(terminal)):
            if entry["job"] == "logs" and entry["result"] == "ok":
                return dict(entry["details"])
        return None

    def unsynced(self) -> list[dict[str, Any]]:
        """Jobs the server has not been told."""
        return [entry for entry in self.history() if not entry["synced"]]

    def mark_synced(self, ids: list[str]) -> None:
        """The server has these."""
        with self._open() as table:
            table.update({"synced": True}, where("id").one_of(ids))

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        with self._lock, TinyDB(self._file, indent=1) as database:
            yield database.table("jobs")
