"""What others hear of an order: which events, in which shape, and without whom they are about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.order import events as e
from tests.domain.order import stories as s
from tests.recorded import META, Shop
from workflows.event_store.commits import Opaque, RecordedEvent, UnknownEvent
from workflows.orders.visibility import VISIBILITY, Audience
from workflows.publishing.cloud_events import PUBLISHED, cloud_events

ORDER = str(s.ORDER_ID)


def told(*lines: Any) -> tuple[RecordedEvent, ...]:
    shop = Shop()
    shop.tell(*lines)
    return shop.log.load(f"order#{ORDER}").recorded


def test_the_events_that_subscribers_may_know_of_have_a_published_name() -> None:
    """No other event has one."""
    assert set(PUBLISHED) == {kind for kind, sight in VISIBILITY.items() if Audience.SUBSCRIBER in sight.event}


def test_of_the_intents_none_is_published() -> None:
    """Their calls may never be made. A cancellation is a decision that happened."""
    requests = {kind for kind in PUBLISHED if kind.__name__.endswith("Requested")}
    assert requests == {e.CancellationRequested}


def test_no_two_types_share_a_name() -> None:
    """Subscribers tell them apart by it."""
    assert len(set(PUBLISHED.values())) == len(PUBLISHED)


def test_an_order_placed_is_published_without_its_customers_data() -> None:
    """CloudEvents 1.0 in structured mode, with the stream's version as its sequence."""
    (first,) = cloud_events(ORDER, told(s.place())[:1])
    said = first.as_json()
    assert {name: said[name] for name in said if name not in {"data", "time"}} == {
        "specversion": "1.0",
        "id": f"{ORDER}/1",
        "source": "/expediter/orders",
        "type": "expediter.order.placed.v1",
        "subject": ORDER,
        "datacontenttype": "application/json",
        "sequence": "0000000001",
    }
    assert said["time"].endswith("Z")
    assert not {"contact", "payment_method", "by"} & set(said["data"])
    assert said["data"]["tip"].keys() == {"amount", "currency"}
    json.dumps(said, allow_nan=False)


def test_the_sequence_sorts_as_text_and_has_gaps_where_nothing_is_said() -> None:
    """The extension wants a text whose order is theirs."""
    told_of = cloud_events(ORDER, told(*s.ACCEPTED))
    sequences = [event.as_json()["sequence"] for event in told_of]
    assert sequences == sorted(sequences)
    assert [event.sequence for event in told_of] == [1, 3, 5]


def test_what_only_newer_code_knows_is_not_passed_over() -> None:
    """It comes again once this code was upgraded, rather than never."""
    unknown: Any = Opaque("OrderTeleported", 1, {})
    with pytest.raises(UnknownEvent):
        cloud_events(ORDER, [RecordedEvent(1, unknown, "k", "2026-05-04T12:00:00.000000Z", META)])
