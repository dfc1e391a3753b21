"""The fault matrix: it covers every step and every fault, and its cells are results of real runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from workflows.simulation.fault_plans import FaultPlan, PlanResult, WorldDiffers, run
from workflows.simulation.faults import OF_PEOPLE, InjectedFault
from workflows.simulation.matrix import Matrix, build, deployed, page, with_rows
from workflows.simulation.task_states import task_states

PAGE = Path(__file__).parents[2] / "docs" / "fault-matrix.md"


def run_one_by_one(plans: Iterable[FaultPlan], look: bool) -> list[PlanResult]:
    return [run(plan, deployed(), look=look) for plan in plans]


def cells(text: str) -> dict[tuple[str, str], str]:
    """Read the cells of a page, by step and fault."""
    by_cell, machine, steps = {}, "", list[str]()
    for line in text.splitlines():
        if line.startswith("## "):
            machine = line.removeprefix("## ")
        elif line.startswith("| "):
            first, *rest = (part.strip() for part in line.strip("|").split("|"))
            steps = rest if first == "fault" else steps
            by_cell.update({(f"{machine}.{step}", first): cell for step, cell in zip(steps, rest, strict=True)})
    return {(step, fault): cell for (step, fault), cell in by_cell.items() if fault != "fault"}


def test_the_page_has_a_filled_cell_for_every_step_and_fault() -> None:
    """Fails after a state or fault was added: run ``python -m workflows.simulation.matrix --write ...`` again."""
    written = cells(PAGE.read_text())
    assert set(written) == {(step, fault.value) for step in task_states(deployed()) for fault in InjectedFault}
    assert all(written.values())
    assert "; 0 broken invariants" in re.sub(r"\s+", " ", PAGE.read_text())


def test_every_cell_of_a_row_has_a_result_or_a_reason() -> None:
    """Each fault strikes the step, or there is a reason why it cannot; every invariant holds."""
    matrix = build(["OrderMachine.SettlePayment"], run_one_by_one, seeds=3, plans=1)
    assert matrix.empty() == []
    assert matrix.violations() == []
    assert set(matrix.impossible.values()) <= {
        "no person acts during the step",
        "no run starts during the step",
        "no waiting task is ended during the step",
    }
    struck = {result.plan.strikes[-1][1] for results in matrix.results.values() for result in results}
    refused = {InjectedFault.STARTS_THROTTLED, InjectedFault.TOKENS_THROTTLED}  # calls that few worlds make then
    assert struck >= set(InjectedFault) - set(OF_PEOPLE) - refused
    assert set(cells(page(matrix, "a test", "today"))) == {
        ("OrderMachine.SettlePayment", fault.value) for fault in InjectedFault
    }


def test_rows_that_are_written_again_leave_the_others_as_they_were() -> None:
    """A new fault costs minutes, and not the run of all of them."""
    matrix = Matrix(list(task_states(deployed())), (InjectedFault.CANCELLED,))
    matrix.impossible = {(step, InjectedFault.CANCELLED): "a test" for step in matrix.steps}
    before, after = PAGE.read_text(), with_rows(PAGE.read_text(), matrix, "a command", "today")
    again = {cell: "*a test*" for cell in cells(before) if cell[1] == InjectedFault.CANCELLED}
    assert cells(after) == cells(before) | again
    assert len(again) == len(matrix.steps)
    assert "`a command` on today" in after


def test_a_step_that_is_never_reached_is_an_empty_cell() -> None:
    """A state that no order can reach does not count as covered."""
    matrix = build(["OrderMachine.Nowhere"], run_one_by_one, seeds=1, plans=1)
    assert len(matrix.empty()) == len(InjectedFault)


def test_a_plan_whose_occasion_never_comes_is_an_error() -> None:
    """A world that does not repeat itself would fill cells with false results."""
    with pytest.raises(WorldDiffers):
        run(FaultPlan(0, ((10_000_000, InjectedFault.CRASH_AFTER),)), deployed())
