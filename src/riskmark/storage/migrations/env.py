"""How Alembic runs: on the connection that ``storage.migrate`` hands over, never its own."""

from alembic import context

from riskmark.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction holds the whole migration
)
context.run_migrations()
