"""Alembic's folder: one file a migration, never changed once released."""
