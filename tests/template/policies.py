"""Read the policies of a plain template: which role may do which action on which resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Statement:
    """A policy statement.

    ``owner`` is the logical id of its resource; actions and resources are texts, see ``named``.
    """

    owner: str
    sid: str
    effect: str
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Any]


def named(value: Any) -> str:
    """Format an ARN or reference as text: ``Events.Arn``, ``OrderMachine``, ``FailedBatches.Arn/*``, ``Feed.Alias``."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return re.sub(r"Aliaslive$", ".Alias", str(name))
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "").replace("}", "")
        case _:
            raise AssertionError(f"what is {value!r}?")


def function_of(value: Any) -> str:
    """Return the logical id of a function from a reference to it or to its alias."""
    return named(value).partition(".")[0]


def statements_of(document: Mapping[str, Any], owner: str) -> Iterator[Statement]:
    for raw in _listed(document["Statement"]):
        yield Statement(
            owner=owner,
            sid=raw.get("Sid", ""),
            effect=raw["Effect"],
            principals=tuple(_principals(raw.get("Principal", ()))),
            actions=tuple(_listed(raw["Action"])),
            resources=tuple(named(item) for item in _listed(raw.get("Resource", ()))),
            conditions=raw.get("Condition", {}),
        )


def every_statement(resources: Resources) -> list[Statement]:
    """List the statements of roles, managed policies, keys, buckets, queues and topics, without trust policies."""
    statements: list[Statement] = []
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        documents = [properties.get("PolicyDocument"), properties.get("KeyPolicy")]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", ()) if isinstance(policy, dict)]
        statements += [item for document in documents if document for item in statements_of(document, name)]
    return statements


def may(resources: Resources, role: str) -> set[tuple[str, str]]:
    """Collect the pairs of action and resource that a role's own and managed policies allow."""
    return {
        (action, resource)
        for statement in statements_for(resources, role)
        for action in statement.actions
        for resource in statement.resources
    }


def statements_for(resources: Resources, role: str) -> list[Statement]:
    """List the statements of a role's own and managed policies."""
    properties = resources[role]["Properties"]
    managed = {named(item) for item in properties.get("ManagedPolicyArns", ())}
    managed |= {
        name
        for name, item in resources.items()
        if item["Type"] == "AWS::IAM::ManagedPolicy" and {"Ref": role} in item["Properties"].get("Roles", ())
    }
    return [
        statement for statement in every_statement(resources) if statement.owner == role or statement.owner in managed
    ]


def role_of(properties: Mapping[str, Any]) -> str:
    """Return the logical id of the role of a function, machine or schedule."""
    return named(properties.get("Role") or properties.get("RoleArn")).partition(".")[0]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _principals(principal: Any) -> Iterator[str]:
    if isinstance(principal, Mapping):
        for kind in principal.values():
            yield from (named(item) for item in _listed(kind))
    else:
        yield from _listed(principal)
