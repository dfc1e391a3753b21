"""What is kept about customers, and erasing them, over HTTP; and the schedule that goes on with erasures.

Support reads and erases. Auditors read which fields are kept, without their values, and the receipts of erasures. The
function is the only one that destroys keys of customers. Its schedule, ``{"resume": true}``, completes erasures whose
process was ended.
"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.customer_models import ApproveErasureBody, CustomerIdText, EraseBody, RejectErasureBody
from handlers.http.documented import operation
from handlers.http.moments import AccessReason, Cursor, Limit
from handlers.http.preconditions import RequiredKey
from handlers.http.responses import Response
from workflows.engine import engine
from workflows.erasure import requests
from workflows.erasure.performing import noted, read_state, resume
from workflows.erasure.requests import ErasurePlan
from workflows.erasure.state import ErasurePhase
from workflows.erasure.views import erasure_view, listed_view
from workflows.orders.permissions import Action, check_all
from workflows.settings import read_keys

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.customer_json import ListedErasuresJson

CUSTOMERS = "Customers"

api = Api()

customer_route = partial(operation, api, tag=CUSTOMERS, order=False)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a request of API Gateway, or ``{"resume": true}`` from the schedule."""
    ports = engine(read_keys)  # without the keys, personal fields would read as erased
    if "resume" in event:
        return {"left": resume(ports)}
    return api.resolve(event)


@customer_route("GET", "/customers/{customer_id}/data", answers="CustomerDataJson")
def get_customer_data(
    customer_id: CustomerIdText, limit: Limit = 50, cursor: Cursor = None, access_reason: AccessReason = None
) -> Response:
    """Read everything that is kept about a customer.

    Orders with their personal fields, webhook deliveries that name them, and who read the customer's data. Auditors see
    which fields there are, not their values. The read of support is recorded.
    """
    from workflows.erasure.customer_data import customer_data

    check_all(api.caller.actor, Action.READ_CUSTOMER_DATA)
    state = read_state(engine(), customer_id)
    data = customer_data(
        engine(), customer_id, state, api.caller, limit=limit, cursor=cursor, reason=access_reason or ""
    )
    return json_answer(data)


@customer_route("GET", "/customers/{customer_id}/erasure", answers="ErasureJson")
def get_erasure(customer_id: CustomerIdText) -> Response:
    """Read how far the erasure of a customer is, what it would do, what it leaves, and the receipts of earlier ones."""
    check_all(api.caller.actor, Action.READ_ERASURES)
    return _answer(requests.plan_erasure(engine(), customer_id))


@customer_route("GET", "/erasures", answers="ListedErasuresJson")
def list_erasures() -> Response:
    """List the erasures that wait for a second person, and those that go on by themselves."""
    check_all(api.caller.actor, Action.READ_ERASURES)
    states = [(customer, read_state(engine(), customer)) for customer in noted(engine())]
    ended = {ErasurePhase.KEPT, ErasurePhase.ERASED}
    body: ListedErasuresJson = {
        "erasures": [listed_view(customer, state) for customer, state in states if state.phase not in ended]
    }
    return json_answer(body)


@customer_route("POST", "/customers/{customer_id}/erase", answers="ErasureJson", statuses=(202, 200), refuses=(409,))
def erase_customer(customer_id: CustomerIdText, body: EraseBody, idempotency_key: RequiredKey) -> Response:
    """Propose to erase a customer. Nothing is destroyed until a second person approves it.

    A dry run answers what would go and what stays, and records nothing. Refused while orders of the customer are open.
    """
    plan = requests.propose(engine(), customer_id, body.reason, api.caller, idempotency_key, dry_run=body.dry_run)
    return _answer(plan, HTTPStatus.OK if body.dry_run else HTTPStatus.ACCEPTED)


@customer_route(
    "POST", "/customers/{customer_id}/erase/approve", answers="ErasureJson", statuses=(200,), refuses=(409,)
)
def approve_erasure(customer_id: CustomerIdText, body: ApproveErasureBody) -> Response:
    """Approve, as a second person, that a customer is erased. It cannot be undone.

    The key is destroyed at once. If other functions may still have it in their caches, search indexes and stored
    webhook deliveries are deleted some minutes later, without another request; `state` is `cleaning` until then.
    """
    return _answer(requests.approve(engine(), customer_id, body.reason, api.caller, dry_run=body.dry_run))


@customer_route("POST", "/customers/{customer_id}/erase/reject", answers="ErasureJson")
def reject_erasure(customer_id: CustomerIdText, body: RejectErasureBody) -> Response:
    """Reject a proposed erasure, or withdraw one's own."""
    return _answer(requests.reject(engine(), customer_id, body.reason, api.caller, dry_run=body.dry_run))


def _answer(plan: ErasurePlan, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return json_answer(erasure_view(plan), status)
