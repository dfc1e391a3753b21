"""What is owed over HTTP, for support and auditors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from domain.order.intents import Holding
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.moments import Cursor, Flag, Limit
from handlers.http.parameters import InQuery
from handlers.http.responses import Response
from handlers.http.search_parameters import CurrencyIs, OneOf, money_range
from handlers.http.values import Shape
from workflows.breakers.dependencies import Dependency
from workflows.engine import engine
from workflows.orders.permissions import Action, check_role
from workflows.search.filters import OwedFilter
from workflows.search.reading import search

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.owed_json import OwedListJson
    from workflows.search.owed_list import OwedPage

api = Api()

HoldingIs = Annotated[Annotated[Holding, OneOf(Holding)] | None, InQuery("Only what is held so.")]
DependencyIs = Annotated[Annotated[Dependency, OneOf(Dependency)] | None, InQuery("Only what is at this provider.")]
InDoubt = Annotated[Flag | None, InQuery("Only what may not be held at all, or only the rest.")]
Refused = Annotated[Flag | None, InQuery("Only what a provider refused to take back, or only the rest.")]
Needed = Annotated[Flag | None, InQuery("Only what its order still needs, or only what is to be given back.")]
OlderThan = Annotated[
    Annotated[int, Field(ge=0, le=10**9)] | None, InQuery("Only what is owed for more than these seconds.")
]
AmountMin = Annotated[
    Annotated[
        str,
        Shape(r"[0-9]{1,9}(\.[0-9]{1,3})?", "must be one to nine digits, and at most three after a point, e.g. 12.50"),
    ]
    | None,
    InQuery("Only amounts of at least this much. Needs `currency`."),
]


@operation(api, "GET", "/owed", tag="Lists", answers="OwedListJson", order=False)
def list_owed(
    *,
    holding: HoldingIs = None,
    dependency: DependencyIs = None,
    in_doubt: InDoubt = None,
    refused: Refused = None,
    needed: Needed = None,
    older_than_s: OlderThan = None,
    amount_min: AmountMin = None,
    currency: CurrencyIs = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List what orders that were cancelled, parked or refunded hold and have not given back, the oldest first.

    What an order on its good way holds is not owed. `totals` sums all pages by currency, holding and age.
    """
    check_role(api.caller.actor, Action.LIST_OWED)
    wanted = OwedFilter(
        holding=holding,
        dependency=dependency,
        currency=currency,
        in_doubt=in_doubt,
        refused=refused,
        needed=needed,
        older_than_s=older_than_s,
        amount_min=money_range(amount_min, None, currency)[0],
    )
    now = engine().clock.now()

    def read(connection: Connection, _: str) -> OwedPage:
        from workflows.search import owed_list

        return owed_list.list_owed(connection, wanted, now, limit=limit, cursor=cursor)

    page, as_of = search(engine(), api.caller.actor, "owed", read)
    body: OwedListJson = {"items": page.items, "totals": page.totals, "next": page.next, "as_of": as_of}
    return json_answer(body)
