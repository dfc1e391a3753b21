"""``expediter books``: the books of all orders."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import CommandFailed, InvalidInput
from workflows.cli.inputs import read_text
from workflows.cli.options import As, Data, Json, LocalData, Url
from workflows.cli.terminal import print_json
from workflows.clock import TimeUnreadable, read_day

if TYPE_CHECKING:
    from workflows.books.statement import StatementLine

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


@app.command()
def statement(*, data: LocalData) -> None:
    """Print the statement of the simulated payment provider in an engine's folder, as CSV."""
    from workflows.books.statement import write_statement

    print(write_statement(_sandbox_lines(data)), end="")


@app.command()
def reconcile(
    file: Annotated[
        str | None, typer.Argument(metavar="[STATEMENT.csv|-]", help="The statement; - reads it from stdin.")
    ] = None,
    *,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Compare with the simulated provider in the folder of --data.")
    ] = False,
    day_from: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day.  [default: of the first line]")
    ] = None,
    day_to: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The last day, included.  [default: of the last line]")
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Compare the log with the payment provider's statement, and name each difference and what to do about it.

    The format of the statement is in docs/books.md. Exit code 1 if there are differences.
    """
    from workflows.cli.books_pages import reconciliation_json, show_reconciliation
    from workflows.cli.connection import connected
    from workflows.cli.reconciling import compare

    lines = _lines(file, sandbox, data)
    with connected(url, data, as_) as engine:
        period, result = compare(engine, lines, day(day_from, "--from"), day(day_to, "--to"))
    if json:
        print_json(reconciliation_json(period, result))
    else:
        show_reconciliation(period, result)
    if result.differences:
        raise CommandFailed(f"{len(result.differences)} differences from the provider's statement")


def _lines(file: str | None, sandbox: bool, data: Path | None) -> list[StatementLine]:
    from workflows.books.statement import StatementUnreadable, read_statement

    if (file is None) != sandbox:
        raise InvalidInput("give the file of a statement, or else --sandbox with --data")
    if file is None:
        if data is None:
            raise InvalidInput("--sandbox needs --data, the folder of the engine")
        return _sandbox_lines(data)
    try:
        return read_statement(read_text(file))
    except StatementUnreadable as error:
        raise InvalidInput(f"{file} {error}") from None


def _sandbox_lines(data: Path) -> list[StatementLine]:
    from workflows.cli.folder import open_ledgers
    from workflows.sandbox.opening import SANDBOX
    from workflows.sandbox.statement import statement_lines

    if not (data / SANDBOX).exists():
        raise InvalidInput(f"{data} has no simulated payment provider")
    with open_ledgers(data) as opened:
        return list(statement_lines(opened.payments.entries()))
