"""The function behind every Task of the state machines: one action on one order."""

from __future__ import annotations

import os
from typing import Any

from domain.identifiers import parse_order_id
from workflows.aws.xray import annotated
from workflows.engine import engine
from workflows.gateways.http.settings import read_providers
from workflows.sagas.actions import SagaStep, take_step
from workflows.settings import read_keys


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a SagaStep as JSON: ``{"order_id", "run", "action", ...}``.

    State machines match the class names of errors.
    """
    ports = engine(read_providers, read_keys)
    step = SagaStep(**event | {"order_id": parse_order_id(event["order_id"])})
    with annotated(step.action, {"order_id": step.order_id, "run": step.run}, ports.clock, os.environ):
        return take_step(ports, step)
