"""What was sent about one order, for its page: the deliveries of its events, and of no other order."""

from __future__ import annotations

from domain.identifiers import Actor, OrderId, Role
from workflows.event_store.streams import order_stream
from workflows.publishing.cloud_events import cloud_events
from workflows.publishing.webhooks import deliveries, endpoints


def deliver(shop, owner, *order_ids):
    """Register an endpoint of a service, and make the deliveries of some orders' events to it."""
    endpoint, _ = endpoints.register(
        shop.engine.documents,
        Actor(Role.SERVICE, owner),
        "key",
        url=f"https://{owner}.example.com/",
        types=(),
        description="",
        enabled=True,
        now=shop.clock.now(),
    )
    for order_id in order_ids:
        for event in cloud_events(order_id, shop.log.load(order_stream(OrderId(order_id))).recorded):
            deliveries.record(shop.engine.documents, endpoint.id, event.as_json(), shop.clock.now())
    return endpoint.id


def sent(shop, order_id, role, sub="sam"):
    return shop.call("GET", f"/orders/{order_id}/webhook-deliveries", role=role, sub=sub)


def test_support_sees_what_was_sent_about_an_order_and_a_service_what_was_sent_to_it(shop):
    """The newest events come first; those of another order are not among them."""
    order_id, other = shop.authorized(key="key-1"), shop.authorized(key="key-2")
    loyalty, search = deliver(shop, "loyalty", order_id, other), deliver(shop, "search", order_id)
    listed = sent(shop, order_id, "support").json["deliveries"]
    events = [f"{order_id}/{version}" for version in (3, 1)]
    assert [each["event"] for each in listed] == [event for event in events for _ in range(2)]
    assert {each["webhook"] for each in listed} == {loyalty, search}
    of_service = sent(shop, order_id, "service", "search").json["deliveries"]
    assert [(each["event"], each["webhook"]) for each in of_service] == [(event, search) for event in events]
