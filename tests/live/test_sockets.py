"""Live updates over real sockets of a real engine."""

from __future__ import annotations


def test_a_customer_sees_every_event_of_their_order_once_and_in_order(engine):
    """The log is what happened; a subscriber sees all of it that the history shows, without asking again."""
    order_id = engine.place()
    socket = engine.socket("customer", "cus_1")
    assert socket.subscribe(f"order/{order_id}", since=0)["subscribed"] == f"order/{order_id}"
    engine.client("customer", "cus_1").cancel(order_id, "changed my mind")
    messages = socket.until(lambda message: message.get("ended"))
    history = list(engine.client("customer", "cus_1").history(order_id))
    assert [event for message in messages for event in message["events"]] == history
    assert messages[-1]["order"]["status"] == "cancelled"
