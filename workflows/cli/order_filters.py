"""The options that choose orders by a filter, for lists and for actions on several orders."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from workflows.boundary.statuses import FILTER_INSTEAD
from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import time_if_given

Customer = Annotated[str | None, typer.Option(metavar="ID", help="Only of this customer.")]
Restaurant = Annotated[
    str | None, typer.Option(metavar="ID", help="Only of this restaurant; restaurant list --name finds its id.")
]


@dataclass(frozen=True, kw_only=True)
class OrderFilterOptions:
    """The options, as they stand on the command line."""

    status: Annotated[list[str] | None, typer.Option(help="In this status; may be given several times.")] = None
    customer: Customer = None
    restaurant: Restaurant = None
    courier: Annotated[str | None, typer.Option(metavar="ID", help="Only of this courier.")] = None
    waiting_for: Annotated[str | None, typer.Option(help="That wait for this, e.g. acceptance or delivery.")] = None
    overdue: Annotated[bool | None, typer.Option("--overdue/--not-overdue", help="That wait for too long.")] = None
    parked: Annotated[bool | None, typer.Option("--parked/--not-parked", help="Stopped by a fault.")] = None
    cause: Annotated[str | None, typer.Option(help="Parked with it, e.g. CircuitOpen@payments or CircuitOpen.")] = None
    dependency: Annotated[str | None, typer.Option(help="Parked by payments, kitchen or couriers.")] = None
    amount_min: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="With a total, hold, capture, refund or credit of at least this."),
    ] = None
    amount_max: Annotated[str | None, typer.Option(metavar="AMOUNT", help="With one of at most this.")] = None
    currency: Annotated[str | None, typer.Option(help="In this currency; needed with an amount.")] = None
    placed_from: Annotated[str | None, typer.Option(metavar="TIME", help="Placed at this time or later.")] = None
    placed_to: Annotated[str | None, typer.Option(metavar="TIME", help="Placed before this time.")] = None
    changed_from: Annotated[str | None, typer.Option(metavar="TIME", help="Changed at this time or later.")] = None
    payment_reference: Annotated[str | None, typer.Option(metavar="ID", help="The payment provider's id.")] = None
    id_prefix: Annotated[str | None, typer.Option(metavar="TEXT", help="The beginning of the order's id.")] = None
    id_suffix: Annotated[str | None, typer.Option(metavar="TEXT", help="The end of the order's id.")] = None

    def given(self) -> dict[str, Any]:
        """Return those that were given, as the client takes them. Raises InvalidInput."""
        for status in self.status or ():
            if status in FILTER_INSTEAD:
                raise InvalidInput(f"--status: {status} is not a status; use {_option(FILTER_INSTEAD[status])}")
        read: dict[str, Any] = {
            **{name: time_if_given(getattr(self, name), _option(name)) for name in _TIMES},
            "currency": self.currency and self.currency.upper(),
            "id_prefix": _part_of_id(self.id_prefix),
            "id_suffix": _part_of_id(self.id_suffix),
        }
        return {name: value for name, value in {**vars(self), **read}.items() if value not in (None, [])}


def _part_of_id(text: str | None) -> str | None:
    """Return a part of an id as it was read aloud or cut off, without capital letters and dots."""
    return text and text.strip(" .\u2026").lower()


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


_TIMES = ("placed_from", "placed_to", "changed_from")


def takes_order_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, which it takes as one argument, ``filters``: OrderFilterOptions."""
    signature = inspect.signature(command, eval_str=True)
    options = inspect.signature(OrderFilterOptions, eval_str=True).parameters

    @wraps(command)
    def with_filters(**values: Any) -> None:
        filters = OrderFilterOptions(**{name: values.pop(name) for name in options})
        command(filters=filters, **values)

    parameters = [
        parameter
        for name, own in signature.parameters.items()
        for parameter in (options.values() if name == "filters" else [own])
    ]
    with_filters.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # read by typer
    return with_filters
