"""The people of a simulated order: customer, restaurant, couriers and support.

They act through the handlers of the HTTP API. The faults decide whether a person answers at all, cancels, reports twice
at once or too early, contradicts a report, or declines for others. The world's random numbers decide answers and times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

from domain.identifiers import Actor, OrderId, Role
from domain.money import Money
from domain.order.commands import Approve, ConfirmReport, StartRun
from domain.order.delivery import ATTEMPTS_MAX
from domain.order.order import Order, RunState
from domain.order.preparation import TicketState
from domain.order.refusals import Rejected
from workflows.event_store.streams import order_stream
from workflows.incidents.incidents import list_parked
from workflows.orders.command_handling import Caller, handle, load
from workflows.orders.json_values import money_json
from workflows.simulation.baskets import EXAMPLE, RECIPIENT, drawn_basket
from workflows.simulation.bulk_person import BulkPerson
from workflows.simulation.faults import InjectedFault
from workflows.simulation.menus import drawn_selection
from workflows.simulation.person_requests import PersonRequests
from workflows.simulation.retention import mark_of
from workflows.simulation.world import World

SUPPORT = Actor(Role.SUPPORT, "sam")
SECOND_PERSON = Actor(Role.SUPPORT, "sue")

RETRIES_OF_SUPPORT = 2
"""How often support decides about a parked order before leaving it as an incident."""

CREDITED = 0.15
"""The share of orders with a credit, and of those with another one."""

CREDITED_SHARES = (2, 18, 96, 143)
"""Credits in percent of the order's price before credits."""

CREDIT_S = 1800.0
"""Mean time from the order to a credit: about half of them come after its end."""

TAKEN_TWICE = 0.05
"""The share of sound payments that the provider takes twice."""

INCIDENTS_EVERY_S = 900.0
"""Time between two looks of support at the list of incidents."""

REPORTS_MAX, REPORT_S = 60, 900.0
"""How often support looks for the second payment of a parked order in the provider's books, and the mean time between
two looks."""

PLACED_WITHIN_S = 900.0

BULK_EVERY, BULK_IN = 8, 6
"""In one of so many worlds, without menus and erasures, a person begins, stops and resumes a bulk job."""

LOOK_S, COOK_S, RIDE_S = 20.0, 600.0, 600.0
"""Mean times between two looks at the screen, of cooking, and of riding."""

_CONTRADICTING: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "preparation/ready": (
        ("preparation/reject", {"reason": "no kitchen"}),
        ("preparation/item-unavailable", {"line": 1, "available": 0}),
    ),
    "delivery/pick-up": (("delivery/decline", {"reason": "never had it"}),),
    "delivery/deliver": (("delivery/fail", {"reason": "lost it", "fault": "platform"}),),
    "delivery/fail": (("delivery/deliver", {}),),
}
"""The reports that contradict a report of the same party, with their parameters."""


