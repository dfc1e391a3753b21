"""Start-up time: a command that shows an order must not import an engine, a validator or an SDK."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from workflows.cli.logins import Login, save
from workflows.cli.main import parser_of

_PROGRAM = """
import sys
from workflows.cli.main import run
code = run({arguments!r})
heavy = {{"boto3", "botocore", "re2", "uvicorn", "apsw", "aws_lambda_powertools"}}
print(code, sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
_ORDER = "ord_" + "a" * 26


def _last_line(arguments: list[str], environment: dict[str, str]) -> str:
    program = _PROGRAM.format(arguments=arguments)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    return ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["order", "--help"], ["demo", "--help"], ["asl", "run", "--help"], ["login", "--help"]]
)
def test_help_imports_no_heavy_module(arguments: list[str]) -> None:
    """Help is used often, so it must be fast."""
    assert _last_line(arguments, {}) == "0 []"


def test_showing_an_order_imports_no_heavy_module(expediter: Any, running: Any) -> None:
    """A client needs only HTTP and JSON."""
    order_id = expediter("order", "place", "--example", "--data", running.data).out.strip()
    token = expediter("token", "--role", "customer", "--id", "cus_1", "--data", running.data).out.strip()
    environment = {"EXPEDITER_TOKEN": token, "EXPEDITER_URL": running.url}
    assert _last_line(["order", "show", order_id], environment) == "0 []"


def test_a_valid_login_imports_no_sdk(running: Any, expediter: Any, tmp_path: Path) -> None:
    """Only an expired token needs Cognito, and therefore boto3."""
    order_id = expediter("order", "place", "--example", "--data", running.data).out.strip()
    token = expediter("token", "--role", "customer", "--id", "cus_1", "--data", running.data).out.strip()
    login = Login(
        url=running.url, region="eu-west-1", client_id="c", username="ida",
        access_token=token, refresh_token="r", expires_at=time.time() + 3600,
    )  # fmt: skip
    save(login)
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "EXPEDITER_URL": running.url}
    assert _last_line(["order", "show", order_id], environment) == "0 []"


def test_parsing_options_imports_no_validator() -> None:
    """It would cost 0.1 s on every command."""
    program = (
        "import sys; from workflows.cli.main import run; run(['order', '--help']); print('pydantic' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.splitlines()[-1] == "False"


def test_a_command_builds_the_parser_of_no_other() -> None:
    """All parsers together take as long as Python's start."""
    names = list(parser_of("").commands)
    assert {name: list(parser_of(name).commands) for name in names} == {name: [name] for name in names}


@pytest.mark.parametrize("group", [[], ["audit"], ["failed-batches"], ["order"], ["asl"]])
def test_a_group_without_a_command_shows_its_help(expediter: Any, group: list[str]) -> None:
    """The help is on stderr, because no command ran."""
    result = expediter(*group)
    assert (result.code, result.out) == (2, "")
    assert result.err == expediter(*group, "--help").out


def test_help_names_the_exit_codes(expediter: Any) -> None:
    """Scripts rely on them."""
    result = expediter("--help")
    assert result.code == 0
    for code in ("0    done", "1    refused", "2    an option", "3    no engine", "4    no token"):
        assert code in result.out


def test_the_version_is_that_of_the_package(expediter: Any) -> None:
    """Bug reports start with the version."""
    assert expediter("--version").out == f"expediter {version('expediter')}\n"


@pytest.mark.parametrize("group", [[], ["order"], ["incidents"], ["circuits"], ["audit"], ["failed-batches"], ["asl"]])
def test_wide_help_shows_whole_summaries(expediter: Any, group: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A summary cut by dots would need a second look-up."""
    monkeypatch.setenv("COLUMNS", "160")
    assert "..." not in expediter(*group, "--help").out.partition("Commands:")[2]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(shell: str) -> None:
    """The shell's script calls the command for its completions."""
    environment = {
        "_EXPEDITER_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "expediter order acc",
        "COMP_CWORD": "2",
        "_TYPER_COMPLETE_ARGS": "expediter order acc",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "workflows.cli"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert "accept" in ended.stdout


def test_a_bug_keeps_its_traceback_and_has_its_own_code(expediter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug must not look like bad input."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("workflows.cli.order_commands.print_json", broken)
    result = expediter("order", "place", "--show-example")
    assert result.code == 70
    assert "Traceback" in result.err
    assert "this is a bug in Expediter" in result.err
