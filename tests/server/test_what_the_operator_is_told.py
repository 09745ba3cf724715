"""What the command line says to an operator who is stuck leads on."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from psycopg import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import OperationalError as Wrapped

from tests.server.test_server_process import Process
from updater_server.cli.shared import refusals
from updater_server.fleet.alarms import raise_alarm
from updater_server.service import Service
from updater_server.store.engine import writing

TEXT = "restored from a back-up: 8 terminals must tell again what they did (`restored status`)"


@pytest.mark.parametrize(
    ("error", "leads_to"),
    [
        (errors.InsufficientPrivilege("must be owner of schema duka"), "--owner"),
        (errors.OperationalError("connection failed: no password supplied"), "URL and password"),
        (errors.OperationalError("disk full"), "run `check`"),
    ],
)
def test_a_refusal_of_the_database_says_what_to_do(
    error: errors.Error, leads_to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = DBAPIError.instance("SELECT 1", None, error, errors.Error)
    wrapped = kept if isinstance(kept, DBAPIError) else Wrapped("SELECT 1", None, error)
    with pytest.raises(typer.Exit), refusals():
        raise wrapped
    said = capsys.readouterr().err
    assert str(error) in said
    assert leads_to in said


def test_a_list_of_alarms_leaves_nothing_out_in_a_narrow_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    server = Process(tmp_path / "data")
    server.quick("init")
    service = Service.open(server.folder)
    with writing(service.engine) as connection:
        raise_alarm(connection, None, "database_restored", TEXT, service.now())
    service.engine.dispose()
    shown = server.quick("alarm", "list").output
    rows = [line.split("│")[1:-1] for line in shown.splitlines() if line.startswith("│")]
    assert "".join(row[1].strip() for row in rows) == "database_restored"
    assert "".join("".join(row[7] for row in rows).split()) == "".join(TEXT.split())
