"""Query parameters and bodies of lists and searches. What a schema cannot express is checked by the functions below."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core.core_schema import CoreSchema, no_info_plain_validator_function

from domain.identifiers import NAME, Role, parse_order_id
from domain.money import Money
from domain.order.order import Status
from handlers.http.invalid import invalid
from handlers.http.moments import TIME_SCHEMA, Flag, read_time
from handlers.http.parameters import InQuery
from handlers.http.values import Email, OrderIdText, Phone, Shape, Short, Strict
from workflows.boundary.statuses import FILTER_INSTEAD
from workflows.breakers.dependencies import Dependency
from workflows.clock import read_day, timestamp
from workflows.orders.blind_index import BlindIndex
from workflows.orders.event_names import EVENT_TYPES, event_type
from workflows.search.filters import BucketSize, OrderFilter, OrderSort
from workflows.search.reading import WaitFor
from workflows.time_budgets import Awaiting

_AMOUNT = r"[0-9]{1,9}(\.[0-9]{1,3})?"
_ID_PREFIX = "(ord_)?[a-z2-7]{1,26}"
_ID_SUFFIX = "[a-z2-7]{1,26}"
_REFERENCE = "[!-~]{1,200}"
_TYPES = "[A-Z][A-Za-z]{1,60}"
_NAMES = "|".join(EVENT_TYPES)
Stream = Annotated[str, Shape(r"[a-z]{1,20}#[!-~]{1,128}", "must be the name of a stream, e.g. order#ord_...")]
_STATS_MAX = timedelta(days=92)
_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
_WAIT_FOR = r"(ord_[a-z2-7]{26}):([1-9][0-9]{0,8})"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Goes into ``Annotated[StrEnum, ...]``: the text is one of its values; with ``several``, some with commas between.

    ``without``: a value that is not admitted. ``instead``: by values that callers may try, what to send in their place.
    """

    kind: type[StrEnum]
    several: bool = False
    without: str = ""
    instead: tuple[tuple[str, str], ...] = ()

    @property
    def _values(self) -> list[str]:
        return [member.value for member in self.kind if member.value != self.without]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if not self.several:
            return {"type": "string", "enum": self._values}
        names = "|".join(self._values)
        return {"type": "string", "pattern": f"^({names})(,({names}))*$"}

    def _parse(self, value: Any) -> Any:
        parts = str(value).split(",") if self.several else [str(value)]
        if not set(parts) <= set(self._values):
            many = "one or several" if self.several else "one"
            between = ", with commas between them" if self.several else ""
            hints = [hint for part in parts if part not in self._values for hint in self._hints(part)]
            admitted = f"must be {many} of {', '.join(self._values)}{between}"
            raise ValueError("; ".join(dict.fromkeys((admitted, *hints))))
        return tuple(map(self.kind, parts)) if self.several else self.kind(parts[0])

    def _hints(self, value: str) -> list[str]:
        instead = [hint for name, hint in self.instead if name == value]
        return instead or [f"did you mean {near}?" for near in get_close_matches(value, self._values, n=1)]


def _event_types(value: Any) -> tuple[str, ...]:
    parts = str(value).split(",")
    if len(parts) > 50 or not all(re.fullmatch(_TYPES, part, re.ASCII) for part in parts):
        raise ValueError("must be one or several types of events, with commas between them, e.g. OrderCancelled")
    return tuple(map(event_type, parts))


def _wait_for(value: Any) -> WaitFor:
    parts = re.fullmatch(_WAIT_FOR, str(value))
    if parts is None:
        raise ValueError("must be an order id, a colon and a version: ord_...:12")
    return WaitFor(parse_order_id(parts[1]), int(parts[2]))


def _day(value: Any) -> str:
    return read_day(str(value)).isoformat()


