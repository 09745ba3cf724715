"""What a command had open when it ended is closed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from updater_server.store.engine import open_engine, reading


def idle(engine: Engine) -> int:
    """Connections that its pool holds open."""
    held: int = engine.pool.checkedin()  # type: ignore[attr-defined]
    return held


def test_a_command_leaves_no_connection_and_takes_nobody_elses(tmp_path: Path) -> None:
    app, engines = typer.Typer(), [open_engine(tmp_path / "the tests.db")]

    @app.command()
    def look() -> None:
        engines.append(open_engine(tmp_path / "the commands.db"))
        for engine in engines:
            with reading(engine):
                pass

    assert CliRunner().invoke(app, []).exit_code == 0
    assert [idle(engine) for engine in engines] == [1, 0]
    engines[0].dispose()
