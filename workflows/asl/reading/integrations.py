"""The resources that a Task may name, their arguments, and the effects that perform them.

``find`` reads a Resource. ``problems_of`` checks arguments: literal ones when the definition is read, and all of them
after they were evaluated. ``effect_of`` builds the effect. ``answers.py`` builds the answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.asl.json_text import from_text, to_text
from workflows.asl.signals import JSON, InvokeFunction, Mode, StartExecution


class UnsupportedResource(ValueError):
    """The Resource is not supported. The message lists those that are."""


class ServiceRefusal(Exception):
    """The service refuses a call before it is made. ``error`` and ``cause`` are those of the failed task."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One resource.

    ``resource_type`` and ``resource`` appear in history events. ``function_arn`` is set if the Resource is a Lambda
    function's ARN; ``mode`` is set if the Resource starts an execution; ``service`` is set if the Resource calls
    another service: the Resource without its suffix, by which drivers find what performs the call.
    """

    resource_type: str
    resource: str
    mode: Mode | None = None
    function_arn: str | None = None
    service: str | None = None
    waits_for_token: bool = False

    @property
    def is_plain_function(self) -> bool:
        """Whether the Resource is a function's ARN: its history events differ, and its output is the bare result."""
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
_SERVICE: Final = re.compile(
    r"(?P<service>arn:aws:states:::(?P<type>(?:aws-sdk:)?[a-z0-9]+):(?P<action>[a-zA-Z0-9]+))(?P<token>\.waitForTaskToken)?"
)
OPTIMISED: Final = frozenset(
    {
        *(f"arn:aws:states:::dynamodb:{action}Item" for action in ("get", "put", "update", "delete")),
        "arn:aws:states:::sqs:sendMessage",
        "arn:aws:states:::sns:publish",
        "arn:aws:states:::events:putEvents",
        "arn:aws:states:::http:invoke",
        "arn:aws:states:::apigateway:invoke",
        *(f"arn:aws:states:::athena:{action}" for action in ("getQueryExecution", "getQueryResults")),
        *(f"arn:aws:states:::athena:{action}QueryExecution" for action in ("start", "stop")),
        "arn:aws:states:::batch:submitJob",
        "arn:aws:states:::bedrock:invokeModel",
        *(f"arn:aws:states:::codebuild:{action}Build" for action in ("start", "stop")),
        "arn:aws:states:::ecs:runTask",
        "arn:aws:states:::glue:startJobRun",
        "arn:aws:states:::mediaconvert:createJob",
    }
)
_PARTITION: Final = re.compile(r"^arn:aws(?:-cn|-us-gov)?:")


CanCall = Callable[[str], bool]
"""Whether calls of a service's action (``arn:aws:states:::sqs:sendMessage``) can be performed."""


def find(resource: str, can_call: CanCall) -> Integration:
    """Find the integration of a Resource.

    Raises:
        UnsupportedResource: The Resource is not supported.
    """
    resource = _PARTITION.sub("arn:aws:", resource)
    known = _KNOWN.get(resource)
    if known is not None:
        return known
    if _FUNCTION_ARN.fullmatch(resource):
        return Integration(resource_type="lambda", resource="invoke", function_arn=resource)
    if ":activity:" in resource:
        raise UnsupportedResource("Activities are not supported; use arn:aws:states:::lambda:invoke.waitForTaskToken")
    service = _SERVICE.fullmatch(resource)
    if service is not None and (service["type"].startswith("aws-sdk:") or service["service"] in OPTIMISED):
        return _service(service, can_call)
    raise UnsupportedResource(
        f"'{resource}' is not supported; use a Lambda function's ARN, arn:aws:states:::aws-sdk:SERVICE:ACTION, or one"
        f" of {', '.join((*_KNOWN, *sorted(OPTIMISED)))}"
    )


def _service(found: re.Match[str], can_call: CanCall) -> Integration:
    if not can_call(found["service"]):
        raise UnsupportedResource(
            f"nothing performs calls of '{found['service']}' here: give a callable by this name, or an endpoint"
        )
    token = found["token"]
    resource = found["action"] + (token or "")
    return Integration(
        resource_type=found["type"], resource=resource, service=found["service"], waits_for_token=token is not None
    )


