"""Stored results as frozen dataclasses: what the command line, API and pages all show.

Nothing here computes a number that is stored; what a report adds is selection, order and
the reasons beside the nulls. ``document()`` of a report is its JSON, as the interface has it.
"""
