"""Bulk jobs and their plans on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from rich.text import Text

from workflows.cli.incident_pages import clock
from workflows.cli.plan_wording import plan_sentence
from workflows.cli.terminal import data_console, printable, say, status_console, table
from workflows.orders.words import money, plain

View: TypeAlias = Mapping[str, Any]

_STYLES = {"ended": "green", "done": "green", "parked_again": "red", "refused": "red", "needs_approval": "yellow"}
_NUMBERS = frozenset({"run", "at stake"})


def show_bulk_plan(plan: View) -> None:
    """Print what would happen to each order, where it is refused, and the calls and money of all."""
    rows = table("order", "at stake", "what would happen", right=_NUMBERS)
    for each in plan["orders"]:
        rows.add_row(each["order_id"], money(each["at_stake"]), plan_sentence(plan["action"], each["plan"]))
    for each in plan["refused"]:
        rows.add_row(each["order_id"], "", Text(f"refused: {each['detail']}", "red"))
    console = data_console()
    console.print(rows)
    sums = ", ".join(f"{plain(each['what'])} {money(each['amount'])}" for each in plan["money"]) or "no money moves"
    risked = [money(amount) for amount in plan["at_stake"] if float(amount["amount"])]
    at_stake = f", {', '.join(risked)} at stake" if risked else ""
    console.print(f"{_orders(plan['orders'])}{at_stake}, {plan['calls']} calls to providers; {sums}")
    if plan["more"]:
        console.print(f"{plan['more']} more are left for another job: plan again when this one is done")


def show_bulk_job(job: View) -> None:
    """Print the outcome of each order of a job."""
    rows = table("order", "outcome", "run", "detail", right=_NUMBERS)
    for each in job["orders"]:
        outcome = Text(plain(each["outcome"]), _STYLES.get(each["outcome"], ""))
        rows.add_row(each["order_id"], outcome, str(each["run"] or ""), each["detail"])
    console = data_console()
    console.print(rows)
    console.print(f"{job['action']}, {job['state']}: {_counts(job)}{'; ' + job['why'] if job['why'] else ''}")
    for each in job["changes"]:
        change = "stopped" if each["state"] == "stopped" else "resumed"
        line = f"{change} by {each['by']['role']} {each['by']['id']} {clock(each['at'])}: {printable(each['reason'])}"
        console.print(Text(line), soft_wrap=True)
    if (planned := job["plan"]) is not None:
        does = f"would be {planned['state']}" if planned["changes"] else f"stays {planned['state']}"
        console.print(f"{does}: {planned['waiting']} orders wait, {planned['started']} that were started continue")
    if job["new_failures"]:
        console.print(f"{_orders(job['new_failures'])} parked with this cause since the plan, and are not in it")


@contextmanager
def bulk_progress() -> Iterator[Callable[[View], None]]:
    """Show a bar on a terminal; elsewhere print a line whenever the counts change."""
    console = status_console()
    if not console.is_terminal:
        yield _line_printer()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def shown(job: View) -> None:
            done, total = _done_of(job)
            bar.update(task, completed=done, total=total, description=_counts(job))

        yield shown


def _line_printer() -> Callable[[View], None]:
    before = ""

    def shown(job: View) -> None:
        nonlocal before
        done, total = _done_of(job)
        if (line := f"{done}/{total} {_counts(job)}") != before:
            say(line)
        before = line

    return shown


def _done_of(job: View) -> tuple[int, int]:
    counts = job["counts"]
    total = sum(counts.values())
    return total - counts["waiting"] - counts["started"], total


def _counts(job: View) -> str:
    return ", ".join(f"{number} {plain(name)}" for name, number in job["counts"].items() if number)


def _orders(orders: list[Any] | int) -> str:
    number = orders if isinstance(orders, int) else len(orders)
    return f"{number} order{'' if number == 1 else 's'}"
