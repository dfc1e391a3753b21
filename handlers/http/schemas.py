"""JSON schemas of what the API answers with: the shapes of the client, each type of event, and each problem."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeAlias, TypedDict, Union, get_args, get_origin, get_type_hints

import msgspec

from domain.identifiers import ORDER_ID, Actor, OrderId
from domain.money import Money
from domain.order.events import Event
from domain.personal import Contact, Erased
from handlers.http import problems
from handlers.http.documented import GATEWAY_STATUSES, REF, ref
from workflows.boundary.problem_types import PROBLEM_URN
from workflows.breakers.events import CircuitEvent
from workflows.client import (
    audit_json,
    books_json,
    catalogue_json,
    customer_json,
    export_json,
    incident_json,
    order_json,
    owed_json,
    query_json,
    receipt_json,
    run_json,
    search_json,
    timeline_json,
    webhook_json,
)
from workflows.orders.visibility import VISIBILITY, Audience
from workflows.orders.words import WITHHELD

Schema: TypeAlias = dict[str, Any]


_SHAPES = (
    audit_json,
    books_json,
    catalogue_json,
    customer_json,
    export_json,
    incident_json,
    order_json,
    owed_json,
    query_json,
    receipt_json,
    run_json,
    search_json,
    timeline_json,
    webhook_json,
)


class FieldProblemJson(TypedDict):
    """A field of the request, and what to do about it. Its name is as in the request, e.g. ``lines[0].quantity``."""

    field: str
    problem: str


def components() -> dict[str, Schema]:
    """All schemas by name. Objects have the properties named and no others."""
    types = [cls for module in _SHAPES for cls in vars(module).values() if _is_shape(cls, module.__name__)]
    _, schemas = msgspec.json.schema_components([*types, FieldProblemJson], ref_template=REF)
    for schema in schemas.values():
        schema["additionalProperties"] = False
        schema.pop("title", None)
    envelope = schemas.pop("EventJson")
    return {
        **schemas,
        **_events("EventJson", envelope, get_args(Event)),
        **{name: _extended("EventJson", schemas[name], envelope) for name in ("StepJson", "TimelineEventJson")},
        **_events("TransitionJson", schemas["TransitionJson"], get_args(CircuitEvent)),
        **_problems(),
    }


def _is_shape(cls: object, module: str) -> bool:
    """Whether it is one of the shapes that the module defines, and is answered with."""
    return isinstance(cls, type) and cls.__module__ == module and not cls.__name__.startswith("Place")


# --- events -----------------------------------------------------------------------------------------------------------


def _events(name: str, envelope: Schema, types: Iterable[type]) -> dict[str, Schema]:
    """One schema for each type of event, and ``name`` for any one of them."""
    known = {cls.__name__: _event(cls, envelope) for cls in types}
    options = [ref(event) for event in known]
    if "unknown" in envelope["properties"]:
        unknown = {"type": {"type": "string", "not": {"enum": list(known)}}, "unknown": {"const": True}}
        known["EventOfNewerRelease"] = {
            "description": "An event recorded by a newer release.",
            "type": "object",
            "properties": {**envelope["properties"], **unknown},
            "required": [*envelope["required"], "unknown"],
        }
        options.append(ref("EventOfNewerRelease"))
    return {**known, name: {"description": envelope["description"], "oneOf": options}}


def _event(cls: type, envelope: Schema) -> Schema:
    hints = get_type_hints(cls)
    data = {
        "type": "object",
        "properties": {name: _or_withheld(cls, name, field_schema(name, hint)) for name, hint in hints.items()},
        "required": list(hints),
        "additionalProperties": False,
    }
    properties = {name: schema for name, schema in envelope["properties"].items() if name != "unknown"}
    return {
        "description": inspect.getdoc(cls),
        "type": "object",
        "properties": {**properties, "type": {"const": cls.__name__}, "data": data},
        "required": list(envelope["required"]),
    }


def _extended(name: str, schema: Schema, base: Schema) -> Schema:
    """A schema that adds properties to those of ``base``, which is the component ``name``."""
    added = {key: value for key, value in schema["properties"].items() if key not in base["properties"]}
    return {
        "description": schema["description"],
        "allOf": [ref(name), {"type": "object", "properties": added, "required": list(added)}],
    }


_SCALARS: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    datetime: {"type": "string", "format": "date-time"},
    OrderId: {"type": "string", "pattern": f"^{ORDER_ID}$"},
    NoneType: {"type": "null"},
    Erased: {"enum": ["(withheld)", "(erased)"]},
    Money: ref("MoneyJson"),
    Actor: ref("ActorJson"),
    Contact: ref("ContactJson"),
}


def _or_withheld(cls: type, name: str, schema: Schema) -> Schema:
    """Allow ``(withheld)`` for a field that not every reader of the event may see."""
    sight = VISIBILITY[cls]
    if sight.event - sight.fields[name] <= {Audience.SUBSCRIBER} or "(withheld)" in str(schema):
        return schema
    return {"anyOf": [schema, {"const": WITHHELD}]}


def field_schema(name: str, hint: Any) -> Schema:
    """The schema of a field of an event, by its name and type."""
    schema = _schema(hint)
    if name in {"answers", "request", "intent"}:
        return {**schema, "description": "The version of the intent that this is about."}
    return schema


def _schema(hint: Any) -> Schema:
    """The schema of a field's type, as ``workflows.orders.views`` writes its values."""
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if get_origin(hint) in {Union, UnionType}:
        return {"anyOf": [_schema(option) for option in get_args(hint)]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0])}
    if hasattr(hint, "__supertype__"):
        return _schema(hint.__supertype__)
    if issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    assert dataclasses.is_dataclass(hint), f"an event has a field of type {hint}: add its schema"
    hints = get_type_hints(hint)
    return {
        "type": "object",
        "properties": {name: _schema(each) for name, each in hints.items()},
        "required": list(hints),
        "additionalProperties": False,
    }


