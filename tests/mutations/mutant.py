"""A mutant: a change that breaks one rule of the engine, and the check that must detect it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SelectedTests:
    """SelectedTests, one of which must fail. ``selection`` are arguments of pytest."""

    selection: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(f"`{name.removeprefix('tests/')}`" for name in self.selection)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Simulated worlds, one of which must break an invariant: the seeds from ``first`` to ``end`` - 1."""

    first: int
    end: int
    orders: int = 5

    def __str__(self) -> str:
        seeds = f"seed {self.first}" if self.end == self.first + 1 else f"seeds {self.first} to {self.end - 1}"
        return f"simulation, {seeds}, {self.orders} orders each"


Check = SelectedTests | Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A change of ``file``: ``old``, which is in it exactly once, becomes ``new``. ``breaks`` is the broken rule."""

    name: str
    breaks: str
    file: str
    old: str
    new: str
    caught_by: Check


def tests(*selection: str) -> SelectedTests:
    """Select tests by their paths below ``tests/``."""
    return SelectedTests(tuple(f"tests/{name}" for name in selection))


def simulation(first: int, end: int | None = None, orders: int = 5) -> Simulation:
    """Select one seed, or the seeds up to ``end``."""
    return Simulation(first, first + 1 if end is None else end, orders)
