"""Reads ``template.yaml`` (AWS SAM): the functions and state machines that the embedded engine runs.

Stands for AWS CloudFormation. It resolves (``!Ref``, ``!GetAtt``, ``!Sub`` and parameters) only what functions and
state machines need, so the template may hold tables, queues and roles, which have no meaning in one process; a variable
that names one has its logical id as its value. A value that cannot be resolved is an error that names resource and
field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.embedded.intrinsics import (
    FUNCTION,
    MACHINE,
    ParameterMissing,
    ParameterUnknown,
    TemplateDocument,
    TemplateInvalid,
)

__all__ = [
    "ApiRoute",
    "Function",
    "MachineResource",
    "ParameterMissing",
    "ParameterUnknown",
    "Schedule",
    "Template",
    "TemplateInvalid",
    "read_template",
]

_ROUTE, _SCHEDULE = "HttpApi", "ScheduleV2"
_FED_BY_THE_ENGINE: Mapping[str, tuple[str, frozenset[str]]] = {
    "DynamoDB": ("Stream", frozenset({"EventsStream"})),
    "SQS": ("Queue", frozenset({"WebhooksQueue", "ExecutionFaultsQueue"})),
}
"""Event sources that the engine stands for by itself, by type: the property that names the source, and the parameter
with the log's stream, or the logical ids of the queues of events."""

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoute:
    """An HttpApi event: ``POST /orders/{order_id}/cancel``. ``open`` routes need no token."""

    method: str
    path: str
    open: bool

    @property
    def key(self) -> str:
        """API Gateway's route key: ``POST /orders``."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A ScheduleV2 event: the function is invoked with ``event`` every ``every_s`` seconds."""

    every_s: int
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function. ``handler`` is ``package.module.callable``."""

    logical_id: str
    handler: str
    timeout_s: int
    memory_mb: int
    environment: Mapping[str, str]
    routes: tuple[ApiRoute, ...]
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineResource:
    """A state machine. ``definition`` is the text of its file, ``substitutions`` the values of its ``${...}``."""

    logical_id: str
    express: bool
    definition_path: Path
    definition: str
    substitutions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The functions and state machines that the embedded engine runs, by logical id."""

    path: Path
    functions: Mapping[str, Function]
    machines: Mapping[str, MachineResource]


