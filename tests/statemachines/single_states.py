"""Single states of the definitions: the input of each, the answer of its task, and the next state.

The table is checked against the embedded engine's interpreter, and against AWS's TestState API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from workflows.asl.reading import definition
from workflows.asl.reading.source import read
from workflows.embedded.template import read_template

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
PROVIDERS = dict.fromkeys(("PaymentsUrl", "KitchenUrl", "CouriersUrl"), "https://providers.example")
RUN = {"order_id": "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa", "run": 1}
_ANYTHING: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleState:
    """One run of one state.

    ``answers`` is the result of the task or the name of its error; None if the state has no task. ``then`` is the next
    state; None if the machine ends. ``output`` is not checked if it is missing.
    """

    machine: str
    state: str
    state_input: Mapping[str, Any] = field(default_factory=lambda: RUN)
    answers: Mapping[str, Any] | str | None = None
    then: str | None
    output: Any = _ANYTHING

    @property
    def name(self) -> str:
        """The id of the test."""
        answers = self.answers if isinstance(self.answers, str) else json.dumps(self.answers)
        return (
            f"{self.machine}.{self.state} after {answers}" if self.answers is not None else f"{self.state} {self.then}"
        )

    @property
    def tells_output(self) -> bool:
        return self.output is not _ANYTHING


SINGLE_STATES = [
    SingleState(
        machine="OrderMachine",
        state="AuthorizePayment",
        answers={"Payload": {"outcome": "authorized"}},
        then="RequestPreparation",
        output={},
    ),
    SingleState(machine="OrderMachine", state="AuthorizePayment", answers="CircuitOpen", then="AwaitPayments"),
    SingleState(machine="OrderMachine", state="AuthorizePayment", answers="PaymentNotAuthorized", then="FindReason"),
    SingleState(machine="OrderMachine", state="RequestPreparation", answers={"answer": "accepted"}, then="Fulfil"),
    SingleState(machine="OrderMachine", state="RequestPreparation", answers="CircuitOpen", then="AwaitKitchen"),
    SingleState(
        machine="OrderMachine",
        state="RequestPreparation",
        answers="CancellationAsked",
        then="FindReason",
        output={"Error": "CancellationAsked", "Cause": "why"},
    ),
    SingleState(
        machine="OrderMachine",
        state="RequestPreparation",
        answers="States.Timeout",
        then="RecordAcceptanceTimeout",
        output={"waited": "request_preparation"},
    ),
    SingleState(
        machine="OrderMachine",
        state="RecordAcceptanceTimeout",
        state_input={"waited": "request_preparation"},
        answers={"Payload": {}},
        then="RequestPreparation",
    ),
    SingleState(
        machine="OrderMachine",
        state="AwaitPayments",
        answers="CancellationAsked",
        then="FindReason",
        output={"Error": "CancellationAsked", "Cause": "why"},
    ),
    SingleState(
        machine="OrderMachine",
        state="SettlePayment",
        answers={"Payload": {}},
        then=None,
        output={"outcome": "completed"},
    ),
    SingleState(machine="OrderMachine", state="SettlePayment", answers="CircuitOpen", then="AwaitPaymentsToSettle"),
    SingleState(machine="OrderMachine", state="SettlePayment", answers="NotSettled", then="FindReason"),
    SingleState(
        machine="OrderMachine",
        state="FindReason",
        state_input={"Error": "NotSettled", "Cause": "why"},
        answers={"Payload": {"reason": "cancelling"}},
        then="HasReason",
        output={"Error": "NotSettled", "Cause": "why", "reason": "cancelling"},
    ),
    SingleState(machine="OrderMachine", state="FindReason", answers="RunSuperseded", then="Superseded"),
    SingleState(machine="OrderMachine", state="HasReason", state_input={"reason": "cancelling"}, then="Compensate"),
    SingleState(machine="OrderMachine", state="HasReason", state_input={"reason": "completed"}, then="Completed"),
    SingleState(machine="OrderMachine", state="HasReason", state_input={"reason": "none"}, then="ParkOrder"),
    SingleState(
        machine="OrderMachine",
        state="AwaitCircuitToUndo",
        answers="TokenLost",
        then="ParkOrder",
        output={"Error": "TokenLost", "Cause": "why", "compensating": True},
    ),
    SingleState(machine="OrderMachine", state="Compensate", answers="CircuitOpen", then="AwaitCircuitToUndo"),
    SingleState(
        machine="OrderMachine",
        state="ParkOrder",
        state_input={**RUN, "Error": "NotSettled", "Cause": "why"},
        answers={"Payload": {}},
        then=None,
        output={"outcome": "parked"},
    ),
    SingleState(
        machine="PreparationMachine", state="RequestPreparation", answers={"state": "accepted"}, then="AwaitReadiness"
    ),
    SingleState(machine="PreparationMachine", state="RequestPreparation", answers="CircuitOpen", then="AwaitKitchen"),
    SingleState(machine="PreparationMachine", state="RequestPreparation", answers="CancellationAsked", then="Stopped"),
    SingleState(
        machine="PreparationMachine",
        state="RequestPreparation",
        answers="States.Timeout",
        then="RecordTimeout",
        output={"waited": "request_preparation"},
    ),
    SingleState(
        machine="PreparationMachine", state="AwaitReadiness", answers={}, then=None, output={"outcome": "ready"}
    ),
    SingleState(machine="PreparationMachine", state="Stopped", then=None, output={"outcome": "stopped"}),
    SingleState(machine="DeliveryMachine", state="RequestCourier", answers={}, then="AwaitPickup"),
    SingleState(machine="DeliveryMachine", state="RequestCourier", answers="CircuitOpen", then="AwaitCouriers"),
    SingleState(machine="DeliveryMachine", state="AwaitDelivery", answers="RunSuperseded", then="Stopped"),
]


def definition_of(machine: str) -> dict[str, Any]:
    """Read a machine's definition, with its substitutions as on AWS."""
    deployed = read_template(TEMPLATE, PROVIDERS).machines[machine]
    text = definition.substitute(deployed.definition, deployed.substitutions)
    return cast("dict[str, Any]", read(text))
