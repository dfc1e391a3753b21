"""Following orders with the clients: over restarts, with expiring tokens, and where no sockets are served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from workflows.client import ApiProblem, AsyncExpediterClient, ExpediterClient
from workflows.event_store.commits import ChainBroken
from workflows.event_store.event_log import StreamUnavailable
from workflows.live import subscriptions
from workflows.live.shown import ShownOrders


def event_versions(updates: list[Any]) -> list[int]:
    return [event["version"] for update in updates for event in update.get("events", ())]


def history_versions(engine, order_id: str) -> list[int]:
    return [event["version"] for event in engine.client("customer", "cus_1").history(order_id)]


def test_following_an_order_yields_its_events_until_it_ended(engine):
    """A program needs one loop to see an order through."""
    order_id = engine.place()
    updates = []
    for update in engine.client("customer", "cus_1").follow(order_id):
        updates.append(update)
        if update["order"]["preparation"] and update["order"]["status"] != "cancelled":
            engine.client("customer", "cus_1").cancel(order_id, "changed my mind", key="once")
    assert updates[-1]["order"]["status"] == "cancelled"
    assert event_versions(updates) == history_versions(engine, order_id)


@pytest.mark.parametrize("restarts", [False, True])
def test_the_asynchronous_client_follows_alike(engine, restarts):
    """Both clients have the same methods. This one's loop is written apart, because it awaits."""
    order_id = engine.place()

    async def follow() -> list[Any]:
        async with AsyncExpediterClient(engine.url, engine.token("customer", "cus_1")) as client:
            updates = []
            async for update in client.follow(order_id):
                updates.append(update)
                if update["order"]["preparation"] and update["order"]["status"] != "cancelled":
                    if restarts:
                        await asyncio.to_thread(engine.stop)
                        engine.start()
                    await client.cancel(order_id, "changed my mind", key="once")
            return updates

    assert event_versions(asyncio.run(follow())) == history_versions(engine, order_id)


def test_following_survives_restarts_of_the_engine(engine):
    """The caller of follow() sees each event once, whether the engine restarted in between or not."""
    order_id = engine.place()
    updates: list[Any] = []
    with ExpediterClient(engine.url, engine.token("customer", "cus_1")) as client:
        for update in client.follow(order_id):
            updates.append(update)
            if update["order"]["preparation"] and update["order"]["status"] != "cancelled":
                engine.stop()
                engine.start()
                engine.client("customer", "cus_1").cancel(order_id, "changed my mind", key="once")
    assert event_versions(updates) == history_versions(engine, order_id)


def test_following_survives_the_end_of_its_token(engine):
    """A token function is asked again, and the next socket continues where the last one ended."""
    order_id = engine.place()
    tokens = count()

    def token() -> str:
        """One that ends soon, until a socket was closed for that: on a slow machine the first may end before."""
        next(tokens)
        return str(engine.token("customer", "cus_1", 3600 if a_session_ended(engine) else 2))

    seen: list[Any] = []
    with ExpediterClient(engine.url, token) as client:
        updates = client.follow(order_id)
        for update in updates:
            seen.append(update)
            if update["order"]["preparation"]:
                break
        asked = next(tokens)
        cancelled = threading.Thread(target=cancel_after_the_token, args=(engine, order_id))
        cancelled.start()
        seen += updates
        cancelled.join()
    assert next(tokens) > asked + 1
    assert event_versions(seen) == history_versions(engine, order_id)


def a_session_ended(engine) -> bool:
    return 'expediter_live_sockets_closed_total{reason="session_ended"} 0.0' not in engine.metrics()


def cancel_after_the_token(engine, order_id: str) -> None:
    """Cancel the order once its follower's socket was closed because its token ended."""
    while not a_session_ended(engine):
        pass
    engine.client("customer", "cus_1").cancel(order_id, "changed my mind")


