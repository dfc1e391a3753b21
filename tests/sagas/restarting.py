"""Play a run of the ``order`` machine in this process: the real steps in the machine's order, on a real log.

Providers, restaurants and couriers are the world of the domain's tests. After the restart every call succeeds and every
request is answered; delayed reports from before arrive in between. An older run (a zombie) acts at every turn.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from domain.identifiers import SYSTEM, OrderId
from domain.order import events as e
from domain.order.commands import Awaited, ParkOrder, RecordFact, RecordTimeout, StartRun
from domain.order.evolving import fact_key
from domain.order.intents import open_intents
from domain.order.order import Order, RunState
from domain.order.questions import awaited_intent
from domain.order.refusals import OrderAlreadyEnded, RunSuperseded
from tests.domain.order.stories import ORDER_ID, SUPPORT
from tests.domain.order.world import Play, World
from tests.recorded import HandClock, Runs
from workflows.engine import EVENT_TYPES, Engine, assemble
from workflows.event_store.codec import Codec
from workflows.event_store.streams import order_stream
from workflows.gateways import courier, kitchen
from workflows.gateways.payment import Authorized, Captured, Declined, Refunded, Refused, Voided
from workflows.gateways.receipts import TooLate
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import Caller, handle, load
from workflows.sagas.actions import (
    CompensationUnfinished,
    NothingAsked,
    OrderNotSettled,
    PaymentNotAuthorized,
    SagaStep,
    take_step,
)
from workflows.sagas.waits import wake

TURNS_MAX = 80
"""Reports from outside within which a run ends when every call succeeds and every request is answered."""

STREAM = order_stream(ORDER_ID)


_ZOMBIE = ("authorize", "settle", "find_reason", "compensate", "park", "request_courier", "await_pickup")
"""Actions that an older run tries, one after the other."""

_REFUSALS = (e.PaymentVoidRefused, e.PaymentRefundRefused, e.PaymentCaptureRefused)


class Stopped(Exception):
    """The error that the catch of the parent machine gets: its name."""


@dataclass
class Outside:
    """The gateways, answered by the world. Fails on a call for an intent whose outcome the log already has."""

    world: World
    log: InMemoryEventLog
    calls: list[int] = field(default_factory=list)

    def called(self, key: str) -> Any:
        order_id, _, version = key.partition("/")
        self.world.order = load(self.log, OrderId(order_id))[1]
        assert int(version) in {intent.version for intent in open_intents(self.world.order)}, (
            "a call whose outcome is recorded was repeated"
        )
        self.calls.append(int(version))
        return self.world.perform(int(version), good=True)

    def authorize(self, *, key: str, **_: Any) -> Authorized | Declined:
        fact = self.called(key)
        if isinstance(fact, e.PaymentDeclined):
            return Declined(reason=fact.reason, at=fact.at)
        return Authorized(authorization_id=fact.authorization_id, amount=fact.amount, at=fact.at)

    def capture(self, *, key: str, **_: Any) -> Captured | Refused:
        fact = self.called(key)
        if isinstance(fact, e.PaymentCaptureRefused):
            return Refused(reason=fact.reason, at=fact.at)
        return Captured(capture_id=fact.capture_id, amount=fact.amount, at=fact.at)

    def void(self, *, key: str, **_: Any) -> Voided | Refused:
        fact = self.called(key)
        refused = isinstance(fact, e.PaymentVoidRefused)
        return Refused(reason=fact.reason, at=fact.at) if refused else Voided(at=fact.at)

    def refund(self, *, key: str, **_: Any) -> Refunded | Refused:
        fact = self.called(key)
        if isinstance(fact, e.PaymentRefundRefused):
            return Refused(reason=fact.reason, at=fact.at)
        return Refunded(refund_id=fact.refund_id, amount=fact.amount, at=fact.at)

    def find_capture(self, *, key: str, **_: Any) -> Captured | Refused:
        fact = self.called(key)
        if isinstance(fact, e.PaymentNotFound):
            return Refused(reason=fact.reason, at=fact.at)
        return Captured(capture_id=fact.capture_id, amount=fact.amount, at=fact.at)

    def send_ticket(self, *, key: str, **_: Any) -> None:
        self.called(key)

    def cancel_ticket(self, *, key: str, **_: Any) -> kitchen.Cancelled | TooLate:
        fact = self.called(key)
        lost = isinstance(fact, e.PreparationWrittenOff)
        return TooLate(reason="", at=fact.at) if lost else kitchen.Cancelled(at=fact.at)

    def offer(self, *, key: str, **_: Any) -> None:
        self.called(key)

    def withdraw(self, *, key: str, **_: Any) -> courier.Released | TooLate:
        fact = self.called(key)
        lost = isinstance(fact, e.CourierWrittenOff)
        return TooLate(reason="", at=fact.at) if lost else courier.Released(at=fact.at)


@dataclass
class Moment:
    """A history at the end of one commit: the world then, and how many commits there were."""

    world: World
    commits: int


def moments(play: Play) -> Iterator[Moment]:
    """Yield every prefix of the play's history that ends at a commit, each with the world at that time."""
    world, commits = World(), 0

    def after(sent: Any) -> Iterator[Moment]:
        nonlocal commits
        if sent.events:
            commits += 1
            yield Moment(snapshot(world), commits)

    yield from after(world.send(play.placed))
    for _ in range(play.ahead):
        if world.order.run_state is RunState.RUNNING:
            yield from after(world.send(world.go_on()))
    for pick, parameter in play.moves:
        allowed = list(world.moves())
        command = allowed[pick % len(allowed)](parameter)
        if command is not None:
            yield from after(world.send(command))


