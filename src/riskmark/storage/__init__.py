"""SQLite and PostgreSQL behind one schema; functions take a connection and never commit."""
