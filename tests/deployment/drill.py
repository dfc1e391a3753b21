"""Orders that are under way while a bad deployment is rolled back, and while the engine is deleted."""

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


def refused_order(deployment: Deployment) -> dict[str, str]:
    """Place an order on the bad deployment, on which its restaurant cannot accept it.

    Returns:
        As above, and ``accept``: the status that the restaurant got.
    """
    order = order_under_way(deployment)
    answered = httpx.post(
        f"{deployment.api}/orders/{order['order']}/preparation/accept",
        json={},
        headers={"Authorization": f"Bearer {order['restaurant']}"},
        timeout=240,
    )
    return order | {"accept": str(answered.status_code)}
