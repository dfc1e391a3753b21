"""A webhook sender for tests: it answers as the test says, and keeps what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.stores import SettableClock
from workflows.in_memory.documents import InMemoryDocuments
from workflows.publishing.webhooks.sender import WebhookAnswer, WebhookPost
from workflows.publishing.webhooks.targets import Targets

OK = WebhookAnswer(http=200, took_ms=20)
DOWN = WebhookAnswer(http=None, took_ms=5, error="no connection: refused")


def answered(http: int, took_ms: int = 20) -> WebhookAnswer:
    return WebhookAnswer(http=http, took_ms=took_ms)


@dataclass
class Receivers:
    """``answer`` returns the outcome of each request; ``posts`` are all requests so far."""

    answer: Callable[[WebhookPost], WebhookAnswer] = lambda _: OK
    posts: list[WebhookPost] = field(default_factory=list)

    def check(self, *, url: str, targets: Targets) -> None:
        """Accept every URL."""

    def post_all(self, *, posts: Sequence[WebhookPost], targets: Targets) -> list[WebhookAnswer]:
        self.posts += posts
        return [self.answer(post) for post in posts]

    @property
    def ids(self) -> list[str]:
        return [post.headers["webhook-id"] for post in self.posts]


@dataclass
class Ports:
    """What delivering needs of an engine."""

    clock: SettableClock = field(default_factory=SettableClock)
    documents: Any = field(default_factory=InMemoryDocuments)
    webhooks: Receivers = field(default_factory=Receivers)


def event(number: int, at: str = "2026-05-04T12:00:00.000000Z", kind: str = "order.placed") -> dict[str, Any]:
    made = {"specversion": "1.0", "id": f"ord_x/{number}", "type": f"expediter.{kind}.v1", "time": at, "data": {"é": 1}}
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]  # it is an object
