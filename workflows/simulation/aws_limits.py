"""AWS's limits as data, and the token buckets that a simulated account is throttled by.

A bucket holds tokens up to its size and is refilled at a rate; each call takes one. Step Functions refuses calls
without a token, and lets state transitions wait for one. Lambda's limit is a number of functions that run at once.

Sources, read on 2026-11-27: Step Functions, https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
(state throttling, API action throttling); Lambda, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
(1,000 functions at once; new accounts have less, usually 10). New accounts also have fewer state transitions; AWS does
not say how many, so ``NEW_ACCOUNT`` assumes an eighth of those of other regions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.aws import quotas
from workflows.simulation.scheduler import EPOCH, Scheduler
from workflows.simulation.wire import Outage


class Limit(StrEnum):
    """A limit of an account in a region that orders use up."""

    FUNCTIONS = "Lambda: functions at once"
    STARTS = "StartExecution"
    TRANSITIONS = "state transitions"
    DESCRIBES = "DescribeExecution (.sync:2)"
    TOKENS = "SendTaskSuccess, SendTaskFailure"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A documented limit: tokens at most, and tokens a second. Lambda's has a size alone."""

    size: float
    refill_per_s: float = 0.0

    def scaled(self, factor: float) -> Bucket:
        """Return the same limit for a load that is smaller by the factor; one call at least has room."""
        return Bucket(max(1.0, self.size / factor), self.refill_per_s / factor)


Quotas = Mapping[Limit, Bucket]

LARGE_REGIONS: Quotas = {
    Limit.FUNCTIONS: Bucket(1000),
    Limit.STARTS: Bucket(1300, 300),
    Limit.TRANSITIONS: Bucket(5000, 5000),
    Limit.DESCRIBES: Bucket(300, 15),
    Limit.TOKENS: Bucket(3000, 500),
}
"""N. Virginia, Oregon and Ireland."""

OTHER_REGIONS: Quotas = {
    Limit.FUNCTIONS: Bucket(1000),
    Limit.STARTS: Bucket(800, 150),
    Limit.TRANSITIONS: Bucket(800, 800),
    Limit.DESCRIBES: Bucket(250, 10),
    Limit.TOKENS: Bucket(1500, 300),
}

NEW_ACCOUNT: Quotas = {**OTHER_REGIONS, Limit.FUNCTIONS: Bucket(10), Limit.TRANSITIONS: Bucket(100, 100)}

_AN_ORDER: Mapping[Limit, float] = {
    Limit.FUNCTIONS: quotas.FUNCTIONS_PER_ORDER_A_SECOND,
    Limit.STARTS: quotas.PER_ORDER[quotas.STARTS],
    Limit.TRANSITIONS: quotas.PER_ORDER[quotas.TRANSITIONS],
    Limit.DESCRIBES: 0.0,  # no machine of ours waits for another one
    Limit.TOKENS: quotas.PER_ORDER[quotas.TOKENS],
}


def requested(orders_per_s: float) -> Quotas:
    """Return the quotas that ``expediter doctor --stack`` requests for a load, but no less than large regions have."""
    return {
        limit: Bucket(max(bucket.size, needed), max(bucket.refill_per_s, needed if bucket.refill_per_s else 0.0))
        for limit, bucket in LARGE_REGIONS.items()
        for needed in (quotas.HEADROOM * _AN_ORDER[limit] * orders_per_s,)
    }


QUEUED_AFTER = timedelta(seconds=10)
"""Shorter waits are chance: a few calls that come at once."""


@dataclass(slots=True)
class LimitUse:
    """What a limit did in a run.

    ``refused`` and ``held`` count calls. ``longest`` is the longest wait for it, and ``first_at`` when the first piece
    of work began to wait that waited for ``QUEUED_AFTER`` or longer.
    """

    refused: int = 0
    held: int = 0
    first_at: datetime | None = None
    longest: timedelta = timedelta()

    def waited(self, since: datetime, until: datetime) -> None:
        """Note a wait that is over."""
        self.longest = max(self.longest, until - since)
        if until - since >= QUEUED_AFTER:
            self.first_at = min(self.first_at or since, since)


