"""Who may do what on what: the policies of a plain template, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Statement:
    """``owner`` is the logical id of the resource that it stands in. Actions and resources are texts: see ``named``."""

    owner: str
    sid: str
    effect: str
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Any]


def named(value: Any) -> str:
    """An ARN or a reference as one text: ``Events.Arn``, ``OrderMachine``, ``FailedBatches.Arn/*``."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "").replace("}", "")
        case _:
            raise AssertionError(f"what is {value!r}?")


def statements_of(document: Mapping[str, Any], owner: str) -> Iterator[Statement]:
    for found in _listed(document["Statement"]):
        yield Statement(
            owner=owner,
            sid=found.get("Sid", ""),
            effect=found["Effect"],
            principals=tuple(_principals(found.get("Principal", ()))),
            actions=tuple(_listed(found["Action"])),
            resources=tuple(named(item) for item in _listed(found.get("Resource", ()))),
            conditions=found.get("Condition", {}),
        )


def every_statement(resources: Resources) -> list[Statement]:
    """Of roles and managed policies, of keys, buckets, queues and topics; trust in a service is none."""
    found: list[Statement] = []
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        documents = [properties.get("PolicyDocument"), properties.get("KeyPolicy")]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", ()) if isinstance(policy, dict)]
        found += [item for document in documents if document for item in statements_of(document, name)]
    return found


def may(resources: Resources, role: str) -> set[tuple[str, str]]:
    """The actions and resources that a role is allowed, by its own policies and by managed ones, either way round."""
    properties = resources[role]["Properties"]
    managed = {named(item) for item in properties.get("ManagedPolicyArns", ())}
    managed |= {
        name
        for name, item in resources.items()
        if item["Type"] == "AWS::IAM::ManagedPolicy" and {"Ref": role} in item["Properties"].get("Roles", ())
    }
    return {
        (action, resource)
        for statement in every_statement(resources)
        if statement.owner == role or statement.owner in managed
        for action in statement.actions
        for resource in statement.resources
    }


def role_of(properties: Mapping[str, Any]) -> str:
    """The logical id of the role of a function, machine or schedule."""
    return named(properties.get("Role") or properties.get("RoleArn")).partition(".")[0]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _principals(principal: Any) -> Iterator[str]:
    if isinstance(principal, Mapping):
        for kind in principal.values():
            yield from (named(item) for item in _listed(kind))
    else:
        yield from _listed(principal)
