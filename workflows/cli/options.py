"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer


def local_folder(context: typer.Context, data: Path | None) -> Path | None:
    """Ignore EXPEDITER_DATA where another engine is named, so that no token of the folder is sent to it."""
    source = context.get_parameter_source("data")
    is_default = source is not None and source.name == "ENVIRONMENT"
    return None if is_default and (context.params.get("url") or context.params.get("table")) else data


def time_span(text: str) -> timedelta:
    """Read a number of minutes, hours or days, e.g. 30m, 2h or 7d. Raises BadParameter."""
    parts = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if parts is None:
        raise typer.BadParameter(f"{text!r} is not a time such as 30m, 2h or 7d")
    return int(parts[1]) * _UNITS[parts[2]]


def request_key(key: str | None) -> str | None:
    """Refuse a key that cannot be sent, also an empty one, e.g. of an unset variable. Raises BadParameter.

    Without a key each attempt would be another request.
    """
    if key == "":
        raise typer.BadParameter("must not be empty; leave the option out if the request is not repeated")
    if key is not None and not re.fullmatch("[!-~]{1,128}", key):
        raise typer.BadParameter("use 1 to 128 visible ASCII characters, e.g. a UUID")
    return key


def printable_ascii(reason: str | None) -> str | None:
    """Refuse a reason that the header ``Access-Reason`` cannot carry. Raises BadParameter."""
    if reason is not None and not re.fullmatch("[ -~]{1,200}", reason):
        raise typer.BadParameter("use 1 to 200 printable ASCII characters, e.g. a case number")
    return reason


_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

OrderId = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id, ord_...")]
RestaurantId = Annotated[str, typer.Argument(metavar="RESTAURANT", help="The restaurant's id.")]
Url = Annotated[str | None, typer.Option("--url", envvar="EXPEDITER_URL", help="The engine's address.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        envvar="EXPEDITER_DATA",
        callback=local_folder,
        help="The folder of an engine on this machine: gives its address and a token.",
    ),
]
LocalData = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", envvar="EXPEDITER_DATA", help="The folder of an engine on this machine."),
]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="ROLE:ID", help="With --data, who acts.  [default: support, under your login name]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print the API's JSON.")]
JsonObject = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Reason = Annotated[
    str,
    typer.Option(
        metavar="TEXT",
        help="Why. Kept in the order's history; colleagues and auditors read it. Do not name the customer.",
    ),
]
PartyAtFault = Annotated[
    str, typer.Option(metavar="PARTY", help="The party at fault: customer, restaurant, courier or platform.")
]
AccessReason = Annotated[
    str | None,
    typer.Option(
        "--reason",
        metavar="TEXT",
        callback=printable_ascii,
        help="Why personal data is read; auditors read it. Do not name the customer.",
    ),
]
Key = Annotated[
    str | None, typer.Option(metavar="KEY", callback=request_key, help="Identifies this request across retries.")
]
WAIT_S = 10.0
"""How long a repair of one order waits for its outcome by default."""

Wait = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the outcome of one order.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="Leave out what was recorded after this time.")
]
Region = Annotated[str | None, typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The AWS region.")]