class TokenBucket:
    """One bucket under the simulated clock. During ``drained`` another application of the account takes every token."""

    def __init__(self, bucket: Bucket, scheduler: Scheduler, drained: Outage | None) -> None:
        self._bucket = bucket
        self._scheduler = scheduler
        self._drained = drained
        self._tokens = bucket.size
        self._at = EPOCH
        self._waiting: deque[tuple[datetime, Callable[[], object]]] = deque()
        self._is_due = False
        self.use = LimitUse()

    def passes(self) -> bool:
        """Take a token if there is one."""
        self._refill()
        if self._tokens < 1:
            self.use.refused += 1
            return False
        self._tokens -= 1
        return True

    def owe(self, tokens: int) -> None:
        """Take tokens whether there are any or not. Later acts wait until the bucket has earned them."""
        self._refill()
        self._tokens -= tokens

    def hold(self, act: Callable[[], object]) -> None:
        """Act now, or once there is a token and every earlier act is done. The act takes its tokens with ``owe``."""
        self._waiting.append((self._scheduler.now(), act))
        if not self._is_due:
            self._serve()

    def _serve(self) -> None:
        while self._waiting:
            self._refill()
            if self._tokens < 1:
                self._serve_later()
                return
            since, act = self._waiting.popleft()
            self._note(since)
            act()

    def _note(self, since: datetime) -> None:
        if since < self._scheduler.now():
            self.use.held += 1
            self.use.waited(since, self._scheduler.now())

    def _serve_later(self) -> None:
        now = self._scheduler.now()
        self._is_due = True
        at = now + timedelta(seconds=(1 - self._tokens) / self._bucket.refill_per_s)
        if self._drained is not None and self._drained.covers(now):
            at = self._drained.ends + timedelta(seconds=1 / self._bucket.refill_per_s)
        self._scheduler.at(at + timedelta(microseconds=1), self._serve_again)

    def _serve_again(self) -> None:
        self._is_due = False
        self._serve()

    def _refill(self) -> None:
        now = self._scheduler.now()
        since = self._at
        self._at = now
        if self._drained is not None:
            if self._drained.covers(now):
                self._tokens = min(self._tokens, 0.0)
                return
            since = max(since, self._drained.ends) if now >= self._drained.ends else since
        earned = (now - since).total_seconds() * self._bucket.refill_per_s
        self._tokens = min(self._bucket.size, self._tokens + earned)


class Concurrency:
    """Lambda's functions at once. During ``drained`` another application of the account runs as many as it may."""

    def __init__(self, bucket: Bucket, scheduler: Scheduler, drained: Outage | None) -> None:
        self._most = bucket.size
        self._scheduler = scheduler
        self._drained = drained
        self._running = 0
        self.use = LimitUse()

    def passes(self) -> bool:
        """Count a function as running if there is room. Its end is reported by ``ended``."""
        now = self._scheduler.now()
        if self._running >= int(self._most) or (self._drained is not None and self._drained.covers(now)):
            self.use.refused += 1
            return False
        self._running += 1
        return True

    def ended(self) -> None:
        """Count a function as ended."""
        self._running -= 1


class Refusals:
    """Measures how long one piece of work is refused, from its first refusal until it passes."""

    def __init__(self, use: LimitUse, scheduler: Scheduler) -> None:
        self._use = use
        self._scheduler = scheduler
        self._since: dict[str, datetime] = {}

    def note(self, work: str, passed: bool) -> None:
        """Note an attempt at a piece of work, by a name that its attempts share."""
        now = self._scheduler.now()
        if not passed:
            self._since.setdefault(work, now)
        elif (since := self._since.pop(work, None)) is not None:
            self._use.waited(since, now)
