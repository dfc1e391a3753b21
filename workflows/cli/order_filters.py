"""The options that choose orders by a filter, for lists and for actions on several orders."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import version_or_time

Status = Annotated[list[str] | None, typer.Option(help="In this status; may be given several times.")]
Customer = Annotated[str | None, typer.Option(metavar="ID", help="Only of this customer.")]
Restaurant = Annotated[str | None, typer.Option(metavar="ID", help="Only of this restaurant.")]
Courier = Annotated[str | None, typer.Option(metavar="ID", help="Only of this courier.")]
WaitingFor = Annotated[str | None, typer.Option(help="That wait for this, e.g. acceptance or delivery.")]
Overdue = Annotated[bool | None, typer.Option("--overdue/--not-overdue", help="That wait for too long.")]
Parked = Annotated[bool | None, typer.Option("--parked/--not-parked", help="Stopped by a fault.")]
Cause = Annotated[str | None, typer.Option(help="Parked with it, e.g. PaymentsUnavailable@payments.")]
Dependency = Annotated[str | None, typer.Option(help="Parked by payments, kitchen or couriers.")]
AmountMin = Annotated[str | None, typer.Option(metavar="AMOUNT", help="At least, e.g. 12.50.")]
AmountMax = Annotated[str | None, typer.Option(metavar="AMOUNT", help="At most.")]
Currency = Annotated[str | None, typer.Option(help="In this currency; needed with an amount.")]
PlacedFrom = Annotated[str | None, typer.Option(metavar="TIME", help="Placed at this time or later.")]
PlacedTo = Annotated[str | None, typer.Option(metavar="TIME", help="Placed before this time.")]
ChangedFrom = Annotated[str | None, typer.Option(metavar="TIME", help="Changed at this time or later.")]
PaymentReference = Annotated[str | None, typer.Option(metavar="ID", help="The payment provider's id.")]
IdPrefix = Annotated[str | None, typer.Option(metavar="TEXT", help="The beginning of the order's id.")]
IdSuffix = Annotated[str | None, typer.Option(metavar="TEXT", help="The end of the order's id.")]


def moment(text: str | None, option: str) -> datetime | None:
    """Read a time. Raises InvalidInput."""
    if text is None:
        return None
    time = version_or_time(text, option)
    if not isinstance(time, datetime):
        raise InvalidInput(f"{option} is {text!r}: give a time, e.g. 2026-03-01T18:30:00Z")
    return time
