"""``expediter audit query``: SQL over the events of all orders, on an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.inputs import read_text, time_if_given
from workflows.cli.options import AsOf, Data, Json, Url
from workflows.cli.terminal import data_console, print_json, printable, say, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflows.client.query_json import QueryResultJson

AsAuditor = Annotated[
    str | None,
    typer.Option("--as", metavar="ROLE:ID", help="With --data, who acts.  [default: auditor, under your login name]"),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(query)


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT; @FILE reads it from a file, - from stdin.")],
    *,
    as_of: AsOf = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most rows to print.")] = 100,
    url: Url = None,
    data: Data = None,
    as_: AsAuditor = None,
    json: Json = False,
) -> None:
    """Query the events of all orders with SQL. For auditors, and recorded.

    The relations are events, orders, ledger, taxes and accesses: docs/audit.md has their columns.
    """
    from workflows.cli.connection import as_auditor, connected

    text = read_text("-" if sql == "-" else sql[1:]) if sql == "-" or sql.startswith("@") else sql
    with connected(url, data, as_auditor(as_)) as engine:
        result = engine.query(text, as_of=time_if_given(as_of, "--as-of"), limit=limit)
    if json:
        print_json(result)
    else:
        show_result(result)


def show_result(result: QueryResultJson) -> None:
    """Print the rows of a query as a table."""
    show_rows(result["columns"], result["rows"])
    if result["truncated"]:
        say("there are more rows: raise --limit, or ask for less")


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table."""
    numbers = {
        name for at, name in enumerate(columns) if rows and all(isinstance(row[at], int | float) for row in rows)
    }
    printed = table(*map(printable, columns), right=frozenset(map(printable, numbers)))
    for row in rows:
        printed.add_row(*("" if value is None else printable(str(value)) for value in row))
    data_console().print(printed if rows else "no rows")
