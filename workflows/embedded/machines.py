"""The state machines that executions may be started of: the template's, with their definitions read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.asl import definition
from workflows.asl.definition import InvalidDefinition
from workflows.asl.source import MissingSubstitution
from workflows.asl.states import Definition
from workflows.embedded.template import Template, TemplateInvalid


class MachineUnknown(LookupError):
    """The template has no state machine of this name."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``name`` is the logical id. Executions of an ``express`` machine have no unique names."""

    name: str
    express: bool
    definition: Definition


def read_machines(template: Template) -> Mapping[str, Machine]:
    """By logical id. Raises TemplateInvalid, which names the machine, and the state and field in its definition."""
    machines = {}
    for name, found in template.machines.items():
        try:
            text = definition.substitute(found.definition, found.substitutions)
            parsed = definition.parse(text, name=name)
        except MissingSubstitution as error:
            raise TemplateInvalid(template.path, name, "DefinitionSubstitutions", str(error)) from error
        except InvalidDefinition as error:
            raise TemplateInvalid(found.definition_path, name, "", str(error)) from error
        machines[name] = Machine(name, found.express, parsed)
    return machines
