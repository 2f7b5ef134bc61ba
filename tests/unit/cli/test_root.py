import pytest
from typer.main import get_command
from typer.testing import CliRunner

import riskmark
from riskmark.cli.group import global_options_first
from riskmark.cli.main import app


def call(*words):
    return CliRunner().invoke(app, list(words))


def commands(group=None, path=()):
    """Yield the words of every command."""
    group = group or get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def test_every_command_of_the_interface_is_there():
    expected = {
        "demo", "init", "portfolio import", "portfolio list", "portfolio show",
        "portfolio export", "portfolio delete", "portfolio lot list", "portfolio lot add",
        "portfolio lot edit", "portfolio lot close", "portfolio lot delete",
        "portfolio flow list", "portfolio flow add", "portfolio flow delete", "prices import",
        "prices gaps", "prices fetch", "prices quality", "prices release", "providers status",
        "symbols list", "symbols show", "symbols import",
        "symbols alias", "symbols accept", "symbols value", "factors import",
        "benchmarks import", "plan", "run", "status",
        "runs list", "runs show", "runs watch", "runs cancel", "show", "history", "verify",
        "backup", "config show", "worker", "serve", "user add", "user list",
        "user disable", "token create", "token list", "token revoke",
    }  # fmt: skip

    assert expected <= {" ".join(words) for words in commands()}


@pytest.mark.parametrize("words", [(), *commands()], ids=" ".join)
def test_every_command_has_help_of_at_most_100_columns(words):
    done = call(*words, "--help")

    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_version_is_shown():
    assert call("--version").stdout == f"riskmark {riskmark.__version__}\n"


@pytest.mark.parametrize(
    "words", [("frobnicate",), ("status", "--frob"), ("show",), ("portfolio", "lot", "add", "P")]
)
def test_a_wrong_command_line_ends_with_2(words):
    done = call(*words)

    assert (done.exit_code, done.stdout) == (2, "")


def test_global_options_may_stand_anywhere():
    words = ["status", "--database", "x", "--json", "-v", "--config=c.toml"]

    assert global_options_first(words) == [
        "--database", "x", "-v", "--config=c.toml", "status", "--json",
    ]  # fmt: skip


def test_global_options_after_two_dashes_are_arguments():
    words = ["portfolio", "flow", "add", "--", "--database", "2026-01-05", "-5"]

    assert global_options_first(words) == words
