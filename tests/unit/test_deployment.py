"""What is written for operators: the commands, options and settings in it are those that exist."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer

from riskmark.cli.main import app
from riskmark.settings import load_settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "production.md"
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "docker" / "compose.yaml"
DRAIN_S = 10
"""Within which a process that is told to stop gives its runs back and ends."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(riskmark [^`]*)`")


def problem_of(words):
    """Return what of a command's words does not exist; None if all does."""
    command = typer.main.get_command(app)
    known = options_of(command)
    words = list(words)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            name, _, value = word.partition("=")
            if name not in known:
                return f"{name} is no option of {command.name}"
            if known[name] and not value:
                words = words[1:]
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return f"{word} is no command"
            command = command.commands[word]
            known = {"--help": False} | options_of(command)
    return None


def options_of(command):
    """Return the options of a command, and whether each wants a value."""
    return {
        name: not (one.is_flag or one.count)
        for one in command.params
        if one.param_type_name == "option"
        for name in (*one.opts, *one.secondary_opts)
    }


def commands_of_page():
    """Return the words of every call of riskmark on the page."""
    text = PAGE.read_text(encoding="utf-8")
    found = [shlex.split(call)[1:] for call in _INLINE.findall(_BLOCK.sub("", text))]
    for kind, body in _BLOCK.findall(text):
        if kind in {"console", "sh"}:
            for line in body.replace("\\\n", " ").splitlines():
                said = line.removeprefix("$ ") if kind == "console" else line
                if kind == "console" and not line.startswith("$ "):
                    continue
                found += [calls for call in re.split(r"&&|\|\||;|\|", said)
                          if (calls := _call(call)) is not None]  # fmt: skip
    return found


def _call(text):
    words = shlex.split(text, comments=True)
    calls = [place for place, word in enumerate(words) if Path(word).name == "riskmark"]
    # The service's user has the program's name, and stands before it.
    return words[calls[-1] + 1 :] if calls else None


@pytest.mark.parametrize("words", commands_of_page(), ids=" ".join)
def test_a_command_of_the_page_exists_with_its_options(words):
    assert problem_of(words) is None


def test_a_command_that_does_not_exist_would_be_found():
    assert problem_of(["run", "--sometimes"]) == "--sometimes is no option of run"
    assert problem_of(["runs", "loose"]) == "loose is no command"
    assert problem_of(["--config", "x.toml", "runs", "show", "ID", "--json"]) is None
    assert len(commands_of_page()) > 20


def test_settings_on_the_page_are_settings(tmp_path):
    blocks = [body for kind, body in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
              if kind == "toml"]  # fmt: skip

    for place, body in enumerate(blocks):
        tomllib.loads(body)
        path = tmp_path / f"{place}.toml"
        path.write_text(body, encoding="utf-8")
        load_settings(path, {})

    assert blocks


def test_the_operators_commands_the_units_and_cron_have_one_user_and_one_database(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    blocks = _BLOCK.findall(text)
    (said,) = [body for kind, body in blocks if kind == "bash"]
    (settings,) = [body for kind, body in blocks if kind == "toml" and "database_url" in body]
    (tmp_path / "riskmark.toml").write_text(settings, encoding="utf-8")

    calls = re.findall(r"sudo .*?/opt/riskmark/bin/riskmark (?!\.)[^\n`]*", text)
    config = set(re.findall(r"--config (\S+)|RISKMARK_CONFIG=(\S+?)`", text))
    url = load_settings(tmp_path / "riskmark.toml", {}).settings.database_url

    assert {one or other for one, other in config} == {"/etc/riskmark/riskmark.toml"}
    assert calls
    assert all(
        call.startswith("sudo -u riskmark /opt/riskmark/bin/riskmark --config ") for call in calls
    )
    assert "sudo -u riskmark /opt/riskmark/bin/riskmark --config" in said
    assert url == "sqlite:////var/lib/riskmark/riskmark.db"
    for unit in UNITS:
        lines = unit.read_text(encoding="utf-8").splitlines()
        assert "User=riskmark" in lines
        assert "Environment=RISKMARK_CONFIG=/etc/riskmark/riskmark.toml" in lines
        assert "StateDirectory=riskmark" in lines
        assert not any(
            "RISKMARK_DATABASE_URL" in line for line in lines
        )  # it would win over the file


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_exists_and_waits_for_its_end(unit):
    lines = [line.partition("=") for line in unit.read_text(encoding="utf-8").splitlines()]
    settings = {name: value for name, _, value in lines}

    program, *words = shlex.split(settings["ExecStart"])

    assert Path(program).name == "riskmark"
    assert problem_of(words) is None
    assert settings["KillSignal"] == "SIGTERM"
    assert int(settings["TimeoutStopSec"]) > DRAIN_S
    assert settings["Restart"] == "always"
    assert settings["NoNewPrivileges"] == settings["PrivateTmp"] == "yes"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_understands_every_line_of_a_unit(unit, tmp_path):
    # The program and its user are not here.
    text = re.sub(r"(?m)^ExecStart=.*", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"))
    copy = tmp_path / unit.name.replace("@", "@1")
    copy.write_text(re.sub(r"(?m)^(User|Group)=.*\n", "", text), encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )

    assert [line for line in done.stderr.splitlines() if unit.name.partition("@")[0] in line] == []


def compose():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


def test_the_services_call_commands_that_exist_and_have_no_more_rights_than_they_need():
    services = compose()["services"]

    own = {name: one for name, one in services.items() if name != "postgres"}

    assert set(own) == {"migrate", "worker", "scheduler", "serve"}
    for one in own.values():
        assert problem_of(one["command"]) is None
        assert one["read_only"]
        assert one["user"] != "0:0"
        assert one["cap_drop"] == ["ALL"]
        assert int(one["stop_grace_period"].removesuffix("s")) > DRAIN_S
        assert load_settings(
            None, {k: v for k, v in one["environment"].items() if k != "RISKMARK_CONFIG"}
        )


def test_metrics_of_containers_are_open_to_their_network_and_to_nothing_else():
    services = compose()["services"]

    for name in ("worker", "scheduler", "serve"):
        words = services[name]["command"]
        assert words[words.index("--metrics-host") + 1] == "0.0.0.0"  # noqa: S104 - see the name
    assert not any("ports" in one for one in services.values())


def test_what_the_image_copies_is_not_ignored_and_everything_else_is():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        word
        for line in DOCKERFILE.read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY dist/")
        for word in line.split()[1:-1]
    ]

    rules = [line for line in lines if not line.startswith("#")]

    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules[1:]} == {
        word.replace("constraints*", "constraints") for word in copied
    }


def test_no_secret_stands_in_the_compose_file():
    found = compose()

    assert "PASSWORD:" not in COMPOSE.read_text(encoding="utf-8")
    assert set(found["secrets"]) == {"pgpass", "postgres_password"}
    assert all(list(one) == ["file"] for one in found["secrets"].values())


def test_the_image_starts_a_command_that_exists_as_nobody_special():
    lines = DOCKERFILE.read_text(encoding="utf-8").splitlines()

    words = next(json.loads(one.removeprefix("CMD ")) for one in lines if one.startswith("CMD "))

    assert problem_of(words) is None
    assert 'ENTRYPOINT ["riskmark"]' in lines
    assert "USER 10001:10001" in lines
    assert any(one.startswith("COPY dist/riskmark-") for one in lines)
