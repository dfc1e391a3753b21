"""Reads the address and the user pool client of a deployed stack from its outputs."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.cli.aws import client, explained
from workflows.cli.failures import InvalidInput

URL, CLIENT = "ApiUrl", "ClientId"
"""Outputs of template.yaml."""


@dataclass(frozen=True, slots=True)
class StackOutputs:
    url: str
    client_id: str
    region: str


def stack_outputs(name: str, region: str | None) -> StackOutputs:
    """Read the outputs of a stack. Raises CommandFailed."""
    with explained(f"the stack {name}"):
        cloudformation = client("cloudformation", region)
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    if missing := [key for key in (URL, CLIENT) if key not in outputs]:
        raise InvalidInput(f"the stack {name} has no output {' and no '.join(missing)}; is it one of Expediter's?")
    return StackOutputs(outputs[URL], outputs[CLIENT], cloudformation.meta.region_name)
