"""Orders on the deployed stack, by people with tokens, from the HTTP API to the log and to published events."""

from __future__ import annotations

import httpx
import pytest

from domain.money import Money
from tests.deployment.conftest import Join
from tests.deployment.deployment import Deployment
from tests.deployment.people import Listener, Person, a_meal, fulfilled, open_restaurant, placed
from workflows.client import ApiProblem


def kinds(reader: Person, order_id: str) -> list[str]:
    return [event["type"] for event in reader.history(order_id)]


def test_an_order_is_delivered_and_paid(deployment: Deployment, join: Join, listener: Listener) -> None:
    """From placing to capture, through the deployed functions, tables, stream and state machines."""
    customer, restaurant, courier = join("customer"), join("restaurant"), join("courier")
    order_id = placed(customer, restaurant, listener)
    fulfilled(order_id, customer, restaurant, courier, listener)
    assert kinds(customer, order_id) == [
        *("OrderPlaced", "PaymentAuthorizationRequested"),
        *("PaymentAuthorized", "PreparationRequested"),
        *("PreparationAccepted", "CourierRequested"),
        "CourierAssigned",
        "PreparationReady",
        "OrderPickedUp",
        *("OrderDelivered", "PaymentCaptureRequested"),
        *("PaymentCaptured", "OrderCompleted"),
    ]
    money = deployment.money_of(order_id)
    assert money is not None
    assert (money.held, money.captured) == (Money(0, "EUR"), Money(2800, "EUR"))


def test_a_rejected_order_is_not_paid(deployment: Deployment, join: Join, listener: Listener) -> None:
    """Its authorization is voided, and the order ends cancelled."""
    customer, restaurant = join("customer"), join("restaurant")
    order_id = placed(customer, restaurant, listener)
    restaurant.reject(order_id, "closed for the night")
    listener.until(lambda: customer.get(order_id)["status"], lambda status: status == "cancelled")
    assert kinds(customer, order_id)[-2:] == ["PaymentVoided", "OrderCancelled"]
    money = deployment.money_of(order_id)
    assert money is not None
    assert money.held == money.captured == Money(0, "EUR")


@pytest.mark.parametrize("shown", ["nothing", "no token", "a forged signature"])
def test_a_request_without_a_token_of_the_user_pool_is_refused(deployment: Deployment, join: Join, shown: str) -> None:
    """The authorizer of the HTTP API refuses it before a function is called."""
    header, _, _ = join("customer").token.rpartition(".")
    shows = {"nothing": None, "no token": "Bearer x", "a forged signature": f"Bearer {header}.{'A' * 342}"}[shown]
    headers = {"Authorization": shows} if shows else {}
    assert httpx.get(f"{deployment.api}/orders/ord_{'0' * 26}", headers=headers).status_code == 401


def test_an_order_of_another_customer_or_restaurant_is_not_found(join: Join) -> None:
    """The answer does not show that the order exists."""
    customer, restaurant = join("customer"), join("restaurant")
    open_restaurant(restaurant)
    order_id = customer.place(a_meal(restaurant.id), key="dinner")["id"]
    for stranger in (join("customer"), join("restaurant")):
        with pytest.raises(ApiProblem) as refused:
            stranger.get(order_id)
        assert refused.value.name == "OrderNotFound"
