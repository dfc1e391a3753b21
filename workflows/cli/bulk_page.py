"""Bulk jobs and their plans on a terminal."""

from __future__ import annotations

from typing import Any

from workflows.cli.plan_wording import plan_sentence
from workflows.cli.terminal import data_console, table
from workflows.orders.words import money, plain


def show_bulk_job_plan(plan: Any) -> None:
    """Print what would happen to each order, where it is refused, and the calls and money of all."""
    console = data_console()
    rows = table("order", "what would happen")
    for each in plan["orders"]:
        rows.add_row(each["order_id"], plan_sentence(plan["action"], each["plan"]))
    for each in plan["refused"]:
        rows.add_row(each["order_id"], f"refused: {each['detail']}")
    console.print(rows)
    sums = ", ".join(f"{plain(each['what'])} {money(each['amount'])}" for each in plan["money"]) or "no money moves"
    console.print(f"{len(plan['orders'])} orders, {plan['calls']} calls to providers; {sums}")


def show_bulk_job(job: Any) -> None:
    """Print the outcome of each order of a job."""
    console = data_console()
    rows = table("order", "outcome", "")
    for each in job["orders"]:
        rows.add_row(each["order_id"], plain(each["outcome"]), each["detail"])
    console.print(rows)
    counts = ", ".join(f"{number} {plain(name)}" for name, number in job["counts"].items() if number)
    console.print(f"{job['action']}, {job['state']}: {counts}{'; ' + job['why'] if job['why'] else ''}")
    if job["new_failures"]:
        console.print(f"{job['new_failures']} more orders were parked with this cause since it began")