_Day = Annotated[str, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
_Time = Annotated[datetime, BeforeValidator(read_time), WithJsonSchema(TIME_SCHEMA)]
_Amount = Annotated[str, Shape(_AMOUNT, "must be one to nine digits, and at most three after a point, e.g. 12.50")]
_Currency = Annotated[str, Shape("[A-Z]{3}", "must be an ISO 4217 currency, e.g. EUR")]
_Prefix = Annotated[str, Shape(_ID_PREFIX, "must be the beginning of an order id, with ord_ or without")]
_Suffix = Annotated[str, Shape(_ID_SUFFIX, "must be the end of an order id: 1 to 26 of a-z and 2-7")]
_Name = Annotated[str, Shape(NAME, "must be 1 to 64 letters, digits, '_', '.' or '-'")]
_Reference = Annotated[str, Shape(_REFERENCE, "must be 1 to 200 characters without spaces")]
_Text = Annotated[str, Shape(r"[ -~]{1,200}", "must be 1 to 200 printable characters")]
_WaitFor = Annotated[
    WaitFor, BeforeValidator(_wait_for), WithJsonSchema({"type": "string", "pattern": f"^{_WAIT_FOR}$"})
]

_HINTS = {
    "parked": "parked orders are found with parked=true",
    "overdue": "orders that wait for too long are found with overdue=true",
    "waiting_for": "orders that wait for something are found with waiting_for",
}
STATUS_INSTEAD = tuple((word, _HINTS[parameter]) for word, parameter in FILTER_INSTEAD.items())
"""Words that are sent in place of a status, with the filter to use instead."""

Statuses = Annotated[
    Annotated[tuple[Status, ...], OneOf(Status, several=True, without=Status.UNPLACED, instead=STATUS_INSTEAD)] | None,
    InQuery("Only orders in one of these states, with commas between them."),
]
CustomerIs = Annotated[_Name | None, InQuery("Only orders of this customer.")]
RestaurantIs = Annotated[_Name | None, InQuery("Only orders of this restaurant.")]
CourierIs = Annotated[_Name | None, InQuery("Only orders whose current offer this courier accepted.")]
WaitingFor = Annotated[Annotated[Awaiting, OneOf(Awaiting)] | None, InQuery("Only running orders that wait for this.")]
Overdue = Annotated[Flag | None, InQuery("Only orders that wait for longer than the watchdog allows, or only others.")]
Parked = Annotated[Flag | None, InQuery("Only parked orders, or only others.")]
CauseIs = Annotated[
    _Text | None,
    InQuery(
        "Only orders parked with this cause, e.g. `PaymentsUnavailable@payments`, or with this error of any provider, "
        "e.g. `PaymentsUnavailable`."
    ),
]
DependencyIs = Annotated[
    Annotated[Dependency, OneOf(Dependency)] | None, InQuery("Only orders parked by a fault of this provider.")
]
AmountMin = Annotated[
    _Amount | None,
    InQuery(
        "Only orders with an amount of at least this: a total that the order has or had, a hold, a capture, a refund "
        "or a credit, each by itself and added up. With `amount_max`, one amount is in the range. Needs `currency`."
    ),
]
AmountMax = Annotated[_Amount | None, InQuery("Only orders with such an amount of at most this. Needs `currency`.")]
CurrencyIs = Annotated[_Currency | None, InQuery("Only orders in this currency.")]
PlacedFrom = Annotated[_Time | None, InQuery("Only orders placed at this time or later.")]
PlacedTo = Annotated[_Time | None, InQuery("Only orders placed before this time.")]
ChangedFrom = Annotated[_Time | None, InQuery("Only orders that changed at this time or later.")]
PaymentReference = Annotated[
    _Reference | None, InQuery("Only the order with this authorization, capture or refund of the payment provider.")
]
IdPrefix = Annotated[_Prefix | None, InQuery("Only orders whose id begins so, with `ord_` or without.")]
IdSuffix = Annotated[_Suffix | None, InQuery("Only orders whose id ends so, e.g. the last characters, read aloud.")]
Sort = Annotated[
    Annotated[OrderSort, OneOf(OrderSort)],
    InQuery(
        "`-placed_at` (newest first) and `placed_at` list each order once. `changed_at` and `waiting_since` begin with "
        "the oldest: an order that changes while pages are read is in a later page again, and none is left out."
    ),
]
ReadYourWrite = Annotated[
    _WaitFor | None,
    InQuery(
        "A write that the list should include: order id, colon, version (the ETag of the write). Waits up to a second; "
        "`as_of.includes` has the outcome."
    ),
]

EventTypes = Annotated[
    Annotated[
        tuple[str, ...],
        BeforeValidator(_event_types),
        WithJsonSchema({"type": "string", "pattern": f"^({_NAMES})(,({_NAMES}))*$"}),
    ]
    | None,
    InQuery("Only events of these types, with commas between them, e.g. `OrderCancelled`."),
]
ActorIs = Annotated[_Name | None, InQuery("Only events that this person or service recorded.")]
ActorRoleIs = Annotated[Annotated[Role, OneOf(Role)] | None, InQuery("Only events that this role recorded.")]
OrderIs = Annotated[OrderIdText | None, InQuery("Only events of this order.")]
RecordedFrom = Annotated[_Time | None, InQuery("Only events recorded at this time or later.")]
RecordedTo = Annotated[_Time | None, InQuery("Only events recorded before this time.")]
ReaderIs = Annotated[_Name | None, InQuery("Only reads of this person or service.")]
ReadOrderIs = Annotated[OrderIdText | None, InQuery("Only reads of this order.")]
ReadCustomerIs = Annotated[_Name | None, InQuery("Only reads of this customer's orders.")]
ReadFrom = Annotated[_Time | None, InQuery("Only reads at this time or later.")]
ReadTo = Annotated[_Time | None, InQuery("Only reads before this time.")]
CorrelationIs = Annotated[_Text | None, InQuery("Only events with this trace id.")]
PeopleOnly = Annotated[Flag, InQuery("Leave out the events that Expediter itself recorded.")]
OpenOnly = Annotated[Flag, InQuery("The open ones, or the others.")]
ByOthers = Annotated[Flag, InQuery("Only requests that the caller did not make, and so may approve.")]
Bucket = Annotated[Annotated[BucketSize, OneOf(BucketSize)] | None, InQuery("A group for each hour or day, in UTC.")]
ByRestaurant = Annotated[Flag, InQuery("A group for each restaurant.")]
RestaurantNameHas = Annotated[
    Short | None, InQuery("Only restaurants with all of these words in their name. Case and accents do not matter.")
]
CuisineIs = Annotated[Short | None, InQuery("Only restaurants of this cuisine. Case and accents do not matter.")]
DishIs = Annotated[
    Short | None, InQuery("Only restaurants that have an item with these words in its name, and not sold out.")
]
OpenNow = Annotated[Flag, InQuery("Only restaurants that take orders now.")]
StatsFrom = Annotated[_Time | None, InQuery("Orders placed from this time on; by default a day before `placed_to`.")]
StatsTo = Annotated[_Time | None, InQuery("Orders placed before this time; by default now. At most 92 days.")]

DayFrom = Annotated[_Day | None, InQuery("The first day in UTC; by default the beginning of the books.")]
DayTo = Annotated[_Day | None, InQuery("The last day in UTC, which is included; by default today.")]


class SearchBody(Strict):
    """What support knows of a customer. All that is sent must match; at least one is needed.

    A phone number is compared by its last nine digits. A name is found by one or several of its words, in any order and
    without case and accents; words of one letter are skipped, unless the name has no others.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"phone": "+49 30 1234567"}], "minProperties": 1})

    phone: Phone | None = None
    email: Email | None = None
    name: Short | None = None

    @property
    def sent(self) -> dict[str, str]:
        """What was sent, by its field."""
        return {name: value for name, value in self if value is not None}


class RetryViewBody(Strict):
    """A parked stream, as ``GET /views`` lists it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"stream": "order#ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"}]})

    stream: Stream
    dry_run: bool = False


