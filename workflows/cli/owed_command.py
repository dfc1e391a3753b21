"""``expediter owed``: what orders in trouble hold and have not given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from workflows.cli.options import As, Data, Json, Url, time_span
from workflows.cli.terminal import print_json


def owed(
    *,
    holding: Annotated[str | None, typer.Option(help="Only authorization, capture, ticket or offer.")] = None,
    dependency: Annotated[str | None, typer.Option(help="Only at payments, kitchen or couriers.")] = None,
    in_doubt: Annotated[bool | None, typer.Option("--in-doubt/--certain", help="May not be held at all.")] = None,
    refused: Annotated[bool | None, typer.Option("--refused/--not-refused", help="A provider refused it.")] = None,
    needed: Annotated[bool | None, typer.Option("--needed/--not-needed", help="The order still needs it.")] = None,
    older_than: Annotated[
        timedelta | None, typer.Option(parser=time_span, metavar="TIME", help="Owed for longer: 30m, 2h, 7d.")
    ] = None,
    amount_min: Annotated[str | None, typer.Option(metavar="AMOUNT", help="At least; needs --currency.")] = None,
    currency: Annotated[str | None, typer.Option(help="In this currency.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="The most lines to print.")] = 50,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Continue where a page ended.")] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List what orders in trouble hold and have not given back, the oldest first, with totals by age."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        listed = engine.owed(
            holding=holding,
            dependency=dependency,
            in_doubt=in_doubt,
            refused=refused,
            needed=needed,
            older_than_s=None if older_than is None else int(older_than.total_seconds()),
            amount_min=amount_min,
            currency=currency,
            limit=limit,
            cursor=cursor,
        )
    if json:
        print_json(listed)
    else:
        from workflows.cli.owed_page import show_owed

        show_owed(listed)
