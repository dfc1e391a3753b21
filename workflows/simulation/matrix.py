"""The fault matrix: every step of every machine x every fault -> what came of it, by running it.

A world of one order is run without faults; what happened in it says at which occasions a step was performed and which
faults could strike there. For each cell some of those occasions are aimed at, each in a world of its own, and the cell
says what came of them. Steps that are only reached under faults are aimed at in worlds whose first fault led there.

    python -m workflows.simulation.matrix --write docs/fault-matrix.md
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from random import Random

from workflows.embedded.template import Template
from workflows.simulation.aiming import OF_PEOPLE, Aim, Occasion, Trial, run
from workflows.simulation.faults import OF_CALLS, OF_FEED, Fault
from workflows.simulation.task_states import task_states
from workflows.simulation.world import read_deployed

ROOT = Path(__file__).parents[2]

SEEDS = 60
"""Worlds without faults: enough that each branch that people and the means of payment can take is among them."""

AIMS = 8
"""Worlds a cell; more where the step makes more kinds of calls, so that each is struck."""

WAYS = 6
"""Worlds kept that lead to a step which is only reached under faults."""

ENDS = ("delivered", "cancelled")
"""Without the fault. A cell keeps to worlds of the first of these that has some: so it shows what the fault changed."""

Cell = tuple[str, Fault]


@dataclass(slots=True)
class Matrix:
    """``trials`` by cell; a cell that no fault can strike is in ``impossible``, with the reason."""

    steps: Sequence[str]
    trials: dict[Cell, list[Trial]] = field(default_factory=lambda: defaultdict(list))
    impossible: dict[Cell, str] = field(default_factory=dict)
    worlds: int = 0
    seconds: float = 0.0

    def text(self, step: str, fault: Fault) -> str:
        """The cell: what came of it, and in how many worlds. Empty if the step was never reached."""
        if reason := self.impossible.get((step, fault)):
            return f"*{reason}*"
        found = Counter(f"{trial.how}: {trial.end}" for trial in self.trials.get((step, fault), ()))
        return "; ".join(f"{what} ({count})" for what, count in sorted(found.items(), key=lambda it: (-it[1], it[0])))

    def empty(self) -> list[Cell]:
        return [(step, fault) for step in self.steps for fault in Fault if not self.text(step, fault)]

    def violations(self) -> list[str]:
        return [
            f"{step} x {fault}: {trial.aim}: {violation}"
            for (step, fault), trials in self.trials.items()
            for trial in trials
            for violation in trial.violations
        ]


RunAll = Callable[[Iterable[Aim], bool], list[Trial]]


def build(steps: Sequence[str], run_all: RunAll, *, seeds: int = SEEDS, aims: int = AIMS) -> Matrix:
    """Run it. ``steps`` are ``Machine.State``; those which the worlds do not reach stay empty."""
    began, matrix = time.perf_counter(), Matrix(steps)
    ways = run_all([Aim(seed) for seed in range(seeds)], True)
    matrix.worlds += len(ways)
    missing = set(steps)
    while now := [step for step in steps if step in missing and any(_performs(way, step) for way in ways)]:
        missing -= set(now)
        trials = list(_fill(matrix, now, ways, run_all, aims))
        ways = run_all(_leading_to(missing, trials), True)
        matrix.worlds += len(trials) + len(ways)
    matrix.seconds = time.perf_counter() - began
    return matrix


def _fill(matrix: Matrix, steps: Sequence[str], ways: Sequence[Trial], run_all: RunAll, aims: int) -> Iterator[Trial]:
    for step in steps:
        through = [way for way in ways if _performs(way, step)]
        aimed = {fault: _aims(step, fault, through, aims) for fault in Fault}
        trials = run_all([aim for found in aimed.values() for aim in found], False)
        for trial in trials:
            matrix.trials[step, trial.aim.strikes[-1][1]].append(trial)
        for fault in (fault for fault, found in aimed.items() if not found):
            matrix.impossible[step, fault] = _reason(fault)
        _tell(f"{step}: {len(trials)} worlds, {sum(bool(trial.violations) for trial in trials)} with violations")
        yield from trials


def _performs(way: Trial, step: str) -> bool:
    return any(step in occasion.performing or step in occasion.in_flight for occasion in way.occasions)


def _aims(step: str, fault: Fault, ways: Sequence[Trial], aims: int) -> list[Aim]:
    """Every kind of call once, then more of them, as drawn."""
    pool = _pool(step, fault, ways)
    kinds: dict[str, list[tuple[Trial, Occasion]]] = defaultdict(list)
    for way, occasion in pool:
        kinds[_kind(fault, occasion)].append((way, occasion))
    random, found = Random(f"{step} {fault}"), dict[Aim, None]()
    for names in [sorted(kinds)] * aims:
        for name in names:
            if len(found) < max(aims, len(kinds)):
                way, occasion = random.choice(kinds[name])
                found[way.aim.also(occasion.number, fault)] = None
    return list(found)


def _pool(step: str, fault: Fault, ways: Sequence[Trial]) -> list[tuple[Trial, Occasion]]:
    """Where the fault could strike that step. An outage begins with a call to who is down, if the step makes one."""
    pool = [(way, occasion) for way in ways for occasion in way.occasions if occasion.could_strike(step, fault)]
    if fault is Fault.PROVIDER_DOWN:
        calls = [(way, it) for way, it in pool if it.gateway is not None and step in it.performing]
        pool = calls or pool
    for end, obliging in product(ENDS, (True, False)):
        if alike := [(way, it) for way, it in pool if (way.end, way.obliging) == (end, obliging)]:
            return alike
    return pool


def _kind(fault: Fault, occasion: Occasion) -> str:
    if fault in OF_CALLS or fault is Fault.PROVIDER_DOWN:
        return occasion.what
    return occasion.what.partition("/")[0] if fault in OF_FEED else ""  # a key begins with what was recorded


def _reason(fault: Fault) -> str:
    """Why no occasion in any world that performed the step was one for this fault."""
    if fault is Fault.DUPLICATED:
        return "makes no outside call"
    if fault in OF_FEED:
        return "nothing is written meanwhile"
    return "nobody is asked meanwhile" if fault in OF_PEOPLE else "makes no call"


def _leading_to(missing: set[str], trials: Sequence[Trial]) -> list[Aim]:
    """Those that reach steps not reached before, some for each, with as many kinds of faults as there are."""
    found: dict[Aim, None] = {}
    for step in sorted(missing):
        leading = [trial for trial in trials if step in trial.reached]
        seen: Counter[Fault] = Counter()
        ranked: list[tuple[int, int, Aim]] = []
        for trial in leading:
            fault = trial.aim.strikes[-1][1]
            seen[fault] += 1
            ranked.append((seen[fault], len(ranked), trial.aim))
        found.update(dict.fromkeys(aim for _, _, aim in sorted(ranked, key=lambda it: it[:2])[:WAYS]))
    return list(found)


# --- running and telling ----------------------------------------------------------------------------------------------


@cache
def deployed() -> Template:
    return read_deployed(ROOT)


def run_here(aims: Iterable[Aim], look: bool) -> list[Trial]:
    """One after the other, in this process."""
    return [run(aim, deployed(), look=look) for aim in aims]


def _run_there(aim: Aim, look: bool) -> Trial:
    return run(aim, deployed(), look=look)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def page(matrix: Matrix, command: str, date: str) -> str:
    """The matrix as Markdown: a table a machine, a row a fault, a column a step."""
    struck = sum(map(len, matrix.trials.values()))
    cells = len(matrix.steps) * len(Fault)
    lines = [
        "# The fault matrix",
        "",
        f"Written by `{command}` on {date}.",
        "",
        f"{cells} cells, {len(matrix.empty())} empty; {matrix.worlds} worlds, {struck} of them with a fault aimed at a",
        f"step; {len(matrix.violations())} broken invariants; {matrix.seconds:.0f} s.",
        "",
        *_LEGEND,
    ]
    for machine in dict.fromkeys(step.partition(".")[0] for step in matrix.steps):
        lines += ["", f"## {machine}", "", *_table(matrix, [s for s in matrix.steps if s.startswith(f"{machine}.")])]
    return "\n".join(lines) + "\n"


_LEGEND = (
    "Each world is one order with the real domain, handlers, machines, interpreter, relay and gateways under a virtual",
    "clock. It repeats a world without that fault up to one occasion at which the step is performed; there the fault",
    "strikes. A cell says how the order went on and how it ended, and in how many worlds. Of several, the last resort",
    "is named: *no retry needed*, *retried*, *timed out* (by a decision of the business), *waited for the circuit*,",
    "*woken by the watchdog*, *new run by the watchdog*, *parked*, *parked and run again by support*.",
    "",
    "Where there are such, the worlds are ones whose order is delivered without the fault, with a means of payment",
    "that refuses nothing. People answer as they are drawn, and once a fault struck something else may be drawn: a",
    "restaurant that rejects, a courier who is late. All invariants of the simulation are checked after each world. A",
    "step that starts a machine makes the calls of that machine. Words in italics say why a fault cannot strike: no",
    "world that performed the step had an occasion for it.",
)


def _table(matrix: Matrix, steps: Sequence[str]) -> Iterator[str]:
    yield f"| fault | {' | '.join(step.partition('.')[2] for step in steps)} |"
    yield "|---" * (len(steps) + 1) + "|"
    for fault in Fault:
        yield f"| {fault.value} | {' | '.join(matrix.text(step, fault) for step in steps)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m workflows.simulation.matrix", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there instead of printing it")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"worlds without faults to begin with ({SEEDS})")
    parser.add_argument("--aims", type=int, default=AIMS, help=f"worlds a cell ({AIMS})")
    given = parser.parse_args(arguments)
    with ProcessPoolExecutor(os.cpu_count()) as processes:

        def run_all(aims: Iterable[Aim], look: bool) -> list[Trial]:
            aims = list(aims)
            return list(processes.map(_run_there, aims, [look] * len(aims), chunksize=4))

        matrix = build(list(task_states(deployed())), run_all, seeds=given.seeds, aims=given.aims)
    text = page(matrix, _command(given), time.strftime("%Y-%m-%d"))
    if given.write is None:
        print(text, end="")
    else:
        given.write.write_text(text)
    return _verdict(matrix)


def _command(given: argparse.Namespace) -> str:
    changed = [f" --{name} {value}" for name, value in (("seeds", given.seeds), ("aims", given.aims))]
    usual: Mapping[str, int] = {"seeds": SEEDS, "aims": AIMS}
    changed = [text for text, (name, value) in zip(changed, usual.items(), strict=True) if f" --{name} {value}" != text]
    return f"python -m workflows.simulation.matrix --write docs/fault-matrix.md{''.join(changed)}"


def _verdict(matrix: Matrix) -> int:
    for violation in matrix.violations():
        _tell(violation)
    for step, fault in matrix.empty():
        _tell(f"empty: {step} x {fault}")
    return 1 if matrix.violations() or matrix.empty() else 0


if __name__ == "__main__":
    sys.exit(main())
