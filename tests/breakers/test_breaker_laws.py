"""The laws of a breaker under any order of calls, answers, crashes, operator actions and ticks, on a virtual clock."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from tests.breakers.circuits import ALICE, SETTINGS, Killed, World, order
from workflows.breakers.breaker import CircuitOpen, Permit
from workflows.breakers.circuit import CircuitState
from workflows.sagas.circuit_waits import SHARDS

PROCESSES = st.integers(0, 2)
ORDERS = st.integers(0, 5)
INTERVAL = timedelta(seconds=SETTINGS.probe_interval_s)
BELIEF = timedelta(seconds=SETTINGS.read_every_s)


class BreakerLaws(RuleBasedStateMachine):
    """Three processes, six orders, one provider that goes down and comes back."""

    calls = Bundle("calls")

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.processes = [self.world.process() for _ in range(3)]
        self.down = True
        self.held_since: datetime | None = None
        self.probes: list[tuple[datetime, Permit]] = []
        self.woken_seen = 0

    # --- calls

    @rule(target=calls, process=PROCESSES, number=ORDERS)
    def call(self, process: int, number: int) -> tuple[int, Permit | None]:
        """Begin a call that may end at any later step. An order that is refused waits."""
        try:
            permit = self.world.admit(number, self.processes[process])
        except CircuitOpen:
            if order(number) not in self.world.executions.waiting.values():
                self.world.wait(number, self.processes[process])
            return process, None
        now = self.world.clock.now()
        if self.held_since is not None:
            assert now - self.held_since < BELIEF, "a call while held open"
        if permit.probe is not None:
            self.probes.append((now, permit))
        return process, permit

    @rule(call=consumes(calls))
    def answer(self, call: tuple[int, Permit | None]) -> None:
        process, permit = call
        if permit is None:
            return
        if self.down:
            self.processes[process].failed(permit, "no answer")
        else:
            self.processes[process].succeeded(permit)

    @rule(call=consumes(calls))
    def never_answer(self, call: object) -> None:
        """Drop a call: its process died, or our own code failed."""

    @precondition(lambda self: self.down)
    @rule(process=PROCESSES, number=ORDERS)
    def fail_a_few_times(self, process: int, number: int) -> None:
        for _ in range(5):
            with suppress(CircuitOpen):
                permit = self.world.admit(number, self.processes[process])
                if permit.probe is not None:
                    self.probes.append((self.world.clock.now(), permit))
                self.processes[process].failed(permit, "no answer")

    # --- the world

    @rule(seconds=st.sampled_from([0.1, 1, 2, 5, 14, 15, 20, 40]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule(process=PROCESSES)
    def tick(self, process: int) -> None:
        self.world.tick(self.processes[process])

    @rule()
    def the_provider_changes(self) -> None:
        self.down = not self.down

    @rule(process=PROCESSES)
    def an_operator_holds_it_open(self, process: int) -> None:
        self.processes[process].hold_open(ALICE, "they said so")
        self.held_since = self.held_since or self.world.clock.now()

    @rule(process=PROCESSES)
    def an_operator_closes_it(self, process: int) -> None:
        self.processes[process].close(ALICE, "they said so")
        self.held_since = None

    @rule(process=PROCESSES, of=st.sampled_from(["breaker#", "circuit-waits#", "circuit-waits-of#"]), number=ORDERS)
    def a_process_dies_before_a_write(self, process: int, of: str, number: int) -> None:
        """Kill a process before its next write; a new one without memory takes its place."""
        self.world.documents.kill_next_put_of = of
        with suppress(Killed):
            self.world.tick(self.processes[process])
            self.fail_a_few_times(process, number)
        self.world.documents.kill_next_put_of = ""
        self.processes[process] = self.world.process()

    @rule(process=PROCESSES)
    def a_process_dies_before_it_forgets(self, process: int) -> None:
        self.world.documents.kill_next_delete = True
        with suppress(Killed):
            self.world.tick(self.processes[process])
        self.world.documents.kill_next_delete = False
        self.processes[process] = self.world.process()

    # --- the laws

    @invariant()
    def probes_are_an_interval_apart_while_it_stays_open(self) -> None:
        for (before, one), (after, other) in pairwise(self.probes):
            assert one.last != other.last or after - before >= INTERVAL

    @invariant()
    def a_lease_is_used_once(self) -> None:
        leases = [(permit.last, permit.probe) for _, permit in self.probes]
        assert len(leases) == len(set(leases))

    @invariant()
    def no_wait_is_released_while_it_is_held_open(self) -> None:
        new = self.world.executions.woken[self.woken_seen :]
        self.woken_seen += len(new)
        assert self.held_since is None or all(at <= self.held_since for at, _, _ in new)

    @rule()
    def every_reader_sees_the_state_of_the_stream(self) -> None:
        history = self.world.history
        circuit = self.world.process().read()
        assert circuit.last == (history[-1].position if history else ("", 0))
        assert (circuit.opened is None) == (circuit.state is CircuitState.CLOSED)

    def teardown(self) -> None:
        """Once the provider works, no operator holds it and the timer runs, it closes and no order is left waiting."""
        if not hasattr(self, "world"):
            return
        self.down = False
        if self.held_since is not None:
            self.an_operator_closes_it(0)
        for _ in range(60):
            self.world.clock.advance(5)
            before = len(self.world.executions.woken)
            self.world.tick()
            for _, order_id, _ in self.world.executions.woken[before:]:
                with suppress(CircuitOpen):
                    self.world.breaker.succeeded(self.world.breaker.admit(order_id, f"{order_id}/2"))
            if self.world.state is not CircuitState.CLOSED and not self.world.executions.waiting:
                with suppress(CircuitOpen):
                    self.world.call(fails=False, number=7)
        assert self.world.state is CircuitState.CLOSED
        assert self.world.executions.waiting == {}
        assert all(not self.world.documents.list(f"circuit-waits#payments#{shard}") for shard in range(SHARDS))


TestBreakerLaws = BreakerLaws.TestCase
TestBreakerLaws.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)
