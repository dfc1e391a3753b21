"""How often a process that does nothing but run an engine looks for garbage in cycles."""

from __future__ import annotations

import gc

ALLOCATIONS = 50_000
"""New objects between two collections of the youngest. An order makes some thousands, nearly all without cycles; with
Python's 700 the collector took 4 % of an order's CPU time."""


def collect_rarely() -> None:
    """Keep what is loaded now out of every later collection, and collect the rest more rarely.

    It is a setting of the whole process, so a program that runs an engine beside other work decides for itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 50)
