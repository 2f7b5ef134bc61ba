"""Text in, domain objects or row errors out.

Nothing here reads a file, a clock or the environment: bytes and "today" are arguments.
Bad text is a value (``row_errors``), because a file has many of them; a bad argument or
a bad map is an ``InputError``, because it ends the request.
"""
