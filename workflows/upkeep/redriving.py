"""Try batches of the log's stream again that Lambda gave up on, so that no order waits for a person to do it.

Lambda stops after ten attempts, e.g. after some minutes without DynamoDB or Step Functions. The order of a lost record
has no run yet, perhaps not even a row, so that the watchdog would find it by its daily comparison only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from workflows.clock import Clock
from workflows.event_store.failed_batches import RedrivableBatches

_log = logging.getLogger(__name__)

BEGIN_WITHIN = timedelta(seconds=20)
"""Later batches wait for the next round: one takes up to a minute, and the timer's function has five."""

KEPT = "a failed batch of the log's stream failed again"
"""The message of a log line with ``batch`` and ``problem``, for each batch in every round until it is processed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveRound:
    """How many batches were processed, and the names of those that failed again."""

    done: int
    kept: list[str]


def redrive(batches: RedrivableBatches, clock: Clock) -> RedriveRound:
    """Try batches again, one after the other, for some 20 seconds. A batch that fails does not stop the others."""
    began = clock.now()
    done = 0
    kept: list[str] = []
    for key in _in_turn(batches.keys(), began.minute):
        if clock.now() > began + BEGIN_WITHIN:
            break
        try:
            problem = batches.redrive(key)
        except Exception as error:  # tried again in the next round; the others go on
            problem = type(error).__name__
        if problem:
            _log.warning(KEPT, extra={"batch": key, "problem": problem})
            kept.append(key)
        else:
            done += 1
    return RedriveRound(done=done, kept=kept)


def _in_turn(keys: list[str], round_: int) -> list[str]:
    """Begin with another batch each minute, so that slow ones do not keep the last ones waiting for ever."""
    first = round_ * len(keys) // 60
    return keys[first:] + keys[:first]
