"""Reads ``template.yaml`` (AWS SAM): the functions and state machines that the embedded engine runs.

Only what those resources need is resolved (``!Ref``, ``!GetAtt``, ``!Sub`` and parameters), so the template may hold
tables, queues and roles that have no meaning in one process. What cannot be resolved is an error that names the
resource and the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from workflows.embedded import arns

FUNCTION = "AWS::Serverless::Function"
MACHINE = "AWS::Serverless::StateMachine"

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class TemplateInvalid(Exception):
    """The template cannot be run. ``resource`` and ``field`` say where; the template must be corrected."""

    def __init__(self, path: Path, resource: str, field: str, problem: str) -> None:
        where = ".".join(part for part in (resource, field) if part)
        super().__init__(f"{path}: {where}: {problem}" if where else f"{path}: {problem}")
        self.resource = resource
        self.field = field


class ParameterUnknown(Exception):
    """An override names a parameter that the template does not have, or gives it a value it does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An HttpApi event: ``POST /orders/{order_id}/cancel``. ``open`` routes ask for no token."""

    method: str
    path: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function. ``handler`` is ``package.module.callable``."""

    logical_id: str
    handler: str
    timeout_s: int
    memory_mb: int
    environment: Mapping[str, str]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A state machine. ``definition`` is the text of its file and ``substitutions`` what stands for its ``${...}``."""

    logical_id: str
    express: bool
    definition_path: Path
    definition: str
    substitutions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What the embedded engine runs, by logical id."""

    path: Path
    functions: Mapping[str, Function]
    machines: Mapping[str, Machine]


