"""The template's state machines with their definitions parsed: what CreateStateMachine checks on AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.asl.reading import definition
from workflows.asl.reading.definition import InvalidDefinition
from workflows.asl.reading.source import MissingSubstitution
from workflows.asl.reading.states import Definition, Map, Parallel, Scope, Task
from workflows.asl.signals import Mode
from workflows.embedded.template import MachineResource, Template, TemplateInvalid


class MachineUnknown(LookupError):
    """The template has no state machine of this name."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``name`` is the logical id. Executions of an ``express`` machine have no unique names."""

    name: str
    express: bool
    definition: Definition


def read_machines(template: Template) -> Mapping[str, Machine]:
    """Parse the machines, by logical id. Raises TemplateInvalid, which names the machine, the state and the field."""
    machines = {}
    for name, resource in template.machines.items():
        try:
            text = definition.substitute(resource.definition, resource.substitutions)
            parsed = definition.parse(text, name=name)
        except MissingSubstitution as error:
            raise TemplateInvalid(template.path, name, "DefinitionSubstitutions", str(error)) from error
        except InvalidDefinition as error:
            raise TemplateInvalid(resource.definition_path, name, "", str(error)) from error
        if resource.express:
            _check_express(resource, parsed.scope)
        machines[name] = Machine(name, resource.express, parsed)
    return machines


def _check_express(machine: MachineResource, scope: Scope) -> None:
    """Refuse waiting for a token or an execution in an Express machine, as AWS does when it creates the machine."""
    for state in scope.states.values():
        match state:
            case Task(integration=integration, resource=resource, name=name):
                if integration.waits_for_token or integration.mode in (Mode.SYNC, Mode.SYNC_2):
                    problem = f"state '{name}', field Resource: an EXPRESS machine cannot use {resource}"
                    raise TemplateInvalid(machine.definition_path, machine.logical_id, "", problem)
            case Parallel(branches=branches):
                for branch in branches:
                    _check_express(machine, branch)
            case Map(processor=processor):
                _check_express(machine, processor)
