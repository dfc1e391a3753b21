"""``expediter books``: the books of all orders."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.options import As, Data, Json, Url
from workflows.cli.terminal import print_json
from workflows.clock import TimeUnreadable, read_day

app = typer.Typer(name="books", help="Show the books, and compare them with the payment provider's statement.")

DayFrom = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="The first day in UTC, e.g. 2026-05-01.  [default: all]")
]
DayTo = Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day, included.  [default: today]")]
Currency = Annotated[str | None, typer.Option(help="Only in this currency.")]


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    *,
    day_from: DayFrom = None,
    day_to: DayTo = None,
    restaurant: Annotated[str | None, typer.Option(metavar="ID", help="Only of this restaurant.")] = None,
    currency: Currency = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show the trial balance, holds, revenue, tax and payables, and compare them with the provider's statement."""
    if context.invoked_subcommand is not None:
        return
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        books = engine.books(
            day_from=day(day_from, "--from"), day_to=day(day_to, "--to"), restaurant=restaurant, currency=currency
        )
    if json:
        print_json(books)
    else:
        from workflows.cli.books_pages import show_books

        show_books(books)


def day(text: str | None, option: str) -> date | None:
    """Read a day. Raises InvalidInput."""
    try:
        return None if text is None else read_day(text)
    except TimeUnreadable as error:
        raise InvalidInput(f"{option} is {text!r}: {error}") from None
