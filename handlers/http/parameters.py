"""The parameters of a route, read from the annotations of its function, and their validation by pydantic.

A parameter whose name stands in the path is a path parameter, ``body`` is the request's body, and the others are
annotated: ``Annotated[type, InHeader("If-Match", "...")]``, ``Annotated[type, InQuery("...")]``. Parameters that a body
has too are the fields of a model, which the function takes as one argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from handlers.http.invalid import invalid_request, unknown_parameters
from handlers.http.json_bodies import json_object
from handlers.http.values import Strict


@dataclass(frozen=True, slots=True)
class InHeader:
    """A request header."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class InQuery:
    """A query parameter. It is named as the function's parameter, unless ``name`` is given."""

    description: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in the path, the query or a header.

    Attributes:
        argument: The name in the function.
        name: The name in the request; a header's is in small letters.
    """

    argument: str
    location: str
    name: str
    description: str
    adapter: TypeAdapter[Any]
    default: Any

    @property
    def required(self) -> bool:
        """Whether a request without it is refused."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Parameters:
    """All parameters of one route."""

    listed: tuple[Parameter, ...]
    body: type[Strict] | None
    together: Mapping[str, type[Strict]]
    """The models whose fields are parameters, by their argument."""

    def arguments(self, event: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the function's arguments, validated.

        Args:
            headers: The event's, their names in small letters.

        Raises:
            InvalidRequest: Values are missing, unknown or out of bounds.
            MalformedBody, UnsupportedContent: The body cannot be read.
        """
        query = event.get("queryStringParameters") or {}
        self._check_query(query)
        sent = {"path": event.get("pathParameters") or {}, "query": query, "header": headers}
        arguments: dict[str, Any] = {}
        errors: list[Mapping[str, Any]] = []
        for parameter in self.listed:
            values = sent[parameter.location]
            if parameter.name not in values:
                if parameter.required:
                    errors.append({"type": "missing", "loc": (parameter.location, parameter.name)})
                else:
                    arguments[parameter.argument] = parameter.default
                continue
            try:
                arguments[parameter.argument] = parameter.adapter.validate_python(values[parameter.name])
            except ValidationError as error:
                errors += _located(error, parameter.location, parameter.name)
        if self.body is not None:
            try:
                arguments["body"] = self.body.model_validate(json_object(event, headers, self.body.body_bytes_max))
            except ValidationError as error:
                errors += _located(error, "body")
        if errors:
            raise invalid_request(errors)
        for argument, model in self.together.items():
            arguments[argument] = model.model_construct(**{name: arguments.pop(name) for name in model.model_fields})
        return arguments

    def _check_query(self, query: Mapping[str, str]) -> None:
        known = [parameter.name for parameter in self.listed if parameter.location == "query"]
        unknown = sorted(set(query) - set(known))
        if unknown:
            raise unknown_parameters(unknown, known)


def read_parameters(path: str, function: Callable[..., Any]) -> Parameters:
    """Read the parameters of a route from its function."""
    hints = get_type_hints(function, include_extras=True)
    body = hints.pop("body", None)
    listed: list[Parameter] = []
    together: dict[str, type[Strict]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "body":
            continue
        hint = hints[name]
        if isinstance(hint, type) and issubclass(hint, Strict):
            together[name] = hint
            listed += _fields(path, hint)
        else:
            listed.append(_parameter(path, name, hint, parameter.default))
    return Parameters(tuple(listed), body, together)


def _fields(path: str, model: type[Strict]) -> Iterator[Parameter]:
    hints = get_type_hints(model, include_extras=True)
    return (_parameter(path, name, hints[name], field.default) for name, field in model.model_fields.items())


def _parameter(path: str, argument: str, hint: Any, default: Any) -> Parameter:
    if f"{{{argument}}}" in path:
        return Parameter(argument, "path", argument, "", TypeAdapter(hint), default)
    for place in get_args(hint):
        if isinstance(place, InHeader):
            return Parameter(argument, "header", place.name.lower(), place.description, TypeAdapter(hint), default)
        if isinstance(place, InQuery):
            return Parameter(argument, "query", place.name or argument, place.description, TypeAdapter(hint), default)
    raise AssertionError(f"{argument} is neither in {path} nor annotated with InHeader or InQuery")


def _located(error: ValidationError, *place: str) -> Iterator[Mapping[str, Any]]:
    for each in error.errors(include_url=False, include_input=False):
        yield {**each, "loc": (*place, *each["loc"])}
