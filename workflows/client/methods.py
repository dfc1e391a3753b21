"""The methods that both clients share: one a request, each made of a function of a module ``*_calls``.

Every write carries an ``Idempotency-Key``, by default a new one for each call, so that sending a call again changes
nothing more. Give ``key`` yourself if another process may repeat the call, e.g. after a crash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar, overload

from . import (
    audit_calls,
    catalogue_calls,
    customer_calls,
    incident_calls,
    list_calls,
    order_calls,
    repair_calls,
    webhook_calls,
)
from .api_call import ApiCall

P = ParamSpec("P")
T = TypeVar("T")


class _Method(Generic[P, T]):
    """A method with the parameters of a function that makes a call, which the method sends."""

    def __init__(self, make: Callable[P, ApiCall[T]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: BlockingMethods, owner: type) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: AsyncMethods, owner: type) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, client: BlockingMethods | AsyncMethods, owner: type) -> Callable[P, Any]:
        @wraps(self._make)
        def send(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.send(self._make(*args, **kwargs))

        return send


class _Methods:
    place = _Method(order_calls.place)
    get = _Method(order_calls.get)
    get_changed = _Method(order_calls.get_changed)
    replay = _Method(order_calls.replay)
    timeline = _Method(order_calls.timeline)
    ledger = _Method(order_calls.ledger)
    why = _Method(order_calls.why)
    runs = _Method(order_calls.runs)
    execution_history = _Method(order_calls.execution_history)
    machine = _Method(order_calls.machine)
    receipt = _Method(order_calls.receipt)
    cancel = _Method(order_calls.cancel)
    act = _Method(order_calls.act)

    restaurant = _Method(catalogue_calls.restaurant)
    menu = _Method(catalogue_calls.menu)
    quote = _Method(catalogue_calls.quote)
    register_restaurant = _Method(catalogue_calls.register_restaurant)
    change_restaurant = _Method(catalogue_calls.change_restaurant)
    publish_menu = _Method(catalogue_calls.publish_menu)
    upload_picture = _Method(catalogue_calls.upload_picture)
    pause_restaurant = _Method(catalogue_calls.pause_restaurant)
    resume_restaurant = _Method(catalogue_calls.resume_restaurant)
    mark_sold_out = _Method(catalogue_calls.mark_sold_out)
    mark_back_in_stock = _Method(catalogue_calls.mark_back_in_stock)

    accept = _Method(order_calls.accept)
    reject = _Method(order_calls.reject)
    item_unavailable = _Method(order_calls.item_unavailable)
    ready = _Method(order_calls.ready)

    assign = _Method(order_calls.assign)
    decline = _Method(order_calls.decline)
    pick_up = _Method(order_calls.pick_up)
    deliver = _Method(order_calls.deliver)
    fail = _Method(order_calls.fail)
    report_position = _Method(order_calls.report_position)
    live_ticket = _Method(order_calls.live_ticket)

    incidents = _Method(incident_calls.incidents)
    incident = _Method(incident_calls.incident)
    retry = _Method(incident_calls.retry)
    resolve = _Method(incident_calls.resolve)
    approve = _Method(incident_calls.approve)
    note = _Method(incident_calls.note)
    credit = _Method(repair_calls.credit)
    refund_extra = _Method(repair_calls.refund_extra)
    pass_on = _Method(repair_calls.pass_on)
    bulk = _Method(repair_calls.bulk)
    bulk_job = _Method(repair_calls.bulk_job)
    advance_bulk_job = _Method(repair_calls.advance_bulk_job)
    stop_bulk_job = _Method(repair_calls.stop_bulk_job)
    resume_bulk_job = _Method(repair_calls.resume_bulk_job)
    owed = _Method(repair_calls.owed)
    reject_request = _Method(repair_calls.reject_request)
    assign_incident = _Method(repair_calls.assign_incident)
    circuits = _Method(incident_calls.circuits)
    circuit = _Method(incident_calls.circuit)

    orders = _Method(list_calls.orders)
    search_orders = _Method(list_calls.search_orders)
    access_log = _Method(list_calls.access_log)
    query = _Method(audit_calls.query)
    create_export = _Method(audit_calls.create_export)
    export = _Method(audit_calls.export)
    export_block = _Method(audit_calls.export_block)
    events = _Method(list_calls.events)
    tickets = _Method(list_calls.tickets)
    approvals = _Method(list_calls.approvals)
    offers = _Method(list_calls.offers)
    restaurants = _Method(catalogue_calls.restaurants)
    popular_items = _Method(catalogue_calls.popular_items)
    stats = _Method(list_calls.stats)
    books = _Method(list_calls.books)
    views = _Method(list_calls.views)
    retry_view = _Method(list_calls.retry_view)
    me = _Method(list_calls.me)

    customer_data = _Method(customer_calls.customer_data)
    erasure = _Method(customer_calls.erasure)
    erasures = _Method(customer_calls.erasures)
    erase_customer = _Method(customer_calls.erase_customer)
    approve_erasure = _Method(customer_calls.approve_erasure)
    reject_erasure = _Method(customer_calls.reject_erasure)
    proof = _Method(audit_calls.proof)
    checkpoints = _Method(audit_calls.checkpoints)
    heads = _Method(audit_calls.heads)
    verify = _Method(audit_calls.verify)

    webhooks = _Method(webhook_calls.webhooks)
    webhook = _Method(webhook_calls.webhook)
    register_webhook = _Method(webhook_calls.register_webhook)
    change_webhook = _Method(webhook_calls.change_webhook)
    remove_webhook = _Method(webhook_calls.remove_webhook)
    rotate_webhook = _Method(webhook_calls.rotate_webhook)
    test_webhook = _Method(webhook_calls.test_webhook)
    webhook_deliveries = _Method(webhook_calls.webhook_deliveries)
    order_webhook_deliveries = _Method(webhook_calls.order_webhook_deliveries)
    resend_delivery = _Method(webhook_calls.resend_delivery)


class BlockingMethods(_Methods):
    """Each method returns the body of the answer."""

    def send(self, call: ApiCall[T]) -> T:
        """Send a call and return the body of its answer."""
        raise NotImplementedError


class AsyncMethods(_Methods):
    """Each method returns an awaitable of the body of the answer."""

    async def send(self, call: ApiCall[T]) -> T:
        """Send a call and return the body of its answer."""
        raise NotImplementedError