class SimulatedOrder:
    """One order and its people. It is placed at a random time in the first ``within_s`` seconds.

    Args:
        from_menu: The customer orders from the menu, and again after a while if the restaurant takes no orders.
    """

    look_s = LOOK_S
    """Mean time between two looks at the screen, in seconds. In a world with many orders they take most of the time."""

    def __init__(
        self, world: World, number: int, *, within_s: float = PLACED_WITHIN_S, from_menu: bool = False
    ) -> None:
        self.world = world
        self.random = world.random
        self.number = number
        self.from_menu = from_menu
        self.customer = f"cus_{1 + number // 2}" if world.retains else "cus_1"
        self.requests = PersonRequests(world, number, self.customer)
        self.order_id: OrderId | None = None
        self.bulk: BulkPerson | None = None
        """The person who acts on all orders of the world, if this one is looked after by one."""
        self.given_up = False
        self.asked_at = 0
        """The position of the newest commit of the log when the customer first sent the order."""
        self.acts_to_come = 0
        self._looks_of_support = 0
        self._seen: tuple[int, Order] | None = None
        world.scheduler.spawn(self._customer, delay_s=self.random.uniform(0, within_s))

    @property
    def order(self) -> Order | None:
        """The order as the log has it, read without the ports of a process. None before it is placed."""
        if self.order_id is None:
            return None
        newest = self.world.newest[order_stream(self.order_id)]
        if self._seen is None or self._seen[0] != newest:
            self._seen = (newest, load(self.world.log, self.order_id)[1])
        return self._seen[1]

    @property
    def at_rest(self) -> bool:
        """Whether all people have acted, and the order has ended or is parked and support has given up."""
        order = self.order
        return (
            order is not None
            and not self.acts_to_come
            and (order.run_state is RunState.ENDED or (order.run_state is RunState.PARKED and self.given_up))
        )

    # --- the people ----------------------------------------------------------------------------------------------

    def _customer(self) -> None:
        body, key = self._body(), f"order-{self.number}"
        who = "customer" if self.from_menu else "service"
        self.asked_at = self.world.log.newest()
        while (placed := self.requests.send("POST", "/orders", who, body, key=key)) is None:
            self.world.pause(60)  # closed, or sold out
        self.order_id = OrderId(placed["id"])
        spawn = self.world.scheduler.spawn
        spawn(self._restaurant)
        spawn(self._couriers)
        spawn(self._support)
        if body["payment_method"] == "pm_taken_twice":
            self._act_later(self._refund_extra, REPORT_S)
        if self.world.faults.rates:  # a world with planned faults alone has no other surprises
            self._plan_credits()
            if self.number == 0 and self.world.faults.seed % BULK_EVERY == BULK_IN:
                self.bulk = BulkPerson(self.world, self.world.faults.seed, self.requests)
                self._act_later(self.bulk.act, 1)
        if self._strikes(InjectedFault.CANCELLED):
            self._act_later(self.cancel, 600)
        if self._strikes(InjectedFault.STARTED_AGAIN):
            self._act_later(self.start_again, 600)

    def _act_later(self, act: Callable[[], None], mean_s: float) -> None:
        """Start an act after a random time. The order is not at rest before it is done."""
        self.acts_to_come += 1

        def run() -> None:
            act()
            self.acts_to_come -= 1

        self.world.scheduler.spawn(run, delay_s=self.random.expovariate(1 / mean_s))

    def cancel(self) -> None:
        """Request the cancellation as the customer or the restaurant."""
        self._wait_until_placed()
        role = self.random.choice(("customer", "restaurant"))
        self._act("cancel", role, {"reason": f"changed my mind, {mark_of(self.customer)}"})

    def _plan_credits(self) -> None:
        """Draw support's credits from random numbers of their own, so that other draws of the world stay the same."""
        drawn = Random(f"credits of {self.world.faults.seed}, order {self.number}")
        while drawn.random() < CREDITED:
            percent, after_s = drawn.choice(CREDITED_SHARES), drawn.expovariate(1 / CREDIT_S)
            self.acts_to_come += 1
            self.world.scheduler.spawn(lambda percent=percent: self._credit(percent), delay_s=after_s)  # type: ignore[misc]  # bound now

    def _credit(self, percent: int) -> None:
        """Grant a credit, whatever the order's status. Support then looks at the order again, even if it had ended."""
        order = self.order
        assert order is not None  # it is planned once the order is placed
        amount = Money(max(order.gross_minor * percent // 100, 1), order.currency)
        body = {"amount": money_json(amount), "fault": "platform", "reason": "cold"}
        path, key = f"/orders/{self.order_id}/credits", f"credit/{percent}/{self.world.scheduler.now()}"
        self.requests.send("POST", path, "support", body, key=key.replace(" ", "T"))
        self._approve()
        self.world.scheduler.spawn(self._support)
        self.acts_to_come -= 1

    def _refund_extra(self) -> None:
        """Report the second payment once the provider has taken it; again while the order's own one is in doubt.

        An order whose first message was lost may begin a day later.
        """
        for attempt in count():
            order = self.order
            assert order is not None  # it is placed
            lines = self.world.sandbox.payments.entries(order.order_id)
            extra = next((line for line in lines if line.key.endswith("/again")), None)
            gives_up = attempt >= REPORTS_MAX and order.run_state is RunState.PARKED
            if gives_up or (extra is None and order.run_state is RunState.ENDED):
                return
            if extra is not None and extra.amount is not None:
                body = {"capture_id": extra.id, "amount": money_json(extra.amount), "reason": "taken twice"}
                path, key = f"/orders/{order.order_id}/extra-captures", f"extra/{attempt}"
                if self.requests.send("POST", path, "support", body, key=key) is not None:
                    self._approve()
                    self.world.scheduler.spawn(self._support)
                    return
                self._start_run(order)
            self.world.pause(REPORT_S)

    def _approve(self) -> None:
        """Approve what waits for a second person, as most credits in a currency without a limit do."""
        order = self.order
        assert order is not None
        for approval in order.approvals:
            self._command(order, Approve(approval=approval, by=SECOND_PERSON), f"approve/{approval}")

    def start_again(self) -> None:
        """Start a new run as support, whether one is needed or not."""
        self._wait_until_placed()
        order = self.order
        if order is not None:
            self._start_run(order)

    def _restaurant(self) -> None:
        order = self._until(lambda order: order.ticket is not None)
        if order is None or order.ticket is None or self._strikes(InjectedFault.NEVER_ANSWERS):
            return
        ticket = {"ticket": order.ticket.intent}
        self.world.pause(60)
        if self.random.random() < 0.08:
            self._act("preparation/reject", "restaurant", {**ticket, "reason": "closed"})
            return
        soon = (self.world.scheduler.now() + timedelta(minutes=20)).isoformat()
        self._act("preparation/accept", "restaurant", {**ticket, "ready_at": soon})
        for line in range(1, len(order.lines) + 1):
            if self.random.random() < 0.1:
                lack = {**ticket, "line": line, "available": self.random.choice((0, 0, 1))}
                self._act("preparation/item-unavailable", "restaurant", lack)
        self.world.pause(COOK_S)
        if not self._strikes(InjectedFault.NEVER_ANSWERS):
            self._act("preparation/ready", "restaurant", ticket)

    def _couriers(self) -> None:
        """Let another courier answer each offer."""
        seen: set[int] = set()
        while (order := self._until(lambda order: len(order.delivery.offers) > len(seen))) is not None:
            for offer in order.delivery.offers:
                if offer.intent not in seen:
                    seen.add(offer.intent)
                    self.world.scheduler.spawn(lambda intent=offer.intent: self._courier(intent))  # type: ignore[misc]  # bound now
                    if self._strikes(InjectedFault.DECLINED_FOR_OTHERS):
                        self.world.scheduler.spawn(lambda intent=offer.intent: self._decline_for_others(intent))  # type: ignore[misc]  # bound now

    def _decline_for_others(self, intent: int) -> None:
        """Decline an offer again and again as a courier who declines every offer of the order."""
        path = f"/orders/{self.order_id}/delivery/decline"
        for attempt in range(ATTEMPTS_MAX + 1):
            body = {"offer": intent, "reason": f"no, for the {attempt + 1}. time"}
            self.requests.send("POST", path, f"courier-{self.number}-no", body, key=f"no/{intent}/{attempt}")
            self.world.pause(10)

    def _courier(self, intent: int) -> None:
        self.world.pause(40)
        courier, offer = self._courier_of(intent), {"offer": intent}
        if self.random.random() < 0.1:
            self._act("delivery/decline", courier, {**offer, "reason": "too far"})
            return
        if self.random.random() < 0.15:
            self.world.pause(300)  # the offer may be withdrawn by now
        if self._strikes(InjectedFault.NEVER_ANSWERS) or self._act("delivery/assign", courier, offer) is None:
            return
        if self._strikes(InjectedFault.REPORTED_EARLY):
            self._report_early(courier, offer)
        elif not self._pick_up(courier, offer):
            return
        self.world.pause(RIDE_S)
        if self.random.random() < 0.06:
            self._act("delivery/fail", courier, {**offer, "reason": "nobody home", "fault": "customer"})
        elif not self._strikes(InjectedFault.NEVER_ANSWERS):
            self._act("delivery/deliver", courier, offer)

    def _courier_of(self, intent: int) -> str:
        """Name the courier who answers an offer: one whom it was made to, or any if it is open."""
        order = self.order
        assert order is not None  # the offer exists
        made_to = next(sorted(offer.made_to) for offer in order.delivery.offers if offer.intent == intent)
        return self.random.choice(made_to) if made_to else f"courier-{self.number}-{intent}"

    def _pick_up(self, courier: str, offer: Mapping[str, Any]) -> bool:
        """Pick the meal up once it is ready. False if the courier gives it back, stays silent or is refused."""
        if self._until(lambda order: order.ticket is not None and order.ticket.state is TicketState.READY) is None:
            return False
        if self.random.random() < 0.05:
            self._act("delivery/decline", courier, {**offer, "reason": "flat tyre"})
            return False
        return (
            not self._strikes(InjectedFault.NEVER_ANSWERS) and self._act("delivery/pick-up", courier, offer) is not None
        )

    def _report_early(self, courier: str, offer: Mapping[str, Any]) -> None:
        """Report the pickup before the meal is ready or, without any pickup, the delivery; then perhaps the pickup."""
        if self.random.random() < 0.5:
            path = f"/orders/{self.order_id}/delivery/deliver"
            self.requests.send("POST", path, courier, offer, key=f"early/{courier}/{offer['offer']}")
            self.world.pause(RIDE_S)
        if self.random.random() < 0.7:
            self._act("delivery/pick-up", courier, offer)

    def look_after_incident(self) -> None:
        """Begin to look after the order, which is in the list of incidents, unless a colleague does or gave up."""
        if not self._looks_of_support and not self.given_up:
            self.world.scheduler.spawn(self._support)

    def _support(self) -> None:
        """Look after the order until it has ended, or support has given up."""
        self._looks_of_support += 1
        self._decide_while_parked()
        self._looks_of_support -= 1

    def _decide_while_parked(self) -> None:
        """Decide about a parked order a few times, then leave it as an incident."""
        for _ in range(RETRIES_OF_SUPPORT):
            order = self._until(lambda order: order.run_state is RunState.PARKED)
            if order is None:
                return
            self.world.pause(900)
            if self.given_up:  # by a colleague who looked at another report meanwhile
                return
            self._decide(order)
        if self._until(lambda order: order.run_state is RunState.PARKED) is not None:
            self.given_up = True

    def _wait_until_placed(self) -> None:
        while self.order_id is None:
            self.world.pause(1)

    # --- their acts ------------------------------------------------------------------------------------------

    def _decide(self, order: Order) -> None:
        """Confirm a contested report, or continue the order as it is recorded."""
        if order.contest and self.random.random() < 0.5:
            confirm = ConfirmReport(report=order.contest, by=SUPPORT, reason="the later report is right")
            self._command(order, confirm, f"confirm/{order.contest}")
        else:
            self._start_run(order)

    def _start_run(self, order: Order) -> None:
        command = StartRun(run=order.run + 1, by=SUPPORT, reason="try again")
        self._command(order, command, f"run/{order.run + 1}")

    def _command(self, order: Order, command: StartRun | ConfirmReport | Approve, key: str) -> None:
        caller = Caller(command.by, correlation="simulation", causation="simulation")
        try:
            handle(self.world.log, command, order_id=order.order_id, key=key, caller=caller)
        except Rejected:
            return

    def _until(self, holds: Any) -> Order | None:
        """Read the order now and then until the condition holds. None if the order ends or support gives up before."""
        while True:
            order = self.order
            assert order is not None  # people act only once the order is placed
            if order.run_state is RunState.ENDED or self.given_up:
                return None
            if holds(order):
                return order
            self.world.pause(self.look_s)

    def _act(self, action: str, who: str, body: Mapping[str, Any]) -> Any:
        """Make a request about the order. None if it was refused, because the order has gone on."""
        key = f"{action}/{who}/{body.get('line', body.get('offer', ''))}"
        path = f"/orders/{self.order_id}/{action}"
        contradicting = _CONTRADICTING.get(action, ())
        twice, contradicted = InjectedFault.REPORTED_TWICE, InjectedFault.CONTRADICTED
        match self._fault((twice, contradicted) if contradicting else (twice,)):
            case InjectedFault.REPORTED_TWICE:
                self.world.scheduler.spawn(lambda: self.requests.send("POST", path, who, body, key=f"{key}/again"))
            case InjectedFault.CONTRADICTED:
                other, parameters = self.random.choice(contradicting)
                intent = {name: body[name] for name in ("ticket", "offer") if name in body}
                self._act_later(lambda: self._contradict(other, who, {**intent, **parameters}), RIDE_S)
        return self.requests.send("POST", path, who, body, key=key)

    def _contradict(self, action: str, who: str, body: Mapping[str, Any]) -> None:
        """Report the contrary. Support then looks at the order again, even if it has ended."""
        self.requests.send("POST", f"/orders/{self.order_id}/{action}", who, body, key=f"contrary/{action}/{who}")
        self.world.scheduler.spawn(self._support)

    def _strikes(self, fault: InjectedFault) -> bool:
        return self._fault((fault,)) is not None

    def _fault(self, candidates: tuple[InjectedFault, ...]) -> InjectedFault | None:
        return self.world.faults.strikes(candidates, f"order {self.number}")

    def _contact(self) -> dict[str, str]:
        return {**RECIPIENT, "address": mark_of(self.customer)} if self.world.retains else RECIPIENT

    def _body(self) -> dict[str, Any]:
        """Return the order to place: drawn, or the example in a world with planned faults alone."""
        methods = ["pm_ok"] * 12 + ["pm_declined", "pm_capture_refused", "pm_void_refused", "pm_refund_refused"]
        body = {"restaurant": "rst_1", "payment_method": self.random.choice(methods), "contact": self._contact()}
        twice = Random(f"taken twice in {self.world.faults.seed}, order {self.number}").random() < TAKEN_TWICE
        if twice and self.world.faults.rates and body["payment_method"] == "pm_ok":
            body["payment_method"] = "pm_taken_twice"
        drawn = Random(f"basket of {self.world.faults.seed}, order {self.number}")
        if self.from_menu:
            return {**body, **drawn_selection(drawn, self.world.faults.seed)}
        return {**body, "customer": self.customer, **(drawn_basket(drawn) if self.world.faults.rates else EXAMPLE)}


def look_for_incidents(world: World, simulated_orders: list[SimulatedOrder]) -> None:
    """Read the engine's list of incidents now and then, as support. An order may be parked after its end.

    Runs as a task that only watches: where support looks after every parked order anyway, no schedule changes.
    """
    while True:
        world.scheduler.watch_pause(INCIDENTS_EVERY_S)
        parked = {row.order_id for row, _ in list_parked(world.documents)}
        for simulated_order in simulated_orders:
            if simulated_order.order_id in parked:
                simulated_order.look_after_incident()
