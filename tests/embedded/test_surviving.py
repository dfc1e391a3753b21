"""After a crash or an eviction an execution is the fold of its journal: exactly what it was before."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import toy_handlers as toys
import toy_machines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.embedded import arns
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.reports import Reports, StateEntries
from workflows.embedded.step_functions.rounds import DriverStopped
from workflows.embedded.step_functions.running import Definitions
from workflows.executions import TokenGone
from workflows.hub.deferred import Deferred
from workflows.sqlite.database import Database

DEADLINE_S = 20.0
TOYS = Path(toys.__file__).parent

GATED = """
StartAt: Do
States:
  Do:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: Visit, Payload: "{% $states.input %}"}
    End: true
"""
WAITING = toy_machines.WAITING.replace("End: true", "Next: Sleep") + "  Sleep: {Type: Wait, Seconds: 60, End: true}\n"
PARENT = f"""
StartAt: Child
States:
  Child:
    Type: Task
    Resource: arn:aws:states:::states:startExecution.sync:2
    Arguments: {{StateMachineArn: "{arns.machine_arn("Waiting")}", Input: "{{% $states.input %}}"}}
    Output: "{{% $states.result.Output %}}"
    End: true
"""
MACHINES = {"Gated": GATED, "Waiting": WAITING, "Parent": PARENT}


class Disk:
    """Holds back writes until a test releases them."""

    def __init__(self, database: Database) -> None:
        self._submit = database.submit
        self._held: SimpleQueue[tuple[Any, Deferred[Any]]] = SimpleQueue()
        self._kept: list[tuple[Any, Deferred[Any]]] = []
        self._holds = True

    def submit(self, work: Any) -> Deferred[Any]:
        if not self._holds:
            return self._submit(work)
        durable: Deferred[Any] = Deferred()
        self._held.put((work, durable))
        return durable

    def wait_for(self, kind: str) -> None:
        """Wait until a signal of this kind is held back."""
        while not self._kept or kind not in repr(vars_of(self._kept[-1][0])):
            self._kept.append(self._held.get(timeout=DEADLINE_S))

    def let_go(self) -> None:
        """Release what is held back, and all later writes."""
        self._holds = False
        while not self._held.empty():
            self._kept.append(self._held.get())
        for work, durable in self._kept:
            durable.set_result(self._submit(work).result(DEADLINE_S))
        self._kept = []


def vars_of(work: Any) -> Any:
    return work._statements


def test_no_effect_and_no_result_before_the_journal_is_durable(
    open_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the function nor the caller of ``start`` sees anything that a crash could take back."""
    world = open_world(MACHINES)
    disk = Disk(world.database)
    monkeypatch.setattr(world.database, "submit", disk.submit)
    started: Deferred[str] = Deferred()
    place = toys.PLACES["journal first"]
    threading.Thread(target=lambda: started.set_result(world.start("Gated", "one", {"place": "journal first"}))).start()
    disk.wait_for("Started")
    assert not started.done()
    assert not place.visits
    disk.let_go()
    assert place.came.acquire(timeout=DEADLINE_S)
    assert world.end_of(started.result(DEADLINE_S))["status"] == "SUCCEEDED"


