"""The restart law: a new run, at any version of any order, brings it to its right end and repeats no recorded call.

This law makes retry, upgrade and disaster recovery the same operation: start a run. The histories are those of the
domain's world: late, lost and repeated messages, refusals, timeouts, cancellations at any time, runs that were parked
and started, orders written off and abandoned by support. The steps, the waits and the log are the real ones.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from domain.order import events as e
from domain.order.books import books
from domain.order.intents import owed
from domain.order.order import RunState
from tests.domain.order.oracle import extra, held_by, price_of
from tests.domain.order.world import Play, plays
from tests.sagas.restarting import STREAM, Moment, Restart, WholeLog, moments

HISTORIES = 80
"""A quarter of the law's examples: each parameter below takes a share, so that test processes can divide the work."""

often = settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("haunted", [False, True], ids=["alone", "beside a zombie of the run before"])
@pytest.mark.parametrize("share", range(2))
@often
@given(play=plays())
def test_a_new_run_brings_every_prefix_of_every_history_to_its_right_end(haunted: bool, share: int, play: Play) -> None:
    """Restart after each commit. Decisions of an older run that still acts are refused, its outcomes are recorded."""
    history = list(moments(play))
    log = WholeLog(history[-1].world)
    for moment in history:
        _restarted(moment, log, haunted=haunted)


def _restarted(moment: Moment, log: WholeLog, *, haunted: bool) -> None:
    recorded = list(moment.world.events)
    restart = Restart(moment, log.prefix(moment.commits), haunted=haunted)
    order = restart.to_its_end()
    events = list(restart.log.load(STREAM).events)
    assert events[: len(recorded)] == recorded
    assert order.run_state is RunState.ENDED, f"{order.status}: {events[-1]}"
    assert owed(order) == ()
    assert held_by(events) == set()
    assert books(order).settled
    _check_provider_ledger(restart, events)
    _check_no_repeated_event(events)
    _check_end(restart, events)


def _check_provider_ledger(restart: Restart, events: list[e.Event]) -> None:
    """The provider has the movements of the log, each once, and holds nothing unless the order was abandoned."""
    results = restart.world.results.values()
    for kind in (e.PaymentAuthorized, e.PaymentCaptured, e.PaymentVoided, e.PaymentRefunded):
        done = [fact for fact in results if isinstance(fact, kind)]
        assert sorted(fact.answers for fact in done) == sorted(f.answers for f in events if isinstance(f, kind))
    assert restart.world.held is None or any(isinstance(event, e.WrittenOff) for event in events)


def _check_no_repeated_event(events: list[e.Event]) -> None:
    """One outcome an intent and kind, one authorization, one ticket, one cancellation. Each run may time out."""
    answered = [
        (type(event), event.answers, *(getattr(event, name, None) for name in ("line", "available", "courier")))
        for event in events
        if hasattr(event, "answers") and not isinstance(event, e.CourierAssigned | e.DeliveryOverdue)
    ]
    assert len(answered) == len(set(answered))
    for kind in (e.OrderPlaced, e.PaymentAuthorizationRequested, e.PreparationRequested, e.CancellationRequested):
        assert sum(isinstance(event, kind) for event in events) <= 1


def _check_end(restart: Restart, events: list[e.Event]) -> None:
    """The order is delivered and paid, cancelled with a cause, or abandoned by support."""
    order = restart.order
    if any(isinstance(event, e.CancellationRequested | e.OrderAbandoned | e.WrittenOff) for event in events):
        return
    assert order.delivery.delivered
    taken = sum(event.amount.minor for event in events if isinstance(event, e.PaymentCaptured))
    returned = sum(event.amount.minor for event in events if isinstance(event, e.PaymentRefunded))
    assert taken + extra(events) - returned == price_of(events)
