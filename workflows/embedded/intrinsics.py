"""Reads and resolves the values of a CloudFormation template, with their short forms (``!Ref``, ``!GetAtt``, ``!Sub``).

Values that embedded functions and machines can use are resolved to the engine's own names. Any other value is an error
that names the resource and the field, raised when the value is used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from domain.picklable import Picklable
from workflows.embedded import arns

FUNCTION = "AWS::Serverless::Function"
MACHINE = "AWS::Serverless::StateMachine"


class TemplateInvalid(Picklable, Exception):
    """The template cannot be run. ``resource`` and ``field`` say where; the template must be corrected."""

    def __init__(self, path: Path, resource: str, field: str, problem: str) -> None:
        where = ".".join(part for part in (resource, field) if part)
        super().__init__(f"{path}: {where}: {problem}" if where else f"{path}: {problem}")
        self.resource = resource
        self.field = field


class ParameterUnknown(Exception):
    """A parameter override names no parameter of the template, or has a value that the parameter does not allow."""


class ParameterMissing(ParameterUnknown):
    """A parameter has neither a default nor a value, and a resource that runs here needs it."""


class TemplateDocument:
    """A template as data. ``resource`` is the logical id of the one being read, for errors."""

    def __init__(self, path: Path, overrides: Mapping[str, str]) -> None:
        """Raises TemplateInvalid or ParameterUnknown."""
        self.path = path
        self.resource = ""
        self.content = self._load()
        self._overrides = overrides
        declared = self.section("Parameters")
        unknown = sorted(set(overrides) - set(declared))
        if unknown:
            known = ", ".join(declared) or "none"
            raise ParameterUnknown(f"{path} has no parameter {', '.join(unknown)}; it has: {known}")
        self._parameters = {
            name: self._parameter(name, self.mapping(item, f"Parameters.{name}")) for name, item in declared.items()
        }  # None: no value, which is an error only where it is used

    def named(self, kind: str) -> list[str]:
        """Return the logical ids of the resources of a type."""
        resources = self.content["Resources"]
        for name, resource in resources.items():
            if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
                self.resource = str(name)
                raise self.invalid("Type", "is missing")
        return [name for name, resource in resources.items() if resource["Type"] == kind]

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a top-level mapping; empty if it is missing."""
        return self.mapping(self.content.get(name), name)

    def properties(self, resource: str) -> Mapping[str, Any]:
        """Return the properties of a resource, and name that resource in errors from now on."""
        self.resource = resource
        return self.mapping(self.content["Resources"][resource].get("Properties"), "Properties")

    def is_conditional(self, resource: str) -> bool:
        """Return whether a resource is deployed only under a condition."""
        return "Condition" in self.content["Resources"][resource]

    def mapping(self, value: object, field: str) -> Mapping[str, Any]:
        """Check that a value is a mapping and not an intrinsic function; None is an empty mapping."""
        if value is None:
            return {}
        if not isinstance(value, dict) or isinstance(value, _Tag):
            raise self.invalid(field, "is not a mapping")
        return value

    def number(self, value: object, field: str) -> int:
        """Return a value as a whole number, e.g. of seconds."""
        text = self.text(value, field)
        if not text.isdecimal():
            raise self.invalid(field, f"{text!r} is not a whole number")
        return int(text)

    def text(self, value: object, field: str) -> str:
        """Return a scalar or an intrinsic function as the string that CloudFormation makes of it."""
        match value:
            case None:
                raise self.invalid(field, "is missing")
            case {"Ref": str(name), **rest} if not rest:
                return self._ref(name, field)
            case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest:
                return self._attribute(name, attribute, field)
            case {"Fn::Sub": str(text), **rest} if not rest:
                return self._sub(text, {}, field)
            case {"Fn::Sub": [str(text), dict(values)], **rest} if not rest:
                return self._sub(text, {key: self.text(item, field) for key, item in values.items()}, field)
            case bool():
                return str(value).lower()
            case str() | int() | float():
                return str(value)
            case dict():
                raise self.invalid(field, f"{', '.join(map(str, value))} is not supported by the embedded engine")
            case _:
                raise self.invalid(field, f"{value!r} is not a text or a number")

    def invalid(self, field: str, problem: str) -> TemplateInvalid:
        """Return the error for a problem with the resource that is being read."""
        return TemplateInvalid(self.path, self.resource, field, problem)

    def _load(self) -> dict[str, Any]:
        try:
            document = yaml.load(self.path.read_text(encoding="utf-8"), _Loader)  # a safe loader
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise self.invalid("", f"cannot be read: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            raise self.invalid("Resources", "is missing; is this a CloudFormation template?")
        return document

    def _ref(self, name: str, field: str) -> str:
        if name in self._parameters:
            return self._parameter_value(name)
        if name in _PSEUDO:
            return _PSEUDO[name]
        function = name.removesuffix(".Alias")
        if function != name and self._kind(function, field) == FUNCTION:
            return arns.function_arn(function)  # SAM's reference to its alias: here it has one version
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
            case (kind, "Arn"):  # a table or a key, which does not exist here: only its name is used
                return arns.resource_arn(kind, name)
            case (kind, _):
                raise self.invalid(field, f"{name} ({kind}) has no {attribute} in the embedded engine")

    def _sub(self, text: str, values: Mapping[str, str], field: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in values:
                return values[name]
            resource, dot, attribute = name.partition(".")
            return self._attribute(resource, attribute, field) if dot else self._ref(name, field)

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _kind(self, name: str, field: str) -> str:
        if name not in self.content["Resources"]:
            raise self.invalid(field, f"{name} is neither a parameter nor a resource")
        return str(self.content["Resources"][name]["Type"])

    def _parameter_value(self, name: str) -> str:
        value = self._parameters[name]
        if value is None:
            raise ParameterMissing(f"parameter {name} of {self.path} has no default; give it a value")
        return value

    def _parameter(self, name: str, declared: Mapping[str, Any]) -> str | None:
        value = self._overrides.get(name, declared.get("Default"))
        if value is None:
            return None
        problem = _problem(str(value), declared)
        if problem:
            raise ParameterUnknown(f"parameter {name} of {self.path} must {problem}")
        return str(value)


def _problem(value: str, declared: Mapping[str, Any]) -> str:
    """Return what a parameter's value must be and is not, by CloudFormation's rules; empty if it is right."""
    if declared.get("Type") == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return f"be a number, not {value!r}"
        low, high = declared.get("MinValue", -math.inf), declared.get("MaxValue", math.inf)
        if not float(low) <= float(value) <= float(high):
            return f"be from {low} to {high}, not {value}"
    allowed = [str(one) for one in declared.get("AllowedValues", [value])]
    if value not in allowed:
        return f"be one of {', '.join(allowed)}, not {value!r}"
    pattern = str(declared.get("AllowedPattern", ".*"))
    if not re.fullmatch(pattern, _over_tls(value), re.DOTALL):
        return f"match {pattern}, unlike {value!r}"
    return ""


def _over_tls(value: str) -> str:
    """Return an address on this machine as if it were called over TLS, which templates for AWS demand of all."""
    return re.sub(r"^http://(?=(localhost|127\.0\.0\.1)[:/])", "https://", value)


class _Tag(dict[str, Any]):
    """An intrinsic function in its long form, e.g. ``{"Fn::Sub": "..."}``."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen when imported
    """A YAML loader that reads CloudFormation's short forms.

    libyaml reads a template in a quarter of the time of PyYAML's own parser, half a second of each start. It is for the
    operator's own template only: it ends the process on a document that is nested 100,000 levels deep.
    """


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> _Tag:
    name = "Ref" if suffix == "Ref" else f"Fn::{suffix}"
    if isinstance(node, yaml.SequenceNode):
        return _Tag({name: loader.construct_sequence(node, deep=True)})
    if isinstance(node, yaml.MappingNode):
        return _Tag({name: loader.construct_mapping(node, deep=True)})
    assert isinstance(node, yaml.ScalarNode)  # the only other kind of node
    value = loader.construct_scalar(node)
    return _Tag({name: value.split(".", 1) if name == "Fn::GetAtt" else value})


_Loader.add_multi_constructor("!", _intrinsic)


_PSEUDO = {
    "AWS::AccountId": arns.ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": arns.REGION,
    "AWS::StackName": "expediter",
    "AWS::URLSuffix": "localhost",
}
