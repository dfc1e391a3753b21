"""Lists, searches and statistics over HTTP, read from the views. Each role sees its own part of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from handlers import (
    boards_api,
    event_lists_api,
    exports_api,
    order_lists_api,
    owed_api,
    queries_api,
    restaurant_lists_api,
    statistics_api,
)
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.responses import Response
from handlers.http.search_parameters import RetryViewBody
from workflows.engine import engine, settings
from workflows.incidents.approval_limits import read_limits
from workflows.orders.json_values import money_json
from workflows.orders.permissions import Action, Tie, allowed, check_role
from workflows.search.view_state import retry_stream, views_state
from workflows.settings import read_export_maker, read_exports_bucket, read_keys
from workflows.time_budgets import read_budgets

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from workflows.client.search_json import MeJson

_log = logging.getLogger(__name__)

TAG = "Lists"
RETRIED = "a parked stream of the views was tried again"

api = Api()
for lists in (order_lists_api, event_lists_api, boards_api, restaurant_lists_api, statistics_api):
    api.include(lists.api)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    groups = (read_keys, read_budgets, read_limits, read_exports_bucket, read_export_maker)
    engine(*groups)  # fail now if a setting is missing or wrong
    return api.resolve(event)


@operation(api, "GET", "/views", tag=TAG, answers="ViewsJson", order=False)
def get_views() -> Response:
    """Read the state of the views: their version, how far they are behind, and what could not be projected."""
    check_role(api.caller.actor, Action.READ_VIEWS)
    return json_answer(views_state(engine()))


@operation(api, "POST", "/views/retry", tag=TAG, answers="RetriedStreamJson", order=False)
def retry_view(body: RetryViewBody) -> Response:
    """Compute the rows of a parked stream again, in every view that lacks it. For support.

    No order changes, so no reason is asked for and no key is needed: a repeated request finds nothing left to do.
    """
    actor = api.caller.actor
    check_role(actor, Action.RETRY_VIEWS)
    retried = retry_stream(engine(), body.stream, dry_run=body.dry_run)
    if not body.dry_run:
        _log.info(RETRIED, extra={"by": actor.id, **retried})
    return json_answer(retried)


@operation(api, "GET", "/me", tag=TAG, answers="MeJson", order=False)
def get_me() -> Response:
    """Read who the caller is, by the access token, and what they may do."""
    actor = api.caller.actor
    limits = settings(read_limits)
    body: MeJson = {
        "role": actor.role.value,
        "id": actor.id,
        "may": [
            {"action": action.name.lower(), "on": "any" if tie is Tie.ANY else "own"}
            for action, tie in allowed(actor.role).items()
        ],
        "second_person_above": [money_json(limit) for _, limit in sorted(limits.items())],
    }
    return json_answer(body)


for others in (owed_api, queries_api, exports_api):
    api.include(others.api)
