"""``expediter demo``: play orders through a new engine, then verify its log and its ledgers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from workflows.cli.failures import Exit
from workflows.cli.options import JsonObject
from workflows.cli.terminal import data_console, print_json, say, status_console

if TYPE_CHECKING:
    from workflows.cli.demo.closing import Closing
    from workflows.cli.demo.engine_process import EngineProcess
    from workflows.cli.demo.evidence import Evidence
    from workflows.cli.demo.play import Played
    from workflows.cli.demo.tour import Tour


ORDERS_MAX = 10_000  # more are for a benchmark


class _DemoRun(NamedTuple):
    """What the demo shows in the end."""

    tour: Tour
    played: list[Played]
    events: dict[str, list[Any]]
    closing: Closing
    evidence: Evidence


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(demo)


def demo(
    *,
    orders: Annotated[int, typer.Option(min=1, max=ORDERS_MAX, metavar="N", help="How many orders to play.")] = 25,
    seed: Annotated[int, typer.Option(help="Decides what is ordered and what happens.")] = 1,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Keep the engine's folder.  [default: a temporary one]")
    ] = None,
    console: Annotated[
        bool, typer.Option("--console", help="Keep the engine running afterwards, and open its web console.")
    ] = False,
    json: JsonObject = False,
) -> int:
    """Start an engine, play orders through its API, and verify the result.

    One order is quoted from the menu and refused while an item is sold out, before it is placed. Cards are declined,
    restaurants reject, customers cancel, couriers do not answer. Then every hash chain is verified, and the ledgers of
    the payment provider, kitchens and couriers are compared with the log, and a receipt and the trial balance are
    printed. Exit code 1 if an order did not end, a chain
    is broken or the ledgers differ.
    """
    import signal
    import time

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the engine is stopped after either signal
    started = time.monotonic()
    with _played(orders, seed, data) as (running, finished):
        code = _report(finished, json, started)
        if console:
            _keep_running(running, finished.played[0].view["id"])
    return code


def _report(finished: _DemoRun, json: bool, started: float) -> int:
    """Print the result of the demo, and return the exit code."""
    import time

    tour, played, events, closing, evidence = finished
    ended = all(each.ended for each in played) and not evidence.unended
    if json:
        print_json(_as_json(played, evidence, time.monotonic() - started))
    else:
        from workflows.cli.demo.closing import show_closing
        from workflows.cli.demo.report import show
        from workflows.cli.demo.tour import show_tour

        console = data_console()
        show_tour(tour, played[0].view["id"], console)
        show(console, played, events, evidence)
        show_closing(closing, console)
        console.print(f"{len(played)} orders in {time.monotonic() - started:.1f} s", style="dim")
    _name_the_unended(played, evidence)
    return Exit.OK if ended and evidence.chains.intact and evidence.books.balanced else Exit.NO


def _keep_running(running: EngineProcess, order_id: str) -> None:
    """Open the console at an order, and wait for Ctrl-C."""
    import threading

    from workflows.cli.connection import hint, minted
    from workflows.cli.console_command import open_console

    open_console(running.url, minted(running.data, "support", "demo", _TOKEN_S), f"orders/{order_id}")
    say(f"another login: {hint('console', None, running.data)}")
    say("Ctrl-C stops the engine" + ("" if running.is_kept else " and removes its folder"))
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("stopping")


@contextmanager
def _played(orders: int, seed: int, data: Path | None) -> Iterator[tuple[EngineProcess, _DemoRun]]:
    """Play the orders in a new engine, which runs until the block ends."""
    from functools import cache
    from random import Random
    from uuid import uuid4

    import httpx

    from workflows.cli.connection import explained, minted
    from workflows.cli.demo.closing import close
    from workflows.cli.demo.engine_process import engine
    from workflows.cli.demo.evidence import gather
    from workflows.cli.demo.menu import demo_order
    from workflows.cli.demo.outcomes import outcome
    from workflows.cli.demo.play import TOGETHER_MAX, play
    from workflows.cli.demo.stories import cast
    from workflows.cli.demo.tour import take_tour
    from workflows.client import ExpediterClient

    random = Random(seed)
    stories = [(story, demo_order(random, story.payment_method)) for story in cast(orders, random)]
    limits = httpx.Limits(max_connections=TOGETHER_MAX)
    with explained(), engine(data) as running, httpx.Client(limits=limits) as http:

        @cache
        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(running.url, minted(running.data, role, subject, _TOKEN_S), http=http)

        name = f"demo-{uuid4()}"
        tour = take_tour(stories[0][1], sign_in, f"{name}-1")  # the key of the order that is played first
        stories[0] = (stories[0][0], tour.order)
        with _DemoProgress(orders) as progress:
            played = play(stories, sign_in, name, progress.count)
        support = sign_in("support", "demo")
        events = {each.view["id"]: list(support.history(each.view["id"])) for each in played}
        delivered = [each.view["id"] for each in played if outcome(each.view) == "delivered"]
        closing = close(support, delivered)
        yield running, _DemoRun(tour, played, events, closing, gather(running.data, list(events), delivered))


_TOKEN_S = 3600  # longer than any demo


class _DemoProgress:
    """Shows a bar on a terminal, elsewhere a line for each order; on stderr, so that stdout is data."""

    def __init__(self, orders: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._orders = orders
        self._ended = 0
        console = status_console()
        columns = (TextColumn("playing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("orders", total=orders)

    def __enter__(self) -> _DemoProgress:
        if not self._bar.disable:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._bar.disable:
            self._bar.stop()

    def count(self, played: Played) -> None:
        """Count an order that has ended. Called from many threads."""
        from workflows.cli.demo.outcomes import outcome
        from workflows.orders.words import plain

        self._bar.advance(self._task)
        if self._bar.disable:
            self._ended += 1
            became = f"{plain(outcome(played.view))}: {played.story.title}"
            say(f"{self._ended:>4}/{self._orders} {played.view['id']} {became}")


def _as_json(played: list[Played], evidence: Evidence, seconds: float) -> dict[str, Any]:
    from workflows.cli.demo.outcomes import count

    return {
        "orders": len(played),
        "outcomes": dict(count(played)),
        "chains_verified": evidence.chains.intact,
        "books_balanced": evidence.books.balanced,
        "seconds": round(seconds, 2),
        "state_entries": {"standard": evidence.standard, "express": evidence.express},
    }


def _name_the_unended(played: list[Played], evidence: Evidence) -> None:
    for each in played:
        if not each.ended:
            parked = "parked" if each.view["parked"] else each.view["status"]
            say(f"order {each.view['id']} did not end: {parked} at version {each.view['version']} ({each.story.title})")
    for name in evidence.unended:
        say(f"the execution {name} did not end")
