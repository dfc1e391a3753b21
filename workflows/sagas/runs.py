"""The relay: follows the log, starts the runs that it says have begun, and wakes whom its news answers.

Everything it does is safe to repeat and safe to do late: a run is started by its name, and a wake-up reads the log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from domain.identifiers import OrderId
from domain.order.events import OrderPlaced, RunStarted
from workflows.engine import Engine
from workflows.event_store.commits import Commit
from workflows.event_store.streams import order_id_in
from workflows.sagas.waits import wake


def relay(
    engine: Engine, commit: Commit, order_machine: str, *, catch_up: Callable[[], Collection[int]] = tuple
) -> None:
    """Act on one commit of the feed. Raises what the executions and the stores raise; then it is to be asked again.

    ``catch_up`` starts the runs that other commits began and nobody heard of, and says which it started.
    """
    order_id = order_id_in(commit.pk)
    if order_id is None:
        return
    wake(engine, order_id)
    started = catch_up()
    for run in _runs_begun(commit):
        if run not in started:
            start_run(engine, order_id, run, order_machine)


def start_run(engine: Engine, order_id: OrderId, run: int, order_machine: str) -> None:
    """By its name: once, however often it is asked."""
    engine.executions.start(order_machine, f"{order_id}-{run}", {"order_id": order_id, "run": run})


def run_begun(event: object) -> int | None:
    """The run that begins with this event, if one does."""
    match event:
        case OrderPlaced():
            return 1
        case RunStarted():
            return event.run
        case _:
            return None


class _Data(msgspec.Struct):
    run: int = 1


class _Event(msgspec.Struct):
    t: str
    d: msgspec.Raw


class _Events(msgspec.Struct):
    e: list[_Event]


def _runs_begun(commit: Commit) -> list[int]:
    """Only the run numbers are read; personal data stays closed. ``OrderPlaced`` begins run 1."""
    events = msgspec.json.decode(commit.ev, type=_Events).e
    return [
        1 if event.t == "OrderPlaced" else msgspec.json.decode(event.d, type=_Data).run
        for event in events
        if event.t in {"OrderPlaced", "RunStarted"}
    ]
