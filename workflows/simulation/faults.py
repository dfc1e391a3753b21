"""The faults that a simulation injects: drawn at random with a rate each, or taken from a schedule.

An occasion is a point at which a fault could strike: a call, a commit, an invocation. Occasions are numbered. A
schedule maps occasions to faults; replaying parts of a schedule shortens a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class InjectedFault(StrEnum):
    """The kinds of faults."""

    CRASH_BEFORE = "crash before a call"
    CRASH_AFTER = "crash after a call"
    LOST_REQUEST = "request lost"
    LOST_RESPONSE = "response lost"
    STALLED = "stalled past every timeout"
    DUPLICATED = "outside call delivered twice"
    FEED_LATE = "feed late and out of order"
    FEED_TWICE = "feed twice"
    FEED_LOST = "feed record lost"
    CLOCK_SKEW = "clock of a process off"
    CLOCK_JUMPED = "wall clock jumps by hours"
    PROVIDER_DOWN = "provider down for minutes"
    FUNCTIONS_THROTTLED = "functions throttled for minutes"
    LAMBDA_SERVICE = "Lambda.ServiceException"
    LAMBDA_AWS = "Lambda.AWSLambdaException"
    LAMBDA_SDK = "Lambda.SdkClientException"
    LAMBDA_CLIENT_TIMEOUT = "Lambda.ClientExecutionTimeoutException"
    STARTS_THROTTLED = "StartExecution throttled for minutes"
    TRANSITIONS_THROTTLED = "state transitions throttled for minutes"
    TOKENS_THROTTLED = "SendTaskSuccess throttled for minutes"
    NEVER_ANSWERS = "person never answers"
    CANCELLED = "cancelled at any moment"
    REPORTED_TWICE = "person reports twice at once"
    CONTRADICTED = "person contradicts a report"
    REPORTED_EARLY = "courier reports too early"
    DECLINED_FOR_OTHERS = "courier declines for others"
    BODY_STALLED = "body of a request stalls"
    UPGRADED = "definition upgraded meanwhile"
    STARTED_AGAIN = "new run beside the old one"


OF_CALLS = (
    InjectedFault.CRASH_BEFORE,
    InjectedFault.CRASH_AFTER,
    InjectedFault.LOST_REQUEST,
    InjectedFault.LOST_RESPONSE,
    InjectedFault.STALLED,
    InjectedFault.DUPLICATED,
)

OF_FEED = (InjectedFault.FEED_LATE, InjectedFault.FEED_TWICE, InjectedFault.FEED_LOST)

OF_PEOPLE = (
    InjectedFault.NEVER_ANSWERS,
    InjectedFault.REPORTED_TWICE,
    InjectedFault.CONTRADICTED,
    InjectedFault.REPORTED_EARLY,
    InjectedFault.DECLINED_FOR_OTHERS,
    InjectedFault.BODY_STALLED,
)

OF_LAMBDA = (
    InjectedFault.LAMBDA_SERVICE,
    InjectedFault.LAMBDA_AWS,
    InjectedFault.LAMBDA_SDK,
    InjectedFault.LAMBDA_CLIENT_TIMEOUT,
)
"""Errors of Lambda itself: a Task gets one in place of its function's result, while the function runs or not."""

OF_STEP_FUNCTIONS = (
    InjectedFault.STARTS_THROTTLED,
    InjectedFault.TRANSITIONS_THROTTLED,
    InjectedFault.TOKENS_THROTTLED,
)

RATES: Mapping[InjectedFault, float] = {
    **dict.fromkeys(OF_CALLS, 0.006),
    InjectedFault.DUPLICATED: 0.05,
    InjectedFault.FEED_LATE: 0.05,
    InjectedFault.FEED_TWICE: 0.05,
    InjectedFault.FEED_LOST: 0.01,
    InjectedFault.CLOCK_SKEW: 0.1,
    InjectedFault.CLOCK_JUMPED: 0.1,
    InjectedFault.PROVIDER_DOWN: 0.3,
    InjectedFault.FUNCTIONS_THROTTLED: 0.1,
    **dict.fromkeys(OF_LAMBDA, 0.0005),
    **dict.fromkeys(OF_STEP_FUNCTIONS, 0.02),
    InjectedFault.NEVER_ANSWERS: 0.03,
    InjectedFault.CANCELLED: 0.25,
    InjectedFault.REPORTED_TWICE: 0.05,
    InjectedFault.CONTRADICTED: 0.05,
    InjectedFault.REPORTED_EARLY: 0.05,
    InjectedFault.DECLINED_FOR_OTHERS: 0.15,
    InjectedFault.BODY_STALLED: 0.05,
    InjectedFault.UPGRADED: 0.3,
    InjectedFault.STARTED_AGAIN: 0.05,
}
"""The share of occasions that each fault strikes. Its occasions are calls of a port, Tasks, commits in the feed,
processes, worlds, answers and requests of people, offers, or orders."""


Observer = Callable[[int, tuple[InjectedFault, ...], str], None]
"""Called at an occasion with its number, the faults that could strike, and a description."""


@dataclass(slots=True)
class Faults:
    """Decides at every occasion whether a fault strikes.

    With a ``schedule`` exactly its faults strike; otherwise faults are drawn by their rates. ``injected`` lists the
    faults that struck, with occasion and description.
    """

    seed: int
    rates: Mapping[InjectedFault, float] = field(default_factory=lambda: RATES)
    schedule: Mapping[int, InjectedFault] | None = None
    observer: Observer | None = None
    injected: list[tuple[int, InjectedFault, str]] = field(default_factory=list)
    _occasions: int = 0
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(f"faults of {self.seed}")

    def strikes(
        self, candidates: Iterable[InjectedFault], what: str, random: Random | None = None
    ) -> InjectedFault | None:
        """Return the fault that strikes at this occasion, if any.

        Args:
            what: Describes the occasion in reports.
            random: Draws for this occasion alone, so that the other faults of a seed stay as they were without it.
        """
        self._occasions += 1
        drawn = (random or self._random).random()
        if self.observer is not None:
            self.observer(self._occasions, tuple(candidates), what)
        if self.schedule is not None:
            scheduled = self.schedule.get(self._occasions)
            if scheduled is None or scheduled not in tuple(candidates):
                return None
            return self._record(scheduled, what)
        for fault in candidates:
            drawn -= self.rates.get(fault, 0.0)
            if drawn < 0:
                return self._record(fault, what)
        return None

    def _record(self, fault: InjectedFault, what: str) -> InjectedFault:
        self.injected.append((self._occasions, fault, what))
        return fault
