"""The filters of orders, as query parameters of a list and as a part of a body."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from domain.order.order import Status
from handlers.http.search_parameters import (
    STATUS_INSTEAD,
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
    Overdue,
    Parked,
    PaymentReference,
    PlacedFrom,
    PlacedTo,
    RestaurantIs,
    Statuses,
    WaitingFor,
    check_period,
    money_range,
    time_text,
    whole_prefix,
)
from handlers.http.values import Strict
from workflows.search.filters import OrderFilter

_Status = Annotated[Status, OneOf(Status, without=Status.UNPLACED, instead=STATUS_INSTEAD)]


class OrderFilters(Strict):
    """The filters of orders. All that are sent must hold."""

    status: Sequence[Status] | None = None
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

    @property
    def filter(self) -> OrderFilter:
        """The filter.

        Raises:
            InvalidRequest: An amount without a currency or with too many decimals for it, or a range without values.
        """
        check_period("placed", self.placed_from, self.placed_to)
        least, most = money_range(self.amount_min, self.amount_max, self.currency)
        as_stored: dict[str, Any] = {
            "status": tuple(self.status or ()),
            "amount_min": least,
            "amount_max": most,
            "placed_from": time_text(self.placed_from),
            "placed_to": time_text(self.placed_to),
            "changed_from": time_text(self.changed_from),
            "id_prefix": whole_prefix(self.id_prefix),
        }
        return OrderFilter(**{**dict(self), **as_stored})


class OrderFilterQuery(OrderFilters):
    """The filters in the query of ``GET /orders``."""

    status: Statuses = None
    overdue: Overdue = None
    parked: Parked = None


class OrderFilterBody(OrderFilters):
    """The filters of `GET /orders`. All that are sent must hold; at least one is needed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"restaurant": "rst_1", "status": ["preparing", "ready"]}], "minProperties": 1}
    )

    status: Annotated[list[_Status], Field(min_length=1)] | None = None

    def model_post_init(self, _: Any) -> None:
        """Check what a schema cannot express."""
        if not self.texts:
            raise ValueError("send at least one filter; none would choose every order")

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """The filters that were sent, by name, as they stand in the query of ``GET /orders``."""
        return tuple((name, _text(value)) for name, value in sorted(dict(self).items()) if value is not None)


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
