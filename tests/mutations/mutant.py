"""What a mutant is: one rule of the engine broken on purpose, and the check that has to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tests:
    """Caught when one of these tests fails; ``selection`` is pytest's."""

    selection: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(f"`{name.removeprefix('tests/')}`" for name in self.selection)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Caught when a world with a seed from ``first`` up to, not including, ``end`` breaks an invariant."""

    first: int
    end: int
    orders: int = 5

    def __str__(self) -> str:
        seeds = f"seed {self.first}" if self.end == self.first + 1 else f"seeds {self.first} to {self.end - 1}"
        return f"simulation, {seeds}, {self.orders} orders each"


Check = Tests | Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``old`` is in ``file`` exactly once, and becomes ``new``. ``breaks`` says the rule that no longer holds."""

    name: str
    breaks: str
    file: str
    old: str
    new: str
    caught_by: Check


def tests(*selection: str) -> Tests:
    """Paths below ``tests/``, as pytest selects them."""
    return Tests(tuple(f"tests/{name}" for name in selection))


def simulation(first: int, end: int | None = None, orders: int = 5) -> Simulation:
    """One seed, or those up to ``end``."""
    return Simulation(first, first + 1 if end is None else end, orders)
