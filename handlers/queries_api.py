"""SQL of auditors over the views. Its route is served by the function of ``search_api``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.models import example
from handlers.http.moments import TIME_SCHEMA, read_time
from handlers.http.responses import Response
from handlers.http.values import Strict
from workflows.clock import timestamp
from workflows.engine import engine
from workflows.orders.access import record_audit_read
from workflows.orders.permissions import Action, check_role
from workflows.queries.answers import ROWS_MAX
from workflows.queries.running import run_query
from workflows.queries.statement import SQL_MAX

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.query_json import QueryResultJson

ROUTE = "POST /audit/query"

api = Api()


class QueryBody(Strict):
    """A query over `events`, `orders`, `ledger`, `taxes` and `accesses`, whose columns docs/audit.md lists."""

    model_config = example(
        sql="SELECT type, count(*) AS events FROM events GROUP BY type ORDER BY events DESC", limit=20
    )

    sql: Annotated[
        str,
        StringConstraints(min_length=1, max_length=SQL_MAX),
        Field(description="One SELECT, in the dialect of the views' database: SQLite or PostgreSQL."),
    ]
    as_of: Annotated[
        datetime | None,
        BeforeValidator(read_time),
        WithJsonSchema(TIME_SCHEMA),
        Field(description="Leave out what was recorded after this time. `orders` cannot be read so."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX, description="The most rows of the answer.")] = 100


@operation(api, "POST", "/audit/query", tag="Audit", answers="QueryResultJson", order=False)
def query(body: QueryBody) -> Response:
    """Query the events of all orders with SQL. For auditors.

    It only reads, and reaches no personal data. A query has 10 seconds, 1,000 rows and 1 MB; two run at a time. The
    query is recorded before it runs: `GET /access-log` lists it.
    """
    ports, caller = engine(), api.caller
    check_role(caller.actor, Action.QUERY)
    record_audit_read(ports.log, caller, route=ROUTE, request=body.sql, at=ports.clock.now())
    as_of = None if body.as_of is None else timestamp(body.as_of)
    table, age = run_query(ports, body.sql, as_of=as_of, limit=body.limit)
    answer: QueryResultJson = {
        "columns": table.columns,
        "rows": table.rows,
        "truncated": table.truncated,
        "as_of": age,
    }
    return json_answer(answer)
