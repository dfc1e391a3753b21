"""Matching of errors with retriers and catchers, and the delay of a retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from workflows.asl.interpreter.frames import ErrorOutput, Frame
from workflows.asl.jsonata.dice import Dice
from workflows.asl.reading.states import Catcher, Fallible, Retrier

TIMEOUT: Final = "States.Timeout"
RUNTIME: Final = "States.Runtime"
DATA_LIMIT: Final = "States.DataLimitExceeded"
QUERY: Final = "States.QueryEvaluationError"

_Policy = TypeVar("_Policy", Retrier, Catcher)


def matches(names: Sequence[str], failure: ErrorOutput) -> bool:
    """Whether an ErrorEquals list matches a failure, by the rules of AWS docs, "Error handling".

    States.Runtime always fails the execution. States.DataLimitExceeded is matched only by its own name, not by a
    wildcard. States.TaskFailed matches every other error but States.Timeout.
    """
    error = failure.error
    if error == RUNTIME:
        return False
    if error in names or (failure.is_heartbeat and "States.HeartbeatTimeout" in names):
        return True
    if error == DATA_LIMIT:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error != TIMEOUT)


def first_match(policies: Sequence[_Policy], failure: ErrorOutput) -> tuple[int, _Policy] | None:
    """Find the first entry whose ErrorEquals matches. Later entries do not count, even if it has no attempts left."""
    for index, policy in enumerate(policies):
        if matches(policy.errors, failure):
            return index, policy
    return None


def take_retry(frame: Frame, failure: ErrorOutput, dice: Dice) -> float | None:
    """Count the next attempt and return the seconds to wait before it; None if there is none left."""
    if not isinstance(frame.state, Fallible):
        return None
    match = first_match(frame.state.retry, failure)
    if match is None:
        return None
    index, retrier = match
    used = frame.retries.get(index, 0)
    if used >= retrier.attempts_max:
        return None
    frame.retries[index] = used + 1
    frame.retry_count += 1
    return retry_delay_s(retrier, used, dice)


def retry_delay_s(retrier: Retrier, retries_before: int, dice: Dice) -> float:
    """Return the seconds to wait before a retry."""
    longest = float(retrier.delay_max_s) if retrier.delay_max_s is not None else 99_999_999.0
    try:
        delay = min(longest, retrier.interval_s * retrier.backoff_rate**retries_before)
    except OverflowError:
        delay = longest
    return dice.fraction("jitter") * delay if retrier.full_jitter else delay
