"""The demo's report: outcomes, two timelines, and whether the log and the ledgers agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from workflows.cli.demo.evidence import Evidence
from workflows.cli.demo.outcomes import count, most_telling, outcome
from workflows.cli.demo.play import Played
from workflows.cli.order_pages import show_timeline
from workflows.orders.words import plain


def show(console: Console, played: Sequence[Played], events: Mapping[str, list[Any]], evidence: Evidence) -> None:
    """Print the report."""
    _outcomes(console, played, events)
    for each, timeline in most_telling(played, lambda order_id: events[order_id]):
        console.print(f"\n{each.view['id']}: {each.story.title}; {plain(outcome(each.view))}\n", style="bold")
        show_timeline(timeline, console)
    console.print()
    _chains(console, evidence)
    _books(console, evidence)
    console.print(
        f"state entries per delivered order: {evidence.standard:g} Standard, {evidence.express:g} Express", style="dim"
    )


def _outcomes(console: Console, played: Sequence[Played], events: Mapping[str, list[Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("outcome")
    for column in ("orders", "events", "charged", "refunded", "released"):
        table.add_column(column, justify="right")
    for name, orders in count(played).items():
        views = [each.view for each in played if outcome(each.view) == name]
        table.add_row(
            plain(name),
            str(orders),
            str(sum(len(events[view["id"]]) for view in views)),
            _sum(view["payment"]["captured"] for view in views),
            _sum(view["payment"]["refunded"] for view in views),
            _sum(view["payment"]["released"] for view in views),
        )
    console.print(table)
    refused = Counter(rule for each in played for rule in each.refused)
    if refused:
        console.print("refused: " + ", ".join(f"{times} x {rule}" for rule, times in refused.items()), style="dim")


def _sum(amounts: Any) -> str:
    """Add amounts; the demo's menus have one currency."""
    from domain.money import Money, total

    parsed = [Money.parse(amount["amount"], amount["currency"]) for amount in amounts]
    return str(total(parsed, parsed[0].currency))


def _chains(console: Console, evidence: Evidence) -> None:
    chains = evidence.chains
    for finding in chains.findings:
        console.print(f"{finding.stream} version {finding.version}: {finding.what}", style="red")
    walked = f"{chains.streams} streams, {chains.commits} commits, {chains.events} events"
    console.print(f"chains {'verified' if chains.intact else 'BROKEN'}: {walked}", style=_style(chains.intact))


def _books(console: Console, evidence: Evidence) -> None:
    books = evidence.books
    for difference in books.differences:
        console.print(f"{difference.order_id}: {difference.what}", style="red")
    compared = f"{books.orders} orders against {books.lines} lines of the ledgers, to the cent"
    console.print(f"books {'balanced' if books.balanced else 'DIFFER'}: {compared}", style=_style(books.balanced))


def _style(good: bool) -> str:
    return "green" if good else "bold red"
