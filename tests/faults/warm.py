"""What a worker imports, imported once by the server that forks them."""

import sqlite3  # noqa: F401

import psycopg  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401

import riskmark.app
import riskmark.engine.worker  # noqa: F401
