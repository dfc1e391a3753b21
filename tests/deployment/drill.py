"""The rollback drill: an order that is under way while a bad deployment is rolled back."""

from __future__ import annotations

from contextlib import ExitStack, closing

import httpx

from tests.deployment.deployment import Deployment
from tests.deployment.people import Listener, Person, placed


def order_under_way(deployment: Deployment) -> dict[str, str]:
    """Place an order on the bad deployment, on which its restaurant cannot accept it.

    Returns:
        The order's id, the tokens of its people by role, and ``accept``: the status that the restaurant got.
    """
    with ExitStack() as opened:
        people = {
            role: opened.enter_context(closing(Person(deployment, role)))
            for role in ("customer", "restaurant", "courier")
        }
        listener = opened.enter_context(closing(Listener(deployment)))
        order_id = placed(people["customer"], people["restaurant"], listener)
        answered = httpx.post(
            f"{deployment.api}/orders/{order_id}/preparation/accept",
            json={},
            headers={"Authorization": f"Bearer {people['restaurant'].token}"},
            timeout=240,
        )
        tokens = {role: person.token for role, person in people.items()}
        return {"order": order_id, "accept": str(answered.status_code), **tokens}
