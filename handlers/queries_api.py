"""SQL of auditors over the views. Its route is served by the function of ``search_api``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.query_models import QueryBody
from handlers.http.responses import Response
from workflows.clock import timestamp
from workflows.engine import engine
from workflows.orders.access import record_audit_read
from workflows.orders.permissions import Action, check_role
from workflows.queries.running import run_query

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.query_json import QueryResultJson

ROUTE = "POST /audit/query"

api = Api()


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
