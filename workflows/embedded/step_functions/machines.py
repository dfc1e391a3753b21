"""The state machines that executions may be started of: the template's, with their definitions read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.asl.reading import definition
from workflows.asl.reading.definition import InvalidDefinition
from workflows.asl.reading.source import MissingSubstitution
from workflows.asl.reading.states import Definition, Map, Parallel, Scope, Task
from workflows.asl.signals import Mode
from workflows.embedded import template
from workflows.embedded.template import Template, TemplateInvalid


class MachineUnknown(LookupError):
    """The template has no state machine of this name."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``name`` is the logical id. Executions of an ``express`` machine have no unique names."""

    name: str
    express: bool
    definition: Definition


def read_machines(read: Template) -> Mapping[str, Machine]:
    """By logical id. Raises TemplateInvalid, which names the machine, and the state and field in its definition."""
    machines = {}
    for name, found in read.machines.items():
        try:
            text = definition.substitute(found.definition, found.substitutions)
            parsed = definition.parse(text, name=name)
        except MissingSubstitution as error:
            raise TemplateInvalid(read.path, name, "DefinitionSubstitutions", str(error)) from error
        except InvalidDefinition as error:
            raise TemplateInvalid(found.definition_path, name, "", str(error)) from error
        if found.express:
            _check_express(found, parsed.scope)
        machines[name] = Machine(name, found.express, parsed)
    return machines


def _check_express(machine: template.MachineResource, scope: Scope) -> None:
    """Express executions wait for no token and no other execution; AWS refuses such a machine when it is created."""
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
