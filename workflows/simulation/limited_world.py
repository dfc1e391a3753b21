"""A world whose AWS account has limits: calls above them are refused, and state transitions above them wait.

Beside the limits it differs from other worlds in what decides how much of them an order uses: calls are as fast as
within one region, clients of AWS try a throttled call three times, and Lambda repeats a batch of the log's stream with
growing waits and gives it up after 25 errors, as ``template.yaml`` says.

Step Functions calls DescribeExecution once to learn the end of a child (its polls in between are not documented); no
machine of ours starts a child. An execution that the API starts enters its first state without waiting for the token of
its transition, and takes it later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflows.asl.interpreter.history import HistoryEvent
from workflows.asl.interpreter.interpreter import SignalResult
from workflows.asl.reading.states import Definition
from workflows.asl.signals import JSON, Mode, StartExecution
from workflows.asl.virtual import VirtualExecution
from workflows.embedded.lambda_.feed import stream_record
from workflows.embedded.template import Template
from workflows.event_store.change_feed import FeedEntry
from workflows.executions import ExecutionsUnavailable
from workflows.simulation.aws_limits import Concurrency, Limit, LimitUse, Quotas, Refusals, TokenBucket
from workflows.simulation.executions import Answer, SimulatedExecutions, Steps, is_express
from workflows.simulation.faults import Faults
from workflows.simulation.releases import definitions
from workflows.simulation.scheduler import Scheduler
from workflows.simulation.wire import Outage
from workflows.simulation.world import THROTTLED, World

LATENCY_S = 0.01
"""Mean time of a call in each direction. With it a happy order uses some 3 seconds of functions, as measured for
docs/costs.md."""

ATTEMPTS = 3
"""How often a client of AWS tries a throttled call (``aws/clients.py``)."""

ERRORS_MAX = 25
"""``MaximumRetryAttempts`` of the mapping of ``Feed``. Refusals of Lambda do not count: it repeats those for a day."""

REPEATED_AFTER_MAX_S = 60.0
"""The longest wait of Lambda before it repeats a batch of a stream. AWS does not say how long it is."""

START_REFUSED = ("StepFunctions.AWSStepFunctionsException", "Rate exceeded (Error Code: ThrottlingException)")
"""Error and cause of a Task that starts an execution, when StartExecution is throttled."""


class AccountLimits:
    """The limits of one account and region, and what they did.

    Args:
        drained: The times in which another application of the account uses all that a limit allows.
    """

    def __init__(self, quotas: Quotas, scheduler: Scheduler, drained: Mapping[Limit, Outage]) -> None:
        self.functions = Concurrency(quotas[Limit.FUNCTIONS], scheduler, drained.get(Limit.FUNCTIONS))
        self.buckets = {
            limit: TokenBucket(quotas[limit], scheduler, drained.get(limit))
            for limit in Limit
            if limit is not Limit.FUNCTIONS
        }
        self.refusals = {limit: Refusals(use, scheduler) for limit, use in self.uses().items()}

    def uses(self) -> Mapping[Limit, LimitUse]:
        """Return what each limit did."""
        return {Limit.FUNCTIONS: self.functions.use, **{limit: bucket.use for limit, bucket in self.buckets.items()}}

    def passes(self, limit: Limit, work: str) -> bool:
        """Take a token for a piece of work, if there is one."""
        passed = self.functions.passes() if limit is Limit.FUNCTIONS else self.buckets[limit].passes()
        self.refusals[limit].note(work, passed)
        return passed


class LimitedExecutions(SimulatedExecutions):
    """Step Functions with its limits. Express executions have none."""

    executions_max = 1_000_000  # open at once in an account; no run here has as many

    def __init__(
        self,
        machines: Mapping[str, Definition],
        scheduler: Scheduler,
        invoke: Callable[[str, JSON, Answer, Callable[[], Steps]], None],
        limits: AccountLimits,
    ) -> None:
        super().__init__(machines, scheduler, invoke)
        self._limits = limits
        self._transitions = limits.buckets[Limit.TRANSITIONS]

    # --- calls that are refused ----------------------------------------------------------------------------------

    def start(self, machine: Any, name: str, input: JSON, express: bool = False) -> Any:  # noqa: A002 - the API's word
        if not isinstance(machine, Definition):
            self._take(Limit.STARTS, name)
        return super().start(machine, name, input, express)

    def succeed(self, token: str, output: JSON) -> None:
        self._take(Limit.TOKENS, token)
        super().succeed(token, output)

    def fail(self, token: str, error: str, cause: str) -> None:
        self._take(Limit.TOKENS, token)
        super().fail(token, error, cause)

    def _take(self, limit: Limit, work: str) -> None:
        """Pass a limit as the client of a running function: with a few attempts."""
        for attempt in range(ATTEMPTS):
            if self._limits.passes(limit, work):
                return
            if attempt + 1 < ATTEMPTS:
                self._scheduler.pause(self._scheduler.random.uniform(0, 2**attempt))
        raise ExecutionsUnavailable(f"{limit}: Rate exceeded")

    def _start_child(self, running: VirtualExecution, effect: StartExecution) -> None:
        is_wanted = effect.task in running.execution.calls and effect.mode is not Mode.EXPRESS
        if is_wanted and not self._limits.passes(Limit.STARTS, f"{running.execution.arn}/{effect.machine}"):
            self._fail(running, effect.task, *START_REFUSED)
        else:
            super()._start_child(running, effect)

    # --- what waits ----------------------------------------------------------------------------------------------

    def _hold(self, running: VirtualExecution, act: Callable[[], None]) -> None:
        if is_express(running):
            self._act(act)
        else:
            self._transitions.hold(lambda: self._act(act))

    def _perform_all(self, running: VirtualExecution, result: SignalResult) -> None:
        if not is_express(running):
            self._transitions.owe(sum(map(_is_transition, result.events)))
        super()._perform_all(running, result)

    def _answer_waiting(self, ended: VirtualExecution) -> None:
        if is_express(ended) or not ended.waiting:
            super()._answer_waiting(ended)
            return
        describes = self._limits.buckets[Limit.DESCRIBES]

        def describe() -> None:
            self._now = self._scheduler.now()
            describes.owe(1)
            super(LimitedExecutions, self)._answer_waiting(ended)

        describes.hold(describe)


class LimitedWorld(World):
    """A world without other faults, in an account with limits."""

    def __init__(self, seed: int, template: Template, quotas: Quotas, drained: Mapping[Limit, Outage]) -> None:
        """Make a world.

        Args:
            drained: As of ``AccountLimits``.
        """
        self._quotas = quotas
        self._drained = drained
        self.given_up = 0
        """Batches of the stream that Lambda gave up on."""
        self.undelivered = 0
        """Batches of the stream that Lambda will go on with."""
        super().__init__(seed, template, Faults(seed, {}), observed=False)
        self.wire.latency_s = LATENCY_S

    def _made_executions(self) -> SimulatedExecutions:
        self.limits = AccountLimits(self._quotas, self.scheduler, self._drained)
        return LimitedExecutions(definitions(self.template), self.scheduler, self.invoke, self.limits)

    def invoke(
        self, function: str, payload: JSON, answer: Answer, within: Callable[[], Steps] = frozenset[str]
    ) -> None:
        """Run a function if one more may run at once."""
        if not self.limits.passes(Limit.FUNCTIONS, _work(function, payload)):
            self.scheduler.after(0.01, lambda: answer(None, THROTTLED))
            return

        def answered(result: Any, failure: tuple[str, str] | None) -> None:
            self.limits.functions.ended()
            answer(result, failure)

        super().invoke(function, payload, answered, within)

    def _deliver(self, change: FeedEntry, delay_s: float, attempt: int = 0, errors: int = 0) -> None:
        def repeat(result: Any, failure: tuple[str, str] | None) -> None:
            self.undelivered -= 1
            if failure is None and not result["batchItemFailures"]:
                return
            counted = errors + (failure != THROTTLED)
            if counted > ERRORS_MAX:
                self.given_up += 1
                return
            wait_s = min(REPEATED_AFTER_MAX_S, 2.0**attempt)
            self._deliver(change, self.random.uniform(wait_s / 2, wait_s), attempt + 1, counted)

        self.undelivered += 1
        batch = {"Records": [stream_record(change)]}
        self.scheduler.after(delay_s, lambda: self.invoke("Feed", batch, repeat))


def _is_transition(event: HistoryEvent) -> bool:
    """Whether AWS counts the event: each state entered, a Task once an attempt."""
    kind: str = event["type"]
    return kind == "TaskScheduled" or (kind.endswith("StateEntered") and kind != "TaskStateEntered")


def _work(function: str, payload: Any) -> str:
    """Name what a function is called for, as each attempt names it."""
    if "Records" in payload:
        return f"{function} {payload['Records'][0]['dynamodb']['SequenceNumber']}"
    if "requestContext" in payload:
        return f"{function} {payload['rawPath']} {payload['requestContext']['requestId']}"
    return f"{function} {payload.get('order_id')}/{payload.get('run')} {payload.get('action')} {payload.get('waited')}"