def personal_filter(body: SearchBody, index: BlindIndex) -> OrderFilter:
    """Return the filter of the orders that have what was sent. Raises InvalidRequest: nothing to look up."""
    if not body.sent:
        raise invalid([("phone", "send phone, email or name")], HTTPStatus.UNPROCESSABLE_ENTITY)
    phone, email, name = index.phone(body.phone or ""), index.email(body.email or ""), index.name(body.name or "")
    made = {"phone": phone, "email": email, "name": name}
    empty = [(field, "has nothing to look up") for field in body.sent if not made[field]]
    if empty:
        raise invalid(empty, HTTPStatus.UNPROCESSABLE_ENTITY)
    return OrderFilter(phone_index=phone, email_index=email, name_words=name)


def stats_period(placed_from: datetime | None, placed_to: datetime | None, now: datetime) -> tuple[str, str]:
    """Return the period of statistics as the views hold times. Raises InvalidRequest: it is empty or too long."""
    until = placed_to or now
    since = placed_from or max(until, _EARLIEST) - timedelta(days=1)
    if not timedelta(0) < until - since <= _STATS_MAX:
        raise invalid([("placed_from", "must be before placed_to, by at most 92 days")], HTTPStatus.BAD_REQUEST)
    return timestamp(since), timestamp(until)


def check_days(day_from: str | None, day_to: str | None) -> None:
    """Check that a period of days is not empty. Raises InvalidRequest."""
    if day_from is not None and day_to is not None and day_from > day_to:
        raise invalid([("day_from", "must not be after day_to")], HTTPStatus.BAD_REQUEST)


def check_period(name: str, since: datetime | None, until: datetime | None) -> None:
    """Check that a period is not empty, as the answer would be. Raises InvalidRequest.

    Args:
        name: The name of both parameters, without ``_from`` and ``_to``.
    """
    if since is not None and until is not None and since >= until:
        raise invalid([(f"{name}_from", f"must be before {name}_to")], HTTPStatus.BAD_REQUEST)


def money_range(least: str | None, most: str | None, currency: str | None) -> tuple[Money | None, Money | None]:
    """Return the bounds of an amount.

    Raises:
        InvalidRequest: There is no currency, too many decimals for it, or no amount between the bounds.
    """
    if currency is None:
        problems = [(name, "send it with currency") for name, text in _bounds(least, most) if text is not None]
        if problems:
            raise invalid(problems, HTTPStatus.BAD_REQUEST)
        return None, None
    amounts: list[Money | None] = []
    for name, text in _bounds(least, most):
        try:
            amounts.append(None if text is None else Money.parse(text, currency))
        except ValueError as error:
            raise invalid([(name, str(error))], HTTPStatus.BAD_REQUEST) from None
    lower, upper = amounts
    if lower is not None and upper is not None and lower.minor > upper.minor:
        raise invalid([("amount_min", "must not be more than amount_max")], HTTPStatus.BAD_REQUEST)
    return lower, upper


def _bounds(least: str | None, most: str | None) -> tuple[tuple[str, str | None], ...]:
    return ("amount_min", least), ("amount_max", most)


def time_text(time: datetime | None) -> str | None:
    """Return a time as the views hold it."""
    return None if time is None else timestamp(time)


def whole_prefix(prefix: str | None) -> str | None:
    """Return the beginning of an order id with its ``ord_``."""
    return prefix if prefix is None or prefix.startswith("ord_") else f"ord_{prefix}"
