"""What opening or closing a circuit by hand would do: the dry run of both."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitForcedClosed, CircuitHeldOpen
from workflows.engine import Engine
from workflows.sagas.circuit_waits import count_waits

_EVENTS = {CircuitState.HELD_OPEN: CircuitHeldOpen, CircuitState.CLOSED: CircuitForcedClosed}


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitPlan:
    """What would happen to a circuit.

    Attributes:
        events: The types of the events that would be recorded; none if the circuit is in that state already.
        state: The state afterwards.
        waiting: The orders that wait for the circuit now, counted up to ``circuit_waits.COUNTED_MAX``.
    """

    events: tuple[str, ...]
    state: CircuitState
    waiting: int


def plan_circuit(engine: Engine, dependency: Dependency, state: CircuitState) -> CircuitPlan:
    """Work out what bringing the circuit into this state by hand would do now."""
    is_there = engine.breakers[dependency].read().state is state
    return CircuitPlan(
        events=() if is_there else (_EVENTS[state].__name__,),
        state=state,
        waiting=count_waits(engine.documents, dependency),
    )
