"""The engine's clock: waits follow the time that has really passed, whatever the wall clock shows."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.embedded.machine_time import NOON_S, MachineTime
from workflows.embedded.steady_clock import JUMP_S, SLEW, SteadyClock

HOURS_5 = 5 * 3600.0


@pytest.fixture
def machine() -> MachineTime:
    return MachineTime()


def passed_s(clock: SteadyClock, since: datetime) -> float:
    return (clock.now() - since).total_seconds()


def test_a_jump_of_the_wall_clock_is_logged_once_and_does_not_move_the_clock(
    machine: MachineTime, caplog: pytest.LogCaptureFixture
) -> None:
    """Five hours ahead for six seconds: 0.3 s."""
    clock = machine.clock()
    begun = clock.now()
    machine.wall_is_ahead = HOURS_5
    with caplog.at_level(logging.WARNING):
        for _ in range(6):
            machine.since_boot += 1
            clock.now()
    assert passed_s(clock, begun) == pytest.approx(6 * (1 + SLEW))
    assert [record.message for record in caplog.records] == [
        "the wall clock jumped; the engine's clock approaches it slowly"
    ]


@pytest.mark.parametrize("ahead_s", [HOURS_5, -HOURS_5])
def test_a_wall_clock_that_stays_apart_is_reached_slowly(machine: MachineTime, ahead_s: float) -> None:
    """At most 5% fast or slow, and then exactly."""
    clock = machine.clock()
    begun = clock.now()
    machine.wall_is_ahead = ahead_s
    machine.since_boot += 600
    assert passed_s(clock, begun) == pytest.approx(600 + (SLEW if ahead_s > 0 else -SLEW) * 600)
    machine.since_boot += abs(ahead_s) / SLEW
    assert clock.now().timestamp() == pytest.approx(machine.wall_s())


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e6, 1e6)), max_size=30))
def test_time_never_goes_back_and_never_runs_ahead_of_what_passed(steps: list[tuple[float, float]]) -> None:
    """A law over any jumps: between two readings at least 95% and at most 105% of the time passes."""
    machine = MachineTime()
    clock = machine.clock()
    before = clock.now()
    for passes, ahead in steps:
        machine.since_boot += passes
        machine.wall_is_ahead = ahead
        now = clock.now()
        assert (1 - SLEW) * passes - 1e-3 <= (now - before).total_seconds() <= (1 + SLEW) * passes + 1e-3
        before = now


def test_a_small_correction_of_the_wall_clock_is_no_jump(
    machine: MachineTime, caplog: pytest.LogCaptureFixture
) -> None:
    clock = machine.clock()
    machine.wall_is_ahead = JUMP_S * 0.9
    machine.since_boot += 1
    clock.now()
    assert not caplog.records


def test_after_a_restart_the_clock_continues_with_the_time_that_has_passed(
    machine: MachineTime, tmp_path: Path
) -> None:
    """A wall clock that was set meanwhile does not end waits at once."""
    clock = machine.clock_of(tmp_path)
    begun = clock.now()
    clock.save(tmp_path, boot=machine.boot)
    machine.since_boot += 60
    machine.wall_is_ahead = HOURS_5
    assert passed_s(machine.clock_of(tmp_path), begun) == pytest.approx(60)


def test_after_a_boot_the_clock_begins_with_the_wall_clock_and_never_before_its_own_time(
    machine: MachineTime, tmp_path: Path
) -> None:
    """A machine without a battery begins in 1970."""
    clock = machine.clock_of(tmp_path)
    begun = clock.now()
    clock.save(tmp_path, boot=machine.boot)
    machine.boot, machine.since_boot = "second boot", 5.0
    machine.wall_is_ahead = HOURS_5
    assert machine.clock_of(tmp_path).now().timestamp() == pytest.approx(machine.wall_s())
    machine.wall_is_ahead = -NOON_S
    assert machine.clock_of(tmp_path).now() == begun


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"time": "x", "since_boot": 1, "boot": "b"}',
        '{"time": 1e300, "since_boot": 1, "boot": "b"}',
        '{"time": NaN, "since_boot": 1, "boot": "b"}',
        '{"time": 1e9, "since_boot": -1e300, "boot": "first boot"}',
    ],
)
def test_a_clock_file_that_cannot_be_read_is_ignored(machine: MachineTime, tmp_path: Path, content: str) -> None:
    (tmp_path / "clock.json").write_text(content, encoding="ascii")
    assert machine.clock_of(tmp_path).now().timestamp() == pytest.approx(machine.wall_s())


WAITING = """
StartAt: Wait
States:
  Wait: {Type: Wait, Seconds: 60, Next: Done}
  Done: {Type: Succeed}
"""


def test_a_wait_of_an_execution_does_not_end_with_a_jump(open_world: Any, machine: MachineTime) -> None:
    """It ends when its time has passed."""
    world = open_world({"Waiting": WAITING}, clock=machine.clock())
    arn = world.start("Waiting", "one")
    machine.wall_is_ahead = HOURS_5
    machine.since_boot += 6
    world.catch_up()
    assert world.reports.describe(arn)["status"] == "RUNNING"
    machine.since_boot += 60
    assert world.end_of(arn)["status"] == "SUCCEEDED"


def test_the_clock_of_an_engine_continues_after_a_restart(tmp_path: Path) -> None:
    """The engine saves it when it closes, and at intervals before."""
    from workflows.embedded.engine import EmbeddedEngine
    from workflows.sandbox.opening import sandbox_gateways
    from workflows.sandbox.settings import SandboxSettings

    template = tmp_path / "template.yaml"
    template.write_text("Transform: AWS::Serverless-2016-10-31\nResources: {}\n")
    state, gateways = tmp_path / "state", sandbox_gateways(SandboxSettings())
    with EmbeddedEngine.open(state, template=template, gateways=gateways, projector_apart=False) as engine:
        before = engine.ports.clock.now()
    with EmbeddedEngine.open(state, template=template, gateways=gateways, projector_apart=False) as engine:
        assert before <= engine.ports.clock.now() < before + timedelta(minutes=10)
    assert (state / "clock.json").exists()
