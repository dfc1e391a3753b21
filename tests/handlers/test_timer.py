"""The timer's log line, whose numbers are counted."""

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


def test_what_was_done_is_logged_in_numbers(caplog: pytest.LogCaptureFixture) -> None:
    """A metric filter counts fields, and takes no list."""
    shop = Shop()
    shop.tell(*s.AUTHORIZED)
    shop.clock.at += timedelta(days=1)
    with caplog.at_level(logging.INFO), serving(shop.engine, ENVIRONMENT):
        first: dict[str, Any] = timer.handler({}, None)
        timer.handler({}, None)
    found, later = (vars(line) for line in caplog.records if line.getMessage() == timer.DONE)
    names = ("ticks", "busy", "overdue", "notified", "restarted", "parked", "failed", "missing")
    assert [type(found[name]) for name in names] == [int] * len(names)
    assert (found["missing"], found["overdue"]) == (1, 0)  # its message was lost; the view knows it now
    assert later["overdue"] == 1
    assert json.loads(json.dumps(first))["missing"] == [s.ORDER_ID]
