"""The stacks as one: the parameters of a stack that are outputs of an earlier one, replaced by what these refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def wired(part: Any, *earlier: Mapping[str, Any]) -> Any:
    """Replace references to the outputs of earlier stacks, as ``make deploy`` passes them to the parameters."""
    outputs = {name: output["Value"] for stack in reversed(earlier) for name, output in stack["Outputs"].items()}
    return _replaced(part, {name: _usual(value) for name, value in outputs.items()})


def _usual(value: Any) -> Any:
    """Return the value without a restored table."""
    match value:
        case {"Fn::If": ["HasRestoredEvents", _, usual]}:
            return usual
        case _:
            return value


def _replaced(part: Any, outputs: Mapping[str, Any]) -> Any:
    match part:
        case {"Ref": name} if name in outputs:
            return outputs[name]
        case {"Fn::Sub": str(text)}:
            return {"Fn::Sub": re.sub(r"\$\{(\w+)\}", lambda match: _in_text(match, outputs), text)}
        case dict():
            return {key: _replaced(value, outputs) for key, value in part.items()}
        case list():
            return [_replaced(value, outputs) for value in part]
        case _:
            return part


def _in_text(match: re.Match[str], outputs: Mapping[str, Any]) -> str:
    match outputs.get(match[1]):
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case _:
            return match[0]
