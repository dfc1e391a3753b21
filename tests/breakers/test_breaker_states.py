"""The circuit's states: every event in every state."""

from __future__ import annotations

import pytest

from tests.breakers.circuits import ALICE, World, order
from workflows.breakers.breaker import CircuitOpen, Permit
from workflows.breakers.circuit import CircuitState
from workflows.breakers.events import CircuitClosed, CircuitForcedClosed, CircuitHeldOpen, CircuitOpened

PROBE, OTHER = 1, 2


class Story(World):
    """A circuit in one of its states, with a call that began while it was closed, and a probe if the state has one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.early = self.admit(99)
        self.probe = Permit(self.early.last)

    def be(self, state: str) -> None:
        if state == "held open":
            self.breaker.hold_open(ALICE, "the provider asked us to")
        elif state != "closed":
            self.open()
            if state != "open":
                self.clock.advance(15)
            if state == "half-open, lent":
                lent = self.breaker.lend_probe(order(PROBE))
                assert lent is not None
                self.probe = lent
            if state == "half-open, calling":
                self.probe = self.admit(PROBE)

    def happens(self, event: str) -> bool | None:
        """Let the event happen. Returns whether the call was admitted, None for an event that is not a call."""
        match event:
            case "an early call succeeds":
                self.breaker.succeeded(self.early)
            case "an early call fails":
                self.breaker.failed(self.early, "no answer")
            case "the probe succeeds":
                self.breaker.succeeded(self.probe)
            case "the probe fails":
                self.breaker.failed(self.probe, "no answer")
            case "the probe's order calls":
                return not self.refuses(PROBE)
            case "another order calls":
                return not self.refuses(OTHER)
            case "the lease runs out":
                self.clock.advance(20)
            case "an operator holds it open":
                self.breaker.hold_open(ALICE, "maintenance")
            case "an operator closes it":
                self.breaker.close(ALICE, "they say it works")
            case _:
                raise AssertionError(event)
        return None


CLOSED, OPEN, HALF_OPEN, HELD = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.HELD_OPEN
STATES = ("closed", "open", "open, probe due", "half-open, lent", "half-open, calling", "held open")
TABLE = {
    # event:                  the state that follows in each of STATES
    "an early call succeeds": (CLOSED, OPEN, OPEN, HALF_OPEN, HALF_OPEN, HELD),
    "an early call fails": (CLOSED, OPEN, OPEN, HALF_OPEN, HALF_OPEN, HELD),
    "the probe succeeds": (CLOSED, OPEN, OPEN, CLOSED, CLOSED, HELD),
    "the probe fails": (CLOSED, OPEN, OPEN, OPEN, OPEN, HELD),
    "the probe's order calls": (CLOSED, OPEN, HALF_OPEN, HALF_OPEN, HALF_OPEN, HELD),
    "another order calls": (CLOSED, OPEN, HALF_OPEN, HALF_OPEN, HALF_OPEN, HELD),
    "the lease runs out": (CLOSED, OPEN, OPEN, OPEN, OPEN, HELD),
    "an operator holds it open": (HELD, HELD, HELD, HELD, HELD, HELD),
    "an operator closes it": (CLOSED, CLOSED, CLOSED, CLOSED, CLOSED, CLOSED),
}
ADMITTED = {
    "the probe's order calls": (True, False, True, True, False, False),
    "another order calls": (True, False, True, False, False, False),
}


@pytest.mark.parametrize("event", TABLE)
@pytest.mark.parametrize("state", STATES)
def test_every_event_leads_from_every_state_to_the_right_one(state: str, event: str):
    """A late answer to an earlier call never moves a circuit, and only an operator moves one that is held open."""
    story = Story()
    story.be(state)
    admitted = story.happens(event)
    assert story.state is TABLE[event][STATES.index(state)]
    if event in ADMITTED:
        assert admitted is ADMITTED[event][STATES.index(state)]


def test_it_opens_at_enough_failures_and_records_why():
    """The event holds the last error, and a refusal names the event that opened the circuit."""
    world = World()
    world.open()
    with pytest.raises(CircuitOpen) as refused:
        world.admit()
    assert refused.value.dependency == "payments"
    assert str(refused.value.opened) == "breaker#payments#2026-05-04/1"
    (opened,) = world.history
    assert opened.event == CircuitOpened(
        failures=5, calls=5, window_s=30, last_error="PaymentsUnavailable: no answer", at=world.clock.now()
    )
    assert (opened.actor.role, str(opened.position)) == ("system", "breaker#payments#2026-05-04/1")


def test_a_successful_probe_closes_it_and_is_named_in_the_event():
    """The event names the order that probed and the number of probes in this outage."""
    world = World()
    world.open()
    world.clock.advance(15)
    world.call(fails=True, number=6)
    world.clock.advance(15)
    world.call(fails=False, number=7)
    assert world.events == [CircuitOpened, CircuitClosed]
    closed = world.history[-1].event
    assert closed == CircuitClosed(probe=order(7), probes=2, at=world.clock.now())


def test_the_next_probe_comes_an_interval_after_the_failure_of_the_last():
    """The interval counts from the end of the failed call, not from its start."""
    world = World()
    world.open()
    world.clock.advance(15)
    probe = world.admit(1)
    world.clock.advance(9)
    world.breaker.failed(probe, "no answer")
    assert world.breaker.read().probe_error == "no answer"
    world.clock.advance(14)
    assert world.refuses(2)
    world.clock.advance(1)
    assert not world.refuses(2)


def test_actions_of_operators_are_in_the_log_with_their_names_and_reasons():
    """Repeating an action records it once."""
    world = World()
    for _ in range(2):
        world.breaker.hold_open(ALICE, "they migrate")
    for _ in range(2):
        world.breaker.close(ALICE, "they are back")
    assert [(transition.event, transition.actor) for transition in world.history] == [
        (CircuitHeldOpen(reason="they migrate", at=world.clock.now()), ALICE),
        (CircuitForcedClosed(reason="they are back", at=world.clock.now()), ALICE),
    ]


def test_a_circuit_held_open_is_never_probed():
    """It stays open for any time until an operator closes it."""
    world = World()
    world.breaker.hold_open(ALICE, "they double-charge")
    world.wait(1)
    for _ in range(100):
        world.clock.advance(60)
        world.tick()
        assert world.refuses(2)
    assert world.executions.woken == []


def test_a_flood_of_successes_with_one_failure_in_a_hundred_does_not_open_it():
    """It opens only if both the number and the share of failures reach their limits."""
    world = World()
    for n in range(10_000):
        world.call(fails=n % 100 == 0)
        world.clock.advance(0.01)
    assert world.state is CircuitState.CLOSED
    assert world.events == []


def test_a_few_failures_alone_do_not_open_it():
    """Below ``failures_min``, not even a share of all calls opens it."""
    world = World()
    for _ in range(4):
        world.call(fails=True)
    assert world.state is CircuitState.CLOSED


def test_failures_before_the_window_do_not_count():
    """The window of 30 s moves with the time."""
    world = World()
    for _ in range(4):
        world.call(fails=True)
    world.clock.advance(31)
    for _ in range(4):
        world.call(fails=True)
    assert world.state is CircuitState.CLOSED
    world.call(fails=True)
    assert world.state is CircuitState.OPEN


def test_half_of_the_calls_failing_opens_it_and_a_little_less_does_not():
    """The share includes the successes of the same process, although they were never written."""
    world = World()
    for _ in range(11):
        world.call(fails=False)
    for _ in range(10):
        world.call(fails=True)
    assert world.state is CircuitState.CLOSED
    world.call(fails=True)
    assert world.state is CircuitState.OPEN
    opened = world.history[-1].event
    assert isinstance(opened, CircuitOpened)
    assert (opened.failures, opened.calls) == (11, 22)


def test_while_closed_a_success_writes_nothing_and_reads_at_most_once_in_a_while():
    """A thousand successful calls within two seconds cause no read and no write."""
    world = World()
    world.call(fails=False)
    world.documents.puts = world.documents.gets = 0
    for _ in range(1000):
        world.call(fails=False)
        world.clock.advance(0.0019)
    assert (world.documents.puts, world.documents.gets) == (0, 0)
    world.clock.advance(2)
    world.call(fails=False)
    assert (world.documents.puts, world.documents.gets) == (0, 1)


def test_a_failure_is_one_write():
    """The same write carries the successes before it."""
    world = World()
    world.call(fails=False)
    world.documents.puts = 0
    world.call(fails=True)
    assert world.documents.puts == 1
    tally = world.breaker.read().tally
    assert (tally.calls, tally.failures) == (2, 1)
