"""The counters of the work that a library function does in one step of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonata.functions import Functions

from workflows.asl.jsonata import bounded_library
from workflows.asl.jsonata.bounded_library import WORK, count_work
from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import CURRENT, Evaluation, Names
from workflows.asl.jsonata.limits import STEPS_MAX, EvaluationFailed

TEXT_WORK, COPY_WORK = bounded_library._TEXT_WORK, bounded_library._COPY_WORK
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def evaluation() -> Iterator[Evaluation]:
    """An evaluation in progress on this thread."""
    bounded_library.install()
    CURRENT.evaluation = Evaluation(Names(variables={}, states={}, at=NOON, dice=Dice("seed")))
    yield CURRENT.evaluation
    CURRENT.evaluation = None


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
    count_work(argument)
    assert (evaluation.steps, evaluation.names.work.steps) == (steps, steps)


def test_the_work_of_several_calls_adds_up_to_the_end_of_the_evaluation(evaluation: Evaluation) -> None:
    """A function that is called again and again is stopped as a loop is."""
    elements = [None] * (WORK * 1000)
    for _ in range(STEPS_MAX // 1000):
        count_work(elements)
    with pytest.raises(EvaluationFailed, match="timeout"):
        count_work(elements)


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        ([1] * (COPY_WORK - 1), 2, 0),
        ([1] * COPY_WORK, 2, 1),
        ([1] * (7 * COPY_WORK), [2, 3], 7),
        ([1] * (7 * COPY_WORK), None, 0),
        (1, [2] * (7 * COPY_WORK), 0),
    ],
    ids=["short", "a step", "seven steps", "nothing to append", "no list is copied"],
)
def test_appending_counts_the_copied_list_and_returns_what_the_library_returns(
    evaluation: Evaluation, first: Any, second: Any, steps: int
) -> None:
    """The library builds lists by copying them for each element, so that their work grows with the square."""
    expected = bounded_library._LIBRARY_APPEND(copy(first), second)
    assert list(Functions.append(first, second)) == list(expected)
    assert evaluation.steps == steps


@pytest.mark.parametrize("call", [lambda: count_work([None] * 1000), lambda: Functions.append([1] * 10_000, 2)])
def test_nothing_is_counted_outside_an_evaluation(call: Callable[[], object]) -> None:
    """The library also runs while expressions are parsed."""
    bounded_library.install()
    CURRENT.evaluation = None
    call()
