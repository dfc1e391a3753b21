"""The table of mutants stays valid: the text that each one changes is in its file once, and its tests exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations.mutant import Mutant, SelectedTests
from tests.mutations.mutants import MUTANTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_that_a_mutant_changes_is_found_once(mutant: Mutant) -> None:
    """A mutant whose text is gone would run on unchanged code."""
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_catch_a_mutant_exist(mutant: Mutant) -> None:
    """A renamed test would be noticed only by the next run of all mutants."""
    selection = mutant.caught_by.selection if isinstance(mutant.caught_by, SelectedTests) else ()
    for selected in selection:
        path, _, name = selected.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / path).read_text()
