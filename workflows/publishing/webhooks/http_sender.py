"""Sends webhooks over HTTP: a request within a deadline, to an address that was checked, without redirects.

A redirect is an answer like any other, and not a success. Of the receiver's answer only the status is used; at most 64
KB of it are read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from workflows.publishing.webhooks.sender import WebhookAnswer, WebhookPost
from workflows.publishing.webhooks.targets import Lookup, TargetRefused, Targets, check_target, permitted, target

if TYPE_CHECKING:
    from urllib.parse import SplitResult

ANSWER_WITHIN_S = 10.0
"""From the first byte of a request to the last of its answer. A receiver should store the event and answer at once."""

LOOKUP_EXTRA_S = 5.0
"""How much longer an outcome is waited for: the lookup of a host name has the system's own timeout."""

REQUESTS_MAX = 16
"""Requests at once, each on a thread of its own."""


class HttpWebhookSender:
    """Safe to use from several threads. It starts its threads when it sends for the first time."""

    def __init__(self, lookup: Lookup | None = None, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._lookup = lookup or _addresses_of
        self._answer_within_s = answer_within_s
        self._threads: ThreadPoolExecutor | None = None

    def check(self, *, url: str, targets: Targets) -> None:
        check_target(url, targets, self._lookup)

    def post_all(self, *, posts: Sequence[WebhookPost], targets: Targets) -> list[WebhookAnswer]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(REQUESTS_MAX, thread_name_prefix="webhook")
        sent = [self._threads.submit(self._post, post, targets) for post in posts]
        rounds = -(-len(posts) // REQUESTS_MAX)
        wait(sent, rounds * (self._answer_within_s + LOOKUP_EXTRA_S))
        return [self._outcome(future) for future in sent]

    def close(self) -> None:
        """Drop the requests that have not begun."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _outcome(self, future: Future[WebhookAnswer]) -> WebhookAnswer:
        if future.cancel() or not future.done():
            return WebhookAnswer(http=None, took_ms=0, error="its host was not looked up in time")
        return future.result()

    def _post(self, post: WebhookPost, targets: Targets) -> WebhookAnswer:
        began_s = time.monotonic()
        try:
            parts = target(post.url, targets)
        except TargetRefused as refused:
            return WebhookAnswer(http=None, took_ms=0, error=f"the URL {refused}")
        http, error = self._exchanged(parts, post, targets)
        return WebhookAnswer(http=http, took_ms=round((time.monotonic() - began_s) * 1000), error=error)

    def _exchanged(self, parts: SplitResult, post: WebhookPost, targets: Targets) -> tuple[int | None, str]:
        from workflows.gateways.http.exchange import AnswerTooLong, Exchanges, NoAnswer  # only where webhooks are sent

        exchanges = Exchanges(parts._replace(path=""), addresses=permitted(self._lookup, targets))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with exchanges.post(path, post.body.encode(), post.headers, self._answer_within_s) as answer:
                return answer.status, ""
        except (NoAnswer, AnswerTooLong) as error:
            return None, str(error)
        finally:
            exchanges.close()


def _addresses_of(host: str, port: int) -> Sequence[str]:
    from workflows.gateways.http.exchange import addresses_of

    return addresses_of(host, port)
