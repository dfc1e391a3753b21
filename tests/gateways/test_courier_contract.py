"""What every courier adapter does: the contract of ``CourierGateway``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identifiers import RestaurantId
from workflows.gateways.courier import CourierGateway, Released
from workflows.gateways.errors import KeyMisused
from workflows.gateways.receipts import TooLate


def offer(couriers, key: str, *, attempt: int = 1) -> None:
    gateway: CourierGateway = couriers.gateway
    gateway.offer(
        reference=couriers.calls.order, restaurant=RestaurantId("rest-1"), attempt=attempt, key=key, timeout_s=10
    )


def withdraw(couriers, offered: str, key: str | None = None) -> Released | TooLate:
    receipt: Released | TooLate = couriers.gateway.withdraw(
        offer_key=offered, key=key or couriers.calls.key(), timeout_s=10
    )
    return receipt


def test_an_offer_can_be_withdrawn_until_a_courier_is_under_way(couriers):
    """Before that nobody has to be paid."""
    offered = couriers.calls.key()
    offer(couriers, offered)
    couriers.advance(couriers.too_late_after - timedelta(seconds=1))
    assert isinstance(withdraw(couriers, offered), Released)


def test_a_courier_under_way_is_not_called_back(couriers):
    """Too late is an answer with a reason, and final."""
    offered = couriers.calls.key()
    offer(couriers, offered)
    couriers.advance(couriers.too_late_after)
    first = withdraw(couriers, offered)
    assert isinstance(first, TooLate)
    assert first.reason == "courier_under_way"
    couriers.advance(timedelta(hours=-1))  # clocks do that
    assert withdraw(couriers, offered) == first


def test_withdrawing_what_is_withdrawn_is_released_since_then(couriers):
    """Under another key, hours later."""
    offered = couriers.calls.key()
    offer(couriers, offered)
    first = withdraw(couriers, offered)
    couriers.advance(timedelta(hours=2))
    assert withdraw(couriers, offered) == first


def test_an_offer_withdrawn_before_it_arrives_is_never_shown_to_a_courier(couriers):
    """An offer in doubt can be withdrawn without knowing: the late one is turned away."""
    offered = couriers.calls.key()
    first = withdraw(couriers, offered)
    couriers.advance(timedelta(minutes=5))
    offer(couriers, offered)
    assert couriers.never_offered(offered)
    couriers.advance(couriers.too_late_after * 2)
    assert withdraw(couriers, offered) == first
    assert isinstance(first, Released)


def test_the_offers_of_an_order_are_withdrawn_one_by_one(couriers):
    """Each attempt is another offer, with a key of its own."""
    first, second = couriers.calls.key(), couriers.calls.key()
    offer(couriers, first, attempt=1)
    withdraw(couriers, first)
    offer(couriers, second, attempt=2)
    couriers.advance(couriers.too_late_after)
    assert isinstance(withdraw(couriers, first), Released)
    assert isinstance(withdraw(couriers, second), TooLate)


def test_a_key_with_another_offer_is_refused_loudly(couriers):
    """The same key says the same attempt."""
    offered = couriers.calls.key()
    offer(couriers, offered, attempt=1)
    offer(couriers, offered, attempt=1)
    with pytest.raises(KeyMisused, match=offered):
        offer(couriers, offered, attempt=2)
