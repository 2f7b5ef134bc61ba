"""Inputs and sessions to numbers: reads the database, never writes it."""
