"""Mutants of AWS's limits in ``workflows/simulation/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

FILE = "workflows/simulation/aws_limits.py"
LIMITS = "simulation/test_limits.py"
REFILL = f"{LIMITS}::test_a_bucket_allows_its_size_at_once_and_its_refill_from_then_on"
DRAINED = f"{LIMITS}::test_a_drained_bucket_allows_nothing_until_its_first_refill_after_that"
HELD = f"{LIMITS}::test_what_a_bucket_holds_is_done_in_order_and_waits_for_what_was_owed"

MUTANTS = (
    Mutant(
        name="bucket that never runs dry",
        breaks="Each call takes a token.",
        file=FILE,
        old="        self._tokens -= 1\n",
        new="",
        caught_by=tests(REFILL),
    ),
    Mutant(
        name="bucket that saves up without a bound",
        breaks="A bucket holds no more than its size, however long it was not used.",
        file=FILE,
        old="        self._tokens = min(self._bucket.size, self._tokens + earned)\n",
        new="        self._tokens += earned\n",
        caught_by=tests(REFILL),
    ),
    Mutant(
        name="refusals that are not counted",
        breaks="A run counts the calls that a limit refused.",
        file=FILE,
        old="        if self._tokens < 1:\n            self.use.refused += 1\n            return False\n",
        new="        if self._tokens < 1:\n            return False\n",
        caught_by=tests(REFILL),
    ),
    Mutant(
        name="drained bucket that keeps what was saved up",
        breaks="Another application that takes all of a limit takes what was saved up, too.",
        file=FILE,
        old="                self._tokens = min(self._tokens, 0.0)\n",
        new="",
        caught_by=tests(DRAINED),
    ),
    Mutant(
        name="bucket that is refilled while it is drained",
        breaks="After ten minutes without tokens a bucket begins empty.",
        file=FILE,
        old="            since = max(since, self._drained.ends) if now >= self._drained.ends else since\n",
        new="",
        caught_by=tests(f"{LIMITS}::test_a_bucket_earns_nothing_while_it_is_drained"),
    ),
    Mutant(
        name="held transitions out of their order",
        breaks="State transitions wait for tokens in the order in which they came.",
        file=FILE,
        old="self._waiting.popleft()",
        new="self._waiting.pop()",
        caught_by=tests(HELD),
    ),
    Mutant(
        name="functions that never end",
        breaks="A function that ended makes room for the next.",
        file=FILE,
        old="        self._running -= 1\n",
        new="",
        caught_by=tests(f"{LIMITS}::test_only_as_many_functions_run_at_once_as_the_limit_allows"),
    ),
    Mutant(
        name="limit that does not shrink with the load",
        breaks="A smaller load is simulated with limits that are as much smaller.",
        file=FILE,
        old="self.refill_per_s / factor",
        new="self.refill_per_s",
        caught_by=tests(f"{LIMITS}::test_a_smaller_load_gets_limits_as_much_smaller"),
    ),
    Mutant(
        name="chance waits that name the first limit",
        breaks="A limit queues first if work waited for it ten seconds or longer.",
        file=FILE,
        old="        if until - since >= QUEUED_AFTER:\n",
        new="        if until > since:\n",
        caught_by=tests(f"{LIMITS}::test_only_waits_of_ten_seconds_say_which_limit_queues_first"),
    ),
    Mutant(
        name="wait measured from its last refusal",
        breaks="A wait lasts from the first refusal of a piece of work until it passes.",
        file=FILE,
        old="            self._since.setdefault(work, now)\n",
        new="            self._since[work] = now\n",
        caught_by=tests(f"{LIMITS}::test_only_waits_of_ten_seconds_say_which_limit_queues_first"),
    ),
)