def read_template(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """Read a template with these parameter values. Raises TemplateInvalid or ParameterUnknown."""
    return _Reader(path, dict(parameters or {})).template()


class _Tag(dict[str, Any]):
    """An intrinsic function in its long form, e.g. ``{"Fn::Sub": "..."}``."""


class _Loader(yaml.SafeLoader):
    """Knows CloudFormation's short forms."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> _Tag:
    name = "Ref" if suffix == "Ref" else f"Fn::{suffix}"
    if isinstance(node, yaml.SequenceNode):
        return _Tag({name: loader.construct_sequence(node, deep=True)})
    if isinstance(node, yaml.MappingNode):
        return _Tag({name: loader.construct_mapping(node, deep=True)})
    assert isinstance(node, yaml.ScalarNode)  # the third kind there is
    value = loader.construct_scalar(node)
    return _Tag({name: value.split(".", 1) if name == "Fn::GetAtt" else value})


_Loader.add_multi_constructor("!", _intrinsic)


class _Reader:
    """Resolves one template. ``_resource`` is the one being read, for the errors."""

    def __init__(self, path: Path, overrides: dict[str, str]) -> None:
        self._path = path
        self._resource = ""
        self._document = self._load()
        self._overrides = overrides

    def template(self) -> Template:
        unknown = sorted(set(self._overrides) - set(self._mapping(self._document.get("Parameters"), "Parameters")))
        if unknown:
            known = ", ".join(self._mapping(self._document.get("Parameters"), "Parameters")) or "none"
            raise ParameterUnknown(f"{self._path} has no parameter {', '.join(unknown)}; it has: {known}")
        functions = {name: self._function(name) for name in self._named(FUNCTION)}
        machines = {name: self._machine(name) for name in self._named(MACHINE)}
        return Template(path=self._path, functions=functions, machines=machines)

    def _load(self) -> dict[str, Any]:
        try:
            document = yaml.load(self._path.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise self._invalid("", f"cannot be read: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            raise self._invalid("Resources", "is missing; is this a CloudFormation template?")
        return document

    def _named(self, kind: str) -> list[str]:
        resources = self._document["Resources"]
        for name, resource in resources.items():
            if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
                self._resource = str(name)
                raise self._invalid("Type", "is missing")
        return [name for name, resource in resources.items() if resource["Type"] == kind]

    # --- functions -------------------------------------------------------------------------------------------

    def _function(self, name: str) -> Function:
        self._resource = name
        globals_ = self._mapping(self._mapping(self._document.get("Globals"), "Globals").get("Function"), "Globals")
        own = self._properties()
        merged = {**globals_, **own}
        return Function(
            logical_id=name,
            handler=self._handler(merged),
            timeout_s=self._number(merged.get("Timeout", 3), "Timeout"),  # 3 s and 128 MB: Lambda's own defaults
            memory_mb=self._number(merged.get("MemorySize", 128), "MemorySize"),
            environment={**self._environment(globals_), **self._environment(own)},
            routes=self._routes(self._mapping(merged.get("Events"), "Events")),
        )

    def _handler(self, properties: Mapping[str, Any]) -> str:
        handler = self._text(properties.get("Handler"), "Handler")
        if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", handler):
            raise self._invalid("Handler", f"{handler!r} is not package.module.callable")
        return handler

    def _environment(self, properties: Mapping[str, Any]) -> dict[str, str]:
        field = "Environment.Variables"
        variables = self._mapping(self._mapping(properties.get("Environment"), "Environment").get("Variables"), field)
        return {name: self._text(value, f"{field}.{name}") for name, value in variables.items()}

    def _routes(self, events: Mapping[str, Any]) -> tuple[Route, ...]:
        http = [name for name, event in events.items() if isinstance(event, dict) and event.get("Type") == "HttpApi"]
        return tuple(self._route(f"Events.{name}", events[name].get("Properties")) for name in http)

    def _route(self, field: str, properties: object) -> Route:
        event = self._mapping(properties, f"{field}.Properties")
        method = self._text(event.get("Method"), f"{field}.Method").upper()
        path = self._text(event.get("Path"), f"{field}.Path")
        if method not in _METHODS:
            raise self._invalid(f"{field}.Method", f"{method!r} is not one of {', '.join(sorted(_METHODS))}")
        if not re.fullmatch(r"(/(\{\w+\}|[\w.~-]+))+|/", path):
            raise self._invalid(f"{field}.Path", f"{path!r} is not /like/{{this}}")
        auth = self._mapping(event.get("Auth"), f"{field}.Auth")
        return Route(method=method, path=path, open=auth.get("Authorizer") == "NONE")

    # --- machines --------------------------------------------------------------------------------------------

    def _machine(self, name: str) -> Machine:
        self._resource = name
        properties = self._properties()
        kind = self._text(properties.get("Type", "STANDARD"), "Type")
        if kind not in ("STANDARD", "EXPRESS"):
            raise self._invalid("Type", f"{kind!r} is neither STANDARD nor EXPRESS")
        path = self._path.parent / self._text(properties.get("DefinitionUri"), "DefinitionUri")
        given = self._mapping(properties.get("DefinitionSubstitutions"), "DefinitionSubstitutions")
        return Machine(
            logical_id=name,
            express=kind == "EXPRESS",
            definition_path=path,
            definition=self._definition(path),
            substitutions={key: self._text(value, f"DefinitionSubstitutions.{key}") for key, value in given.items()},
        )

    def _definition(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._invalid("DefinitionUri", f"cannot be read: {error}") from error

    # --- values ----------------------------------------------------------------------------------------------

    def _properties(self) -> Mapping[str, Any]:
        return self._mapping(self._document["Resources"][self._resource].get("Properties"), "Properties")

    def _mapping(self, value: object, field: str) -> Mapping[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict) or isinstance(value, _Tag):
            raise self._invalid(field, "is not a mapping")
        return value

    def _number(self, value: object, field: str) -> int:
        text = self._text(value, field)
        if not text.isdecimal():
            raise self._invalid(field, f"{text!r} is not a whole number")
        return int(text)

    def _text(self, value: object, field: str) -> str:
        """A scalar or an intrinsic as the string CloudFormation makes of it."""
        match value:
            case None:
                raise self._invalid(field, "is missing")
            case {"Ref": str(name), **rest} if not rest:
                return self._ref(name, field)
            case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest:
                return self._attribute(name, attribute, field)
            case {"Fn::Sub": str(text), **rest} if not rest:
                return self._sub(text, {}, field)
            case {"Fn::Sub": [str(text), dict(given)], **rest} if not rest:
                return self._sub(text, {key: self._text(item, field) for key, item in given.items()}, field)
            case bool():
                return str(value).lower()
            case str() | int() | float():
                return str(value)
            case dict():
                raise self._invalid(field, f"{', '.join(map(str, value))} is not supported by the embedded engine")
            case _:
                raise self._invalid(field, f"{value!r} is not a text or a number")

    def _ref(self, name: str, field: str) -> str:
        if name in self._parameters:
            return self._parameters[name]
        if name in _PSEUDO:
            return _PSEUDO[name]
        kind = self._kind(name, field)
        return arns.machine_arn(name) if kind == MACHINE else name

    def _attribute(self, name: str, attribute: str, field: str) -> str:
        match self._kind(name, field), attribute:
            case (kind, "Arn") if kind == FUNCTION:
                return arns.function_arn(name)
            case (kind, "Arn") if kind == MACHINE:
                return arns.machine_arn(name)
            case (kind, "Name") if kind == MACHINE:
                return name
            case (kind, _):
                raise self._invalid(field, f"{name} ({kind}) has no {attribute} in the embedded engine")

    def _sub(self, text: str, given: Mapping[str, str], field: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return given[name]
            resource, dot, attribute = name.partition(".")
            return self._attribute(resource, attribute, field) if dot else self._ref(name, field)

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _kind(self, name: str, field: str) -> str:
        if name not in self._document["Resources"]:
            raise self._invalid(field, f"{name} is neither a parameter nor a resource")
        return str(self._document["Resources"][name]["Type"])

    @cached_property
    def _parameters(self) -> dict[str, str]:
        declared = self._mapping(self._document.get("Parameters"), "Parameters")
        return {name: self._parameter(name, self._mapping(item, "Parameters")) for name, item in declared.items()}

    def _parameter(self, name: str, declared: Mapping[str, Any]) -> str:
        value = self._overrides.get(name, declared.get("Default"))
        if value is None:
            raise ParameterUnknown(f"parameter {name} of {self._path} has no default: give it a value")
        if declared.get("Type") == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
            raise ParameterUnknown(f"parameter {name} of {self._path} is a number, not {value!r}")
        return str(value)

    def _invalid(self, field: str, problem: str) -> TemplateInvalid:
        return TemplateInvalid(self._path, self._resource, field, problem)


_PSEUDO = {
    "AWS::AccountId": arns.ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": arns.REGION,
    "AWS::StackName": "expediter",
    "AWS::URLSuffix": "localhost",
}