def snapshot(world: World) -> World:
    """Copy the world, so that later moves do not change the copy."""
    lists = {
        name: copy.copy(getattr(world, name)) for name in ("events", "sent", "mail", "reported", "results", "extras")
    }
    return replace(world, **lists, remaining=dict(world.remaining), couriers=dict(world.couriers))


class WholeLog:
    """The log of a whole history. Prefixes are taken from it without writing their commits again."""

    def __init__(self, world: World) -> None:
        self._codec, self._clock = Codec(InMemoryKeyRing(), EVENT_TYPES), HandClock()
        self._log = InMemoryEventLog(self._codec, self._clock, keeps_histories=True)
        caller = Caller(SYSTEM, "history", "history")
        numbers = count()
        for sent in world.sent:
            if sent.events:
                handle(self._log, sent.command, order_id=ORDER_ID, key=f"history/{next(numbers)}", caller=caller)

    def prefix(self, commits: int) -> InMemoryEventLog:
        log = InMemoryEventLog(self._codec, self._clock, keeps_histories=True)
        log._streams = {STREAM: dict(sorted(self._log._streams[STREAM].items())[:commits])}
        return log


class Restart:
    """One new run after a prefix. ``haunted``: the run before it still acts."""

    def __init__(self, moment: Moment, log: InMemoryEventLog, *, haunted: bool) -> None:
        self.world, self.log, self.haunted = moment.world, log, haunted
        self.before = self.order
        self.outside = Outside(self.world, log)
        self.executions = Runs()
        outside: Any = self.outside
        self.engine: Engine = assemble(
            log=log,
            documents=InMemoryDocuments(),
            executions=self.executions,
            payments=outside,
            kitchen=outside,
            couriers=outside,
            clock=HandClock(),
        )
        self._tokens = count()
        self._keys = count()
        self._haunted = count()
        self._turns = 0

    @property
    def order(self) -> Order:
        return load(self.log, ORDER_ID)[1]

    def to_its_end(self) -> Order:
        """Play a new run and those that the order starts itself, until none is under way and no report is undelivered.

        A run that meets a new refusal or contradicting reports is parked; a person retries it.
        """
        try:
            self._handle(StartRun(run=self.before.run + 1, by=SUPPORT, reason="restart"))
        except OrderAlreadyEnded:
            assert self.before.run_state is RunState.ENDED
        played = self.before.run
        while True:
            order = self.order
            if order.run > played:
                played = order.run
                self._play(order.run)
            elif self.world.mail:
                self._deliver_mail()
            elif order.run_state is RunState.PARKED and (order.contest or self._provider_refused()):
                self._handle(StartRun(run=order.run + 1, by=SUPPORT, reason="try again"))
            else:
                return order

    def _provider_refused(self) -> bool:
        """Return whether the provider refused a call in the last run, after the prefix."""
        refused = False
        for event in self.log.load(STREAM).events[self.before.version :]:
            refused = isinstance(event, _REFUSALS) or (refused and not isinstance(event, e.RunStarted))
        return refused

    # --- the machine ``order`` -------------------------------------------------------------------------------------

    def _play(self, run: int) -> None:
        self._haunt(run)
        try:
            self._step(run, "authorize")
            self._fulfil(run)
            self._step(run, "settle")
        except Stopped as stopped:
            self._find_reason(run, str(stopped))
        except (NothingAsked, OrderNotSettled, PaymentNotAuthorized) as failed:
            self._find_reason(run, type(failed).__name__)
        except RunSuperseded:
            return

    def _find_reason(self, run: int, error: str) -> None:
        try:
            if self._step(run, "find_reason")["reason"] == "cancelling":
                self._step(run, "compensate")
            elif self.order.run_state is not RunState.ENDED:
                self._step(run, "park", error=error)
        except CompensationUnfinished:
            self._step(run, "park", error="CompensationUnfinished", compensating=True)
        except RunSuperseded:
            return

    def _fulfil(self, run: int) -> None:
        """Wait for the acceptance, then step the two branches in turn; if none can go on, the world sends a report."""
        self._to_the_end(run, [self._waits(run, "request_preparation", set())])
        self._to_the_end(run, [self._waits(run, "await_readiness", set()), self._delivery(run)])

    def _to_the_end(self, run: int, branches: list[Iterator[bool]]) -> None:
        while branches:
            moved = [self._advance(branch) for branch in branches]
            branches = [branch for branch, went_on in zip(branches, moved, strict=True) if went_on is not None]
            if branches and not any(moved):
                self._receive_report(run)

    def _advance(self, branch: Iterator[bool]) -> bool | None:
        return next(branch, None)

    def _delivery(self, run: int) -> Iterator[bool]:
        while (yield from self._waits(run, "request_courier", {"OfferLapsed"})) or (
            yield from self._waits(run, "await_pickup", {"OfferLapsed"})
        ):
            pass
        yield from self._waits(run, "await_delivery", set())

    def _waits(self, run: int, action: str, again: set[str]) -> Any:
        """A task that waits with a token: True when it failed with one of ``again``."""
        token = f"token-{next(self._tokens)}"
        self.executions.waiting.add(token)
        self._step(run, action, token=token)
        while token in self.executions.waiting:
            yield False
        how = dict(self.executions.woken)[token]
        if how in again:
            return True
        if how[0].isupper():  # an error's name; answers are lower-case words
            raise Stopped(how)
        yield True
        return False

    def _step(self, run: int, action: str, **fields: Any) -> dict[str, Any]:
        return take_step(self.engine, SagaStep(order_id=ORDER_ID, run=run, action=action, **fields))

    # --- the world and the older run -------------------------------------------------------------------------------

    def _receive_report(self, run: int) -> None:
        self._turns += 1
        assert self._turns < TURNS_MAX, f"the run does not come to an end: {self.order.status}"
        self._haunt(run)
        if self.world.mail:
            self._deliver_mail()
        else:
            fact = self._next_report()
            assert fact is not None, f"neither the run nor the world can go on: {self.order}"
            self._handle(RecordFact(fact=fact))
        wake(self.engine, ORDER_ID)

    def _next_report(self) -> e.Fact | None:
        """Return the next successful report of the restaurant or the courier, None if none is due."""
        self.world.order = self.order
        for request in open_intents(self.world.order):
            if isinstance(request.intent, e.PreparationRequested | e.CourierRequested):
                return self.world._success(request.version, request.intent)
        return self.world._onward()

    def _deliver_mail(self) -> None:
        self._handle(RecordFact(fact=self.world.mail.pop(0)))

    def _haunt(self, run: int) -> None:
        """Let an older run act: all its decisions are refused, and the outcomes of its calls are recorded."""
        if not self.haunted:
            return
        turn = next(self._haunted)
        with pytest.raises(RunSuperseded):
            self._step(run - 1, _ZOMBIE[turn % len(_ZOMBIE)], token="zombie", error="Zombie")
        with pytest.raises(RunSuperseded):
            self._handle(ParkOrder(run=run - 1, error="Zombie", detail="", compensating=True))
        awaited = list(Awaited)[turn % len(Awaited)]
        if (version := awaited_intent(self.order, awaited)) is not None:
            with pytest.raises(RunSuperseded):
                self._handle(RecordTimeout(run=run - 1, awaited=awaited, intent_version=version, at=HandClock().now()))
        self._act_outside()

    def _act_outside(self) -> None:
        """Let the older run make a call, as it read the log before the new run began. Its outcome is recorded later."""
        self.world.order = self.order
        for call in open_intents(self.world.order)[:1]:
            fact = self.world.perform(call.version, good=True)
            if fact is not None and fact_key(fact) not in self.world.order.facts:
                self.world.mail.append(fact)

    def _handle(self, command: Any) -> None:
        caller = Caller(SYSTEM, "restart", "restart")
        handle(self.log, command, order_id=ORDER_ID, key=f"restart/{next(self._keys)}", caller=caller)
