"""Every repair on the command line can be tried first, takes a reason, and waits for an outcome that takes time."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from workflows.cli.main import app

REPORTS = ("accept", "reject", "ready", "assign", "pick-up", "deliver", "fail")
"""Reports of the parties themselves: support passes them on with ``order pass-on``, which is a repair."""

READS = {
    *(f"order {name}" for name in ("show", "history", "replay", "receipt", "list", "search", "why", "timeline")),
    *("order watch", "order runs", "order ledger", "order place"),
    *("incidents list", "incidents show", "incidents approvals", "circuits list", "circuits show"),
    *("customers data", "customers erasure", "customers erasures"),
}
"""Commands that change no order, and placing one."""

RECORDED = {
    *("incidents claim", "incidents release", "incidents note", "incidents reject", "circuits open", "circuits close"),
    *("customers erase", "customers approve", "customers reject"),
}
"""Complete once they are recorded: no call follows, or a schedule goes on, as with an erasure."""


def commands() -> dict[str, Any]:
    """Return the commands that act on orders, incidents, circuits and customers, by name."""
    root: Any = typer.main.get_command(app)
    named = {"bulk": root.commands["bulk"]}
    for group in ("order", "incidents", "circuits", "customers"):
        named |= {f"{group} {name}": command for name, command in root.commands[group].commands.items()}
    return named


COMMANDS = commands()
REPAIRS = sorted(set(COMMANDS) - READS - {f"order {report}" for report in REPORTS})


def options(name: str) -> set[str]:
    return {option for parameter in COMMANDS[name].params for option in parameter.opts}


@pytest.mark.parametrize("name", REPAIRS)
def test_a_repair_has_a_dry_run_a_reason_and_json(name: str) -> None:
    """The reason is required, but for one that may be written after a plan. The text of a note is its reason."""
    assert {"--dry-run", "--json"} <= options(name), name
    [reason] = [each for each in COMMANDS[name].params if {"--reason", "text"} & set(each.opts)]
    assert reason.required or name == "bulk", name


@pytest.mark.parametrize("name", sorted(name for name in COMMANDS if "--key" in options(name)))
def test_an_empty_key_is_refused(name: str) -> None:
    """An unset variable in a script: each attempt would be another request, such as a second credit."""
    [key] = [parameter for parameter in COMMANDS[name].params if "--key" in parameter.opts]
    with pytest.raises(typer.BadParameter, match="must not be empty"):
        key.callback(None, key, "")


HEADERS = {
    **{f"order {name}": "--reason" for name in ("show", "history", "replay", "timeline", "search")},
    "customers data": "--access-reason",
    "events": "--reason",
    "order credit": "--key",
    "order place": "--key",
}
"""Commands, and their options that are sent as a header."""


@pytest.mark.parametrize("text", ["\u00fcber", "two\nlines", "x" * 300], ids=["umlaut", "lines", "long"])
@pytest.mark.parametrize("name", HEADERS)
def test_a_text_that_no_header_can_carry_is_refused_by_its_option(name: str, text: str) -> None:
    """HTTP has ASCII there. It is neither a bug nor an engine that does not answer."""
    command: Any = typer.main.get_command(app)
    for part in name.split():
        command = command.commands[part]
    [option] = [parameter for parameter in command.params if HEADERS[name] in parameter.opts]
    with pytest.raises(typer.BadParameter, match="ASCII characters"):
        option.callback(None, option, text)


@pytest.mark.parametrize("name", [*sorted(set(REPAIRS) - RECORDED), *(f"order {report}" for report in REPORTS)])
def test_an_outcome_that_may_take_time_is_waited_for(name: str) -> None:
    assert "--wait" in options(name)


def test_the_repairs_are_these() -> None:
    """A command that is missing here is in the list of reads, or is not found."""
    assert set(COMMANDS) >= READS
    assert {"order cancel", "order credit", "order pass-on", "incidents resolve", "bulk"} <= set(REPAIRS)
    assert set(REPAIRS) >= RECORDED
