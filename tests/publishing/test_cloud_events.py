"""CloudEvents: which events are published, in which shape, and without personal data."""

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


def history(*lines: Any) -> tuple[RecordedEvent, ...]:
    shop = Shop()
    shop.play(*lines)
    return shop.log.load(f"order#{ORDER}").recorded


def test_exactly_the_events_visible_to_subscribers_have_a_published_name() -> None:
    """No internal event is published."""
    assert set(PUBLISHED) == {kind for kind, sight in VISIBILITY.items() if Audience.SUBSCRIBER in sight.event}


def test_no_intent_is_published() -> None:
    """The call of an intent may never be made. A requested cancellation is a decision, so it is published."""
    requests = {kind for kind in PUBLISHED if kind.__name__.endswith("Requested")}
    assert requests == {e.CancellationRequested}


def test_no_two_types_share_a_name() -> None:
    """Subscribers tell event types apart by their published name."""
    assert len(set(PUBLISHED.values())) == len(PUBLISHED)


def test_an_order_placed_is_published_without_its_customers_data() -> None:
    """CloudEvents 1.0 in structured mode, with the stream's version as its sequence."""
    (first,) = cloud_events(ORDER, history(s.place())[:1])
    payload = first.as_json()
    assert {name: payload[name] for name in payload if name not in {"data", "time"}} == {
        "specversion": "1.0",
        "id": f"{ORDER}/1",
        "source": "/expediter/orders",
        "type": "expediter.order.placed.v1",
        "subject": ORDER,
        "datacontenttype": "application/json",
        "sequence": "0000000001",
    }
    assert payload["time"].endswith("Z")
    assert not {"contact", "payment_method", "by"} & set(payload["data"])
    assert payload["data"]["tip"].keys() == {"amount", "currency"}
    json.dumps(payload, allow_nan=False)


def test_the_sequence_sorts_as_text_and_has_gaps_at_internal_events() -> None:
    """The CloudEvents sequence extension requires a text that sorts like the events."""
    published = cloud_events(ORDER, history(*s.ACCEPTED))
    sequences = [event.as_json()["sequence"] for event in published]
    assert sequences == sorted(sequences)
    assert [event.sequence for event in published] == [1, 3, 5]


def test_an_event_type_of_newer_code_is_not_skipped() -> None:
    """Publishing fails, so that the feed delivers it again after the upgrade."""
    unknown: Any = Opaque("OrderTeleported", 1, {})
    with pytest.raises(UnknownEvent):
        cloud_events(ORDER, [RecordedEvent(1, unknown, "k", "2026-05-04T12:00:00.000000Z", META)])
