"""The methods that both clients share: one a request, each made of a function of ``calls``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar, overload

from . import calls, customer_calls, repair_calls
from .api_call import ApiCall

P = ParamSpec("P")
T = TypeVar("T")


class _Method(Generic[P, T]):
    """A method with the parameters of a function of ``calls``, which sends the call that the function makes."""

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
    place = _Method(calls.place)
    get = _Method(calls.get)
    get_changed = _Method(calls.get_changed)
    replay = _Method(calls.replay)
    timeline = _Method(calls.timeline)
    ledger = _Method(calls.ledger)
    why = _Method(calls.why)
    runs = _Method(calls.runs)
    execution_history = _Method(calls.execution_history)
    machine = _Method(calls.machine)
    receipt = _Method(calls.receipt)
    cancel = _Method(calls.cancel)
    act = _Method(calls.act)

    restaurant = _Method(calls.restaurant)
    menu = _Method(calls.menu)
    quote = _Method(calls.quote)
    register_restaurant = _Method(calls.register_restaurant)
    change_restaurant = _Method(calls.change_restaurant)
    publish_menu = _Method(calls.publish_menu)
    upload_picture = _Method(calls.upload_picture)
    pause_restaurant = _Method(calls.pause_restaurant)
    resume_restaurant = _Method(calls.resume_restaurant)
    mark_sold_out = _Method(calls.mark_sold_out)
    mark_back_in_stock = _Method(calls.mark_back_in_stock)

    accept = _Method(calls.accept)
    reject = _Method(calls.reject)
    item_unavailable = _Method(calls.item_unavailable)
    ready = _Method(calls.ready)

    assign = _Method(calls.assign)
    decline = _Method(calls.decline)
    pick_up = _Method(calls.pick_up)
    deliver = _Method(calls.deliver)
    fail = _Method(calls.fail)
    report_position = _Method(calls.report_position)
    live_ticket = _Method(calls.live_ticket)

    incidents = _Method(calls.incidents)
    incident = _Method(calls.incident)
    retry = _Method(calls.retry)
    resolve = _Method(calls.resolve)
    approve = _Method(calls.approve)
    note = _Method(calls.note)
    credit = _Method(repair_calls.credit)
    pass_on = _Method(repair_calls.pass_on)
    bulk = _Method(repair_calls.bulk)
    bulk_job = _Method(repair_calls.bulk_job)
    owed = _Method(repair_calls.owed)
    reject_request = _Method(repair_calls.reject_request)
    assign_incident = _Method(repair_calls.assign_incident)
    circuits = _Method(calls.circuits)
    circuit = _Method(calls.circuit)

    orders = _Method(calls.orders)
    search_orders = _Method(calls.search_orders)
    access_log = _Method(calls.access_log)
    query = _Method(calls.query)
    create_export = _Method(calls.create_export)
    export = _Method(calls.export)
    export_block = _Method(calls.export_block)
    events = _Method(calls.events)
    tickets = _Method(calls.tickets)
    approvals = _Method(calls.approvals)
    offers = _Method(calls.offers)
    restaurants = _Method(calls.restaurants)
    popular_items = _Method(calls.popular_items)
    stats = _Method(calls.stats)
    books = _Method(calls.books)
    views = _Method(calls.views)
    me = _Method(calls.me)

    customer_data = _Method(customer_calls.customer_data)
    erasure = _Method(customer_calls.erasure)
    erasures = _Method(customer_calls.erasures)
    erase_customer = _Method(customer_calls.erase_customer)
    approve_erasure = _Method(customer_calls.approve_erasure)
    reject_erasure = _Method(customer_calls.reject_erasure)
    proof = _Method(calls.proof)
    checkpoints = _Method(calls.checkpoints)
    heads = _Method(calls.heads)

    webhooks = _Method(calls.webhooks)
    webhook = _Method(calls.webhook)
    register_webhook = _Method(calls.register_webhook)
    change_webhook = _Method(calls.change_webhook)
    remove_webhook = _Method(calls.remove_webhook)
    rotate_webhook = _Method(calls.rotate_webhook)
    test_webhook = _Method(calls.test_webhook)
    webhook_deliveries = _Method(calls.webhook_deliveries)
    resend_delivery = _Method(calls.resend_delivery)


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
