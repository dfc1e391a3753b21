"""The types and lengths of request members, as AWS's model of Step Functions has them.

Every request is checked before an operation reads it, so operations rely on the types. A member that is null is absent,
and one that the model does not have is ignored, as at AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workflows.embedded.step_functions.api_requests import Parameters, StepFunctionsRefusal, invalid

_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_KINDS: Final[Mapping[type, str]] = {str: "a string", int: "a whole number", bool: "true or false", list: "a list",
                                     dict: "an object"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberShape:
    """A type of JSON. ``length_max`` is that of a text in characters.

    A ``free`` text may have half of a surrogate pair, which UTF-8 cannot encode; it names nothing.
    """

    kind: type
    length_max: int | None = None
    free: bool = False
    element: MemberShape | None = None
    members: Mapping[str, MemberShape] = field(default_factory=dict)


def _text(length_max: int | None = None, *, free: bool = False) -> MemberShape:
    return MemberShape(kind=str, length_max=length_max, free=free)


def _list(element: MemberShape) -> MemberShape:
    return MemberShape(kind=list, element=element)


def _object(**members: MemberShape) -> MemberShape:
    return MemberShape(kind=dict, members=members)


_ARN: Final = _text(256)
_NAME: Final = _text()  # InvalidName says what is wrong with a name, its length too
_DATA: Final = _text(262_144, free=True)
_ERROR: Final = _text(256, free=True)
_CAUSE: Final = _text(32_768, free=True)
_DESCRIPTION: Final = _text(256)
_WHOLE: Final = MemberShape(kind=int)
_FLAG: Final = MemberShape(kind=bool)

REQUEST: Final = _object(
    cause=_CAUSE,
    clientToken=_text(64),
    context=_DATA,
    definition=_text(1_048_576),
    description=_DESCRIPTION,
    encryptionConfiguration=_object(),
    error=_ERROR,
    executionArn=_ARN,
    includeExecutionData=_FLAG,
    includedData=_text(),
    input=_DATA,
    inspectionLevel=_text(),
    loggingConfiguration=_object(level=_text(), includeExecutionData=_FLAG, destinations=_list(_object())),
    mapRunArn=_text(2000),
    maxResults=_WHOLE,
    mock=_object(result=_DATA, errorOutput=_object(error=_ERROR, cause=_CAUSE), fieldValidationMode=_text()),
    name=_NAME,
    nextToken=_text(3096),
    output=_DATA,
    publish=_FLAG,
    redriveFilter=_text(),
    resourceArn=_ARN,
    revealSecrets=_FLAG,
    reverseOrder=_FLAG,
    revisionId=_text(),
    roleArn=_ARN,
    routingConfiguration=_list(_object(stateMachineVersionArn=_ARN, weight=_WHOLE)),
    severity=_text(),
    stateConfiguration=_object(
        retrierRetryCount=_WHOLE,
        errorCausedByState=_text(80),
        mapIterationFailureCount=_WHOLE,
        mapItemReaderData=_DATA,
    ),
    stateMachineAliasArn=_ARN,
    stateMachineArn=_ARN,
    stateMachineVersionArn=_text(2000),
    stateName=_text(80),
    statusFilter=_text(),
    tagKeys=_list(_text(128)),
    tags=_list(_object(key=_text(128), value=_text(256))),
    taskToken=_text(2048),
    traceHeader=_text(256),
    tracingConfiguration=_object(enabled=_FLAG),
    type=_text(),
    variables=_DATA,
    versionDescription=_DESCRIPTION,
)


def checked(parameters: Parameters) -> Parameters:
    """Return a request without its null members. Raises StepFunctionsRefusal if one has another type or length."""
    return _checked_members(parameters, REQUEST, "")


def _checked_members(value: Mapping[str, Any], shape: MemberShape, place: str) -> Parameters:
    return {
        name: _checked(member, shape.members[name], f"{place}{name}") if name in shape.members else member
        for name, member in value.items()
        if member is not None
    }


def _checked(value: Any, shape: MemberShape, place: str) -> Any:
    if type(value) is not shape.kind:
        raise StepFunctionsRefusal("SerializationException", f"'{place}' must be {_KINDS[shape.kind]}")
    if isinstance(value, dict):
        return _checked_members(value, shape, f"{place}.")
    if isinstance(value, list) and shape.element is not None:
        return [_checked(item, shape.element, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, str):
        _check_text(value, shape, place)
    return value


def _check_text(value: str, shape: MemberShape, place: str) -> None:
    if shape.length_max is not None and len(value) > shape.length_max:
        raise invalid(
            f"1 validation error detected: Value at '{place}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {shape.length_max}"
        )
    if not shape.free and _HALF_PAIR.search(value):
        raise StepFunctionsRefusal("SerializationException", f"'{place}' has half of a surrogate pair")
