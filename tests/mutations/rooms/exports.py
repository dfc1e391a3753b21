"""Mutants of ``workflows/exports/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="last block of an export unchecked",
        breaks="A file that was changed is refused with the place.",
        file="workflows/exports/manifest.py",
        old="    if size != manifest.bytes:\n",
        new="    if size > manifest.bytes:\n",
        caught_by=tests("exports/test_exports.py::test_a_changed_file_is_refused_with_the_place"),
    ),
    Mutant(
        name="text of a CSV export that a spreadsheet runs",
        breaks="No cell of an export is a formula.",
        file="workflows/exports/formats.py",
        old="[as_text(str(",
        new="[str(str(",
        caught_by=tests("exports/test_exports.py::test_no_cell_of_a_csv_file_is_a_formula"),
    ),
)
