"""An order that is under way while the engine is deleted, and while a bad deployment is rolled back."""

from __future__ import annotations

from contextlib import ExitStack, closing

import httpx

from tests.deployment.deployment import Deployment
from tests.deployment.people import Listener, Person, placed


def order_under_way(deployment: Deployment) -> dict[str, str]:
    """Place an order whose ticket waits for the restaurant.

    Returns:
        The order's id, and the tokens of its people by role.
    """
    with ExitStack() as opened:
        people = {
            role: opened.enter_context(closing(Person(deployment, role)))
            for role in ("customer", "restaurant", "courier")
        }
        listener = opened.enter_context(closing(Listener(deployment)))
        order_id = placed(people["customer"], people["restaurant"], listener)
        return {"order": order_id, **{role: person.token for role, person in people.items()}}


def refused(bad: Deployment, order: dict[str, str]) -> str:
    """Wait until a run of the bad deployment waits for the restaurant, which cannot accept the order there.

    The engine was deleted with the former run. Feed starts another one from the log's stream, which it reads from its
    beginning.

    Returns:
        The status that the restaurant got.
    """
    with closing(Listener(bad)) as listener:
        listener.until(lambda: _waits(bad, order["order"]), bool)
    answered = httpx.post(
        f"{bad.api}/orders/{order['order']}/preparation/accept",
        json={},
        headers={"Authorization": f"Bearer {order['restaurant']}"},
        timeout=240,
    )
    return str(answered.status_code)


def executions(deployment: Deployment, order_id: str) -> list[tuple[str, str]]:
    """List the executions of an order, with their status: ``[(ARN, "RUNNING")]``."""
    machine = deployment.resources["OrderMachine"]
    found = deployment.step_functions_client().list_executions(stateMachineArn=machine)["executions"]
    return [(each["executionArn"], each["status"]) for each in found if each["name"].startswith(order_id)]


def _waits(deployment: Deployment, order_id: str) -> bool:
    """Whether a step of the order has been given a token, which only RequestPreparation has before an answer."""
    states = deployment.step_functions_client()
    return any(
        event["type"] == "TaskSubmitted"
        for arn, _ in executions(deployment, order_id)
        for event in states.get_execution_history(executionArn=arn, maxResults=100)["events"]
    )