@pytest.mark.parametrize("kind", [ExpediterClient, AsyncExpediterClient])
def test_following_from_the_last_event_of_an_ended_order_ends_at_once(engine, kind):
    """A program that comes back may have seen the end already, and no message comes to say so."""
    order_id = engine.place()
    engine.client("customer", "cus_1").cancel(order_id, "changed my mind")
    *_, last = engine.client("customer", "cus_1").follow(order_id)
    assert followed(kind(engine.url, engine.token("customer", "cus_1")), order_id, last["version"]) == []
    with pytest.raises(ApiProblem) as refused:  # an order of another log
        next(engine.client("customer", "cus_1").follow(order_id, last["version"] + 1))
    assert refused.value.name == "NoSuchVersion"


def followed(client: ExpediterClient | AsyncExpediterClient, order_id: str, since: int = 0) -> list[Any]:
    """Return all updates of an order that has ended."""
    if isinstance(client, ExpediterClient):
        with client:
            return list(client.follow(order_id, since))

    async def updates() -> list[Any]:
        async with client:
            return [update async for update in client.follow(order_id, since)]

    return asyncio.run(updates())


@pytest.mark.parametrize("failures", [2, None])
@pytest.mark.parametrize("kind", [ExpediterClient, AsyncExpediterClient])
def test_a_read_that_fails_for_a_moment_is_repeated(engine, monkeypatch, kind, failures):
    """As a request that is answered 503. What goes on failing is reported in the engine's words."""
    order_id = engine.place()
    engine.client("customer", "cus_1").cancel(order_id, "changed my mind")
    for _ in engine.client("customer", "cus_1").follow(order_id):
        pass
    left, record = count(), ShownOrders.record

    def fails(self: ShownOrders, *arguments: Any) -> None:
        if failures is None or next(left) < failures:
            raise StreamUnavailable(order_id, "no answer")
        record(self, *arguments)

    monkeypatch.setattr(ShownOrders, "record", fails)
    client = kind(engine.url, engine.token("support", "sue"), retry_for_s=10.0 if failures else 0.5)
    if failures:
        assert event_versions(followed(client, order_id)) == history_versions(engine, order_id)
    else:
        with pytest.raises(ApiProblem, match="could not be read this time"):
            followed(client, order_id)


def test_an_order_that_is_not_what_was_written_is_refused_by_name(engine, monkeypatch):
    """As a read of it: waiting does not mend it, and the place of the change is no caller's business."""
    order_id = engine.place()

    def broken(*_: Any) -> None:
        raise ChainBroken(f"order#{order_id}", 1, "changed")

    monkeypatch.setattr(subscriptions, "OrderNow", broken)
    with pytest.raises(ApiProblem, match="Give support the id") as refused:
        next(engine.client("customer", "cus_1").follow(order_id))
    assert refused.value.name == "ChainBroken"


def test_an_order_that_the_caller_may_not_read_cannot_be_followed(engine):
    """It does not exist for that caller."""
    order_id = engine.place("cus_1")
    with pytest.raises(ApiProblem) as refused:
        next(engine.client("customer", "cus_2").follow(order_id))
    assert refused.value.name == "OrderNotFound"


def test_where_no_sockets_are_served_the_order_is_read_again(engine, without_sockets):
    """follow() works on every deployment."""
    order_id = engine.place()
    without_sockets()
    updates = []
    for update in engine.client("customer", "cus_1").follow(order_id):
        updates.append(update)
        if update["order"]["preparation"] and update["order"]["status"] != "cancelled":
            engine.client("customer", "cus_1").cancel(order_id, "changed my mind", key="once")
    assert event_versions(updates) == history_versions(engine, order_id)


@pytest.fixture
def without_sockets(engine) -> Callable[[], None]:
    """Make the engine's functions serve no sockets, as a deployment without a WebSocket API."""
    return lambda: object.__setattr__(engine.embedded.ports, "live_path", None)
