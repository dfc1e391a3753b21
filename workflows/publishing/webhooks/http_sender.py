"""Sends webhooks over HTTP: a request within a deadline, to an address that was checked, without redirects.

A redirect is an answer like any other, and not a success. Of the receiver's answer only the status is used; at most 64
KB of it are read. Host names are looked up on threads of their own, because the system may take half a minute to find
that a name server does not answer: such a name holds up its own requests alone.
"""

from __future__ import annotations

import threading
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

LOOKUP_WITHIN_S = 5.0
"""For the addresses of a host name. The system's own limit may be longer."""

LOOKUPS_MAX = 128
"""Lookups at once, one for each host name. There are at most a hundred endpoints."""

REQUESTS_MAX = 16
"""Requests at once, each on a thread of its own."""

THREADS_LATE_S = 1.0
"""How much longer an outcome is waited for on a busy machine."""


class HttpWebhookSender:
    """Safe to use from several threads. It starts its threads when it sends for the first time."""

    def __init__(
        self,
        lookup: Lookup | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
        lookup_within_s: float = LOOKUP_WITHIN_S,
    ) -> None:
        self._lookups = _Lookups(lookup or _addresses_of, lookup_within_s)
        self._lookup = self._lookups.look_up
        self._answer_within_s = answer_within_s
        self._lookup_within_s = lookup_within_s
        self._threads: ThreadPoolExecutor | None = None

    def check(self, *, url: str, targets: Targets) -> None:
        check_target(url, targets, self._lookup)

    def post_all(self, *, posts: Sequence[WebhookPost], targets: Targets) -> list[WebhookAnswer]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(REQUESTS_MAX, thread_name_prefix="webhook")
        sent = [self._threads.submit(self._post, post, targets) for post in posts]
        rounds = -(-len(posts) // REQUESTS_MAX)
        wait(sent, rounds * (self._answer_within_s + self._lookup_within_s + THREADS_LATE_S))
        return [self._outcome(future) for future in sent]

    def close(self) -> None:
        """Drop the requests that have not begun."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._lookups.close()

    def _outcome(self, future: Future[WebhookAnswer]) -> WebhookAnswer:
        if future.cancel() or not future.done():
            return WebhookAnswer(http=None, took_ms=0, error="it was not sent in time")
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


class _Lookups:
    """Looks host names up, each on a thread of its own, and waits a limited time. Requests to a host share it."""

    def __init__(self, lookup: Lookup, within_s: float) -> None:
        self._lookup = lookup
        self._within_s = within_s
        self._gate = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[Sequence[str]]] = {}
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="lookup")

    def look_up(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses. Raises OSError (TimeoutError too) or UnicodeError."""
        with self._gate:
            lookup = self._under_way.get((host, port))
            if lookup is None:
                lookup = self._under_way[host, port] = self._threads.submit(self._look_up, host, port)
        return lookup.result(self._within_s)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        try:
            return self._lookup(host, port)
        finally:
            with self._gate:
                del self._under_way[host, port]


def _addresses_of(host: str, port: int) -> Sequence[str]:
    from workflows.gateways.http.exchange import addresses_of

    return addresses_of(host, port)
