"""Runs the migrations, on the connection and in the transaction of `indexer.store.schema.migrate`."""

from alembic import context

from indexer.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=False,
    transactional_ddl=True,
)
context.run_migrations()
