"""``expediter asl``: check definitions of state machines, and run an execution of one as AWS would."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli import asl_serve_command
from workflows.cli.failures import Exit, InvalidInput
from workflows.cli.functions import Endpoint, FindService, function_of, services_of
from workflows.cli.inputs import json_argument, pairs, read_text
from workflows.cli.options import JsonObject
from workflows.cli.terminal import data_console, print_json, say

if TYPE_CHECKING:
    from workflows.asl.reading.fields import DefinitionProblem
    from workflows.asl.run import Run

app = typer.Typer(name="asl", help="Check and run Amazon States Language definitions.", no_args_is_help=True)

Substitutions = Annotated[
    list[str] | None, typer.Option("--substitute", metavar="NAME=VALUE", help="The value of ${NAME}. Repeatable.")
]


_MACHINE_HINT = "Give a machine that the definition starts with --machine NAME=FILE."
_HINTS = {
    "Lambda.ResourceNotFoundException": "Give a function that the definition calls with "
    "--function NAME=MODULE:CALLABLE.",
    "StepFunctions.StateMachineDoesNotExistException": _MACHINE_HINT,
    "Sfn.StateMachineDoesNotExistException": _MACHINE_HINT,
}

app.command()(asl_serve_command.serve)


class MachineType(StrEnum):
    """The values of ``--type``."""

    STANDARD = "STANDARD"
    EXPRESS = "EXPRESS"


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="JSON or YAML; - reads stdin.")],
    *,
    type_: Annotated[
        MachineType,
        typer.Option("--type", help="The type of the machines. EXPRESS cannot wait for tokens or executions."),
    ] = MachineType.STANDARD,
    substitute: Substitutions = None,
    json: JsonObject = False,
) -> int:
    """List the problems of definitions by machine, state and field. Exit code 1 if there is one.

    Resources of AWS services pass; a run or a service that has neither a callable nor an endpoint for one refuses it.
    """
    values = pairs(substitute, "--substitute")
    texts = {file: read_text(file) for file in files}
    express = type_ is MachineType.EXPRESS
    found = {file: _problems(text, _machine_name(file), values, express) for file, text in texts.items()}
    if json:
        listed = {file: [asdict(problem) for problem in problems] for file, problems in found.items()}
        print_json({"ok": not any(found.values()), "files": listed})
    else:
        for file, problems in found.items():
            for problem in problems:
                print(f"{file}: {problem.what if problem.is_of_whole_text else problem}")
            if not problems:
                print(f"{file}: ok")
    return Exit.NO if any(found.values()) else Exit.OK


@app.command()
def run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The definition, JSON or YAML; - reads stdin.")],
    *,
    input_: Annotated[str, typer.Option("--input", metavar="JSON|@FILE", help="The execution's input.")] = "{}",
    function: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TARGET",
            help="A function that the definition calls by this name: MODULE:CALLABLE, or the address of a service that "
            "speaks Lambda's Invoke protocol. Repeatable.",
        ),
    ] = None,
    machine: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FILE", help="A machine that the definition starts by this name. Repeatable."),
    ] = None,
    substitute: Substitutions = None,
    endpoint: Endpoint = None,
    history: Annotated[
        bool, typer.Option("--history", help="Print the events too, as GetExecutionHistory returns them.")
    ] = False,
    json: JsonObject = False,
) -> int:
    """Run one execution to its end. Waits and retries take no time. Exit code 1 if it fails."""
    values = pairs(substitute, "--substitute")
    functions = {name: function_of(name, target) for name, target in pairs(function, "--function").items()}
    machines = {name: _substituted(read_text(path), values, path) for name, path in pairs(machine, "--machine").items()}
    ended = _run(
        _substituted(read_text(file), values, file),
        json_argument(input_, "--input"),
        functions,
        services_of(endpoint),
        machines=machines,
        file=file,
    )
    if json:
        print_json(_as_json(ended, history))
    else:
        _show(ended, history)
    return Exit.OK if ended.status == "SUCCEEDED" else Exit.NO


def _machine_name(file: str) -> str:
    return "stdin" if file == "-" else Path(file).name.split(".", maxsplit=1)[0] or file


def _problems(text: str, name: str, values: Mapping[str, str], express: bool) -> list[DefinitionProblem]:
    """Return the problems. A placeholder without a value stays in the text and is reported where it is used."""
    from workflows.asl.reading.definition import InvalidDefinition, MissingSubstitution, parse, substitute

    try:
        filled = substitute(text, values)
    except MissingSubstitution as missing:
        filled = substitute(text, {**values, **{placeholder: f"${{{placeholder}}}" for placeholder in missing.names}})
    try:
        parse(filled, name=name, express=express, can_call=lambda _: True)
    except InvalidDefinition as invalid:
        return invalid.problems
    return []


def _substituted(text: str, values: Mapping[str, str], file: str) -> str:
    from workflows.asl.reading.definition import MissingSubstitution, substitute

    try:
        return substitute(text, values)
    except MissingSubstitution as missing:
        raise InvalidInput(f"{file}: {missing}; give it with --substitute {missing.names[0]}=VALUE") from None


def _run(
    text: str,
    input_: Any,
    functions: Mapping[str, Callable[..., Any]],
    services: FindService,
    *,
    machines: Mapping[str, str],
    file: str,
) -> Run:
    from workflows.asl.reading.definition import InvalidDefinition
    from workflows.asl.run import NothingMoves
    from workflows.asl.run import run as run_execution

    try:
        return run_execution(text, input_, functions, services=services, machines=machines, name=_machine_name(file))
    except InvalidDefinition as invalid:
        others = len(invalid.problems) - 1
        more = f" (and {others} more; see expediter asl check {shlex.quote(file)})" if others else ""
        raise InvalidInput(f"{invalid.problems[0]}{more}") from None
    except NothingMoves as stuck:
        raise InvalidInput(f"{file}: {stuck}") from None


def _as_json(ended: Run, history: bool) -> dict[str, Any]:
    found = {"status": ended.status, "output": ended.output, "error": ended.error, "cause": ended.cause}
    return {**found, "events": [_event(event) for event in ended.events]} if history else found


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    return {**event, "timestamp": event["timestamp"].isoformat()}


def _show(ended: Run, history: bool) -> None:
    """Print the output on stdout, so that it can be piped, and the status on stderr."""
    if history:
        console = data_console()
        for event in ended.events:
            details: Mapping[str, Any] = next((event[key] for key in event if key.endswith("EventDetails")), {})
            what = details.get("name") or details.get("error") or details.get("resource") or ""
            console.print(f"{event['id']:>5}  {event['timestamp']:%H:%M:%S.%f}  {event['type']:<28} {what}")
    if ended.status == "SUCCEEDED":
        print_json(ended.output)
    why = f": {ended.error}: {ended.cause}" if ended.error else ""
    say(f"{ended.status}{why}")
    hint = _HINTS.get(ended.error or "")
    if hint is not None:
        say(hint)
