"""Performing open intents: each once, independently of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.order import stories as s
from tests.recorded import START, Shop
from workflows.gateways import courier, kitchen, payment
from workflows.gateways.errors import Unavailable
from workflows.sagas.steps.performing import perform_open

ANSWERS: dict[str, tuple[type[Unavailable], Any]] = {
    "void": (payment.PaymentsUnavailable, payment.Voided(at=START)),
    "cancel_ticket": (kitchen.KitchenUnavailable, kitchen.Cancelled(at=START)),
    "withdraw": (courier.CouriersUnavailable, courier.Released(at=START)),
}


class Outside:
    """Gateways that compensate every call, except the method ``down``, which does not answer."""

    def __init__(self, down: str) -> None:
        self.down = down
        self.asked: list[str] = []

    def __getattr__(self, method: str) -> Any:
        return lambda **call: self._answer(method, call["key"])

    def _answer(self, method: str, key: str) -> Any:
        self.asked.append(method)
        failure, receipt = ANSWERS[method]
        if method == self.down:
            raise failure(key, "no answer")
        return receipt


@pytest.mark.parametrize("down", ANSWERS)
def test_one_undo_that_fails_does_not_hold_up_the_others(down: str) -> None:
    """Every compensation is tried once, the successful ones are recorded, and the step raises the failure."""
    shop = Shop()
    shop.tell(*s.READY, s.cancel())
    outside: Any = Outside(down)
    engine = replace(shop.engine, payments=outside, kitchen=outside, couriers=outside)
    with pytest.raises(ANSWERS[down][0]):
        perform_open(engine, shop.order(), "a test")
    assert sorted(outside.asked) == sorted(ANSWERS)
    assert len([commit for commit in shop.log.read(f"order#{s.ORDER_ID}") if commit.k.endswith(_NAMED)]) == 2


_NAMED = tuple(f"/{s.ORDER_ID}/{version}" for version in range(100))