@dataclass(frozen=True, slots=True)
class _Argument:
    required: bool
    kind: str  # "string" or "json"


_INVOKE_ARGUMENTS: Final = {
    "FunctionName": _Argument(True, "string"),
    "Payload": _Argument(False, "json"),
    "Qualifier": _Argument(False, "string"),
    "ClientContext": _Argument(False, "string"),
    "LogType": _Argument(False, "string"),
    "InvocationType": _Argument(False, "string"),
}
_START_ARGUMENTS: Final = {
    "StateMachineArn": _Argument(True, "string"),
    "Name": _Argument(False, "string"),
    "Input": _Argument(False, "json"),
}


def problems_of(
    integration: Integration, arguments: JSON, *, is_open: Callable[[object], bool] | None = None
) -> list[str]:
    """List what is wrong with the arguments.

    Args:
        is_open: Whether a value is an expression, which is known only at run time and is not checked; None if every
            value is known.
    """
    if integration.is_plain_function or (is_open is not None and is_open(arguments)):
        return []
    if not isinstance(arguments, dict):
        return ["the arguments must be an object"]
    if integration.service is not None:
        return []  # the service checks them
    allowed = _arguments_of(integration)
    problems = [
        f"the field '{name}' is not supported; one of {', '.join(allowed)}" for name in arguments if name not in allowed
    ]
    for name, argument in allowed.items():
        if name not in arguments:
            if argument.required:
                problems.append(f"the field '{name}' is required but was missing")
        elif is_open is None or not is_open(arguments[name]):
            problems += _problems_of_one(name, argument, arguments[name])
    return problems


def _arguments_of(integration: Integration) -> Mapping[str, _Argument]:
    return _INVOKE_ARGUMENTS if integration.mode is None else _START_ARGUMENTS


def _problems_of_one(name: str, argument: _Argument, value: JSON) -> list[str]:
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
    """Build the effect of a task. The arguments must have passed ``problems_of``.

    Raises:
        ServiceRefusal: The service would refuse the call.
    """
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
    if integration.service is not None:
        return InvokeFunction(task=task, function=integration.service, payload=arguments, token=token)
    qualifier = f":{arguments['Qualifier']}" if "Qualifier" in arguments else ""
    payload = _payload_of(arguments.get("Payload"))
    return InvokeFunction(task=task, function=arguments["FunctionName"] + qualifier, payload=payload, token=token)


def _payload_of(value: JSON) -> JSON:
    """Return the event of a function. A text is JSON text; without Payload, or with null, it is the empty object."""
    if not isinstance(value, str):
        return {} if value is None else value
    try:
        return from_text(value)
    except ValueError as error:
        what = f"Could not parse request body into json: {error}"
        cause = f"{what} (Service: Lambda, Status Code: 400, Request ID: 0)"
        raise ServiceRefusal("Lambda.InvalidRequestContentException", cause) from None


def _input_text(value: JSON) -> str:
    """Encode an Input. A text is JSON text already; no Input is the empty object."""
    if value is None:
        return "{}"
    return value if isinstance(value, str) else to_text(value)


def function_name(function: str) -> str:
    """Return the function's bare name. Takes a name, ``NAME:alias``, a partial ARN or a full ARN.

    A service's action, which is performed like a function, is named by its whole Resource.
    """
    if function.startswith("arn:aws:states:::"):
        return function
    if ":function:" in function:
        function = function.split(":function:", 1)[1]
    return function.split(":", 1)[0]


def function_qualifier(function: str) -> str:
    """Return the version or alias in a function's name or ARN, in the forms of ``function_name``; empty without one."""
    return function.rpartition(":function:")[2].partition(":")[2] if not function.startswith("arn:aws:states:") else ""


def machine_name(machine: str) -> str:
    """Return the state machine's bare name. Takes a name or an ARN, with or without version or alias."""
    return qualified_name(machine).split(":", 1)[0]


def qualified_name(machine: str) -> str:
    """Return the state machine's name with its version or alias, if it has one: ``Orders``, ``Orders:3``."""
    return machine.split(":stateMachine:", 1)[-1]
