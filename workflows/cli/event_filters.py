"""The options that choose events by a filter, for lists and for exports."""

from __future__ import annotations

from typing import Annotated

import typer

EventTypes = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="E.g. OrderCancelled; repeat it for several.")
]
RecordedBy = Annotated[str | None, typer.Option(metavar="ID", help="Recorded by this person or service.")]
RecordedByRole = Annotated[
    str | None, typer.Option("--role", metavar="ROLE", help="Recorded by this role, e.g. support.")
]
OfOrder = Annotated[str | None, typer.Option(metavar="ORDER", help="Of this order.")]
RecordedFrom = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Recorded at this time or later.")]
RecordedTo = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Recorded before this time.")]
Correlation = Annotated[str | None, typer.Option(metavar="TRACE", help="With this trace id.")]
PeopleOnly = Annotated[bool, typer.Option("--people-only", help="Not those of Expediter itself.")]
