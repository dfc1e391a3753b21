"""The events of orders reach the function of the webhooks from the log, with a checkpoint that is never ahead of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.identifiers import Actor, Role
from handlers import webhooks
from tests.domain.order import stories as s
from tests.publishing.webhook_receiver import Receivers
from tests.recorded import Shop
from workflows.embedded.lambda_.functions import FunctionFailed
from workflows.embedded.lambda_.published_events import (
    CHECKPOINT,
    LOOK_AFTER_S,
    RETRY_LAST_S,
    SKIP_AFTER_S,
    PublishedEvents,
)
from workflows.engine import assemble, serving
from workflows.event_store.commits import Opaque, UnknownEvent
from workflows.hub.deferred import Deferred
from workflows.publishing.webhooks import endpoints


class HandHub:
    """Runs what is due when the test says so. ``delays_s`` are the delays of what waited."""

    def __init__(self) -> None:
        self.delays_s: list[float] = []
        self._due: list[Callable[[], object]] = []

    def soon(self, call: Callable[[], object]) -> None:
        self._due.append(call)

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        self.delays_s.append(seconds)
        self._due.append(call)

    def spawn(self, code: Callable[[], object]) -> None:
        code()

    def run(self, calls: int = 10) -> None:
        """Run what is due, and what that makes due, up to a number of calls."""
        for _ in range(calls):
            if self._due:
                self._due.pop(0)()


class WebhooksFunction:
    """Runs the handler, or answers with ``failure`` instead. ``events`` are the ids that were handed over."""

    def __init__(self, shop: Shop) -> None:
        self.receivers = Receivers()
        self.failure: Exception | dict[str, Any] | None = None
        self.events: list[str] = []
        no_provider: Any = None  # no step is performed here
        self._ports = assemble(
            log=shop.log,
            documents=shop.documents,
            executions=shop.executions,
            payments=no_provider,
            kitchen=no_provider,
            couriers=no_provider,
            clock=shop.clock,
            webhooks=self.receivers,
        )

    def invoke(self, function: str, payload: Any) -> Deferred[Any]:
        assert function == "Webhooks"
        answer: Deferred[Any] = Deferred()
        self.events += [json.loads(message["body"])["detail"]["id"] for message in payload["Records"]]
        if isinstance(self.failure, Exception):
            answer.set_exception(self.failure)
        elif self.failure is not None:
            answer.set_result(self.failure)
        else:
            with serving(self._ports, {}):
                answer.set_result(webhooks.handler(json.loads(json.dumps(payload)), None))
        return answer


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def function(shop: Shop) -> WebhooksFunction:
    return WebhooksFunction(shop)


def registered(shop: Shop) -> None:
    owner, url = Actor(Role.SERVICE, "loyalty"), "https://loyalty.example.com/"
    endpoints.register(
        shop.documents, owner, "key", url=url, types=(), description="", enabled=True, now=shop.clock.now()
    )


def following(shop: Shop, function: WebhooksFunction) -> tuple[PublishedEvents, HandHub]:
    hub, ports = HandHub(), (shop.log, shop.documents, function)
    followed = PublishedEvents(*ports, function="Webhooks", hub=hub)  # type: ignore[arg-type]  # stand-ins of them
    followed.begin()
    hub.run()
    return followed, hub


def published(shop: Shop) -> list[str]:
    """The ids of the published events of the one order, from its placing to the authorized payment."""
    return [f"{s.ORDER_ID}/{version}" for version in (1, 3)]


def test_published_events_reach_the_receivers_and_the_checkpoint_moves(shop: Shop, function: WebhooksFunction) -> None:
    """Each event arrives once as long as nothing fails; intents are not published."""
    registered(shop)
    _, hub = following(shop, function)
    shop.play(*s.AUTHORIZED)
    hub.run()
    assert function.events == function.receivers.ids == published(shop)
    assert shop.documents.get(*CHECKPOINT).body == {"read_to": shop.log.newest()}


def test_a_folder_without_a_checkpoint_begins_with_the_commits_that_come(
    shop: Shop, function: WebhooksFunction
) -> None:
    """A folder of an earlier release may hold a million commits, which concern no endpoint."""
    shop.play(*s.AUTHORIZED)
    registered(shop)
    _, hub = following(shop, function)
    hub.run()
    assert function.events == []


def test_commits_before_the_first_endpoint_are_skipped(shop: Shop, function: WebhooksFunction) -> None:
    """An endpoint gets the events from its registration on; until then no commit is decoded."""
    _, hub = following(shop, function)
    placing, authorizing = s.AUTHORIZED[:1], s.AUTHORIZED[1:]
    shop.play(*placing)
    hub.run()
    registered(shop)
    shop.play(*authorizing)
    hub.run()
    assert function.events == published(shop)[1:]


def test_without_an_endpoint_the_checkpoint_is_written_once_a_second(shop: Shop, function: WebhooksFunction) -> None:
    """After a registration the next look sets the usual interval again."""
    _, hub = following(shop, function)
    for number, command in enumerate(s.AUTHORIZED):
        shop.play(command)
        if number == len(s.AUTHORIZED) - 1:
            registered(shop)
        hub.run()
    shop.play(*s.ACCEPTED[len(s.AUTHORIZED) :])
    assert hub.delays_s[1:] == [LOOK_AFTER_S, *[SKIP_AFTER_S] * (len(s.AUTHORIZED) - 1), LOOK_AFTER_S]


@pytest.mark.parametrize(
    "failure",
    [FunctionFailed("DocumentsUnavailable", "{}"), {"batchItemFailures": [{"itemIdentifier": "ord_x/1"}]}],
    ids=["the function fails", "the function reports a failed message"],
)
def test_a_failed_batch_is_handed_over_again_after_a_growing_delay(
    shop: Shop, function: WebhooksFunction, failure: Any
) -> None:
    """The checkpoint stays, so that a crash in the meantime loses nothing either."""
    registered(shop)
    _, hub = following(shop, function)
    function.failure = failure
    shop.play(*s.AUTHORIZED[:1])
    hub.run(calls=20)
    retries_s = [delay_s for delay_s in hub.delays_s if delay_s >= 1]
    assert retries_s == sorted(retries_s)
    assert (retries_s[0], retries_s[-1]) == (1.0, RETRY_LAST_S)
    assert shop.documents.get(*CHECKPOINT).body == {"read_to": 0}
    function.failure = None
    hub.run()
    assert function.receivers.ids == published(shop)[:1]


def test_an_engine_after_a_crash_continues_from_the_checkpoint(shop: Shop, function: WebhooksFunction) -> None:
    """The events of the batch that was under way are handed over again, and those before are not."""
    registered(shop)
    first, hub = following(shop, function)
    shop.play(*s.AUTHORIZED[:1])
    hub.run()
    function.failure = FunctionFailed("DocumentsUnavailable", "{}")
    shop.play(*s.AUTHORIZED[1:])
    hub.run()
    first.close()
    function.failure, function.events[:] = None, []
    following(shop, function)
    assert function.events == published(shop)[1:]


def test_a_crash_before_the_first_batch_loses_no_event(shop: Shop, function: WebhooksFunction) -> None:
    """The first engine of a folder stores where it began, so that the next one does not begin after its commits."""
    registered(shop)
    first, _ = following(shop, function)
    shop.play(*s.AUTHORIZED)
    first.close()
    following(shop, function)
    assert function.events == published(shop)


def test_a_closed_one_makes_no_call(shop: Shop, function: WebhooksFunction) -> None:
    """The next engine hands over what is left."""
    registered(shop)
    followed, hub = following(shop, function)
    followed.close()
    shop.play(*s.AUTHORIZED)
    hub.run()
    assert function.events == []


def test_an_event_of_a_newer_release_does_not_hold_up_the_others(
    shop: Shop, function: WebhooksFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer release published it; this one cannot read it."""
    registered(shop)
    _, hub = following(shop, function)
    shop.play(*s.AUTHORIZED)
    unreadable, events = shop.log.changes(None, 1)[0].commit, shop.log.events

    def unknown(commit: Any) -> Any:
        if commit == unreadable:
            raise UnknownEvent(s.ORDER_ID, 1, Opaque("OrderPlacedByDrone", 1, {}))
        return events(commit)

    monkeypatch.setattr(shop.log, "events", unknown)
    hub.run()
    assert function.events == published(shop)[1:]
