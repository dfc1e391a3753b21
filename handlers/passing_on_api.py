"""Reports of restaurants and couriers that support passes on, over HTTP."""

from __future__ import annotations

from handlers.http.action_outcomes import action_outcome
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.order_writes import approval_limit
from handlers.http.passing_on import PassOnBody
from handlers.http.preconditions import IfMatch, OptionalKey
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.engine import engine
from workflows.incidents.passing_on import pass_on

TAG = "Incidents"

api = Api()


@operation(api, "POST", "/orders/{order_id}/facts", tag=TAG, answers="ActionOutcomeJson")
def pass_on_report(
    order_id: OrderIdText, body: PassOnBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response:
    """Pass on what a restaurant or courier said and did not report, e.g. that the meal was delivered.

    It is recorded as a report of the party, with who said so and why, for support and auditors. A report that
    contradicts an earlier one has no effect until a person decides, as if the party had made it. A missing item or a
    failed delivery above a set amount is only recorded as a request, and a second person has to approve it.
    """
    request = api.order_request(body.action, order_id, idempotency_key, if_match)
    done = pass_on(
        engine().log,
        request,
        body.made,
        body.on_behalf,
        now=engine().clock.now(),
        limit=approval_limit,
        answers=body.answers,
        dry_run=body.dry_run,
    )
    return action_outcome(done, request.caller.actor)
