"""The function of the webhooks: a message that is no event fails alone, and nothing is acknowledged too early."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from domain.identifiers import Actor, Role
from handlers import webhooks
from tests.publishing.webhook_receiver import Receivers, event
from tests.recorded import Shop
from workflows.engine import serving
from workflows.event_store.documents import DocumentsUnavailable
from workflows.publishing.webhooks import endpoints


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def receivers(shop: Shop) -> Receivers:
    receivers = Receivers()
    shop.engine = replace(shop.engine, webhooks=receivers)
    owner, url, now = Actor(Role.SERVICE, "loyalty"), "https://loyalty.example.com/", shop.clock.now()
    endpoints.register(shop.documents, owner, "key", url=url, types=(), description="", enabled=True, now=now)
    return receivers


def message(number: int, **changed: Any) -> dict[str, Any]:
    return queued(f"message-{number}", {"detail": {**event(number), **changed}})


def queued(message_id: str, body: Any) -> dict[str, Any]:
    return {"messageId": message_id, "body": json.dumps(body)}


def invoke(shop: Shop, *messages: Any) -> list[str]:
    """Invoke the function with a batch; return the ids of the messages that SQS delivers again."""
    with serving(shop.engine, {}):
        answer: dict[str, Any] = webhooks.handler({"Records": list(messages)}, None)
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


BAD = {
    "no JSON": {"messageId": "bad", "body": "{"},
    "no body": {"messageId": "bad"},
    "a body that is no text": {"messageId": "bad", "body": None},
    "a body that is no object": queued("bad", []),
    "no event of EventBridge": queued("bad", {"Records": []}),
    "no CloudEvent": queued("bad", {"detail": "Camille"}),
    "an event without an id": queued("bad", {"detail": {"type": "t", "time": "2026-05-04T12:00:00Z"}}),
    "an id that is a number": {**message(9, id=9), "messageId": "bad"},
    "a text that is no time": {**message(9, time="noon, Camille"), "messageId": "bad"},
    "a time without a zone": {**message(9, time="2026-05-04T12:00:00"), "messageId": "bad"},
    "a number that JSON lacks": {**message(9, data={"n": float("nan")}), "messageId": "bad"},
    "half a character": {**message(9, data={"name": "\ud83d"}), "messageId": "bad"},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_message_that_is_no_event_fails_alone(
    shop: Shop, receivers: Receivers, bad: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The others of its batch are sent, and later rounds of the schedule are not held up. No log line quotes it."""
    with caplog.at_level(logging.INFO):
        assert invoke(shop, message(1), bad, message(2)) == ["bad"]
    assert sorted(receivers.ids) == ["ord_x/1", "ord_x/2"]
    shop.clock.advance(minutes=5)
    with serving(shop.engine, {}):
        assert webhooks.handler({"for_s": 0}, None) == {"attempted": 0, "deleted": 0}
    (line,) = (record for record in caplog.records if record.getMessage() == webhooks.FAILED)
    assert vars(line)["error"] == "NotAnEvent"
    assert "Camille" not in str(vars(line))


@pytest.mark.parametrize("nameless", ["text", None, {"body": "{"}, {"messageId": None, "body": "{"}])
def test_for_a_message_without_an_id_the_whole_batch_is_delivered_again(
    shop: Shop, receivers: Receivers, nameless: Any
) -> None:
    """SQS takes an empty id for the whole batch; what was sent before is not sent twice."""
    for _ in range(2):
        assert invoke(shop, message(1), nameless) == [""]
    assert receivers.ids == ["ord_x/1"]


def test_no_message_is_acknowledged_while_the_store_does_not_answer(
    shop: Shop, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS delivers the whole batch again."""

    def no_answer(*_: Any) -> None:
        raise DocumentsUnavailable("busy")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(shop.documents, "put", no_answer)
        assert invoke(shop, message(1), message(2)) == ["message-1", "message-2"]
    assert invoke(shop, message(1), message(2)) == []
    assert sorted(receivers.ids) == ["ord_x/1", "ord_x/2"]
