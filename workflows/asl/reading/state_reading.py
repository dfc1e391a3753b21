"""One function for each type of state: read its fields, note problems, return the frozen state."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from workflows.asl.reading.fields import AFTER, BEFORE, SECONDS_MAX, Fields, Notes, as_list
from workflows.asl.reading.integrations import Integration, UnsupportedResource, find, problems_of
from workflows.asl.reading.policy_reading import read_assign, read_catch, read_retry
from workflows.asl.reading.states import (
    AnyState,
    Choice,
    ChoiceRule,
    Fail,
    Map,
    Parallel,
    Pass,
    Scope,
    Succeed,
    Task,
    Wait,
)
from workflows.asl.reading.templates import Literal, Query, Template, is_expression
from workflows.asl.signals import JSON

NAME_LENGTH_MAX: Final = 80  # characters of a state's name (AWS docs, State machine structure)
ScopeReader = Callable[[Notes, str, Mapping[str, JSON], str], Scope]

_TOLERATED: Final = ("ToleratedFailureCount", "ToleratedFailurePercentage")
_COMMON: Final = {"Type", "Comment", "QueryLanguage"}
_FLOW: Final = _COMMON | {"Next", "End", "Assign", "Output"}
_FALLIBLE: Final = _FLOW | {"Retry", "Catch"}
_ALLOWED: Final = {
    "Pass": frozenset(_FLOW),
    "Wait": frozenset(_FLOW | {"Seconds", "Timestamp"}),
    "Succeed": frozenset(_COMMON | {"Output"}),
    "Fail": frozenset(_COMMON | {"Error", "Cause"}),
    "Choice": frozenset(_COMMON | {"Choices", "Default", "Assign", "Output"}),
    "Task": frozenset(_FALLIBLE | {"Resource", "Arguments", "TimeoutSeconds", "HeartbeatSeconds"}),
    "Parallel": frozenset(_FALLIBLE | {"Branches", "Arguments"}),
    "Map": frozenset(_FALLIBLE | {"ItemProcessor", "Items", "ItemSelector", "MaxConcurrency", *_TOLERATED}),
}
_JSONPATH: Final = "belongs to JSONPath; with JSONata use "
_HINTS: Final = {
    "InputPath": _JSONPATH + "expressions on $states.input",
    "OutputPath": _JSONPATH + "Output",
    "ResultPath": _JSONPATH + "Output",
    "ResultSelector": _JSONPATH + "Output",
    "Parameters": _JSONPATH + "Arguments",
    "Result": _JSONPATH + "Output",
    "ItemsPath": _JSONPATH + "Items",
    "SecondsPath": _JSONPATH + "Seconds with an expression",
    "TimestampPath": _JSONPATH + "Timestamp with an expression",
    "TimeoutSecondsPath": _JSONPATH + "TimeoutSeconds with an expression",
    "HeartbeatSecondsPath": _JSONPATH + "HeartbeatSeconds with an expression",
    "MaxConcurrencyPath": _JSONPATH + "MaxConcurrency with an expression",
    "ErrorPath": _JSONPATH + "Error with an expression",
    "CausePath": _JSONPATH + "Cause with an expression",
    "Iterator": "is the old name; use ItemProcessor",
    "ItemReader": "belongs to a distributed Map, which is not supported; give Items",
    "ItemBatcher": "belongs to a distributed Map, which is not supported",
    "ResultWriter": "belongs to a distributed Map, which is not supported",
    "Label": "belongs to a distributed Map, which is not supported",
    "Credentials": "is not supported: everything runs in one account",
}
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")


def read_state(notes: Notes, path: str, name: str, raw: Mapping[str, JSON], read_scope: ScopeReader) -> AnyState | None:
    """Read one state. None if its type is not known."""
    fields = Fields(notes, path, raw)
    kind = raw.get("Type")
    if not isinstance(kind, str) or kind not in _ALLOWED:
        fields.problem("Type", f"'{kind}' is not a type of state; use one of {', '.join(_ALLOWED)}")
        return None
    fields.check_names(_ALLOWED[kind], _HINTS)
    if raw.get("QueryLanguage", "JSONata") != "JSONata":
        fields.problem("QueryLanguage", "must be JSONata; a state cannot go back to JSONPath")
    common = {"name": name, "next": _read_flow(fields)} if "Next" in _ALLOWED[kind] else {"name": name}
    return _READERS[kind](fields, common, read_scope)


_FIRST_MOMENT: Final = datetime.min.replace(tzinfo=UTC)
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)


def parse_timestamp(text: object) -> datetime | None:
    """Parse an RFC 3339 time with 'T' and an offset, as Wait takes it, to UTC. None if the value is something else.

    A time that lies outside the calendar in UTC becomes its first or last moment.
    """
    if not isinstance(text, str) or not _TIMESTAMP.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _LAST_MOMENT if moment.year > 1 else _FIRST_MOMENT


def _read_flow(fields: Fields) -> str | None:
    end = fields.raw.get("End")
    if "End" in fields.raw and end is not True:
        fields.problem("End", "must be true or absent")
    if ("Next" in fields.raw) == (end is True):
        fields.problem("Next", "give exactly one of Next and 'End: true'")
    return fields.text("Next")


def _read_pass(fields: Fields, common: dict[str, Any], _: ScopeReader) -> AnyState:
    return Pass(**common, assign=read_assign(fields, BEFORE), output=fields.template("Output", BEFORE))


def _read_succeed(fields: Fields, common: dict[str, Any], _: ScopeReader) -> AnyState:
    return Succeed(**common, output=fields.template("Output", BEFORE))


def _read_fail(fields: Fields, common: dict[str, Any], _: ScopeReader) -> AnyState:
    what = "must be a string or an expression"
    return Fail(
        **common,
        error=fields.query_or("Error", BEFORE, str, what),
        cause=fields.query_or("Cause", BEFORE, str, what),
    )


def _read_wait(fields: Fields, common: dict[str, Any], _: ScopeReader) -> AnyState:
    if ("Seconds" in fields.raw) == ("Timestamp" in fields.raw):
        fields.problem("Seconds", "give exactly one of Seconds and Timestamp")
    timestamp = fields.query_or("Timestamp", BEFORE, str, "must be a time or an expression")
    if isinstance(timestamp, Literal) and parse_timestamp(timestamp.value) is None:
        fields.problem("Timestamp", "must be a time like 2026-03-14T01:59:00Z")
    return Wait(
        **common,
        seconds=fields.seconds("Seconds", 0),
        timestamp=timestamp,
        assign=read_assign(fields, BEFORE),
        output=fields.template("Output", BEFORE),
    )


def _read_choice(fields: Fields, common: dict[str, Any], _: ScopeReader) -> AnyState:
    if not as_list(fields.raw.get("Choices")):
        fields.problem("Choices", "must be a list of rules that is not empty")
    return Choice(
        **common,
        rules=tuple(_read_rule(rule) for rule in fields.objects("Choices")),
        default=fields.text("Default"),
        assign=read_assign(fields, BEFORE),
        output=fields.template("Output", BEFORE),
    )


def _read_rule(fields: Fields) -> ChoiceRule:
    fields.check_names(
        frozenset({"Condition", "Next", "Assign", "Output", "Comment"}),
        dict.fromkeys(("Variable", "And", "Or", "Not"), "belongs to JSONPath; with JSONata use Condition"),
    )
    if "Condition" not in fields.raw:
        fields.problem("Condition", "is required")
    condition = fields.query_or("Condition", BEFORE, bool, "must be an expression, true or false")
    is_true = isinstance(condition, Literal) and condition.value is True
    return ChoiceRule(
        condition=condition if isinstance(condition, Query) else is_true,
        next=fields.text("Next", required=True) or "",
        assign=read_assign(fields, BEFORE),
        output=fields.template("Output", BEFORE),
    )


def _fallible(fields: Fields) -> dict[str, Any]:
    return {
        "retry": read_retry(fields),
        "catch": read_catch(fields),
        "assign": read_assign(fields, AFTER),
        "output": fields.template("Output", AFTER),
    }


def _read_task(fields: Fields, common: dict[str, Any], _: ScopeReader) -> AnyState:
    integration = _read_resource(fields)
    arguments = fields.template("Arguments", BEFORE)
    if integration is not None and arguments is not None:
        for what in problems_of(integration, fields.raw["Arguments"], is_open=is_expression):
            fields.problem("Arguments", what)
    timeout, heartbeat = fields.seconds("TimeoutSeconds", 1), fields.seconds("HeartbeatSeconds", 1)
    if _literal_s(heartbeat, 0) >= _literal_s(timeout, SECONDS_MAX + 1):
        fields.problem("HeartbeatSeconds", "must be less than TimeoutSeconds")
    return Task(
        **common,
        resource=str(fields.raw.get("Resource", "")),
        integration=integration or Integration(resource_type="", resource=""),
        arguments=arguments,
        timeout_s=timeout,
        heartbeat_s=heartbeat,
        **_fallible(fields),
    )


def _literal_s(template: Template | None, default: int) -> int:
    return template.value if isinstance(template, Literal) and isinstance(template.value, int) else default


def _read_resource(fields: Fields) -> Integration | None:
    resource = fields.text("Resource", required=True)
    if resource is None:
        return None
    try:
        return find(resource, fields.notes.can_call)
    except UnsupportedResource as error:
        fields.problem("Resource", str(error))
        return None


def _read_parallel(fields: Fields, common: dict[str, Any], read_scope: ScopeReader) -> AnyState:
    branches = as_list(fields.raw.get("Branches"))
    if not branches:
        fields.problem("Branches", "must be a list of branches that is not empty")
    return Parallel(
        **common,
        branches=tuple(
            read_scope(fields.notes, f"{fields.state}/Branches[{index}]", branch.raw, branch.prefix)
            for index, branch in enumerate(fields.objects("Branches"))
        ),
        arguments=fields.template("Arguments", BEFORE),
        **_fallible(fields),
    )


def _read_map(fields: Fields, common: dict[str, Any], read_scope: ScopeReader) -> AnyState:
    raw = fields.raw.get("ItemProcessor")
    processor: Mapping[str, JSON] = raw if isinstance(raw, dict) else {}
    if not isinstance(raw, dict):
        fields.problem("ItemProcessor", "must be an object with StartAt and States")
    _check_processor_config(fields, processor)
    inner = {key: value for key, value in processor.items() if key != "ProcessorConfig"}
    return Map(
        **common,
        processor=read_scope(fields.notes, f"{fields.state}/ItemProcessor", inner, "ItemProcessor/"),
        items=fields.query_or("Items", BEFORE, list, "must be a list or an expression"),
        item_selector=fields.template("ItemSelector", BEFORE),
        concurrency_max=fields.seconds("MaxConcurrency", 0),
        tolerated_count=fields.seconds("ToleratedFailureCount", 0),
        tolerated_percentage=fields.seconds("ToleratedFailurePercentage", 0),
        **_fallible(fields),
    )


def _check_processor_config(fields: Fields, processor: Mapping[str, JSON]) -> None:
    config = processor.get("ProcessorConfig", {})
    if not isinstance(config, dict) or config.get("Mode", "INLINE") != "INLINE" or set(config) - {"Mode"}:
        fields.problem("ItemProcessor/ProcessorConfig", "only 'Mode: INLINE' is supported; a distributed Map is not")


_READERS: Final[Mapping[str, Callable[[Fields, dict[str, Any], ScopeReader], AnyState]]] = {
    "Pass": _read_pass,
    "Wait": _read_wait,
    "Succeed": _read_succeed,
    "Fail": _read_fail,
    "Choice": _read_choice,
    "Task": _read_task,
    "Parallel": _read_parallel,
    "Map": _read_map,
}
