"""The contract of ``CourierGateway``, for every adapter."""

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
    """Before that no courier has to be paid."""
    offered = couriers.calls.key()
    offer(couriers, offered)
    couriers.advance(couriers.too_late_after - timedelta(seconds=1))
    assert isinstance(withdraw(couriers, offered), Released)


def test_an_offer_of_a_courier_under_way_cannot_be_withdrawn(couriers):
    """``TooLate`` is a final answer with a reason."""
    offered = couriers.calls.key()
    offer(couriers, offered)
    couriers.advance(couriers.too_late_after)
    first = withdraw(couriers, offered)
    assert isinstance(first, TooLate)
    assert first.reason == "courier_under_way"
    couriers.advance(timedelta(hours=-1))  # clocks may go backwards
    assert withdraw(couriers, offered) == first


def test_withdrawing_again_returns_the_time_of_the_first_withdrawal(couriers):
    """Even with another key, hours later."""
    offered = couriers.calls.key()
    offer(couriers, offered)
    first = withdraw(couriers, offered)
    couriers.advance(timedelta(hours=2))
    assert withdraw(couriers, offered) == first


def test_an_offer_withdrawn_before_it_arrives_is_never_shown_to_a_courier(couriers):
    """An offer that may not have arrived can be withdrawn; if it arrives later it is rejected."""
    offered = couriers.calls.key()
    first = withdraw(couriers, offered)
    couriers.advance(timedelta(minutes=5))
    offer(couriers, offered)
    assert couriers.never_offered(offered)
    couriers.advance(couriers.too_late_after * 2)
    assert withdraw(couriers, offered) == first
    assert isinstance(first, Released)


def test_the_offers_of_an_order_are_withdrawn_one_by_one(couriers):
    """Each attempt is an offer with a key of its own."""
    first, second = couriers.calls.key(), couriers.calls.key()
    offer(couriers, first, attempt=1)
    withdraw(couriers, first)
    offer(couriers, second, attempt=2)
    couriers.advance(couriers.too_late_after)
    assert isinstance(withdraw(couriers, first), Released)
    assert isinstance(withdraw(couriers, second), TooLate)


def test_a_key_with_another_offer_is_an_error(couriers):
    """A key belongs to one attempt."""
    offered = couriers.calls.key()
    offer(couriers, offered, attempt=1)
    offer(couriers, offered, attempt=1)
    with pytest.raises(KeyMisused, match=offered):
        offer(couriers, offered, attempt=2)
