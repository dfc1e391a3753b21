"""The template's state machines with their definitions parsed: what CreateStateMachine checks on AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.asl.reading import definition
from workflows.asl.reading.definition import InvalidDefinition
from workflows.asl.reading.source import MissingSubstitution
from workflows.asl.reading.states import Definition
from workflows.embedded.template import Template, TemplateInvalid


class MachineUnknown(LookupError):
    """The template has no state machine of this name."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``name`` is the logical id, or the name it was created with.

    Executions of an ``express`` machine have no unique names. ``role_arn`` is shown to executions and has no effect.
    ``version`` is the number of a published version, ``alias`` the name that led to it.
    """

    name: str
    express: bool
    definition: Definition
    role_arn: str = ""
    version: int | None = None
    alias: str = ""


def read_machines(template: Template) -> Mapping[str, Machine]:
    """Parse the machines, by logical id. Raises TemplateInvalid, which names the machine, the state and the field."""
    machines = {}
    for name, resource in template.machines.items():
        try:
            text = definition.substitute(resource.definition, resource.substitutions)
            parsed = definition.parse(text, name=name, express=resource.express)
        except MissingSubstitution as error:
            raise TemplateInvalid(template.path, name, "DefinitionSubstitutions", str(error)) from error
        except InvalidDefinition as error:
            raise TemplateInvalid(resource.definition_path, name, "", str(error)) from error
        machines[name] = Machine(name, resource.express, parsed)
    return machines
