"""The engine's version: raised by one when a change of code changes a stored number."""

ENGINE_VERSION = 2
