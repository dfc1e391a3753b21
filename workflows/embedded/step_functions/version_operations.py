"""The operations on versions and aliases of machines: one method each, from its parameters to its result, both JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from workflows.asl.reading.integrations import machine_name, qualified_name
from workflows.embedded import arns
from workflows.embedded.step_functions.api_requests import (
    Operations,
    Parameters,
    Result,
    StepFunctionsRefusal,
    invalid,
    machine_arn_of,
    text_of,
)
from workflows.embedded.step_functions.machine_store import MachineMissing, MachineStore, StoredMachine
from workflows.embedded.step_functions.pages import page_of
from workflows.embedded.step_functions.version_store import (
    AliasExists,
    MachineAlias,
    MachineVersion,
    VersionInUse,
    VersionMissing,
    VersionStore,
)

_ALIAS: Final = re.compile(r"(?![0-9]+$)[A-Za-z0-9_.-]{1,80}")
_ROUTES_MAX = 2
_WHOLE = 100  # percent
_VERSIONS_MAX = 1000
_ALIASES_MAX = 100
_FIRST_REVISION = "INITIAL"  # AWS's name for the revision of a machine that was never updated


class VersionOperations:
    """Works on one store of machines and their versions. Threads share it."""

    def __init__(self, machines: MachineStore, versions: VersionStore) -> None:
        self._machines = machines
        self._versions = versions

    def by_name(self) -> Operations:
        """Return the operations by their names in the protocol."""
        return {
            "PublishStateMachineVersion": self._publish,
            "ListStateMachineVersions": self._list_versions,
            "DeleteStateMachineVersion": self._delete_version,
            "CreateStateMachineAlias": self._create_alias,
            "UpdateStateMachineAlias": self._update_alias,
            "DescribeStateMachineAlias": self._describe_alias,
            "ListStateMachineAliases": self._list_aliases,
            "DeleteStateMachineAlias": self._delete_alias,
        }

    def _publish(self, parameters: Parameters) -> Result:
        stored = self._stored(machine_arn_of(parameters))
        wanted = parameters.get("revisionId")
        if wanted is not None and wanted != (stored.revision or _FIRST_REVISION):
            raise _conflict(f"The revision of the state machine is {stored.revision or _FIRST_REVISION}, not {wanted}")
        return published(self._versions, stored, parameters.get("description", ""))

    def _list_versions(self, parameters: Parameters) -> Result:
        name = self._stored(machine_arn_of(parameters)).machine.name
        versions = self._versions.versions(name)
        page, following = page_of(
            "ListStateMachineVersions", parameters, versions, lambda version: version.number, descending=True
        )
        return {"stateMachineVersions": [_listed_version(version) for version in page], **following}

    def _delete_version(self, parameters: Parameters) -> Result:
        name, number = _version_of(machine_arn_of(parameters, "stateMachineVersionArn"))
        try:
            self._versions.delete_version(name, number)
        except VersionInUse as error:
            raise _conflict("Version to be deleted must not be referenced by an alias") from error
        return {}

    def _create_alias(self, parameters: Parameters) -> Result:
        alias = text_of(parameters, "name")
        if not _ALIAS.fullmatch(alias):
            raise StepFunctionsRefusal("InvalidName", f"Invalid Name: '{alias}'")
        name, routes = self._routes_of(parameters.get("routingConfiguration"))
        if len(self._versions.aliases(name)) >= _ALIASES_MAX:
            raise _too_many(f"A state machine has at most {_ALIASES_MAX} aliases")
        try:
            created = self._versions.create_alias(name, alias, parameters.get("description", ""), routes)
        except AliasExists as error:
            raise _conflict("State Machine Alias with the same name already exists") from error
        return _listed_alias(created)

    def _update_alias(self, parameters: Parameters) -> Result:
        name, alias = _alias_of(machine_arn_of(parameters, "stateMachineAliasArn"))
        description, routing, routes = parameters.get("description"), parameters.get("routingConfiguration"), None
        if description is None and routing is None:
            raise invalid("Either description or routingConfiguration must be specified")
        if routing is not None:
            of, routes = self._routes_of(routing)
            if of != name:
                raise invalid("The versions of an alias must be those of its state machine")
        try:
            updated = self._versions.update_alias(name, alias, description, routes)
        except VersionMissing:
            _no_alias(name, alias)
        return {"updateDate": updated.updated_at}

    def _describe_alias(self, parameters: Parameters) -> Result:
        name, alias = _alias_of(machine_arn_of(parameters, "stateMachineAliasArn"))
        try:
            found = self._versions.alias(name, alias)
        except VersionMissing:
            _no_alias(name, alias)
        routing = [
            {"stateMachineVersionArn": arns.qualified_machine_arn(name, number), "weight": weight}
            for number, weight in found.routes.items()
        ]
        more = {"description": found.description} if found.description else {}
        times = {"creationDate": found.created_at, "updateDate": found.updated_at}
        return {**_listed_alias(found), "name": alias, **more, "routingConfiguration": routing, **times}

    def _list_aliases(self, parameters: Parameters) -> Result:
        arn = machine_arn_of(parameters)
        name, _, qualifier = qualified_name(arn).partition(":")
        aliases = self._versions.aliases(self._stored(arns.machine_arn(name)).machine.name)
        if qualifier:
            _, number = _version_of(arn)
            aliases = [alias for alias in aliases if number in alias.routes]
        page, following = page_of("ListStateMachineAliases", parameters, aliases, _age_of, descending=True)
        return {"stateMachineAliases": [_listed_alias(alias) for alias in page], **following}

    def _delete_alias(self, parameters: Parameters) -> Result:
        name, alias = _alias_of(machine_arn_of(parameters, "stateMachineAliasArn"))
        try:
            self._versions.delete_alias(name, alias)
        except VersionMissing:
            _no_alias(name, alias)
        return {}

    def _stored(self, arn: str) -> StoredMachine:
        if ":" in qualified_name(arn):
            raise invalid(f"'{arn}' is a version or an alias; the operation takes a state machine")
        try:
            return self._machines.stored(machine_name(arn))
        except MachineMissing:
            message = f"State Machine Does Not Exist: '{arn}'"
            raise StepFunctionsRefusal("StateMachineDoesNotExist", message) from None

    def _routes_of(self, routing: Any) -> tuple[str, Mapping[int, int]]:
        """Return the machine and the weight by version number. Raises StepFunctionsRefusal."""
        if not isinstance(routing, list) or not 1 <= len(routing) <= _ROUTES_MAX:
            raise invalid(f"'routingConfiguration' must have one or {_ROUTES_MAX} versions")
        names, routes = set(), {}
        for route in routing:
            name, number = _version_of(machine_arn_of(route, "stateMachineVersionArn"))
            weight = route.get("weight")
            if type(weight) is not int or not 0 <= weight <= _WHOLE:
                raise invalid(f"'weight' must be a whole number from 0 to {_WHOLE}")
            try:
                self._versions.version(name, number)
            except VersionMissing:
                arn = arns.qualified_machine_arn(name, number)
                raise StepFunctionsRefusal("ResourceNotFound", f"Resource not found: '{arn}'") from None
            names.add(name)
            routes[number] = weight
        if len(names) > 1 or len(routes) < len(routing):
            raise invalid("The versions of an alias must be different versions of one state machine")
        if sum(routes.values()) != _WHOLE:
            raise invalid(f"The weights of 'routingConfiguration' must be {_WHOLE} together")
        return names.pop(), routes


def published(versions: VersionStore, stored: StoredMachine, description: str) -> Result:
    """Publish the current revision of a machine. Raises StepFunctionsRefusal."""
    if len(versions.versions(stored.machine.name)) >= _VERSIONS_MAX:
        raise _too_many(f"A state machine has at most {_VERSIONS_MAX} versions")
    return _listed_version(versions.publish(stored, description))


def _listed_version(version: MachineVersion) -> Result:
    arn = arns.qualified_machine_arn(version.machine.name, version.number)
    return {"stateMachineVersionArn": arn, "creationDate": version.created_at}


def _listed_alias(alias: MachineAlias) -> Result:
    arn = arns.qualified_machine_arn(alias.machine, alias.name)
    return {"stateMachineAliasArn": arn, "creationDate": alias.created_at}


def _age_of(alias: MachineAlias) -> list[str]:
    return [alias.created_at.isoformat(), alias.name]


def is_version(qualifier: str) -> bool:
    """Whether the qualifier of an ARN is the number of a version and not the name of an alias."""
    return qualifier.isascii() and qualifier.isdecimal()


def _version_of(arn: str) -> tuple[str, int]:
    name, _, number = qualified_name(arn).partition(":")
    if not is_version(number):
        raise StepFunctionsRefusal("InvalidArn", f"Invalid Arn: '{arn}' is not the ARN of a state machine version")
    return name, int(number)


def _alias_of(arn: str) -> tuple[str, str]:
    name, _, alias = qualified_name(arn).partition(":")
    if not alias or is_version(alias):
        raise StepFunctionsRefusal("InvalidArn", f"Invalid Arn: '{arn}' is not the ARN of a state machine alias")
    return name, alias


def _no_alias(name: str, alias: str) -> NoReturn:
    arn = arns.qualified_machine_arn(name, alias)
    raise StepFunctionsRefusal("ResourceNotFound", f"Resource not found: '{arn}'") from None


def _conflict(message: str) -> StepFunctionsRefusal:
    return StepFunctionsRefusal("ConflictException", message)


def _too_many(message: str) -> StepFunctionsRefusal:
    return StepFunctionsRefusal("ServiceQuotaExceededException", message)