# --- problems ---------------------------------------------------------------------------------------------------------


def _problems() -> dict[str, Schema]:
    """One schema for each name of a problem, and one for all problems with a status."""
    named = sorted(problems.refusals(), key=lambda cls: cls.__name__)
    by_status: dict[int, list[str]] = {}
    for cls in named:
        for status in problems.statuses(cls):
            by_status.setdefault(status.value, []).append(cls.__name__)
    for answered in GATEWAY_STATUSES:
        by_status.setdefault(answered, []).append("GatewayProblem")
    return {
        **{cls.__name__: _named_problem(cls) for cls in named},
        **{f"Problem{status}": {"oneOf": [ref(name) for name in names]} for status, names in by_status.items()},
        "GatewayProblem": _problem(
            "A refusal by the HTTP server itself, before any function is called.",
            {"type": {"const": "about:blank"}, "title": {"type": "string"}, "status": {"enum": GATEWAY_STATUSES}},
        ),
        "GatewayMessage": {
            "description": "A refusal by API Gateway itself, before or instead of any function.",
            "type": "object",
            "properties": {"message": {"type": "string"}},
            "required": ["message"],
        },
    }


def _named_problem(cls: type[Exception]) -> Schema:
    names: Schema = {
        "type": {"const": PROBLEM_URN + cls.__name__},
        "title": {"const": problems.title(cls.__name__)},
        "status": {"enum": [status.value for status in problems.statuses(cls)]},
        "errors": {"type": "array", "items": ref("FieldProblemJson")},
    }
    return _problem(inspect.getdoc(cls) or "", names)


def _problem(description: str, properties: Schema) -> Schema:
    sentences: Schema = {
        "detail": {"type": "string", "description": "One or more sentences for a person."},
        "instance": {"type": "string", "description": "The path of the request."},
    }
    return {
        "description": description,
        "type": "object",
        "properties": {**properties, **sentences},
        "required": ["type", "title", "status", "detail", "instance"],
        "additionalProperties": False,
    }
