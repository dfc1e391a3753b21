"""The function behind every Task of the state machines: one action on one order."""

from __future__ import annotations

from typing import Any

from domain.identifiers import parse_order_id
from workflows.engine import PROVIDERS, engine
from workflows.sagas.actions import Step, take_step


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``event`` is a Step as JSON: ``{"order_id", "run", "action", ...}``. Errors reach the machine by name."""
    return take_step(engine(*PROVIDERS), Step(**event | {"order_id": parse_order_id(event["order_id"])}))
