"""The resources a Task may name: their arguments, and the effect that carries one out.

``find`` reads a Resource; ``problems_of`` checks arguments, at load where they are literal and again when they are
evaluated; ``effect_of`` builds the effect. What a driver answers is in ``answers.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.asl.interpreter.payloads import to_text
from workflows.asl.signals import JSON, InvokeFunction, Mode, StartExecution


class UnsupportedResource(ValueError):
    """The Resource is none of those implemented here. The message says which are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One resource. ``resource_type`` and ``resource`` are the words of the history events.

    ``function_arn`` is set where the Resource is the function itself; ``mode`` where it starts an execution.
    """

    resource_type: str
    resource: str
    mode: Mode | None = None
    function_arn: str | None = None
    waits_for_token: bool = False

    @property
    def is_plain_function(self) -> bool:
        """The Resource is the ARN of a Lambda function: other history events, and the bare result as output."""
        return self.function_arn is not None


_INVOKE: Final = "arn:aws:states:::lambda:invoke"
_START: Final = "arn:aws:states:::states:startExecution"
_START_SYNC: Final = "arn:aws:states:::aws-sdk:sfn:startSyncExecution"
_KNOWN: Final[Mapping[str, Integration]] = {
    _INVOKE: Integration(resource_type="lambda", resource="invoke"),
    f"{_INVOKE}.waitForTaskToken": Integration(
        resource_type="lambda", resource="invoke.waitForTaskToken", waits_for_token=True
    ),
    _START: Integration(resource_type="states", resource="startExecution", mode=Mode.REQUEST_RESPONSE),
    f"{_START}.sync": Integration(resource_type="states", resource="startExecution.sync", mode=Mode.SYNC),
    f"{_START}.sync:2": Integration(resource_type="states", resource="startExecution.sync:2", mode=Mode.SYNC_2),
    f"{_START}.waitForTaskToken": Integration(
        resource_type="states", resource="startExecution.waitForTaskToken", mode=Mode.TOKEN, waits_for_token=True
    ),
    _START_SYNC: Integration(resource_type="aws-sdk:sfn", resource="startSyncExecution", mode=Mode.EXPRESS),
}
_FUNCTION_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9-_]{1,64}(?::(?:\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)
_PARTITION: Final = re.compile(r"^arn:aws(?:-cn|-us-gov)?:")


def find(resource: str) -> Integration:
    """The integration of a Resource.

    Raises:
        UnsupportedResource: See the class.
    """
    known = _KNOWN.get(_PARTITION.sub("arn:aws:", resource))
    if known is not None:
        return known
    if _FUNCTION_ARN.fullmatch(resource):
        return Integration(resource_type="lambda", resource="invoke", function_arn=resource)
    if ":activity:" in resource:
        raise UnsupportedResource("Activities are not supported; use arn:aws:states:::lambda:invoke.waitForTaskToken")
    raise UnsupportedResource(
        f"'{resource}' is not supported; use a Lambda function's ARN or one of {', '.join(_KNOWN)}"
    )


@dataclass(frozen=True, slots=True)
class _Argument:
    required: bool
    kind: str  # "string", "json" or "string or object"


_INVOKE_ARGUMENTS: Final = {
    "FunctionName": _Argument(True, "string"),
    "Payload": _Argument(False, "json"),
    "Qualifier": _Argument(False, "string"),
    "InvocationType": _Argument(False, "string"),
}
_START_ARGUMENTS: Final = {
    "StateMachineArn": _Argument(True, "string"),
    "Name": _Argument(False, "string"),
    "Input": _Argument(False, "json"),
}
_START_SYNC_ARGUMENTS: Final = {**_START_ARGUMENTS, "Input": _Argument(False, "string")}


def problems_of(
    integration: Integration, arguments: JSON, *, is_open: Callable[[object], bool] = lambda _: False
) -> list[str]:
    """What is wrong with the arguments. ``is_open`` tells a value that is known only at run time."""
    if integration.is_plain_function or is_open(arguments):
        return []
    if not isinstance(arguments, dict):
        return ["the arguments must be an object"]
    allowed = _arguments_of(integration)
    problems = [
        f"the field '{name}' is not supported; one of {', '.join(allowed)}" for name in arguments if name not in allowed
    ]
    for name, argument in allowed.items():
        problems.extend(_problems_of_one(name, argument, arguments, is_open))
    return problems


def _arguments_of(integration: Integration) -> Mapping[str, _Argument]:
    if integration.mode is None:
        return _INVOKE_ARGUMENTS
    return _START_SYNC_ARGUMENTS if integration.mode is Mode.EXPRESS else _START_ARGUMENTS


def _problems_of_one(
    name: str, argument: _Argument, given: Mapping[str, JSON], is_open: Callable[[object], bool]
) -> list[str]:
    if name not in given:
        return [f"the field '{name}' is required but was missing"] if argument.required else []
    value = given[name]
    if is_open(value):
        return []
    if argument.kind == "string" and not isinstance(value, str):
        return [f"the value for the field '{name}' must be a STRING"]
    if name == "InvocationType" and value != "RequestResponse":
        return [f"InvocationType '{value}' is not supported; only RequestResponse is"]
    if name == "Input" and isinstance(value, str) and not _is_json(value):
        return ["the value for the field 'Input' must be JSON text"]
    return []


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def effect_of(
    integration: Integration, task: int, arguments: Any, token: str | None
) -> InvokeFunction | StartExecution:
    """The effect of arguments that have been checked."""
    if integration.mode is not None:
        return StartExecution(
            task=task,
            machine=arguments["StateMachineArn"],
            name=arguments.get("Name"),
            input=_input_text(arguments.get("Input")),
            mode=integration.mode,
            token=token,
        )
    if integration.function_arn is not None:
        return InvokeFunction(task=task, function=integration.function_arn, payload=arguments)
    qualifier = f":{arguments['Qualifier']}" if "Qualifier" in arguments else ""
    return InvokeFunction(
        task=task, function=arguments["FunctionName"] + qualifier, payload=arguments.get("Payload", {}), token=token
    )


def _input_text(given: JSON) -> str:
    """No input is the empty object; text is taken as JSON text already."""
    if given is None:
        return "{}"
    return given if isinstance(given, str) else to_text(given)


def function_name(function: str) -> str:
    """``NAME`` of a name, ``NAME:alias``, a partial or a full ARN."""
    if ":function:" in function:
        function = function.split(":function:", 1)[1]
    return function.split(":", 1)[0]


def machine_name(machine: str) -> str:
    """``NAME`` of a state machine's ARN, or of a bare name; a version or an alias is left out."""
    if ":stateMachine:" in machine:
        machine = machine.split(":stateMachine:", 1)[1]
    return machine.split(":", 1)[0]
