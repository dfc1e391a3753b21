"""Open orders on a real engine whose machine has a wall clock that jumps: waits follow the time that has passed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from domain.order.order import RunState, Status
from tests.embedded.machine_time import MachineTime
from tests.sagas.conftest import DEADLINE_S, TEMPLATE, Story
from workflows.clock import Clock
from workflows.embedded.engine import EmbeddedEngine
from workflows.hub.deferred import Deferred
from workflows.orders.command_handling import load
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings

HOURS_5, DAYS_3 = 5 * 3600.0, 3 * 86_400.0
JUMPED = "the wall clock jumped; the engine's clock approaches it slowly"

WAITING_FOR: dict[str, Callable[[Story], object]] = {
    "acceptance": lambda story: story.ticket,
    "assignment": lambda story: story.accept().offer(),
    "readiness": lambda story: story.accept().assign(),
    "pickup": lambda story: story.accept().assign().ready(),
    "delivery": lambda story: story.accept().assign().ready().pick_up(),
}
"""What brings an order to each wait for a restaurant or a courier. Their timeouts are minutes to two hours."""

THE_REST: dict[str, Callable[[Story], object]] = {
    "acceptance": lambda story: story.accept().assign().ready().pick_up().deliver(),
    "assignment": lambda story: story.assign().ready().pick_up().deliver(),
    "readiness": lambda story: story.ready().pick_up().deliver(),
    "pickup": lambda story: story.pick_up().deliver(),
    "delivery": lambda story: story.deliver(),
}


@contextmanager
def engine(folder: Path, clock: Clock) -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine.open(
        folder,
        template=TEMPLATE,
        gateways=sandbox_gateways(SandboxSettings()),
        clock=clock,
        workers=8,
        projector_apart=False,
    ) as opened:
        yield opened


def waiting_orders(opened: EmbeddedEngine, count: int) -> dict[Story, str]:
    """Place orders and bring them to their waits, in turn."""
    orders = {Story(opened, n, "pm_ok"): wait for n, wait in enumerate(islice(cycle(WAITING_FOR), count))}
    for story, wait in orders.items():
        WAITING_FOR[wait](story)
    return orders


def pass_time(opened: Any, machine: MachineTime, seconds: float) -> None:
    """Let time pass, until every timer that is due has been called."""
    machine.since_boot += seconds
    due: Deferred[None] = Deferred()
    alarms = opened._functions._alarms  # the engine looks at its clock once a second; the test does not wait for it
    alarms.set(opened.ports.clock.now(), lambda: due.set_result(None))
    alarms.look()
    due.result(DEADLINE_S)


def watchdog_round(opened: Any) -> dict[str, Any]:
    """Let the watchdog judge all open orders now."""
    done: dict[str, Any] = opened._functions.invoke("Timer", {}).result(DEADLINE_S)
    return done


def jump(opened: EmbeddedEngine, machine: MachineTime, ahead_s: float) -> list[dict[str, Any]]:
    """Set the wall clock wrong for six seconds, and let the watchdog judge the orders in them and afterwards."""
    machine.wall_is_ahead = ahead_s
    for _ in range(6):
        pass_time(opened, machine, 1)
    rounds = [watchdog_round(opened)]
    machine.wall_is_ahead = 0.0
    pass_time(opened, machine, 1)
    return [*rounds, watchdog_round(opened)]


def test_fifty_waiting_orders_are_untouched_by_a_wall_clock_that_jumps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Five hours ahead and back, and days back: no wait ends, no order is restarted or parked, each jump is logged.
    Afterwards all orders continue, and a wait ends once its time has passed."""
    machine = MachineTime()
    with engine(tmp_path, machine.clock()) as opened:
        orders = waiting_orders(opened, 50)
        before = {story: story.order.version for story in orders}
        with caplog.at_level(logging.WARNING):
            rounds = [done for ahead_s in (HOURS_5, -DAYS_3) for done in jump(opened, machine, ahead_s)]
        assert [(done["overdue"], done["failed"]) for done in rounds] == [(0, [])] * 4
        assert {story: story.order.version for story in orders} == before
        assert [record.message for record in caplog.records if record.message == JUMPED] == [JUMPED] * 2
        silent, *others = orders
        for story in others:
            THE_REST[orders[story]](story)
        assert {story.ended().status for story in others} == {Status.COMPLETED}
        pass_time(opened, machine, 600)  # KITCHEN_ANSWER_SECONDS
        assert silent.ended().status is Status.CANCELLED


def test_waiting_orders_survive_a_restart_with_a_wrong_wall_clock(tmp_path: Path) -> None:
    """The wall clock was set five hours ahead while no engine ran; the next engine continues the time of the last."""
    machine = MachineTime()
    clock = machine.clock_of(tmp_path)
    with engine(tmp_path, clock) as opened:
        orders = waiting_orders(opened, len(WAITING_FOR))
        before = {story.order_id: story.order.version for story in orders}
    clock.save(tmp_path, boot=machine.boot)
    machine.since_boot += 10
    machine.wall_is_ahead = HOURS_5
    with engine(tmp_path, machine.clock_of(tmp_path)) as opened:
        pass_time(opened, machine, 1)
        assert watchdog_round(opened)["overdue"] == 0
        found = {order_id: load(opened.ports.log, order_id)[1] for order_id in before}
        assert {order_id: order.version for order_id, order in found.items()} == before
        assert {order.run_state for order in found.values()} == {RunState.RUNNING}