def test_the_second_settlement_of_a_token_is_refused_only_once_the_first_is_durable(
    open_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a crash could take the first back, and the token would stay unsettled."""
    world = open_world(MACHINES)
    world.start("Waiting", "one", {"place": "two settle"})
    token = toys.PLACES["two settle"].token.result(DEADLINE_S)
    disk = Disk(world.database)
    monkeypatch.setattr(world.database, "submit", disk.submit)
    answers: list[Deferred[str]] = [Deferred(), Deferred()]

    def settle(answer: Deferred[str]) -> None:
        try:
            world.driver.succeed(token, {})
            answer.set_result("settled")
        except Exception as error:
            answer.set_result(type(error).__name__)

    threading.Thread(target=settle, args=answers[:1]).start()
    disk.wait_for("TokenSucceeded")
    threading.Thread(target=settle, args=answers[1:]).start()
    assert not any(answer.done() for answer in answers)
    disk.let_go()
    assert [answer.result(DEADLINE_S) for answer in answers] == ["settled", "TokenGone"]


def test_when_the_journal_cannot_be_written_every_caller_gets_an_error_and_no_effect_follows(
    open_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is ahead of the disk then; a restart continues from what is durable."""
    world = open_world(MACHINES)

    def fail(_: Any) -> Deferred[Any]:
        failed: Deferred[Any] = Deferred()
        failed.set_exception(OSError("no space left on device"))
        return failed

    monkeypatch.setattr(world.database, "submit", fail)
    with pytest.raises(DriverStopped, match="no space left"):
        world.start("Gated", "one", {"place": "broken"})
    with pytest.raises(DriverStopped):
        world.start("Gated", "two", {"place": "broken"})
    assert [str(error) for error in world.broken] == ["no space left on device"]
    assert not toys.PLACES["broken"].visits


def test_a_task_in_flight_when_the_engine_ends_is_invoked_again(open_world: Any) -> None:
    """The one stated difference from AWS."""
    machines = {"Gated": GATED.replace("Visit", "WaitAtGate")}
    world = open_world(machines)
    place = toys.PLACES["in flight"]
    arn = world.start("Gated", "one", {"place": "in flight"})
    assert place.came.acquire(timeout=DEADLINE_S)
    world.driver.close()
    place.gate.set()
    world = open_world(machines)
    assert world.end_of(arn)["status"] == "SUCCEEDED"
    assert len(place.visits) == 2


def test_a_token_and_its_timers_survive_a_restart(open_world: Any) -> None:
    """The token settles its task afterwards; a deadline that has passed fires at once; the parent gets the result."""
    world = open_world(MACHINES)
    settled, timed_out = (world.start("Parent", name, {"place": name}) for name in ("token-kept", "timer-kept"))
    token = toys.PLACES["token-kept"].token.result(DEADLINE_S)
    toys.PLACES["timer-kept"].token.result(DEADLINE_S)
    world = open_world(MACHINES)
    world.driver.succeed(token, {"answer": 42})
    world = open_world(MACHINES)
    world.advance(3600)
    assert json.loads(world.end_of(settled)["output"]) == {"answer": 42}
    assert world.end_of(timed_out)["error"] == "States.TaskFailed"


def test_a_child_is_stopped_with_its_parent_after_a_restart(open_world: Any) -> None:
    """Its row names the parent."""
    world = open_world(MACHINES)
    parent = world.start("Parent", "one", {"place": "stopped-child"})
    toys.PLACES["stopped-child"].token.result(DEADLINE_S)
    world = open_world(MACHINES)
    world.driver.stop_execution(parent)
    [child] = world.reports.latest("Waiting")
    assert world.end_of(child["executionArn"])["status"] == "ABORTED"


def test_a_definition_that_changed_does_not_change_what_runs(open_world: Any) -> None:
    """The journal keeps each definition by hash; the next execution runs the new one."""
    world = open_world(MACHINES)
    old = world.start("Waiting", "old", {"place": "old definition"})
    token = toys.PLACES["old definition"].token.result(DEADLINE_S)
    changed = WAITING.replace("Seconds: 60, End: true", "Seconds: 60, Output: changed, End: true")
    world = open_world({**MACHINES, "Waiting": changed})
    new = world.start("Waiting", "new", {"place": "new definition"})
    world.driver.succeed(token, "unchanged")
    world.driver.succeed(toys.PLACES["new definition"].token.result(DEADLINE_S), "unchanged")
    world.advance(60)
    assert [json.loads(world.end_of(arn)["output"]) for arn in (old, new)] == ["unchanged", "changed"]


def test_three_hundred_executions_wait_in_the_memory_of_sixteen_and_the_threads_of_eight(open_world: Any) -> None:
    """Bounded memory, bounded threads, however many are in flight."""
    world = open_world(MACHINES, in_memory_max=16)
    threads = threading.active_count()
    begun = {
        f"many {number}": world.start("Waiting", f"n{number}", {"place": f"many {number}"}) for number in range(300)
    }
    tokens = {place: toys.PLACES[place].token.result(DEADLINE_S) for place in begun}
    assert threading.active_count() == threads
    for place, token in tokens.items():
        world.driver.succeed(token, place)
    assert world.driver.in_memory() <= 16
    world.advance(60)
    assert [json.loads(world.end_of(arn)["output"]) for arn in begun.values()] == list(begun)
    assert world.driver.in_memory() == 0


STEPS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["settle", "fail", "minute", "hour"])), max_size=10)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_an_engine_that_always_evicts_does_what_one_that_never_does(
    steps: list[tuple[int, str]], seed: int, tmp_path_factory: pytest.TempPathFactory, new_world: Any
) -> None:
    """Folding an execution again is as good as having kept it."""
    kept, evicted = (
        _after(new_world, steps, tmp_path_factory.mktemp("world"), f"{seed} {size}", size) for size in (1000, 0)
    )
    assert kept == evicted


