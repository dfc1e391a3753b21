"""The fault matrix: for every step of every machine and every fault, how an order goes on and ends.

Worlds of one order run without faults first. They show at which occasions a step is performed and which faults could
strike there. For each cell, some of these occasions are chosen. Each one gets a world of its own, in which the fault is
injected there, and the cell counts the results. Steps that are reached only under faults use worlds whose first fault
leads there.

    python -m workflows.simulation.matrix --write docs/fault-matrix.md

With ``--faults`` only the rows of some faults are written again, and the others stay as they are in the file.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from random import Random

from workflows.embedded.template import Template
from workflows.event_store.worker_processes import worker_pool
from workflows.simulation.fault_plans import FaultPlan, Occasion, PlanResult, run
from workflows.simulation.faults import OF_CALLS, OF_FEED, OF_PEOPLE, InjectedFault
from workflows.simulation.releases import read_deployed
from workflows.simulation.task_states import task_states

ROOT = Path(__file__).parents[2]

SEEDS = 60
"""Worlds without faults: enough to take every branch that people and payment methods can cause."""

PLANS = 8
"""Worlds a cell; more if the step makes more kinds of calls, so that each kind is struck."""

LEADING_MAX = 6
"""Worlds kept for each step that is reached only under faults."""

ENDS = ("delivered", "cancelled")
"""How worlds end without the fault. A cell uses worlds of one such end, so that it shows what the fault changed."""

LEADING = (InjectedFault.PROVIDER_DOWN, InjectedFault.NEVER_ANSWERS, InjectedFault.CANCELLED)
"""The faults that lead to every step which is reached only under faults. They strike too where only other rows are
written."""

Cell = tuple[str, InjectedFault]


@dataclass(slots=True)
class Matrix:
    """The results by cell; a cell whose fault cannot strike is in ``impossible``, with the reason."""

    steps: Sequence[str]
    faults: Sequence[InjectedFault] = tuple(InjectedFault)
    results: dict[Cell, list[PlanResult]] = field(default_factory=lambda: defaultdict(list))
    impossible: dict[Cell, str] = field(default_factory=dict)
    worlds: int = 0
    seconds: float = 0.0

    def text(self, step: str, fault: InjectedFault) -> str:
        """Format a cell: the results with their number of worlds. Empty if the step was never reached."""
        if reason := self.impossible.get((step, fault)):
            return f"*{reason}*"
        counts = Counter(f"{result.how}: {result.end}" for result in self.results.get((step, fault), ()))
        return "; ".join(f"{what} ({count})" for what, count in sorted(counts.items(), key=lambda it: (-it[1], it[0])))

    def empty(self) -> list[Cell]:
        """List the cells without a result and without a reason."""
        return [(step, fault) for step in self.steps for fault in self.faults if not self.text(step, fault)]

    def violations(self) -> list[str]:
        """Describe every broken invariant, with its cell and plan."""
        return [
            f"{step} x {fault}: {result.plan}: {violation}"
            for (step, fault), results in self.results.items()
            for result in results
            for violation in result.violations
        ]


RunPlans = Callable[[Iterable[FaultPlan], bool], list[PlanResult]]


def build(
    steps: Sequence[str],
    run_plans: RunPlans,
    *,
    seeds: int = SEEDS,
    plans: int = PLANS,
    faults: Sequence[InjectedFault] = tuple(InjectedFault),
) -> Matrix:
    """Run all worlds of the matrix.

    Args:
        steps: Names of the form ``Machine.State``. Cells of a step that no world reaches stay empty.
        run_plans: Runs plans, in any number of processes; its second argument is ``look`` of ``fault_plans.run``.
        seeds: Worlds without faults.
        plans: Worlds a cell.
        faults: The rows.
    """
    began, matrix = time.perf_counter(), Matrix(steps, faults)
    leading = run_plans([FaultPlan(seed) for seed in range(seeds)], True)
    matrix.worlds += len(leading)
    missing = set(steps)
    while now := [step for step in steps if step in missing and any(_performs(result, step) for result in leading)]:
        missing -= set(now)
        results = list(_fill(matrix, now, leading, run_plans, plans))
        leading = run_plans(_leading_to(missing, results), True)
        matrix.worlds += len(results) + len(leading)
    matrix.seconds = time.perf_counter() - began
    return matrix


def _fill(
    matrix: Matrix, steps: Sequence[str], leading: Sequence[PlanResult], run_plans: RunPlans, plans: int
) -> Iterator[PlanResult]:
    for step in steps:
        through = [result for result in leading if _performs(result, step)]
        by_fault = {fault: _plans(step, fault, through, plans) for fault in matrix.faults}
        by_fault = {fault: _plans(step, fault, through, 1) for fault in LEADING} | by_fault
        results = run_plans([plan for chosen in by_fault.values() for plan in chosen], False)
        for result in results:
            matrix.results[step, result.plan.strikes[-1][1]].append(result)
        for fault in (fault for fault, chosen in by_fault.items() if not chosen):
            matrix.impossible[step, fault] = _reason(fault)
        _log(f"{step}: {len(results)} worlds, {sum(bool(result.violations) for result in results)} with violations")
        yield from results


def _performs(result: PlanResult, step: str) -> bool:
    return any(step in occasion.performing or step in occasion.in_flight for occasion in result.occasions)


def _plans(step: str, fault: InjectedFault, leading: Sequence[PlanResult], plans: int) -> list[FaultPlan]:
    """Choose occasions for a cell: every kind of call once, then more at random."""
    pool = _pool(step, fault, leading)
    kinds: dict[str, list[tuple[PlanResult, Occasion]]] = defaultdict(list)
    for result, occasion in pool:
        kinds[_kind(fault, occasion)].append((result, occasion))
    random, chosen = Random(f"{step} {fault}"), dict[FaultPlan, None]()
    for names in [sorted(kinds)] * plans:
        for name in names:
            if len(chosen) < max(plans, len(kinds)):
                result, occasion = random.choice(kinds[name])
                chosen[result.plan.also(occasion.number, fault)] = None
    return list(chosen)


def _pool(step: str, fault: InjectedFault, leading: Sequence[PlanResult]) -> list[tuple[PlanResult, Occasion]]:
    """List the occasions at which the fault could strike the step, with the world they come from.

    An outage begins with a call to the provider that is down, if the step makes one.
    """
    pool = [(result, it) for result in leading for it in result.occasions if it.could_strike(step, fault)]
    if fault is InjectedFault.PROVIDER_DOWN:
        calls = [(result, it) for result, it in pool if it.gateway is not None and step in it.performing]
        pool = calls or pool
    for end, payment_works in product(ENDS, (True, False)):
        if alike := [(result, it) for result, it in pool if (result.end, result.payment_works) == (end, payment_works)]:
            return alike
    return pool


def _kind(fault: InjectedFault, occasion: Occasion) -> str:
    if fault in OF_CALLS or fault is InjectedFault.PROVIDER_DOWN:
        return occasion.what
    return occasion.what.partition("/")[0] if fault in OF_FEED else ""  # a key begins with what was recorded


def _reason(fault: InjectedFault) -> str:
    """Say why the fault cannot strike the step in any world."""
    if fault is InjectedFault.DUPLICATED:
        return "makes no outside call"
    if fault in OF_FEED:
        return "nothing is written during the step"
    if fault is InjectedFault.STARTS_THROTTLED:
        return "no run starts during the step"
    if fault is InjectedFault.TOKENS_THROTTLED:
        return "no waiting task is ended during the step"
    return "no person acts during the step" if fault in OF_PEOPLE else "makes no call"


def _leading_to(missing: set[str], results: Sequence[PlanResult]) -> list[FaultPlan]:
    """Choose plans that reach the missing steps: some for each step, with as many kinds of faults as possible."""
    chosen: dict[FaultPlan, None] = {}
    for step in sorted(missing):
        leading = [result for result in results if step in result.reached]
        seen: Counter[InjectedFault] = Counter()
        ranked: list[tuple[int, int, FaultPlan]] = []
        for result in leading:
            fault = result.plan.strikes[-1][1]
            seen[fault] += 1
            ranked.append((seen[fault], len(ranked), result.plan))
        chosen.update(dict.fromkeys(plan for _, _, plan in sorted(ranked, key=lambda it: it[:2])[:LEADING_MAX]))
    return list(chosen)


# --- running and writing ----------------------------------------------------------------------------------------------


@cache
def deployed() -> Template:
    """Read the template of this repository, once a process."""
    return read_deployed(ROOT)


def _run(plan: FaultPlan, look: bool) -> PlanResult:
    return run(plan, deployed(), look=look)


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def page(matrix: Matrix, command: str, date: str) -> str:
    """Format the matrix as Markdown: a table a machine, a row a fault, a column a step."""
    struck = sum(map(len, matrix.results.values()))
    cells = len(matrix.steps) * len(matrix.faults)
    lines = [
        "# The fault matrix",
        "",
        f"Written by `{command}` on {date}.",
        "",
        f"{cells} cells, {len(matrix.empty())} empty; {matrix.worlds} worlds, {struck} of them with a planned fault",
        f"in a step; {len(matrix.violations())} broken invariants; {matrix.seconds:.0f} s.",
        "",
        *_LEGEND,
    ]
    for machine in dict.fromkeys(step.partition(".")[0] for step in matrix.steps):
        lines += ["", f"## {machine}", "", *_table(matrix, [s for s in matrix.steps if s.startswith(f"{machine}.")])]
    return "\n".join(lines) + "\n"


_LEGEND = (
    "Each world is one order with the real domain, handlers, machines, interpreter, relay and gateways under a virtual",
    "clock. It runs like a world without that fault until the step is performed; then the fault strikes. A cell lists",
    "results with their number of worlds. A result is the strongest measure that the order needed, and how it ended.",
    "The measures, from the weakest: *no retry needed*, *retried*, *timed out* (a person did not answer in time),",
    "*waited for the circuit*, *woken by the watchdog*, *new run by the watchdog*, *parked*, *parked and run again by",
    "support*. For a cancellation, or a run that support started, its effect comes first: *undone*, *older run",
    "superseded* or *refused*.",
    "",
    "Where possible, a world is chosen whose order is delivered when no fault strikes, with a payment method that",
    "works. People answer at random, and a fault changes the random numbers that follow it: a restaurant may reject, a",
    "courier may be late. All invariants of the simulation are checked after each world. Where no world that performed",
    "the step had an occasion for the fault, the cell has the reason in italics.",
    "",
    "An error of Lambda itself reaches the Task in place of the result; the function runs all the same. A throttle",
    "begins with a call that it refuses. DescribeExecution has no row: Step Functions calls it for Tasks that wait for",
    "another execution, and the machine has none.",
)


def _table(matrix: Matrix, steps: Sequence[str]) -> Iterator[str]:
    yield f"| fault | {' | '.join(step.partition('.')[2] for step in steps)} |"
    yield "|---" * (len(steps) + 1) + "|"
    for fault in matrix.faults:
        yield f"| {fault.value} | {' | '.join(matrix.text(step, fault) for step in steps)} |"


def with_rows(text: str, matrix: Matrix, command: str, date: str) -> str:
    """Return a page with the rows of the matrix's faults in it, and with a note about the run. Other rows stay."""
    lines = text.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("| fault |")) + 2
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in lines[head:]}
    rows |= {line.split(" | ")[0].removeprefix("| "): line for line in [*_table(matrix, matrix.steps)][2:]}
    note = (
        f"Rows written by `{command}` on {date}: {matrix.worlds} worlds, {len(matrix.violations())} broken invariants."
    )
    ordered = [rows[fault.value] for fault in InjectedFault if fault.value in rows]
    legend = lines.index(_LEGEND[0])
    return (
        "\n".join([*lines[:legend], note, "", *_LEGEND, "", "## OrderMachine", "", *lines[head - 2 : head], *ordered])
        + "\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m workflows.simulation.matrix", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="file to write the page to, instead of printing it")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"worlds without faults ({SEEDS})")
    parser.add_argument("--plans", type=int, default=PLANS, help=f"worlds a cell ({PLANS})")
    parser.add_argument(
        "--faults",
        nargs="+",
        type=InjectedFault,
        metavar="FAULT",
        help="only the rows of these faults, as the page names them",
    )
    options = parser.parse_args(arguments)
    with worker_pool() as processes:

        def run_plans(plans: Iterable[FaultPlan], look: bool) -> list[PlanResult]:
            plans = list(plans)
            return list(processes.map(_run, plans, [look] * len(plans), chunksize=4))

        faults = options.faults or tuple(InjectedFault)
        matrix = build(
            list(task_states(deployed())), run_plans, seeds=options.seeds, plans=options.plans, faults=faults
        )
    date = time.strftime("%Y-%m-%d")
    if options.faults and options.write is not None:
        text = with_rows(options.write.read_text(), matrix, _command(options), date)
    else:
        text = page(matrix, _command(options), date)
    if options.write is None:
        print(text, end="")
    else:
        options.write.write_text(text)
    return _verdict(matrix)


def _command(options: argparse.Namespace) -> str:
    defaults: Mapping[str, int] = {"seeds": SEEDS, "plans": PLANS}
    changed = [
        f" --{name} {getattr(options, name)}" for name, value in defaults.items() if getattr(options, name) != value
    ]
    named = f" --faults {' '.join(shlex.quote(fault) for fault in options.faults)}" if options.faults else ""
    return f"python -m workflows.simulation.matrix --write docs/fault-matrix.md{''.join(changed)}{named}"


def _verdict(matrix: Matrix) -> int:
    for violation in matrix.violations():
        _log(violation)
    for step, fault in matrix.empty():
        _log(f"empty: {step} x {fault}")
    return 1 if matrix.violations() or matrix.empty() else 0


if __name__ == "__main__":
    sys.exit(main())
