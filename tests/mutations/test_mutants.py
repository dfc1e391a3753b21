"""The table of mutants does not rot: what each one changes is there, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations.mutants import MUTANTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_that_a_mutant_changes_is_found_once(mutant):
    """A mutant whose text is gone would be tried on unchanged code."""
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
