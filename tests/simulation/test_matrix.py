"""The fault matrix covers every step and every fault, and what it says is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workflows.simulation.aiming import Aim, WorldDiffers, run
from workflows.simulation.faults import Fault
from workflows.simulation.matrix import build, deployed, page, run_here
from workflows.simulation.task_states import task_states

PAGE = Path(__file__).parents[2] / "docs" / "fault-matrix.md"


def cells(text: str) -> dict[tuple[str, str], str]:
    """What a page says, by step and fault."""
    found, machine, steps = {}, "", list[str]()
    for line in text.splitlines():
        if line.startswith("## "):
            machine = line.removeprefix("## ")
        elif line.startswith("| "):
            first, *rest = (part.strip() for part in line.strip("|").split("|"))
            steps = rest if first == "fault" else steps
            found.update({(f"{machine}.{step}", first): cell for step, cell in zip(steps, rest, strict=True)})
    return {(step, fault): cell for (step, fault), cell in found.items() if fault != "fault"}


def test_the_written_matrix_has_a_cell_for_every_step_and_fault_and_none_is_empty() -> None:
    """A state or a fault that was added since fails this: ``python -m workflows.simulation.matrix --write ...``."""
    written = cells(PAGE.read_text())
    assert set(written) == {(step, fault.value) for step in task_states(deployed()) for fault in Fault}
    assert all(written.values())
    assert "; 0 broken invariants" in re.sub(r"\s+", " ", PAGE.read_text())


def test_a_row_is_run_and_filled() -> None:
    """Each fault strikes the step, or there is a reason why it cannot; every invariant holds."""
    matrix = build(["PaymentMachine.PerformIntents"], run_here, seeds=6, aims=1)
    assert matrix.empty() == []
    assert matrix.violations() == []
    assert set(matrix.impossible.values()) == {"nobody is asked meanwhile"}
    struck = {trial.aim.strikes[-1][1] for trials in matrix.trials.values() for trial in trials}
    assert struck == set(Fault) - {Fault.NEVER_ANSWERS, Fault.TOLD_TWICE}
    assert set(cells(page(matrix, "a test", "today"))) == {
        ("PaymentMachine.PerformIntents", fault.value) for fault in Fault
    }


def test_a_step_that_is_never_reached_is_an_empty_cell() -> None:
    """So a machine whose state nobody can get to does not pass as covered."""
    matrix = build(["OrderMachine.Nowhere"], run_here, seeds=1, aims=1)
    assert len(matrix.empty()) == len(Fault)


def test_an_aim_that_finds_no_occasion_is_an_error() -> None:
    """A world that does not repeat itself would fill cells with what did not happen."""
    with pytest.raises(WorldDiffers):
        run(Aim(0, ((10_000_000, Fault.CRASH_AFTER),)), deployed())