def read_template(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """Read a template with these parameter values. Raises TemplateInvalid or ParameterUnknown.

    A function with a condition needs a service that only AWS has, and is left out.
    """
    document = TemplateDocument(path, parameters or {})
    functions = {
        name: _function(document, name) for name in document.named(FUNCTION) if not document.is_conditional(name)
    }
    machines = {name: _machine(document, name) for name in document.named(MACHINE)}
    return Template(path=path, functions=functions, machines=machines)


def _function(document: TemplateDocument, name: str) -> Function:
    own = document.properties(name)
    shared = document.mapping(document.section("Globals").get("Function"), "Globals.Function")
    merged = {**shared, **own}
    events = document.mapping(merged.get("Events"), "Events")
    _check_event_sources(document, events)
    return Function(
        logical_id=name,
        handler=_handler(document, merged),
        timeout_s=document.number(merged.get("Timeout", 3), "Timeout"),  # 3 s and 128 MB: Lambda's own defaults
        memory_mb=document.number(merged.get("MemorySize", 128), "MemorySize"),
        environment={**_environment(document, shared), **_environment(document, own)},
        routes=_routes(document, events),
        schedules=_schedules(document, events),
    )


def _handler(document: TemplateDocument, properties: Mapping[str, Any]) -> str:
    handler = document.text(properties.get("Handler"), "Handler")
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", handler):
        raise document.invalid("Handler", f"{handler!r} is not package.module.callable")
    return handler


def _environment(document: TemplateDocument, properties: Mapping[str, Any]) -> dict[str, str]:
    environment = document.mapping(properties.get("Environment"), "Environment")
    variables = document.mapping(environment.get("Variables"), "Environment.Variables")
    resolved = {}
    for name, value in variables.items():
        # A parameter that only AWS needs has no default; without a value, the variable is left out here.
        with suppress(ParameterMissing):
            resolved[name] = document.text(value, f"Environment.Variables.{name}")
    return resolved


def _check_event_sources(document: TemplateDocument, events: Mapping[str, Any]) -> None:
    """Check that the engine has every event source, so that none is ignored."""
    known = (_ROUTE, _SCHEDULE, *_FED_BY_THE_ENGINE)
    for name, event in events.items():
        kind = document.text(document.mapping(event, f"Events.{name}").get("Type"), f"Events.{name}.Type")
        if kind not in known:
            raise document.invalid(f"Events.{name}.Type", f"{kind!r} is not one of {', '.join(known)}")
        if kind in _FED_BY_THE_ENGINE:
            _check_fed(document, f"Events.{name}", event, *_FED_BY_THE_ENGINE[kind])


def _check_fed(
    document: TemplateDocument, field: str, event: Mapping[str, Any], source: str, known: frozenset[str]
) -> None:
    """Check that the engine feeds a function from this stream or queue: from another one no event would ever come."""
    match document.mapping(event.get("Properties"), f"{field}.Properties").get(source):
        case {"Fn::GetAtt": [str(name), _]} | {"Ref": str(name)} if name in known:
            return
    names = ", ".join(sorted(known))
    raise document.invalid(f"{field}.{source}", f"the embedded engine has no such source; it has: {names}")


def _routes(document: TemplateDocument, events: Mapping[str, Any]) -> tuple[ApiRoute, ...]:
    return tuple(_route(document, field, properties) for field, properties in _events(events, _ROUTE))


def _schedules(document: TemplateDocument, events: Mapping[str, Any]) -> tuple[Schedule, ...]:
    return tuple(_schedule(document, field, properties) for field, properties in _events(events, _SCHEDULE))


def _events(events: Mapping[str, Any], kind: str) -> list[tuple[str, object]]:
    """Return the events of a kind: the field of each, for errors, and its properties."""
    names = [name for name, event in events.items() if event["Type"] == kind]
    return [(f"Events.{name}", events[name].get("Properties")) for name in names]


def _route(document: TemplateDocument, field: str, properties: object) -> ApiRoute:
    event = document.mapping(properties, f"{field}.Properties")
    method = document.text(event.get("Method"), f"{field}.Method").upper()
    path = document.text(event.get("Path"), f"{field}.Path")
    if method not in _METHODS:
        raise document.invalid(f"{field}.Method", f"{method!r} is not one of {', '.join(sorted(_METHODS))}")
    if not re.fullmatch(r"(/(\{\w+\}|[\w.~-]+))+|/", path):
        raise document.invalid(f"{field}.Path", f"{path!r} is not a path like /orders/{{order_id}}")
    auth = document.mapping(event.get("Auth"), f"{field}.Auth")
    return ApiRoute(method=method, path=path, open=auth.get("Authorizer") == "NONE")


def _schedule(document: TemplateDocument, field: str, properties: object) -> Schedule:
    event = document.mapping(properties, f"{field}.Properties")
    expression = document.text(event.get("ScheduleExpression"), f"{field}.ScheduleExpression")
    rate = re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)s?\)", expression)
    if rate is None:
        raise document.invalid(f"{field}.ScheduleExpression", f"{expression!r} is not like rate(5 minutes)")
    text = document.text(event.get("Input", "{}"), f"{field}.Input")
    try:
        payload = document.mapping(json.loads(text), f"{field}.Input")
    except ValueError as error:
        raise document.invalid(f"{field}.Input", f"is not JSON: {error}") from None
    return Schedule(every_s=int(rate[1]) * _SECONDS[rate[2]], event=payload)


_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def _machine(document: TemplateDocument, name: str) -> MachineResource:
    properties = document.properties(name)
    kind = document.text(properties.get("Type", "STANDARD"), "Type")
    if kind not in ("STANDARD", "EXPRESS"):
        raise document.invalid("Type", f"{kind!r} is neither STANDARD nor EXPRESS")
    path = document.path.parent / document.text(properties.get("DefinitionUri"), "DefinitionUri")
    substitutions = document.mapping(properties.get("DefinitionSubstitutions"), "DefinitionSubstitutions")
    return MachineResource(
        logical_id=name,
        express=kind == "EXPRESS",
        definition_path=path,
        definition=_definition(document, path),
        substitutions={
            key: document.text(value, f"DefinitionSubstitutions.{key}") for key, value in substitutions.items()
        },
    )


def _definition(document: TemplateDocument, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise document.invalid("DefinitionUri", f"cannot be read: {error}") from error
