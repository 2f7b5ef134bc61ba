"""The command line: parse, call, show.

Every command imports what it needs when it is called, so that ``--help`` and ``status``
start quickly. JSON goes to standard output alone; progress, notes and errors go to
standard error.
"""
