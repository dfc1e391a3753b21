"""``expediter simulate``: real handlers and machines under a virtual clock and a seeded schedule of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.failures import Exit, InvalidInput
from workflows.cli.folder import TEMPLATE
from workflows.cli.options import JsonObject
from workflows.cli.terminal import counting, data_console, print_json, say

if TYPE_CHECKING:
    from workflows.simulation.simulate import SimulationResult, Summary

BATCH = 20
"""Seeds that a process runs before it reports."""

ORDERS_A_WORLD = 5


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(simulate)


def simulate(
    *,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="How many worlds to run.")] = 100,
    orders: Annotated[
        int | None,
        typer.Option(min=1, metavar="M", help="Orders in all worlds together.  [default: five a world]"),
    ] = None,
    first: Annotated[int, typer.Option(metavar="N", help="The first seed.")] = 0,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Replay this one world, and leave out faults that a failure does not need."),
    ] = None,
    json: JsonObject = False,
) -> int:
    """Run worlds in which everything fails, and check that every order came to a right end.

    Processes are killed, calls lost, sent twice and stalled, messages late, twice or lost, providers down, clocks off,
    wall clocks jumping, bodies of requests stalled, definitions upgraded meanwhile, people silent or contradicting
    themselves, and orders cancelled at any moment. Exit code 1 on a violation.
    """
    if seed is not None:
        return _replay(seed, orders or ORDERS_A_WORLD, json)
    summary = _run_all(first, seeds, -(-(orders or seeds * ORDERS_A_WORLD) // seeds))
    if json:
        print_json(_as_json(summary))
    else:
        _show(summary)
    for failed in summary.failed:
        say(f"seed {failed.seed}: {failed.violations[0]}; expediter simulate --seed {failed.seed} replays it")
    return Exit.NO if summary.failed else Exit.OK


def _replay(seed: int, orders: int, json: bool) -> int:
    from workflows.simulation.releases import read_deployed
    from workflows.simulation.simulate import quiet, shortest, simulate

    template = read_deployed(TEMPLATE.parent)
    with quiet():
        outcome = simulate(seed, template, orders=orders)
    if outcome.violations:
        say(f"seed {seed} fails; leaving out faults that it does not need ...")
        outcome = shortest(outcome, template, orders=orders)
    if json:
        print_json(_outcome_as_json(outcome))
        return Exit.NO if outcome.violations else Exit.OK
    console = data_console()
    for occasion, fault, what in outcome.injected:
        console.print(f"{occasion:>6}  {fault.value}: {what}")
    console.print(", ".join(f"{count} {name}" for name, count in sorted(outcome.outcomes.items())))
    for violation in outcome.violations:
        console.print(violation, style="bold red")
    return Exit.NO if outcome.violations else Exit.OK


def _run_all(first: int, seeds: int, orders: int) -> Summary:
    """Run the worlds on all cores, which is possible because they share nothing."""
    import sys
    import time
    from concurrent.futures import as_completed

    from workflows.event_store.worker_processes import worker_pool
    from workflows.simulation.simulate import Summary

    if seeds * orders > _ORDERS_MAX:
        raise InvalidInput(f"{seeds * orders} orders take days; run at most {_ORDERS_MAX} at a time")
    began, total = time.perf_counter(), Summary()
    with counting(f"{{}} of {seeds} worlds ...") as progress, worker_pool() as processes:
        batches = [range(start, min(start + BATCH, first + seeds)) for start in range(first, first + seeds, BATCH)]
        running = [processes.submit(_batch, batch, orders) for batch in batches]
        for number, done in enumerate(as_completed(running), start=1):
            total.join(done.result())
            progress(total.seeds)
            if number % _TELL_EVERY == 0 and not sys.stderr.isatty():
                say(f"{total.seeds} of {seeds} seeds, {len(total.failed)} failed")
    total.failed.sort(key=lambda outcome: outcome.seed)
    total.seconds = time.perf_counter() - began
    return total


_ORDERS_MAX = 1_000_000
_TELL_EVERY = 5  # batches


def _batch(seeds: range, orders: int) -> Summary:
    from workflows.simulation.releases import read_deployed
    from workflows.simulation.simulate import simulate_many

    return simulate_many(seeds, read_deployed(TEMPLATE.parent), orders=orders)


def _as_json(summary: Summary) -> dict[str, Any]:
    return {
        "seeds": summary.seeds,
        "orders": summary.orders,
        "outcomes": dict(summary.outcomes),
        "faults": dict(summary.faults),
        "violations": [{"seed": failed.seed, "violations": failed.violations} for failed in summary.failed],
        "seconds": round(summary.seconds, 1),
    }


def _outcome_as_json(outcome: SimulationResult) -> dict[str, Any]:
    return {
        "seed": outcome.seed,
        "outcomes": dict(outcome.outcomes),
        "faults": [{"occasion": at, "fault": fault.value, "where": what} for at, fault, what in outcome.injected],
        "violations": list(outcome.violations),
    }


def _show(summary: Summary) -> None:
    from rich.table import Table

    table = Table("fault", "injected", box=None)
    table.columns[1].justify = "right"
    for fault, count in summary.faults.most_common():
        table.add_row(fault, str(count))
    console = data_console()
    console.print(table)
    outcomes = ", ".join(f"{count} {name}" for name, count in summary.outcomes.most_common())
    console.print(f"{summary.orders} orders in {summary.seeds} worlds: {outcomes}")
    verdict = f"{len(summary.failed)} worlds broke a rule" if summary.failed else "every rule held in every world"
    console.print(f"{verdict} ({summary.seconds:.1f} s)", style="bold red" if summary.failed else "bold green")
