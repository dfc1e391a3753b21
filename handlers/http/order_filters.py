"""The filters of orders, as query parameters of a list and as a part of a body."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from domain.order.order import Status
from handlers.http.search_parameters import (
    AmountMax,
    AmountMin,
    CauseIs,
    ChangedFrom,
    CourierIs,
    CurrencyIs,
    CustomerIs,
    DependencyIs,
    IdPrefix,
    IdSuffix,
    OneOf,
    PaymentReference,
    PlacedFrom,
    PlacedTo,
    RestaurantIs,
    WaitingFor,
    money_range,
    time_text,
    whole_prefix,
)
from handlers.http.values import Strict
from workflows.breakers.dependencies import Dependency
from workflows.search.filters import OrderFilter
from workflows.time_budgets import Awaiting

_Status = Annotated[Status, OneOf(Status, without=Status.UNPLACED)]


class OrderFilterBody(Strict):
    """The filters of `GET /orders`. All that are sent must hold; at least one is needed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"restaurant": "rst_1", "status": ["preparing", "ready"]}], "minProperties": 1}
    )

    status: Annotated[list[_Status], Field(min_length=1)] | None = None
    customer: CustomerIs = None
    restaurant: RestaurantIs = None
    courier: CourierIs = None
    waiting_for: WaitingFor = None
    overdue: bool | None = None
    parked: bool | None = None
    cause: CauseIs = None
    dependency: DependencyIs = None
    amount_min: AmountMin = None
    amount_max: AmountMax = None
    currency: CurrencyIs = None
    placed_from: PlacedFrom = None
    placed_to: PlacedTo = None
    changed_from: ChangedFrom = None
    payment_reference: PaymentReference = None
    id_prefix: IdPrefix = None
    id_suffix: IdSuffix = None

    def model_post_init(self, _: Any) -> None:
        """Check what a schema cannot express."""
        if not self.texts:
            raise ValueError("send at least one filter; none would choose every order")

    @property
    def filter(self) -> OrderFilter:
        """The filter. Raises InvalidRequest: an amount without a currency, or with too many decimals for it."""
        return order_filter(**dict(self))

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """The filters that were sent, by name, as they stand in the query of ``GET /orders``."""
        return tuple((name, _text(value)) for name, value in sorted(dict(self).items()) if value is not None)


def order_filter(
    *,
    status: Sequence[Status] | None,
    customer: str | None,
    restaurant: str | None,
    courier: str | None,
    waiting_for: Awaiting | None,
    overdue: bool | None,
    parked: bool | None,
    cause: str | None,
    dependency: Dependency | None,
    amount_min: str | None,
    amount_max: str | None,
    currency: str | None,
    placed_from: datetime | None,
    placed_to: datetime | None,
    changed_from: datetime | None,
    payment_reference: str | None,
    id_prefix: str | None,
    id_suffix: str | None,
) -> OrderFilter:
    """Return the filter of these parameters. Raises InvalidRequest."""
    least, most = money_range(amount_min, amount_max, currency)
    return OrderFilter(
        status=tuple(status or ()),
        customer=customer,
        restaurant=restaurant,
        courier=courier,
        waiting_for=waiting_for,
        overdue=overdue,
        parked=parked,
        cause=cause,
        dependency=dependency,
        amount_min=least,
        amount_max=most,
        currency=currency,
        placed_from=time_text(placed_from),
        placed_to=time_text(placed_to),
        changed_from=time_text(changed_from),
        payment_reference=payment_reference,
        id_prefix=whole_prefix(id_prefix),
        id_suffix=id_suffix,
    )


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return time_text(value) or ""
        case list():
            return ",".join(map(_text, value))
        case Enum():
            return str(value.value)
        case _:
            return str(value)
