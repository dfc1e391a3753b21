"""The operations on machines that clients create: one method each, from its parameters to its result, both JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from workflows.asl.reading import definition
from workflows.asl.reading.definition import InvalidDefinition
from workflows.asl.reading.integrations import CanCall, machine_name, qualified_name
from workflows.embedded import arns
from workflows.embedded.step_functions.api_requests import (
    Operations,
    Parameters,
    Result,
    StepFunctionsRefusal,
    arn_of,
    execution_arn_of,
    invalid,
    machine_arn_of,
    refuse_metadata_only,
    refuse_parameters,
    text_of,
)
from workflows.embedded.step_functions.diagnostics import diagnostics_of, refusal_of, text_problem
from workflows.embedded.step_functions.machine_store import MachineExists, MachineMissing, MachineStore, StoredMachine
from workflows.embedded.step_functions.pages import limit_of, page_of
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.version_operations import is_version, published
from workflows.embedded.step_functions.version_store import VersionMissing, VersionStore

_CONFIGURATION: Final[Mapping[str, Any]] = {
    "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
}
_TAGS_MAX = 50
_NOTHING_TO_UPDATE = (
    "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"
)
_TYPES: Final = {"STANDARD": False, "EXPRESS": True}


class MachineOperations:
    """Works on one store. Threads share it."""

    def __init__(self, machines: MachineStore, versions: VersionStore, reports: Reports, can_call: CanCall) -> None:
        self._machines = machines
        self._versions = versions
        self._reports = reports
        self._can_call = can_call

    def by_name(self) -> Operations:
        """Return the operations by their names in the protocol."""
        return {
            "CreateStateMachine": self._create,
            "UpdateStateMachine": self._update,
            "DescribeStateMachine": self._describe,
            "DescribeStateMachineForExecution": self._describe_for_execution,
            "DeleteStateMachine": self._delete,
            "ListStateMachines": self._list,
            "ValidateStateMachineDefinition": self._validate,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    def _create(self, parameters: Parameters) -> Result:
        name = text_of(parameters, "name")
        if not arns.NAME.fullmatch(name):
            raise StepFunctionsRefusal("InvalidName", f"Invalid Name: '{name}'")
        _check_publishing(parameters)
        text, express = text_of(parameters, "definition"), _express(parameters)
        _check_text(text)
        try:
            stored = self._machines.create(
                name,
                text,
                express=express,
                role_arn=arn_of(parameters, "roleArn"),
                tags=_few(_tags(parameters), name),
                configuration=_configuration(parameters),
            )
        except InvalidDefinition as error:
            raise refusal_of(error) from error
        except MachineExists as error:
            message = f"State Machine Already Exists: '{arns.machine_arn(name)}'"
            raise StepFunctionsRefusal("StateMachineAlreadyExists", message) from error
        created = {"stateMachineArn": arns.machine_arn(name), "creationDate": stored.created_at}
        return {**created, **self._published(parameters, stored)}

    def _update(self, parameters: Parameters) -> Result:
        arn = _unqualified(parameters)
        _check_publishing(parameters)
        text, role_arn = (
            parameters.get("definition"),
            arn_of(parameters, "roleArn") if "roleArn" in parameters else None,
        )
        configuration = _configuration(parameters)
        if text is None and role_arn is None and not configuration:
            raise StepFunctionsRefusal("MissingRequiredParameter", _NOTHING_TO_UPDATE)
        if text is not None:
            _check_text(text)
        try:
            stored = self._machines.update(machine_name(arn), text=text, role_arn=role_arn, configuration=configuration)
        except InvalidDefinition as error:
            raise refusal_of(error) from error
        except MachineMissing:
            _no_machine(arn)
        updated = {"updateDate": stored.updated_at, "revisionId": stored.revision}
        return {**updated, **self._published(parameters, stored)}

    def _published(self, parameters: Parameters, stored: StoredMachine) -> Result:
        """Publish what was created or updated, if the caller wants that."""
        if not parameters.get("publish"):
            return {}
        version = published(self._versions, stored, parameters.get("versionDescription", ""))
        return {"stateMachineVersionArn": version["stateMachineVersionArn"]}

    def _describe(self, parameters: Parameters) -> Result:
        refuse_metadata_only(parameters)
        arn = machine_arn_of(parameters)
        stored = self._stored(arn)
        if ":" in qualified_name(arn):
            return {**self._described_version(arn), **_shown_configuration(stored)}
        described = {**_listed(stored), "status": "ACTIVE", "definition": stored.machine.definition.text}
        return {**described, "roleArn": stored.machine.role_arn, **_shown_configuration(stored), **_revision(stored)}

    def _described_version(self, arn: str) -> Result:
        name, _, number = qualified_name(arn).partition(":")
        if not is_version(number):
            raise invalid(f"'{arn}' is an alias: DescribeStateMachineAlias describes it")
        try:
            version = self._versions.version(name, int(number))
        except VersionMissing:
            _no_machine(arn)
        machine = version.machine
        kind = "EXPRESS" if machine.express else "STANDARD"
        described = {"stateMachineArn": arn, "name": name, "type": kind, "creationDate": version.created_at}
        more = {
            name: value
            for name, value in (("description", version.description), ("revisionId", version.revision))
            if value
        }
        text = {"status": "ACTIVE", "definition": machine.definition.text, "roleArn": machine.role_arn}
        return {**described, **text, **more}

    def _describe_for_execution(self, parameters: Parameters) -> Result:
        refuse_metadata_only(parameters)
        arn = execution_arn_of(parameters)
        try:
            run = self._reports.definition_of(arn)
        except LookupError:
            raise StepFunctionsRefusal("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'") from None
        described = {"stateMachineArn": arns.machine_arn(run.machine), "name": run.machine, "definition": run.text}
        described["roleArn"] = run.role_arn
        stored = self._machines.find(run.machine)
        if stored is None or (stored.machine.definition.text, stored.machine.role_arn) != (run.text, run.role_arn):
            return {**described, **_CONFIGURATION, "updateDate": run.started_at}  # an earlier revision is not kept
        return {**described, "updateDate": stored.updated_at, **_shown_configuration(stored), **_revision(stored)}

    def _delete(self, parameters: Parameters) -> Result:
        name = machine_name(_unqualified(parameters))
        self._machines.delete(name)
        self._versions.delete_all(name)
        return {}

    def _list(self, parameters: Parameters) -> Result:
        page, following = page_of("ListStateMachines", parameters, list(self._machines), str)
        listed = [_listed(self._machines.stored(name)) for name in page if name in self._machines]
        return {"stateMachines": listed, **following}

    def _validate(self, parameters: Parameters) -> Result:
        text, limit = parameters.get("definition", ""), limit_of(parameters)
        diagnostics = [found] if (found := text_problem(text)) else []
        if not diagnostics:
            try:
                definition.parse(text, name="machine", express=_express(parameters), can_call=self._can_call)
            except InvalidDefinition as error:
                diagnostics = diagnostics_of(error)
        return {
            "result": "FAIL" if diagnostics else "OK",
            "diagnostics": diagnostics[:limit],
            "truncated": len(diagnostics) > limit,
        }

    def _tag(self, parameters: Parameters) -> Result:
        return self._changed_tags(parameters, _tags(parameters), ())

    def _untag(self, parameters: Parameters) -> Result:
        return self._changed_tags(parameters, {}, parameters.get("tagKeys", ()))

    def _changed_tags(self, parameters: Parameters, added: Mapping[str, str], removed: Any) -> Result:
        arn = arn_of(parameters, "resourceArn")
        try:
            _few({**self._machines.stored(_tagged_name(arn)).tags, **added}, arn)
            self._machines.tag(_tagged_name(arn), added, removed)
        except MachineMissing:
            _no_resource(arn)
        return {}

    def _list_tags(self, parameters: Parameters) -> Result:
        arn = arn_of(parameters, "resourceArn")
        try:
            tags = self._machines.stored(_tagged_name(arn)).tags
        except MachineMissing:
            _no_resource(arn)
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _stored(self, arn: str) -> StoredMachine:
        try:
            return self._machines.stored(machine_name(arn))
        except MachineMissing:
            _no_machine(arn)


def _listed(stored: StoredMachine) -> Result:
    name = stored.machine.name
    kind = "EXPRESS" if stored.machine.express else "STANDARD"
    return {"stateMachineArn": arns.machine_arn(name), "name": name, "type": kind, "creationDate": stored.created_at}


def _revision(stored: StoredMachine) -> Result:
    return {"revisionId": stored.revision} if stored.revision is not None else {}


def _shown_configuration(stored: StoredMachine) -> Result:
    return {**_CONFIGURATION, **stored.configuration}


def _configuration(parameters: Parameters) -> Mapping[str, Any]:
    return {name: parameters[name] for name in _CONFIGURATION if name in parameters}


def _express(parameters: Parameters) -> bool:
    kind = parameters.get("type", "STANDARD")
    if kind not in _TYPES:
        raise invalid(f"'type' must be one of {', '.join(_TYPES)}")
    return _TYPES[kind]


def _tags(parameters: Parameters) -> Mapping[str, str]:
    tags = {tag.get("key", ""): tag.get("value", "") for tag in parameters.get("tags", ())}
    if "" in tags:
        raise invalid("each of 'tags' must have a key of at least one character")
    return tags


def _few(tags: Mapping[str, str], of: str) -> Mapping[str, str]:
    if len(tags) > _TAGS_MAX:
        raise StepFunctionsRefusal("TooManyTags", f"'{of}' would have more than {_TAGS_MAX} tags")
    return tags


def _tagged_name(arn: str) -> str:
    """Return the machine's name; versions and aliases have no tags, as at AWS."""
    name = machine_name(arn)
    return name if arn.endswith(f":{name}") else arn


def _check_text(text: str) -> None:
    problem = text_problem(text)
    if problem is not None:
        place = f" at {problem['location']}" if "location" in problem else ""
        message = f"Invalid State Machine Definition: '{problem['code']}: {problem['message']}{place}'"
        raise StepFunctionsRefusal("InvalidDefinition", message)


def _check_publishing(parameters: Parameters) -> None:
    if parameters.get("versionDescription") and not parameters.get("publish"):
        raise invalid("Version description can only be set when publish is true")
    refuse_parameters(parameters, "encryptionConfiguration")


def _unqualified(parameters: Parameters) -> str:
    """Return the ARN of a machine itself. Raises StepFunctionsRefusal for a version or an alias."""
    arn = machine_arn_of(parameters)
    if ":" in qualified_name(arn):
        raise invalid(f"'{arn}' is a version or an alias; the operation takes a state machine")
    return arn


def _no_machine(arn: str) -> NoReturn:
    raise StepFunctionsRefusal("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'") from None


def _no_resource(arn: str) -> NoReturn:
    raise StepFunctionsRefusal("ResourceNotFound", f"Resource not found: '{arn}'") from None
