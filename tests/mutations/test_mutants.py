"""The table of mutants stays valid: the text that each one changes is in its file once, and its tests exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations.mutant import Mutant, SelectedTests
from tests.mutations.mutants import MUTANTS
from tests.mutations.run import mutated_text

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_made(mutant: Mutant) -> None:
    """The text that it changes is in its file once, and what comes out can be compiled."""
    assert mutated_text(ROOT, mutant) != (ROOT / mutant.file).read_text()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_catch_a_mutant_exist(mutant: Mutant) -> None:
    """A renamed test would be noticed only by the next run of all mutants."""
    selection = mutant.caught_by.selection if isinstance(mutant.caught_by, SelectedTests) else ()
    for selected in selection:
        path, _, name = selected.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / path).read_text()
