"""The timer's log line, whose numbers are metrics."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from handlers import timer
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.engine import serving

ENVIRONMENT = {"ORDER_MACHINE": "OrderMachine"}


def test_a_round_is_logged_in_numbers(caplog: pytest.LogCaptureFixture) -> None:
    """A metric filter reads numbers, not lists."""
    shop = Shop()
    shop.play(*s.AUTHORIZED)
    shop.clock.at += timedelta(days=1)
    with caplog.at_level(logging.INFO), serving(shop.engine, ENVIRONMENT):
        answer: dict[str, Any] = timer.handler({}, None)
        timer.handler({}, None)
    first, later = (vars(line) for line in caplog.records if line.getMessage() == timer.DONE)
    names = ("ticks", "busy", "overdue", "notified", "restarted", "parked", "failed", "missing")
    assert [type(first[name]) for name in names] == [int] * len(names)
    assert (first["missing"], first["overdue"]) == (1, 0)  # its message was lost; now it is in the view
    assert later["overdue"] == 1
    assert json.loads(json.dumps(answer))["missing"] == [s.ORDER_ID]
