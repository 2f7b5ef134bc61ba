"""``python -m riskmark``: the command line, where it is not on the path."""

from riskmark.cli.main import run

run()