def _after(new_world: Any, steps: list[tuple[int, str]], folder: Path, places: str, in_memory_max: int) -> Any:
    world = new_world(folder, MACHINES, in_memory_max=in_memory_max).begin()
    try:
        names = [f"n{number}" for number in range(4)]
        begun = [world.start("Parent", name, {"place": f"{places} {name}"}) for name in names]
        tokens = [toys.PLACES[f"{places} {name}"].token.result(DEADLINE_S) for name in names]
        for number, what in steps:
            _do(world, tokens[number], what)
        world.advance(86_400)
        world.advance(86_400)
        ends = [world.end_of(arn) for arn in begun]
        return [
            (end["status"], end.get("output"), end.get("error"), _kinds(world.reports.history(end["executionArn"])))
            for end in ends
        ]
    finally:
        world.close()


def _do(world: Any, token: str, what: str) -> None:
    match what:
        case "minute" | "hour":
            world.advance(60 if what == "minute" else 3600)
        case _:
            with suppress(TokenGone):
                world.driver.succeed(token, what) if what == "settle" else world.driver.fail(token, "Failed", "so")


def _kinds(history: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in history]


def test_orders_survive_kills_at_random_moments(tmp_path: Path) -> None:
    """SIGKILL after a random number of lines, again and again: every execution ends, what was started stays started,
    and a step is repeated only if it was under way when a kill came."""
    dice, orders, kills = random.Random(7), 40, 6
    started: set[str] = set()
    for _ in range(kills):
        _run(tmp_path, orders, started, lines=dice.randrange(1, 4 * orders))
    _run(tmp_path, orders, started, lines=None)
    lines = Counter((tmp_path / "lines").read_text().splitlines())
    assert set(lines) == {f"order-{n} {step}" for n in range(orders) for step in ("first", "child", "express", "last")}
    assert max(lines.values()) <= 1 + kills
    with Database(tmp_path / "engine.sqlite", read_only=True) as database:
        journal = Journal(database)
        reports = Reports(journal, Definitions(journal))
        assert Counter(listed["status"] for listed in reports.latest(limit=1000)) == {"SUCCEEDED": 2 * orders}
        for name in started:
            history = reports.history(arns.execution_arn("Parent", name))
            assert [event["id"] for event in history] == list(range(1, len(history) + 1))
            assert Counter(_kinds(history))["TaskSucceeded"] == 4
        assert reports.state_entries("order-1") == StateEntries(standard=7, express=1)


def _run(folder: Path, orders: int, started: set[str], *, lines: int | None) -> None:
    """Run the engine until it has printed this many lines and kill it, or until it has ended."""
    command = [sys.executable, str(TOYS / "killed_engine.py"), str(folder), str(orders)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, start=1):
            what, _, name = line.strip().partition(" ")
            started |= {name} if what == "started" else set()
            if number == lines:
                process.kill()
                return
    assert process.returncode == 0
