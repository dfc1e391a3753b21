"""Mutants of ``workflows/catalogue/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="picture that was not uploaded accepted",
        breaks="A menu names pictures that exist.",
        file="workflows/catalogue/pictures.py",
        old="            if picture not in stored:\n",
        new="            if picture in stored and not stored:\n",
        caught_by=tests("handlers/test_pictures.py"),
    ),
)
