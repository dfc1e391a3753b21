"""What a drill consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workflows.cli.drills.stage import Stage, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A fault to practise.

    Args:
        name: On the command line.
        title: What happened, in a line.
        section: Of docs/runbook.md.
        prepare: Starts an engine and breaks something.
        told: What a person on call is told.
        broken: What was broken: shown at the end.
        look: The commands that show it.
        repair: The commands that put it right, in their order.
        wrong: Returns what is still wrong; empty once it is right.
    """

    name: str
    title: str
    section: str
    prepare: Callable[[Stage], None]
    told: str
    broken: str
    look: tuple[Words, ...]
    repair: tuple[Words, ...]
    wrong: Callable[[Stage], str]
