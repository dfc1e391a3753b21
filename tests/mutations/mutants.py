"""All mutants, from the files in ``rooms``. Each one breaks a rule that the correct end of an order depends on."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.mutations.mutant import Mutant


def _rooms() -> list[str]:
    return sorted(file.stem for file in (Path(__file__).parent / "rooms").glob("*.py"))


MUTANTS: tuple[Mutant, ...] = tuple(
    mutant for room in _rooms() for mutant in import_module(f"tests.mutations.rooms.{room}").MUTANTS
)
