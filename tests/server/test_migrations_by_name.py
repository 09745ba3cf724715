"""`check_schema` goes by the names of the migrations' files: they must say what alembic knows."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory

from updater_server.store import engine


def test_a_migrations_file_is_named_by_its_revision_and_the_last_is_the_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(engine._MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    names = sorted(
        file.name.partition("_")[0] for file in engine._MIGRATIONS.glob("versions/[0-9]*.py")
    )
    assert names == sorted(each.revision for each in script.walk_revisions())
    assert names[-1] == script.get_current_head()
