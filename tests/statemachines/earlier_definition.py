"""The order machine as it was before kitchen and courier became its branches, with the machines that it starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workflows.asl.reading.definition import Definition, parse, substitute
from workflows.embedded.arns import function_arn, machine_arn
from workflows.embedded.template import Template
from workflows.simulation.releases import definitions

FILE = Path(__file__).parent / "earlier" / "order.asl.yaml"
CHILDREN = ("PaymentMachine", "PreparationMachine", "DeliveryMachine")


def earlier(template: Template) -> Mapping[str, Definition]:
    """Return the deployed machines, with the order machine's earlier definition in place of the present one."""
    values = {"SagaStep": function_arn("SagaStep"), **{child: machine_arn(child) for child in CHILDREN}}
    return {**definitions(template), "OrderMachine": parse(substitute(FILE.read_text(), values), name="OrderMachine")}
