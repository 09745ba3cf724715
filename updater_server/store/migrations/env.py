"""Alembic's entry: migrations run on the connection that `store.engine.migrate`
hands over.
"""

from alembic import context

from updater_server.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can; all migrations are one transaction of `migrate`,
)
context.run_migrations()
