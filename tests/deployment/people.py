"""Users of a deployment: people with Cognito tokens, and a backend service that receives published events."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tests.deployment.deployment import Deployment
from workflows.client import ExpediterClient

DEADLINE_S = 90.0
EUR = "EUR"

T = TypeVar("T")


class Person(ExpediterClient):
    """A user in one group of the user pool, logged in. ``id`` is the subject of their token."""

    def __init__(self, deployment: Deployment, role: str) -> None:
        cognito, pool = deployment.root.client("cognito-idp"), deployment.outputs["UserPoolId"]
        name, password = f"{role}-{secrets.token_hex(4)}", f"Aa1!{secrets.token_urlsafe(16)}"
        email = {"Name": "email", "Value": f"{name}@example.com"}
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=name,
            UserAttributes=[email],
            MessageAction="SUPPRESS",
            TemporaryPassword=password,  # the password that MiniStack generates does not fit the pool's policy
        )
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=role)
        answer = cognito.initiate_auth(
            ClientId=deployment.outputs["ClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )
        self.name, self.password = name, password
        self.token: str = answer["AuthenticationResult"]["AccessToken"]
        self.id: str = cognito.get_user(AccessToken=self.token)["Username"]
        super().__init__(deployment.api, self.token, DEADLINE_S)  # a function begins slowly on a busy machine


class Listener:
    """A queue of its own on the topic of published events, which tests wait on."""

    def __init__(self, deployment: Deployment) -> None:
        self._sqs = deployment.root.client("sqs")
        topic = deployment.resources["OrderEvents"]
        self._url = self._sqs.create_queue(QueueName=f"listener-{secrets.token_hex(4)}")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        self._sns = deployment.root.client("sns")
        self._subscription = self._sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]

    def until(self, read: Callable[[], T], holds: Callable[[T], Any]) -> T:
        """Read until the value ``holds``: again after each published event, or after a second."""
        deadline = time.monotonic() + DEADLINE_S
        while not holds(value := read()):
            assert time.monotonic() < deadline, f"after {DEADLINE_S} s there was still {value}"
            self._wait_s(1)
        return value

    def close(self) -> None:
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._url)

    def _wait_s(self, seconds: int) -> None:
        heard = self._sqs.receive_message(QueueUrl=self._url, WaitTimeSeconds=seconds, MaxNumberOfMessages=10)
        for message in heard.get("Messages", []):
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


def a_meal(restaurant: str) -> Any:
    """Build an order of 28.00 from the menu: two pizzas at 10.00, water at 3.00, and 5.00 of fees and tip."""
    return {
        "restaurant": restaurant,
        "items": [{"sku": "pizza", "quantity": 2}, {"sku": "water", "quantity": 1}],
        "tip": _eur("1.00"),
        "payment_method": "pm_ok",
        "contact": {"name": "Camille", "phone": "+33 1 23 45 67 89", "address": "1 rue de Rivoli, Paris"},
    }


def open_restaurant(restaurant: Person) -> None:
    """Register the restaurant and publish the menu of ``a_meal``."""
    profile: Any = {
        "name": "Trattoria",
        "address": "8 rue Oberkampf, Paris",
        "currency": EUR,
        "time_zone": "Europe/Paris",
        "opening_hours": [{"weekday": day, "opens": "00:00", "closes": "00:00"} for day in range(7)],
        "tax_classes": [{"name": "food", "rate_bp": 1000}],
        "fee_tax_class": "food",
        "minimum_order": _eur("0.00"),
        "delivery_fee": _eur("3.00"),
        "service_fee": {"rate_bp": 0, "least": _eur("1.00"), "most": _eur("1.00")},
        "preparation_min": 20,
    }
    prices = {"pizza": "10.00", "water": "3.00"}
    items: Any = [
        {"sku": sku, "name": sku.title(), "price": _eur(price), "tax_class": "food"} for sku, price in prices.items()
    ]
    restaurant.register_restaurant(restaurant.id, profile)
    restaurant.publish_menu(restaurant.id, [{"name": "All", "items": items}])


def _eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": EUR}


def placed(customer: Person, restaurant: Person, listener: Listener) -> str:
    """Place an order, and wait until its ticket is at the restaurant."""
    open_restaurant(restaurant)
    order_id = customer.place(a_meal(restaurant.id), key="dinner")["id"]
    order = listener.until(lambda: customer.get(order_id), lambda order: order["preparation"] or order["parked"])
    assert not order["parked"], f"parked: {list(customer.history(order_id))[-1]['data']}"
    return order_id


def fulfilled(
    order_id: str, customer: ExpediterClient, restaurant: ExpediterClient, courier: ExpediterClient, listener: Listener
) -> None:
    """Cook, collect and deliver an order whose ticket waits, until it is completed."""
    restaurant.accept(order_id, datetime.now(UTC) + timedelta(minutes=30))
    listener.until(lambda: customer.get(order_id)["delivery"]["offer"], bool)
    courier.assign(order_id)
    restaurant.ready(order_id)
    courier.pick_up(order_id)
    courier.deliver(order_id)
    listener.until(lambda: customer.get(order_id)["status"], lambda status: status == "completed")
