"""The counters of the work that a function does in one step of an evaluation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import TEXT_WORK, WORK, Evaluation, Names
from workflows.asl.jsonata.limits import STEPS_MAX, EvaluationFailed

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def evaluation() -> Evaluation:
    """An evaluation that has just begun."""
    return Evaluation(Names(variables={}, states={}, at=NOON, dice=Dice("seed")))


@pytest.mark.parametrize(
    ("argument", "steps"),
    [
        *(([None] * size, steps) for size, steps in ((WORK - 1, 0), (WORK, 1), (10 * WORK, 10))),
        *(({str(key): 0 for key in range(size)}, steps) for size, steps in ((WORK - 1, 0), (3 * WORK, 3))),
        *(("x" * size, steps) for size, steps in ((TEXT_WORK - 1, 0), (TEXT_WORK, 1), (5 * TEXT_WORK, 5))),
        *((argument, 0) for argument in (None, True, 10**9, 1.5)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, list | dict | str) else str(value),
)
def test_the_work_on_an_argument_counts_by_its_size(evaluation: Evaluation, argument: Any, steps: int) -> None:
    """Elements, fields and characters; a number is one value, whatever its amount."""
    evaluation.count_work(argument)
    assert (evaluation.steps, evaluation.names.work.steps) == (steps, steps)


def test_the_work_of_several_calls_adds_up_to_the_end_of_the_evaluation(evaluation: Evaluation) -> None:
    """A function that is called again and again is stopped as a loop is."""
    elements = [None] * (WORK * 1000)
    for _ in range(STEPS_MAX // 1000):
        evaluation.count_work(elements)
    with pytest.raises(EvaluationFailed, match="timeout"):
        evaluation.count_work(elements)
